//! The end of an enrolment (M4): decided by a person with a reason, recorded, counted by the brake, then told to the
//! tablet. Nothing else ever unenrols one.

use std::collections::HashSet;

use governance::Permission;
use governance::brake::What;
use lending::EnrolmentEnd as Proof;
use orders::Queueable;
use serde_json::json;
use store::commands::{self, Enqueue};
use store::enrolment_ends::{self, EnrolmentEnd};
use store::enrolments::{self, Enrolment, EnrolmentState};
use store::tablets::Tablet;
use store::{Tx, incident_declarations, warrants::OrderState};
use types::{CommandId, CountersignatureId, EnrolmentEndId, EnrolmentId, Instant, TabletId};

use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::coming_in::Person;
use crate::tablets::{self, Named};
use crate::{Fleet, Principal, Refusal, clean_slate, push};

/// The most tablets in one decision: what a second person can still be asked about.
const MOST: usize = 20_000;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// What the audit log calls it.
const DECIDED: &str = "tablet.unenrol";

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The tablets, in the order they were named.
    pub tablets: Vec<TabletId>,
    /// The answer of a second person that all of them wait for; `None`: they are being told.
    pub held: Option<CountersignatureId>,
}

/// Decides that tablets leave management: all of them, or none. Above the budgets of the day, all of them wait for a
/// second person of the département.
///
/// # Errors
/// [`Refusal::NotFound`] if one is out of reach (T-C1); [`Refusal::Conflict`] if one is not enrolled, or its end was
/// decided; [`Refusal::Stopped`] while the switch is thrown; [`Refusal::Invalid`] for no reason, or too many tablets.
pub async fn decide(
    fleet: &Fleet,
    principal: &Principal,
    named: Vec<Named>,
    reason: &str,
    now: Instant,
) -> Result<Decided, Refusal> {
    let reason = checked(&named, reason)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let reach = person.standing.may(Permission::Unenrol, &person.access, now)?;
            let (mut tablets, mut seen) = (Vec::new(), HashSet::new());
            for name in &named {
                let tablet = tablets::within(tx, name, &reach)?;
                if !seen.insert(tablet.id) {
                    return Err(Refusal::invalid(
                        "tablets",
                        format!("tablet {} is named twice", tablet.serial),
                    ));
                }
                tablets.push(tablet);
            }
            decide_within(tx, &principal, (&person, &tablets), &reason, now)
        })
        .await
}

/// Decides that tablets leave management, for whoever has asked whether that may be: within the transaction of a decision
/// that this is part of, with an entry of its own in the log.
pub(crate) fn decide_within(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (person, leaving): (&Person, &[Tablet]),
    reason: &str,
    now: Instant,
) -> Result<Decided, Refusal> {
    let (mut ends, mut deeds) = (Vec::new(), Vec::new());
    for tablet in leaving {
        let end = end(tx, tablet, principal, reason, now)?;
        deeds.push(Deed {
            what: What::Unenrolment,
            tablet: tablet.id,
            college: tablet.uai.clone(),
            reference: end.id.to_string(),
        });
        ends.push(end);
    }
    for end in &ends {
        enrolment_ends::insert(tx, end)?;
    }
    let judged = judge(tx, person, &deeds, reason, now)?;
    if judged == Judged::Go {
        for end in &ends {
            carry_out(tx, principal, &end.id.to_string(), now)?;
        }
    }
    let ids: Vec<TabletId> = deeds.iter().map(|deed| deed.tablet).collect();
    let held = match judged {
        Judged::Go => None,
        Judged::Held(asked) => Some(asked),
    };
    // One decision, one entry; each tablet has one of its own when it is told.
    let detail = json!({ "tablets": ids.len(), "held": held });
    let change = Change::new(DECIDED)
        .tablet(ids.first().copied().filter(|_only| ids.len() == 1))
        .reason(Some(reason.to_owned()))
        .detail(detail);
    audit::record(tx, principal, change, now)?;
    Ok(Decided { tablets: ids, held })
}

fn checked(named: &[Named], reason: &str) -> Result<String, Refusal> {
    if named.is_empty() || named.len() > MOST {
        return Err(Refusal::invalid("tablets", format!("must name 1 to {MOST} tablets")));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "reason",
            format!("must have 1 to {LONGEST_REASON} characters: say why"),
        ));
    }
    Ok(reason.to_owned())
}

