//! Changes of the named list of a collège and year, each as one: proposed, settled, validated (C4.2). What was proposed is
//! never changed; the list that counts is what the validated ones add up to.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::list::{Change, Entry, ListStep, Scope};
use serde_json::json;
use types::{AccountId, Digest, Instant, ListChangeId, ListId, PersonId, Uai, UserKind};

use crate::column::{read, stored_enum};
use crate::many::{Many, many};
use crate::noun::{by_key, find_first, noun, on_each_engine, read_all};
use crate::persons::{seal, unseal};
use crate::schema::{list_changes, lists};
use crate::within::of_colleges_within;
use crate::{RowName, StoreError, Tx, Within};

stored_enum! {
    /// How far a change of a list has come.
    ListState {
        /// It changes nothing.
        Proposed = "proposed",
        /// The head settled it (arrêtée): it still changes nothing.
        Settled = "settled",
        /// The académie validated it (validée): it counts.
        Validated = "validated",
        /// It was taken back before it counted.
        Withdrawn = "withdrawn",
    }
}

noun! {
    /// A change of the list, without its names.
    pub struct List in lists keyed by id {
        /// Its id.
        id: ListId,
        /// The collège.
        uai: Uai,
        /// The school year (C9.1).
        school_year: String,
        /// How many names it changes.
        changes: i32,
        /// The digest of exactly these names.
        content_sha256: Digest,
        /// How far it has come.
        state: ListState,
        /// Who proposed it.
        proposed_by: AccountId,
        /// When.
        proposed_at: Instant,
        /// The head who settled it.
        settled_by: Option<AccountId>,
        /// When.
        settled_at: Option<Instant>,
        /// What they settled.
        settled_sha256: Option<Digest>,
        /// Who validated it for the académie.
        validated_by: Option<AccountId>,
        /// When.
        validated_at: Option<Instant>,
        /// What they validated.
        validated_sha256: Option<Digest>,
        /// When it was taken back.
        withdrawn_at: Option<Instant>,
        /// How much of the list it speaks of.
        scope: Scope,
    }
}

by_key!(lists, List, id: ListId; insert, get, update);

/// How many names one statement writes.
const TOGETHER: usize = 200;

/// A change of one name, as far as it is still known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// It is known.
    Known(Change),
    /// The person was forgotten.
    Forgotten(PersonId),
}

impl Row {
    /// Whose name it is.
    #[must_use]
    pub fn person(&self) -> PersonId {
        match self {
            Self::Known(change) => change.person(),
            Self::Forgotten(person) => *person,
        }
    }
}

fn place(id: &ListChangeId) -> RowName {
    RowName::new("list_changes", "entry_sealed", id)
}

/// Writes a proposal with its names.
///
/// # Errors
/// [`StoreError::Duplicate`] while another proposal of the collège and year waits.
pub fn propose(tx: &mut Tx<'_>, list: &List, changes: &[Change], now: Instant) -> Result<(), StoreError> {
    insert(tx, list)?;
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        let id = ListChangeId::new(now);
        let (step, kind, sealed) = match change {
            Change::Remove(_) => (ListStep::Remove, None, None),
            Change::Set(_, entry) => {
                (ListStep::Set, Some(entry.kind.as_str()), Some(seal(tx, entry, &place(&id))?))
            }
        };
        rows.push((
            list_changes::id.eq(id.to_string()),
            list_changes::list_id.eq(list.id.to_string()),
            list_changes::person_id.eq(change.person().to_string()),
            list_changes::step.eq(step.as_str()),
            list_changes::kind.eq(kind),
            list_changes::entry_sealed.eq(sealed),
        ));
    }
    for some in rows.chunks(TOGETHER) {
        on_each_engine!(tx, |connection| {
            diesel::insert_into(list_changes::table).values(some).execute(connection)
        })?;
    }
    Ok(())
}

type StoredChange = (String, String, String, Option<Vec<u8>>);

