//! The kinds of due work. Each has one handler in `jobs`.

use std::fmt;
use std::str::FromStr;

/// A kind of due work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Tell one tablet, through Apple, that something waits for it.
    Push,
    /// Ask one tablet for its inventory (C3.1.4).
    Inventory,
    /// Expire commands whose time has passed.
    ExpireCommands,
    /// Replace a tablet's certificate, 60 days before it expires.
    RenewIdentity,
    /// Delete what retention says must go.
    Prune,
}

impl JobKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Push, Self::Inventory, Self::ExpireCommands, Self::RenewIdentity, Self::Prune];

    /// The text that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Inventory => "inventory",
            Self::ExpireCommands => "expire-commands",
            Self::RenewIdentity => "renew-identity",
            Self::Prune => "prune",
        }
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("`{}` is not a kind of job", text.chars().take(64).collect::<String>()))
    }
}
