//! Whether somebody signs in. Every attempt costs one hash and gets one of two answers, so that neither the
//! words nor the time tell whether a login exists (T-C12).

use types::{Instant, Secret};

use super::{Attempts, CodeRefused, Cost, Locked, PasswordHash, SecondFactor, Step};
use crate::AccountState;

/// What a person signs in with, as the rows of their account hold it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Where the account is in its life.
    pub state: AccountState,
    /// Its password, if it was chosen.
    pub password: Option<PasswordHash>,
    /// Its second factor, and the last step of it that was used.
    pub second_factor: Option<(SecondFactor, Option<Step>)>,
}

/// What everyone is told who does not sign in, whatever the reason.
pub const NOT_SIGNED_IN: &str = "login, password or code are not right, or this account cannot sign in for \
     now; after several attempts, wait a quarter of an hour";

/// Why somebody does not sign in: for the audit log. Shown as the one thing that everyone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// There is no such login.
    UnknownLogin,
    /// Too many attempts failed.
    Locked(Locked),
    /// The account is not in use.
    NotActive(AccountState),
    /// The password is wrong.
    WrongPassword,
    /// The account has a second factor, and no code came.
    NoCode,
    /// The code is wrong, or was used.
    Code(CodeRefused),
}

impl std::fmt::Display for NotSignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(NOT_SIGNED_IN)
    }
}

impl std::error::Error for NotSignedIn {}

impl NotSignedIn {
    /// A word for the audit log, and for nobody who signs in.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UnknownLogin => "unknown-login",
            Self::Locked(_) => "locked",
            Self::NotActive(_) => "not-active",
            Self::WrongPassword => "wrong-password",
            Self::NoCode => "no-code",
            Self::Code(CodeRefused::Wrong) => "wrong-code",
            Self::Code(CodeRefused::Used) => "used-code",
        }
    }
}

/// Somebody signed in; the attempts on their account are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// The step of the code that was used, to be stored: the session begins stepped up. `None` for an account
    /// that has no second factor yet, and can do nothing that needs one.
    pub step: Option<Step>,
    /// Whether the password is to be hashed again, at today's cost.
    pub hash_again: bool,
}

/// Checks a login that was found, or was not. `begun` is what [`Attempts::begin`] said for the account,
/// already stored; for a login that does not exist, pass what it says for no attempts.
///
/// # Errors
/// [`NotSignedIn`], which shows the same for every reason.
pub fn check(
    credentials: Option<&Credentials>,
    begun: Result<Attempts, Locked>,
    password: &Secret<String>,
    code: Option<&Secret<String>>,
    decoy: &PasswordHash,
    cost: Cost,
    now: Instant,
) -> Result<SignedIn, NotSignedIn> {
    let hash = credentials.and_then(|credentials| credentials.password.as_ref());
    let right = hash.unwrap_or(decoy).fits(password) && hash.is_some();
    let credentials = credentials.ok_or(NotSignedIn::UnknownLogin)?;
    begun.map_err(NotSignedIn::Locked)?;
    if credentials.state != AccountState::Active {
        return Err(NotSignedIn::NotActive(credentials.state));
    }
    if !right {
        return Err(NotSignedIn::WrongPassword);
    }
    let step = match (&credentials.second_factor, code) {
        (None, _) => None,
        (Some(_), None) => return Err(NotSignedIn::NoCode),
        (Some((factor, last)), Some(code)) => {
            Some(factor.check(code, *last, now).map_err(NotSignedIn::Code)?)
        }
    };
    Ok(SignedIn { step, hash_again: hash.is_some_and(|hash| hash.is_cheaper_than(cost)) })
}

/// Why no code was shown that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSteppedUp {
    /// The account has no second factor yet.
    #[error("this needs a second factor; set one up first")]
    NoSecondFactor,
    /// Too many attempts failed.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// The code is wrong, or was used.
    #[error(transparent)]
    Code(#[from] CodeRefused),
}

/// Checks a code that somebody shows in a session, or with a token. Such attempts are counted too, apart from those of
/// signing in: a stolen session is no place to guess codes, and a login no means to lock out who is in. What is returned is stored as the last step that was
/// used.
///
/// # Errors
/// [`NotSteppedUp`].
pub fn step_up(
    second_factor: Option<&(SecondFactor, Option<Step>)>,
    begun: Result<Attempts, Locked>,
    code: &Secret<String>,
    now: Instant,
) -> Result<Step, NotSteppedUp> {
    let (factor, last) = second_factor.ok_or(NotSteppedUp::NoSecondFactor)?;
    begun?;
    Ok(factor.check(code, *last, now)?)
}
