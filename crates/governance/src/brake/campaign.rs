//! Campaigns: restitutions above the budgets, in some collèges, for some days, up to a ceiling (M5).

use std::collections::BTreeSet;

use serde_json::json;
use types::{AccountId, CampaignId, CountersignatureId, Day, Instant, Uai};

use super::{Act, What};
use crate::countersignature::{Content, Countersigned, Purpose, Subject};
use crate::{Access, BadRow, NotAllowed, Permission, Standing};

/// The most days that a campaign lasts: the end of a school year.
const LONGEST: i32 = 31;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// What somebody wants to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignPlan {
    /// The collèges.
    pub colleges: BTreeSet<Uai>,
    /// The first day.
    pub starts_on: Day,
    /// The last day.
    pub ends_on: Day,
    /// How many restitutions it lets pass, over all its days and collèges together.
    pub ceiling: u32,
    /// Why.
    pub reason: String,
}

/// Why no campaign is opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Whoever opens it may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// It names no collège.
    #[error("a campaign names its collèges (M5)")]
    NoCollege,
    /// Its days are in disorder, in the past, or too many.
    #[error(
        "a campaign begins today or later, ends no sooner than it begins, and lasts at most {LONGEST} days (M5)"
    )]
    Days,
    /// It does not say why.
    #[error("say why, in 1 to {LONGEST_REASON} characters: the second person decides by it (M5)")]
    NoReason,
    /// It lets nothing pass.
    #[error("a campaign has a ceiling of at least one restitution (M5)")]
    Ceiling,
    /// The signature is for another plan.
    #[error("the second person signed another plan (M5)")]
    SignedForAnother,
    /// Whoever comes with a signature did not ask for it.
    #[error("only whoever asked for a signature uses it (M5)")]
    NotTheAsker,
}

impl CampaignPlan {
    /// Passes a plan that makes sense, before a second person is troubled with it.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn check(&self, now: Instant) -> Result<(), NotOpened> {
        if self.colleges.is_empty() {
            return Err(NotOpened::NoCollege);
        }
        let days = self.starts_on.until(self.ends_on);
        if self.starts_on < Day::of(now) || !(0..LONGEST).contains(&days) {
            return Err(NotOpened::Days);
        }
        if self.ceiling == 0 {
            return Err(NotOpened::Ceiling);
        }
        let blank = self.reason.trim().is_empty() || self.reason.chars().any(char::is_control);
        if blank || self.reason.chars().count() > LONGEST_REASON {
            return Err(NotOpened::NoReason);
        }
        Ok(())
    }

    /// What the second person is asked about.
    #[must_use]
    pub fn question(&self) -> (Subject, Content) {
        let content = json!({
            "ceiling": self.ceiling,
            "colleges": self.colleges,
            "ends_on": self.ends_on,
            "reason": self.reason,
            "starts_on": self.starts_on,
        });
        (Subject::Campaign, Content::of_plain(&content))
    }
}

/// What a row says of a campaign, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns are named as the accessors of `Campaign`, which say what they hold"
)]
pub struct CampaignRow {
    pub id: CampaignId,
    pub colleges: BTreeSet<Uai>,
    pub starts_on: Day,
    pub ends_on: Day,
    pub ceiling: u32,
    pub reason: String,
    pub opened_by: AccountId,
    pub countersignature: CountersignatureId,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

/// A campaign that two persons opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    id: CampaignId,
    plan: CampaignPlan,
    opened_by: AccountId,
    countersignature: CountersignatureId,
    created_at: Instant,
    ended_at: Option<Instant>,
}

impl Campaign {
    /// Opens what a second person of the département signed.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open(
        id: CampaignId,
        plan: CampaignPlan,
        proof: Countersigned,
        by: &Standing,
        access: &Access,
        now: Instant,
    ) -> Result<Self, NotOpened> {
        by.may(Permission::OpenCampaign, access, now)?;
        plan.check(now)?;
        let (subject, content) = plan.question();
        if !proof.is_for(Purpose::OpenCampaign, &subject, &content) {
            return Err(NotOpened::SignedForAnother);
        }
        if proof.asked_by() != by.account() {
            return Err(NotOpened::NotTheAsker);
        }
        Ok(Self {
            id,
            plan,
            opened_by: by.account(),
            countersignature: proof.id(),
            created_at: now,
            ended_at: None,
        })
    }

    /// The campaign of one row, checked again against what was signed. Only `store` reads rows: `clippy.toml`
    /// bans this function elsewhere.
    ///
    /// # Errors
    /// [`BadRow`] when its countersignature, `signed`, was for another plan: then somebody raised the
    /// ceiling.
    pub fn from_row(row: CampaignRow, signed: &crate::countersignature::Asked) -> Result<Self, BadRow> {
        let bad = |why| BadRow::new("campaign", row.id, why);
        let plan = CampaignPlan {
            colleges: row.colleges,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            ceiling: row.ceiling,
            reason: row.reason,
        };
        let (subject, content) = plan.question();
        let question = signed.question();
        if signed.id() != row.countersignature
            || signed.asked_by() != row.opened_by
            || question.purpose != Purpose::OpenCampaign
            || question.subject != subject
            || question.content != content
        {
            return Err(bad("its second person signed another plan"));
        }
        if signed.answered_at().is_none_or(|at| row.created_at < at) || signed.used().is_none() {
            return Err(bad("its second person had not signed when it was opened"));
        }
        if !(0..LONGEST).contains(&plan.starts_on.until(plan.ends_on)) {
            return Err(bad("no campaign lasts that long"));
        }
        Ok(Self {
            id: row.id,
            plan,
            opened_by: row.opened_by,
            countersignature: row.countersignature,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }

    /// What is stored of it.
    #[must_use]
    pub fn to_row(&self) -> CampaignRow {
        CampaignRow {
            id: self.id,
            colleges: self.plan.colleges.clone(),
            starts_on: self.plan.starts_on,
            ends_on: self.plan.ends_on,
            ceiling: self.plan.ceiling,
            reason: self.plan.reason.clone(),
            opened_by: self.opened_by,
            countersignature: self.countersignature,
            created_at: self.created_at,
            ended_at: self.ended_at,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> CampaignId {
        self.id
    }

    /// What was opened.
    #[must_use]
    pub fn plan(&self) -> &CampaignPlan {
        &self.plan
    }

    /// Who opened it.
    #[must_use]
    pub fn opened_by(&self) -> AccountId {
        self.opened_by
    }

    /// Under which signature.
    #[must_use]
    pub fn countersignature(&self) -> CountersignatureId {
        self.countersignature
    }

    /// Whether it is open on the day of `now`. One that was ended never is again.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        let today = Day::of(now);
        self.ended_at.is_none()
            && self.created_at <= now
            && self.plan.starts_on <= today
            && today <= self.plan.ends_on
    }
}

/// A campaign, and how much of its ceiling was used on all days so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running<'a> {
    /// The campaign.
    pub campaign: &'a Campaign,
    /// How many restitutions passed under it.
    pub used: u32,
}

impl Running<'_> {
    /// Whether this act is one that the campaign lets pass now.
    #[must_use]
    pub fn lets_pass(&self, act: &Act, now: Instant) -> bool {
        let plan = self.campaign.plan();
        act.what == What::Restitution
            && act.college.as_ref().is_some_and(|uai| plan.colleges.contains(uai))
            && self.used < plan.ceiling
            && self.campaign.is_open(now)
    }
}
