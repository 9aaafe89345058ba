//! Forgetting what was kept of those who work with the server.

use diesel::dsl::min;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _,
};
use types::Instant;

use super::{Backend, first_id_at, instant, most};
use crate::schema::{api_tokens, audit};
use crate::{StoreError, Tx};

/// Deletes at most `limit` tokens of the API that expired or were revoked before `before`.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn api_tokens(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    let millis = before.as_millis();
    tx.run(|connection| {
        let old: Vec<String> = api_tokens::table
            .filter(api_tokens::id.lt(first_id_at(before)))
            .filter(api_tokens::expires_at.lt(millis).or(api_tokens::revoked_at.lt(millis)))
            .order(api_tokens::id.asc())
            .limit(most(limit))
            .select(api_tokens::id)
            .load(connection)?;
        diesel::delete(api_tokens::table.filter(api_tokens::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_api_token(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let (expired, revoked): (Option<i64>, Option<i64>) = tx.run(|connection| {
        api_tokens::table.select((min(api_tokens::expires_at), min(api_tokens::revoked_at))).first(connection)
    })?;
    Ok(instant(expired.into_iter().chain(revoked).min()))
}

fn entries_with_a_body<'q>() -> audit::BoxedQuery<'q, Backend> {
    audit::table.filter(audit::reason.is_not_null().or(audit::detail.is_not_null())).into_boxed()
}

/// Empties the bodies (reason and detail) of at most `limit` entries of the audit log that are older than
/// `before`. The entries stay: who did what, on which tablet and when, is never cut (T-C20).
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn audit(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<i64> = entries_with_a_body()
            .filter(audit::at.lt(before.as_millis()))
            .order(audit::at.asc())
            .limit(most(limit))
            .select(audit::seq)
            .load(connection)?;
        diesel::update(audit::table.filter(audit::seq.eq_any(old)))
            .set((audit::reason.eq(None::<String>), audit::detail.eq(None::<String>)))
            .execute(connection)
    })
}

pub(super) fn oldest_body(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let oldest: Option<i64> = tx.run(|connection| {
        entries_with_a_body().order(audit::at.asc()).select(audit::at).first(connection).optional()
    })?;
    Ok(instant(oldest))
}
