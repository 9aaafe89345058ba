//! What the brake holds: let go under the signature of a second person, or given up (M5).

use governance::brake::{HeldAct, held_question, release};
use governance::countersignature::{CountersignatureState, Purpose};
use governance::{Permission, Place};
use serde_json::json;
use store::destructions::{self, Destruction, DestructionState};
use store::{Tx, brake, countersignatures as signatures};
use types::{CountersignatureId, DestructionId, DestructionKind, Instant};

use crate::audit::{self, Change};
use crate::countersignatures::{self, Use};
use crate::incidents::{lost_mode, theft};
use crate::lending::orders;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal, unenrolment};

/// The acts of one day or all, the newest first, in one state if one is named: one's own, or those one may see.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    state: Option<DestructionState>,
    page: Page<DestructionId>,
    now: Instant,
) -> Result<Listed<Destruction>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewBrake, now)?;
            let rows = destructions::list(tx, &within, state, None, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |act| act.id.to_string()))
        })
        .await
}

/// Lets go exactly what a second person signed for: all of it, or nothing. Whoever asked does it. Says how many acts go.
///
/// # Errors
/// [`Refusal::NotReleased`], [`Refusal::NotCountersigned`] say why not; [`Refusal::Stopped`] while the switch is thrown.
pub async fn let_go(
    fleet: &Fleet,
    principal: &Principal,
    id: CountersignatureId,
    now: Instant,
) -> Result<usize, Refusal> {
    let (principal, terms) = (principal.clone(), fleet.settings().erasures);
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let rows = destructions::of_countersignature(tx, id)?;
            // Whoever may do what is held lets it go.
            let all = |kind| !rows.is_empty() && rows.iter().all(|row| row.kind == kind);
            let permission = match (all(DestructionKind::LostMode), all(DestructionKind::Erase)) {
                (true, _) => Permission::LostMode,
                (_, true) => Permission::OrderErasure,
                (false, false) => Permission::Unenrol,
            };
            let reach = person.standing.may(permission, &person.access, now)?;
            let mine = |row: &Destruction| {
                row.account_id == Some(person.standing.account())
                    && reach.covers(&Place::College(row.uai.clone()))
            };
            if rows.is_empty() || !rows.iter().all(mine) {
                return Err(Refusal::not_found("held request", id));
            }
            let acts: Vec<HeldAct> = rows.iter().filter_map(act).collect();
            let (subject, content) = held_question(&acts).map_err(|error| Refusal::invalid("id", error))?;
            let used = Use {
                purpose: Purpose::ExceedBudget,
                subject: &subject,
                content: &content,
                used_for: &format!("{} acts", acts.len()),
            };
            let proof = countersignatures::proof(tx, id, &used, now)?;
            let released = release(&acts, proof, &brake::switch(tx)?)?;
            destructions::release(tx, released.countersignature())?;
            for row in &rows {
                match row.kind {
                    DestructionKind::Unenrol => {
                        unenrolment::carry_out(tx, &principal, &row.reference, now)?;
                    }
                    DestructionKind::LostMode => lost_mode::carry_out(tx, &principal, &row.reference, now)?,
                    DestructionKind::Erase => {
                        if let Some(tablet) = row.tablet_id {
                            let act = (tablet, row.reference.as_str());
                            if !theft::carry_out(tx, &principal, &terms, act, now)? {
                                orders::carry_out(tx, &principal, &terms, act, now)?;
                            }
                        }
                    }
                }
            }
            let detail = json!({ "countersignature": id, "acts": acts.len() });
            audit::record(tx, &principal, Change::new("brake.let-go").detail(detail), now)?;
            Ok(acts.len())
        })
        .await
}

/// Gives up what waits for an answer that was no, was withdrawn, or never came: none of it will go. Says how many acts.
pub(crate) fn give_up(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<usize, Refusal> {
    let rows = destructions::of_countersignature(tx, id)?;
    let waiting = rows.iter().filter(|row| row.state == DestructionState::Held);
    for row in waiting.filter(|row| row.kind == DestructionKind::Unenrol) {
        unenrolment::call_off(tx, &row.reference)?;
    }
    Ok(destructions::give_up(tx, id)?)
}

/// Ends what time ends: requests that nobody answered, campaigns that are past, and what waited for an answer that never
/// came. The calendar's work; says how many acts were given up.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn lapse(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write(move |tx| {
            signatures::expire(tx, now)?;
            store::campaigns::end_past(tx, now)?;
            let mut given_up = 0;
            for id in destructions::waiting_for(tx)? {
                let over = signatures::get(tx, &id)?.is_none_or(|row| {
                    match row.state {
                        CountersignatureState::Waiting => row.expires_at <= now,
                        // Signed, and not used while the signature was good: it is asked again.
                        CountersignatureState::Given => {
                            row.used_at.is_none()
                                && row
                                    .answered_at
                                    .is_some_and(|at| at.plus(Purpose::ExceedBudget.good_for()) <= now)
                        }
                        _ => true,
                    }
                });
                if over {
                    given_up += give_up(tx, id)?;
                }
            }
            Ok(given_up)
        })
        .await
}

fn act(row: &Destruction) -> Option<HeldAct> {
    Some(HeldAct {
        id: row.id,
        kind: row.kind,
        account: row.account_id?,
        college: row.uai.clone(),
        tablet: row.tablet_id?,
        reference: row.reference.clone(),
        state: row.state,
    })
}
