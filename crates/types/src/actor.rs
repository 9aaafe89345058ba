//! Who acts, as the audit log names them.

use std::fmt;

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
