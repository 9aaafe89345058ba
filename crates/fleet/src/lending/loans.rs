//! What becomes of a loan: confiscation, restriction, the summer's deposit, and its ends (C5.2.2 to C5.2.5, C5.3.6). None
//! of it erases anything.

use std::collections::{BTreeSet, HashMap};

use ::lending::loan::{Ending, LetterWriter, Loan as Decided, Suspension};
use ::lending::{Reason, Reference, Refused};
use governance::{Permission, Place};
use serde_json::json;
use store::loans::{self as rows, Filter, Loan};
use store::persons::{self, Person};
use store::restrictions::{self, Restriction};
use store::tablet_modes::{self, TabletMode};
use store::{Tx, repairs, school_years, tablets};
use types::{AccountId, Day, Instant, LoanId, PersonId, RestrictionId, SerialNumber, TabletId};

use super::handover::lending_is_on;
use super::{decided_year, modes, people, refusals};
use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// A loan, with what people need to know it by.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The loan.
    pub loan: Loan,
    /// Its tablet's serial number.
    pub serial: SerialNumber,
    /// The département's label of it.
    pub asset_tag: Option<String>,
    /// Who holds it, with what tells them from others of that name.
    pub holder: Person,
    /// Where it may be used, while it is out.
    pub mode: Option<TabletMode>,
    /// Measures.
    pub restrictions: Vec<Restriction>,
    /// The last day of those that hold today, if one does.
    pub restricted_until: Option<Day>,
}

/// Which loans a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Those that are over, too.
    pub over: bool,
    /// Those under reserve only (C5.3.4).
    pub under_reserve: bool,
    /// Those of one person.
    pub person: Option<PersonId>,
}

/// What somebody decides about a loan.
#[derive(Debug, Clone)]
pub enum Act {
    /// The head has the tablet confiscated (C5.3.6).
    Confiscate {
        /// Why.
        reason: Reason,
    },
    /// The holder gets it back.
    Resume,
    /// It is handed in for the summer (C5.2.2).
    Deposit,
    /// The same pupil gets it again (C5.2.2).
    HandOut,
    /// Its use is restricted from today until a day (C5.2.5).
    Restrict {
        /// The last day.
        until: Day,
    },
    /// A restriction is lifted before its end.
    Lift,
    /// The département ends it (C5.2.4).
    End {
        /// Why.
        reason: Reason,
    },
    /// The département ends it for a breach of the conditions (C5.2.5).
    EndForBreach,
    /// The user or the guardians end it by registered letter to the head (C5.2.4).
    Letter {
        /// Who wrote.
        from: LetterWriter,
        /// The date of the letter.
        dated: Day,
        /// Its reference.
        reference: Reference,
    },
}

impl Act {
    const fn permission(&self) -> Permission {
        match self {
            Self::Confiscate { .. }
            | Self::Resume
            | Self::Restrict { .. }
            | Self::Lift
            | Self::Letter { .. } => Permission::DecideLoan,
            Self::Deposit | Self::HandOut => Permission::HandOver,
            Self::End { .. } | Self::EndForBreach => Permission::EndLoan,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Confiscate { .. } => "loan.confiscate",
            Self::Resume => "loan.resume",
            Self::Deposit => "loan.deposit",
            Self::HandOut => "loan.hand-out",
            Self::Restrict { .. } => "loan.restrict",
            Self::Lift => "loan.lift-restrictions",
            Self::End { .. } | Self::EndForBreach | Self::Letter { .. } => "loan.end",
        }
    }
}

/// Loans of collèges within reach, in the order they began.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NotValidated`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    wanted: Wanted,
    page: Page<LoanId>,
    now: Instant,
) -> Result<Listed<Shown>, Refusal> {
    let reads = principal.clone();
    let listed = fleet
        .store()
        .read(move |tx| {
            let within = reads.may_list(tx, Permission::ViewLoans, now)?;
            lending_is_on(tx, now)?;
            let Wanted { over, under_reserve, person } = wanted;
            let filter = Filter { over, under_reserve, person };
            let found = rows::list(tx, &within, filter, page.after, page.with_one_more())?;
            let listed = page.cut(found, |loan| loan.id.to_string());
            Ok::<_, Refusal>(Listed { items: all_shown(tx, listed.items, now)?, next: listed.next })
        })
        .await?;
    people::were_read(fleet, principal, (None, "loans"), listed.items.len(), now).await?;
    Ok(listed)
}

/// One loan.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::NotValidated`].
pub async fn show(fleet: &Fleet, principal: &Principal, id: LoanId, now: Instant) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let (loan, _who) = reached(tx, &principal, Permission::ViewLoans, id, now)?;
            shown(tx, loan, now)
        })
        .await
}

