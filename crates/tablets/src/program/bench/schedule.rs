//! When operations begin.
//!
//! In a closed loop each connection begins as soon as its last answer has come. In an open loop they begin at fixed
//! times, whether or not earlier ones were answered, and latency counts from the time that was meant: a server
//! that stalls for a second is charged for all who would have come in that second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// How long the pacemaker sleeps at least.
const SHORTEST_SLEEP: Duration = Duration::from_micros(50);
/// And at most, so that it hears when it is told to stop.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);

/// What a schedule is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    /// What comes before this much time is not measured.
    pub(super) warm_up: Duration,
    /// For how long is measured, unless the number ends it.
    pub(super) limit: Option<Duration>,
    /// How many operations are measured at most.
    pub(super) requests: Option<u64>,
    /// How many operations a second begin; none for a closed loop.
    pub(super) rate: Option<f64>,
}

/// When operations begin, shared by all connections.
#[derive(Debug)]
pub(super) struct Schedule {
    plan: Plan,
    begun: Instant,
    /// Operations of an open loop that were given out.
    given: AtomicU64,
    /// Measured operations that were given out.
    measured: AtomicU64,
    /// Operations of an open loop whose time came and that nobody was free to begin.
    missed: AtomicU64,
    stopped: AtomicBool,
    /// In an open loop: as many permits as times that have come.
    due: Option<Semaphore>,
}

/// The next operation of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Begin now.
    Begin {
        /// Since when it waits: now, in a closed loop.
        meant: Instant,
        /// Whether it counts.
        measured: bool,
    },
    /// There is none.
    Over,
}

impl Schedule {
    /// A schedule that begins now.
    pub(super) fn begin(plan: Plan) -> Arc<Self> {
        let schedule = Arc::new(Self {
            plan,
            begun: Instant::now(),
            given: AtomicU64::new(0),
            measured: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            due: plan.rate.map(|_rate| Semaphore::new(0)),
        });
        if plan.rate.is_some() {
            let pacemaker = Arc::clone(&schedule);
            // Tokio's timers are right to a millisecond, which would be added to every latency.
            std::thread::spawn(move || pacemaker.keep_pace());
        }
        schedule
    }

    /// When measuring begins.
    pub(super) fn measured_from(&self) -> Instant {
        self.begun + self.plan.warm_up
    }

    /// Ends it: what is under way comes to an end, and nothing begins.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Operations of an open loop that should have begun and did not.
    pub(super) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Waits for the next operation.
    pub(super) async fn next(&self) -> Slot {
        let (Some(rate), Some(due)) = (self.plan.rate, &self.due) else { return self.closed(Instant::now()) };
        match due.acquire().await {
            Ok(permit) => permit.forget(),
            // Closed: the last time has come.
            Err(_over) => return Slot::Over,
        }
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        self.open(number, rate, Instant::now())
    }

    fn closed(&self, now: Instant) -> Slot {
        let measured = now >= self.measured_from();
        if self.stopped.load(Ordering::Relaxed) || self.is_after(now) || (measured && !self.take_one()) {
            return Slot::Over;
        }
        Slot::Begin { meant: now, measured }
    }

    fn open(&self, number: u64, rate: f64, now: Instant) -> Slot {
        let meant = self.begun + offset(number, rate);
        let measured = meant >= self.measured_from();
        if self.stopped.load(Ordering::Relaxed) || self.is_after(meant) || (measured && !self.take_one()) {
            return Slot::Over;
        }
        if self.is_after(now) {
            self.missed.fetch_add(u64::from(measured), Ordering::Relaxed);
            return Slot::Over;
        }
        Slot::Begin { meant, measured }
    }

    fn is_after(&self, moment: Instant) -> bool {
        self.plan.limit.is_some_and(|limit| moment >= self.measured_from() + limit)
    }

    fn take_one(&self) -> bool {
        let number = self.measured.fetch_add(1, Ordering::Relaxed);
        self.plan.requests.is_none_or(|requests| number < requests)
    }

    /// Gives a permit for each time that comes, until the last one.
    fn keep_pace(&self) {
        let (Some(rate), Some(due)) = (self.plan.rate, &self.due) else { return };
        let mut number = 0_u64;
        loop {
            let now = Instant::now();
            let mut come = 0;
            while self.begun + offset(number, rate) <= now && come < Semaphore::MAX_PERMITS {
                number += 1;
                come += 1;
            }
            due.add_permits(come);
            let next = self.begun + offset(number, rate);
            if self.stopped.load(Ordering::Relaxed) || self.is_after(now) || self.had_enough() {
                // Whoever waits, and whoever comes, is told that it is over. Times that came are counted by those
                // who took their permits; the rest was missed.
                due.close();
                return;
            }
            std::thread::sleep(next.saturating_duration_since(now).clamp(SHORTEST_SLEEP, LONGEST_SLEEP));
        }
    }

