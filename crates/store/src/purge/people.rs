//! Forgetting what was kept of those who work with the server.

use diesel::dsl::{exists, min, not};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _,
};
use types::{Instant, PersonId};

use super::{Backend, first_id_at, instant, most};
use crate::connection::AnyConnection;
use crate::countersignatures::CountersignatureState;
use crate::loans::Standing;
use crate::schema::{
    accounts, api_tokens, audit, countersignatures, list_changes, lists, loans, persons, sessions, signatures,
};
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

/// Deletes at most `limit` sessions that ended before `before`: whatever became of them, they opened nothing any
/// more.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn sessions(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = sessions::table
            .filter(sessions::expires_at.lt(before.as_millis()))
            .order((sessions::expires_at.asc(), sessions::id.asc()))
            .limit(most(limit))
            .select(sessions::id)
            .load(connection)?;
        diesel::delete(sessions::table.filter(sessions::id.eq_any(old))).execute(connection)
    })
}

pub(super) fn oldest_session(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| sessions::table.select(min(sessions::expires_at)).first(connection)).map(instant)
}

/// Accounts that are closed and still say whose they were.
fn closed_accounts<'q>() -> accounts::BoxedQuery<'q, Backend> {
    accounts::table.filter(accounts::closed_at.is_not_null()).filter(accounts::name.ne("")).into_boxed()
}

/// Forgets who held at most `limit` accounts that were closed before `before`: name, address and login go, the
/// id stays where the audit log names it.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn accounts(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = closed_accounts()
            .filter(accounts::closed_at.lt(before.as_millis()))
            .order(accounts::closed_at.asc())
            .limit(most(limit))
            .select(accounts::id)
            .load(connection)?;
        for id in &old {
            diesel::update(accounts::table.find(id))
                .set((
                    accounts::name.eq(""),
                    accounts::email.eq(None::<String>),
                    accounts::login.eq(format!("closed-{id}")),
                ))
                .execute(connection)?;
        }
        Ok(old.len())
    })
}

pub(super) fn oldest_closed_account(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.run(|connection| closed_accounts().select(min(accounts::closed_at)).first(connection)).map(instant)
}

/// Requests for a second person that are over and still say what was asked.
fn countersignatures_with_a_body<'q>() -> countersignatures::BoxedQuery<'q, Backend> {
    countersignatures::table
        .filter(countersignatures::state.ne(CountersignatureState::Waiting.as_str()))
        .filter(countersignatures::content.is_not_null())
        .into_boxed()
}

/// Empties what was asked, why, and what was said to it, in at most `limit` requests for a second person that
/// are over and were asked before `before`. Who asked and answered, and the digest, stay.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn countersignatures(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = countersignatures_with_a_body()
            .filter(countersignatures::asked_at.lt(before.as_millis()))
            .order(countersignatures::asked_at.asc())
            .limit(most(limit))
            .select(countersignatures::id)
            .load(connection)?;
        diesel::update(countersignatures::table.filter(countersignatures::id.eq_any(old)))
            .set((
                countersignatures::content.eq(None::<String>),
                countersignatures::reason.eq(None::<String>),
                countersignatures::answer_reason.eq(None::<String>),
            ))
            .execute(connection)
    })
}

pub(super) fn oldest_countersignature(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let oldest = tx.run(|connection| {
        countersignatures_with_a_body().select(min(countersignatures::asked_at)).first(connection)
    })?;
    Ok(instant(oldest))
}

/// People who have left, hold nothing, and are still named.
fn persons_who_left<'q>() -> persons::BoxedQuery<'q, Backend> {
    let holds = loans::table
        .filter(loans::person_id.eq(persons::id))
        .filter(loans::state.ne(Standing::Ended.as_str()));
    persons::table
        .filter(persons::left_at.is_not_null())
        .filter(persons::name_sealed.is_not_null())
        .filter(not(exists(holds)))
        .into_boxed()
}

/// Names on lists that were taken back before they counted.
#[diesel::dsl::auto_type]
fn names_taken_back() -> _ {
    list_changes::table
        .inner_join(lists::table.on(lists::id.eq(list_changes::list_id)))
        .filter(list_changes::entry_sealed.is_not_null())
        .filter(lists::withdrawn_at.is_not_null())
}

