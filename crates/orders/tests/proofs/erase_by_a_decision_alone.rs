//! That head and département decided on a theft is not yet an order, and the order not yet the proof that it stands (M3).

use lending::last_decision::LastDecision;
use orders::Queueable;

pub fn erase(decided: LastDecision) -> Queueable {
    Queueable::Erase(decided)
}

fn main() {}
