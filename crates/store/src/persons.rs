//! People to whom tablets may be lent: what a loan needs of them, and no more (C3.1.6, C4.1). What they are called and how
//! they are reached is sealed.

use std::collections::BTreeMap;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::agreement::Signatory;
use lending::list::Entry;
use lending::{ClassName, PersonName, SchoolNumber};
use serde::{Deserialize, Serialize};
use types::{Day, Instant, MailAddress, PersonId, Uai, UserKind};

use crate::column::{Column as _, read};
use crate::schema::{loans, persons};
use crate::{RowName, StoreError, Tx};

/// What of a person stands in the open.
#[expect(unreachable_pub, reason = "what the macros of nouns make is public")]
mod open {
    use lending::ClassName;
    use types::{Day, Instant, PersonId, Uai, UserKind};

    use crate::noun::{by_key, noun};

    noun! {
        /// A person without what is sealed.
        pub struct Open in persons keyed by id {
            /// Their number.
            id: PersonId,
            /// Their collège.
            uai: Uai,
            /// Who they are to the programme.
            kind: UserKind,
            /// A pupil's class.
            class: Option<ClassName>,
            /// Their last day of attendance.
            leaves_on: Option<Day>,
            /// Since when they are on no list.
            left_at: Option<Instant>,
            /// When they were recorded.
            created_at: Instant,
            /// When their row last changed.
            updated_at: Instant,
            /// Their first day.
            arrives_on: Option<Day>,
            /// How many guardians they have.
            guardians: i32,
        }
    }

    by_key!(persons, Open, id: PersonId; update);
}

/// A person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Their number, which stays where a loan names it.
    pub id: PersonId,
    /// Their collège.
    pub uai: Uai,
    /// Who they are to the programme, for good: whoever becomes another is another entry (C4.1).
    pub kind: UserKind,
    /// What they are called; [`Known::Forgotten`] once their term is over. Sealed.
    pub name: Known,
    /// The number by which the school's register tells them from others of that name. Sealed.
    pub number: Option<SchoolNumber>,
    /// A pupil's class.
    pub class: Option<ClassName>,
    /// Their first day in the collège, if it is to come.
    pub arrives_on: Option<Day>,
    /// Their last day of attendance, if it is known (C5.2.3).
    pub leaves_on: Option<Day>,
    /// How many guardians a pupil has.
    pub guardians: u8,
    /// How they, or their guardians, are reached; empty unless notices may be sent. Sealed.
    pub contacts: BTreeMap<Signatory, MailAddress>,
    /// Since when they are on no list and hold nothing: the term of what is kept of them begins.
    pub left_at: Option<Instant>,
    /// When they were recorded.
    pub created_at: Instant,
    /// When their row last changed.
    pub updated_at: Instant,
}

/// A name, or that it was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// What they are called.
    By(PersonName),
    /// It was purged; the number names nobody any more.
    Forgotten,
}

/// What is sealed of who somebody is.
#[derive(Serialize, Deserialize)]
struct Identity {
    name: PersonName,
    number: Option<SchoolNumber>,
}

type Sealed = (Option<Vec<u8>>, Option<Vec<u8>>);
type Row = (open::Stored, Option<Vec<u8>>, Option<Vec<u8>>);

impl Person {
    /// The person as a validated list says it of them from `now` on.
    #[must_use]
    pub fn listed(id: PersonId, uai: &Uai, entry: &Entry, before: Option<&Self>, now: Instant) -> Self {
        Self {
            id,
            uai: uai.clone(),
            kind: entry.kind,
            name: Known::By(entry.name.clone()),
            number: entry.number.clone(),
            class: entry.class.clone(),
            arrives_on: entry.arrives_on,
            leaves_on: entry.leaves_on,
            guardians: entry.guardians,
            contacts: entry.contacts.clone(),
            left_at: None,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        }
    }

