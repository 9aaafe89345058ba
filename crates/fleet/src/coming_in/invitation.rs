//! The link with which an account begins, or is opened again after a reset: shown once, used once.

use governance::sign_in::{About, NewPassword, OneTimeSecret, OneTimeUse};
use store::{accounts, sessions};
use types::{AccountId, Actor, Instant, Secret};

use super::factors::organisation_name;
use super::sign_in::stored;
use crate::audit::{self, Change};
use crate::{Fleet, Refusal, bearer_secret};

/// What every invitation begins with.
const PREFIX: &str = "ardoise_invitation_";
/// Whatever is wrong with an invitation, its bearer is told this.
const NOT_VALID: &str = "this invitation is not valid: it was used, replaced by a newer one, or has expired; ask whoever \
     manages the accounts of your organisation for another";

/// An invitation or reset link as it is shown, the one time it is.
#[derive(Debug)]
pub struct Invitation {
    /// Whose account it opens.
    pub account: AccountId,
    /// The secret.
    pub secret: Secret<String>,
    /// The first instant it is refused.
    pub expires_at: Instant,
    /// Until when at the latest nobody of that organisation can be the second person of another, because one person invited all
    /// who manage it; `None` if somebody can (C3.1.7).
    pub no_second_person_until: Option<Instant>,
}

/// A new link and what is remembered of it.
pub(crate) fn new(account: AccountId, of: OneTimeUse, now: Instant) -> (Invitation, OneTimeSecret) {
    let secret = bearer_secret::generate(PREFIX);
    let kept = OneTimeSecret::new(secret.expose().as_bytes(), of, now);
    let expires_at = kept.expires_at;
    (Invitation { account, secret, expires_at, no_second_person_until: None }, kept)
}

/// Uses an invitation or reset link: its bearer chooses the password, and the account is active. Sessions of before
/// end. Says the login to sign in with.
///
/// # Errors
/// [`Refusal::Conflict`] for a link that is worth nothing; [`Refusal::Invalid`] for a weak password, and the link can
/// still be used.
pub async fn accept(
    fleet: &Fleet,
    link: Secret<String>,
    password: Secret<String>,
    now: Instant,
) -> Result<String, Refusal> {
    let not_valid = || Refusal::Conflict(NOT_VALID.into());
    let digest = bearer_secret::presented(link.expose()).ok_or_else(not_valid)?;
    let (row, organisation) = fleet
        .store()
        .read(move |tx| {
            let row = accounts::by_invitation(tx, &digest)?.ok_or_else(not_valid)?;
            let kept = row.invitation_sha256.zip(row.invitation_expires_at);
            let (sha256, expires_at) = kept.ok_or_else(not_valid)?;
            let kept = OneTimeSecret { sha256, expires_at };
            kept.redeem(link.expose().as_bytes(), now).map_err(|_why| not_valid())?;
            let organisation = organisation_name(tx, row.organisation_id)?;
            Ok::<_, Refusal>((row, organisation))
        })
        .await?;
    let about = About { login: &row.login, name: &row.name, organisation: &organisation };
    let password = NewPassword::choose(password, about).map_err(|weak| Refusal::invalid("password", weak))?;
    let hash = fleet.passwords().hash(password).await?;
    fleet
        .store()
        .write(move |tx| {
            let account = accounts::accept_invitation(tx, &digest, now)?.ok_or_else(not_valid)?;
            accounts::set_password(tx, account.id, Some(&stored(&hash)))?;
            sessions::revoke_of_account(tx, account.id, None, now)?;
            let by = Actor::Account(account.id);
            audit::record_by(tx, by, Change::new("account.accept-invitation"), now)?;
            Ok(account.login)
        })
        .await
}
