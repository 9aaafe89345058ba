//! What a simulated tablet remembers, and keeps on disk if it is told to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hardware::Hardware;
use crate::profile::{InstalledProfile, MdmPayload};
use crate::{Error, Identity, KeyPool};

/// The memory of a tablet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What it is.
    pub hardware: Hardware,
    /// Its name, as its user sees it.
    pub device_name: String,
    /// Whether it is locked: then it says NotNow to some commands.
    pub locked: bool,
    /// Its access code, if it has one.
    pub passcode: Option<String>,
    /// Its enrolment, if it is enrolled or about to be.
    pub enrolment: Option<Enrolment>,
    /// Lost mode, if it is on.
    pub lost_mode: Option<LostMode>,
    /// The profiles it has, by identifier.
    pub profiles: BTreeMap<String, InstalledProfile>,
    /// The apps it has, by bundle identifier.
    pub apps: BTreeMap<String, App>,
    /// What the Settings command left.
    pub settings: Settings,
    /// The declarations it has, by identifier.
    pub declarations: BTreeMap<String, Declaration>,
    /// The `DeclarationsToken` it saw last.
    pub declarations_token: Option<String>,
    /// The time of the next position it reports, and where it is.
    pub position: Position,
    /// How often it was erased.
    pub erased: u64,
    /// How many identities it has asked for; chooses the next key.
    pub identities: u64,
    /// The version of the system that it has downloaded and not installed.
    #[serde(default)]
    pub downloaded_update: Option<String>,
    /// The message that is shown on its lock screen.
    pub lock_message: Option<String>,
    /// How often it was restarted or shut down by a command.
    pub restarts: u64,
    /// How often it played the sound of lost mode.
    pub sounds: u64,
}

/// How it is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// What the profile said.
    pub mdm: MdmPayload,
    /// The identifier of the enrolment profile.
    pub profile_identifier: String,
    /// The push token, hexadecimal.
    pub push_token: String,
    /// What a push must repeat.
    pub push_magic: String,
    /// What clears the access code, hexadecimal.
    pub unlock_token: String,
    /// Whether it waits in the setup assistant for `DeviceConfigured`.
    pub awaiting_configuration: bool,
    /// How far it has come.
    pub stage: Stage,
    /// Certificates to trust that came with the profile, as one PEM text.
    pub anchors: String,
    /// Whether it was enrolled by the maker's automated enrolment.
    pub automated: bool,
}

/// How far an enrolment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The profile is accepted and the identity there; nothing was sent to check-in.
    Identified,
    /// Authenticate was accepted.
    Authenticated,
    /// TokenUpdate was accepted: the tablet is enrolled.
    Enrolled,
}

/// Lost mode, and what stands on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostMode {
    /// The message.
    pub message: Option<String>,
    /// The number to call.
    pub phone_number: Option<String>,
    /// The line at the bottom.
    pub footnote: Option<String>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether a command installed it.
    pub managed: bool,
    /// The flags of the command that installed it.
    pub management_flags: i64,
    /// Whether it was given a configuration.
    pub has_configuration: bool,
}

/// What the Settings command left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `OrganizationInfo`, as pairs.
    pub organization: BTreeMap<String, String>,
    /// `TimeZone`.
    pub time_zone: Option<String>,
    /// `MDMOptions`.
    pub options: BTreeMap<String, bool>,
    /// `Bluetooth`, `DataRoaming` … : switches by name.
    pub switches: BTreeMap<String, bool>,
}

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// `activations`, `configurations`, `assets` or `management`.
    pub kind: String,
    /// The server's token for this content.
    pub server_token: String,
    /// Everything the server sent, as JSON.
    pub content: serde_json::Value,
}

