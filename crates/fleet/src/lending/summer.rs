//! A class hands its tablets in for the summer, scanned in a row, and is handed them out again in September (C5.2.2). Nothing
//! is erased by either.
//!
//! Whatever was interrupted is scanned again: what was done stays done, says so, and stands once in the log.

use governance::Permission;
use store::loans::{self as rows, Standing};
use types::Instant;

use super::handover::lending_is_on;
use super::loans::{Act, Shown, carried_out, shown};
use super::restitutions::{MOST, each, find};
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
            each(&scanned, String::as_str, |one| {
                let tablet = find(tx, one, &reach)?;
                let loan = rows::live_of_tablet(tx, tablet.id)?.ok_or_else(|| {
                    Refusal::Conflict(format!(
                        "tablet {} is lent to nobody: scan the others without it",
                        tablet.serial
                    ))
                })?;
                let already = loan.state == way.done();
                let loan =
                    if already { loan } else { carried_out(tx, &principal, (loan, by), &way.act(), now)? };
                Ok((shown(tx, loan, now)?, already))
            })
        })
        .await
}
