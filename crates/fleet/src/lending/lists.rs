//! The named list of users: proposed from the school's export, settled by the head, validated by the académie; for the
//! changed names only (C4.2, C9.1).
//!
//! What each of them signs is the digest of exactly the names they were shown. Until both have, nothing changes.

use std::collections::BTreeMap;

use ::lending::list::{Change, Progress, Scope, Signed, delta, digest, restated};
use ::lending::loan::Ending;
use ::lending::roster;
use governance::{Permission, Place};
use privacy::Activity;
use serde_json::json;
use store::lists::{self as rows, List, ListState, Row};
use store::persons::{self, Person};
use store::{Tx, loans, subject_data};
use types::{AccountId, Digest, Instant, ListId, PersonId, Uai};

use super::people::{self, Mapping};
use super::{at_college, modes, school_year, validated};
use crate::audit::{self, Change as Entry};
use crate::csv_import::bad;
use crate::organisations::Named;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal, register};

/// An export, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Export {
    /// The collège.
    pub college: Named,
    /// The year; the one that today belongs to, unless told.
    pub school_year: Option<String>,
    /// Which column says what.
    pub mapping: Mapping,
    /// The export, as CSV.
    pub csv: Vec<u8>,
    /// Whether whoever is missing in it, of the kinds it speaks of, leaves the list.
    pub complete: bool,
    /// Whether it is only looked at.
    pub preview: bool,
}

/// A change of a list, with its names.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The change; `None` for what was only looked at.
    pub list: Option<List>,
    /// The collège.
    pub college: Uai,
    /// The year.
    pub school_year: String,
    /// The names that change.
    pub names: Vec<Name>,
    /// How many people the list has once this counts.
    pub people: usize,
    /// Whether addresses were left out, because no notice may be sent (C3.1.6).
    pub contacts_left_out: bool,
}

/// A name that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// What changes; `None` once the person is forgotten.
    pub change: Option<Change>,
    /// Whose name it is.
    pub person: PersonId,
    /// The person as they were known before this counted, or are before it does.
    pub before: Option<::lending::list::Entry>,
    /// The person as they are known today, if this counts and something changed since.
    pub since: Option<::lending::list::Entry>,
}

/// Reads an export, and proposes what must change for the list to be as it says; or only shows that. One that names everybody
/// says so by a name of each kind, again if nothing of it is new.
///
/// # Errors
/// [`Refusal::BadInventory`] names every bad line, and every line of which nobody can tell whom it means;
/// [`Refusal::Conflict`] while another change waits, or if nothing changes; [`Refusal::NotValidated`].
pub async fn propose(
    fleet: &Fleet,
    principal: &Principal,
    export: Export,
    now: Instant,
) -> Result<Shown, Refusal> {
    let lines = people::read(&export.csv, &export.mapping).map_err(Refusal::BadInventory)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let Export { college, school_year: label, complete, preview, .. } = &export;
            let (person, college) = at_college(tx, &principal, Permission::ProposeList, college, now)?;
            let college = &college;
            validated(tx, Activity::Roster, now)?;
            let year = school_year(tx, label.as_deref(), now)?.label;
            let (lines, contacts_left_out) = allowed(tx, &lines, now)?;
            let known = people::known(tx, college)?;
            let list = rows::validated(tx, college, &year)?;
            let mut number = || PersonId::new(now);
            let wanted = roster::read(&known, &list, &lines, *complete, &mut number).map_err(|unclear| {
                let named = unclear.into_iter().map(|(line, why)| bad(line, why.to_string()));
                Refusal::BadInventory(named.collect())
            })?;
            let mut changes = delta(&list, &wanted.list);
            if *complete {
                // Of whom the list was said to be whole before, that need not be said again.
                let said = rows::kinds_named_whole(tx, college, &year)?;
                let kinds = lines.iter().map(|line| line.entry.kind).filter(|kind| !said.contains(kind));
                changes.extend(restated(&changes, &wanted.list, &kinds.collect()));
            }
            let shown = |list| Shown {
                list,
                college: college.clone(),
                school_year: year.clone(),
                names: named(changes.iter().cloned().map(Row::Known).collect(), &known, None),
                people: wanted.list.len(),
                contacts_left_out,
            };
            if *preview {
                return Ok(shown(None));
            }
            let by = person.standing.account();
            let scope = if *complete { Scope::Whole } else { Scope::Part };
            let row = put_forward(tx, &principal, (college, &year), (scope, &changes, by), now)?;
            Ok(shown(Some(row)))
        })
        .await
}

