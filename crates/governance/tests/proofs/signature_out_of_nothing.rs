//! A signature is not made by writing one down (C3.1.7).

use governance::countersignature::{Countersigned, Purpose, Subject};
use types::{AccountId, CountersignatureId, Digest, Instant};

pub fn sign(id: CountersignatureId, content: Digest, me: AccountId, now: Instant) -> Countersigned {
    let (purpose, subject) = (Purpose::OpenCampaign, Subject::Campaign);
    Countersigned { id, purpose, subject, content, asked_by: me, answered_by: me, answered_at: now }
}

fn main() {}
