//! An erasure rests on an erase order (M3).

use lending::EraseOrder;
use orders::Queueable;

pub fn erase(order: EraseOrder) -> Queueable {
    Queueable::Erase(order)
}

fn main() {}
