//! What Apple refuses, and in which words.

use hyper::header::HeaderMap;
use hyper::{Method, Uri};

use super::{ApnsFault, Push, Shared};

/// The longest payload of an MDM push, in bytes.
pub(super) const LONGEST_PAYLOAD: usize = 4096;

/// A refusal, as Apple writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: String,
    /// Milliseconds since 1970, only with 410.
    pub(super) timestamp: Option<i64>,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned(), timestamp: None, retry_after: None }
    }
}

/// What becomes of a push.
#[derive(Debug)]
pub(super) enum Verdict {
    Accept(Push),
    AcceptLater(Push, std::time::Duration),
    Refuse(Refusal),
    Die,
}

/// Judges a request in the order in which it becomes known.
pub(super) fn judge(
    shared: &Shared,
    certified_topic: Option<&str>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Verdict {
    let checked = check(shared, certified_topic, method, uri, headers, body);
    let push = match checked {
        Ok(push) => push,
        Err(refusal) => return Verdict::Refuse(refusal),
    };
    match next_fault(shared, &push.token) {
        None => Verdict::Accept(push),
        Some(ApnsFault::Unregistered { since }) => {
            Verdict::Refuse(Refusal { timestamp: Some(since), ..Refusal::new(410, "Unregistered") })
        }
        Some(ApnsFault::TooManyRequests) => Verdict::Refuse(Refusal::new(429, "TooManyRequests")),
        Some(ApnsFault::ServiceUnavailable { retry_after }) => {
            Verdict::Refuse(Refusal { retry_after, ..Refusal::new(503, "ServiceUnavailable") })
        }
        Some(ApnsFault::Refusal { status, reason }) => Verdict::Refuse(Refusal::new(status, &reason)),
        Some(ApnsFault::ConnectionDeath) => Verdict::Die,
        Some(ApnsFault::Silence(time)) => Verdict::AcceptLater(push, time),
    }
}

fn check(
    shared: &Shared,
    certified_topic: Option<&str>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Push, Refusal> {
    let refuse = |status, reason| Err(Refusal::new(status, reason));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(token) = uri.path().strip_prefix("/3/device/") else { return refuse(404, "BadPath") };
    if method != Method::POST {
        return refuse(405, "MethodNotAllowed");
    }
    let Some(certified_topic) = certified_topic else { return refuse(403, "BadCertificate") };
    if token.is_empty() {
        return refuse(400, "MissingDeviceToken");
    }
    if !is_token(token) {
        return refuse(400, "BadDeviceToken");
    }
    let Some(topic) = header("apns-topic") else { return refuse(400, "MissingTopic") };
    if topic != certified_topic {
        return refuse(400, "TopicDisallowed");
    }
    if header("apns-push-type") != Some("mdm") {
        return refuse(400, "InvalidPushType");
    }
    if header("apns-priority").is_some_and(|priority| !["1", "5", "10"].contains(&priority)) {
        return refuse(400, "BadPriority");
    }
    if header("apns-expiration").is_some_and(|moment| moment.parse::<u64>().is_err()) {
        return refuse(400, "BadExpirationDate");
    }
    if body.len() > LONGEST_PAYLOAD {
        return refuse(413, "PayloadTooLarge");
    }
    // Anything but {"mdm":"…"} would reach the tablet as nothing at all.
    let Some(magic) = magic_of(body) else { return refuse(400, "PayloadEmpty") };
    let token = token.to_ascii_lowercase();
    let book = shared.book();
    match book.tokens.get(&token) {
        Some(own) if own != topic => return refuse(400, "DeviceTokenNotForTopic"),
        None if book.refuse_unknown => return refuse(400, "BadDeviceToken"),
        _ => {}
    }
    Ok(Push {
        token,
        topic: topic.to_owned(),
        magic,
        priority: header("apns-priority").map(str::to_owned),
        expiration: header("apns-expiration").map(str::to_owned),
        at: shared.clock.now(),
    })
}

/// Tokens are bytes, at least 32 today, in hexadecimal.
fn is_token(token: &str) -> bool {
    token.len() >= 64 && token.len() <= 200 && token.len().is_multiple_of(2) && hex::decode(token).is_ok()
}

/// The one string of `{"mdm":"…"}`, and nothing beside it.
fn magic_of(body: &[u8]) -> Option<String> {
    match serde_json::from_slice::<serde_json::Value>(body).ok()? {
        serde_json::Value::Object(entries) if entries.len() == 1 => {
            entries.get("mdm")?.as_str().filter(|magic| !magic.is_empty()).map(str::to_owned)
        }
        _ => None,
    }
}

/// The fault that the next push to a token meets, if any; counts it down.
fn next_fault(shared: &Shared, token: &str) -> Option<ApnsFault> {
    let mut book = shared.book();
    let own = book.faults.get_mut(token).and_then(count_down);
    own.or_else(|| book.fault_for_all.as_mut().and_then(count_down))
}

fn count_down((fault, times): &mut (ApnsFault, usize)) -> Option<ApnsFault> {
    *times = times.checked_sub(1)?;
    Some(fault.clone())
}

/// The `apns-id` to answer with: the sender's, or a new one.
pub(super) fn apns_id(headers: &HeaderMap) -> String {
    let given = headers.get("apns-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    given.unwrap_or_else(|| uuid::Uuid::new_v4().to_string().to_uppercase())
}
