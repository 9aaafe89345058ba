//! The steps of an incident, and what each brings with it, in one transaction (C5.4.*, M1).

use governance::Permission;
use incidents::life::{self, Consequence, Step};
use incidents::papers::PaperKind;
use incidents::{Incident, IncidentState, NoticeOccasion};
use privacy::Activity;
use serde_json::json;
use store::incident_papers::{self, Paper};
use store::noticed_corrections::{self, NoticedCorrection};
use store::warrants::OrderState;
use store::{Tx, incident_declarations, incident_hands, notice_delays};
use types::{IncidentId, Instant};

use super::declare::again;
use super::{LONGEST_REASON, lost_mode, notices, reached, text, theft, warrants};
use crate::audit::{self, Change};
use crate::lending::counterparts;
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, register};

/// Takes a step, with what follows from it.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Forbidden`] for a step that does not follow.
pub async fn step(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    step: Step,
    now: Instant,
) -> Result<Incident, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            let next = life::step(&incident, step)?;
            // What a closed incident carried is closed first: from then on nothing can rest on it.
            let closes = !next.state.is_open();
            if closes && !store::incidents::close(tx, id, now)? {
                return Err(Worded::contradicts(
                    format!("incident {id} was closed meanwhile"),
                    format!("le sinistre {id} a été clos entre-temps"),
                )
                .into());
            }
            if !incident_declarations::go_on(tx, id, incident.state, next.state, now)? {
                return Err(Worded::contradicts(
                    format!("incident {id} went on meanwhile: look at it again"),
                    format!("le sinistre {id} a avancé entre-temps : regardez-le de nouveau"),
                )
                .into());
            }
            for consequence in next.consequences {
                carry_out(tx, &principal, &incident, *consequence, now)?;
            }
            // What was searched and never found goes on with nobody; everything else is there again.
            let there = incident.state != IncidentState::NotFound;
            let goes_on =
                if closes && there { counterparts::goes_on(tx, incident.tablet, now)? } else { None };
            let detail = json!({
                "incident": id, "step": step.name(), "state": next.state.as_str(), "loan_goes_on": goes_on,
            });
            let change = Change::new("incident.step").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, id)
        })
        .await
}

fn carry_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    incident: &Incident,
    consequence: Consequence,
    now: Instant,
) -> Result<(), Refusal> {
    match consequence {
        // What waits under a warrant is called off as it ends, and its end is told.
        Consequence::EndWarrants | Consequence::CancelRequests => {
            for warrant in store::warrants::of_incident(tx, incident.id)? {
                if warrant.state == OrderState::Open {
                    warrants::end_with(tx, incident, warrant.id, "the tablet is no longer looked for", now)?;
                }
            }
        }
        Consequence::TurnLostModeOff => lost_mode::turn_off(tx, principal, incident.tablet, now)?,
        // The step's own entry says it, and the order's says that it ended.
        Consequence::CallOffErasure => {
            theft::call_off(
                tx,
                incident,
                "the tablet was found, or its incident closed",
                principal.actor(),
                now,
            )?;
        }
        // Its clock is the closing itself; the calendar counts from there.
        Consequence::StartTheClockOfItsKey => {}
        // Those that a restore ended were told by nobody.
        Consequence::TellWhatWasDone => {
            for warrant in store::warrants::of_incident(tx, incident.id)? {
                notices::tell(tx, incident, warrant.id, NoticeOccasion::Over, now)?;
            }
        }
    }
    Ok(())
}

/// Goes on from an incident that was closed too soon, in a new one that keeps its papers, its clocks and the authority's day.
/// What rested on the closed one does not rest on this one.
///
/// # Errors
/// [`Refusal::NotValidated`]; [`Refusal::Forbidden`] while it is open, without a reason, or once the tablet was
/// received, lent anew or moved; [`Refusal::Conflict`] if another goes on from it, or the
/// tablet is missing again.
pub async fn reopen(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    reason: &str,
    now: Instant,
) -> Result<Incident, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let closed = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            register::may_process(tx, Activity::Incidents, now)??;
            let since = incident_hands::since(tx, &closed)?;
            let new = closed.reopen(IncidentId::new(now), &reason, since, now)?;
            if let Some(other) = incident_declarations::goes_on_in(tx, id)? {
                let other = other.id;
                return Err(Worded::contradicts(
                    format!("it goes on in incident {other} already"),
                    format!("il continue déjà dans le sinistre {other}"),
                )
                .then(format!("`ardoise incident show {other}`"), format!("`ardoise incident show {other}`"))
                .into());
            }
            if closed.kind.is_of_a_missing_tablet()
                && let Some(open) = incident_declarations::missing(tx, closed.tablet)?
            {
                return Err(Worded::contradicts(
                    format!("the tablet is missing again: incident {open} is open; go on with that one"),
                    format!("la tablette a de nouveau disparu : le sinistre {open} est ouvert ; poursuivez celui-là"),
                )
                .then(format!("`ardoise incident show {open}`"), format!("`ardoise incident show {open}`"))
                .into());
            }
            let circumstances = incident_declarations::circumstances(tx, id)?;
            // It was noticed when the declaration says, and what puts that right goes on with it.
            let declared = incident_declarations::get(tx, &id)?;
            let noticed_at = declared.map_or(closed.noticed_at, |declared| declared.noticed_at);
            let as_declared = Incident { noticed_at, ..new.clone() };
            incident_declarations::record(tx, &as_declared, circumstances.as_ref())?;
            for row in noticed_corrections::of(tx, id)? {
                noticed_corrections::insert(tx, &NoticedCorrection { incident_id: new.id, ..row })?;
            }
            for paper in incident_papers::that_count(tx, id)? {
                incident_papers::insert(tx, &Paper { incident_id: new.id, ..paper })?;
            }
            // Nobody is told before the authority's day, whichever of the two a warrant is of (M1).
            notice_delays::go_on(tx, id, new.id)?;
            let kept: Vec<&str> = [
                new.papers.letter.as_ref().map(|_there| PaperKind::Letter.as_str()),
                new.papers.complaint.as_ref().map(|_there| PaperKind::Complaint.as_str()),
            ]
            .into_iter()
            .flatten()
            .collect();
            let detail = json!({ "incident": new.id, "reopens": id, "papers": kept });
            let change = Change::new("incident.reopen")
                .tablet(Some(new.tablet))
                .reason(Some(reason.clone()))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, new.id)
        })
        .await
}