/// Proposes these changes of a list, which wait for the head and the académie.
pub(super) fn put_forward(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (college, school_year): (&Uai, &str),
    (scope, changes, by): (Scope, &[Change], AccountId),
    now: Instant,
) -> Result<List, Refusal> {
    if let Some(waiting) = rows::waiting(tx, college, school_year)? {
        return Err(Refusal::Conflict(format!(
            "another change of this list waits ({}, {}): sign it, or take it back",
            waiting.id, waiting.state
        )));
    }
    let count = i32::try_from(changes.len()).unwrap_or(i32::MAX);
    if count == 0 {
        return Err(Refusal::Conflict("the list is already as this file says; nothing to propose".into()));
    }
    let id = ListId::new(now);
    let row = List {
        id,
        uai: college.clone(),
        school_year: school_year.to_owned(),
        changes: count,
        content_sha256: digest(id, (college, school_year), scope, changes),
        state: ListState::Proposed,
        proposed_by: by,
        proposed_at: now,
        settled_by: None,
        settled_at: None,
        settled_sha256: None,
        validated_by: None,
        validated_at: None,
        validated_sha256: None,
        withdrawn_at: None,
        scope,
    };
    rows::propose(tx, &row, changes, now)?;
    record(tx, principal, "list.propose", &row, now)?;
    Ok(row)
}

/// The lines without addresses, as long as no notice may be sent (C3.1.6); and whether that left something out.
fn allowed(
    tx: &mut Tx<'_>,
    lines: &[roster::Line],
    now: Instant,
) -> Result<(Vec<roster::Line>, bool), Refusal> {
    let mut lines = lines.to_vec();
    if register::may_process(tx, Activity::Notices, now)?.is_ok() {
        return Ok((lines, false));
    }
    let left_out = lines.iter().any(|line| !line.entry.contacts.is_empty());
    lines.iter_mut().for_each(|line| line.entry.contacts.clear());
    Ok((lines, left_out))
}

/// The names of a change, beside what was known before it, and beside what is known today if it counts.
fn named(
    changes: Vec<Row>,
    before: &BTreeMap<PersonId, ::lending::list::Entry>,
    today: Option<&BTreeMap<PersonId, ::lending::list::Entry>>,
) -> Vec<Name> {
    changes
        .into_iter()
        .map(|row| match row {
            Row::Known(change) => {
                let person = change.person();
                let said = match &change {
                    Change::Set(_, entry) => Some(entry),
                    Change::Remove(_) => None,
                };
                let today = today.and_then(|today| today.get(&person));
                let since = today.filter(|today| said.is_some_and(|said| said != *today)).cloned();
                Name { before: before.get(&person).cloned(), since, person, change: Some(change) }
            }
            Row::Forgotten(person) => Name { change: None, person, before: None, since: None },
        })
        .collect()
}

/// Changes of lists within reach, without their names, in the order they were proposed.
///
/// # Errors
/// [`Refusal::NotAllowed`]; [`Refusal::NotValidated`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<ListId>,
    now: Instant,
) -> Result<Listed<List>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewLists, now)?;
            validated(tx, Activity::Roster, now)?;
            let found = rows::list(tx, &within, page.after, page.with_one_more())?;
            Ok(page.cut(found, |list| list.id.to_string()))
        })
        .await
}

