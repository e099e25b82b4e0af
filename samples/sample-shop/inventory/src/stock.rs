//! Units on the shelf, by article.

use std::collections::BTreeMap;
use std::fmt;

/// An article number such as `tea-001`, kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sku(String);

impl Sku {
    /// Makes an article number from what a person typed: trimmed, lower case.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_lowercase())
    }

    pub fn is_valid(&self) -> bool {
        match self.0.split_once('-') {
            Some((family, number)) => {
                !family.is_empty() && number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit())
            }
            None => false,
        }
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why units could not be taken from the shelf.
#[derive(Debug, PartialEq, Eq)]
pub enum StockError {
    /// The shop has never had this article.
    Unknown(Sku),
    /// There are fewer units than asked for.
    Short { asked: u32, available: u32 },
}

/// The shelf: how many units of each article are free to sell.
#[derive(Debug, Default)]
pub struct Stock {
    units: BTreeMap<Sku, u32>,
}

impl Stock {
    /// Adds delivered units to the shelf. Counts stop at `u32::MAX`.
    pub fn receive(&mut self, sku: Sku, quantity: u32) {
        let units = self.units.entry(sku).or_insert(0);
        *units = units.saturating_add(quantity);
    }

    pub fn take(&mut self, sku: &Sku, quantity: u32) -> Result<(), StockError> {
        let units = self.units.get_mut(sku).ok_or_else(|| StockError::Unknown(sku.clone()))?;
        if *units < quantity {
            return Err(StockError::Short { asked: quantity, available: *units });
        }
        *units -= quantity;
        Ok(())
    }

    pub fn available(&self, sku: &Sku) -> u32 {
        self.units.get(sku).copied().unwrap_or(0)
    }

    /// Every article with its free units, in the order of the article numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&Sku, u32)> {
        self.units.iter().map(|(sku, units)| (sku, *units))
    }

    /// Returns the free units of all articles together.
    pub fn total_units(&self) -> u64 {
        self.units.values().map(|units| u64::from(*units)).sum()
    }
}
