//! Coming in: who bears this session or token, and the code that may come with it.
//!
//! What is unknown, expired or revoked gets the same answer.

use governance::sign_in::{
    Attempts, CodeRefused, Locked, NotSteppedUp, SecondFactor, Step, step_up as check_code,
};
use governance::{AccountState, Permission};
use store::accounts::Trying;
use store::standings::{self, Named};
use store::{Tx, accounts, api_tokens, sessions, settings};
use types::{AccountId, Duration, Instant, Secret};

use super::principal::{Person, Way};
use super::sessions::step_up;
use crate::{Fleet, Principal, Refusal, bearer_secret};

/// What every session begins with.
pub(super) const SESSION_PREFIX: &str = "ardoise_session_";
/// What every token of the API begins with.
pub(super) const TOKEN_PREFIX: &str = "ardoise_";
/// Where the last attempt on a login that does not exist is noted.
const LAST_UNKNOWN_LOGIN: &str = "sign-in.last-unknown-login";
/// How stale the note of a session's or token's last use may be.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// Lets in whoever bears this secret and may do this somewhere. A code of the second factor may come with the request: it
/// counts for this one request with a token, and for five minutes in a session (as [`super::sessions::step_up`]).
///
/// # Errors
/// [`Refusal::NotAuthenticated`]; [`Refusal::NotAllowed`] says what is missing; [`Refusal::CodeRefused`];
/// [`Refusal::Store`] when the memory fails, which refuses nobody for good.
pub async fn admit(
    fleet: &Fleet,
    bearer: &str,
    code: Option<Secret<String>>,
    permission: Permission,
    now: Instant,
) -> Result<Principal, Refusal> {
    let (mut principal, person) = look_up(fleet, bearer, now).await?;
    let Some(code) = code else {
        person.standing.may(permission, &person.access, now)?;
        return Ok(principal);
    };
    match principal.account() {
        Some((account, Way::Token { id, .. })) => {
            show_code(fleet, account, code, now).await?;
            principal = Principal::of_account(account, Way::Token { id, code_at: Some(now) });
        }
        Some((_, Way::Session(_))) => step_up(fleet, &principal, code, now).await?,
        None => {}
    }
    principal.require(fleet, permission, now).await?;
    Ok(principal)
}

/// Who bears this session or token.
///
/// # Errors
/// [`Refusal::NotAuthenticated`]; [`Refusal::Store`].
pub async fn identify(fleet: &Fleet, bearer: &str, now: Instant) -> Result<Principal, Refusal> {
    Ok(look_up(fleet, bearer, now).await?.0)
}

/// Who bears this session or token, and what they may do: one statement, and nothing of its rows is remembered.
async fn look_up(fleet: &Fleet, bearer: &str, now: Instant) -> Result<(Principal, Person), Refusal> {
    let digest = bearer_secret::presented(bearer).ok_or(Refusal::NotAuthenticated)?;
    let (way, person, last_used_at) = if bearer.starts_with(SESSION_PREFIX) {
        let found = fleet.store().glance(move |tx| standings::of_session(tx, Named::Secret(digest))).await?;
        let found = found.ok_or(Refusal::NotAuthenticated)?;
        let (id, last_used_at) = (found.credential.id, found.credential.last_used_at);
        (Way::Session(id), Person::by_session(found, now)?, Some(last_used_at))
    } else {
        let found = fleet.store().token(digest).await?;
        let found = found.ok_or(Refusal::NotAuthenticated)?;
        let (id, last_used_at) = (found.credential.id, found.credential.last_used_at);
        (Way::Token { id, code_at: None }, Person::by_token(found, None, now)?, last_used_at)
    };
    let principal = Principal::of_account(person.standing.account(), way);
    if last_used_at.is_none_or(|last| now.since(last) >= USE_NOTED_EVERY) {
        note_use(fleet, &principal, now).await?;
    }
    Ok((principal, person))
}

async fn note_use(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<(), Refusal> {
    let Some((_, way)) = principal.account() else { return Ok(()) };
    fleet
        .store()
        .write(move |tx| {
            match way {
                Way::Session(id) => {
                    sessions::used(tx, id, now)?;
                }
                Way::Token { id, .. } => api_tokens::used(tx, id, now)?,
            }
            Ok::<_, Refusal>(())
        })
        .await
}

/// Checks a code of the account's second factor, and uses it up. Attempts are counted, apart from those of signing in,
/// before the code is looked at: a stolen session is no place to guess codes (T-C3).
///
/// # Errors
/// [`Refusal::CodeRefused`].
pub(super) async fn show_code(
    fleet: &Fleet,
    account: AccountId,
    code: Secret<String>,
    now: Instant,
) -> Result<(), Refusal> {
    // Whoever has no second factor has no code to guess: that is said, and is no attempt.
    let has_one = fleet
        .store()
        .read(move |tx| Ok::<_, Refusal>(accounts::secrets(tx, account)?.totp.is_some()))
        .await?;
    if !has_one {
        return Err(NotSteppedUp::NoSecondFactor.into());
    }
    let begun = begin_attempt(fleet, account, Trying::Code, now).await?;
    fleet
        .store()
        .write(move |tx| {
            let row = accounts::get(tx, &account)?
                .filter(|row| row.state == AccountState::Active)
                .ok_or(Refusal::NotAuthenticated)?;
            let factor = second_factor(tx, &row)?;
            let step = check_code(factor.as_ref(), begun.0, &code, now)?;
            if !accounts::use_totp_step(tx, account, step)? {
                // Someone else used the same code in between.
                return Err(NotSteppedUp::Code(CodeRefused::Used).into());
            }
            accounts::note_attempts(tx, account, Trying::Code, 0, None)?;
            Ok(())
        })
        .await
}

/// An attempt that was counted, or refused for now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt(pub(super) Result<Attempts, Locked>);

/// Counts an attempt on an account, in a transaction of its own, before anything is compared.
pub(super) async fn begin_attempt(
    fleet: &Fleet,
    account: AccountId,
    trying: Trying,
    now: Instant,
) -> Result<Attempt, Refusal> {
    fleet
        .store()
        .write(move |tx| {
            let (failed, locked_until) =
                accounts::attempts(tx, account, trying)?.ok_or(Refusal::NotAuthenticated)?;
            let attempts = Attempts { failed: u32::try_from(failed).unwrap_or(0), locked_until };
            let begun = attempts.begin(now);
            if let Ok(counted) = begun {
                let failed = i32::try_from(counted.failed).unwrap_or(i32::MAX);
                accounts::note_attempts(tx, account, trying, failed, counted.locked_until)?;
            }
            Ok::<_, Refusal>(Attempt(begun))
        })
        .await
}

/// Counts an attempt on a login that does not exist: it costs a committed write, like any other, so that the time does not
/// tell which logins exist (T-C12).
pub(super) async fn nobodys_attempt(fleet: &Fleet, now: Instant) -> Result<Attempt, Refusal> {
    fleet
        .store()
        .write(move |tx| {
            settings::set(tx, LAST_UNKNOWN_LOGIN, &now.as_millis().to_string())?;
            Ok::<_, Refusal>(Attempt(Attempts::default().begin(now)))
        })
        .await
}

/// The second factor of an account, and the last step of it that was used.
pub(super) fn second_factor(
    tx: &mut Tx<'_>,
    row: &accounts::Account,
) -> Result<Option<(SecondFactor, Option<Step>)>, Refusal> {
    let stored = accounts::secrets(tx, row.id)?.totp;
    Ok(stored.and_then(SecondFactor::from_stored).map(|factor| (factor, row.totp_used_step)))
}
