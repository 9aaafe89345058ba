//! How a person comes in: by a session, or by a token of the API. A token never reaches further than its
//! account.

use std::collections::BTreeSet;

use types::{Duration, Instant, Uai, text_enum};

use crate::{NotAllowed, Permission, needs_step_up};

/// How long a code of the second factor, once shown, opens what needs one.
pub const STEP_UP_LASTS: Duration = Duration::from_secs(5 * 60);

/// How far the clocks of two machines of one service may lie apart.
pub(crate) const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(5);

text_enum! {
    /// What a token of the API may do.
    Scope: "scope" {
        /// Look only.
        Read = "read",
        /// Look and act.
        Operate = "operate",
    }
}

/// How a person comes in. What they do counts against their account either way (M5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// By a session of the people's door.
    Session {
        /// When they last showed a code of their second factor in it.
        stepped_up_at: Option<Instant>,
    },
    /// By a token of the API.
    Token {
        /// What the token may do.
        scope: Scope,
        /// The only collèges it reaches, if it is limited to some.
        colleges: Option<BTreeSet<Uai>>,
        /// When a code of the second factor came with it: with this request, or never. A token alone, even a
        /// stolen one, does nothing that needs a code.
        stepped_up_at: Option<Instant>,
    },
}

impl Access {
    /// Passes what this way of coming in lets through, whatever the person's roles.
    pub(crate) fn lets(&self, permission: Permission, now: Instant) -> Result<(), NotAllowed> {
        if let Self::Token { scope, .. } = self {
            if permission.takes_a_session() {
                return Err(NotAllowed::TakesASession { permission });
            }
            if *scope == Scope::Read && !permission.only_looks() {
                return Err(NotAllowed::OnlyLooks { permission });
            }
        }
        if needs_step_up(permission) && !self.stepped_up(now) {
            return Err(NotAllowed::StepUp { permission });
        }
        Ok(())
    }

    /// Whether a code was shown a moment ago.
    #[must_use]
    pub fn stepped_up(&self, now: Instant) -> bool {
        let (Self::Session { stepped_up_at } | Self::Token { stepped_up_at, .. }) = self;
        stepped_up_at.is_some_and(|at| at <= now.plus(CLOCKS_DIFFER_BY) && now < at.plus(STEP_UP_LASTS))
    }

    /// The only collèges it reaches, if it is limited to some.
    pub(crate) fn only(&self) -> Option<&BTreeSet<Uai>> {
        match self {
            Self::Session { .. } => None,
            Self::Token { colleges, .. } => colleges.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(1_795_000_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn t_c12_a_code_opens_for_five_minutes_and_not_in_a_past_it_comes_from() {
        let session = Access::Session { stepped_up_at: Some(at(1_000)) };
        assert!(session.stepped_up(at(1_000)) && session.stepped_up(at(1_299)));
        assert!(!session.stepped_up(at(1_300)));
        // Another node's clock may be a little late; a clock set back by an hour opens nothing.
        assert!(session.stepped_up(at(998)));
        assert!(!session.stepped_up(at(0)));
        assert!(!Access::Session { stepped_up_at: None }.stepped_up(at(0)));
    }
}
