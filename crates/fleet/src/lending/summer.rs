//! A class hands its tablets in for the summer, scanned in a row, and is handed them out again in September (C5.2.2). Nothing
//! is erased by either.
//!
//! Whatever was interrupted is scanned again: what was done stays done, says so, and stands once in the log.

use std::collections::HashMap;

use governance::Permission;
use store::loans::{self as rows, Loan, Standing};
use types::{Instant, TabletId};

use super::counter::{each, find_all};
use super::handover::lending_is_on;
use super::loans::{Act, Shown, all_shown, carried_out};
use super::restitutions::MOST;
use crate::{Fleet, Principal, Refusal};

/// Which way tablets go over the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They are handed in.
    In,
    /// The same pupils get them again.
    Out,
}

impl Way {
    const fn act(self) -> Act {
        match self {
            Self::In => Act::Deposit,
            Self::Out => Act::HandOut,
        }
    }

    /// How a loan stands once its tablet went that way.
    const fn done(self) -> Standing {
        match self {
            Self::In => Standing::Deposited,
            Self::Out => Standing::Lent,
        }
    }
}

/// Takes tablets in for the summer, or hands them out again: all that were scanned, or none. Each loan, and whether its tablet
/// had gone that way before.
///
/// # Errors
/// [`Refusal::BadScans`] names every tablet with which it cannot be done. Of one alone [`Refusal::NotFound`] if it is out of
/// reach (T-C1), [`Refusal::Conflict`] if it is lent to nobody, and [`Refusal::Forbidden`] says which rule.
/// [`Refusal::Invalid`].
pub async fn in_a_row(
    fleet: &Fleet,
    principal: &Principal,
    way: Way,
    scanned: Vec<String>,
    now: Instant,
) -> Result<Vec<(Shown, bool)>, Refusal> {
    if scanned.is_empty() || scanned.len() > MOST {
        return Err(Refusal::invalid("tablets", format!("must name 1 to {MOST} tablets")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let reach = person.standing.may(Permission::HandOver, &person.access, now)?;
            lending_is_on(tx, now)?;
            let by = person.standing.account();
            let found = find_all(tx, scanned.iter().map(String::as_str), &reach)?;
            let these = found.iter().filter_map(|found| Some(found.as_ref().ok()?.id));
            let live = rows::live_of_tablets(tx, these.collect::<Vec<_>>())?;
            let mut live: HashMap<TabletId, Loan> =
                live.into_iter().map(|loan| (loan.tablet_id, loan)).collect();
            let mut found = found.into_iter();
            let done = each(&scanned, String::as_str, |_one| {
                let none = || Err(Refusal::Internal("a tablet was scanned and not looked for".into()));
                let tablet = found.next().unwrap_or_else(none)?;
                let loan = live.get(&tablet.id).cloned().ok_or_else(|| {
                    Refusal::Conflict(format!(
                        "tablet {} is lent to nobody: scan the others without it",
                        tablet.serial
                    ))
                })?;
                let already = loan.state == way.done();
                let loan =
                    if already { loan } else { carried_out(tx, &principal, (loan, by), &way.act(), now)? };
                live.insert(tablet.id, loan.clone());
                Ok((loan, already))
            })?;
            let (loans, already): (Vec<Loan>, Vec<bool>) = done.into_iter().unzip();
            Ok(all_shown(tx, loans, now)?.into_iter().zip(already).collect())
        })
        .await
}
