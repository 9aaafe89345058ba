//! What was seen while measuring, by all connections together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::histogram::{Histogram, Latencies};
use super::problem::Problem;
use super::task::Laps;

/// How many different problems are told apart.
const MOST_KINDS: usize = 50;

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Tally {
    /// Right operations, also those that were not measured.
    answered: AtomicU64,
    right: AtomicU64,
    wrong: AtomicU64,
    whole: Histogram,
    steps: Vec<(&'static str, Histogram)>,
    problems: Mutex<Vec<Seen>>,
    last: Mutex<Option<Instant>>,
    tls: OnceLock<&'static str>,
    opened: AtomicU64,
    resumed: AtomicU64,
}

/// A problem, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    pub(super) error: String,
    pub(super) count: u64,
}

impl Tally {
    pub(super) fn new(steps: &[&'static str]) -> Self {
        Self {
            answered: AtomicU64::new(0),
            right: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
            whole: Histogram::new(),
            steps: steps.iter().map(|step| (*step, Histogram::new())).collect(),
            problems: Mutex::default(),
            last: Mutex::default(),
            tls: OnceLock::new(),
            opened: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
        }
    }

    /// An operation that was right, measured or not.
    pub(super) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// How many operations were right, measured or not.
    pub(super) fn all_answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// An operation that was right, and measured.
    pub(super) fn right(&self, latency: Duration, laps: &Laps, now: Instant) {
        self.right.fetch_add(1, Ordering::Relaxed);
        self.whole.add(latency);
        for (step, took) in &laps.steps {
            if let Some((_name, histogram)) = self.steps.iter().find(|(name, _histogram)| name == step) {
                histogram.add(*took);
            }
        }
        self.until(now);
    }

    /// An operation that was not.
    pub(super) fn wrong(&self, problem: &Problem, now: Instant) {
        self.wrong.fetch_add(1, Ordering::Relaxed);
        self.remember(problem);
        self.until(now);
    }

    /// Remembers what went wrong, without counting an operation.
    pub(super) fn remember(&self, problem: &Problem) {
        let error = problem.to_string();
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = problems.iter_mut().find(|seen| seen.error == error) {
            seen.count += 1;
        } else if problems.len() < MOST_KINDS {
            problems.push(Seen { error, count: 1 });
        }
    }

    /// Connections that were opened while measuring, and those of them that went on with a TLS session.
    pub(super) fn opened(&self, connections: u64, resumed: u64) {
        self.opened.fetch_add(connections, Ordering::Relaxed);
        self.resumed.fetch_add(resumed, Ordering::Relaxed);
    }

    /// The version of TLS that a connection speaks.
    pub(super) fn speaks(&self, tls: Option<&'static str>) {
        if let Some(version) = tls {
            let _first = self.tls.set(version);
        }
    }

    /// Whether nothing is right, and much is wrong.
    pub(super) fn is_hopeless(&self) -> bool {
        self.right.load(Ordering::Relaxed) == 0 && self.wrong.load(Ordering::Relaxed) >= 1_000
    }

    fn until(&self, now: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(Some(now));
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.right.load(Ordering::Relaxed), self.wrong.load(Ordering::Relaxed))
    }

    /// From `beginning` to the last answer.
    pub(super) fn elapsed(&self, beginning: Instant) -> Duration {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|last| last.saturating_duration_since(beginning)).unwrap_or_default()
    }

    pub(super) fn latencies(&self) -> Latencies {
        self.whole.latencies()
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = (&'static str, Latencies)> {
        self.steps.iter().map(|(step, histogram)| (*step, histogram.latencies()))
    }

    pub(super) fn tls_version(&self) -> Option<&'static str> {
        self.tls.get().copied()
    }

    pub(super) fn connections_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(super) fn sessions_resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// The problems, in the order in which they were first seen.
    pub(super) fn problems(&self) -> Vec<Seen> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
