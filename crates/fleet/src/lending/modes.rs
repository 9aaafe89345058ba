//! Where each lent tablet stands (C5.2.1, C5.2.2, C5.2.5, C5.4.4), made anew when something changes and once a day, so that its
//! configuration follows: the layer of that mode is part of its segment.

use ::lending::calendar::due_back;
use ::lending::mode::{AtHome, Restriction, Standing, mode};
use governance::HomeUse;
use store::loans::{self, Loan};
use store::restitutions::{self, StageName};
use store::tablet_modes::{self, TabletMode};
use store::{
    Tx, enrolments, incident_hands, last_decisions, organisations, persons, replacements, restrictions,
    segments,
};
use types::{Day, Instant, LoanMode, TabletId};

use super::agreements;
use crate::{Fleet, Principal, Refusal, watch};

/// How many tablets share a transaction.
const BATCH: u32 = 100;
/// How many are looked at in one round, so that a morning is not one long transaction after the other.
const ROUND: usize = 5_000;

/// Where a tablet stands now, written down; `true` if that has changed. Then it gets another segment.
pub(crate) fn refresh(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<bool, Refusal> {
    let before = tablet_modes::get(tx, &tablet)?;
    let current = match loans::last_of_tablet(tx, tablet)? {
        Some(loan) if !is_back(tx, &loan)? => Some((of_loan(tx, &loan, now)?, loan)),
        _ => None,
    };
    let Some((mode, loan)) = current else { return came_back(tx, tablet) };
    let same = before.as_ref().is_some_and(|before| before.loan_id == loan.id && before.mode == mode);
    let since = before.filter(|_| same).map_or(now, |before| before.since);
    let row = TabletMode {
        tablet_id: tablet,
        loan_id: loan.id,
        uai: loan.uai,
        holder_kind: loan.holder_kind,
        mode,
        since,
        looked_on: Some(Day::of(now)),
    };
    tablet_modes::put(tx, &row)?;
    if !same {
        moves(tx, tablet)?;
    }
    Ok(!same)
}

/// Nobody holds the tablet any more; `true` if somebody did. Then it gets another segment.
pub(super) fn came_back(tx: &mut Tx<'_>, tablet: TabletId) -> Result<bool, Refusal> {
    let gone = tablet_modes::remove(tx, tablet)?;
    if gone {
        moves(tx, tablet)?;
    }
    Ok(gone)
}

/// As [`came_back`], of many tablets: a handful of statements, however many they are.
pub(super) fn all_came_back(tx: &mut Tx<'_>, tablets: &[TabletId]) -> Result<(), Refusal> {
    let gone = tablet_modes::remove_all(tx, tablets.iter().copied())?;
    let live = enrolments::live_of_tablets(tx, gone)?;
    if !live.is_empty() {
        let ids: Vec<_> = live.into_iter().map(|enrolment| enrolment.id).collect();
        segments::assign(tx, &ids, None)?;
    }
    Ok(())
}

/// Whether the tablet of a loan was received: from then on nobody holds it.
pub(super) fn is_back(tx: &mut Tx<'_>, loan: &Loan) -> Result<bool, Refusal> {
    if loan.state != loans::Standing::Ended {
        return Ok(false);
    }
    Ok(restitutions::of_loan(tx, loan.id)?.is_some_and(|receipt| receipt.stage != StageName::Undone))
}

/// The next walk finds the tablet without a segment, and gives it the one of its mode.
fn moves(tx: &mut Tx<'_>, tablet: TabletId) -> Result<(), Refusal> {
    if let Some(enrolment) = enrolments::live_of_tablet(tx, tablet)? {
        segments::assign(tx, &[enrolment.id], None)?;
    }
    Ok(())
}

fn of_loan(tx: &mut Tx<'_>, loan: &Loan, now: Instant) -> Result<LoanMode, Refusal> {
    let today = Day::of(now);
    let missing = || Refusal::Internal(format!("loan {} is of nobody", loan.id));
    let person = persons::get(tx, &loan.person_id)?.ok_or_else(missing)?;
    let agreement = agreements::of(tx, &person, now)?;
    let home_use =
        organisations::by_uai(tx, &loan.uai)?.map_or(HomeUse::Undecided, |college| college.home_use);
    let measures: Vec<Restriction> = restrictions::of_loan(tx, loan.id)?
        .into_iter()
        .filter(|row| row.lifted_at.is_none())
        .map(|row| Restriction { from: row.from_day, until: row.until_day })
        .collect();
    let due = due_back(loan.decided()?.state(), person.leaves_on);
    let standing = Standing {
        at_home: match home_use {
            HomeUse::Undecided => AtHome::Undecided,
            HomeUse::Allowed => AtHome::Allowed,
            HomeUse::NotAllowed => AtHome::NotAllowed,
        },
        agreed: &agreement.agreed,
        kept_at_school: replacements::keeps_at_school(tx, loan)?,
        deposited: loan.state == loans::Standing::Deposited,
        lost: incident_hands::missing(tx, loan.tablet_id)?.is_some(),
        restrictions: &measures,
        // What is given to them is not to come back.
        overdue: due.is_some_and(|due| due < today) && !last_decisions::is_given(tx, loan.id)?,
    };
    Ok(mode(&standing, today))
}

/// Makes anew where tablets stand that were not looked at today, in bounded batches. Says how many changed.
///
/// # Errors
/// [`Refusal::Store`]; what was done before stays done.
pub async fn follow(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let (mut looked_at, mut changed, mut after) = (0, 0, None);
    while looked_at < ROUND {
        let due =
            fleet.store().read(move |tx| tablet_modes::to_look_at(tx, Day::of(now), after, BATCH)).await?;
        let some = due.len();
        after = due.last().copied();
        looked_at += some;
        changed += watch::each_of(fleet, due, move |tx, tablet| refresh(tx, tablet, now), now).await?;
        if u32::try_from(some).is_ok_and(|some| some < BATCH) {
            break;
        }
    }
    Ok(changed)
}
