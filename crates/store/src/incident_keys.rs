//! The keys of incidents, and the ledger of those that were destroyed (M2). Both lie in the shared folder, outside the
//! database and its backups: with a key a position can be read, and without it nobody ever reads it again.
//!
//! ```text
//! FOLDER/keys/INCIDENT      one line of a key file, for the positions of this incident alone
//! FOLDER/purged/INCIDENT    the ledger: its key was destroyed, and is never made again
//! ```
//!
//! The ledger's line is on the disk before the key goes. A key that comes back, because somebody restored an older copy
//! of the folder, is destroyed again when the ledger is replayed, and does not open anything before that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ::incidents::{Fix, Position};
use serde_json::json;
use types::{CommandId, IncidentId, Instant, Secret};
use uuid::Uuid;

use crate::position_requests::{self, SealedPosition};
use crate::shared_folder::{FolderError, entries, failed};
use crate::store::blocking;
use crate::{RowName, Store, StoreError, Vault};

/// How many positions are tried at a time.
const PART: u32 = 500;

/// The keys and their ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct IncidentKeys {
    keys: PathBuf,
    purged: PathBuf,
}

/// The key of one incident.
#[derive(Debug, Clone)]
pub struct IncidentKey(Vault);

/// What there is of an incident's key.
#[derive(Debug, Clone)]
pub enum Found {
    /// It is there.
    Key(IncidentKey),
    /// It was destroyed, and is never made again.
    Destroyed,
    /// None was made here.
    Never,
}

impl IncidentKeys {
    pub(crate) fn within(folder: &Path) -> Self {
        Self { keys: folder.join("keys"), purged: folder.join("purged") }
    }

    /// The two folders.
    pub(crate) fn folders(&self) -> [PathBuf; 2] {
        [self.keys.clone(), self.purged.clone()]
    }

    /// What there is of an incident's key.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn find(&self, incident: IncidentId) -> Result<Found, FolderError> {
        if self.is_purged(incident)? {
            return Ok(Found::Destroyed);
        }
        let path = self.key(incident);
        let line = match fs::read_to_string(&path) {
            Ok(line) => Secret::new(line),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Never),
            Err(source) => return Err(FolderError::Io { what: "reading", path, source }),
        };
        let vault = Vault::parse(&line).map_err(|source| FolderError::NoKey { path, source })?;
        Ok(Found::Key(IncidentKey(vault)))
    }

    /// The key of an incident, made if there is none; `None` if it was destroyed. Of two nodes that make it at once, one
    /// does, and both have that one.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn find_or_make(&self, incident: IncidentId) -> Result<Option<IncidentKey>, FolderError> {
        match self.find(incident)? {
            Found::Key(key) => return Ok(Some(key)),
            Found::Destroyed => return Ok(None),
            Found::Never => {}
        }
        let line = Vault::generate_key_line(&incident.to_string());
        let new = self.keys.join(format!(".new-{}", Uuid::new_v4()));
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
        let mut file = written.map_err(failed("making", &new))?;
        let made = file
            .write_all(line.expose().as_bytes())
            .and_then(|()| file.sync_all())
            // A link takes no name that is taken: the key that was first stays.
            .and_then(|()| match fs::hard_link(&new, self.key(incident)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _made_or_there => Ok(()),
            });
        let _removed = fs::remove_file(&new);
        made.map_err(failed("making", &self.key(incident)))?;
        sync(&self.keys)?;
        match self.find(incident)? {
            Found::Key(key) => Ok(Some(key)),
            Found::Destroyed | Found::Never => Ok(None),
        }
    }

    /// Destroys an incident's key for good: the ledger says so first. `false` if it said so before and no key was left.
    ///
    /// # Errors
    /// [`FolderError`]; the ledger may say so by then, and nothing opens any more.
    pub fn destroy(&self, incident: IncidentId, now: Instant) -> Result<bool, FolderError> {
        let line = self.ledger(incident);
        let new = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&line) {
            Ok(mut file) => {
                let written = writeln!(file, "{now}").and_then(|()| file.sync_all());
                written.map_err(failed("writing", &line))?;
                sync(&self.purged)?;
                true
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(source) => return Err(FolderError::Io { what: "writing", path: line, source }),
        };
        Ok(self.remove(incident)? || new)
    }

    /// The incidents that have a key here.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn all(&self) -> Result<Vec<IncidentId>, FolderError> {
        Ok(names(&self.keys)?.into_iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Destroys again every key that the ledger says was destroyed, and says how many had come back: an older copy of
    /// the folder was restored.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn replay(&self) -> Result<usize, FolderError> {
        let mut again = 0;
        for incident in names(&self.purged)?.into_iter().filter_map(|name| name.parse().ok()) {
            again += usize::from(self.remove(incident)?);
        }
        Ok(again)
    }

    /// Takes the key away; `false` if there is none. What it was is written over first, as far as the disk lets one.
    fn remove(&self, incident: IncidentId) -> Result<bool, FolderError> {
        let path = self.key(incident);
        let overwritten = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
            file.write_all(&vec![0; length])?;
            file.sync_all()
        });
        match overwritten {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            _done_or_not => {}
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(FolderError::Io { what: "taking away", path, source }),
            Ok(()) => sync(&self.keys).map(|()| true),
        }
    }

    fn is_purged(&self, incident: IncidentId) -> Result<bool, FolderError> {
        let line = self.ledger(incident);
        line.try_exists().map_err(failed("looking at", &line))
    }

    fn key(&self, incident: IncidentId) -> PathBuf {
        self.keys.join(incident.to_string())
    }

    fn ledger(&self, incident: IncidentId) -> PathBuf {
        self.purged.join(incident.to_string())
    }
}

