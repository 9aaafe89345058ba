//! Whoever confirms a right to approve signs; their id is not enough (C3.1.7).

use governance::{Hands, NotConfirmed, RoleGrant};
use types::{AccountId, Instant};

pub fn confirm(
    grant: &RoleGrant,
    proof: AccountId,
    hands: &Hands,
    now: Instant,
) -> Result<RoleGrant, NotConfirmed> {
    grant.confirm(proof, hands, now)
}

fn main() {}
