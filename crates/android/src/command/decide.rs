//! What becomes of a command when the tablet fetches, confirms, or just speaks.

use std::time::Duration;

use types::{EnrolmentId, Instant};

use super::state::{Command, Failure, Gone, Kind, Standing, State, Voided};

/// How often a tablet is told of a code or of a restart that it never confirms. Each time the code is set again, over one that
/// its user may have chosen meanwhile.
pub const MOST_FETCHES: u8 = 3;

/// How long a tablet may still be heard after it was told to wipe itself: requests that were on their way.
pub const GRACE: Duration = Duration::from_secs(120);

/// What a tablet is answered to its confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// 200: it goes on.
    Taken,
    /// 503: it does not.
    ComeBack,
}

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Where it stands from now on.
    pub state: State,
    /// What the tablet is answered.
    pub reply: Reply,
}

/// A confirmation: who sends it, what, and what the tablet says it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The enrolment that the key in the path opens.
    pub from: EnrolmentId,
    /// What is confirmed.
    pub kind: Kind,
    /// Whether the agent says that it is device administrator; only a wipe says it.
    pub can_wipe: Option<bool>,
}

/// The command that a tablet is told of, among those of its enrolment: one at a time. An erasure makes the others pointless; a
/// code comes before a restart, because the agent would do them the other way round. Of two alike, the older.
#[must_use]
pub fn next(commands: &[Command]) -> Option<&Command> {
    let rank = |kind: Kind| match kind {
        Kind::Wipe => 0,
        Kind::ClearCode => 1,
        Kind::Reboot => 2,
    };
    let open = commands.iter().filter(|command| command.state.is_open());
    open.min_by_key(|command| (rank(command.kind), command.queued_at, command.id))
}

impl Command {
    /// The tablet fetches its configuration. The command is in it if and only if the state that comes back is
    /// [`State::Fetched`].
    #[must_use]
    pub fn fetched(&self, standing: Standing, now: Instant) -> State {
        if let Some(closed) = self.closed(standing, now) {
            return closed;
        }
        let times = match (self.state, standing) {
            (State::Queued, Standing::Stands) => 0,
            (State::Fetched { times, .. }, Standing::Stands) => times,
            _ => return State::Queued,
        };
        // A wipe is bounded by its order: it waits for its confirmation, however often it is fetched.
        if self.kind != Kind::Wipe && times >= MOST_FETCHES {
            return State::Failed { at: now, why: Failure::NeverConfirmed };
        }
        State::Fetched { at: now, times: times.saturating_add(1) }
    }

    /// The tablet confirms. Only the first confirmation of what it fetched, from its own enrolment, in time and under what
    /// still stands, is taken; a code is taken whatever happened, since it is set already.
    #[must_use]
    pub fn confirmed(&self, said: Confirmation, standing: Standing, now: Instant) -> Settled {
        let stays = Settled { state: self.state, reply: Reply::ComeBack };
        if said.from != self.enrolment || said.kind != self.kind {
            return stays;
        }
        let State::Fetched { .. } = self.state else {
            return if self.kind == Kind::ClearCode {
                Settled { reply: Reply::Taken, ..stays }
            } else {
                stays
            };
        };
        if self.kind == Kind::ClearCode {
            return Settled { state: State::Confirmed { at: now }, reply: Reply::Taken };
        }
        if let Some(state) = self.closed(standing, now) {
            return Settled { state, ..stays };
        }
        if standing != Standing::Stands {
            return Settled { state: State::Queued, ..stays };
        }
        if self.kind == Kind::Wipe && said.can_wipe != Some(true) {
            let why = Failure::NotAdministrator;
            return Settled { state: State::Failed { at: now, why }, ..stays };
        }
        Settled { state: State::Confirmed { at: now }, reply: Reply::Taken }
    }

    /// The tablet is heard under the same key. A tablet that was told to wipe itself is not, unless it did not.
    #[must_use]
    pub fn spoke(&self, now: Instant) -> State {
        match self.state {
            State::Confirmed { at } if self.kind == Kind::Wipe && now.since(at) > GRACE => {
                State::Failed { at: now, why: Failure::SpokeAgain }
            }
            state => state,
        }
    }

    /// The tablet enrolled again: what waited for the former enrolment waits no longer.
    #[must_use]
    pub fn enrolled_again(&self, now: Instant) -> State {
        self.voided(Voided::EnrolledAgain, now)
    }

    /// What ends an open command before anybody asks the tablet: its time, and what it rests on.
    fn closed(&self, standing: Standing, now: Instant) -> Option<State> {
        let ends = match (standing, now >= self.not_after) {
            _ if !self.state.is_open() => return Some(self.state),
            (Standing::Gone(Gone::Order), _) => Voided::OrderGone,
            (Standing::Gone(Gone::Withdrawn), _) => Voided::Withdrawn,
            (_, true) => Voided::TooLate,
            (_, false) => return None,
        };
        Some(self.voided(ends, now))
    }

    fn voided(&self, why: Voided, now: Instant) -> State {
        if self.state.is_open() { State::Void { at: now, why } } else { self.state }
    }
}