impl IncidentKey {
    /// Seals a position that may be kept, for the request it answers.
    ///
    /// # Errors
    /// [`StoreError::Sealed`].
    pub fn seal(&self, position: &Position, request: CommandId) -> Result<Vec<u8>, StoreError> {
        let Fix { latitude, longitude, accuracy, measured_at } = position.expose();
        let plain = Secret::new(
            json!({
                "latitude": latitude,
                "longitude": longitude,
                "accuracy": accuracy,
                "measured_at": measured_at,
            })
            .to_string(),
        );
        Ok(self.0.seal(plain.expose().as_bytes(), &place(request))?)
    }

    /// Opens the position that answered this request.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] if it was sealed with another key or for another request; [`StoreError::Corrupt`].
    pub fn open(&self, sealed: &[u8], request: CommandId) -> Result<Fix, StoreError> {
        let corrupt =
            || StoreError::Corrupt { table: "positions", row: request.to_string(), column: "sealed" };
        let plain = self.0.open(sealed, &place(request))?;
        let read: serde_json::Value =
            serde_json::from_slice(plain.expose()).map_err(|_not_ours| corrupt())?;
        let number = |key: &str| read.get(key).and_then(serde_json::Value::as_f64);
        Ok(Fix {
            latitude: number("latitude").ok_or_else(corrupt)?,
            longitude: number("longitude").ok_or_else(corrupt)?,
            accuracy: number("accuracy"),
            measured_at: read
                .get("measured_at")
                .and_then(serde_json::Value::as_i64)
                .map(Instant::from_millis),
        })
    }
}

/// What of the positions in a database the keys of a folder still show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Readable {
    /// How many positions are in the database.
    pub kept: usize,
    /// How many of them open.
    pub readable: usize,
}

/// Tries every position of a database with the keys that there are: the drill after a restore, and in the tests.
///
/// # Errors
/// [`FolderError`].
pub async fn readable(store: &Store, keys: &IncidentKeys) -> Result<Readable, FolderError> {
    let (mut after, mut found) = (None, Readable::default());
    loop {
        let part = store.read(move |tx| position_requests::sealed_after(tx, after, PART)).await?;
        let Some((last, _)) = part.last() else { return Ok(found) };
        after = Some(*last);
        let keys = keys.clone();
        let part = blocking(move || {
            let opens = |(request, position): &(CommandId, SealedPosition)| {
                let key = keys.find(position.incident)?;
                Ok(matches!(key, Found::Key(key) if key.open(&position.sealed, *request).is_ok()))
            };
            let opened = part.iter().map(opens).collect::<Result<Vec<bool>, FolderError>>()?;
            Ok::<_, FolderError>(Readable {
                kept: opened.len(),
                readable: opened.into_iter().filter(|opens| *opens).count(),
            })
        })
        .await??;
        found.kept += part.kept;
        found.readable += part.readable;
    }
}

fn place(request: CommandId) -> RowName {
    RowName::new("positions", "sealed", &request)
}

