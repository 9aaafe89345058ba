//! Tokens of the API: made by people for their programs, never with more rights than their account; shown once, kept
//! as hashes, checked at every request.

use std::collections::BTreeSet;

use governance::{Permission, Place, Scope};
use serde_json::json;
use store::Tx;
use store::api_tokens::{self, ApiToken};
use types::{AccountId, ApiTokenId, Duration, Instant, Secret, Uai};

use super::Principal;
use super::admission::TOKEN_PREFIX;
use crate::audit::{self, Change};
use crate::{Fleet, Refusal, bearer_secret};

/// The longest that a token may live.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(366 * 86_400);
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// The most tokens that an account has; the oldest must go first.
const MOST: usize = 50;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it is for.
    pub name: String,
    /// What it may do, within what its account may.
    pub scope: Scope,
    /// The only collèges it reaches; `None`: as far as its account.
    pub colleges: Option<BTreeSet<Uai>>,
    /// How long it lasts.
    pub lifetime: Duration,
}

/// A token as it is shown, the one time it is.
#[derive(Debug)]
pub struct NewToken {
    /// What is remembered of it.
    pub token: ApiToken,
    /// The token itself.
    pub secret: Secret<String>,
}

/// Makes a token for one's own account.
///
/// # Errors
/// [`Refusal::Invalid`] names the field; [`Refusal::NotAllowed`] with a token, or without a code shown a moment ago.
pub async fn create(
    fleet: &Fleet,
    principal: &Principal,
    wanted: Wanted,
    now: Instant,
) -> Result<NewToken, Refusal> {
    let Wanted { name, scope, colleges, lifetime } = wanted;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "name",
            format!("must have 1 to {LONGEST_NAME} characters: say what uses the token"),
        ));
    }
    if lifetime.is_zero() || lifetime > LONGEST_LIFETIME {
        return Err(Refusal::invalid("expires_in_days", "a token lasts from one day to 366"));
    }
    if colleges.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(Refusal::invalid("colleges", "must name at least one collège, or be left out"));
    }
    let secret = bearer_secret::generate(TOKEN_PREFIX);
    let digest = bearer_secret::digest(secret.expose());
    let principal = principal.clone();
    let token = fleet
        .store()
        .write(move |tx| {
            let account = own(tx, &principal, now)?;
            let held = api_tokens::list(tx, Some(account), None, u32::MAX)?;
            if held.iter().filter(|token| super::principal::is_in_force(token, now)).count() >= MOST {
                return Err(Refusal::Conflict(format!(
                    "this account has {MOST} tokens; revoke those that nothing uses"
                )));
            }
            let token = ApiToken {
                id: ApiTokenId::new(now),
                secret_sha256: digest,
                name: name.clone(),
                scope: scope.to_string(),
                created_at: now,
                expires_at: Some(now.plus(lifetime)),
                revoked_at: None,
                last_used_at: None,
                account_id: Some(account),
                reach: colleges.clone(),
            };
            api_tokens::insert(tx, &token)?;
            let detail = json!({ "token": token.id, "scope": token.scope, "expires_at": token.expires_at });
            audit::record(tx, &principal, Change::new("token.create").detail(detail), now)?;
            Ok(token)
        })
        .await?;
    Ok(NewToken { token, secret })
}

/// One's own tokens, oldest first, those that are over included; never the tokens themselves.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Vec<ApiToken>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            // Looking changes nothing: no code is asked for.
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ManageOwnSessions, &person.access, now)?;
            Ok(api_tokens::list(tx, Some(person.standing.account()), None, u32::MAX)?)
        })
        .await
}

/// Revokes one of one's own tokens, at once. Revoking one that was revoked before changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for a token of somebody else (T-C1).
pub async fn revoke(
    fleet: &Fleet,
    principal: &Principal,
    id: ApiTokenId,
    now: Instant,
) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            // Stopping is always easy: no code is asked for.
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ManageOwnSessions, &person.access, now)?;
            api_tokens::get(tx, &id)?
                .filter(|token| token.account_id == Some(person.standing.account()))
                .ok_or_else(|| Refusal::not_found("token", id))?;
            if api_tokens::revoke(tx, id, now)? {
                let change = Change::new("token.revoke").detail(json!({ "token": id }));
                audit::record(tx, &principal, change, now)?;
            }
            Ok(())
        })
        .await
}

/// The account of whoever may make tokens for it.
fn own(tx: &mut Tx<'_>, principal: &Principal, now: Instant) -> Result<AccountId, Refusal> {
    let person = principal.person(tx, now)?;
    let (account, organisation) = (person.standing.account(), person.standing.organisation().id());
    let place = Place::Account { account, organisation };
    person.standing.may_at(Permission::ManageOwnTokens, &place, &person.access, now)?;
    Ok(account)
}
