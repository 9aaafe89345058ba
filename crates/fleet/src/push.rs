//! Who is to be woken, and what became of it. `jobs` claims and sends; what follows from Apple's answer is
//! decided here.

use outbound::{PushOutcome, backoff};
use store::push_states::{self, PushAttempt};
use store::{StoreError, Tx};
use types::{Duration, EnrolmentId, Instant, Secret};

use crate::{Fleet, Refusal};

/// How long a tablet that was pushed and does not come is left alone before it is pushed again; each time
/// twice as long, up to a day.
const FIRST_REPEAT: Duration = Duration::from_secs(30 * 60);

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
    /// How often it was pushed since it last came.
    pub attempts: u32,
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
                match reachable(tx, enrolment)? {
                    Some(one) => due.push(one),
                    // It left, or its token is gone: nothing can be pushed until it comes by itself.
                    None => push_states::forget(tx, enrolment)?,
                }
            }
            Ok(due)
        })
        .await
}

fn reachable(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<Due>, StoreError> {
    let secrets = store::enrolments::secrets(tx, enrolment)?;
    let state = push_states::get(tx, &enrolment)?;
    let (Some(token), Some(magic), Some(state)) = (secrets.push_token, secrets.push_magic, state) else {
        return Ok(None);
    };
    let magic = Secret::new(String::from_utf8_lossy(magic.expose()).into_owned());
    Ok(Some(Due { enrolment, token, magic, attempts: u32::try_from(state.attempts).unwrap_or(0) }))
}

/// Records what became of pushes, in one transaction.
///
/// # Errors
/// [`Refusal::Store`]; the leases then run out and the tablets are pushed again.
pub async fn record(fleet: &Fleet, outcomes: Vec<(Due, PushOutcome)>, now: Instant) -> Result<(), Refusal> {
    fleet
        .store()
        .write(move |tx| {
            for (due, outcome) in &outcomes {
                push_states::record(tx, &attempt(due, outcome, now))?;
            }
            Ok(())
        })
        .await
}

/// What follows from Apple's answer.
fn attempt(due: &Due, outcome: &PushOutcome, now: Instant) -> PushAttempt {
    let attempts = due.attempts.saturating_add(1);
    let seed = u64::try_from(due.enrolment.as_uuid().as_u128() & u128::from(u64::MAX)).unwrap_or(0);
    let wait = match outcome {
        PushOutcome::Accepted { .. } => {
            let doublings = due.attempts.min(6);
            Some(
                FIRST_REPEAT.saturating_mul(2_u32.saturating_pow(doublings)).min(Duration::from_secs(86_400)),
            )
        }
        _ => backoff(attempts, outcome, seed),
    };
    PushAttempt {
        enrolment: due.enrolment,
        at: now,
        outcome: words(outcome),
        next_due_at: wait.map(|wait| now.plus(wait)),
        token_invalid: matches!(outcome, PushOutcome::TokenInvalid { .. }),
    }
}

fn words(outcome: &PushOutcome) -> String {
    match outcome {
        PushOutcome::Accepted { .. } => "sent".into(),
        PushOutcome::TokenInvalid { reason, .. } => format!("token invalid: {reason}"),
        PushOutcome::Throttled { .. } => "throttled".into(),
        PushOutcome::CertificateRefused { reason } => format!("certificate refused: {reason}"),
        PushOutcome::Unavailable { reason } => format!("unavailable: {reason}"),
        PushOutcome::Rejected { status, reason } => format!("rejected: {status} {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(attempts: u32) -> Due {
        let now = Instant::from_millis(1);
        Due {
            enrolment: EnrolmentId::new(now),
            token: Secret::new(vec![1]),
            magic: Secret::new("magic".into()),
            attempts,
        }
    }

    #[test]
    fn a_silent_tablet_is_pushed_ever_less_often() {
        let now = Instant::from_millis(1_790_000_000_000);
        let accepted = PushOutcome::Accepted { apns_id: None };
        let waits: Vec<_> = (0..9)
            .map(|attempts| attempt(&due(attempts), &accepted, now).next_due_at.unwrap().since(now).as_secs())
            .collect();
        assert_eq!(waits.first(), Some(&1_800));
        assert_eq!(waits.last(), Some(&86_400));
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn t_b2_a_refused_token_is_marked_and_not_pushed_again() {
        let refused = PushOutcome::TokenInvalid { reason: "Unregistered".into(), since: None };
        let attempt = attempt(&due(0), &refused, Instant::from_millis(5));
        assert!(attempt.token_invalid && attempt.next_due_at.is_none());
        assert_eq!(attempt.outcome, "token invalid: Unregistered");
    }
}
