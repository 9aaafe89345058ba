//! Where somebody can be written to.

use std::fmt;
use std::str::FromStr;

/// A text that is no mail address. It does not repeat the text, which may name somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid mail address: expected one address, such as nom@exemple.fr")]
pub struct InvalidMailAddress;

/// One mail address (RFC 5321 §4.1.2), without a name, a comment or a quoted part. It shows itself in no log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

impl MailAddress {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What ends an address, begins another or makes a header of it, wherever it is written (T-C9).
const NEVER: &[char] = &['<', '>', '(', ')', '[', ']', '\\', ',', ';', ':', '"', '@'];

impl FromStr for MailAddress {
    type Err = InvalidMailAddress;

    fn from_str(text: &str) -> Result<Self, InvalidMailAddress> {
        let text = text.trim();
        let plain = |part: &str| {
            !part.is_empty()
                && !part.contains(NEVER)
                && !part.chars().any(|letter| letter.is_control() || letter.is_whitespace())
        };
        let (who, place) = text.split_once('@').ok_or(InvalidMailAddress)?;
        let dotted = place.contains('.') && place.split('.').all(|label| !label.is_empty());
        if text.len() <= 254 && who.len() <= 64 && plain(who) && plain(place) && dotted {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMailAddress)
        }
    }
}

impl TryFrom<String> for MailAddress {
    type Error = InvalidMailAddress;

    fn try_from(text: String) -> Result<Self, InvalidMailAddress> {
        text.parse()
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> Self {
        address.0
    }
}

/// Says nothing: it names a person, and logs do not.
impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c9_a_mail_address_is_one_address_and_shows_itself_in_no_log() {
        let address: MailAddress = " a.martin@exemple.fr ".parse().unwrap();
        assert_eq!(
            (address.as_str(), format!("{address:?}").as_str()),
            ("a.martin@exemple.fr", "MailAddress(…)")
        );
        for bad in [
            "",
            "a",
            "@exemple.fr",
            "a@b",
            "a@b..fr",
            "a@.fr",
            "a b@exemple.fr",
            "a@b.fr,c@d.fr",
            "a@b.fr\nBcc: c",
            "a\r\n@b.fr",
            "<a@b.fr>",
            "a@b.fr> SIZE=1",
            "\"a b\"@c.fr",
            "a@[127.0.0.1]",
        ] {
            assert!(bad.parse::<MailAddress>().is_err(), "{bad:?}");
        }
    }
}
