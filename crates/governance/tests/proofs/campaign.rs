//! A campaign is opened under the signature of a second person (M5).

use governance::brake::{Campaign, CampaignPlan, NotOpened};
use governance::countersignature::Countersigned;
use governance::{Access, Standing};
use types::{CampaignId, Instant};

pub fn open(
    id: CampaignId,
    plan: CampaignPlan,
    proof: Countersigned,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<Campaign, NotOpened> {
    Campaign::open(id, plan, proof, by, access, now)
}

fn main() {}
