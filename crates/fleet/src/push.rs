//! Who is to be woken, and what became of it. `jobs` claims and sends; when a tablet is pushed, and what follows
//! from Apple's answer, is decided here.

//!
//! Many tablets are claimed and recorded with a few statements, however many they are. What is decided about each is
//! in [`schedule`], which knows neither clock nor database.

mod schedule;

use std::collections::HashMap;

use outbound::PushOutcome;
use store::commands::NextOffer;
use store::enrolments::PushAddress;
pub use store::push_states::Lane;
use store::push_states::{self, PushState, PutOff};
use store::{StoreError, Tx};
use types::{Duration, EnrolmentId, Instant, PushCertificateId, QuietHours, Secret};

use crate::{Fleet, Refusal};
use schedule::{Fate, attempt, fate, is_in_hand, wake_at};

/// What Apple's acceptance is remembered as.
const SENT: &str = "sent";
/// What a refusal of our push certificate is remembered as, before Apple's word.
const CERTIFICATE_REFUSED: &str = "certificate refused";

/// What identifies us to Apple.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Which push certificate it is.
    pub id: PushCertificateId,
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
    want_each(tx, vec![(enrolment, due, now)])
}

/// As [`want`], for many tablets, in two statements: when each is due, and when that is wanted.
pub(crate) fn want_each(
    tx: &mut Tx<'_>,
    wanted: Vec<(EnrolmentId, Instant, Instant)>,
) -> Result<(), StoreError> {
    let wanted: HashMap<_, _> = wanted.into_iter().map(|(id, due, now)| (id, (due, now))).collect();
    // Held: a messenger that is about to give a row up, because nothing waited when it looked, is waited for.
    let states = push_states::hold_all(tx, &wanted.keys().copied().collect::<Vec<_>>())?;
    let wanted = states.iter().filter_map(|state| {
        let (due, now) = wanted.get(&state.enrolment_id)?;
        Some((state.enrolment_id, wake_at(state, *due), *now))
    });
    push_states::want_all(tx, wanted.collect::<Vec<_>>())
}

/// As [`want`], for many tablets in two statements.
pub(crate) fn want_all(
    tx: &mut Tx<'_>,
    enrolments: &[EnrolmentId],
    due: Instant,
    now: Instant,
) -> Result<(), StoreError> {
    want_each(tx, enrolments.iter().map(|enrolment| (*enrolment, due, now)).collect())
}

/// Pushes now what Apple refused because of the certificate before.
pub(crate) fn try_again_with_a_new_certificate(tx: &mut Tx<'_>, now: Instant) -> Result<(), StoreError> {
    push_states::retry(tx, CERTIFICATE_REFUSED, now)
}

/// What a claim came to.
#[derive(Debug, Default)]
pub struct Claimed {
    /// The tablets to wake now.
    pub due: Vec<Due>,
    /// How many were claimed, also of those that need no push now: as many as the limit, and there may be more.
    pub claimed: usize,
    /// How many of them wait for the end of the quiet hours.
    pub quiet: usize,
}

