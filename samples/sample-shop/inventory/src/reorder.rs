//! What to order again before it runs out.

use crate::stock::{Sku, Stock};

/// When to order an article again, and how much of it.
#[derive(Debug, Clone)]
pub struct ReorderRule {
    /// Order when fewer units than this are free.
    pub threshold: u32,
    /// Units in one delivery; orders are whole deliveries.
    pub batch: u32,
}

#[derive(Debug)]
pub struct Suggestion {
    pub sku: Sku,
    pub quantity: u32,
}

pub fn suggestions(stock: &Stock, rule: &ReorderRule) -> Vec<Suggestion> {
    let mut found: Vec<Suggestion> = stock
        .iter()
        .filter(|(_, units)| *units < rule.threshold)
        .map(|(sku, units)| Suggestion {
            sku: sku.clone(),
            quantity: (rule.threshold - units).div_ceil(rule.batch.max(1)) * rule.batch.max(1),
        })
        .collect();
    found.sort_by(|a, b| b.quantity.cmp(&a.quantity));
    found
}