    /// What a list would say of them; `None` once they are forgotten.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let Known::By(name) = &self.name else { return None };
        Some(Entry {
            kind: self.kind,
            name: name.clone(),
            class: self.class.clone(),
            number: self.number.clone(),
            arrives_on: self.arrives_on,
            leaves_on: self.leaves_on,
            guardians: self.guardians,
            contacts: self.contacts.clone(),
        })
    }

    fn open(&self) -> open::Open {
        open::Open {
            id: self.id,
            uai: self.uai.clone(),
            kind: self.kind,
            class: self.class.clone(),
            leaves_on: self.leaves_on,
            left_at: self.left_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            arrives_on: self.arrives_on,
            guardians: i32::from(self.guardians),
        }
    }

    fn sealed(&self, tx: &Tx<'_>) -> Result<Sealed, StoreError> {
        let name = match &self.name {
            Known::Forgotten => None,
            Known::By(name) => {
                let identity = Identity { name: name.clone(), number: self.number.clone() };
                Some(seal(tx, &identity, &place(self.id, "name_sealed"))?)
            }
        };
        let contacts = if self.contacts.is_empty() {
            None
        } else {
            Some(seal(tx, &self.contacts, &place(self.id, "contacts_sealed"))?)
        };
        Ok((name, contacts))
    }

    fn read(tx: &Tx<'_>, stored: open::Stored, (name, contacts): Sealed) -> Result<Self, StoreError> {
        let open = stored.read()?;
        let corrupt = |column| StoreError::Corrupt { table: "persons", row: open.id.to_string(), column };
        let identity: Option<Identity> = unseal(tx, name, &place(open.id, "name_sealed"))?;
        let (name, number) = match identity {
            None => (Known::Forgotten, None),
            Some(identity) => (Known::By(identity.name), identity.number),
        };
        let contacts = unseal(tx, contacts, &place(open.id, "contacts_sealed"))?.unwrap_or_default();
        let guardians = u8::try_from(open.guardians).map_err(|_not_few| corrupt("guardians"))?;
        Ok(Self {
            id: open.id,
            uai: open.uai,
            kind: open.kind,
            name,
            number,
            class: open.class,
            arrives_on: open.arrives_on,
            leaves_on: open.leaves_on,
            guardians,
            contacts,
            left_at: open.left_at,
            created_at: open.created_at,
            updated_at: open.updated_at,
        })
    }
}

fn place(id: PersonId, column: &'static str) -> RowName {
    RowName::new("persons", column, &id)
}

/// Seals a value as JSON.
pub(crate) fn seal(tx: &Tx<'_>, value: &impl Serialize, place: &RowName) -> Result<Vec<u8>, StoreError> {
    let unwritable =
        |_error| StoreError::Corrupt { table: place.table, row: place.row.clone(), column: place.column };
    let json = types::Secret::new(serde_json::to_vec(value).map_err(unwritable)?);
    Ok(tx.vault().seal(json.expose(), place)?)
}

/// Opens what [`seal`] sealed.
pub(crate) fn unseal<T: serde::de::DeserializeOwned>(
    tx: &Tx<'_>,
    sealed: Option<Vec<u8>>,
    place: &RowName,
) -> Result<Option<T>, StoreError> {
    let Some(sealed) = sealed else { return Ok(None) };
    let opened = tx.vault().open(&sealed, place)?;
    let corrupt =
        |_error| StoreError::Corrupt { table: place.table, row: place.row.clone(), column: place.column };
    Ok(Some(serde_json::from_slice(opened.expose()).map_err(corrupt)?))
}

/// Adds a person.
///
/// # Errors
/// [`StoreError::Duplicate`] if the number is taken.
pub fn insert(tx: &mut Tx<'_>, person: &Person) -> Result<(), StoreError> {
    let (name, contacts) = person.sealed(tx)?;
    let stored = open::Stored::of(&person.open());
    let values = (stored, persons::name_sealed.eq(name), persons::contacts_sealed.eq(contacts));
    tx.run(|connection| diesel::insert_into(persons::table).values(values).execute(connection))?;
    Ok(())
}

/// Replaces what is known of a person; `false` if there is none of that number.
///
/// # Errors
/// [`StoreError::Refused`] for somebody who was forgotten.
pub fn update(tx: &mut Tx<'_>, person: &Person) -> Result<bool, StoreError> {
    let (name, contacts) = person.sealed(tx)?;
    // What is sealed first: a row may never be without a name but by being forgotten.
    let changed = tx.run(|connection| {
        diesel::update(persons::table.find(person.id.to_string()))
            .set((
                persons::left_at.eq(person.left_at.map(Instant::as_millis)),
                persons::class.eq(person.class.as_ref().map(|class| class.as_str().to_owned())),
                persons::name_sealed.eq(name),
                persons::contacts_sealed.eq(contacts),
            ))
            .execute(connection)
    })?;
    Ok(changed == 1 && open::update(tx, &person.open())?)
}

