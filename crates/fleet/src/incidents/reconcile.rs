//! What we want of lost mode, and what each tablet says of it, brought together again and again (T-C17): what a switch, a
//! restore or a refusal kept from happening happens once it can, and nothing is left on that nothing wants any more.

use incidents::lost_mode::{LostModeAct, LostModeState, LostModeWish, next_act, possible};
use store::commands::CommandState;
use store::enrolments::{self, Enrolment};
use store::{Tx, brake, commands, destructions, incident_declarations, lost_modes};
use types::{DestructionKind, Duration, Instant, TabletId};

use super::{confirm, lost_mode};
use crate::{Fleet, Principal, Refusal, watch};

/// How many tablets one look takes.
const BATCH: u32 = 200;
/// A tablet that refused to leave lost mode is told again after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);

/// Has every tablet told what it should have been told about lost mode. The calendar's work; says how many were.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn reconcile(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let (mut after, mut told): (Option<TabletId>, usize) = (None, 0);
    loop {
        let found = fleet.store().read(move |tx| lost_modes::to_look_at(tx, after, BATCH)).await?;
        let Some(last) = found.last().copied() else { return Ok(told) };
        for tablet in found {
            let principal = principal.clone();
            match fleet.store().write(move |tx| one(tx, &principal, tablet, now)).await {
                Ok(done) => told += usize::from(done),
                Err(failure) => watch::pass_over(fleet, tablet.to_string(), failure, now).await?,
            }
        }
        after = Some(last);
    }
}

fn one(tx: &mut Tx<'_>, principal: &Principal, tablet: TabletId, now: Instant) -> Result<bool, Refusal> {
    let Some(mode) = lost_modes::get(tx, &tablet)? else { return Ok(false) };
    let Some(incident) = incident_declarations::load(tx, mode.incident_id)? else { return Ok(false) };
    let Some(enrolment) = enrolments::live_of_tablet(tx, tablet)? else { return Ok(false) };
    if !may_be_told_now(tx, &enrolment, tablet, now)? {
        return Ok(false);
    }
    let carries = lost_mode::carries(tx, &incident)?;
    // Nothing is on its way: what was asked and not answered was called off, or voided by a restore.
    let state = match mode.state {
        LostModeState::Asked | LostModeState::Ending if carries => LostModeState::Off,
        LostModeState::Ending => LostModeState::On,
        state => state,
    };
    let wish = if carries { LostModeWish::On } else { LostModeWish::Off };
    match next_act(wish, state) {
        None => Ok(false),
        Some(LostModeAct::Disable) => {
            lost_mode::disable(tx, &enrolment, tablet, &principal.actor(), now)?;
            Ok(true)
        }
        Some(LostModeAct::Enable) => {
            let goes = brake::switch(tx)? == brake::Switch::Released
                && destructions::is_let_go(tx, DestructionKind::LostMode, &incident.id.to_string())?
                && confirm::stands(tx, &incident)?
                && possible(enrolment.platform, enrolment.supervision).is_ok();
            if goes {
                lost_mode::enable(tx, &incident, &enrolment, &principal.actor(), now)?;
            }
            Ok(goes)
        }
    }
}

/// Whether nothing about lost mode waits for the tablet, and it refused nothing a moment ago.
fn may_be_told_now(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    tablet: TabletId,
    now: Instant,
) -> Result<bool, Refusal> {
    let last = commands::last_under_key(tx, (tablet, enrolment.id), lost_mode::KEY)?;
    Ok(last.is_none_or(|last| {
        let refused = last.state == CommandState::Failed;
        let lately = last.answered_at.is_some_and(|at| at.plus(AGAIN_AFTER) > now);
        !(last.state.is_pending() || refused && lately)
    }))
}
