//! When a tablet is pushed: decided from its row, and from nothing else.

use outbound::{PushOutcome, backoff};
use store::commands::NextOffer;
use store::push_states::{PushAttempt, PushState};
use types::{Duration, Instant};

use super::{Due, SENT, seed, words};

/// How long a tablet that was pushed and does not come is left alone before it is pushed again; each time
/// twice as long, up to a day.
const FIRST_REPEAT: Duration = Duration::from_secs(30 * 60);

/// How long a push that Apple took also stands for what is queued after it, by how many the tablet has not come for. A
/// tablet that is on its way takes everything, however many commands wait; one that is out of reach gains nothing by
/// more of them, since Apple keeps the last and hands it over when the tablet is back.
const COVERS: [Duration; 5] = [
    Duration::from_secs(15),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
];

/// Over how long those are spread that waited for the end of the quiet hours.
const SPREAD: Duration = Duration::from_secs(10 * 60);

/// How long after a TokenUpdate somebody is taken to hold the tablet.
const IN_HAND: Duration = Duration::from_secs(3_600);

/// Whether somebody is at the tablet, so that quiet hours are not for it: Setup Assistant waits, or it has just enrolled,
/// was restarted or unlocked.
pub(super) fn is_in_hand(
    awaiting_configuration: bool,
    token_updated_at: Option<Instant>,
    now: Instant,
) -> bool {
    awaiting_configuration || token_updated_at.is_some_and(|updated| now.since(updated) < IN_HAND)
}

/// What becomes of a tablet that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is woken.
    Push,
    /// Nothing is due for it before then.
    PutOff(Instant),
    /// What is due for it waits for the end of the quiet hours, and is pushed then.
    Quiet(Instant),
    /// Nothing waits for it any more.
    Nothing,
}

/// What becomes of a tablet for which this is to be offered next. In quiet hours, which end at `quiet_until`, only what
/// is urgent wakes it. `seed` differs per tablet.
pub(super) fn fate(offer: Option<NextOffer>, quiet_until: Option<Instant>, seed: u64, now: Instant) -> Fate {
    let Some(offer) = offer else { return Fate::Nothing };
    if offer.first > now {
        return Fate::PutOff(offer.first);
    }
    match quiet_until {
        Some(end) if offer.urgent.is_none_or(|urgent| urgent > now) => {
            let spread = u64::try_from(SPREAD.as_millis()).unwrap_or(u64::MAX).max(1);
            let morning = end.plus(Duration::from_millis(seed % spread));
            // Something urgent that was put off does not wait for the morning.
            Fate::Quiet(offer.urgent.map_or(morning, |urgent| urgent.min(morning)))
        }
        _ => Fate::Push,
    }
}

/// When a tablet is to be pushed for something that is due at `due`; `None`: no sooner than it will be anyway.
pub(super) fn wake_at(state: &PushState, due: Instant) -> Option<Instant> {
    let (Some(_wanted), Some(next)) = (state.wanted_at, state.due_at) else { return Some(due) };
    let earliest = match (state.attempts, state.outcome.as_deref()) {
        // Not pushed since it last came.
        (0, _) => due,
        (_, Some(SENT)) => {
            due.max(state.pushed_at.map_or(due, |pushed| pushed.plus(covers(state.unanswered))))
        }
        // Apple could not take the last one: it is tried again in its own time.
        (_, _) => next,
    };
    (earliest < next).then_some(earliest)
}

/// How long the last of so many pushes without an answer stands for what is queued after it.
fn covers(unanswered: i32) -> Duration {
    let [.., longest] = COVERS;
    usize::try_from(unanswered).ok().and_then(|place| COVERS.get(place)).copied().unwrap_or(longest)
}

/// What follows from Apple's answer.
pub(super) fn attempt(
    due: &Due,
    state: &PushState,
    token_updated_at: Option<Instant>,
    outcome: &PushOutcome,
    now: Instant,
) -> PushAttempt {
    let attempts = u32::try_from(state.attempts).unwrap_or(0).saturating_add(1);
    let mut attempt = PushAttempt {
        enrolment: due.enrolment,
        at: now,
        outcome: words(outcome),
        attempts: i32::try_from(attempts).unwrap_or(i32::MAX),
        unanswered: state.unanswered,
        next_due_at: None,
        token_invalid: false,
    };
    if state.lease_until.is_none() {
        // The tablet came, or left, while the push was on its way: what is due now is due for other reasons.
        return PushAttempt { attempts: state.attempts, next_due_at: state.due_at, ..attempt };
    }
    if matches!(outcome, PushOutcome::Accepted { .. }) {
        attempt.unanswered = state.unanswered.saturating_add(1);
    }
    match token_fate(due, token_updated_at, outcome) {
        TokenFate::Good => {
            let wait = match outcome {
                PushOutcome::Accepted { .. } => Some(repeat_after(attempt.unanswered)),
                _ => backoff(attempts, outcome, seed(due.enrolment)),
            };
            let queued_since = state.wanted_at.is_some_and(|wanted| wanted > due.claimed_at);
            let soon = matches!(outcome, PushOutcome::Accepted { .. }) && queued_since;
            let wait = if soon { Some(covers(attempt.unanswered)) } else { wait };
            attempt.next_due_at = wait.map(|wait| now.plus(wait));
        }
        TokenFate::Replaced => attempt.next_due_at = Some(now),
        TokenFate::Doubtful => {
            let unavailable = PushOutcome::Unavailable { reason: String::new() };
            attempt.next_due_at =
                backoff(attempts, &unavailable, seed(due.enrolment)).map(|wait| now.plus(wait));
        }
        TokenFate::Invalid => attempt.token_invalid = true,
    }
    attempt
}

/// What Apple's answer means for the token that the enrolment has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenFate {
    /// Apple says nothing against it.
    Good,
    /// The one that was refused is not the tablet's any more: it sent another while the push was on its way.
    Replaced,
    /// Apple refuses it for something older than the tablet's last TokenUpdate: it may be good again.
    Doubtful,
    /// It is no good.
    Invalid,
}

fn token_fate(due: &Due, token_updated_at: Option<Instant>, outcome: &PushOutcome) -> TokenFate {
    let PushOutcome::TokenInvalid { since, .. } = outcome else { return TokenFate::Good };
    match token_updated_at {
        Some(updated) if updated > due.claimed_at => TokenFate::Replaced,
        Some(updated) if since.is_some_and(|since| since < updated) => TokenFate::Doubtful,
        _ => TokenFate::Invalid,
    }
}

/// How long a tablet that was pushed so many times, and did not come, is left alone.
fn repeat_after(unanswered: i32) -> Duration {
    let doublings = u32::try_from(unanswered).unwrap_or(0).saturating_sub(1).min(6);
    FIRST_REPEAT.saturating_mul(2_u32.saturating_pow(doublings)).min(Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests;