/// A change of a list with its names: what it says beside what was known before it, and of one that counts what changed since.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::NotValidated`].
pub async fn show(fleet: &Fleet, principal: &Principal, id: ListId, now: Instant) -> Result<Shown, Refusal> {
    let reads = principal.clone();
    let shown = fleet
        .store()
        .read(move |tx| {
            let (list, _who) = reached(tx, &reads, Permission::ViewLists, id, now)?;
            let today = people::known(tx, &list.uai)?;
            let changes = rows::changes(tx, id)?;
            let (names, people) = if list.state == ListState::Validated {
                let of = changes.iter().map(Row::person).collect::<Vec<_>>();
                let before = rows::known_before(tx, &list, of)?;
                (named(changes, &before, Some(&today)), rows::count_after(tx, &list)?)
            } else {
                let mut people = rows::standing(tx, &list.uai, &list.school_year)?;
                if list.state != ListState::Withdrawn {
                    for row in &changes {
                        match row {
                            Row::Known(Change::Set(person, entry)) => people.insert(*person, entry.kind),
                            Row::Known(Change::Remove(person)) | Row::Forgotten(person) => {
                                people.remove(person)
                            }
                        };
                    }
                }
                (named(changes, &today, None), people.len())
            };
            Ok::<_, Refusal>(Shown {
                college: list.uai.clone(),
                school_year: list.school_year.clone(),
                names,
                people,
                contacts_left_out: false,
                list: Some(list),
            })
        })
        .await?;
    let college = Some(shown.college.clone());
    people::were_read(fleet, principal, (college, "list"), shown.names.len(), now).await?;
    Ok(shown)
}

/// The head settles a change (arrêtée): exactly the names of the digest that they were shown.
///
/// # Errors
/// [`Refusal::Forbidden`] for a change that is further; [`Refusal::Conflict`] for another digest; [`Refusal::NotFound`].
pub async fn settle(
    fleet: &Fleet,
    principal: &Principal,
    id: ListId,
    seen: Digest,
    now: Instant,
) -> Result<List, Refusal> {
    let step = (Permission::SettleList, "list.settle");
    take(fleet, principal, id, step, now, move |tx, list, by| {
        exactly(tx, &list, &seen)?;
        progress(&list)?.settle(Signed { by, at: now })?;
        let row = List {
            state: ListState::Settled,
            settled_by: Some(by),
            settled_at: Some(now),
            settled_sha256: Some(seen),
            ..list
        };
        rows::update(tx, &row)?;
        Ok(row)
    })
    .await
}

/// The académie validates what the head settled (validée): from now on it counts. Whoever it takes off the list, and whom
/// that of no other year that is not over names, is lent nothing any more (C9.1).
///
/// # Errors
/// As [`settle`].
pub async fn validate(
    fleet: &Fleet,
    principal: &Principal,
    id: ListId,
    seen: Digest,
    now: Instant,
) -> Result<List, Refusal> {
    let step = (Permission::ValidateList, "list.validate");
    take(fleet, principal, id, step, now, move |tx, list, by| {
        let changes = exactly(tx, &list, &seen)?;
        progress(&list)?.validate(Signed { by, at: now })?;
        let row = List {
            state: ListState::Validated,
            validated_by: Some(by),
            validated_at: Some(now),
            validated_sha256: Some(seen),
            ..list
        };
        let known = known_of(tx, &changes)?;
        rows::keep_known_before(tx, row.id, &known)?;
        rows::update(tx, &row)?;
        for change in &changes {
            match change {
                Change::Set(person, entry) => put(tx, *person, &row.uai, entry, now)?,
                // Whoever another list names that still counts is there: next year's says nothing of this year's loan.
                Change::Remove(person) if subject_data::listed_in(tx, *person, &row.uai, now)?.is_none() => {
                    take_off(tx, *person, &Ending::NoLongerListed, now)?;
                }
                Change::Remove(_) => {}
            }
        }
        Ok(row)
    })
    .await
}

/// What is known of the people of a change.
fn known_of(
    tx: &mut Tx<'_>,
    changes: &[Change],
) -> Result<BTreeMap<PersonId, ::lending::list::Entry>, Refusal> {
    let known = persons::get_all(tx, changes.iter().map(Change::person))?;
    Ok(known.iter().filter_map(|person| Some((person.id, person.entry()?))).collect())
}

/// Takes back a change that does not count yet.
///
/// # Errors
/// [`Refusal::Forbidden`] for one that counts, or was taken back; [`Refusal::NotFound`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: ListId,
    now: Instant,
) -> Result<List, Refusal> {
    let step = (Permission::ProposeList, "list.withdraw");
    take(fleet, principal, id, step, now, move |tx, list, _by| {
        progress(&list)?.withdraw()?;
        let row = List { state: ListState::Withdrawn, withdrawn_at: Some(now), ..list };
        rows::update(tx, &row)?;
        Ok(row)
    })
    .await
}

