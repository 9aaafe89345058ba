//! People to whom tablets may be lent: what a loan needs of them, and no more (C3.1.6, C4.1).

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use lending::{ClassName, PersonName};
use types::{Day, Instant, PersonId, Uai, UserKind};

use crate::noun::{by_key, noun, read_all};
use crate::schema::persons;
use crate::{StoreError, Tx};

noun! {
    /// A person.
    pub struct Person in persons keyed by id {
        /// Their number, which stays where a loan names it.
        id: PersonId,
        /// Their collège.
        uai: Uai,
        /// Who they are to the programme, for good: whoever becomes another is another entry (C4.1).
        kind: UserKind,
        /// What they are called; [`Known::Forgotten`] once their term is over.
        name: Known,
        /// A pupil's class.
        class: Option<ClassName>,
        /// Their last day of attendance, if it is known (C5.2.3).
        leaves_on: Option<Day>,
        /// Since when they are on no list and hold nothing: the term of what is kept of them begins.
        left_at: Option<Instant>,
        /// When they were recorded.
        created_at: Instant,
        /// When their row last changed.
        updated_at: Instant,
    }
}

/// A name, or that it was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// What they are called.
    By(PersonName),
    /// It was purged; the number names nobody any more.
    Forgotten,
}

by_key!(persons, Person, id: PersonId; insert, get, update);

/// At most `limit` people of a collège in the order of their ids, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    uai: &Uai,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Vec<Person>, StoreError> {
    let (uai, after) = (uai.to_string(), after.map(|id| id.to_string()).unwrap_or_default());
    read_all!(tx.run(|connection| {
        persons::table
            .filter(persons::uai.eq(uai))
            .filter(persons::id.gt(after))
            .order(persons::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    persons kept as Holders {
        personal(Roster: PersonIdentity) { kind, name }
        personal(Roster: Schooling) { uai, class, leaves_on, left_at }
        not_personal("a number of ours, and when we wrote") { id, created_at, updated_at }
    }
}