/// The person of that number.
///
/// # Errors
/// [`StoreError::Sealed`] if their name does not open; [`StoreError::Corrupt`].
pub fn get(tx: &mut Tx<'_>, id: &PersonId) -> Result<Option<Person>, StoreError> {
    let row: Option<Row> = tx.run(|connection| {
        persons::table
            .find(id.to_string())
            .select((open::Stored::as_select(), persons::name_sealed, persons::contacts_sealed))
            .first(connection)
            .optional()
    })?;
    row.map(|(stored, name, contacts)| Person::read(tx, stored, (name, contacts))).transpose()
}

/// The people of these numbers, as many as there are, in no order; one statement, or none for no number.
///
/// # Errors
/// As [`get`].
pub fn get_all(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = PersonId>) -> Result<Vec<Person>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = tx.run(|connection| {
        persons::table
            .filter(persons::id.eq_any(ids))
            .select((open::Stored::as_select(), persons::name_sealed, persons::contacts_sealed))
            .load(connection)
    })?;
    rows.into_iter().map(|(stored, name, contacts)| Person::read(tx, stored, (name, contacts))).collect()
}

/// At most `limit` people of a collège in the order of their ids, from the first one after `after`.
///
/// # Errors
/// As [`get`].
pub fn list(
    tx: &mut Tx<'_>,
    uai: &Uai,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Vec<Person>, StoreError> {
    let (uai, after) = (uai.to_string(), after.map(|id| id.to_string()).unwrap_or_default());
    let rows: Vec<Row> = tx.run(|connection| {
        persons::table
            .filter(persons::uai.eq(uai))
            .filter(persons::id.gt(after))
            .order(persons::id.asc())
            .limit(i64::from(limit))
            .select((open::Stored::as_select(), persons::name_sealed, persons::contacts_sealed))
            .load(connection)
    })?;
    rows.into_iter().map(|(stored, name, contacts)| Person::read(tx, stored, (name, contacts))).collect()
}

/// Who of a collège has not left, and as what they are known; no name is opened for that.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn present(tx: &mut Tx<'_>, uai: &Uai) -> Result<Vec<(PersonId, UserKind)>, StoreError> {
    let rows: Vec<(String, String)> = tx.run(|connection| {
        persons::table
            .filter(persons::uai.eq(uai.to_string()))
            .filter(persons::left_at.is_null())
            .order(persons::id.asc())
            .select((persons::id, persons::kind))
            .load(connection)
    })?;
    rows.into_iter().map(known_as).collect()
}

/// The class of each of these people who is in one; no name is opened for that.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn classes(
    tx: &mut Tx<'_>,
    of: impl IntoIterator<Item = PersonId>,
) -> Result<BTreeMap<PersonId, ClassName>, StoreError> {
    let ids: Vec<String> = of.into_iter().map(|person| person.to_string()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, Option<String>)> = tx.run(|connection| {
        persons::table
            .filter(persons::id.eq_any(ids))
            .filter(persons::class.is_not_null())
            .select((persons::id, persons::class))
            .load(connection)
    })?;
    let mut classes = BTreeMap::new();
    for (id, class) in rows {
        let person: PersonId = read(id.clone(), "persons", "id", &id)?;
        if let Some(class) = read(class, "persons", "class", &id)? {
            classes.insert(person, class);
        }
    }
    Ok(classes)
}

/// At most `limit` people whose last day of attendance was before `today`, who hold nothing, and whose departure was not
/// written yet, in the order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn departed(tx: &mut Tx<'_>, today: Day, limit: u32) -> Result<Vec<PersonId>, StoreError> {
    let rows: Vec<(String, String)> = tx.run(|connection| {
        let holds = loans::table.filter(loans::person_id.eq(persons::id)).filter(loans::state.ne("ended"));
        persons::table
            .filter(persons::leaves_on.lt(today.stored()))
            .filter(persons::left_at.is_null())
            .filter(diesel::dsl::not(diesel::dsl::exists(holds)))
            .order(persons::id.asc())
            .limit(i64::from(limit))
            .select((persons::id, persons::kind))
            .load(connection)
    })?;
    rows.into_iter().map(|row| Ok(known_as(row)?.0)).collect()
}

fn known_as((id, kind): (String, String)) -> Result<(PersonId, UserKind), StoreError> {
    let kind = read(kind, "persons", "kind", &id)?;
    let person = read(id.clone(), "persons", "id", &id)?;
    Ok((person, kind))
}

crate::declared::declares! {
    persons kept as Holders {
        personal(Roster: PersonIdentity) { kind, name_sealed }
        personal(Roster: Schooling) { uai, class, arrives_on, leaves_on, left_at }
        personal(Roster: GuardianContact) { guardians, contacts_sealed }
        not_personal("a number of ours, and when we wrote") { id, created_at, updated_at }
    }
}
