//! The long poll, and what the agent does with what it brings.

use serde_json::Value;

use super::config::{self, text};
use super::requests::AgentReply;
use super::state::{AgentServer, Did};
use super::{Agent, Next, Wanted};

const PAUSE: i64 = 5_000;
const AFTER_REFUSAL: i64 = 65_000;
const AFTER_BREAK: i64 = 60_000;

impl Agent {
    pub(super) fn next_poll(&mut self, server: &AgentServer, now: i64) -> Next {
        if !self.polling {
            return Next::Off;
        }
        if now < self.next_poll {
            return Next::Wait { until: self.next_poll };
        }
        Next::Send(Box::new(self.poll(server)))
    }

    pub(super) fn poll_answered(&mut self, reply: &AgentReply, now: i64) {
        let pause = match reply {
            AgentReply::Broken => AFTER_BREAK,
            AgentReply::Http { status: 400..500, .. } => AFTER_REFUSAL,
            AgentReply::Http { status: 500.., .. } => PAUSE,
            AgentReply::Http { status, body, .. } => match config::pushes(*status, body) {
                Ok(messages) => {
                    self.obey(&messages, now);
                    PAUSE
                }
                Err(why) => {
                    self.did.push(Did::Choked(why));
                    AFTER_BREAK
                }
            },
        };
        self.next_poll = now.saturating_add(pause);
    }

    fn obey(&mut self, messages: &[(String, Option<Value>)], now: i64) {
        for (kind, payload) in messages {
            let package = payload.as_ref().and_then(|payload| text(payload, "pkg")).unwrap_or_default();
            self.did.push(Did::Obeyed(kind.clone()));
            match kind.as_str() {
                // Several in one batch are one.
                "configUpdated" => self.wanted = Some(Wanted::AndTell),
                "clearDownloadHistory" => self.state.failed_downloads.clear(),
                "uninstallApp" => drop(self.state.apps.remove(package)),
                // At once, and without a word to the server.
                "reboot" => {
                    self.did.push(Did::Rebooted);
                    return self.restart(now);
                }
                _ => {}
            }
        }
    }
}
