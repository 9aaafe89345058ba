//! The turn of the school year: whoever the collège's validated new list does not name has left. What they hold is due back,
//! and the term of what is kept of them begins, of those who hold nothing too (C5.2.3, C9.1). Nothing is erased by it.
//!
//! It is no event but a look: repeated, interrupted or late, it comes to the same. One collège after the other, a hundred
//! people in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use ::lending::calendar::{NewList, Turn, turn};
use ::lending::loan::Ending;
use serde_json::json;
use store::persons::{self, Person};
use store::{Tx, Within, lists, organisations, school_years, subject_data};
use types::{Actor, Day, Instant, OrganisationKind, PersonId, Uai, UserKind};

use super::lists::take_off;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// People in one transaction.
const BATCH: usize = 100;
/// Collèges in one read.
const COLLEGES: u32 = 200;

/// Looks at every collège, and counts as having left whom its new list does not name, and whose last day is over. The
/// calendar's work; says how many people that were.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar; what was done before an error stays done.
pub async fn of_the_year(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let mut left = departures(fleet, now).await?;
    let year = fleet.store().read(move |tx| school_years::on(tx, Day::of(now))).await?;
    let Some(year) = year.map(|year| year.label) else { return Ok(left) };
    let mut after = None;
    loop {
        let from = after;
        let some = fleet
            .store()
            .read(move |tx| organisations::list(tx, &Within::Everything, from, COLLEGES))
            .await?;
        let Some(last) = some.last() else { return Ok(left) };
        after = Some(last.id);
        let colleges = some.into_iter().filter(|one| one.kind == OrganisationKind::College);
        for uai in colleges.filter_map(|college| college.uai) {
            left += of_college(fleet, &uai, &year, now).await?;
        }
    }
}

async fn of_college(fleet: &Fleet, uai: &Uai, year: &str, now: Instant) -> Result<usize, Refusal> {
    let (college, label) = (uai.clone(), year.to_owned());
    let unnamed = fleet.store().read(move |tx| unnamed(tx, &college, &label, now)).await?;
    let mut left = 0;
    for some in unnamed.chunks(BATCH) {
        let (college, label, some) = (uai.clone(), year.to_owned(), some.to_vec());
        left += fleet.store().write(move |tx| leave(tx, &college, &label, &some, now)).await?;
    }
    Ok(left)
}

/// Who is there, and whom neither the list of the year names, nor that of another year that is not over: next year's is
/// validated before this one ends.
fn unnamed(
    tx: &mut Tx<'_>,
    uai: &Uai,
    year: &str,
    now: Instant,
) -> Result<Vec<(PersonId, UserKind)>, Refusal> {
    let said = Said::of(tx, uai, year)?;
    let mut unnamed = Vec::new();
    for (person, kind) in persons::present(tx, uai)? {
        if said.ends(tx, (person, kind), uai, now)?.is_some() {
            unnamed.push((person, kind));
        }
    }
    Ok(unnamed)
}

/// They have left, unless a list has named them since, or another node was quicker.
fn leave(
    tx: &mut Tx<'_>,
    uai: &Uai,
    year: &str,
    some: &[(PersonId, UserKind)],
    now: Instant,
) -> Result<usize, Refusal> {
    let said = Said::of(tx, uai, year)?;
    let mut left = 0;
    for (person, kind) in some {
        if persons::get(tx, person)?.is_none_or(|person| person.left_at.is_some()) {
            continue;
        }
        let Some(because) = said.ends(tx, (*person, *kind), uai, now)? else { continue };
        let ended = take_off(tx, *person, &because, now)?;
        let detail = json!({ "person": person, "school_year": year, "loans_ended": ended });
        audit::record_by(tx, Actor::Calendar, Change::new("person.not-listed").detail(detail), now)?;
        left += 1;
    }
    Ok(left)
}

/// What the list of a year says.
struct Said {
    /// Of whom it spoke, and as what they stand on it; `None` for whoever was taken off.
    of: BTreeMap<PersonId, Option<UserKind>>,
    /// The kinds of which it named everybody.
    whole: BTreeSet<UserKind>,
    a_change_waits: bool,
}

impl Said {
    fn of(tx: &mut Tx<'_>, uai: &Uai, year: &str) -> Result<Self, Refusal> {
        let of = lists::spoken_of(tx, uai, year)?;
        let names_somebody = of.values().any(Option::is_some);
        Ok(Self {
            of,
            whole: if names_somebody { lists::kinds_named_whole(tx, uai, year)? } else { BTreeSet::new() },
            a_change_waits: lists::waiting(tx, uai, year)?.is_some(),
        })
    }

    /// Why the loans of a person end by it, if they do.
    fn ends(
        &self,
        tx: &mut Tx<'_>,
        (person, kind): (PersonId, UserKind),
        uai: &Uai,
        now: Instant,
    ) -> Result<Option<Ending>, Refusal> {
        let by_this = |names_them| {
            turn(NewList {
                // Of whoever was taken off before the year began, it spoke.
                speaks_of_their_kind: self.whole.contains(&kind) || self.of.get(&person) == Some(&None),
                a_change_waits: self.a_change_waits,
                names_them,
            })
        };
        let stands_on_it = self.of.get(&person).is_some_and(Option::is_some);
        // Only of whom this list would end something, another one is asked.
        let Turn::Ends(because) = by_this(stands_on_it) else { return Ok(None) };
        Ok(subject_data::listed_in(tx, person, uai, now)?.is_none().then_some(because))
    }
}

/// Those whose last day of attendance is over, and who hold nothing any more: their term begins with that day's end.
async fn departures(fleet: &Fleet, now: Instant) -> Result<usize, Refusal> {
    let mut left = 0;
    loop {
        let some = fleet
            .store()
            .write(move |tx| {
                let gone = persons::departed(tx, Day::of(now), u32::try_from(BATCH).unwrap_or(u32::MAX))?;
                for id in &gone {
                    let Some(person) = persons::get(tx, id)? else { continue };
                    let at = person.leaves_on.map_or(now, |last| last.ends_at());
                    persons::update(tx, &Person { left_at: Some(at), updated_at: now, ..person })?;
                    let change = Change::new("person.leave").detail(json!({ "person": id }));
                    audit::record_by(tx, Actor::Calendar, change, now)?;
                }
                Ok::<_, Refusal>(gone.len())
            })
            .await?;
        left += some;
        if some < BATCH {
            return Ok(left);
        }
    }
}
