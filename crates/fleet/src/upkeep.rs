//! What the calendar does to keep the fleet in order: renew identities, expire what is late, forget what is
//! over. Each is bounded, may be run again at any time, and by any node.

use orders::{Ordinary, Queueable};
use store::commands::Enqueue;
use store::enrolments::EnrolmentState;
use types::{CommandId, Duration, EnrolmentKind, Instant};

use crate::{Fleet, Principal, Refusal};

/// How long before a certificate expires its renewal starts.
pub const RENEWAL_LEAD: Duration = Duration::from_secs(60 * 86_400);

/// How often a tablet that has not renewed is asked again.
const RENEWAL_REPEAT: Duration = Duration::from_secs(7 * 86_400);

/// The most that one run does, so that it stays short.
const BATCH: u32 = 500;

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upkeep {
    /// Tablets whose renewal was started.
    pub renewals: usize,
    /// Commands whose time had passed.
    pub expired_commands: usize,
    /// Challenges that nobody will use any more.
    pub pruned_challenges: usize,
}

/// Runs everything once.
///
/// # Errors
/// [`Refusal::Store`]; what was done before the failure stays done.
pub async fn run(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Upkeep, Refusal> {
    principal.may_operate("keep the fleet in order")?;
    let expired_commands = fleet.store().write(move |tx| store::commands::expire(tx, now)).await?;
    // A challenge is kept a while after its end, so that a late request is told why it is refused.
    let forgotten = now.minus(RENEWAL_REPEAT);
    let pruned_challenges = fleet.store().write(move |tx| store::challenges::prune(tx, forgotten)).await?;
    let renewals = renew_identities(fleet, principal, now).await?;
    Ok(Upkeep { renewals, expired_commands, pruned_challenges })
}

/// Issues the enrolment profile again to every tablet whose certificate expires within [`RENEWAL_LEAD`].
///
/// The tablet asks for a certificate with the new challenge, and the old one proves nothing once the new one is
/// used. A tablet that does not renew is asked again each week.
async fn renew_identities(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    let by = principal.actor().to_string();
    fleet
        .store()
        .write(move |tx| {
            let mut started = 0;
            for certificate in store::certificates::expiring(tx, now.plus(RENEWAL_LEAD), BATCH)? {
                let Some(enrolment) = store::enrolments::get(tx, &certificate.enrolment_id)? else {
                    continue;
                };
                let (EnrolmentState::Active, Some(tablet)) = (enrolment.state, enrolment.tablet_id) else {
                    continue;
                };
                if enrolment.kind == EnrolmentKind::TakenOver {
                    // Another server's profile holds it: ours would be refused as a second management.
                    continue;
                }
                // One a week: the key names the week, so that running twice queues once.
                let week = now.as_millis() / i64::try_from(RENEWAL_REPEAT.as_millis()).unwrap_or(i64::MAX);
                let queued = store::commands::enqueue(
                    tx,
                    &Queueable::Ordinary(Ordinary::renew_enrolment()),
                    Enqueue {
                        id: CommandId::new(now),
                        enrolment: enrolment.id,
                        tablet,
                        priority: 10,
                        replaces_key: Some("renew-identity".into()),
                        idempotency_key: Some(format!("renew-identity-{}-{week}", enrolment.id)),
                        at: now,
                        by: by.clone(),
                        not_before: None,
                        expires_at: None,
                    },
                )?;
                if let store::commands::Enqueued::New(_) = queued {
                    store::push_states::want(tx, enrolment.id, now, now)?;
                    started += 1;
                }
            }
            Ok(started)
        })
        .await
}
