//! Sessions of signed-in people: only the hash of each secret is stored. A session is whose it is, and a revoked
//! one stays revoked (T-C12).

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Instant, SessionId};

use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::sessions;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A session.
    pub struct Session in sessions keyed by id {
        /// Its id.
        id: SessionId,
        /// Whose it is.
        account_id: AccountId,
        /// SHA-256 of its secret.
        secret_sha256: Digest,
        /// When its holder signed in.
        created_at: Instant,
        /// When it was last used, as far as it was noted.
        last_used_at: Instant,
        /// The first instant it is refused, however much it is used.
        expires_at: Instant,
        /// When its holder last proved again who they are.
        stepped_up_at: Option<Instant>,
        /// When it was revoked.
        revoked_at: Option<Instant>,
    }
}

by_key!(sessions, Session, id: SessionId; insert, get);

/// The session with that hash, expired or revoked ones included.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_secret(tx: &mut Tx<'_>, secret_sha256: &Digest) -> Result<Option<Session>, StoreError> {
    find_first!(tx, sessions::table.filter(sessions::secret_sha256.eq(secret_sha256.to_string())))
}

/// Notes that a session was used; `false` if it was revoked meanwhile. Never moves the note backwards.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn used(tx: &mut Tx<'_>, id: SessionId, now: Instant) -> Result<bool, StoreError> {
    let live = sessions::id.eq(id.to_string()).and(sessions::revoked_at.is_null());
    let noted = tx.run(|connection| {
        diesel::update(sessions::table.filter(live.clone().and(sessions::last_used_at.lt(now.as_millis()))))
            .set(sessions::last_used_at.eq(now.as_millis()))
            .execute(connection)
    })?;
    if noted == 1 {
        return Ok(true);
    }
    let found: i64 = tx.run(|connection| sessions::table.filter(live).count().get_result(connection))?;
    Ok(found == 1)
}

/// Notes that the holder proved again who they are; `false` if the session was revoked or has expired.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn step_up(tx: &mut Tx<'_>, id: SessionId, now: Instant) -> Result<bool, StoreError> {
    let stepped = tx.run(|connection| {
        diesel::update(
            sessions::table
                .filter(sessions::id.eq(id.to_string()))
                .filter(sessions::revoked_at.is_null())
                .filter(sessions::expires_at.gt(now.as_millis())),
        )
        .set(sessions::stepped_up_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(stepped == 1)
}

/// Revokes a session; `false` if it was revoked before, or there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke(tx: &mut Tx<'_>, id: SessionId, now: Instant) -> Result<bool, StoreError> {
    let revoked = tx.run(|connection| {
        diesel::update(
            sessions::table.filter(sessions::id.eq(id.to_string())).filter(sessions::revoked_at.is_null()),
        )
        .set(sessions::revoked_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(revoked == 1)
}

/// Revokes every session of an account but one: its password was changed, its roles were, or it was closed.
/// Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke_of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    but: Option<SessionId>,
    now: Instant,
) -> Result<usize, StoreError> {
    // No session has an empty id.
    let but = but.map(|id| id.to_string()).unwrap_or_default();
    tx.run(|connection| {
        diesel::update(
            sessions::table
                .filter(sessions::account_id.eq(account.to_string()))
                .filter(sessions::id.ne(but))
                .filter(sessions::revoked_at.is_null()),
        )
        .set(sessions::revoked_at.eq(now.as_millis()))
        .execute(connection)
    })
}

/// At most `limit` sessions of an account, the newest first, from the first one before `before`; revoked and
/// expired ones included.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<Session>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        sessions::table
            .filter(sessions::account_id.eq(account.to_string()))
            .filter(sessions::id.lt(before))
            .order(sessions::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    sessions kept as Sessions {
        personal(AccountsAndAudit: Credentials) { secret_sha256 }
        personal(AccountsAndAudit: Connections) {
            account_id, created_at, last_used_at, expires_at, stepped_up_at, revoked_at,
        }
        not_personal("a number of ours") { id }
    }
}
