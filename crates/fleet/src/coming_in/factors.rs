//! What people sign in with, as they choose it themselves: password and second factor.

use governance::Permission;
use governance::sign_in::{
    About, NewPassword, NotSignedIn, NotSteppedUp, SecondFactor, Session, first_second_factor,
};
use store::accounts::Trying;
use store::{Tx, accounts, organisations, sessions};
use types::{AccountId, Instant, Secret};

use super::admission::begin_attempt;
use super::sign_in::{stored, stored_hash};
use super::{Principal, Way};
use crate::audit::{self, Change};
use crate::{Fleet, Refusal};

/// A second factor to be set up: its secret is shown once, and counts from the first right code on.
#[derive(Debug)]
pub struct Proposed {
    /// The secret, as a person types it.
    pub secret: Secret<String>,
    /// The address that an authenticator reads as a QR code.
    pub address: Secret<String>,
}

/// Proposes a second factor. Nothing changes until [`confirm`].
///
/// # Errors
/// [`Refusal::Conflict`] for the first one, long after signing in; [`Refusal::NotAllowed`] without a code of the one
/// that would be replaced.
pub async fn propose(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Proposed, Refusal> {
    let (principal, service) = (principal.clone(), fleet.settings().organisation.clone());
    let factor = SecondFactor::new(rand::random());
    fleet
        .store()
        .read(move |tx| {
            let account = may_change(tx, &principal, now)?;
            let row = accounts::get(tx, &account)?.ok_or(Refusal::NotAuthenticated)?;
            let address = factor.address(&format!("Ardoise {service}"), &row.login);
            Ok(Proposed { secret: factor.base32(), address })
        })
        .await
}

/// Sets the second factor that was proposed, once its holder shows that their authenticator knows it. Every other
/// session of the account ends; this one counts as stepped up.
///
/// # Errors
/// As [`propose`]; [`Refusal::CodeRefused`]; [`Refusal::Invalid`] for a secret that is not a proposed one.
pub async fn confirm(
    fleet: &Fleet,
    principal: &Principal,
    secret: Secret<String>,
    code: Secret<String>,
    now: Instant,
) -> Result<(), Refusal> {
    let factor = SecondFactor::from_base32(secret.expose())
        .ok_or_else(|| Refusal::invalid("secret", "must be the secret that was proposed"))?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let account = may_change(tx, &principal, now)?;
            let step = factor.check(&code, None, now).map_err(NotSteppedUp::Code)?;
            accounts::set_totp(tx, account, Some(factor.to_stored()))?;
            accounts::use_totp_step(tx, account, step)?;
            if let Some((_, Way::Session(session))) = principal.account() {
                sessions::revoke_of_account(tx, account, Some(session), now)?;
                sessions::step_up(tx, session, now)?;
            }
            audit::record(tx, &principal, Change::new("account.second-factor"), now)
        })
        .await
}

/// Passes whoever may set their own second factor now: with a code of the present one; or without any, just after
/// signing in.
fn may_change(tx: &mut Tx<'_>, principal: &Principal, now: Instant) -> Result<AccountId, Refusal> {
    let person = principal.person(tx, now)?;
    person.standing.in_use()?;
    let account = person.standing.account();
    let has_one = accounts::secrets(tx, account)?.totp.is_some();
    if has_one {
        person.standing.may(Permission::ManageOwnFactors, &person.access, now)?;
        return Ok(account);
    }
    let Some((_, Way::Session(id))) = principal.account() else {
        return Err(Refusal::OtherHands("in a session: sign in first"));
    };
    let row = sessions::get(tx, &id)?.ok_or(Refusal::NotAuthenticated)?;
    let session = Session {
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
    };
    first_second_factor(has_one, &session, now).map_err(|error| Refusal::Conflict(error.to_string()))?;
    Ok(account)
}

/// Changes one's own password. Every other session of the account ends.
///
/// # Errors
/// [`Refusal::Invalid`] for a weak one; [`Refusal::NotSignedIn`] when the present one is wrong.
pub async fn change_password(
    fleet: &Fleet,
    principal: &Principal,
    current: Secret<String>,
    new: Secret<String>,
    now: Instant,
) -> Result<(), Refusal> {
    let asker = principal.clone();
    let (account, hash, login, name, organisation) = fleet
        .store()
        .read(move |tx| {
            asker.may(tx, Permission::ManageOwnFactors, now)?;
            let (account, _way) = asker.account().ok_or(Refusal::NotAuthenticated)?;
            let row = accounts::get(tx, &account)?.ok_or(Refusal::NotAuthenticated)?;
            let hash = accounts::secrets(tx, account)?.password.map(stored_hash).transpose()?;
            let organisation = organisation_name(tx, row.organisation_id)?;
            Ok::<_, Refusal>((account, hash, row.login, row.name, organisation))
        })
        .await?;
    let about = About { login: &login, name: &name, organisation: &organisation };
    let new = NewPassword::choose(new, about).map_err(|weak| Refusal::invalid("new", weak))?;
    let attempt = begin_attempt(fleet, account, Trying::Password, now).await?;
    attempt.0.map_err(NotSignedIn::Locked)?;
    let right = fleet.passwords().with(move |_decoy| hash.is_some_and(|hash| hash.fits(&current))).await?;
    if !right {
        return Err(NotSignedIn::WrongPassword.into());
    }
    let hash = fleet.passwords().hash(new).await?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may(tx, Permission::ManageOwnFactors, now)?;
            accounts::set_password(tx, account, Some(&stored(&hash)))?;
            let but = match principal.account() {
                Some((_, Way::Session(session))) => Some(session),
                _ => None,
            };
            sessions::revoke_of_account(tx, account, but, now)?;
            audit::record(tx, &principal, Change::new("account.password"), now)
        })
        .await
}

/// What an organisation is called.
pub(super) fn organisation_name(tx: &mut Tx<'_>, id: types::OrganisationId) -> Result<String, Refusal> {
    Ok(organisations::get(tx, &id)?.map(|organisation| organisation.name).unwrap_or_default())
}
