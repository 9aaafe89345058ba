//! Lending: who may be lent a tablet, under which agreement, who holds which, and how it comes back (art. 4, 5 and 9).
//!
//! Names are personal data. They are shown to whoever may see them and stand in no entry of the log and in no message of
//! the server's own; what of it may be done at all is the DPO's switch (C3.1.6), asked each time.
//!
//! | file | what it does |
//! |---|---|
//! | [`people`], [`lists`] | reads the school's export; the list that the head settles and the académie validates (C4.2) |
//! | [`agreements`] | the texts of the agreement, and what was said to them (C5.2.1) |
//! | [`handover`] | the light of a tablet, and its handover (C5.3.4) |
//! | [`loans`], [`modes`] | what becomes of a loan, and where its tablet stands |
//! | [`summer`] | a class that hands its tablets in, and gets them again |
//! | [`repairs`] | sends a tablet to its supplier, lends another meanwhile, takes back what comes; swaps |
//! | [`transfers`] | gives a tablet to another collège, with the consent of both |
//! | [`departures`] | donations and retirements: facts, decisions, and the way out |
//! | [`subject`] | what a person asks about their own data: a copy, a correction, to be forgotten (GDPR) |
//! | [`counterparts`] | what was attached to a replacement, and what it does to loan and donation (C5.4.4) |
//! | [`wall`], [`year`] | the list for the wall of a class, the report of the year (C6.1) |
//! | `counter` | finds what was scanned, and takes it back |
//! | [`restitutions`] | receives tablets, takes slips back, records what the holder and the technician say |
//! | [`calendar`], [`turn`] | ends the loans of whoever has left; the turn of the year |
//! | [`overdue`] | lists what should be back and is not |
//! | [`notices`] | writes the letter that tells whoever held it, and records its handing over |
//! | [`waits`] | says why a restitution is where it is, and what to do |
//! | [`orders`] | gives erase orders, and ends them |
//! | `erasures` | looks again at an order when its tablet connects, and at what the tablet says and does then |
//! | `return_to_service` | renders the command, with the way back |

pub mod agreements;
pub mod calendar;
pub(crate) mod counter;
pub mod counterparts;
pub mod departures;
pub(crate) mod erasures;
pub mod handover;
pub mod lists;
pub mod loans;
pub mod modes;
pub mod notices;
pub mod orders;
pub mod overdue;
pub mod people;
pub(crate) mod refusals;
pub mod repairs;
pub mod restitutions;
pub(crate) mod return_to_service;
pub mod subject;
pub mod summer;
pub mod transfers;
pub mod turn;
pub mod waits;
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
pub(crate) fn decided_year(year: &SchoolYear) -> Result<::lending::SchoolYear, Refusal> {
    let summer = (year.summer_starts_on, year.summer_ends_on);
    ::lending::SchoolYear::new(&year.label, year.starts_on, year.ends_on, summer)
        .map_err(|error| Refusal::Internal(error.to_string()))
}

impl From<::lending::Refused> for Refusal {
    fn from(refused: ::lending::Refused) -> Self {
        refusals::refused(&refused)
    }
}
