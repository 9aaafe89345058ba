//! An erase order is not made by writing one down (M3).

use lending::EraseOrder;
use orders::Queueable;
use types::{EraseOrderId, Instant, TabletId};

pub fn erase(order: EraseOrderId, tablet: TabletId, now: Instant) -> Queueable {
    Queueable::Erase(EraseOrder { order, tablet, not_before: now, expires_at: now })
}

fn main() {}
