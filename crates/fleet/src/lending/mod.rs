//! Lending: who may be lent a tablet, under which agreement, who holds which, and how it comes back (art. 4, 5 and 9).
//!
//! Names are personal data. They are shown to whoever may see them and stand in no entry of the log and in no message of
//! the server's own; what of it may be done at all is the DPO's switch (C3.1.6), asked each time.

pub mod agreements;
pub mod handover;
pub mod lists;
pub mod loans;
pub mod modes;
pub mod people;
pub mod wall;
pub mod year;

use governance::{Permission, Place};
use privacy::Activity;
use store::school_years::{self, SchoolYear};
use store::{Tx, organisations};
use types::{Day, Instant, Uai};

use crate::coming_in::Person;
use crate::organisations::Named;
use crate::{Principal, Refusal, register};

/// The person who asks, and the collège, if they may do this there; to others it does not exist (T-C1).
fn at_college(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    named: &Named,
    now: Instant,
) -> Result<(Person, Uai), Refusal> {
    let person = principal.person(tx, now)?;
    let reach = person.standing.may(permission, &person.access, now)?;
    let found = match named {
        Named::Id(id) => organisations::get(tx, id)?,
        Named::Uai(uai) => organisations::by_uai(tx, uai)?,
    };
    let college = found.and_then(|organisation| organisation.uai);
    let college = college.filter(|uai| reach.covers(&Place::College(Some(uai.clone()))));
    Ok((person, college.ok_or_else(|| Refusal::not_found("organisation", named))?))
}

/// Passes an activity that the DPO validated as it stands (C3.1.6).
fn validated(tx: &mut Tx<'_>, activity: Activity, now: Instant) -> Result<(), Refusal> {
    register::may_process(tx, activity, now)??;
    Ok(())
}

/// The school year of that label, or the one that today belongs to.
fn school_year(tx: &mut Tx<'_>, label: Option<&str>, now: Instant) -> Result<SchoolYear, Refusal> {
    match label {
        Some(label) => school_years::get(tx, &label.to_owned())?
            .ok_or_else(|| Refusal::not_found("school year", label.chars().take(16).collect::<String>())),
        None => school_years::on(tx, Day::of(now))?.ok_or_else(|| {
            Refusal::Conflict("today belongs to no school year: the département dates it first".into())
        }),
    }
}

/// The year as the rules look at it.
fn decided_year(year: &SchoolYear) -> Result<::lending::SchoolYear, Refusal> {
    let summer = (year.summer_starts_on, year.summer_ends_on);
    ::lending::SchoolYear::new(&year.label, year.starts_on, year.ends_on, summer)
        .map_err(|error| Refusal::Internal(error.to_string()))
}

impl From<::lending::Refused> for Refusal {
    fn from(refused: ::lending::Refused) -> Self {
        Self::Forbidden { rule: refused.rule(), what: refused.to_string() }
    }
}