/// Forgets who at most `limit` people were that left before `before`: name, class, last day and contacts go, and with them
/// what lists and signatures say of them; the number stays where a loan names it. Names on lists that were taken back
/// before then go, too.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn persons(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<String> = persons_who_left()
            .filter(persons::left_at.lt(before.as_millis()))
            .order(persons::left_at.asc())
            .limit(most(limit))
            .select(persons::id)
            .load(connection)?;
        let forgotten = forget(connection, &old)?;
        let left = most(limit).saturating_sub(i64::try_from(forgotten).unwrap_or(i64::MAX));
        let taken_back: Vec<String> = names_taken_back()
            .filter(lists::withdrawn_at.lt(before.as_millis()))
            .order(lists::withdrawn_at.asc())
            .limit(left.max(0))
            .select(list_changes::id)
            .load(connection)?;
        if taken_back.is_empty() {
            return Ok(forgotten);
        }
        let emptied = diesel::update(list_changes::table.filter(list_changes::id.eq_any(taken_back)))
            .set(list_changes::entry_sealed.eq(None::<Vec<u8>>))
            .execute(connection)?;
        Ok(forgotten + emptied)
    })
}

/// Empties what tells who people were.
fn forget(connection: &mut AnyConnection, people: &[String]) -> diesel::QueryResult<usize> {
    diesel::update(list_changes::table.filter(list_changes::person_id.eq_any(people)))
        .set((
            list_changes::entry_sealed.eq(None::<Vec<u8>>),
            list_changes::before_sealed.eq(None::<Vec<u8>>),
        ))
        .execute(connection)?;
    diesel::update(signatures::table.filter(signatures::person_id.eq_any(people)))
        .set(signatures::evidence.eq(""))
        .execute(connection)?;
    diesel::update(persons::table.filter(persons::id.eq_any(people)))
        .set((
            persons::name_sealed.eq(None::<Vec<u8>>),
            persons::contacts_sealed.eq(None::<Vec<u8>>),
            persons::class.eq(None::<String>),
            persons::arrives_on.eq(None::<String>),
            persons::leaves_on.eq(None::<String>),
        ))
        .execute(connection)
}

/// Forgets who one person was, before their term is over: they asked for it, and nothing ties them to the programme any more
/// (`privacy::may_forget`). `false` if nobody has that number.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn person(tx: &mut Tx<'_>, person: PersonId, now: Instant) -> Result<bool, StoreError> {
    let id = person.to_string();
    tx.run(|connection| {
        // Whoever is forgotten has left, at the latest now.
        diesel::update(persons::table.filter(persons::id.eq(&id)).filter(persons::left_at.is_null()))
            .set(persons::left_at.eq(now.as_millis()))
            .execute(connection)?;
        Ok(forget(connection, std::slice::from_ref(&id))? == 1)
    })
}

pub(super) fn oldest_person(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let left: Option<i64> =
        tx.run(|connection| persons_who_left().select(min(persons::left_at)).first(connection))?;
    let taken_back: Option<Option<i64>> = tx.run(|connection| {
        names_taken_back()
            .order(lists::withdrawn_at.asc())
            .select(lists::withdrawn_at)
            .first(connection)
            .optional()
    })?;
    Ok(instant(left.into_iter().chain(taken_back.flatten()).min()))
}

/// Entries whose body is known by its digest and was not emptied. An entry that has no digest yet, of a program
/// that knew none, gets it when it is sealed, and is emptied after that.
fn entries_with_a_body<'q>() -> audit::BoxedQuery<'q, Backend> {
    audit::table.filter(audit::salt.is_not_null()).into_boxed()
}

/// Empties the bodies of at most `limit` entries of the audit log that are older than `before`: reason, detail
/// and salt go together, their digest stays, and the chain holds. The entries stay: who did what, on which
/// tablet and when, is never cut (T-C20).
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn audit(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let old: Vec<i64> = entries_with_a_body()
            .filter(audit::at.lt(before.as_millis()))
            .order((audit::at.asc(), audit::seq.asc()))
            .limit(most(limit))
            .select(audit::seq)
            .load(connection)?;
        diesel::update(audit::table.filter(audit::seq.eq_any(old)))
            .set((
                audit::reason.eq(None::<String>),
                audit::detail.eq(None::<String>),
                audit::salt.eq(None::<Vec<u8>>),
            ))
            .execute(connection)
    })
}

pub(super) fn oldest_body(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let oldest: Option<i64> = tx.run(|connection| {
        entries_with_a_body().order(audit::at.asc()).select(audit::at).first(connection).optional()
    })?;
    Ok(instant(oldest))
}
