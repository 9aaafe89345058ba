//! What became of a push, and when to try again: pure decisions over Apple's answers.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use types::Instant;

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// Apple took it. That is not delivery: only the tablet's connect is.
    Accepted {
        /// Apple's id of this push, for its support.
        apns_id: Option<String>,
    },
    /// The token is no longer one of this topic's: no push until the tablet's next TokenUpdate.
    TokenInvalid {
        /// Apple's word: `Unregistered`, `BadDeviceToken`, …
        reason: String,
        /// When Apple saw it become invalid (410 only). A TokenUpdate after this instant makes the answer
        /// stale: the token is good again.
        since: Option<Instant>,
    },
    /// Too many pushes: wait.
    Throttled {
        /// How long Apple asks to wait, if it says.
        retry_after: Option<Duration>,
    },
    /// Apple does not accept the push certificate, or its topic: a person must act, and no push with it can
    /// succeed before.
    CertificateRefused {
        /// Apple's word, or the TLS alert.
        reason: String,
    },
    /// The service could not be reached or failed: try again later.
    Unavailable {
        /// What happened, for the log.
        reason: String,
    },
    /// Apple finds the request itself wrong: sent again it would be refused again.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// Apple's word.
        reason: String,
    },
}

/// The body of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RefusalBody {
    reason: String,
    /// Unix milliseconds; only with status 410.
    timestamp: Option<i64>,
}

/// The outcome that an HTTP answer of the push service stands for.
///
/// `body` is what was read of the body; a body that is not Apple's JSON leaves the status to decide.
#[must_use]
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8]) -> PushOutcome {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if status == 200 {
        return PushOutcome::Accepted { apns_id: text("apns-id").map(printable) };
    }
    let refusal: RefusalBody = serde_json::from_slice(body).unwrap_or_default();
    let reason =
        if refusal.reason.is_empty() { format!("HTTP {status}") } else { printable(&refusal.reason) };
    match (status, reason.as_str()) {
        (410, _) => PushOutcome::TokenInvalid { reason, since: refusal.timestamp.map(Instant::from_millis) },
        (400, "BadDeviceToken" | "DeviceTokenNotForTopic" | "MissingDeviceToken") => {
            PushOutcome::TokenInvalid { reason, since: None }
        }
        (403, _) | (400, "BadTopic" | "MissingTopic" | "TopicDisallowed") => {
            PushOutcome::CertificateRefused { reason }
        }
        (429, _) => PushOutcome::Throttled { retry_after: retry_after(headers) },
        (503, _) if retry_after(headers).is_some() => {
            PushOutcome::Throttled { retry_after: retry_after(headers) }
        }
        (500..=599, _) | (400, "IdleTimeout") => PushOutcome::Unavailable { reason },
        _ => PushOutcome::Rejected { status, reason },
    }
}

/// How long the service asks to wait, if it says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long to wait before the next attempt, or `None` when repeating cannot help: the push was accepted,
/// or something else must change first.
///
/// `attempts` is the number of attempts made so far, at least 1. Doubles from 10 s to 15 min, of which `seed`
/// (any number that differs per tablet, such as a hash of its id) picks a point in the upper half: tablets
/// that failed together do not come back together. Never less than what Apple asked for, up to a day.
#[must_use]
pub fn backoff(attempts: u32, outcome: &PushOutcome, seed: u64) -> Option<Duration> {
    const FIRST: u64 = 10_000;
    const LONGEST: u64 = 15 * 60 * 1_000;
    const DAY: Duration = Duration::from_secs(86_400);
    let exponential = || {
        let doublings = attempts.saturating_sub(1).min(16);
        let ceiling = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        let half = ceiling / 2;
        Duration::from_millis(half.saturating_add(mix(seed, attempts) % half.saturating_add(1)))
    };
    match outcome {
        PushOutcome::Accepted { .. } | PushOutcome::TokenInvalid { .. } | PushOutcome::Rejected { .. } => {
            None
        }
        PushOutcome::Unavailable { .. } => Some(exponential()),
        PushOutcome::Throttled { retry_after } => {
            let asked = retry_after.unwrap_or_default().min(DAY);
            Some(asked.saturating_add(exponential()))
        }
        // Nothing heals by itself, but a new certificate may have been uploaded in the meantime.
        PushOutcome::CertificateRefused { .. } => {
            Some(Duration::from_millis(LONGEST).saturating_add(exponential()))
        }
    }
}