/// The names in a folder, of what is ours.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, FolderError> {
    let names = entries(folder)?.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| !name.starts_with('.')).collect())
}

/// A name is on the disk only when its folder is.
pub(crate) fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(failed("keeping", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared_folder::SharedFolder;

    fn keys() -> (tempfile::TempDir, IncidentKeys) {
        let home = tempfile::tempdir().unwrap();
        let folder = SharedFolder::open(home.path().join("shared")).unwrap();
        (home, folder.incident_keys())
    }

    fn at(millis: i64) -> Instant {
        Instant::from_millis(1_790_000_000_000 + millis)
    }

    /// Something sealed with the key, as a position would be.
    fn sealed(key: &IncidentKey, request: CommandId) -> Vec<u8> {
        let plain = br#"{"latitude":49.4431,"longitude":1.0993,"accuracy":12.5,"measured_at":7}"#;
        key.0.seal(plain, &place(request)).unwrap()
    }

    #[test]
    fn m2_a_position_opens_with_the_key_of_its_incident_and_for_its_request_alone() {
        let (_home, keys) = keys();
        let (one, other) = (IncidentId::new(at(0)), IncidentId::new(at(0)));
        let request = CommandId::new(at(1));
        let key = keys.find_or_make(one).unwrap().unwrap();
        let position = sealed(&key, request);
        let again = keys.find_or_make(one).unwrap().unwrap();
        let read = again.open(&position, request).unwrap();
        assert_eq!((read.latitude, read.longitude, read.accuracy), (49.4431, 1.0993, Some(12.5)));
        assert_eq!(read.measured_at, Some(Instant::from_millis(7)));
        assert!(again.open(&position, CommandId::new(at(1))).is_err(), "moved to another row");
        let stranger = keys.find_or_make(other).unwrap().unwrap();
        assert!(stranger.open(&position, request).is_err(), "another incident's key");
    }

    #[test]
    fn m2_a_destroyed_key_is_never_made_again_and_dies_again_if_a_copy_of_it_comes_back() {
        let (home, keys) = keys();
        let incident = IncidentId::new(at(0));
        keys.find_or_make(incident).unwrap().unwrap();
        let path = home.path().join("shared/keys").join(incident.to_string());
        let copy = fs::read(&path).unwrap();
        assert_eq!(keys.all().unwrap(), [incident]);
        assert!(keys.destroy(incident, at(5)).unwrap());
        assert!(!keys.destroy(incident, at(6)).unwrap(), "once");
        assert!(!path.exists() && keys.all().unwrap().is_empty());
        assert!(matches!(keys.find(incident).unwrap(), Found::Destroyed));
        assert!(keys.find_or_make(incident).unwrap().is_none());
        // Somebody brings an older copy of the folder back; the ledger stands beside it.
        fs::write(&path, copy).unwrap();
        assert!(matches!(keys.find(incident).unwrap(), Found::Destroyed), "not even before the replay");
        assert_eq!(keys.replay().unwrap(), 1);
        assert_eq!(keys.replay().unwrap(), 0);
        assert!(!path.exists());
        let line = fs::read_to_string(home.path().join("shared/purged").join(incident.to_string())).unwrap();
        assert_eq!(line.trim(), at(5).to_string(), "the first time stays");
    }

    #[test]
    fn two_nodes_that_make_a_key_at_once_have_one() {
        let (_home, keys) = keys();
        let incident = IncidentId::new(at(0));
        let request = CommandId::new(at(1));
        let made: Vec<IncidentKey> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| keys.find_or_make(incident).unwrap().unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let position = sealed(&made[0], request);
        assert!(made.iter().all(|key| key.open(&position, request).is_ok()));
        assert_eq!(keys.all().unwrap(), [incident], "and nothing is left of the others");
    }

    #[test]
    fn t_c11_a_key_and_what_it_opens_show_themselves_nowhere() {
        let (home, keys) = keys();
        let incident = IncidentId::new(at(0));
        let key = keys.find_or_make(incident).unwrap().unwrap();
        let line = fs::read_to_string(home.path().join("shared/keys").join(incident.to_string())).unwrap();
        let (_id, secret) = line.split_once(':').unwrap();
        assert!(!format!("{key:?}").contains(secret));
        let request = CommandId::new(at(1));
        let read = key.open(&sealed(&key, request), request).unwrap();
        assert!(!format!("{read:?}").contains("49"), "{read:?}");
    }
}
