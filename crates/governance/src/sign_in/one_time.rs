//! Links that are used once: an invitation, or the way to a new password.

use types::{Digest, Duration, Instant};

/// What such a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneTimeUse {
    /// To choose the first password.
    Invitation,
    /// To choose another one, or another second factor.
    Reset,
}

impl OneTimeUse {
    /// How long it lasts: an invitation waits for its holder's first day, a reset for its holder at the
    /// telephone.
    #[must_use]
    pub const fn lasts(self) -> Duration {
        match self {
            Self::Invitation => Duration::from_secs(7 * 86_400),
            Self::Reset => Duration::from_secs(86_400),
        }
    }
}

/// What is remembered of a link: its hash. The link itself is shown once, to whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeSecret {
    /// SHA-256 of its secret, of 256 random bits: looking it up tells nothing by the time it takes.
    pub sha256: Digest,
    /// The first instant at which it is worth nothing.
    pub expires_at: Instant,
}

/// Why a link is worth nothing. Its bearer is not told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// It is of another account, or was used: then its hash is gone.
    #[error("this link is not valid: it was used, or replaced by a newer one; ask for another")]
    Unknown,
    /// It is too old.
    #[error("this link expired at {at}; ask for another")]
    Expired {
        /// When.
        at: Instant,
    },
    /// It was made later than now: the clock was set back.
    #[error("this link says that it was made later than now; check the clock")]
    InTheFuture,
}

impl OneTimeSecret {
    /// A new link with this secret.
    #[must_use]
    pub fn new(secret: &[u8], of: OneTimeUse, now: Instant) -> Self {
        Self { sha256: Digest::of(secret), expires_at: now.plus(of.lasts()) }
    }

    /// Passes the secret of this link, in time. Whoever redeems it removes it in the same transaction.
    ///
    /// # Errors
    /// [`NotRedeemed`].
    pub fn redeem(&self, presented: &[u8], now: Instant) -> Result<(), NotRedeemed> {
        if Digest::of(presented) != self.sha256 {
            return Err(NotRedeemed::Unknown);
        }
        if now >= self.expires_at {
            return Err(NotRedeemed::Expired { at: self.expires_at });
        }
        if now.plus(OneTimeUse::Invitation.lasts()) < self.expires_at {
            return Err(NotRedeemed::InTheFuture);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c12_a_link_is_worth_nothing_late_early_or_in_other_hands() {
        let now = Instant::from_millis(1_795_000_000_000);
        for of in [OneTimeUse::Invitation, OneTimeUse::Reset] {
            let link = OneTimeSecret::new(b"secret", of, now);
            assert_eq!(link.redeem(b"secret", now), Ok(()));
            assert_eq!(link.redeem(b"secret", link.expires_at.minus(Duration::from_millis(1))), Ok(()));
            let at = link.expires_at;
            assert_eq!(link.redeem(b"secret", at), Err(NotRedeemed::Expired { at }));
            assert_eq!(link.redeem(b"Secret", now), Err(NotRedeemed::Unknown));
            let long_before = now.minus(OneTimeUse::Invitation.lasts());
            assert_eq!(link.redeem(b"secret", long_before), Err(NotRedeemed::InTheFuture));
        }
    }
}