/// The end of the tablet's enrolment, to be recorded.
fn end(
    tx: &mut Tx<'_>,
    tablet: &Tablet,
    principal: &Principal,
    reason: &str,
    now: Instant,
) -> Result<EnrolmentEnd, Refusal> {
    let enrolment = enrolments::live_of_tablet(tx, tablet.id)?.ok_or_else(|| {
        Refusal::Conflict(format!("tablet {} is not enrolled: there is nothing to end", tablet.serial))
    })?;
    // What left management is in no lost mode, and nobody finds it again.
    if let Some(incident) = incident_declarations::missing(tx, tablet.id)? {
        return Err(Refusal::Conflict(format!(
            "tablet {} is missing (incident {incident}): say that it was found, or close the incident, before it leaves \
             management",
            tablet.serial
        )));
    }
    if enrolment_ends::is_decided(tx, enrolment.id)? {
        return Err(Refusal::Conflict(format!(
            "the end of the enrolment of tablet {} was decided before; it is being told, or waits for a second person",
            tablet.serial
        )));
    }
    Ok(EnrolmentEnd {
        id: EnrolmentEndId::new(now),
        enrolment_id: enrolment.id,
        reason: reason.to_owned(),
        decided_at: now,
        decided_by: principal.actor().to_string(),
        state: OrderState::Open,
    })
}

/// Has a tablet told that it leaves, once the brake let that go: the removal of the profile that holds its enrolment.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    end: &str,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(row) = row_of(tx, end)? else { return Ok(()) };
    // It may have left by itself, or have enrolled again, while a second person thought about it.
    let live = enrolments::get(tx, &row.enrolment_id)?
        .filter(|one| matches!(one.state, EnrolmentState::Authenticated | EnrolmentState::Active));
    let Some(enrolment) = live else { return Ok(()) };
    let recorded = enrolment_ends::recorded(tx, enrolment.id)?
        .ok_or_else(|| Refusal::Internal(format!("the end {end} was let go and does not stand")))?;
    let proof = Proof::read_back(&recorded, enrolment.id, now)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    let how = Enqueue {
        id: CommandId::new(now),
        enrolment: enrolment.id,
        tablet: proof.tablet(),
        priority: 0,
        replaces_key: None,
        idempotency_key: Some(format!("end-{end}")),
        at: now,
        by: principal.actor().to_string(),
        not_before: None,
        expires_at: None,
    };
    commands::enqueue(tx, &Queueable::Unenrol(proof), how)?;
    push::want(tx, enrolment.id, now, now)?;
    Ok(())
}

/// Calls off an end whose command was cancelled before the tablet was given it: it may be decided again.
pub(crate) fn cancelled(tx: &mut Tx<'_>, end: EnrolmentEndId) -> Result<(), Refusal> {
    enrolment_ends::end(tx, end)?;
    Ok(())
}

/// Calls off an end that was never let go.
pub(crate) fn call_off(tx: &mut Tx<'_>, end: &str) -> Result<(), Refusal> {
    if let Some(row) = row_of(tx, end)? {
        enrolment_ends::end(tx, row.id)?;
    }
    Ok(())
}

fn row_of(tx: &mut Tx<'_>, end: &str) -> Result<Option<EnrolmentEnd>, Refusal> {
    match end.parse::<EnrolmentEndId>() {
        Ok(id) => Ok(enrolment_ends::get(tx, &id)?),
        Err(_another_reference) => Ok(None),
    }
}

/// The tablet has left as it was told: its enrolment is over by our decision. `false` if no decision stands that it
/// could have left by.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    now: Instant,
) -> Result<bool, store::StoreError> {
    let Some(end) = standing_end(tx, enrolment.id, now)? else { return Ok(false) };
    clean_slate::ended(tx, enrolment, end, now)?;
    Ok(true)
}

/// The tablet said that it cannot: its enrolment goes on, and its end may be decided again.
pub(crate) fn failed(tx: &mut Tx<'_>, enrolment: EnrolmentId, now: Instant) -> Result<(), store::StoreError> {
    if let Some(end) = standing_end(tx, enrolment, now)? {
        enrolment_ends::end(tx, end)?;
    }
    Ok(())
}

/// Whether a tablet of this enrolment may be told now that it leaves.
pub(crate) fn stands(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    now: Instant,
) -> Result<bool, store::StoreError> {
    let recorded = enrolment_ends::recorded(tx, enrolment)?;
    Ok(recorded.is_some_and(|recorded| Proof::read_back(&recorded, enrolment, now).is_ok()))
}

/// The recorded end by which a tablet of this enrolment left or could not, if there is one that was let go: the switch
/// may have been thrown since.
fn standing_end(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    now: Instant,
) -> Result<Option<EnrolmentEndId>, store::StoreError> {
    let recorded = enrolment_ends::let_go(tx, enrolment)?;
    Ok(recorded.and_then(|recorded| Proof::read_back(&recorded, enrolment, now).ok()).map(|end| end.end()))
}
