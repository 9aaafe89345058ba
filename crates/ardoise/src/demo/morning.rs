//! The morning: a fleet that enrolled long ago wakes within some minutes. Something waits for each tablet; some are
//! locked, some are slow, some lose their connection.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fleet::vitals::{self, Vitals};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use tablets::{
    Authority, Clock, Faults, Identity, Ipad, KeyPool, MdmPayload, Seeding, Sessions, State, Status, Validity,
};
use testkit::rows::{self, AtWork};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};
use types::meter::{BUCKETS_MS, Times};
use types::{Clock as _, Uai};

use super::Figures;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;

/// How many collèges share the tablets.
const COLLEGES: u32 = 187;
/// Requests to the API at the same time.
const AT_ONCE: usize = 8;
/// How many tablets wake a second, on average over the morning.
const A_SECOND: u64 = 80;
/// The shortest and the longest morning, in seconds.
const SHORTEST: u64 = 5;
const LONGEST: u64 = 300;
/// How often a tablet tries that gets no answer, or a wrong one.
const TRIES: u32 = 5;
/// One in so many tablets is locked when it wakes, is on a slow line, or loses its connection.
const LOCKED: u64 = 10;
const SLOW: u64 = 20;
const UNLUCKY: u64 = 33;
/// What a slow line adds to each request.
const DELAY: Duration = Duration::from_millis(300);
/// How long the server may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    tablets: u64,
    resumption: bool,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step(&format!("{tablets} tablets enrolled long ago, each with a certificate of its own"));
    let sleepers = Arc::new(seed(stage, tablets, resumption).await?);
    let api = stage.api();
    let status = api.get(&["status"]).await?;
    teller.check("tablets enrolled", tablets, number(&status, "/enrolled"));

    if resumption {
        teller.step("the evening before: each comes once, and keeps its TLS session");
        teller.check("tablets that came", tablets, come_once(stage, &sleepers).await?);
    }

    teller.step("the evening before: something is queued for each, one by one, through the API");
    let began = Instant::now();
    let queued = queue(stage, &sleepers).await?;
    teller.check("commands queued", tablets, queued);
    teller.tell(&format!("{:.0} a second", rate(queued, began.elapsed())));

    let span = Duration::from_secs((tablets / A_SECOND).clamp(SHORTEST, LONGEST));
    teller.step(&format!("8:00: they wake, within {} s, most of them in the middle of it", span.as_secs()));
    let morning = Arc::new(Morning::default());
    wake_all(stage, &sleepers, span, &morning).await;
    let refused = morning.refused.load(Ordering::Relaxed);
    teller.tell(&format!(
        "{} locked tablets came again, {} requests were tried again",
        morning.locked.load(Ordering::Relaxed),
        morning.retried.load(Ordering::Relaxed),
    ));
    if let Some(problem) = morning.problem.lock().await.as_deref() {
        teller.tell(problem);
    }
    teller.check("tablets that got no answer in the end", 0, morning.lost.load(Ordering::Relaxed));
    teller.check("answers that were neither right nor “come back”", 0, refused);
    teller.check("commands that tablets carried out", tablets, morning.carried_out.load(Ordering::Relaxed));
    let resumed = morning.resumed.load(Ordering::Relaxed);
    if resumption {
        teller.check("tablets that went on with their sessions", tablets, resumed);
    }

    teller.step("afterwards");
    let vitals = at_rest(stage).await?;
    let status = api.get(&["status"]).await?;
    teller.check("tablets enrolled", tablets, number(&status, "/enrolled"));
    teller.check("alarms", 0, number(&status, "/open_alarms"));
    teller.check("answers that wait for their commit", 0, vitals.memory.answers_waiting);
    teller.check("tablets that are still to be pushed now", 0, vitals.backlog.answering);
    teller.check("requests that were told to come back", 0, vitals.unavailable);
    let (p50, p99) = (percentile(&vitals.connects, 50), percentile(&vitals.connects, 99));
    teller.tell(&format!(
        "{} connects: half within {p50} ms, 99 of 100 within {p99} ms, as the server timed them",
        vitals.connects.count
    ));
    let memory = memory_mb();
    teller.tell(&format!(
        "{} pushes were taken; at most {memory} MB of memory, that of the simulated tablets included",
        vitals.pushes.accepted
    ));
    for (name, value) in [
        ("connects", vitals.connects.count),
        ("p50_ms", p50),
        ("p99_ms", p99),
        ("errors", refused.saturating_add(vitals.unavailable)),
        ("retried", morning.retried.load(Ordering::Relaxed)),
        ("pushes", vitals.pushes.accepted),
        ("memory_mb", memory),
        ("resumed", resumed),
    ] {
        figures.set(name, value);
    }
    Ok(())
}