    fn had_enough(&self) -> bool {
        self.plan.requests.is_some_and(|requests| self.measured.load(Ordering::Relaxed) >= requests)
    }

    /// Counts the times of an open loop that came and that nobody took. Called once, when all connections are done.
    pub(super) fn count_the_missed(&self) {
        let (Some(rate), Some(due)) = (self.plan.rate, &self.due) else { return };
        if self.stopped.load(Ordering::Relaxed) || self.had_enough() {
            return;
        }
        let left = u64::try_from(due.available_permits()).unwrap_or_default();
        let first = self.given.load(Ordering::Relaxed);
        let measured = (first..first + left)
            .map(|number| self.begun + offset(number, rate))
            .filter(|meant| *meant >= self.measured_from() && !self.is_after(*meant))
            .count();
        let wanted = self
            .plan
            .requests
            .map_or(u64::MAX, |requests| requests.saturating_sub(self.measured.load(Ordering::Relaxed)));
        let measured = u64::try_from(measured).unwrap_or_default().min(wanted);
        self.missed.fetch_add(measured, Ordering::Relaxed);
    }
}

/// How long after the beginning an operation is meant to begin.
fn offset(number: u64, rate: f64) -> Duration {
    let number = u32::try_from(number).map_or_else(|_many| number_in_parts(number), f64::from);
    Duration::try_from_secs_f64(number / rate).unwrap_or(Duration::MAX / 4)
}

/// A number of more than 32 bits, without a cast.
fn number_in_parts(number: u64) -> f64 {
    let part = |part: u64| u32::try_from(part).map_or(0.0, f64::from);
    part(number >> 32).mul_add(4_294_967_296.0, part(number & 0xffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        warm_up: Duration::from_secs(10),
        limit: Some(Duration::from_secs(20)),
        requests: None,
        rate: None,
    };

    fn is_measured(slot: Slot) -> Option<bool> {
        match slot {
            Slot::Begin { measured, .. } => Some(measured),
            Slot::Over => None,
        }
    }

    #[test]
    fn a_closed_loop_warms_up_measures_and_ends() {
        let schedule = Schedule::begin(PLAN);
        let at = |seconds| is_measured(schedule.closed(schedule.begun + Duration::from_secs(seconds)));
        assert_eq!([0, 9, 10, 29, 30].map(at), [Some(false), Some(false), Some(true), Some(true), None]);
    }

    #[test]
    fn a_number_of_requests_ends_it_and_warming_up_uses_none_of_them() {
        let schedule = Schedule::begin(Plan { requests: Some(2), limit: None, ..PLAN });
        let at = |seconds| is_measured(schedule.closed(schedule.begun + Duration::from_secs(seconds)));
        assert_eq!([1, 2, 11, 12, 13].map(at), [Some(false), Some(false), Some(true), Some(true), None]);
    }

    #[test]
    fn an_open_loop_counts_from_the_time_that_was_meant() {
        let schedule = Schedule::begin(PLAN);
        let late = schedule.begun + Duration::from_secs(15);
        let slot = schedule.open(24, 2.0, late);
        assert_eq!(slot, Slot::Begin { meant: schedule.begun + Duration::from_secs(12), measured: true });
        assert_eq!(is_measured(schedule.open(10, 2.0, late)), Some(false), "meant in the warm-up");
    }

    #[test]
    fn what_an_open_loop_could_not_begin_in_time_is_counted_as_missed() {
        let schedule = Schedule::begin(PLAN);
        let too_late = schedule.begun + Duration::from_secs(31);
        assert_eq!(schedule.open(50, 2.0, too_late), Slot::Over);
        assert_eq!(schedule.open(10, 2.0, too_late), Slot::Over, "meant in the warm-up: not counted");
        assert_eq!(schedule.missed(), 1);
    }

    #[tokio::test]
    async fn the_pacemaker_keeps_the_rate_and_ends() {
        let plan = Plan { warm_up: Duration::ZERO, limit: None, requests: Some(20), rate: Some(200.0) };
        let schedule = Schedule::begin(plan);
        let mut meant = Vec::new();
        while let Slot::Begin { meant: one, .. } = schedule.next().await {
            assert!(Instant::now() >= one, "it begins no earlier than it should");
            meant.push(one - schedule.begun);
        }
        let expected: Vec<_> = (0..20).map(|number| Duration::from_millis(number * 5)).collect();
        assert_eq!(meant, expected);
    }

    #[test]
    fn offsets_do_not_lose_precision_where_it_matters() {
        assert_eq!(offset(3, 2.0), Duration::from_millis(1_500));
        assert_eq!(offset(u64::from(u32::MAX) + 1, 4_294_967_296.0), Duration::from_secs(1));
    }
}
