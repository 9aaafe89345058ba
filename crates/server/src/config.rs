//! The configuration: one file, `ardoise.toml`, every key of which can also be said in the environment or by
//! a flag.
//!
//! [`KEYS`] is the one list of keys. [`Sources`] gathers what was said, [`Config::load`] turns it into typed
//! values and reports everything that is wrong at once, each mistake with its place and what to write instead.
//! Nothing else in the house reads the environment or the file.

mod files;
mod key;
mod key_file;
mod mail;
mod problem;
mod reader;
mod settings;
mod source;
mod template;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use outbound::Egress;
use store::Vault;

pub use key::{KEYS, Key, Shape};
pub use key_file::{KeyFileError, open_key_file};
pub use mail::{MailFileError, MailSettings};
pub use problem::{ConfigError, Origin, Problem};
pub use settings::{
    ApnsSettings, DatabaseSettings, DoorTls, EnrolmentSettings, Limits, LogFormat, LogSettings, PeopleDoor,
    ScepSettings, TabletsDoor,
};
pub use source::{FILE_NAME, Sources};
pub use template::template;

use reader::Reader;

/// A configuration that makes sense. Whether the files it names can be used is only known when they are
/// opened.
#[derive(Debug, Clone)]
pub struct Config {
    /// The home folder.
    pub home: PathBuf,
    /// The memory.
    pub database: DatabaseSettings,
    /// The tablets' door.
    pub tablets: TabletsDoor,
    /// The people's door.
    pub people: PeopleDoor,
    /// The key file.
    pub keys_file: PathBuf,
    /// The folder that all nodes share.
    pub shared_folder: PathBuf,
    /// Certificates for tablets.
    pub scep: ScepSettings,
    /// Who may enrol, and what they see.
    pub enrolment: EnrolmentSettings,
    /// Whether imported tablets of another server are admitted.
    pub takeover_enabled: bool,
    /// The paths at which those tablets call.
    pub takeover_paths: Vec<String>,
    /// What a location warrant is asked for unless told, and the most that it may be.
    pub warrants: fleet::WarrantLimits,
    /// How long an erasure waits for whoever held the tablet, and how long its order lasts.
    pub erasures: fleet::EraseTerms,
    /// What a tablet in lost mode shows unless told.
    pub lost_mode: fleet::LostModeWords,
    /// Apple's push service.
    pub apns: ApnsSettings,
    /// What may be spoken to besides Apple.
    pub egress_allow: Vec<outbound::Destination>,
    /// How many days before a tablet is due its holder is reminded.
    pub reminders: fleet::ReminderDays,
    /// The mail server, if there is one.
    pub mail: Option<MailSettings>,
    /// The log.
    pub log: LogSettings,
    /// What is refused because it is too much.
    pub limits: Limits,
    settings: Vec<Setting>,
}

/// One key with its value, for `ardoise config check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its value as text; `[hidden]` for one that may hold a password.
    pub value: String,
    /// Where it was said.
    pub origin: Origin,
}

impl Config {
    /// Understands `sources`. Opens no file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every mistake: unknown keys, values of a wrong shape or out of range, and values
    /// that contradict each other.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let given = source::gather(sources, &mut problems)?;
        let mut reader = Reader::new(&sources.home, &given, &mut problems);
        let database = settings::database(&mut reader);
        let egress_allow = settings::egress_allow(&mut reader);
        let tablets = settings::tablets(&mut reader);
        let people = settings::people(&mut reader);
        let keys_file = reader.path("keys.file");
        let shared_folder = reader.path("shared.folder");
        let scep = settings::scep(&mut reader);
        let enrolment = settings::enrolment(&mut reader);
        let takeover_enabled = reader.switch("takeover.enabled");
        let takeover_paths = settings::takeover_paths(&mut reader);
        let warrants = settings::warrants(&mut reader);
        let erasures = settings::erasures(&mut reader);
        let lost_mode = settings::lost_mode(&mut reader);
        let apns = settings::apns(&mut reader, egress_allow.as_deref().unwrap_or_default());
        let reminders = settings::reminders(&mut reader);
        let mail = mail::mail(&mut reader, egress_allow.as_deref().unwrap_or_default());
        let log = settings::log(&mut reader);
        let limits = settings::limits(&mut reader);
        if let (Ok(tablets), Ok(people)) = (&tablets, &people) {
            settings::two_doors(&mut reader, tablets, people);
        }
        let assemble = || {
            Ok::<_, reader::Reported>(Self {
                home: sources.home.clone(),
                database: database?,
                tablets: tablets?,
                people: people?,
                keys_file: keys_file?.unwrap_or_else(|| sources.home.join("ardoise.keys")),
                shared_folder: shared_folder?.unwrap_or_else(|| sources.home.join("shared")),
                scep: scep?,
                enrolment: enrolment?,
                takeover_enabled: takeover_enabled?,
                takeover_paths: takeover_paths?,
                warrants: warrants?,
                erasures: erasures?,
                lost_mode: lost_mode?,
                apns: apns?,
                egress_allow: egress_allow?,
                reminders: reminders?,
                mail: mail?,
                log: log?,
                limits: limits?,
                settings: effective(&given),
            })
        };
        match assemble() {
            Ok(config) if problems.is_empty() => Ok(config),
            Ok(_) | Err(reader::Reported) => Err(ConfigError::new(problems)),
        }
    }

    /// Every key with its value and where it was said, in the order of [`KEYS`].
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The allow-list of outgoing requests: Apple's push service and `egress.allow`.
    #[must_use]
    pub fn egress(&self) -> Egress {
        Egress::new(Egress::apple().into_iter().chain(self.egress_allow.iter().cloned()))
    }

    /// Opens the key file.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if it is missing, open to others, or holds keys that can be guessed (T-C6).
    pub fn open_vault(&self) -> Result<Vault, KeyFileError> {
        open_key_file(&self.keys_file)
    }
}

fn effective(given: &source::GivenValues) -> Vec<Setting> {
    KEYS.iter()
        .map(|key| {
            let value = given.get(key.name).cloned().unwrap_or_else(|| source::default_of(key));
            let shown = value.members.join(", ");
            let hidden = key.secret && value.origin != Origin::Default;
            let value_text = if hidden { "[hidden]".to_owned() } else { shown };
            Setting { key, value: value_text, origin: value.origin }
        })
        .collect()
}
