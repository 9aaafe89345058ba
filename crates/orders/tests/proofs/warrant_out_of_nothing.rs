//! A warrant is not made by writing one down (M1).

use incidents::Warrant;
use orders::Queueable;
use types::{IncidentId, Instant, TabletId, WarrantId};

pub fn locate(warrant: WarrantId, incident: IncidentId, tablet: TabletId, now: Instant) -> Queueable {
    Queueable::Locate(Warrant { warrant, incident, tablet, opens_at: now, expires_at: now })
}

fn main() {}
