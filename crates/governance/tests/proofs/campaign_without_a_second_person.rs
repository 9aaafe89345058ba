//! The id of a countersignature is not a signature (M5).

use governance::brake::{Campaign, CampaignPlan, NotOpened};
use governance::{Access, Standing};
use types::{CampaignId, CountersignatureId, Instant};

pub fn open(
    id: CampaignId,
    plan: CampaignPlan,
    proof: CountersignatureId,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<Campaign, NotOpened> {
    Campaign::open(id, plan, proof, by, access, now)
}

fn main() {}
