//! An open incident is enough for lost mode, not for a position (M1).

use incidents::OpenIncident;
use orders::Queueable;

pub fn locate(incident: OpenIncident) -> Queueable {
    Queueable::Locate(incident)
}

fn main() {}