/// Takes a change of a list one step on, for whoever has this right in its collège, with one entry of the log.
async fn take(
    fleet: &Fleet,
    principal: &Principal,
    id: ListId,
    (permission, action): (Permission, &'static str),
    now: Instant,
    on: impl Fn(&mut Tx<'_>, List, AccountId) -> Result<List, Refusal> + Send + 'static,
) -> Result<List, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (list, by) = reached(tx, &principal, permission, id, now)?;
            let row = on(tx, list, by)?;
            record(tx, &principal, action, &row, now)?;
            Ok(row)
        })
        .await
}

/// The change, for whoever has this right in its collège; and who they are.
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: ListId,
    now: Instant,
) -> Result<(List, AccountId), Refusal> {
    let person = principal.person(tx, now)?;
    let reach = person.standing.may(permission, &person.access, now)?;
    validated(tx, Activity::Roster, now)?;
    let list = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("list", id))?;
    if reach.covers(&Place::College(Some(list.uai.clone()))) {
        Ok((list, person.standing.account()))
    } else {
        Err(Refusal::not_found("list", id))
    }
}

/// The names, if they are exactly those that were looked at, and those that were proposed.
fn exactly(tx: &mut Tx<'_>, list: &List, seen: &Digest) -> Result<Vec<Change>, Refusal> {
    let altered = || {
        Refusal::Conflict(
            "these are not the names that were proposed: take this change back and propose it again".into(),
        )
    };
    let mut changes = Vec::new();
    for row in rows::changes(tx, list.id)? {
        match row {
            Row::Known(change) => changes.push(change),
            Row::Forgotten(_) => return Err(altered()),
        }
    }
    if digest(list.id, (&list.uai, &list.school_year), list.scope, &changes) != list.content_sha256 {
        return Err(altered());
    }
    if *seen != list.content_sha256 {
        return Err(Refusal::Conflict(
            "what you have looked at is not this change: look at it, and sign its digest".into(),
        ));
    }
    Ok(changes)
}

/// How far a change has come, as the rules look at it.
fn progress(list: &List) -> Result<Progress, Refusal> {
    let signed = |by: Option<AccountId>, at: Option<Instant>| {
        by.zip(at)
            .map(|(by, at)| Signed { by, at })
            .ok_or_else(|| Refusal::Internal(format!("list {} lacks a signature", list.id)))
    };
    Ok(match list.state {
        ListState::Proposed => Progress::Proposed,
        ListState::Settled => Progress::Settled { head: signed(list.settled_by, list.settled_at)? },
        ListState::Validated => Progress::Validated {
            head: signed(list.settled_by, list.settled_at)?,
            academie: signed(list.validated_by, list.validated_at)?,
        },
        ListState::Withdrawn => Progress::Withdrawn,
    })
}

fn put(
    tx: &mut Tx<'_>,
    id: PersonId,
    college: &Uai,
    entry: &::lending::list::Entry,
    now: Instant,
) -> Result<(), Refusal> {
    match persons::get(tx, &id)? {
        None => persons::insert(tx, &Person::listed(id, college, entry, None, now))?,
        Some(before) => {
            persons::update(tx, &Person::listed(id, college, entry, Some(&before), now))?;
            for loan in loans::live_of_person(tx, id)? {
                modes::refresh(tx, loan.tablet_id, now)?;
            }
        }
    }
    Ok(())
}

/// A person leaves the list: what they hold is due back, and the term of what is kept of them begins (C9.1). Says how many
/// loans ended.
pub(super) fn take_off(
    tx: &mut Tx<'_>,
    id: PersonId,
    because: &Ending,
    now: Instant,
) -> Result<usize, Refusal> {
    let live = loans::live_of_person(tx, id)?;
    for loan in &live {
        let ended = loan.decided()?.end(because.clone(), now)?;
        loans::update(tx, &loan.standing(&ended, now))?;
        modes::refresh(tx, loan.tablet_id, now)?;
    }
    if let Some(person) = persons::get(tx, &id)? {
        persons::update(tx, &Person { left_at: Some(now), updated_at: now, ..person })?;
    }
    Ok(live.len())
}

fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    action: &'static str,
    list: &List,
    now: Instant,
) -> Result<(), Refusal> {
    let detail = json!({
        "list": list.id, "uai": list.uai, "school_year": list.school_year, "changes": list.changes,
        "content_sha256": list.content_sha256,
    });
    audit::record(tx, principal, Entry::new(action).detail(detail), now)
}
