//! The calendar: what is due by the clock.

use std::sync::Arc;

use fleet::{Fleet, Principal};
use orders::{Ordinary, Queueable};
use store::certificates::{self, Certificate};
use store::commands::{self, Enqueue, Enqueued};
use store::enrolments::{self, EnrolmentState};
use store::{StoreError, Tx, challenges, push_states};
use types::{Actor, Clock, CommandId, Duration, EnrolmentKind, Instant};

use crate::Waker;

const DAY: Duration = Duration::from_secs(86_400);
/// How long before its certificate expires a tablet is asked to renew it.
pub const RENEWAL_BEFORE: Duration = Duration::from_secs(60 * 86_400);
/// How often a renewal that did not happen is asked for again.
const RENEWAL_AGAIN: Duration = Duration::from_secs(7 * 86_400);
/// How many certificates one look takes up: a whole fleet that enrolled in one week.
const RENEWALS: u32 = 100_000;
/// How many of them share one transaction.
const BATCH: usize = 200;
/// How long a challenge is kept after it expired, for whoever asks why an enrolment failed.
const CHALLENGES_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Between two expiries of commands.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at certificates.
const RENEW_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// Does what is due, round after round.
#[derive(Debug)]
pub(crate) struct Calendar {
    fleet: Fleet,
    clock: Arc<dyn Clock>,
    waker: Waker,
    expired_at: Option<Instant>,
    renewed_at: Option<Instant>,
    pruned_at: Option<Instant>,
}

impl Calendar {
    pub(crate) fn new(fleet: Fleet, clock: Arc<dyn Clock>, waker: Waker) -> Self {
        Self { fleet, clock, waker, expired_at: None, renewed_at: None, pruned_at: None }
    }

    /// Does whatever is due now. What fails is logged, and is due again in the next round.
    pub(crate) async fn round(&mut self) {
        let now = self.clock.now();
        if is_due(self.expired_at, EXPIRE_EVERY, now)
            && done("expire commands", expire(&self.fleet, now).await)
        {
            self.expired_at = Some(now);
        }
        if is_due(self.renewed_at, RENEW_EVERY, now) {
            let asked = renew(&self.fleet, now).await;
            if asked.as_ref().is_ok_and(|asked| *asked > 0) {
                self.waker.wake();
            }
            if done("start renewals", asked) {
                self.renewed_at = Some(now);
            }
        }
        if is_due(self.pruned_at, DAY, now) && done("forget spent challenges", prune(&self.fleet, now).await)
        {
            self.pruned_at = Some(now);
        }
    }
}

/// Whether something done `last` is due. A clock that was set back makes nothing wait longer than `every`.
fn is_due(last: Option<Instant>, every: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now < last || now.since(last) >= every)
}

fn done(what: &'static str, outcome: Result<usize, StoreError>) -> bool {
    match outcome {
        Ok(0) => true,
        Ok(count) => {
            tracing::info!(what, count, "calendar");
            true
        }
        Err(error) => {
            tracing::warn!(what, %error, "calendar: not done; trying again");
            false
        }
    }
}

async fn expire(fleet: &Fleet, now: Instant) -> Result<usize, StoreError> {
    fleet.store().write(move |tx| commands::expire(tx, now)).await
}

async fn prune(fleet: &Fleet, now: Instant) -> Result<usize, StoreError> {
    fleet.store().write(move |tx| challenges::prune(tx, now.minus(CHALLENGES_KEPT))).await
}

/// Queues the enrolment profile again for tablets whose certificate expires soon: with it they renew. Says how
/// many were asked.
async fn renew(fleet: &Fleet, now: Instant) -> Result<usize, StoreError> {
    let due =
        fleet.store().read(move |tx| certificates::expiring(tx, now.plus(RENEWAL_BEFORE), RENEWALS)).await?;
    #[expect(clippy::disallowed_methods, reason = "this is the calendar")]
    let calendar = Principal::calendar().actor();
    let mut asked = 0;
    for batch in due.chunks(BATCH) {
        let batch = batch.to_vec();
        asked += fleet
            .store()
            .write(move |tx| {
                let mut asked = 0;
                for certificate in &batch {
                    asked += usize::from(ask_to_renew(tx, certificate, calendar, now)?);
                }
                Ok::<_, StoreError>(asked)
            })
            .await?;
    }
    Ok(asked)
}

/// `false` if the tablet is not managed, or was asked already.
fn ask_to_renew(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    by: Actor,
    now: Instant,
) -> Result<bool, StoreError> {
    let Some(enrolment) = enrolments::get(tx, &certificate.enrolment_id)? else { return Ok(false) };
    let (Some(tablet), EnrolmentState::Active) = (enrolment.tablet_id, enrolment.state) else {
        return Ok(false);
    };
    // Another server's profile holds this enrolment, under a name and addresses of its own: ours would be refused
    // as a second management, week after week. The tablet keeps its identity, which proves it after its expiry
    // too, until it enrols with a profile of ours.
    if enrolment.kind == EnrolmentKind::TakenOver {
        return Ok(false);
    }
    // Asked once a week, also when it has expired: the profile is made at delivery, so that a renewal that waits
    // never grows stale.
    let week = now.since(certificate.issued_at).as_secs() / RENEWAL_AGAIN.as_secs();
    let queued = commands::enqueue(
        tx,
        &Queueable::Ordinary(Ordinary::renew_enrolment()),
        Enqueue {
            id: CommandId::new(now),
            enrolment: enrolment.id,
            tablet,
            priority: 0,
            replaces_key: Some("renew-enrolment".to_owned()),
            idempotency_key: Some(format!("renew-{}-{week}", certificate.sha256)),
            at: now,
            by: by.to_string(),
            not_before: None,
            expires_at: None,
        },
    )?;
    let Enqueued::New(_command) = queued else { return Ok(false) };
    push_states::want(tx, enrolment.id, now, now)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_due_at_first_then_by_the_clock_even_when_it_is_set_back() {
        let at = Instant::from_millis;
        assert!(is_due(None, DAY, at(5)));
        assert!(!is_due(Some(at(0)), DAY, at(86_399_999)));
        assert!(is_due(Some(at(0)), DAY, at(86_400_000)));
        assert!(is_due(Some(at(86_400_000)), DAY, at(5)));
    }
}