/// A loan with what people know it by.
pub(super) fn shown(tx: &mut Tx<'_>, loan: Loan, now: Instant) -> Result<Shown, Refusal> {
    let id = loan.id;
    all_shown(tx, vec![loan], now)?.pop().ok_or_else(|| Refusal::Internal(format!("loan {id} is not shown")))
}

/// As [`shown`], many loans: a handful of statements, however many they are.
pub(super) fn all_shown(tx: &mut Tx<'_>, loans: Vec<Loan>, now: Instant) -> Result<Vec<Shown>, Refusal> {
    let on = || loans.iter().map(|loan| loan.tablet_id);
    let tablets = crate::tablets::all(tx, on())?;
    let holders = persons::get_all(tx, loans.iter().map(|loan| loan.person_id).collect::<BTreeSet<_>>())?;
    let holders: HashMap<PersonId, Person> = holders.into_iter().map(|holder| (holder.id, holder)).collect();
    let modes = tablet_modes::get_all(tx, on())?;
    let modes: HashMap<LoanId, TabletMode> = modes.into_iter().map(|mode| (mode.loan_id, mode)).collect();
    let mut measures: HashMap<LoanId, Vec<Restriction>> = HashMap::new();
    for measure in restrictions::of_loans(tx, loans.iter().map(|loan| loan.id))? {
        measures.entry(measure.loan_id).or_default().push(measure);
    }
    let today = Day::of(now);
    let shown = |loan: Loan| {
        let tablet = crate::tablets::of(&tablets, loan.tablet_id)?;
        let nobody = || Refusal::Internal(format!("loan {} is of nobody", loan.id));
        let holder = holders.get(&loan.person_id).cloned().ok_or_else(nobody)?;
        let restrictions = measures.get(&loan.id).cloned().unwrap_or_default();
        let holds = restrictions.iter().filter(|row| holds_on(row, today));
        Ok(Shown {
            restricted_until: holds.map(|row| row.until_day).max(),
            serial: tablet.serial.clone(),
            asset_tag: tablet.asset_tag.clone(),
            holder,
            mode: modes.get(&loan.id).cloned(),
            restrictions,
            loan,
        })
    };
    loans.into_iter().map(shown).collect()
}

/// Does it, if the loan stands so that it can be done.
///
/// # Errors
/// [`Refusal::Forbidden`] says where the loan stands, and which rule; [`Refusal::NotFound`].
pub async fn act(
    fleet: &Fleet,
    principal: &Principal,
    id: LoanId,
    act: Act,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let loan = reached(tx, &principal, act.permission(), id, now)?;
            let loan = carried_out(tx, &principal, loan, &act, now)?;
            shown(tx, loan, now)
        })
        .await
}

/// Does it, with one entry of the log, for whoever has asked whether they may.
pub(super) fn carried_out(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (before, by): (Loan, AccountId),
    act: &Act,
    now: Instant,
) -> Result<Loan, Refusal> {
    let decided = before.decided()?;
    let after = match act {
        Act::Restrict { until } => {
            restrict(tx, (&before, &decided), *until, by, now)?;
            None
        }
        Act::Lift => {
            lift(tx, &before, now)?;
            None
        }
        other => Some(next(tx, &before, &decided, other, now)?),
    };
    let loan = match after {
        None => before,
        Some(after) => {
            let row = before.standing(&after, now);
            rows::update(tx, &row)?;
            row
        }
    };
    modes::refresh(tx, loan.tablet_id, now)?;
    let mut detail = json!({ "loan": loan.id, "state": loan.state, "because": loan.ended_because });
    let mut change = Change::new(act.name()).tablet(Some(loan.tablet_id));
    match act {
        Act::Confiscate { reason } | Act::End { reason } => {
            change = change.reason(Some(reason.as_str().to_owned()));
        }
        Act::Restrict { until } => {
            detail = json!({ "loan": loan.id, "until": until });
        }
        _ => {}
    }
    audit::record(tx, principal, change.detail(detail), now)?;
    Ok(loan)
}

fn next(tx: &mut Tx<'_>, row: &Loan, loan: &Decided, act: &Act, now: Instant) -> Result<Decided, Refusal> {
    let year = year_of(tx, now)?;
    let decided = match act {
        Act::Confiscate { .. } => loan.suspend(Suspension::Confiscated),
        Act::Resume => {
            if repairs::standing_of_tablet(tx, row.tablet_id)?.is_some() {
                return Err(Refusal::Conflict(format!(
                    "the tablet of loan {} is at its supplier’s: record that it is back",
                    row.id
                )));
            }
            loan.resume(holds_another(tx, row)?)
        }
        Act::Deposit => {
            let year = year.ok_or_else(no_school_year)?;
            loan.deposit(&year, now)
        }
        Act::HandOut => loan.hand_out_again(year.as_ref(), now),
        Act::End { reason } => loan.end(Ending::Departement(reason.clone()), now),
        Act::EndForBreach => loan.end(Ending::Breach, now),
        Act::Letter { from, dated, reference } => {
            loan.end(Ending::Letter { from: *from, dated: *dated, reference: reference.clone() }, now)
        }
        Act::Restrict { .. } | Act::Lift => Ok(loan.clone()),
    };
    match decided {
        Ok(decided) => Ok(decided),
        Err(why) => Err(told(tx, row.tablet_id, &why)?),
    }
}