fn row(tx: &Tx<'_>, (id, person, step, sealed): StoredChange) -> Result<Row, StoreError> {
    let change: ListChangeId = read(id.clone(), "list_changes", "id", &id)?;
    let person: PersonId = read(person, "list_changes", "person_id", &id)?;
    let step: ListStep = read(step, "list_changes", "step", &id)?;
    let entry: Option<Entry> = unseal(tx, sealed, &place(&change))?;
    Ok(match (step, entry) {
        (ListStep::Remove, _) => Row::Known(Change::Remove(person)),
        (ListStep::Set, Some(entry)) => Row::Known(Change::Set(person, entry)),
        (ListStep::Set, None) => Row::Forgotten(person),
    })
}

/// The names of a proposal, in the order they were proposed.
///
/// # Errors
/// [`StoreError::Sealed`] if a name does not open; [`StoreError::Corrupt`].
pub fn changes(tx: &mut Tx<'_>, list: ListId) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<StoredChange> = tx.run(|connection| {
        list_changes::table
            .filter(list_changes::list_id.eq(list.to_string()))
            .order(list_changes::id.asc())
            .select((
                list_changes::id,
                list_changes::person_id,
                list_changes::step,
                list_changes::entry_sealed,
            ))
            .load(connection)
    })?;
    rows.into_iter().map(|stored| row(tx, stored)).collect()
}

/// What validated changes of a collège say, in the order they were validated, opened.
///
/// `only` says which: those of one year, or of any year before a change was validated.
fn said(tx: &mut Tx<'_>, uai: &Uai, only: Said<'_>) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<StoredChange> = tx.run(|connection| {
        let mut query = list_changes::table
            .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .order((lists::validated_at.asc(), lists::id.asc(), list_changes::id.asc()))
            .select((
                list_changes::id,
                list_changes::person_id,
                list_changes::step,
                list_changes::entry_sealed,
            ))
            .into_boxed();
        query = match only {
            Said::InYear(school_year) => query.filter(lists::school_year.eq(school_year)),
            Said::Before { at, list, of } => query
                .filter(
                    lists::validated_at
                        .lt(at.as_millis())
                        .or(lists::validated_at.eq(at.as_millis()).and(lists::id.lt(list.to_string()))),
                )
                .filter(list_changes::person_id.eq_any(of)),
        };
        query.load(connection)
    })?;
    rows.into_iter().map(|stored| row(tx, stored)).collect()
}

/// Which of the changes that a collège validated.
enum Said<'s> {
    /// Those of this school year.
    InYear(&'s str),
    /// Those about these people that were validated before this change was.
    Before { at: Instant, list: ListId, of: Vec<String> },
}

/// The list that counts: what was validated for this collège and year, in the order it was (C4.2).
///
/// # Errors
/// As [`changes`].
pub fn validated(
    tx: &mut Tx<'_>,
    uai: &Uai,
    school_year: &str,
) -> Result<BTreeMap<PersonId, Entry>, StoreError> {
    let mut list = BTreeMap::new();
    for row in said(tx, uai, Said::InYear(school_year))? {
        match row {
            Row::Known(Change::Set(person, entry)) => {
                list.insert(person, entry);
            }
            Row::Known(Change::Remove(person)) | Row::Forgotten(person) => {
                list.remove(&person);
            }
        }
    }
    Ok(list)
}

/// Keeps what is known of the people of a change, put right by hand or not, when it begins to count: it is settled, and about
/// to be validated. One statement; whoever is known of nothing has no line in `known`.
///
/// # Errors
/// [`StoreError::Refused`] for a change that counts already, or was not settled.
pub fn keep_known_before(
    tx: &mut Tx<'_>,
    list: ListId,
    known: &BTreeMap<PersonId, Entry>,
) -> Result<(), StoreError> {
    let rows: Vec<(String, String)> = tx.run(|connection| {
        list_changes::table
            .filter(list_changes::list_id.eq(list.to_string()))
            .select((list_changes::id, list_changes::person_id))
            .load(connection)
    })?;
    let mut notes = Vec::with_capacity(rows.len());
    for (id, person) in rows {
        let change: ListChangeId = read(id.clone(), "list_changes", "id", &id)?;
        let person: PersonId = read(person, "list_changes", "person_id", &id)?;
        if let Some(entry) = known.get(&person) {
            let sealed = seal(tx, entry, &before_place(&change))?;
            notes.push(json!({ "id": id, "sealed": hex::encode(sealed) }));
        }
    }
    KEEP_BEFORE.run(tx, notes)
}