/// A tablet that sleeps: what it remembers, and how it proves itself.
struct Sleeper {
    state: State,
    identity: Identity,
    /// The TLS sessions that it goes on with, where it does.
    sessions: Option<Sessions>,
}

/// What became of them.
#[derive(Debug, Default)]
struct Morning {
    carried_out: AtomicU64,
    resumed: AtomicU64,
    locked: AtomicU64,
    retried: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    problem: Mutex<Option<String>>,
}

/// Makes the fleet, and lets the server know it.
async fn seed(stage: &Stage, tablets: u64, resumption: bool) -> Result<Vec<Sleeper>, Failure> {
    let server = stage.server();
    let now = server.clock().now();
    let url = stage.tablets_url().join("/mdm/connect").map_err(stopped)?;
    let topic = server.push_service().topic().to_owned();
    let payload = MdmPayload::new(url, &topic);
    let (authority, sleepers) = tokio::task::spawn_blocking(move || {
        let today = Clock::system().now();
        let authority = Authority::new(&[("CN", "The tablets of long ago")], Validity::days(today, 3_650))?;
        let der = authority.identity().certificate_der()?;
        let seeding = Seeding::new(authority, KeyPool::in_memory(4)?, payload, Validity::days(today, 365));
        let sleepers = (1..=tablets)
            .map(|number| {
                let (state, identity) = seeding.tablet(&format!("DMPM{number:08}"))?;
                Ok(Sleeper { state, identity, sessions: resumption.then(Sessions::new) })
            })
            .collect::<Result<Vec<_>, tablets::Error>>()?;
        Ok::<_, tablets::Error>((der, sleepers))
    })
    .await
    .map_err(stopped)?
    .map_err(stopped)?;
    let at_work = sleepers.iter().map(at_work).collect::<Result<Vec<_>, _>>()?;
    let colleges: Vec<Uai> = (0..COLLEGES)
        .map(|number| format!("076{number:04}A").parse())
        .collect::<Result<_, _>>()
        .map_err(stopped)?;
    let fleet = server.fleet().map_err(stopped)?;
    rows::at_work(fleet.store(), &authority, &topic, &at_work, &colleges, now).await.map_err(stopped)?;
    fleet.reload_authorities().await.map_err(stopped)?;
    Ok(sleepers)
}

fn at_work(sleeper: &Sleeper) -> Result<AtWork, Failure> {
    let nothing = || Failure::Story("a tablet was made without an enrolment".into());
    let enrolment = sleeper.state.enrolment.as_ref().ok_or_else(nothing)?;
    Ok(AtWork {
        serial: sleeper.state.hardware.serial.parse().map_err(stopped)?,
        udid: sleeper.state.hardware.udid.clone(),
        certificate: sleeper.identity.certificate_der().map_err(stopped)?,
        push_token: bytes_of(&enrolment.push_token),
        push_magic: enrolment.push_magic.clone(),
    })
}

/// The bytes of hexadecimal digits; what is none is left out.
fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0_u8, |byte, digit| byte << 4 | u8::try_from(*digit).unwrap_or(0)))
        .collect()
}

