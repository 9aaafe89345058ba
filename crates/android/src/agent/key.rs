//! The secret in the path: the only value of ours that every request of the agent carries.
//!
//! It is one path segment, in lower case, because the agent compares projects without looking at case before it moves. It is
//! stored as a digest, found by that digest in one look-up, and shown in no log.

use std::fmt;

use types::{Digest, Secret};

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// A first configuration for a tablet of the inventory, a number of times, until a date.
    Enrolment,
    /// One tablet's own view, until the key is changed.
    Tablet,
}

impl KeyKind {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Enrolment, Self::Tablet];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Enrolment => "e-",
            Self::Tablet => "d-",
        }
    }
}

/// A key, as it was made or came in a path.
#[derive(Clone)]
pub struct AgentKey {
    kind: KeyKind,
    segment: Secret<String>,
}

/// How many bytes of chance a key holds.
pub const KEY_BYTES: usize = 20;

impl AgentKey {
    /// A key of these random bytes.
    #[must_use]
    pub fn new(kind: KeyKind, random: &[u8; KEY_BYTES]) -> Self {
        Self { kind, segment: Secret::new(format!("{}{}", kind.prefix(), hex::encode(random))) }
    }

    /// Reads a path segment; `None` if no key of ours looks like this.
    #[must_use]
    pub fn read(segment: &str) -> Option<Self> {
        let (kind, digits) = KeyKind::ALL
            .iter()
            .find_map(|kind| segment.strip_prefix(kind.prefix()).map(|digits| (*kind, digits)))?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let whole = digits.len() == KEY_BYTES.saturating_mul(2) && digits.bytes().all(is_digit);
        whole.then(|| Self { kind, segment: Secret::new(segment.to_owned()) })
    }

    /// What it opens.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The path segment: what the agent calls its project.
    #[must_use]
    pub const fn segment(&self) -> &Secret<String> {
        &self.segment
    }

    /// What is stored of it, and what it is found by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.segment.expose().as_bytes())
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({:?}, [redacted])", self.kind)
    }
}

/// A path in which what could be a key is not shown, for logs: the first segment, whatever it is.
#[must_use]
pub fn without_key(path: &str) -> String {
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_key, rest)| rest);
    format!("/[key]/{}", crate::error::shortened(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_says_what_it_opens() {
        for kind in KeyKind::ALL {
            let made = AgentKey::new(*kind, &[0xA5; KEY_BYTES]);
            let read = AgentKey::read(made.segment().expose()).unwrap();
            assert_eq!((read.kind(), read.digest()), (*kind, made.digest()));
        }
        let one = AgentKey::new(KeyKind::Tablet, &[1; KEY_BYTES]);
        let other = AgentKey::new(KeyKind::Enrolment, &[1; KEY_BYTES]);
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn t_c7_what_is_not_written_as_a_key_is_none() {
        let key = AgentKey::new(KeyKind::Tablet, &[0xAB; KEY_BYTES]);
        let segment = key.segment().expose();
        let bad = [
            segment.to_uppercase(),
            segment.replace("d-", "x-"),
            segment.replace("d-", ""),
            format!("{segment}0"),
            format!("{segment}/"),
            segment.chars().take(41).collect(),
            String::new(),
            "../../etc/passwd".to_owned(),
        ];
        for bad in bad {
            assert!(AgentKey::read(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn t_c11_a_key_shows_itself_in_no_log() {
        let key = AgentKey::new(KeyKind::Tablet, &[0xAB; KEY_BYTES]);
        assert!(!format!("{key:?}").contains("abab"));
        let path = format!("/{}/rest/public/sync/info", key.segment().expose());
        assert_eq!(without_key(&path), "/[key]/rest/public/sync/info");
        assert_eq!(without_key(key.segment().expose()), "/[key]/");
    }
}
