//! What a simulated tablet with the open agent is, and remembers.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, LogRule};

/// What the tablet is, and stays through an erase.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentHardware {
    /// Its serial number.
    pub serial: String,
    /// Its model.
    pub model: String,
    /// Its version of Android, such as `13`.
    pub android: String,
    /// Its processor.
    pub cpu: String,
    /// Where it is, in degrees; it says so whenever it reports.
    pub location: Option<(f64, f64)>,
}

impl AgentHardware {
    /// A tablet with Android 13.
    #[must_use]
    pub fn tablet(serial: &str) -> Self {
        Self {
            serial: serial.to_owned(),
            model: "SM-X200".to_owned(),
            android: "13".to_owned(),
            cpu: "arm64-v8a".to_owned(),
            location: Some((49.443, 1.099)),
        }
    }

    /// The API level, as far as the agent runs on it.
    pub(super) fn level(&self) -> u16 {
        let major = self.android.split('.').next().and_then(|major| major.parse::<u16>().ok()).unwrap_or(8);
        match major {
            8 => 26,
            9..=12 => major.saturating_add(19),
            _ => major.saturating_add(20),
        }
    }
}

/// Where a tablet was told to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentServer {
    /// Scheme, host and port.
    pub base: String,
    /// The same, where the first cannot be reached.
    pub secondary: String,
    /// One path segment, or nothing.
    pub project: String,
    /// What the tablet calls itself.
    pub number: String,
    /// What the code said of the configuration, the customer and the groups; forgotten once it has a configuration.
    pub options: BTreeMap<&'static str, String>,
    /// How often it tries again.
    pub retries: i64,
    /// How long it waits before that, in milliseconds.
    pub retry_delay: i64,
}

/// An app on the tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledApp {
    /// Its version.
    pub version: String,
    /// Its version code.
    pub code: i64,
}

/// What a tablet remembers, and how its user has it.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentState {
    /// What it is.
    pub hardware: AgentHardware,
    /// Where it was told to go; none on its first screen.
    pub server: Option<AgentServer>,
    /// Whether it asks a person for its number, and does nothing else.
    pub asks_for_number: bool,
    /// Whether the agent owns it.
    pub device_owner: bool,
    /// Whether the agent is device administrator.
    pub administrator: bool,
    /// Whether the agent may draw over other apps.
    pub overlay: bool,
    /// Whether the agent's token for codes is active: it is at once without a code, else after the user unlocked it once.
    pub token_active: bool,
    /// Its access code.
    pub passcode: Option<String>,
    /// Its battery.
    pub battery: i64,
    /// The restrictions that hold now.
    pub restrictions: BTreeSet<String>,
    /// The packages that are suspended.
    pub suspended: BTreeSet<String>,
    /// The apps that are installed, by package.
    pub apps: BTreeMap<String, InstalledApp>,
    /// The files that the configuration put there, by path, and when they last changed.
    pub files: BTreeMap<String, i64>,
    /// What failed to download and is not tried again.
    pub failed_downloads: BTreeSet<String>,
    /// How often it was erased.
    pub erased: u64,
    /// How often it was restarted.
    pub reboots: u64,
    pub(super) config: Option<Config>,
    pub(super) rules: Vec<LogRule>,
    /// Rows of its log that were not sent: when, how grave, what.
    pub(super) log: Vec<(i64, i64, String)>,
}

impl AgentState {
    pub(super) fn new(hardware: AgentHardware) -> Self {
        Self {
            hardware,
            server: None,
            asks_for_number: false,
            device_owner: true,
            administrator: true,
            overlay: false,
            token_active: true,
            passcode: None,
            battery: 80,
            restrictions: BTreeSet::new(),
            suspended: BTreeSet::new(),
            apps: BTreeMap::new(),
            files: BTreeMap::new(),
            failed_downloads: BTreeSet::new(),
            erased: 0,
            reboots: 0,
            config: None,
            rules: Vec::new(),
            log: Vec::new(),
        }
    }

    /// A text of its configuration.
    #[must_use]
    pub fn told(&self, field: &str) -> Option<&str> {
        self.config.as_ref()?.text(field)
    }

    /// What opens the agent's own settings: the digest it was told, or that of `12345678`, which everybody knows.
    #[must_use]
    pub fn panel_password(&self) -> &str {
        self.told("password").unwrap_or("25D55AD283AA400AF464C76D713C07AD")
    }

    /// Writes a row of the agent's own log.
    pub(super) fn note(&mut self, now: i64, level: i64, message: &str) {
        self.log.push((now, level, message.to_owned()));
    }
}

/// Something that a tablet did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It lifted its restrictions, to update.
    Lifted,
    /// It took a configuration.
    TookConfiguration,
    /// It could not take what it was sent, and why.
    Choked(String),
    /// It was told that it is not known, and asks a person.
    AskedForNumber,
    /// It moved to another address.
    Moved(String),
    /// It did not move, and stays where it was.
    Stayed,
    /// It began to wait in the long poll.
    StartedPush,
    /// It erased itself.
    Wiped,
    /// It started again, because it was told to.
    Rebooted,
    /// It set or cleared its code.
    SetCode,
    /// It could not.
    CouldNotSetCode,
    /// It removed an app.
    Removed(String),
    /// It installed an app.
    Installed(String),
    /// It put a file in its place.
    Put(String),
    /// It could not download something, and does not try again.
    DownloadFailed(String),
    /// It set its restrictions again.
    Restricted,
    /// It finished an update.
    Completed,
    /// It obeyed a push of this kind.
    Obeyed(String),
}