/// A position on the earth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl State {
    /// What remains after an erase: the hardware, and what counts for the observer.
    pub(crate) fn erase(&mut self) {
        let hardware = self.hardware.clone();
        *self = Self {
            erased: self.erased + 1,
            identities: self.identities,
            restarts: self.restarts,
            position: self.position,
            ..Self::new(hardware)
        };
    }

    /// What remains when management ends: managed profiles and apps go.
    pub(crate) fn unenrol(&mut self) {
        if let Some(enrolment) = self.enrolment.take() {
            self.profiles.remove(&enrolment.profile_identifier);
        }
        self.profiles.retain(|_identifier, profile| !profile.managed);
        self.apps.retain(|_identifier, app| !app.managed);
        self.declarations.clear();
        self.declarations_token = None;
        self.lost_mode = None;
    }

    /// A tablet fresh from its box.
    pub(crate) fn new(hardware: Hardware) -> Self {
        Self {
            device_name: "iPad".to_owned(),
            hardware,
            locked: false,
            passcode: None,
            enrolment: None,
            lost_mode: None,
            profiles: BTreeMap::new(),
            apps: BTreeMap::new(),
            settings: Settings::default(),
            declarations: BTreeMap::new(),
            declarations_token: None,
            position: Position { latitude: 48.8566, longitude: 2.3522 },
            erased: 0,
            identities: 0,
            downloaded_update: None,
            lock_message: None,
            restarts: 0,
            sounds: 0,
        }
    }
}

/// A folder in which tablets keep their memory: `<serial>/state.json` and `<serial>/identity.pem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// A folder, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
        Ok(Self(folder))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a pool of keys may be kept beside the tablets.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join(".keys")
    }

    /// The serial numbers of the tablets kept here, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn serials(&self) -> Result<Vec<String>, Error> {
        let io = |source| Error::file(&self.0, source);
        let mut serials = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(io)? {
            let entry = entry.map_err(io)?;
            if entry.path().join(STATE_FILE).is_file() {
                serials.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        serials.sort();
        Ok(serials)
    }

    /// Whether a tablet is kept here.
    ///
    /// # Errors
    /// When the serial number cannot name a folder.
    pub fn has(&self, serial: &str) -> Result<bool, Error> {
        Ok(self.folder(serial)?.join(STATE_FILE).is_file())
    }

    /// Reads one tablet's memory.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn load(&self, serial: &str) -> Result<(State, Option<Identity>), Error> {
        self.load_with(serial, &KeyPool::empty())
    }

    /// Reads one tablet's memory. Its key is shared with the pool's if it is one of them: reading a key takes
    /// longer than everything else, and thousands of copies need room.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn load_with(&self, serial: &str, keys: &KeyPool) -> Result<(State, Option<Identity>), Error> {
        let folder = self.folder(serial)?;
        let path = folder.join(STATE_FILE);
        let json = fs::read(&path).map_err(|source| Error::file(&path, source))?;
        let state = serde_json::from_slice(&json).map_err(|error| {
            Error::malformed("a tablet's kept memory", format!("{}: {error}", path.display()))
        })?;
        let path = folder.join(IDENTITY_FILE);
        let identity = match fs::read_to_string(&path) {
            Ok(pem) => Some(Identity::from_pem_with(&pem, keys)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::file(&path, source)),
        };
        Ok((state, identity))
    }

    /// Keeps one tablet's memory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, state: &State, identity: Option<&Identity>) -> Result<(), Error> {
        let pem = identity.map(Identity::to_pem).transpose()?;
        self.save_written(state, pem.as_deref())
    }

    /// The same, with the identity already written as PEM.
    pub(crate) fn save_written(&self, state: &State, identity: Option<&str>) -> Result<(), Error> {
        let folder = self.folder(&state.hardware.serial)?;
        fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
        let path = folder.join(IDENTITY_FILE);
        match identity {
            Some(pem) => replace(&path, pem.as_bytes())?,
            None => match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::file(&path, source)),
            },
        }
        let json =
            serde_json::to_vec_pretty(state).map_err(|error| Error::malformed("a tablet's memory", error))?;
        replace(&folder.join(STATE_FILE), &json)
    }

    /// A serial number names a folder, so that it must not lead elsewhere.
    fn folder(&self, serial: &str) -> Result<PathBuf, Error> {
        if !serial.is_empty() && serial.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            Ok(self.0.join(serial))
        } else {
            Err(Error::Usage(format!(
                "“{serial}” cannot be kept: a serial number has letters and digits only"
            )))
        }
    }
}

const STATE_FILE: &str = "state.json";
const IDENTITY_FILE: &str = "identity.pem";

/// Writes a file so that it is never seen half written.
fn replace(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let unfinished = path.with_extension("new");
    fs::write(&unfinished, contents).map_err(|source| Error::file(&unfinished, source))?;
    fs::rename(&unfinished, path).map_err(|source| Error::file(path, source))
}
