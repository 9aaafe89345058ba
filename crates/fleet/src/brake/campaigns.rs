//! Campaigns: restitutions above the budgets, opened by two persons of the département (M5).

use governance::Permission;
use governance::brake::{Campaign, CampaignPlan};
use governance::countersignature::{Purpose, Question, SecondPerson};
use serde_json::json;
use store::campaigns;
use types::{CampaignId, CountersignatureId, Instant};

use crate::audit::{self, Change};
use crate::countersignatures::{self, Use};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// A campaign, and how much of its ceiling was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The campaign.
    pub campaign: Campaign,
    /// How many restitutions passed under it.
    pub used: u64,
}

/// Asks a second person whether this campaign may be opened.
///
/// # Errors
/// [`Refusal::NotOpened`] for a plan that makes no sense; [`Refusal::NotAsked`].
pub async fn ask(
    fleet: &Fleet,
    principal: &Principal,
    plan: CampaignPlan,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::OpenCampaign, &person.access, now)?;
            plan.check(now)?;
            let (subject, content) = plan.question();
            let question = Question {
                purpose: Purpose::OpenCampaign,
                subject,
                content,
                second: SecondPerson::Departement,
                reason: plan.reason.clone(),
            };
            countersignatures::ask(tx, &person, question, now)
        })
        .await
}

/// Opens the campaign that a second person signed: exactly that one.
///
/// # Errors
/// [`Refusal::NotOpened`], [`Refusal::NotCountersigned`].
pub async fn open(
    fleet: &Fleet,
    principal: &Principal,
    plan: CampaignPlan,
    signed: CountersignatureId,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let id = CampaignId::new(now);
            let (subject, content) = plan.question();
            let used = Use {
                purpose: Purpose::OpenCampaign,
                subject: &subject,
                content: &content,
                used_for: &id.to_string(),
            };
            let proof = countersignatures::proof(tx, signed, &used, now)?;
            let campaign = Campaign::open(id, plan.clone(), proof, &person.standing, &person.access, now)?;
            campaigns::open(tx, &campaign)?;
            let detail = json!({ "campaign": id, "countersignature": signed });
            audit::record(tx, &principal, Change::new("campaign.open").detail(detail), now)?;
            Ok(Shown { campaign, used: 0 })
        })
        .await
}

/// Ends a campaign, at once and for good. Ending one that is over changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn end(fleet: &Fleet, principal: &Principal, id: CampaignId, now: Instant) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may(tx, Permission::OpenCampaign, now)?;
            campaigns::get(tx, &id)?.ok_or_else(|| Refusal::not_found("campaign", id))?;
            if campaigns::end(tx, id, now)? {
                let detail = json!({ "campaign": id });
                audit::record(tx, &principal, Change::new("campaign.end").detail(detail), now)?;
            }
            Ok(())
        })
        .await
}

/// Every campaign, the newest first.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<CampaignId>,
    now: Instant,
) -> Result<Listed<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may_everywhere(tx, Permission::ViewBrake, now)?;
            let rows = campaigns::list(tx, page.after, page.with_one_more())?;
            let listed = page.cut(rows, |campaign| campaign.id.to_string());
            let mut items = Vec::with_capacity(listed.items.len());
            for row in listed.items {
                let used = campaigns::used(tx, row.id)?;
                items.extend(campaigns::proven(tx, row.id)?.map(|campaign| Shown { campaign, used }));
            }
            Ok(Listed { items, next: listed.next })
        })
        .await
}
