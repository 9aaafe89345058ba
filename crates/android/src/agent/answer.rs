//! The frame of every answer: `{"status":…,"message":…,"data":…}`, compact, with `data` last and nothing after it.
//!
//! The agent looks for the first `"data":` of the text to check a signature. `error.notfound.device` makes it ask a person for
//! another number, also years after it was set up: no answer of ours says it.

use serde::Serialize;

use super::signature::AgentSecret;
use crate::WireError;

/// An answer with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body. Not for logs: it may hold what opens the tablet.
    pub body: Vec<u8>,
    /// What `X-Response-Signature` says, where the agent looks at it.
    pub signature: Option<String>,
}

/// What a tablet is told that sent something we take: the agent looks at the status only.
pub const TAKEN: &[u8] = br#"{"status":"OK","message":null,"data":null}"#;
/// What is told to whoever asks for something that is not there, or shows a key that is not known: always these bytes.
pub const NOT_FOUND: &[u8] = br#"{"status":"ERROR","message":"error.not.found","data":null}"#;
/// What is told to a tablet whose key we ended on purpose: it keeps what it has, and tries again.
pub const RETIRED: &[u8] = br#"{"status":"ERROR","message":"error.permission.denied","data":null}"#;
/// What is told to a tablet that asks for what it may not do now, and whenever something of ours fails.
pub const COME_BACK: &[u8] = br#"{"status":"ERROR","message":"error.internal.server","data":null}"#;
/// What is told to a tablet whose body was not understood.
pub const NOT_UNDERSTOOD: &[u8] = br#"{"status":"ERROR","message":"error.params.missing","data":null}"#;

impl Answer {
    /// 200: it is taken.
    #[must_use]
    pub fn taken() -> Self {
        Self::plain(200, TAKEN)
    }

    /// 404: the same for whatever is not there, so that nobody learns which keys are (T-C7).
    #[must_use]
    pub fn not_found() -> Self {
        Self::plain(404, NOT_FOUND)
    }

    /// 403: we ended this on purpose. The agent goes on with its last configuration.
    #[must_use]
    pub fn retired() -> Self {
        Self::plain(403, RETIRED)
    }

    /// 503: not now. No command that waits for a confirmation is carried out after it.
    #[must_use]
    pub fn come_back() -> Self {
        Self::plain(503, COME_BACK)
    }

    /// 400 or 413: it was not understood.
    #[must_use]
    pub fn not_understood(why: &WireError) -> Self {
        Self::plain(if matches!(why, WireError::TooLong { .. }) { 413 } else { 400 }, NOT_UNDERSTOOD)
    }

    /// 200 with data, signed.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub(crate) fn data<T: Serialize>(data: &T, secret: &AgentSecret) -> Result<Self, serde_json::Error> {
        let body = frame(data)?;
        let signature = secret.of_answer(&body);
        Ok(Self { status: 200, body, signature })
    }

    fn plain(status: u16, body: &[u8]) -> Self {
        Self { status, body: body.to_vec(), signature: None }
    }
}

#[derive(Serialize)]
struct Frame<'a, T> {
    status: &'static str,
    message: Option<&'static str>,
    data: &'a T,
}

/// The frame of a success around its data.
pub(crate) fn frame<T: Serialize>(data: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Frame { status: "OK", message: None, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_last_is_spelled_without_a_space_and_ends_the_body() {
        let body = String::from_utf8(frame(&["\"data\": {}\n"]).unwrap()).unwrap();
        assert_eq!(body, r#"{"status":"OK","message":null,"data":["\"data\": {}\n"]}"#);
        assert_eq!(body.find("\"data\":"), Some(30));
    }

    #[test]
    fn no_answer_makes_the_agent_ask_a_person_for_another_number() {
        let why = WireError::TwiceTheSameKey;
        let answers = [
            (Answer::taken(), 200),
            (Answer::not_found(), 404),
            (Answer::retired(), 403),
            (Answer::come_back(), 503),
            (Answer::not_understood(&why), 400),
            (Answer::not_understood(&WireError::TooLong { limit: 1 }), 413),
        ];
        for (answer, status) in answers {
            assert_eq!(answer.status, status);
            let text = String::from_utf8(answer.body).unwrap();
            assert!(!text.contains("error.notfound.device"), "{text}");
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(read["data"].is_null() && text.ends_with("\"data\":null}"));
            // `OK` with no data would leave the agent without a configuration: only what it does not read says it.
            assert_eq!(read["status"] == "OK", status == 200);
        }
    }
}
