//! The account of purges: which class of data was purged, when, up to when, and how much went. Appended, never
//! edited. It names nobody.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{Instant, PurgeId};

use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::purges;
use crate::{StoreError, Tx};

noun! {
    /// A purge that ran.
    pub struct Purge in purges keyed by id {
        /// Its id.
        id: PurgeId,
        /// The class of data.
        class: String,
        /// When it ran.
        ran_at: Instant,
        /// What was older than this went.
        older_than: Instant,
        /// How many rows went.
        removed: i64,
    }
}

by_key!(purges, Purge, id: PurgeId; insert);

/// The latest purge of a class.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last(tx: &mut Tx<'_>, class: &str) -> Result<Option<Purge>, StoreError> {
    find_first!(tx, purges::table.filter(purges::class.eq(class)).order(purges::id.desc()))
}

/// At most `limit` purges, the newest first, from the first one before `before`; of one class only, if one is
/// given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    class: Option<&str>,
    before: Option<PurgeId>,
    limit: u32,
) -> Result<Vec<Purge>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = purges::table
            .filter(purges::id.lt(before))
            .order(purges::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(class) = class {
            query = query.filter(purges::class.eq(class));
        }
        query.load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    purges kept as Evidence {
        not_personal("what was forgotten, in numbers") { id, class, ran_at, older_than, removed }
    }
}
