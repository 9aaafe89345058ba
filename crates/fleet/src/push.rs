//! Who is to be woken, and what became of it. `jobs` claims and sends; when a tablet is pushed, and what follows
//! from Apple's answer, is decided here.

use outbound::{PushOutcome, backoff};
use store::enrolments::Enrolment;
use store::push_states::{self, PushAttempt, PushState};
use store::{StoreError, Tx};
use types::{Duration, EnrolmentId, Instant, Secret};

use crate::{Fleet, Refusal};

/// How long a tablet that was pushed and does not come is left alone before it is pushed again; each time
/// twice as long, up to a day.
const FIRST_REPEAT: Duration = Duration::from_secs(30 * 60);

/// How long a push that Apple took also stands for what is queued after it: a tablet that is on its way takes
/// everything, however many commands wait.
const COVERS: Duration = Duration::from_secs(15);

/// What Apple's acceptance is remembered as.
const SENT: &str = "sent";

/// What identifies us to Apple.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Which push certificate it is.
    pub id: types::PushCertificateId,
    /// Its topic.
    pub topic: String,
    /// The certificate and its chain, PEM.
    pub chain_pem: String,
    /// Its key, PEM.
    pub key_pem: Secret<Vec<u8>>,
    /// When it expires.
    pub not_after: Instant,
}

/// A tablet to wake.
#[derive(Debug, Clone)]
pub struct Due {
    /// Whose tablet.
    pub enrolment: EnrolmentId,
    /// Apple's token of the tablet.
    pub token: Secret<Vec<u8>>,
    /// The word that makes a push ours.
    pub magic: Secret<String>,
    /// When it was claimed: what was queued later is not what it is woken for.
    pub claimed_at: Instant,
}

/// The push certificate in use, if there is one that has not expired.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn identity(fleet: &Fleet, now: Instant) -> Result<Option<Identity>, Refusal> {
    fleet
        .store()
        .read(move |tx| {
            let Some(current) = store::push_certificates::current(tx)? else { return Ok(None) };
            if current.not_after <= now {
                return Ok(None);
            }
            let key = store::push_certificates::key(tx, current.id)?;
            Ok(key.map(|key_pem| Identity {
                id: current.id,
                topic: current.topic,
                chain_pem: current.chain_pem,
                key_pem,
                not_after: current.not_after,
            }))
        })
        .await
}

/// Wants the tablet to be woken at `due`. A push under way, and the pause that Apple asked for, are not doubled.
pub(crate) fn want(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
    due: Instant,
    now: Instant,
) -> Result<(), StoreError> {
    let Some(state) = push_states::get(tx, &enrolment)? else { return Ok(()) };
    push_states::want(tx, enrolment, wake_at(&state, due), now)
}

/// When a tablet is to be pushed for something that is due at `due`; `None`: no sooner than it will be anyway.
fn wake_at(state: &PushState, due: Instant) -> Option<Instant> {
    let (Some(_wanted), Some(next)) = (state.wanted_at, state.due_at) else { return Some(due) };
    let earliest = match (state.attempts, state.outcome.as_deref()) {
        // Not pushed since it last came.
        (0, _) => due,
        (_, Some(SENT)) => due.max(state.pushed_at.map_or(due, |pushed| pushed.plus(COVERS))),
        // Apple could not take the last one: it is tried again in its own time.
        (_, _) => next,
    };
    (earliest < next).then_some(earliest)
}

/// Claims at most `limit` tablets that are due, for as long as `lease`; another node leaves them alone.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn claim(fleet: &Fleet, limit: u32, lease: Duration, now: Instant) -> Result<Vec<Due>, Refusal> {
    fleet
        .store()
        .write(move |tx| {
            let mut due = Vec::new();
            for enrolment in push_states::claim(tx, now, now.plus(lease), limit)? {
                match reachable(tx, enrolment, now)? {
                    Some(one) => due.push(one),
                    None => push_states::forget(tx, enrolment)?,
                }
            }
            Ok(due)
        })
        .await
}

/// What is needed to push; `None` when there is no reason to, or no way until the tablet comes by itself.
fn reachable(tx: &mut Tx<'_>, enrolment: EnrolmentId, now: Instant) -> Result<Option<Due>, StoreError> {
    if !store::commands::any_pending(tx, enrolment)? {
        // What it was to be woken for was cancelled, or its time passed.
        return Ok(None);
    }
    let secrets = match store::enrolments::secrets(tx, enrolment) {
        // One row that cannot be opened keeps no other tablet asleep.
        Err(StoreError::Sealed(error)) => {
            tracing::error!(%enrolment, %error, "a push token cannot be opened: the tablet is not woken");
            return Ok(None);
        }
        secrets => secrets?,
    };
    let (Some(token), Some(magic)) = (secrets.push_token, secrets.push_magic) else { return Ok(None) };
    let magic = Secret::new(String::from_utf8_lossy(magic.expose()).into_owned());
    Ok(Some(Due { enrolment, token, magic, claimed_at: now }))
}

/// Records what became of pushes; in one transaction, unless too many of their tablets come at the same time.
///
/// # Errors
/// [`Refusal::Store`]; the leases then run out and the tablets are pushed again.
pub async fn record(fleet: &Fleet, outcomes: Vec<(Due, PushOutcome)>, now: Instant) -> Result<(), Refusal> {
    let together = outcomes.clone();
    let recorded = fleet
        .store()
        .write(move |tx| {
            together.iter().try_for_each(|(due, outcome)| record_one(tx, due, outcome, now))?;
            Ok::<_, Refusal>(())
        })
        .await;
    match recorded {
        Err(Refusal::Store(StoreError::Contended { .. })) => {}
        other => return other,
    }
    for (due, outcome) in outcomes {
        fleet.store().write(move |tx| Ok::<_, Refusal>(record_one(tx, &due, &outcome, now)?)).await?;
    }
    Ok(())
}