/// Claims at most `limit` tablets of a lane that are due, for as long as `lease`; another node leaves them alone. Takes
/// as many statements for one tablet as for hundreds. Claims nobody if `certificate` is not the one in use any more:
/// whoever pushes with it would be refused, and what waited for the new one would wait again.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn claim(
    fleet: &Fleet,
    certificate: PushCertificateId,
    lane: Lane,
    limit: u32,
    lease: Duration,
    now: Instant,
) -> Result<Claimed, Refusal> {
    let quiet_until = fleet.settings().quiet_hours.and_then(|quiet: QuietHours| quiet.end_after(now));
    let claimed = fleet
        .store()
        .write_held(move |tx| {
            let ids = push_states::claim(tx, lane, now, now.plus(lease), limit)?;
            if ids.is_empty() {
                return Ok(Claimed::default());
            }
            // Read once the rows are held: whoever installs another one from now on finds them claimed, and frees them.
            if store::push_certificates::current(tx)?.is_none_or(|current| current.id != certificate) {
                let at_once: Vec<_> =
                    ids.into_iter().map(|enrolment| PutOff { enrolment, due_at: now }).collect();
                push_states::put_off_all(tx, &at_once)?;
                return Ok(Claimed::default());
            }
            let mut offers = store::commands::next_offers(tx, &ids, now)?;
            // What layers ask of a tablet becomes a command only when the tablet comes.
            for enrolment in store::deliveries::due_among(tx, &ids, now)? {
                offers
                    .entry(enrolment)
                    .and_modify(|offer| offer.first = offer.first.min(now))
                    .or_insert(NextOffer { first: now, urgent: None });
            }
            let mut addresses = addresses(tx, &ids)?;
            let (mut claimed, mut later, mut forgotten) =
                (Claimed { claimed: ids.len(), ..Claimed::default() }, Vec::new(), Vec::new());
            for enrolment in ids {
                // What it was to be woken for may have been cancelled, put off, or be over.
                let offer = offers.get(&enrolment).copied();
                let quiet_until = quiet_until.filter(|_end| {
                    addresses.get(&enrolment).is_none_or(|address| {
                        !is_in_hand(address.awaiting_configuration, address.token_updated_at, now)
                    })
                });
                match fate(offer, quiet_until, seed(enrolment), now) {
                    Fate::PutOff(due_at) => later.push(PutOff { enrolment, due_at }),
                    Fate::Quiet(due_at) => {
                        claimed.quiet = claimed.quiet.saturating_add(1);
                        later.push(PutOff { enrolment, due_at });
                    }
                    Fate::Nothing => forgotten.push(enrolment),
                    Fate::Push => match addresses.remove(&enrolment) {
                        Some(PushAddress { token, magic, .. }) => {
                            let magic = Secret::new(String::from_utf8_lossy(magic.expose()).into_owned());
                            claimed.due.push(Due { enrolment, token, magic, claimed_at: now });
                        }
                        None => forgotten.push(enrolment),
                    },
                }
            }
            push_states::put_off_all(tx, &later)?;
            push_states::forget_all(tx, &forgotten)?;
            Ok::<_, Refusal>(claimed)
        })
        .await?;
    fleet.meters().quiet.add(u64::try_from(claimed.quiet).unwrap_or(0));
    Ok(claimed)
}

/// What is needed to push each; absent when there is no way until the tablet comes by itself.
fn addresses(tx: &mut Tx<'_>, ids: &[EnrolmentId]) -> Result<HashMap<EnrolmentId, PushAddress>, StoreError> {
    let mut addresses = HashMap::new();
    for address in store::enrolments::push_addresses(tx, ids)? {
        match address {
            Ok(address) => {
                addresses.insert(address.enrolment, address);
            }
            // One row that cannot be opened keeps no other tablet asleep.
            Err((enrolment, error)) => {
                tracing::error!(%enrolment, %error, "a push token cannot be opened: the tablet is not woken");
            }
        }
    }
    Ok(addresses)
}

/// Records what became of pushes, in one transaction of a few statements.
///
/// # Errors
/// [`Refusal::Store`]; the leases then run out and the tablets are pushed again.
pub async fn record(fleet: &Fleet, outcomes: Vec<(Due, PushOutcome)>, now: Instant) -> Result<(), Refusal> {
    outcomes.iter().for_each(|(_due, outcome)| fleet.meters().pushed(outcome));
    fleet
        .store()
        .write_held(move |tx| {
            let ids: Vec<EnrolmentId> = outcomes.iter().map(|(due, _outcome)| due.enrolment).collect();
            let states: HashMap<_, _> = push_states::hold_all(tx, &ids)?
                .into_iter()
                .map(|state| (state.enrolment_id, state))
                .collect();
            // Read once the states are held: a TokenUpdate that comes from now on finds what is written here.
            let tokens = store::enrolments::token_times(tx, &ids)?;
            let attempts: Vec<_> = outcomes
                .iter()
                .filter_map(|(due, outcome)| {
                    let (state, token) = (states.get(&due.enrolment)?, tokens.get(&due.enrolment)?);
                    Some(attempt(due, state, *token, outcome, now))
                })
                .collect();
            Ok(push_states::record_all(tx, &attempts)?)
        })
        .await
}

/// A number that differs per tablet.
fn seed(enrolment: EnrolmentId) -> u64 {
    u64::try_from(enrolment.as_uuid().as_u128() & u128::from(u64::MAX)).unwrap_or(0)
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
        CERTIFICATE_REFUSED => Some(Trouble::CertificateRefused(words.to_owned())),
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
        PushOutcome::CertificateRefused { reason } => format!("{CERTIFICATE_REFUSED}: {reason}"),
        PushOutcome::Unavailable { reason } => format!("unavailable: {reason}"),
        PushOutcome::Rejected { status, reason } => format!("rejected: {status} {reason}"),
    }
}
