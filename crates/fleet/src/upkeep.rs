//! What the calendar does to keep the fleet in order: expire what is late, end what nobody used, renew identities.
//!
//! Each task works in transactions of [`BATCH`] rows, however many are due, and finds by itself what is left to do:
//! it may be run again at any time, and by several nodes at once.

use orders::{Ordinary, Queueable};
use serde_json::json;
use store::certificates::{self, Certificate};
use store::commands::{self, Enqueue, Enqueued};
use store::enrolments::{self, EnrolmentState};
use store::{Tx, alarms, push_certificates};
use types::{Actor, CommandId, Duration, EnrolmentKind, Instant};

use crate::watch::{self, AlarmKind};
use crate::{Fleet, Principal, Refusal, push};

/// How long before a certificate expires its renewal starts.
pub const RENEWAL_LEAD: Duration = Duration::from_secs(60 * 86_400);

/// How often a tablet that has not renewed is asked again.
const RENEWAL_REPEAT: Duration = Duration::from_secs(7 * 86_400);

/// How long an invitation that nobody used is kept for whoever asks why an enrolment failed.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

const DAY: Duration = Duration::from_secs(86_400);

/// How many days before the push certificate expires its operators are told, the most first.
const EXPIRY_STEPS: [u32; 4] = [60, 30, 7, 1];

/// How many rows share a transaction, so that none holds the database for long.
const BATCH: u32 = 200;

/// Expires the commands whose time has passed. Says how many.
///
/// # Errors
/// [`Refusal::Store`]; what was done before the failure stays done.
pub async fn expire_commands(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    in_batches(fleet, move |tx| commands::expire(tx, now, BATCH)).await
}

/// Lets the invitations lapse that no tablet has used for a month: a profile that was fetched and forgotten opens
/// nothing later. Says how many.
///
/// # Errors
/// As [`expire_commands`].
pub async fn lapse_invitations(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    in_batches(fleet, move |tx| enrolments::lapse(tx, now.minus(KEPT), now, BATCH)).await
}

/// Issues the enrolment profile again to every tablet whose certificate expires within [`RENEWAL_LEAD`]. Says how
/// many were asked now.
///
/// The tablet asks for a certificate with the new challenge, and the old one proves nothing once the new one is
/// used. A tablet that does not renew is asked again each week.
///
/// # Errors
/// As [`expire_commands`].
pub async fn renew_identities(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let by = principal.actor();
    let (mut asked, mut after) = (0, None);
    loop {
        let (batch, last) = fleet.store().write(move |tx| ask_a_batch(tx, after, by, now)).await?;
        asked += batch;
        match last {
            Some(last) => after = Some(last),
            None => return Ok(asked),
        }
    }
}

/// Raises an alarm when the push certificate has 60, 30, 7 or 1 days left, and when it has expired: without one no
/// tablet can be woken (T-B1). Each alarm is raised once, however often it is settled. Says how many.
///
/// # Errors
/// As [`expire_commands`].
pub async fn watch_push_certificate(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write(move |tx| {
            let Some(current) = push_certificates::current(tx)? else { return Ok(0) };
            let Some(step) = expiry_step(current.not_after, now) else { return Ok(0) };
            let subject = watch::Subject::thing(format!("{} {step}", current.id));
            if alarms::was_raised(tx, AlarmKind::PushCertificateExpires.as_str(), subject.name())? {
                return Ok(0);
            }
            let detail = json!({ "topic": current.topic, "not_after": current.not_after.to_string(), "days_left": step });
            watch::raise(tx, AlarmKind::PushCertificateExpires, &subject, detail, now)?;
            Ok(1)
        })
        .await
}

/// The smallest number of days of [`EXPIRY_STEPS`] within which a certificate expires; 0 when it has expired.
fn expiry_step(not_after: Instant, now: Instant) -> Option<u64> {
    if not_after <= now {
        return Some(0);
    }
    let left = not_after.since(now);
    EXPIRY_STEPS.iter().copied().rfind(|days| left <= DAY.saturating_mul(*days)).map(u64::from)
}

/// Repeats `task` until it finds nothing more to do.
async fn in_batches(
    fleet: &Fleet,
    task: impl Fn(&mut Tx<'_>) -> Result<usize, store::StoreError> + Send + Clone + 'static,
) -> Result<usize, Refusal> {
    let mut all = 0;
    loop {
        let task = task.clone();
        let done: usize = fleet.store().write(move |tx| Ok::<_, Refusal>(task(tx)?)).await?;
        all += done;
        // A batch that was not full was the last one.
        if u32::try_from(done).is_ok_and(|done| done < BATCH) {
            return Ok(all);
        }
    }
}

/// Where a walk over the expiring certificates has come to.
type Place = (Instant, store::Digest);

/// Asks the tablets of the next certificates, and says where to go on; `None` at the end.
fn ask_a_batch(
    tx: &mut Tx<'_>,
    after: Option<Place>,
    by: Actor,
    now: Instant,
) -> Result<(usize, Option<Place>), Refusal> {
    let due = certificates::expiring(tx, now.plus(RENEWAL_LEAD), after, BATCH)?;
    let mut asked = 0;
    for certificate in &due {
        asked += usize::from(ask_to_renew(tx, certificate, by, now)?);
    }
    Ok((asked, due.last().map(|last| (last.not_after, last.sha256))))
}

/// `false` if the tablet is not managed, or was asked this week.
fn ask_to_renew(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    by: Actor,
    now: Instant,
) -> Result<bool, Refusal> {
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
    // The key names the week, counted from the day the renewal could start: asked twice, it is queued once. The
    // profile itself is made at delivery, so that a renewal that waits never grows stale.
    let since = now.since(certificate.not_after.minus(RENEWAL_LEAD));
    let week = since.as_secs() / RENEWAL_REPEAT.as_secs();
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
    push::want(tx, enrolment.id, now, now)?;
    Ok(true)
}
