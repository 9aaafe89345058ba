//! A request for a position rests on a warrant (M1).

use incidents::Warrant;
use orders::Queueable;

pub fn locate(warrant: Warrant) -> Queueable {
    Queueable::Locate(warrant)
}

fn main() {}
