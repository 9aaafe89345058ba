//! A right to approve is confirmed under the signature of a second person (C3.1.7).

use governance::countersignature::Countersigned;
use governance::{Hands, NotConfirmed, RoleGrant};
use types::Instant;

pub fn confirm(
    grant: &RoleGrant,
    proof: Countersigned,
    hands: &Hands,
    now: Instant,
) -> Result<RoleGrant, NotConfirmed> {
    grant.confirm(proof, hands, now)
}

fn main() {}