/// SplitMix64's finaliser: spreads neighbouring seeds and attempts over the whole range.
fn mix(seed: u64, attempts: u32) -> u64 {
    let mut z = seed.wrapping_add(u64::from(attempts).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A word of the other side, fit for a log line and a column: printable, at most 100 characters.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unavailable() -> PushOutcome {
        PushOutcome::Unavailable { reason: "test".to_owned() }
    }

    #[test]
    fn t_b2_every_answer_of_the_service_has_one_meaning() {
        // status, Apple's reason, the outcome's kind
        let table = "
            200 -                            Accepted
            400 BadCollapseId                Rejected
            400 BadDeviceToken               TokenInvalid
            400 BadExpirationDate            Rejected
            400 BadMessageId                 Rejected
            400 BadPriority                  Rejected
            400 BadTopic                     CertificateRefused
            400 DeviceTokenNotForTopic       TokenInvalid
            400 DuplicateHeaders             Rejected
            400 IdleTimeout                  Unavailable
            400 InvalidPushType              Rejected
            400 MissingDeviceToken           TokenInvalid
            400 MissingTopic                 CertificateRefused
            400 PayloadEmpty                 Rejected
            400 TopicDisallowed              CertificateRefused
            400 SomethingNew                 Rejected
            403 BadCertificate               CertificateRefused
            403 BadCertificateEnvironment    CertificateRefused
            403 Forbidden                    CertificateRefused
            404 BadPath                      Rejected
            405 MethodNotAllowed             Rejected
            410 ExpiredToken                 TokenInvalid
            410 Unregistered                 TokenInvalid
            413 PayloadTooLarge              Rejected
            429 TooManyRequests              Throttled
            500 InternalServerError          Unavailable
            503 ServiceUnavailable           Unavailable
            503 Shutdown                     Unavailable
            302 -                            Rejected
            502 -                            Unavailable
        ";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let [status, reason, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("not a row: {line}")
            };
            let body = if reason == "-" { String::new() } else { format!(r#"{{"reason":"{reason}"}}"#) };
            let outcome = classify(status.parse().unwrap(), &HeaderMap::new(), body.as_bytes());
            assert!(format!("{outcome:?}").starts_with(expected), "{line} -> {outcome:?}");
        }
    }

    #[test]
    fn t_b2_an_unregistered_token_says_since_when() {
        let body = br#"{"reason":"Unregistered","timestamp":1790000000123}"#;
        assert_eq!(
            classify(410, &HeaderMap::new(), body),
            PushOutcome::TokenInvalid {
                reason: "Unregistered".to_owned(),
                since: Some(Instant::from_millis(1_790_000_000_123)),
            }
        );
    }

    #[test]
    fn t_b2_apples_wish_to_wait_is_honoured() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "120".parse().unwrap());
        let throttled = classify(429, &headers, b"{}");
        assert_eq!(throttled, PushOutcome::Throttled { retry_after: Some(Duration::from_secs(120)) });
        assert!(backoff(1, &throttled, 7).unwrap() >= Duration::from_secs(120));
        assert_eq!(classify(503, &headers, b"{}"), throttled, "a service that names its time is believed");
        headers.insert(RETRY_AFTER, "tomorrow".parse().unwrap());
        assert_eq!(classify(429, &headers, b""), PushOutcome::Throttled { retry_after: None });
    }

    #[test]
    fn an_answer_that_is_not_apples_json_is_judged_by_its_status() {
        for body in [
            &b"<html>"[..],
            b"",
            b"[]",
            br#"{"reason":7}"#,
            &[0xff, 0xfe],
            br#"{"reason":"x","timestamp":"y"}"#,
        ] {
            assert!(matches!(classify(503, &HeaderMap::new(), body), PushOutcome::Unavailable { .. }));
            assert!(matches!(classify(410, &HeaderMap::new(), body), PushOutcome::TokenInvalid { .. }));
        }
    }

    #[test]
    fn a_reason_cannot_forge_a_log_line() {
        let body =
            serde_json::json!({ "reason": format!("Bad\n\u{1b}[31mline{}", "x".repeat(500)) }).to_string();
        let PushOutcome::Rejected { reason, .. } = classify(400, &HeaderMap::new(), body.as_bytes()) else {
            panic!("not rejected")
        };
        assert!(reason.starts_with("Bad[31mline") && reason.chars().count() == 100, "{reason}");
    }

    #[test]
    fn what_cannot_succeed_is_not_repeated() {
        for outcome in [
            PushOutcome::Accepted { apns_id: None },
            PushOutcome::TokenInvalid { reason: String::new(), since: None },
            PushOutcome::Rejected { status: 400, reason: String::new() },
        ] {
            assert_eq!(backoff(1, &outcome, 0), None, "{outcome:?}");
        }
    }

    #[test]
    fn tablets_that_failed_together_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<_> =
            (0..1_000).map(|seed| backoff(5, &unavailable(), seed).unwrap()).collect();
        assert!(waits.len() > 950, "{} different waits", waits.len());
    }

    proptest! {
        #[test]
        fn t_b2_the_wait_grows_and_stays_bounded(attempts in 0_u32.., seed in any::<u64>()) {
            let wait = backoff(attempts, &unavailable(), seed).unwrap();
            prop_assert!(wait >= Duration::from_secs(5) && wait <= Duration::from_secs(15 * 60));
            let later = backoff(attempts.saturating_add(2), &unavailable(), seed).unwrap();
            prop_assert!(later >= wait || wait >= Duration::from_secs(450));
        }

        #[test]
        fn any_answer_has_an_outcome(status in 100_u16..1000, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let accepted = matches!(classify(status, &HeaderMap::new(), &body), PushOutcome::Accepted { .. });
            prop_assert_eq!(accepted, status == 200);
        }
    }
}
