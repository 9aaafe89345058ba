//! The turn of the school year: whoever the collège's validated new list does not name has left. What they hold is due back,
//! and the term of what is kept of them begins, of those who hold nothing too (C5.2.3, C9.1). Nothing is erased by it.
//!
//! It is no event but a look: repeated, interrupted or late, it comes to the same. One collège after the other, a hundred
//! people in one transaction.

use ::lending::calendar::{NewList, Turn, turn};
use serde_json::json;
use store::persons::{self, Person};
use store::{Tx, Within, lists, organisations, school_years};
use types::{Actor, Day, Instant, OrganisationKind, PersonId, Uai};

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
    let unnamed = fleet.store().read(move |tx| unnamed(tx, &college, &label)).await?;
    let mut left = 0;
    for some in unnamed.chunks(BATCH) {
        let (college, label, some) = (uai.clone(), year.to_owned(), some.to_vec());
        left += fleet.store().write(move |tx| leave(tx, &college, &label, &some, now)).await?;
    }
    Ok(left)
}

/// Who is there, and whom the list of the year does not name.
fn unnamed(tx: &mut Tx<'_>, uai: &Uai, year: &str) -> Result<Vec<PersonId>, Refusal> {
    let listed = lists::standing(tx, uai, year)?;
    if listed.is_empty() {
        return Ok(Vec::new());
    }
    let spoken_of = lists::kinds_named_whole(tx, uai, year)?;
    let a_change_waits = lists::waiting(tx, uai, year)?.is_some();
    let mut unnamed = Vec::new();
    for (person, kind) in persons::present(tx, uai)? {
        let list = NewList {
            speaks_of_their_kind: spoken_of.contains(&kind),
            a_change_waits,
            names_them: listed.contains_key(&person),
        };
        if let Turn::Ends(_) = turn(list) {
            unnamed.push(person);
        }
    }
    Ok(unnamed)
}

/// They have left, unless a list has named them since.
fn leave(tx: &mut Tx<'_>, uai: &Uai, year: &str, some: &[PersonId], now: Instant) -> Result<usize, Refusal> {
    if lists::waiting(tx, uai, year)?.is_some() {
        return Ok(0);
    }
    let mut left = 0;
    for person in some {
        let names_them = lists::is_listed(tx, *person, uai, year)?;
        let list = NewList { speaks_of_their_kind: true, a_change_waits: false, names_them };
        let Turn::Ends(because) = turn(list) else { continue };
        let ended = take_off(tx, *person, &because, now)?;
        let detail = json!({ "person": person, "school_year": year, "loans_ended": ended });
        audit::record_by(tx, Actor::Calendar, Change::new("person.not-listed").detail(detail), now)?;
        left += 1;
    }
    Ok(left)
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
