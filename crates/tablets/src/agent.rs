//! A simulated Android tablet with the open agent, written from what the published agent does and not from any server.
//!
//! It does no input or output and has no clock: [`Agent::next`] says what it would send or until when it waits,
//! [`Agent::answered`] takes what came back. It has two lanes, as the agent has threads: the main one updates, tells and
//! confirms, the other waits in the long poll. Asked twice, it says the same request again, so that a test can hold it
//! back, replay it, or have another tablet send it.

mod code;
mod config;
mod polling;
mod requests;
mod state;
mod tables;
mod update;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use requests::{AgentReply, AgentRequest};
pub use state::{AgentHardware, AgentServer, AgentState, Did, InstalledApp};

use crate::Error;
use config::Config;
use update::{Download, Step};

/// One of the agent's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Updates, reports and confirmations.
    Main,
    /// The long poll.
    Poll,
}

/// What the agent does next on a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It sends this.
    Send(Box<AgentRequest>),
    /// It waits until this instant, in milliseconds.
    Wait {
        /// Until when.
        until: i64,
    },
    /// It does nothing on this lane, whatever the time.
    Off,
}

/// The time between two reports, and the pace at which the agent looks whether a refresh is due: 15 minutes.
const QUARTER: i64 = 15 * 60 * 1_000;
/// The time after which it refreshes its configuration unasked: an hour.
const HOUR: i64 = 60 * 60 * 1_000;

/// Which base address a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Via {
    Primary,
    Secondary,
}

/// A simulated tablet with the open agent.
#[derive(Debug, Clone)]
pub struct Agent {
    state: AgentState,
    step: Step,
    via: Via,
    /// Not before this instant: a retry waits.
    not_before: i64,
    /// Whether an update was asked for, and whether the tablet reports after it.
    wanted: Option<Wanted>,
    /// The update that is being made.
    making: Wanted,
    attempts: i64,
    downloads: VecDeque<Download>,
    last_update: Option<i64>,
    next_look: i64,
    next_report: Option<i64>,
    next_log: Option<i64>,
    poll_via: Via,
    next_poll: i64,
    polling: bool,
    secret: String,
    checks_answers: bool,
    did: Vec<Did>,
}

/// Why an update is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    /// The hour passed: nothing is reported after it.
    Silently,
    /// It started, or was told: it reports once it is done.
    AndTell,
}

impl Agent {
    /// A tablet on its first screen.
    #[must_use]
    pub fn new(hardware: AgentHardware) -> Self {
        Self {
            state: AgentState::new(hardware),
            step: Step::Idle,
            via: Via::Primary,
            not_before: 0,
            wanted: None,
            making: Wanted::AndTell,
            attempts: 0,
            downloads: VecDeque::new(),
            last_update: None,
            next_look: 0,
            next_report: None,
            next_log: None,
            poll_via: Via::Primary,
            next_poll: 0,
            polling: false,
            // The secret in the published agent's source code.
            secret: "changeme-C3z9vi54".to_owned(),
            checks_answers: false,
            did: Vec::new(),
        }
    }

    /// As it was built with another secret, and checks the signature of its configuration.
    #[must_use]
    pub fn built_with(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self.checks_answers = true;
        self
    }

    /// Scans a code on its first screen, as a technician does.
    ///
    /// # Errors
    /// When a tablet would say that the code is not valid.
    pub fn scan(&mut self, text: &str, now: i64) -> Result<(), Error> {
        if self.state.server.is_some() {
            return Err(Error::Usage("a tablet that is set up scans no code: erase it first".to_owned()));
        }
        let (server, asks) = code::read(text, &self.state.hardware)?;
        self.state.server = Some(server);
        self.state.asks_for_number = asks;
        self.start(now);
        Ok(())
    }

    /// What it remembers.
    #[must_use]
    pub const fn state(&self) -> &AgentState {
        &self.state
    }

    /// What it remembers, to be changed: what its user does, or what a test makes it say.
    pub const fn state_mut(&mut self) -> &mut AgentState {
        &mut self.state
    }

    /// What it did since it was last asked, in order.
    pub fn take_did(&mut self) -> Vec<Did> {
        std::mem::take(&mut self.did)
    }

    /// Starts again: its user turned it off and on.
    pub fn restart(&mut self, now: i64) {
        self.state.reboots = self.state.reboots.saturating_add(1);
        self.start(now);
    }

    /// What it does next on a lane.
    pub fn next(&mut self, lane: Lane, now: i64) -> Next {
        let Some(server) = self.state.server.clone() else { return Next::Off };
        if self.state.asks_for_number {
            return Next::Off;
        }
        match lane {
            Lane::Main => self.next_step(&server, now),
            Lane::Poll => self.next_poll(&server, now),
        }
    }

    /// Takes what came back for the request of a lane.
    pub fn answered(&mut self, lane: Lane, reply: &AgentReply, now: i64) {
        let via = match lane {
            Lane::Main => &mut self.via,
            Lane::Poll => &mut self.poll_via,
        };
        // Only a connection that broke leads to the other address; an answer, whatever it says, does not.
        if *reply == AgentReply::Broken && *via == Via::Primary {
            *via = Via::Secondary;
            return;
        }
        *via = Via::Primary;
        match lane {
            Lane::Main => self.step_answered(reply, now),
            Lane::Poll => self.poll_answered(reply, now),
        }
    }

    /// The agent starts: with the tablet, or once it was set up.
    fn start(&mut self, now: i64) {
        self.step = Step::Idle;
        self.via = Via::Primary;
        self.poll_via = Via::Primary;
        self.not_before = now;
        self.polling = false;
        self.downloads.clear();
        self.wanted = Some(Wanted::AndTell);
        self.next_look = now.saturating_add(QUARTER);
        self.next_report = Some(now.saturating_add(QUARTER));
    }

    /// The tablet erases itself: what is left is what it is made of.
    fn erase(&mut self) {
        let erased = self.state.erased.saturating_add(1);
        let mut fresh = Self::new(self.state.hardware.clone());
        fresh.state.erased = erased;
        fresh.secret = std::mem::take(&mut self.secret);
        fresh.checks_answers = self.checks_answers;
        fresh.did = std::mem::take(&mut self.did);
        fresh.did.push(Did::Wiped);
        *self = fresh;
    }

    fn config(&self) -> Option<&Config> {
        self.state.config.as_ref()
    }
}