const KEEP_BEFORE: Many = many!(
    postgresql "UPDATE list_changes SET before_sealed = decode(note.sealed, 'hex') FROM",
    sqlite "UPDATE list_changes SET before_sealed = unhex(note.sealed) FROM";
    id text, sealed text;
    "WHERE list_changes.id = note.id"
);

fn before_place(id: &ListChangeId) -> RowName {
    RowName::new("list_changes", "before_sealed", id)
}

/// What was known of these people when a change of the list was validated, put right by hand or not; of a change that was
/// validated before that was kept, the last that a validated change of the collège said of each, of whatever year. Nobody is in
/// it of whom nothing was known.
///
/// # Errors
/// As [`changes`].
pub fn known_before(
    tx: &mut Tx<'_>,
    list: &List,
    of: impl IntoIterator<Item = PersonId>,
) -> Result<BTreeMap<PersonId, Entry>, StoreError> {
    let Some(at) = list.validated_at else { return Ok(BTreeMap::new()) };
    let of: Vec<String> = of.into_iter().map(|person| person.to_string()).collect();
    let mut known = BTreeMap::new();
    for row in said(tx, &list.uai, Said::Before { at, list: list.id, of: of.clone() })? {
        match row {
            Row::Known(Change::Set(person, entry)) => {
                known.insert(person, entry);
            }
            // Who left a list is still known.
            Row::Known(Change::Remove(_)) => {}
            Row::Forgotten(person) => {
                known.remove(&person);
            }
        }
    }
    type Kept = (String, String, Option<Vec<u8>>);
    let kept: Vec<Kept> = tx.run(|connection| {
        list_changes::table
            .filter(list_changes::list_id.eq(list.id.to_string()))
            .filter(list_changes::person_id.eq_any(of))
            .filter(list_changes::before_sealed.is_not_null())
            .select((list_changes::id, list_changes::person_id, list_changes::before_sealed))
            .load(connection)
    })?;
    for (id, person, sealed) in kept {
        let change: ListChangeId = read(id.clone(), "list_changes", "id", &id)?;
        let person: PersonId = read(person, "list_changes", "person_id", &id)?;
        if let Some(entry) = unseal(tx, sealed, &before_place(&change))? {
            known.insert(person, entry);
        }
    }
    Ok(known)
}

/// How many people the list of a collège and year had once a change of it was validated; no name is opened for that.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn count_after(tx: &mut Tx<'_>, list: &List) -> Result<usize, StoreError> {
    let Some(at) = list.validated_at else { return Ok(0) };
    let rows: Vec<(String, String)> = tx.run(|connection| {
        list_changes::table
            .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
            .filter(lists::uai.eq(list.uai.to_string()))
            .filter(lists::school_year.eq(&list.school_year))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .filter(
                lists::validated_at
                    .lt(at.as_millis())
                    .or(lists::validated_at.eq(at.as_millis()).and(lists::id.le(list.id.to_string()))),
            )
            .order((lists::validated_at.asc(), lists::id.asc(), list_changes::id.asc()))
            .select((list_changes::person_id, list_changes::step))
            .load(connection)
    })?;
    let mut people = BTreeSet::new();
    for (person, step) in rows {
        if step == ListStep::Set.as_str() {
            people.insert(person);
        } else {
            people.remove(&person);
        }
    }
    Ok(people.len())
}

/// Who stands on the validated list of this collège and year, and as what; no name is opened for that.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn standing(
    tx: &mut Tx<'_>,
    uai: &Uai,
    school_year: &str,
) -> Result<BTreeMap<PersonId, UserKind>, StoreError> {
    let spoken_of = spoken_of(tx, uai, school_year)?;
    Ok(spoken_of.into_iter().filter_map(|(person, kind)| Some((person, kind?))).collect())
}

