//! What belongs to one tablet, and what it is told once.

use types::Secret;

use super::{Configuration, Written};
use crate::agent::PanelPassword;
use crate::agent::key::{AgentKey, KeyKind};

/// What belongs to one tablet.
#[derive(Debug, Clone)]
pub struct Own {
    /// The password of the agent's own settings.
    pub password: PanelPassword,
    /// What stands at the head of its screen: its name here, never its holder's.
    pub description: String,
    /// Where it goes from now on: to its own key, or to the next one.
    pub move_to: Option<MoveTo>,
    /// The message that the agent draws over itself, if the tablet is called in.
    pub lock: Option<LockMessage>,
    /// How it looks for where it is, under a live warrant only (C5.4.3, M1).
    pub locating: Option<LocationUpdates>,
}

/// How a tablet looks for where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocationUpdates {
    /// By networks.
    Network,
    /// By satellites.
    Satellites,
}

/// An address that a tablet moves to: scheme, host and port, and its own key.
#[derive(Debug, Clone)]
pub struct MoveTo(Secret<String>);

/// Why a tablet is not sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// It is not an origin.
    #[error(
        "a tablet moves to an address such as https://mdm.example.fr or https://mdm.example.fr:8443, without a path"
    )]
    NotAnOrigin,
    /// The key opens an enrolment, which many tablets share.
    #[error("a tablet moves to its own key, and not to one of an enrolment")]
    NotItsOwnKey,
}

impl MoveTo {
    /// The address of a key of one tablet.
    ///
    /// # Errors
    /// The origin is none, or the key is shared.
    pub fn new(origin: &str, key: &AgentKey) -> Result<Self, NotAnAddress> {
        if !is_origin(origin) {
            return Err(NotAnAddress::NotAnOrigin);
        }
        if key.kind() != KeyKind::Tablet {
            return Err(NotAnAddress::NotItsOwnKey);
        }
        Ok(Self(Secret::new(format!("{origin}/{}", key.segment().expose()))))
    }
}

/// Scheme, host and port: what the agent keeps of an address beside one path segment.
pub(crate) fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    rest.is_some_and(|host| !host.is_empty() && host.len() <= 255 && host.bytes().all(plain))
}

/// What is written on the screen of a tablet that is called in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockMessage(String);

/// The most characters of a message that is read on a tablet's screen.
const LONGEST_MESSAGE: usize = 200;

/// Why a text is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message on a tablet's screen has 1 to {LONGEST_MESSAGE} characters, and none that cannot be seen")]
pub struct NotAMessage;

impl LockMessage {
    /// Takes a message.
    ///
    /// # Errors
    /// It is empty, too long, or holds characters that cannot be seen.
    pub fn new(text: &str) -> Result<Self, NotAMessage> {
        let text = text.trim();
        let length = text.chars().count();
        let seen = !text.chars().any(char::is_control);
        if (1..=LONGEST_MESSAGE).contains(&length) && seen {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAMessage)
        }
    }
}

/// What a tablet is told to do once.
#[derive(Debug, Clone)]
pub enum Told {
    /// To erase itself, as soon as its confirmation is taken.
    Wipe,
    /// To start again, as soon as its confirmation is taken.
    Reboot,
    /// To have this access code (C5.3.3), which it then confirms.
    Code(Code),
}

/// An access code that a tablet is given, or none.
#[derive(Debug, Clone)]
pub struct Code(Secret<String>);

/// Why a text is no access code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access code that a tablet is given has 4 to 16 digits; clear it to give none")]
pub struct NotACode;

impl Code {
    /// No code: whoever holds the tablet opens it, and chooses the next one.
    #[must_use]
    pub fn cleared() -> Self {
        Self(Secret::new(String::new()))
    }

    /// These digits.
    ///
    /// # Errors
    /// They are too few, too many, or none.
    pub fn new(digits: Secret<String>) -> Result<Self, NotACode> {
        let text = digits.expose();
        let whole = (4..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if whole { Ok(Self(digits)) } else { Err(NotACode) }
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Own {
    /// Writes it, with what the agent must always be told: without `password` its panel opens with a known one, without
    /// `pushOptions` its hourly look at the configuration dies.
    pub(super) fn write(&self, configuration: &mut Configuration) {
        let mut text = |name, text: &str| configuration.set(name, Written::Text(text.to_owned()));
        text("password", self.password.digest());
        text("pushOptions", "polling");
        text("title", "description");
        text("description", &self.description.chars().take(128).collect::<String>());
        if let Some(MoveTo(address)) = &self.move_to {
            text("newServerUrl", address.expose());
        }
        if let Some(LockMessage(message)) = &self.lock {
            text("lockMessage", message);
        }
        match self.locating {
            None => {}
            Some(LocationUpdates::Network) => text("requestUpdates", "network"),
            Some(LocationUpdates::Satellites) => text("requestUpdates", "gps"),
        }
        configuration.set("keepaliveTime", Written::Integer(300));
        configuration.set("permissive", Written::Flag(true));
        configuration.set("kioskMode", Written::Flag(false));
        configuration.set("kioskExit", Written::Flag(true));
        if self.lock.is_some() {
            configuration.set("lock", Written::Flag(true));
        }
    }
}
