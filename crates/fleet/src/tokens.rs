//! Tokens of the API: given once, kept as hashes, checked at every request.

use serde_json::json;
use store::api_tokens::{self, ApiToken};
use types::{ApiTokenId, Duration, Instant, Secret};

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, Scope, bearer_secret};

/// What every token begins with.
const PREFIX: &str = "ardoise_";
/// The longest that a token may live.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(366 * 86_400);
/// How stale the note of a token's last use may be.
const USE_NOTED_EVERY: Duration = Duration::from_secs(3_600);
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// A token as it is shown, the one time it is.
#[derive(Debug)]
pub struct NewToken {
    /// What is remembered of it.
    pub token: ApiToken,
    /// The token itself.
    pub secret: Secret<String>,
}

/// Gives out a token that lasts `lifetime`.
///
/// # Errors
/// [`Refusal::Invalid`] for a name that is empty or too long, or a lifetime over a year.
pub async fn create(
    fleet: &Fleet,
    principal: &Principal,
    name: &str,
    scope: Scope,
    lifetime: Duration,
    now: Instant,
) -> Result<NewToken, Refusal> {
    principal.may_operate("create tokens")?;
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "name",
            format!("must have 1 to {LONGEST_NAME} characters: say who uses the token"),
        ));
    }
    if lifetime.is_zero() || lifetime > LONGEST_LIFETIME {
        return Err(Refusal::invalid("expires_in_days", "a token lasts from one day to 366"));
    }
    let secret = bearer_secret::generate(PREFIX);
    let token = ApiToken {
        id: ApiTokenId::new(now),
        secret_sha256: bearer_secret::digest(secret.expose()),
        name,
        scope: scope.to_string(),
        created_at: now,
        expires_at: Some(now.plus(lifetime)),
        revoked_at: None,
        last_used_at: None,
        account_id: None,
        reach: None,
    };
    let (row, principal) = (token.clone(), principal.clone());
    fleet
        .store()
        .write(move |tx| {
            api_tokens::insert(tx, &row)?;
            let detail = json!({ "token": row.id, "name": row.name, "scope": row.scope, "expires_at": row.expires_at });
            audit::record(tx, &principal, Change::new("token.create").detail(detail), now)
        })
        .await?;
    Ok(NewToken { token, secret })
}

/// Every token that was given out, oldest first; never the tokens themselves.
///
/// # Errors
/// [`Refusal::NotAllowed`] for a principal that may only look: who may act is not for everyone to know.
pub async fn list(fleet: &Fleet, principal: &Principal) -> Result<Vec<ApiToken>, Refusal> {
    principal.may_operate("see who holds tokens")?;
    fleet.store().read(|tx| Ok(api_tokens::list(tx, None, None, u32::MAX)?)).await
}

/// Revokes a token, at once. Revoking one that was revoked before changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn revoke(
    fleet: &Fleet,
    principal: &Principal,
    id: ApiTokenId,
    now: Instant,
) -> Result<(), Refusal> {
    principal.may_operate("revoke tokens")?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            api_tokens::get(tx, &id)?.ok_or_else(|| Refusal::not_found("token", id))?;
            if api_tokens::revoke(tx, id, now)? {
                audit::record(
                    tx,
                    &principal,
                    Change::new("token.revoke").detail(json!({ "token": id })),
                    now,
                )?;
            }
            Ok(())
        })
        .await
}

/// Who bears this token. What is unknown, expired or revoked gets the same answer.
///
/// # Errors
/// [`Refusal::NotAuthenticated`]; [`Refusal::Store`] when the memory fails, which refuses nobody for good.
pub async fn authenticate(fleet: &Fleet, bearer: &str, now: Instant) -> Result<Principal, Refusal> {
    let digest = bearer_secret::presented(bearer).ok_or(Refusal::NotAuthenticated)?;
    let found = fleet.store().read(move |tx| Ok::<_, Refusal>(api_tokens::by_secret(tx, &digest)?)).await?;
    let token = found
        .filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end))
        .ok_or(Refusal::NotAuthenticated)?;
    let scope: Scope = token.scope.parse()?;
    let id = token.id;
    if token.last_used_at.is_none_or(|last| now.since(last) >= USE_NOTED_EVERY) {
        fleet.store().write(move |tx| Ok::<_, Refusal>(api_tokens::used(tx, id, now)?)).await?;
    }
    Ok(Principal::bearer(id, scope))
}

/// Passes whoever has at least this scope; doors ask before they read a long body.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub fn require(principal: &Principal, scope: Scope) -> Result<(), Refusal> {
    match scope {
        Scope::Read => principal.may_read(),
        Scope::Operate => principal.may_operate("do this"),
    }
}
