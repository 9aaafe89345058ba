//! Tokens of the API: only the hash of each is stored. A token is an account's, and ends when it ends.

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, ApiTokenId, Instant, Uai};

use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::api_tokens;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A token of the API.
    pub struct ApiToken in api_tokens keyed by id {
        /// Its id.
        id: ApiTokenId,
        /// SHA-256 of the token.
        secret_sha256: Digest,
        /// Its holder's name for it.
        name: String,
        /// What it may do, never more than its holder.
        scope: String,
        /// When it was made.
        created_at: Instant,
        /// The first instant it is refused.
        expires_at: Option<Instant>,
        /// When it was revoked.
        revoked_at: Option<Instant>,
        /// When it was last used, to the minute.
        last_used_at: Option<Instant>,
        /// Whose it is; `None` for tokens that are older than accounts, and opens nothing.
        account_id: Option<AccountId>,
        /// The collèges it is limited to, within its holder's reach; `None`: as far as its holder reaches.
        reach: Option<BTreeSet<Uai>>,
    }
}

by_key!(api_tokens, ApiToken, id: ApiTokenId; insert, get);

impl Stored {
    /// What the token is found by.
    pub(crate) fn sha256(&self) -> &str {
        &self.secret_sha256
    }
}

/// The token with that hash, expired or revoked ones included.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_secret(tx: &mut Tx<'_>, secret_sha256: &Digest) -> Result<Option<ApiToken>, StoreError> {
    find_first!(tx, api_tokens::table.filter(api_tokens::secret_sha256.eq(secret_sha256.to_string())))
}

/// At most `limit` tokens, oldest first, from the first one after `after`; of one account only, if one is given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    after: Option<ApiTokenId>,
    limit: u32,
) -> Result<Vec<ApiToken>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = api_tokens::table
            .filter(api_tokens::id.gt(after))
            .order(api_tokens::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(account) = account {
            query = query.filter(api_tokens::account_id.eq(account.to_string()));
        }
        query.load::<Stored>(connection)
    }))
}

/// Revokes a token; `false` if there is none, or it was revoked before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke(tx: &mut Tx<'_>, id: ApiTokenId, now: Instant) -> Result<bool, StoreError> {
    let revoked = tx.run(|connection| {
        diesel::update(
            api_tokens::table
                .filter(api_tokens::id.eq(id.to_string()))
                .filter(api_tokens::revoked_at.is_null()),
        )
        .set(api_tokens::revoked_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(revoked == 1)
}

/// Revokes every token of an account: it was suspended or closed. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke_of_account(tx: &mut Tx<'_>, account: AccountId, now: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            api_tokens::table
                .filter(api_tokens::account_id.eq(account.to_string()))
                .filter(api_tokens::revoked_at.is_null()),
        )
        .set(api_tokens::revoked_at.eq(now.as_millis()))
        .execute(connection)
    })
}

/// Notes that a token was used.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn used(tx: &mut Tx<'_>, id: ApiTokenId, now: Instant) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(api_tokens::table.find(id.to_string()))
            .set(api_tokens::last_used_at.eq(now.as_millis()))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    api_tokens kept as ApiTokens {
        personal(AccountsAndAudit: AccountIdentity) { account_id }
        personal(AccountsAndAudit: Credentials) { name, secret_sha256 }
        personal(AccountsAndAudit: Connections) { created_at, last_used_at }
        not_personal("what the token may do, and until when") { id, scope, reach, expires_at, revoked_at }
    }
}
