//! The id of an incident does not say that it is open (M1).

use orders::Queueable;
use types::IncidentId;

pub fn lost_mode(incident: IncidentId) -> Queueable {
    Queueable::LostMode(incident)
}

fn main() {}
