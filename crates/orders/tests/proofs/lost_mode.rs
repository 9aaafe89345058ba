//! Lost mode rests on an open incident (M1).

use incidents::OpenIncident;
use orders::Queueable;

pub fn lost_mode(incident: OpenIncident) -> Queueable {
    Queueable::LostMode(incident)
}

fn main() {}
