//! Who asks: a [`Principal`] comes only from a token that was checked, or from the calendar.

use types::{Actor, ApiTokenId};

use crate::Refusal;

/// What a token of the API may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look only.
    Read,
    /// Look and act.
    Operate,
}

impl Scope {
    /// The text that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text {
            "read" => Ok(Self::Read),
            "operate" => Ok(Self::Operate),
            _ => Err(Refusal::invalid("scope", "must be `read` or `operate`")),
        }
    }
}

/// Who asks, and what they may do. Every use case takes one and authorises first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    actor: Actor,
    scope: Scope,
}

impl Principal {
    /// The bearer of a token that [`crate::tokens::authenticate`] has just checked.
    pub(crate) fn bearer(token: ApiTokenId, scope: Scope) -> Self {
        Self { actor: Actor::Token(token), scope }
    }

    /// The calendar: due work. `clippy.toml` bans this function outside `jobs`.
    #[must_use]
    pub fn calendar() -> Self {
        Self { actor: Actor::Calendar, scope: Scope::Operate }
    }

    /// Whoever runs a command on the machine itself, which owns the key file and the database.
    /// `clippy.toml` bans this function outside `ardoise`.
    #[must_use]
    pub fn host() -> Self {
        Self { actor: Actor::Host, scope: Scope::Operate }
    }

    /// The actor that the audit log names.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Passes whoever may look.
    pub(crate) fn may_read(&self) -> Result<(), Refusal> {
        self.may(Scope::Read, "look at this")
    }

    /// Passes whoever may act.
    pub(crate) fn may_operate(&self, action: &'static str) -> Result<(), Refusal> {
        self.may(Scope::Operate, action)
    }

    fn may(&self, needed: Scope, action: &'static str) -> Result<(), Refusal> {
        if self.scope >= needed {
            Ok(())
        } else {
            Err(Refusal::NotAllowed { action, scope: self.scope.to_string() })
        }
    }
}

#[cfg(test)]
mod tests {
    use types::Instant;

    use super::*;

    #[test]
    fn a_reader_may_look_and_not_act() {
        let reader = Principal::bearer(ApiTokenId::new(Instant::from_millis(1)), Scope::Read);
        assert!(reader.may_read().is_ok());
        let refusal = reader.may_operate("queue a command").unwrap_err();
        assert_eq!(refusal.to_string(), "this token may not queue a command; it has the scope `read`");
    }
}