fn record_one(tx: &mut Tx<'_>, due: &Due, outcome: &PushOutcome, now: Instant) -> Result<(), StoreError> {
    let state = push_states::get(tx, &due.enrolment)?;
    let enrolment = store::enrolments::get(tx, &due.enrolment)?;
    match state.zip(enrolment) {
        Some((state, enrolment)) => push_states::record(tx, &attempt(due, &state, &enrolment, outcome, now)),
        None => Ok(()),
    }
}

/// What follows from Apple's answer.
fn attempt(
    due: &Due,
    state: &PushState,
    enrolment: &Enrolment,
    outcome: &PushOutcome,
    now: Instant,
) -> PushAttempt {
    let attempts = u32::try_from(state.attempts).unwrap_or(0).saturating_add(1);
    let mut attempt = PushAttempt {
        enrolment: due.enrolment,
        at: now,
        outcome: words(outcome),
        attempts: i32::try_from(attempts).unwrap_or(i32::MAX),
        next_due_at: None,
        token_invalid: false,
    };
    if state.lease_until.is_none() {
        // The tablet came, or left, while the push was on its way: what is due now is due for other reasons.
        return PushAttempt { attempts: state.attempts, next_due_at: state.due_at, ..attempt };
    }
    match token_fate(due, enrolment, outcome) {
        TokenFate::Good => {
            let wait = match outcome {
                PushOutcome::Accepted { .. } => Some(repeat_after(attempts)),
                _ => backoff(attempts, outcome, seed(due)),
            };
            let queued_since = state.wanted_at.is_some_and(|wanted| wanted > due.claimed_at);
            let soon = matches!(outcome, PushOutcome::Accepted { .. }) && queued_since;
            let wait = if soon { Some(COVERS) } else { wait };
            attempt.next_due_at = wait.map(|wait| now.plus(wait));
        }
        TokenFate::Replaced => attempt.next_due_at = Some(now),
        TokenFate::Doubtful => {
            let unavailable = PushOutcome::Unavailable { reason: String::new() };
            attempt.next_due_at = backoff(attempts, &unavailable, seed(due)).map(|wait| now.plus(wait));
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

fn token_fate(due: &Due, enrolment: &Enrolment, outcome: &PushOutcome) -> TokenFate {
    let PushOutcome::TokenInvalid { since, .. } = outcome else { return TokenFate::Good };
    match enrolment.token_updated_at {
        Some(updated) if updated > due.claimed_at => TokenFate::Replaced,
        Some(updated) if since.is_some_and(|since| since < updated) => TokenFate::Doubtful,
        _ => TokenFate::Invalid,
    }
}

/// How long a tablet that was pushed `attempts` times, and did not come, is left alone.
fn repeat_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(6);
    FIRST_REPEAT.saturating_mul(2_u32.saturating_pow(doublings)).min(Duration::from_secs(86_400))
}

/// A number that differs per tablet.
fn seed(due: &Due) -> u64 {
    u64::try_from(due.enrolment.as_uuid().as_u128() & u128::from(u64::MAX)).unwrap_or(0)
}

/// Why Apple did not take the last push, as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Too many pushes.
    Throttled,
    /// Apple does not accept our push certificate; its word.
    CertificateRefused(String),
    /// The service could not be reached, or failed; what happened.
    Unavailable(String),
    /// Apple finds the push itself wrong; its words.
    Rejected(String),
}

/// What went wrong with the last push of a tablet that has not come since; `None` if nothing did.
pub(crate) fn trouble(state: &PushState) -> Option<Trouble> {
    let outcome = state.outcome.as_deref().filter(|_outcome| state.attempts > 0)?;
    let (kind, words) = outcome.split_once(": ").unwrap_or((outcome, ""));
    match kind {
        "throttled" => Some(Trouble::Throttled),
        "certificate refused" => Some(Trouble::CertificateRefused(words.to_owned())),
        "unavailable" => Some(Trouble::Unavailable(words.to_owned())),
        "rejected" => Some(Trouble::Rejected(words.to_owned())),
        _ => None,
    }
}

/// The push that stands for something queued at `queued`, and when it was sent; `None` if one is still to be sent.
pub(crate) fn covering_push(state: &PushState, queued: Instant, now: Instant) -> Option<Instant> {
    let pushed = state.pushed_at?;
    let on_its_way = state.attempts > 0 && state.due_at.is_some_and(|next| next > now);
    (pushed >= queued || on_its_way).then_some(pushed)
}

fn words(outcome: &PushOutcome) -> String {
    match outcome {
        PushOutcome::Accepted { .. } => SENT.into(),
        PushOutcome::TokenInvalid { reason, .. } => format!("token invalid: {reason}"),
        PushOutcome::Throttled { .. } => "throttled".into(),
        PushOutcome::CertificateRefused { reason } => format!("certificate refused: {reason}"),
        PushOutcome::Unavailable { reason } => format!("unavailable: {reason}"),
        PushOutcome::Rejected { status, reason } => format!("rejected: {status} {reason}"),
    }
}

#[cfg(test)]
mod tests;
