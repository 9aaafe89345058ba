//! The id of an order is not the order (M3).

use orders::Queueable;
use types::EraseOrderId;

pub fn erase(order: EraseOrderId) -> Queueable {
    Queueable::Erase(order)
}

fn main() {}
