//! The long poll: what a waiting tablet is told.
//!
//! A message's payload is a JSON document written as a *text*; an object there breaks the whole batch for the agent. What can
//! erase, run programs or open the tablet is known to the agent and sent by nobody: see [`NEVER_SENT`].

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::answer::Answer;
use super::signature::AgentSecret;

/// The longest that a poll is held: the agent gives up after 300 seconds.
pub const LONGEST_HOLD: Duration = Duration::from_secs(240);

/// The shortest that a poll without news is held.
const SHORTEST_HOLD: Duration = Duration::from_secs(180);

/// How long a poll without news is held, by chance: polls that began together, after a restart, do not end together.
#[must_use]
pub fn hold(chance: u16) -> Duration {
    let spread = LONGEST_HOLD.saturating_sub(SHORTEST_HOLD);
    SHORTEST_HOLD.saturating_add(spread.saturating_mul(u32::from(chance)) / u32::from(u16::MAX))
}

/// What a tablet is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushMessage {
    /// Fetch the configuration.
    ConfigUpdated,
    /// Open an app.
    RunApp {
        /// Its package.
        package: String,
    },
    /// Grant the apps of the configuration what it says.
    GrantPermissions,
    /// Try again what failed to download.
    ClearDownloadHistory,
}

/// Messages that the agent obeys and nobody sends, and why.
pub const NEVER_SENT: &[(&str, &str)] = &[
    ("reboot", "it is not confirmed: the configuration asks for it, and the tablet confirms"),
    ("runCommand", "it runs any program on the tablet"),
    ("uninstallApp", "layers decide which apps are on a tablet (C3.1.2)"),
    ("clearAppData", "it erases what a user made, without an order (M3)"),
    ("deleteFile", "it erases what a user made, without an order (M3)"),
    ("deleteDir", "it erases what a user made, without an order (M3)"),
    ("purgeDir", "it erases what a user made, without an order (M3)"),
    ("exitKiosk", "it loosens what was decided jointly (C3.1.1)"),
    ("permissiveMode", "it loosens what was decided jointly (C3.1.1)"),
    ("adminPanel", "it opens the agent's settings in front of whoever holds the tablet"),
    ("broadcast", "it speaks to any app in the agent's name"),
    ("intent", "it starts anything in the agent's name"),
];

#[derive(Serialize)]
struct Written {
    #[serde(rename = "messageType")]
    message_type: &'static str,
    payload: Option<String>,
}

/// The most messages of one answer.
pub const MOST_MESSAGES: usize = 32;

impl PushMessage {
    fn written(&self) -> Written {
        let (message_type, payload) = match self {
            Self::ConfigUpdated => ("configUpdated", None),
            Self::RunApp { package } => ("runApp", Some(json!({ "pkg": package }).to_string())),
            Self::GrantPermissions => ("grantPermissions", None),
            Self::ClearDownloadHistory => ("clearDownloadHistory", None),
        };
        Written { message_type, payload }
    }
}

/// What is sent of what waits, oldest first: each message once, and not more than fits.
#[must_use]
pub fn batch(waiting: &[PushMessage]) -> Vec<&PushMessage> {
    let mut sent: Vec<&PushMessage> = Vec::new();
    for message in waiting {
        if sent.len() < MOST_MESSAGES && !sent.contains(&message) {
            sent.push(message);
        }
    }
    sent
}

/// The answer to a long poll; without messages, the one after a wait.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn answer(waiting: &[PushMessage], secret: &AgentSecret) -> Result<Answer, serde_json::Error> {
    let written: Vec<Written> = batch(waiting).into_iter().map(PushMessage::written).collect();
    Answer::data(&written, secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(waiting: &[PushMessage]) -> String {
        String::from_utf8(answer(waiting, &AgentSecret::Published).unwrap().body).unwrap()
    }

    #[test]
    fn a_payload_is_a_text_and_a_wait_ends_with_an_empty_list() {
        assert_eq!(body(&[]), r#"{"status":"OK","message":null,"data":[]}"#);
        let run = PushMessage::RunApp { package: "org.exemple\"lecture".to_owned() };
        assert_eq!(
            body(&[PushMessage::ConfigUpdated, run]),
            r#"{"status":"OK","message":null,"data":[{"messageType":"configUpdated","payload":null},{"messageType":"runApp","payload":"{\"pkg\":\"org.exemple\\\"lecture\"}"}]}"#
        );
    }

    #[test]
    fn one_batch_says_a_thing_once_and_is_bounded() {
        use PushMessage::{ClearDownloadHistory, ConfigUpdated, GrantPermissions};
        let waiting = [ConfigUpdated, GrantPermissions, ConfigUpdated, ClearDownloadHistory];
        assert_eq!(batch(&waiting), [&ConfigUpdated, &GrantPermissions, &ClearDownloadHistory]);
        let many: Vec<PushMessage> =
            (0..90).map(|number| PushMessage::RunApp { package: number.to_string() }).collect();
        assert_eq!(batch(&many).len(), MOST_MESSAGES);
    }

    #[test]
    fn polls_are_held_as_long_as_the_agent_waits_and_end_apart() {
        assert_eq!((hold(0), hold(u16::MAX)), (SHORTEST_HOLD, LONGEST_HOLD));
        assert!(LONGEST_HOLD < Duration::from_secs(300));
        let seconds: std::collections::BTreeSet<u64> =
            (0..=u16::MAX).map(|chance| hold(chance).as_secs()).collect();
        assert_eq!(seconds.len(), 61);
    }

    #[test]
    fn m3_no_message_that_erases_or_runs_programs_can_be_written() {
        let sent = [
            PushMessage::ConfigUpdated,
            PushMessage::RunApp { package: "a".to_owned() },
            PushMessage::GrantPermissions,
            PushMessage::ClearDownloadHistory,
        ];
        for message in &sent {
            let name = message.written().message_type;
            assert!(NEVER_SENT.iter().all(|(never, _)| *never != name), "{name}");
        }
    }
}
