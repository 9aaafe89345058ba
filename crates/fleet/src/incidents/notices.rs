//! Whom a warrant must be told to: the holder, or the guardians of a minor, when it opens and when it is over (M1, C7.1).
//! What is due is written here; the messenger sends it.

use governance::Permission;
use incidents::papers::AuthorityReference;
use incidents::{AuthorityDelay, Incident, NoticeOccasion, notice_due};
use serde_json::json;
use store::restitutions::StageName;
use store::warrant_notices::{self, WarrantNotice};
use store::{Tx, loans, notice_delays, restitutions};
use types::{Day, IncidentId, Instant, WarrantId};

use super::show::names;
use super::{reached, telling};
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// Writes that a warrant opened, or is over: once. Whoever had the tablet then is told.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    incident: &Incident,
    warrant: WarrantId,
    occasion: NoticeOccasion,
    now: Instant,
) -> Result<(), Refusal> {
    let due = match notice_delays::last(tx, incident.id)? {
        Some(delay) => delay.due(occasion, now),
        None => notice_due(occasion, now, None),
    };
    let loan = match loans::live_of_tablet(tx, incident.tablet)? {
        Some(loan) => Some(loan),
        // Whoever had it last, over or not, and nobody who had given it back before it was gone.
        None => match loans::last_of_tablet(tx, incident.tablet)? {
            Some(loan) => {
                let receipt = restitutions::of_loan(tx, loan.id)?;
                let had_given_it_back = receipt.is_some_and(|receipt| {
                    receipt.stage != StageName::Undone && receipt.received_at <= incident.declared_at
                });
                (!had_given_it_back).then_some(loan)
            }
            None => None,
        },
    };
    warrant_notices::write(tx, warrant, loan.map(|loan| loan.id), due, now)?;
    Ok(())
}

/// A notice of a warrant, and the name of whoever told it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The notice.
    pub notice: WarrantNotice,
    /// Who told it by hand, by name.
    pub told_by: Option<String>,
}

/// The notices of an incident's warrants.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    incident: IncidentId,
    now: Instant,
) -> Result<Vec<Line>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            reached(tx, &principal, Permission::ViewIncidents, incident, now)?;
            let notices = warrant_notices::of_incident(tx, incident)?;
            let names = names(tx, notices.iter().filter_map(|notice| notice.told_by))?;
            let line = |notice: WarrantNotice| {
                let told_by = notice.told_by.and_then(|account| names.get(&account).cloned());
                Line { notice, told_by }
            };
            Ok(notices.into_iter().map(line).collect())
        })
        .await
}

/// Records that an authority asked that nobody be told until a day. What was not told yet waits until then.
///
/// # Errors
/// [`Refusal::Forbidden`] for any incident but an authority's request, and a day that is past or too far off.
pub async fn delay(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    until: Day,
    reference: &str,
    now: Instant,
) -> Result<usize, Refusal> {
    let reference = AuthorityReference::new(reference).ok_or_else(|| {
        let most = AuthorityReference::LONGEST;
        Refusal::invalid("reference", format!("must have 1 to {most} characters on one line"))
    })?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            let delay = AuthorityDelay::new(incident.kind, until, reference.clone(), now)?;
            let by = principal.person(tx, now)?.standing.account();
            // Held in the order of their keys, so that no mail of them is handed to the server meanwhile.
            let mut warrants: Vec<WarrantId> =
                store::warrants::of_incident(tx, id)?.into_iter().map(|warrant| warrant.id).collect();
            warrants.sort_unstable();
            for warrant in warrants {
                for occasion in [NoticeOccasion::Opened, NoticeOccasion::Over] {
                    warrant_notices::hold(tx, warrant, occasion)?;
                }
            }
            notice_delays::record(tx, id, &delay, by, now)?;
            let waiting = warrant_notices::put_off(tx, id, until.starts_at())?;
            telling::settle(tx, incident.tablet, now)?;
            let detail = json!({ "incident": id, "until": until.to_string(), "notices": waiting });
            let change = Change::new("incident.delay-notices")
                .tablet(Some(incident.tablet))
                .reason(Some(reference.as_str().to_owned()))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(waiting)
        })
        .await
}
