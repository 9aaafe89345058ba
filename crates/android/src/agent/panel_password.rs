//! The password of the agent's own settings on the tablet.

use std::fmt;

use openssl::hash::{MessageDigest, hash};
use types::Secret;

/// What the tablet is told of its panel's password: the upper-case MD5 of a long random text.
///
/// The agent compares it letter by letter, and without it opens its panel with `12345678`: it is always sent.
#[derive(Clone)]
pub struct PanelPassword(Secret<String>);

/// The fewest characters of a password whose unsalted digest lies on a tablet.
const SHORTEST: usize = 20;

/// Why a text is no password of a panel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPanelPassword {
    /// Its digest would be reversed.
    #[error(
        "a password of the agent's panel has at least {SHORTEST} random characters: its digest lies on the tablet"
    )]
    Short,
    /// OpenSSL refuses MD5, which the agent expects.
    #[error("this machine's OpenSSL refuses MD5, which the agent expects of its panel's password")]
    NoMd5,
}

impl PanelPassword {
    /// The digest of a password.
    ///
    /// # Errors
    /// It is too short, or there is no MD5 here.
    pub fn of(password: &Secret<String>) -> Result<Self, NotAPanelPassword> {
        if password.expose().chars().count() < SHORTEST {
            return Err(NotAPanelPassword::Short);
        }
        let digest = hash(MessageDigest::md5(), password.expose().as_bytes())
            .map_err(|_no_md5| NotAPanelPassword::NoMd5)?;
        Ok(Self(Secret::new(hex::encode_upper(digest))))
    }

    pub(crate) fn digest(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for PanelPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panels_password_is_sent_as_its_upper_case_digest() {
        // RFC 1321, A.5.
        let known = Secret::new("abcdefghijklmnopqrstuvwxyz".to_owned());
        assert_eq!(PanelPassword::of(&known).unwrap().digest(), "C3FCD3D76192E4007DFB496CCA67E13B");
    }

    #[test]
    fn t_c6_a_password_that_could_be_guessed_is_none() {
        let known = Secret::new("12345678".to_owned());
        assert_eq!(PanelPassword::of(&known).unwrap_err(), NotAPanelPassword::Short);
    }
}
