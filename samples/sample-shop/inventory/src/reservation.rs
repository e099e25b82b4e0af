//! Units promised to a cart until it is paid for or given up.

use std::collections::HashMap;

use crate::stock::{Sku, Stock, StockError};

pub struct Reservation {
    pub sku: Sku,
    pub quantity: u32,
}

/// Which cart holds what. A unit is on the shelf or in here, never in both.
#[derive(Default)]
pub struct ReservationBook {
    by_cart: HashMap<u64, Vec<Reservation>>,
}

impl ReservationBook {
    /// Moves units from the shelf to a cart.
    ///
    /// # Errors
    /// When there are too few; then the shelf is as it was.
    pub fn reserve(
        &mut self,
        stock: &mut Stock,
        cart: u64,
        sku: Sku,
        quantity: u32,
    ) -> Result<(), StockError> {
        stock.take(&sku, quantity)?;
        self.by_cart.entry(cart).or_default().push(Reservation { sku, quantity });
        Ok(())
    }

    pub fn release(&mut self, stock: &mut Stock, cart: u64) -> usize {
        let released = self.by_cart.remove(&cart).unwrap_or_default();
        let count = released.len();
        for reservation in released {
            stock.receive(reservation.sku, reservation.quantity);
        }
        count
    }

    /// Forgets a paid cart: its units have left the shop.
    pub fn ship(&mut self, cart: u64) -> Vec<Reservation> {
        self.by_cart.remove(&cart).unwrap_or_default()
    }
}
