//! Sessions: stored, revocable, and never long (T-C12).

use types::{Duration, Instant};

use crate::access::{CLOCKS_DIFFER_BY, STEP_UP_LASTS};

/// How long a session lasts that nobody uses.
pub const IDLE_FOR: Duration = Duration::from_secs(30 * 60);
/// How long any session lasts.
pub const LASTS_FOR: Duration = Duration::from_secs(12 * 3_600);

/// The instants of a session, as its row holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When its holder signed in.
    pub created_at: Instant,
    /// When it was last used.
    pub last_used_at: Instant,
    /// The first instant at which it is over, however much it is used.
    pub expires_at: Instant,
    /// When it was ended: by its holder, by whoever suspended the account, by a change of password.
    pub revoked_at: Option<Instant>,
}

/// Why a session is over. Its bearer is told to sign in, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionEnded {
    /// It was ended.
    #[error("this session was ended at {at}; sign in again")]
    Revoked {
        /// When.
        at: Instant,
    },
    /// Nobody used it for half an hour.
    #[error("this session was not used for {} minutes; sign in again", IDLE_FOR.as_secs() / 60)]
    Idle,
    /// It lasted as long as any may.
    #[error("this session has lasted {} hours; sign in again", LASTS_FOR.as_secs() / 3_600)]
    Over,
    /// It begins later than now: the clock was set back.
    #[error("this session begins later than now; sign in again, and check the clock")]
    InTheFuture,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn begin(now: Instant) -> Self {
        Self { created_at: now, last_used_at: now, expires_at: now.plus(LASTS_FOR), revoked_at: None }
    }

    /// Passes a session that goes on.
    ///
    /// # Errors
    /// [`SessionEnded`].
    pub fn goes_on(&self, now: Instant) -> Result<(), SessionEnded> {
        if let Some(at) = self.revoked_at {
            return Err(SessionEnded::Revoked { at });
        }
        if now >= self.expires_at || now >= self.created_at.plus(LASTS_FOR) {
            return Err(SessionEnded::Over);
        }
        if self.created_at.max(self.last_used_at) > now.plus(CLOCKS_DIFFER_BY) {
            return Err(SessionEnded::InTheFuture);
        }
        if now >= self.last_used_at.plus(IDLE_FOR) {
            return Err(SessionEnded::Idle);
        }
        Ok(())
    }
}

/// Why somebody does not set up their first second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTheFirst {
    /// They have one.
    #[error("this account has a second factor; show a code of it to change it")]
    HasOne,
    /// They signed in too long ago.
    #[error("sign in again, and set up the second factor within five minutes")]
    NotFresh,
}

/// Passes whoever sets up the first second factor of their account: they have no code to show yet, so they
/// must have signed in a moment ago. A stolen session of somebody who has one changes nothing.
///
/// # Errors
/// [`NotTheFirst`].
pub fn first_second_factor(has_one: bool, session: &Session, now: Instant) -> Result<(), NotTheFirst> {
    if has_one {
        return Err(NotTheFirst::HasOne);
    }
    let fresh = session.goes_on(now).is_ok() && now < session.created_at.plus(STEP_UP_LASTS);
    if fresh { Ok(()) } else { Err(NotTheFirst::NotFresh) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Instant {
        Instant::from_millis(1_795_000_000_000).plus(Duration::from_secs(60 * minutes))
    }

    #[test]
    fn t_c12_a_session_ends_when_it_is_idle_however_often_it_was_used_before() {
        let used = Session { last_used_at: at(60), ..Session::begin(at(0)) };
        assert_eq!(used.goes_on(at(89)), Ok(()));
        assert_eq!(used.goes_on(at(90)), Err(SessionEnded::Idle));
    }

    #[test]
    fn t_c12_a_session_ends_after_twelve_hours_however_much_it_is_used() {
        let busy = |minutes| Session { last_used_at: at(minutes), ..Session::begin(at(0)) };
        assert_eq!(busy(719).goes_on(at(719)), Ok(()));
        assert_eq!(busy(719).goes_on(at(720)), Err(SessionEnded::Over));
        // A row whose end was edited ends all the same.
        let edited = Session { expires_at: at(100_000), ..busy(719) };
        assert_eq!(edited.goes_on(at(720)), Err(SessionEnded::Over));
    }

    #[test]
    fn t_c12_a_stolen_session_sets_up_no_second_factor() {
        let session = Session { last_used_at: at(4), ..Session::begin(at(0)) };
        assert_eq!(first_second_factor(false, &session, at(4)), Ok(()));
        assert_eq!(first_second_factor(false, &session, at(5)), Err(NotTheFirst::NotFresh));
        assert_eq!(first_second_factor(true, &session, at(4)), Err(NotTheFirst::HasOne));
        let revoked = Session { revoked_at: Some(at(3)), ..session };
        assert_eq!(first_second_factor(false, &revoked, at(4)), Err(NotTheFirst::NotFresh));
    }

    #[test]
    fn t_c12_a_revoked_session_is_over_and_a_clock_set_back_revives_none() {
        let revoked = Session { revoked_at: Some(at(5)), ..Session::begin(at(0)) };
        assert_eq!(revoked.goes_on(at(1)), Err(SessionEnded::Revoked { at: at(5) }));
        let session = Session::begin(at(60));
        assert_eq!(session.goes_on(at(60).minus(CLOCKS_DIFFER_BY)), Ok(()));
        assert_eq!(session.goes_on(at(59)), Err(SessionEnded::InTheFuture));
    }
}
