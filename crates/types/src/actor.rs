//! Who acts, as the audit log names them.

use std::fmt;
use std::str::FromStr;

use crate::{AccountId, ApiTokenId, EnrolmentId};

/// Whoever caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person, through a session or a token of their account: what they do counts against the account (M5).
    Account(AccountId),
    /// A person or a program of theirs, through a token of the API.
    Token(ApiTokenId),
    /// A tablet, proven by its certificate.
    Tablet(EnrolmentId),
    /// The calendar: work that is due.
    Calendar,
    /// Someone at the machine itself: `ardoise init`, `migrate`, `restore`.
    Host,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Token(token) => write!(f, "token:{token}"),
            Self::Tablet(enrolment) => write!(f, "tablet:{enrolment}"),
            Self::Calendar => f.write_str("calendar"),
            Self::Host => f.write_str("host"),
        }
    }
}

/// What names nobody who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an actor is `account:ID`, `token:ID`, `tablet:ENROLMENT`, `calendar` or `host`")]
pub struct NotAnActor;

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        Ok(match kind {
            "account" => Self::Account(id.parse().map_err(|_not_an_id| NotAnActor)?),
            "token" => Self::Token(id.parse().map_err(|_not_an_id| NotAnActor)?),
            "tablet" => Self::Tablet(id.parse().map_err(|_not_an_id| NotAnActor)?),
            "calendar" if text == kind => Self::Calendar,
            "host" if text == kind => Self::Host,
            _ => return Err(NotAnActor),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instant;

    #[test]
    fn an_actor_is_read_as_it_is_written_and_nothing_else_is() {
        let now = Instant::from_millis(1_790_000_000_000);
        for actor in [
            Actor::Account(AccountId::new(now)),
            Actor::Token(ApiTokenId::new(now)),
            Actor::Tablet(EnrolmentId::new(now)),
            Actor::Calendar,
            Actor::Host,
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for text in ["", "Host", "host:", "calendar:x", "account:", "account:' OR 1=1 --", "person:1"] {
            assert_eq!(text.parse::<Actor>(), Err(NotAnActor), "{text}");
        }
    }
}
