//! Signing in: one of two answers, whatever was wrong, after the time of one hash (T-C12).

use governance::sign_in::{
    CodeRefused, Credentials, NewPassword, NotSignedIn, PasswordHash, Session, SignedIn, check,
};
use governance::{AccountState, Login};
use serde_json::json;
use store::accounts::Trying;
use store::{Digest, Tx, accounts, sessions};
use types::{AccountId, Instant, Secret, SessionId};

use super::admission::{SESSION_PREFIX, begin_attempt, nobodys_attempt, second_factor};
use super::passwords::COST;
use super::{Principal, Way};
use crate::audit::{self, Change};
use crate::{Fleet, Refusal, bearer_secret};

/// The longest login, password or code that is looked at, in bytes.
const LONGEST: usize = 4_096;

/// A session that has just begun.
#[derive(Debug)]
pub struct Begun {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Its secret, shown this once.
    pub secret: Secret<String>,
    /// The first instant it is refused, however much it is used.
    pub expires_at: Instant,
    /// Whether the account has a second factor: without one, little can be done but to set it up.
    pub has_second_factor: bool,
}

/// Signs somebody in.
///
/// The attempt is counted before anything is compared, and forgotten when it was right. A code that was right opens
/// what needs one for five minutes.
///
/// # Errors
/// [`Refusal::NotSignedIn`], which shows the same for every reason; the reason is logged, without the login.
pub async fn sign_in(
    fleet: &Fleet,
    login: &str,
    password: Secret<String>,
    code: Option<Secret<String>>,
    now: Instant,
) -> Result<Begun, Refusal> {
    let too_long =
        password.expose().len() > LONGEST || code.as_ref().is_some_and(|code| code.expose().len() > LONGEST);
    let login = login.parse::<Login>().ok().filter(|_login| !too_long);
    let found = match login {
        None => None,
        Some(login) => {
            fleet
                .store()
                .read(move |tx| {
                    let Some(row) = accounts::by_login(tx, login.as_str())? else { return Ok(None) };
                    let secrets = accounts::secrets(tx, row.id)?;
                    let password = secrets.password.map(stored_hash).transpose()?;
                    let second_factor = second_factor(tx, &row)?;
                    {
                        let looked_at = looked_at(tx, row.id)?;
                        let credentials = Credentials { state: row.state, password, second_factor };
                        Ok::<_, Refusal>(Some((row.id, (credentials, looked_at))))
                    }
                })
                .await?
        }
    };
    let begun = match &found {
        Some((account, _)) => begin_attempt(fleet, *account, Trying::Password, now).await?,
        None => nobodys_attempt(fleet, now).await?,
    };
    let (account, found) = found.unzip();
    let (credentials, looked_at) = found.unzip();
    let has_second_factor =
        credentials.as_ref().is_some_and(|credentials| credentials.second_factor.is_some());
    let again = password.clone();
    let checked = fleet
        .passwords()
        .with(move |decoy| {
            let password = if too_long { Secret::new(String::new()) } else { password };
            check(credentials.as_ref(), begun.0, &password, code.as_ref(), decoy, COST, now)
        })
        .await?;
    match (checked, account) {
        (Ok(signed_in), Some(account)) => {
            let new_hash = if signed_in.hash_again { hash_again(fleet, again).await? } else { None };
            let checked = Checked { signed_in, looked_at, new_hash, has_second_factor };
            begin(fleet, account, checked, now).await
        }
        (Err(why), account) => {
            let account = account.map(|account| account.to_string());
            tracing::warn!(account, why = why.as_str(), "somebody did not sign in");
            Err(why.into())
        }
        (Ok(_), None) => Err(NotSignedIn::UnknownLogin.into()),
    }
}

/// The hash of a password at today's cost. A password that would not be admitted today stays as it is.
async fn hash_again(fleet: &Fleet, password: Secret<String>) -> Result<Option<PasswordHash>, Refusal> {
    let nobody = governance::sign_in::About { login: "", name: "", organisation: "" };
    match NewPassword::choose(password, nobody) {
        Ok(password) => fleet.passwords().hash(password).await.map(Some),
        Err(_weak) => Ok(None),
    }
}

/// What was checked outside the transaction that begins the session.
struct Checked {
    signed_in: SignedIn,
    /// What opened the account when it was checked.
    looked_at: Option<Digest>,
    new_hash: Option<PasswordHash>,
    has_second_factor: bool,
}

/// A digest of what opens an account now: password and second factor.
fn looked_at(tx: &mut Tx<'_>, account: AccountId) -> Result<Digest, Refusal> {
    let secrets = accounts::secrets(tx, account)?;
    let of = |secret: Option<Secret<Vec<u8>>>| {
        secret.map_or_else(|| Digest::of(b"none"), |secret| Digest::of(secret.expose().as_slice()))
    };
    Ok(Digest::of(format!("{}{}", of(secrets.password), of(secrets.totp)).as_bytes()))
}

async fn begin(fleet: &Fleet, account: AccountId, checked: Checked, now: Instant) -> Result<Begun, Refusal> {
    let Checked { signed_in, looked_at: checked, new_hash, has_second_factor } = checked;
    let secret = bearer_secret::generate(SESSION_PREFIX);
    let digest = bearer_secret::digest(secret.expose());
    let id = SessionId::new(now);
    let rule = Session::begin(now);
    fleet
        .store()
        .write(move |tx| {
            // It may have been suspended while its password was hashed.
            accounts::get(tx, &account)?
                .filter(|row| row.state == AccountState::Active)
                .ok_or(NotSignedIn::UnknownLogin)?;
            // What was right when it was looked at may have been reset, or given a second factor, while it was hashed.
            if Some(looked_at(tx, account)?) != checked {
                return Err(NotSignedIn::WrongPassword.into());
            }
            if let Some(step) = signed_in.step
                && !accounts::use_totp_step(tx, account, step)?
            {
                return Err(NotSignedIn::Code(CodeRefused::Used).into());
            }
            match &new_hash {
                Some(hash) => {
                    accounts::set_password(tx, account, Some(&stored(hash)))?;
                }
                None => accounts::note_attempts(tx, account, Trying::Password, 0, None)?,
            }
            let session = sessions::Session {
                id,
                account_id: account,
                secret_sha256: digest,
                created_at: rule.created_at,
                last_used_at: rule.last_used_at,
                expires_at: rule.expires_at,
                stepped_up_at: signed_in.step.map(|_step| now),
                revoked_at: None,
            };
            sessions::insert(tx, &session)?;
            let principal = Principal::of_account(account, Way::Session(id));
            let change = Change::new("session.begin").detail(json!({ "session": id }));
            audit::record(tx, &principal, change, now)
        })
        .await?;
    Ok(Begun { id, account, secret, expires_at: rule.expires_at, has_second_factor })
}

/// The hash of a password, as it is sealed.
pub(super) fn stored(hash: &PasswordHash) -> Secret<Vec<u8>> {
    Secret::new(hash.to_stored().expose().clone().into_bytes())
}

/// The hash that was sealed.
pub(super) fn stored_hash(bytes: Secret<Vec<u8>>) -> Result<PasswordHash, Refusal> {
    String::from_utf8(bytes.expose().clone())
        .map(|text| PasswordHash::from_stored(Secret::new(text)))
        .map_err(|_not_text| Refusal::Internal("the hash of a password is not text".into()))
}
