//! Whom a change of the rules must still be told to (C5.2.6): one row per collège that it concerns.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{Instant, NoticeId, Uai};

use crate::StoreError;
use crate::Tx;
use crate::noun::{by_key, noun, read_all};
use crate::schema::notices_due;

noun! {
    /// A notice that is due.
    pub struct Notice in notices_due keyed by id {
        /// Its id.
        id: NoticeId,
        /// What it is about: a noun and its id, such as `profile-version:…`.
        subject: String,
        /// The collège whose users are told; those of all, if none is named.
        uai: Option<Uai>,
        /// What changed, in the title's words.
        title: String,
        /// Since when it is due.
        due_at: Instant,
        /// When it was told.
        told_at: Option<Instant>,
    }
}

by_key!(notices_due, Notice, id: NoticeId; insert, get);

/// The notices about one subject, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn about(tx: &mut Tx<'_>, subject: &str) -> Result<Vec<Notice>, StoreError> {
    read_all!(tx.run(|connection| {
        notices_due::table
            .filter(notices_due::subject.eq(subject))
            .order(notices_due::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// At most `limit` notices that nobody was told yet, the longest due first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn to_tell(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Notice>, StoreError> {
    read_all!(tx.run(|connection| {
        notices_due::table
            .filter(notices_due::told_at.is_null())
            .order((notices_due::due_at.asc(), notices_due::id.asc()))
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Records that those whom somebody can write to were written to.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn told(tx: &mut Tx<'_>, id: NoticeId, at: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(notices_due::table.find(id.to_string()).filter(notices_due::told_at.is_null()))
            .set(notices_due::told_at.eq(at.as_millis()))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    notices_due kept as Evidence {
        not_personal("what changed, for which collège, and whether it was told") {
            id, subject, uai, title, due_at, told_at,
        }
    }
}