/// Everybody of whom the validated changes of this collège and year spoke, and as what they stand on its list; `None` for
/// whoever was taken off. No name is opened for that.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn spoken_of(
    tx: &mut Tx<'_>,
    uai: &Uai,
    school_year: &str,
) -> Result<BTreeMap<PersonId, Option<UserKind>>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = tx.run(|connection| {
        list_changes::table
            .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::school_year.eq(school_year))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .order((lists::validated_at.asc(), lists::id.asc(), list_changes::id.asc()))
            .select((list_changes::person_id, list_changes::id, list_changes::kind))
            .load(connection)
    })?;
    let mut spoken_of = BTreeMap::new();
    for (person, change, kind) in rows {
        let person: PersonId = read(person, "list_changes", "person_id", &change)?;
        // What takes somebody off names no kind.
        spoken_of.insert(person, read(kind, "list_changes", "kind", &change)?);
    }
    Ok(spoken_of)
}

/// The kinds of people of whom a validated change spoke that names everybody.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn kinds_named_whole(
    tx: &mut Tx<'_>,
    uai: &Uai,
    school_year: &str,
) -> Result<BTreeSet<UserKind>, StoreError> {
    let kinds: Vec<Option<String>> = tx.run(|connection| {
        list_changes::table
            .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::school_year.eq(school_year))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .filter(lists::scope.eq(Scope::Whole.as_str()))
            .filter(list_changes::kind.is_not_null())
            .select(list_changes::kind)
            .distinct()
            .load(connection)
    })?;
    kinds.into_iter().flatten().map(|kind| read(kind, "list_changes", "kind", uai)).collect()
}

/// How many people stand on the validated list of this collège and year; no name is opened for that.
///
/// # Errors
/// As [`standing`].
pub fn count(tx: &mut Tx<'_>, uai: &Uai, school_year: &str) -> Result<usize, StoreError> {
    Ok(standing(tx, uai, school_year)?.len())
}

/// Whether a person stands on the validated list of this collège and year.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn is_listed(
    tx: &mut Tx<'_>,
    person: PersonId,
    uai: &Uai,
    school_year: &str,
) -> Result<bool, StoreError> {
    let last: Option<String> = tx.run(|connection| {
        list_changes::table
            .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
            .filter(list_changes::person_id.eq(person.to_string()))
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::school_year.eq(school_year))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .order((lists::validated_at.desc(), lists::id.desc()))
            .select(list_changes::step)
            .first(connection)
            .optional()
    })?;
    Ok(last.as_deref() == Some(ListStep::Set.as_str()))
}

/// Whether the collège has a validated list of this year.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_validated(tx: &mut Tx<'_>, uai: &Uai, school_year: &str) -> Result<bool, StoreError> {
    let found: Option<String> = tx.run(|connection| {
        lists::table
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::school_year.eq(school_year))
            .filter(lists::state.eq(ListState::Validated.as_str()))
            .select(lists::id)
            .first(connection)
            .optional()
    })?;
    Ok(found.is_some())
}

/// The proposal of a collège and year that waits for a signature.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn waiting(tx: &mut Tx<'_>, uai: &Uai, school_year: &str) -> Result<Option<List>, StoreError> {
    let (proposed, settled) = (ListState::Proposed.as_str(), ListState::Settled.as_str());
    find_first!(
        tx,
        lists::table
            .filter(lists::uai.eq(uai.to_string()))
            .filter(lists::school_year.eq(school_year))
            .filter(lists::state.eq(proposed).or(lists::state.eq(settled)))
    )
}

/// At most `limit` changes of lists within reach, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<ListId>,
    limit: u32,
) -> Result<Vec<List>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let query = lists::table.filter(lists::id.gt(after)).into_boxed();
        of_colleges_within!(query, within, lists::uai.nullable())
            .order(lists::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    lists kept as Loans {
        personal(AccountsAndAudit: Acts) {
            proposed_by, proposed_at, settled_by, settled_at, validated_by, validated_at, withdrawn_at,
        }
        not_personal("which collège and year, how many names, and the digest of them with a number of ours") {
            id, uai, school_year, changes, content_sha256, state, settled_sha256, validated_sha256, scope,
        }
    }
    list_changes kept as Holders {
        personal(Roster: PersonIdentity, Roster: Schooling, Roster: GuardianContact) { entry_sealed, before_sealed }
        personal(Roster: Schooling) { person_id, step, kind }
        not_personal("numbers of ours") { id, list_id }
    }
}
