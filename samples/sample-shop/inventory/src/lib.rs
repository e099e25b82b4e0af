//! What the shop has in stock, and to whom it is promised.

pub mod reorder;
pub mod reservation;
pub mod stock;

pub use reorder::{ReorderRule, Suggestion};
pub use reservation::{Reservation, ReservationBook};
pub use stock::{Sku, Stock, StockError};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_unit_cannot_be_reserved_again() {
        let mut stock = Stock::default();
        stock.receive(Sku::new("tea-001"), 2);
        let mut book = ReservationBook::default();
        book.reserve(&mut stock, 1, Sku::new("tea-001"), 2).unwrap();
        assert!(book.reserve(&mut stock, 2, Sku::new("tea-001"), 1).is_err());
        book.release(&mut stock, 1);
        assert!(book.reserve(&mut stock, 2, Sku::new("tea-001"), 1).is_ok());
    }

    #[test]
    fn what_runs_low_is_suggested() {
        let mut stock = Stock::default();
        stock.receive(Sku::new("cup-007"), 3);
        let rule = ReorderRule { threshold: 5, batch: 12 };
        let found = reorder::suggestions(&stock, &rule);
        assert_eq!(found[0].quantity, 12);
    }
}
