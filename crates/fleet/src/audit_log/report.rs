//! What a verification says, as one document for programs and people alike.

use governance::chain::{Report, Row};
use serde_json::{Value as Json, json};
use types::Instant;

/// How many findings are told one by one: a log that was computed anew is wrong everywhere.
const TOLD: usize = 500;

/// What a verification found, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// When it ended.
    pub at: Instant,
    /// What was found.
    pub report: Report,
    /// The entries without a seal.
    pub tail: Option<Tail>,
}

/// The entries that no seal binds yet: what was written in the last second, or since nothing seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The number of the first.
    pub first: i64,
    /// The number of the last.
    pub last: i64,
    /// When the oldest was written.
    pub since: Instant,
}

impl Tail {
    /// With one more entry.
    pub fn grow(tail: &mut Option<Self>, row: &Row) {
        let grown = tail.unwrap_or(Self { first: row.seq, last: row.seq, since: row.at });
        *tail = Some(Self {
            first: grown.first.min(row.seq),
            last: grown.last.max(row.seq),
            since: grown.since.min(row.at),
        });
    }
}

impl Account {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.report.is_whole()
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let report = &self.report;
        let findings: Vec<Json> = report
            .findings
            .iter()
            .take(TOLD)
            .map(|finding| {
                json!({
                    "code": finding.code(), "words": finding.to_string(),
                    "seal": finding.seal(), "entry": finding.entry(),
                })
            })
            .collect();
        let remarks: Vec<Json> = report
            .remarks
            .iter()
            .take(TOLD)
            .map(|remark| json!({ "code": remark.code(), "words": remark.to_string() }))
            .collect();
        json!({
            "verified_at": self.at.to_string(),
            "whole": self.is_whole(),
            "seals": report.seals,
            "entries": report.rows,
            "purged": report.purged,
            "unsealed": report.unsealed,
            "tail": self.tail.map(|tail| json!({
                "first": tail.first, "last": tail.last, "since": tail.since.to_string(),
            })),
            "anchor": report.last.map(|anchor| anchor.to_string()),
            "findings": findings,
            "findings_left_off": report.findings.len().saturating_sub(TOLD),
            "remarks": remarks,
            "remarks_left_off": report.remarks.len().saturating_sub(TOLD),
        })
    }
}