/// Lets each tablet come once, when nothing waits for it; how many were answered.
async fn come_once(stage: &Stage, sleepers: &[Sleeper]) -> Result<u64, Failure> {
    let came: Vec<bool> = stream::iter(sleepers)
        .map(|sleeper| async move {
            let mut ipad = awake(stage, sleeper)?;
            Ok::<_, Failure>(ipad.poll().await.is_ok_and(|conversation| conversation.outcome.is_accepted()))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(u64::try_from(came.into_iter().filter(|came| *came).count()).unwrap_or(0))
}

/// The tablet, with all that it remembers.
fn awake(stage: &Stage, sleeper: &Sleeper) -> Result<Ipad, Failure> {
    let mut ipad = stage.ipad(&sleeper.state.hardware.serial)?;
    *ipad.state_mut() = sleeper.state.clone();
    ipad.set_identity(Some(sleeper.identity.clone()));
    ipad.http().set_sessions(sleeper.sessions.clone());
    Ok(ipad)
}

/// Queues something for each tablet; how many were queued.
async fn queue(stage: &Stage, sleepers: &[Sleeper]) -> Result<u64, Failure> {
    let api = stage.server().api().map_err(stopped)?;
    let wanted = json!({ "request_type": "DeviceInformation" });
    let wanted = &wanted;
    let queued: Vec<u16> = stream::iter(sleepers)
        .map(|sleeper| async move {
            let path = format!("/api/v1/tablets/{}/commands", sleeper.state.hardware.serial);
            api.post(&path, wanted).await.map(|answer| answer.status)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
        .map_err(stopped)?;
    Ok(u64::try_from(queued.iter().filter(|status| **status == 201).count()).unwrap_or(0))
}

/// Lets all wake, each at its moment.
async fn wake_all(stage: &Stage, sleepers: &Arc<Vec<Sleeper>>, span: Duration, morning: &Arc<Morning>) {
    let began = Instant::now();
    let mut moments: Vec<(Duration, usize)> =
        (0..sleepers.len()).map(|place| (moment(place, span), place)).collect();
    moments.sort_unstable();
    let waking = moments.into_iter().map(|(after, place)| async move {
        sleep_until(began + after).await;
        if let Some(sleeper) = sleepers.get(place) {
            let result = Box::pin(wake(stage, sleeper, place, span, morning)).await;
            if let Err(problem) = result {
                morning.lost.fetch_add(1, Ordering::Relaxed);
                morning.problem.lock().await.get_or_insert(problem);
            }
        }
    });
    // Each waits for its moment by itself: a slow answer holds up no other tablet.
    stream::iter(waking).for_each_concurrent(None, |one| one).await;
}

/// When a tablet wakes: the sum of three dice, so that most do in the middle. The same each time.
fn moment(place: usize, span: Duration) -> Duration {
    let thrown = (0..3_u64).map(|die| mix(place, die) % 1_000).sum::<u64>();
    span.mul_f64(f64::from(u32::try_from(thrown).unwrap_or(0)) / 3_000.0)
}

/// A number that differs per tablet and use (SplitMix64's finaliser).
fn mix(place: usize, of: u64) -> u64 {
    let seed = u64::try_from(place).unwrap_or(u64::MAX).wrapping_mul(8).wrapping_add(of);
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn one_in(place: usize, of: u64, many: u64) -> bool {
    mix(place, of).is_multiple_of(many)
}

/// One tablet wakes, and does what it is told; one that is locked comes again when it is unlocked.
async fn wake(
    stage: &Stage,
    sleeper: &Sleeper,
    place: usize,
    span: Duration,
    morning: &Morning,
) -> Result<(), String> {
    let mut ipad = awake(stage, sleeper).map_err(|failure| failure.to_string())?;
    let delay = if one_in(place, 4, SLOW) { DELAY } else { Duration::ZERO };
    // A connection that breaks under its request: the first try comes to nothing.
    let unlucky = if one_in(place, 5, UNLUCKY) { 1.0 } else { 0.0 };
    let locked = one_in(place, 3, LOCKED);
    let not_now = if locked { 1.0 } else { 0.0 };
    ipad.set_faults(Faults { delay, not_now, drop_before_reading: unlucky, ..Faults::default() });
    if locked {
        morning.locked.fetch_add(1, Ordering::Relaxed);
    }
    for visit in 0..=u32::from(locked) {
        if visit > 0 {
            sleep(span / 10).await;
            ipad.set_faults(Faults { delay, ..Faults::default() });
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let problem = match ipad.poll().await {
                Ok(conversation) if conversation.outcome.is_accepted() => {
                    let done =
                        conversation.handled.iter().filter(|one| one.status == Status::Acknowledged).count();
                    morning.carried_out.fetch_add(u64::try_from(done).unwrap_or(0), Ordering::Relaxed);
                    break;
                }
                Ok(conversation) => {
                    if conversation.outcome.status() != 503 {
                        morning.refused.fetch_add(1, Ordering::Relaxed);
                    }
                    format!("{}: answered {}", ipad.serial(), conversation.outcome.status())
                }
                Err(error) => format!("{}: {error}", ipad.serial()),
            };
            if tries >= TRIES {
                return Err(problem);
            }
            morning.retried.fetch_add(1, Ordering::Relaxed);
            ipad.set_faults(Faults {
                delay,
                not_now: if visit == 0 { not_now } else { 0.0 },
                ..Faults::default()
            });
            sleep(Duration::from_millis(200).saturating_mul(2_u32.saturating_pow(tries))).await;
        }
    }
    if ipad.connection().sessions_resumed() > 0 {
        morning.resumed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Waits until nothing waits any more, and reads what the server counted.
async fn at_rest(stage: &Stage) -> Result<Vitals, Failure> {
    let server = stage.server();
    let fleet = server.fleet().map_err(stopped)?;
    let reader = fleet::coming_in::identify(fleet, stage.token(), server.clock().now()).await;
    let reader = reader.map_err(stopped)?;
    let until = Instant::now() + PATIENCE;
    loop {
        let vitals = vitals::show(fleet, &reader, server.clock().now()).await.map_err(stopped)?;
        let rests = vitals.memory.answers_waiting == 0 && vitals.backlog.answering == 0;
        if rests || Instant::now() >= until {
            return Ok(vitals);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The bound, in milliseconds, within which so many of a hundred were.
fn percentile(times: &Times, of_a_hundred: u64) -> u64 {
    let wanted = times.count.saturating_mul(of_a_hundred).div_ceil(100);
    let reached = BUCKETS_MS.iter().zip(times.within).find(|(_bound, within)| *within >= wanted);
    reached.map_or(u64::MAX, |(bound, _within)| *bound)
}

/// The most memory that this process ever had, in MB.
fn memory_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|most| most.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1_024
}

fn rate(times: u64, span: Duration) -> f64 {
    f64::from(u32::try_from(times).unwrap_or(u32::MAX)) / span.as_secs_f64().max(0.001)
}

fn number(value: &serde_json::Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_tablets_wake_in_the_middle_and_all_within_the_morning() {
        let span = Duration::from_secs(300);
        let moments: Vec<Duration> = (0..10_000).map(|place| moment(place, span)).collect();
        assert!(moments.iter().all(|moment| *moment < span));
        let middle = moments.iter().filter(|moment| (100..200).contains(&moment.as_secs())).count();
        assert!((6_000..8_500).contains(&middle), "{middle} of 10,000 in the middle third");
    }

    #[test]
    fn a_percentile_is_the_bound_of_its_bucket() {
        let timer = types::meter::Timer::new();
        (0..99).for_each(|_| timer.took(Duration::from_millis(4)));
        timer.took(Duration::from_millis(400));
        let times = timer.read();
        assert_eq!((percentile(&times, 50), percentile(&times, 99), percentile(&times, 100)), (5, 5, 500));
    }

    #[test]
    fn a_token_is_read_from_its_digits() {
        assert_eq!(bytes_of("00ff1A"), [0, 255, 26]);
    }
}