fn year_of(tx: &mut Tx<'_>, now: Instant) -> Result<Option<::lending::SchoolYear>, Refusal> {
    school_years::on(tx, Day::of(now))?.map(|year| decided_year(&year)).transpose()
}

fn no_school_year() -> Refusal {
    Refusal::Conflict("today belongs to no school year: the département dates it first".into())
}

/// A decision of the rules that was not taken, as a person is told: by the tablets' numbers, since nobody finds a tablet by the
/// id of a loan.
pub(super) fn told(tx: &mut Tx<'_>, tablet: TabletId, why: &Refused) -> Result<Refusal, Refusal> {
    let serial = serial_of(tx, tablet)?;
    let what = match why {
        Refused::HoldsAnother(other) => {
            let held = rows::get(tx, other)?.map(|loan| serial_of(tx, loan.tablet_id)).transpose()?;
            let held = held.map_or_else(|| "another tablet".to_owned(), |held| format!("tablet {held}"));
            format!(
                "tablet {serial}: its holder was lent {held} meanwhile (loan {other}): take that one back first"
            )
        }
        why => format!("tablet {serial}: {why}"),
    };
    Ok(match refusals::refused(why) {
        Refusal::Forbidden { rule, .. } => Refusal::Forbidden { rule, what },
        Refusal::Conflict(_) => Refusal::Conflict(what),
        other => other,
    })
}

fn serial_of(tx: &mut Tx<'_>, tablet: TabletId) -> Result<SerialNumber, Refusal> {
    let row = tablets::get(tx, &tablet)?;
    row.map(|row| row.serial)
        .ok_or_else(|| Refusal::Internal(format!("tablet {tablet} is not in the inventory")))
}

/// Another loan of the same holder that counts (C5.3.1).
pub(super) fn holds_another(tx: &mut Tx<'_>, loan: &Loan) -> Result<Option<LoanId>, Refusal> {
    let mut other = None;
    for held in rows::live_of_person(tx, loan.person_id)? {
        if held.id != loan.id && held.decided()?.counts() {
            other = Some(held.id);
        }
    }
    Ok(other)
}

/// Whether a measure holds on a day.
fn holds_on(row: &Restriction, day: Day) -> bool {
    row.lifted_at.is_none() && row.from_day <= day && day <= row.until_day
}

fn restrict(
    tx: &mut Tx<'_>,
    (loan, decided): (&Loan, &Decided),
    until: Day,
    by: AccountId,
    now: Instant,
) -> Result<(), Refusal> {
    let today = Day::of(now);
    if until < today {
        return Err(Refusal::invalid("until", "must not be past: a restriction begins today"));
    }
    let year = year_of(tx, now)?.ok_or_else(no_school_year)?;
    let leaves_on = persons::get(tx, &loan.person_id)?.and_then(|holder| holder.leaves_on);
    if let Err(why) = decided.may_be_restricted(until, &year, leaves_on) {
        return Err(told(tx, loan.tablet_id, &why)?);
    }
    let row = Restriction {
        id: RestrictionId::new(now),
        loan_id: loan.id,
        from_day: today,
        until_day: until,
        recorded_by: by,
        recorded_at: now,
        lifted_at: None,
    };
    Ok(restrictions::insert(tx, &row)?)
}

fn lift(tx: &mut Tx<'_>, loan: &Loan, now: Instant) -> Result<(), Refusal> {
    let today = Day::of(now);
    let standing: Vec<Restriction> =
        restrictions::of_loan(tx, loan.id)?.into_iter().filter(|row| holds_on(row, today)).collect();
    if standing.is_empty() {
        return Err(Refusal::Conflict(format!("loan {} has no restriction that holds", loan.id)));
    }
    for row in standing {
        restrictions::lift(tx, row.id, now)?;
    }
    Ok(())
}

/// The loan, for whoever has this right in its collège (T-C1); and who they are.
pub(super) fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: LoanId,
    now: Instant,
) -> Result<(Loan, AccountId), Refusal> {
    let person = principal.person(tx, now)?;
    let reach = person.standing.may(permission, &person.access, now)?;
    lending_is_on(tx, now)?;
    let loan = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("loan", id))?;
    if reach.covers(&Place::College(Some(loan.uai.clone()))) {
        Ok((loan, person.standing.account()))
    } else {
        Err(Refusal::not_found("loan", id))
    }
}
