//! The ledger of people who were forgotten because they asked for it (GDPR, art. 17; M2). It lies in the shared folder, outside
//! the database and its backups, and is replayed after a restore: who they were does not come back with an older database.
//!
//! ```text
//! FOLDER/forgotten/PERSON   the person of this number asked to be forgotten, and was
//! ```

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use types::{Instant, PersonId};

use crate::incident_keys::{names, sync};
use crate::shared_folder::{FolderError, failed};
use crate::store::blocking;
use crate::{Store, StoreError, Tx, purge, subject_data};

/// The ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Forgotten {
    at: PathBuf,
}

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Who had come back, and was forgotten again.
    pub again: Vec<PersonId>,
    /// Who is still named, because the restored database holds something that ties them to the programme: a loan, an
    /// incident, a list. Whoever settles that has them forgotten again.
    pub tied: Vec<PersonId>,
}

impl Forgotten {
    pub(crate) fn within(folder: &Path) -> Self {
        Self { at: folder.join("forgotten") }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.at.clone()
    }

    /// Writes down that a person is forgotten; before the database does it, so that no crash comes between. `false` if it was
    /// written down before.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn record(&self, person: PersonId, now: Instant) -> Result<bool, FolderError> {
        let line = self.at.join(person.to_string());
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&line) {
            Ok(mut file) => {
                let written = writeln!(file, "{now}").and_then(|()| file.sync_all());
                written.map_err(failed("writing", &line))?;
                sync(&self.at)?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(source) => Err(FolderError::Io { what: "writing", path: line, source }),
        }
    }

    /// Takes a line back: the person was not forgotten after all, because something ties them to the programme by now.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn take_back(&self, person: PersonId) -> Result<(), FolderError> {
        let line = self.at.join(person.to_string());
        match fs::remove_file(&line) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Io { what: "taking away", path: line, source: error })
            }
            _gone => sync(&self.at),
        }
    }

    /// Everybody who was forgotten so.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn all(&self) -> Result<Vec<PersonId>, FolderError> {
        Ok(names(&self.at)?.into_iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Forgets again whoever an older database brought back, as far as nothing in it ties them to the programme.
    ///
    /// # Errors
    /// [`FolderError`].
    pub async fn replay(&self, store: &Store, now: Instant) -> Result<Replayed, FolderError> {
        let ledger = self.clone();
        let people = blocking(move || ledger.all()).await??;
        let mut replayed = Replayed::default();
        for person in people {
            let done = store.write(move |tx| forget_again(tx, person, now)).await?;
            match done {
                Some(true) => replayed.again.push(person),
                Some(false) => replayed.tied.push(person),
                None => {}
            }
        }
        Ok(replayed)
    }
}

/// `None` for somebody whom the database does not know, or does not name.
fn forget_again(tx: &mut Tx<'_>, person: PersonId, now: Instant) -> Result<Option<bool>, StoreError> {
    match subject_data::ties(tx, person, now)? {
        None => Ok(None),
        Some(ties) if ties.forgotten => Ok(None),
        Some(ties) if privacy::may_forget(&ties).is_err() => Ok(Some(false)),
        Some(_free) => purge::person(tx, person, now).map(Some),
    }
}
