//! What a load found: one document, or a sheet for people.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::auth::Auth;
use super::dialect::Dialect;
use super::histogram::Latencies;
use super::tally::{Seen, Tally};
use crate::program::output::sheet;

/// Whether, and how, TLS was spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// In the clear.
    None,
    /// With this version.
    Version(&'static str),
    /// It should have been, but no connection came about.
    Unknown,
}

/// `false`, `"TLSv1.3"`, or `true`.
impl Serialize for Tls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_bool(false),
            Self::Version(version) => serializer.serialize_str(version),
            Self::Unknown => serializer.serialize_bool(true),
        }
    }
}

/// What a load found.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    /// What was measured.
    pub(super) bench: &'static str,
    /// How tablets proved who they are.
    pub(super) auth: Auth,
    pub(super) tls: Tls,
    /// Different tablets that were measured.
    pub(super) tablets: usize,
    pub(super) connections: usize,
    /// From the first measured operation to the last answer.
    pub(super) seconds: f64,
    /// Operations that were right.
    pub(super) requests: u64,
    /// Operations that were not.
    pub(super) errors: u64,
    /// Right operations a second.
    pub(super) rate: f64,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// `closed`, or `open` at `target_rate`.
    #[serde(rename = "loop")]
    pub(super) kind: &'static str,
    pub(super) target_rate: Option<f64>,
    /// Operations of an open loop that nobody was free to begin: the server did not keep up.
    pub(super) missed: u64,
    /// Operations of a tablet before the next one takes its place; 0: no other one does.
    pub(super) turn: u64,
    /// Connections, and with TLS handshakes, while measuring.
    pub(super) connections_opened: u64,
    /// Those of them that went on with a TLS session.
    pub(super) sessions_resumed: u64,
    pub(super) signed_beforehand: bool,
    pub(super) warm_up_seconds: f64,
    /// Where the tablets' certificates come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identities: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dialect: Option<Dialect>,
    /// The latencies of the steps of an operation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) steps: BTreeMap<&'static str, Step>,
    /// When the load began, in unix milliseconds: what a server remembers from then on is of this load.
    pub(super) begun_at: i64,
    /// Right operations since then, those of the warm-up included.
    pub(super) answered: u64,
    /// Different tablets that got a right answer since then, those of the warm-up included.
    pub(super) heard: usize,
    /// Whether it was told to stop before its time.
    pub(super) interrupted: bool,
    /// The first errors in words, each with how often it was seen.
    pub(super) first_errors: Vec<Seen>,
}

/// The latencies of one step.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Step {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl From<Latencies> for Step {
    fn from(latencies: Latencies) -> Self {
        Self {
            p50_ms: rounded(latencies.p50_ms),
            p99_ms: rounded(latencies.p99_ms),
            max_ms: rounded(latencies.max_ms),
        }
    }
}

impl Verdict {
    /// Takes over what the tally says.
    pub(super) fn with(mut self, tally: &Tally, seconds: f64, shown: usize) -> Self {
        let latencies = tally.latencies();
        (self.requests, self.errors) = tally.counts();
        self.answered = tally.all_answered();
        self.seconds = rounded(seconds);
        let right = u32::try_from(self.requests).map_or(f64::MAX, f64::from);
        self.rate = if seconds > 0.0 { (right / seconds * 10.0).round() / 10.0 } else { 0.0 };
        self.p50_ms = rounded(latencies.p50_ms);
        self.p90_ms = rounded(latencies.p90_ms);
        self.p99_ms = rounded(latencies.p99_ms);
        self.max_ms = rounded(latencies.max_ms);
        self.connections_opened = tally.connections_opened();
        self.sessions_resumed = tally.sessions_resumed();
        self.steps = tally.steps().map(|(step, latencies)| (step, Step::from(latencies))).collect();
        if let Some(version) = tally.tls_version() {
            self.tls = Tls::Version(version);
        }
        self.first_errors = tally.problems();
        self.first_errors.truncate(shown);
        self
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        let millis = |value: f64| format!("{value:.2} ms");
        let tls = match self.tls {
            Tls::None => "in the clear",
            Tls::Version(version) => version,
            Tls::Unknown => "TLS",
        };
        let auth = match (self.auth, self.signed_beforehand) {
            (Auth::Mtls, _) => "client certificate",
            (Auth::Signature, true) => "Mdm-Signature, made beforehand",
            (Auth::Signature, false) => "Mdm-Signature",
            (Auth::Header, _) => "certificate in a header",
        };
        let mut rows = vec![
            ("bench", self.bench.to_owned()),
            ("proof", format!("{auth}, {tls}")),
            (
                "tablets",
                format!(
                    "{} on {} connections, {} opened, {} of them resumed",
                    self.tablets, self.connections, self.connections_opened, self.sessions_resumed
                ),
            ),
            ("right", format!("{} in {:.1} s", self.requests, self.seconds)),
            ("wrong", self.errors.to_string()),
            ("rate", format!("{:.1}/s", self.rate)),
            (
                "latency",
                format!(
                    "p50 {}, p90 {}, p99 {}, longest {}",
                    millis(self.p50_ms),
                    millis(self.p90_ms),
                    millis(self.p99_ms),
                    millis(self.max_ms)
                ),
            ),
        ];
        if let Some(rate) = self.target_rate {
            rows.push(("open loop", format!("{rate}/s were meant, {} could not begin in time", self.missed)));
        }
        if self.missed > 0 {
            rows.push((
                "beware",
                "the server did not keep up: true latencies are longer than these".to_owned(),
            ));
        }
        rows.extend(self.identities.map(|identities| ("identities", identities.to_owned())));
        for (name, step) in &self.steps {
            rows.push((
                name,
                format!(
                    "p50 {}, p99 {}, longest {}",
                    millis(step.p50_ms),
                    millis(step.p99_ms),
                    millis(step.max_ms)
                ),
            ));
        }
        if self.interrupted {
            rows.push(("beware", "it was stopped before its time".to_owned()));
        }
        rows.extend(
            self.first_errors.iter().map(|seen| ("error", format!("{}× {}", seen.count, seen.error))),
        );
        sheet(&rows)
    }
}

/// To the microsecond, if it is in milliseconds.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
