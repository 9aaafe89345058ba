//! Who failed, and why: tablets that failed for one reason are told together.

use std::collections::BTreeMap;

use serde::Serialize;
use tablets::Error;

use crate::program::output::printable;

/// How many serial numbers are shown of one reason.
const SHOWN: usize = 8;

/// Failures, one entry per tablet.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Failures(Vec<FailedTablet>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct FailedTablet {
    serial: String,
    kind: &'static str,
    why: String,
}

impl Failures {
    pub(super) fn add(&mut self, serial: String, error: &Error) {
        self.0.push(FailedTablet { serial, kind: error.kind(), why: error.to_string() });
    }

    pub(super) fn sort(&mut self) {
        self.0.sort();
    }

    /// One paragraph per reason, the most frequent first; nothing when nobody failed.
    pub(super) fn told(&self) -> String {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for failed in &self.0 {
            reasons.entry(&failed.why).or_default().push(&failed.serial);
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_why, serials)| std::cmp::Reverse(serials.len()));
        reasons
            .into_iter()
            .map(|(why, serials)| {
                let shown = serials.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
                let more = serials.len().saturating_sub(SHOWN);
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                format!("\n{shown}{more}:\n  {}", printable(why))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tablets_that_failed_for_one_reason_are_told_together() {
        let mut failures = Failures::default();
        assert_eq!(failures.told(), "");
        failures.add("A0".into(), &Error::ScepPending);
        for number in 0..10 {
            failures.add(
                format!("B{number}"),
                &Error::Refused { step: "Authenticate", status: 400, body: "no".into() },
            );
        }
        let told = failures.told();
        let lines: Vec<_> = told.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 4, "{told}");
        assert!(lines[0].starts_with("B0, B1") && lines[0].ends_with("B7 and 2 more:"), "{told}");
        assert!(lines[1].contains("Authenticate was refused with 400: no"), "{told}");
        assert!(lines[2].starts_with("A0:"), "{told}");
    }
}
