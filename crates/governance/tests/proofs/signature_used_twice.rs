//! A signature serves once (M5).

use governance::brake::{Campaign, CampaignPlan, NotOpened};
use governance::countersignature::Countersigned;
use governance::{Access, Standing};
use types::{CampaignId, Instant};

pub fn open(
    [first, second]: [CampaignId; 2],
    plan: CampaignPlan,
    proof: Countersigned,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<Campaign, NotOpened> {
    Campaign::open(first, plan.clone(), proof, by, access, now)?;
    Campaign::open(second, plan, proof, by, access, now)
}

fn main() {}
