//! The shared folder: what all nodes share besides the database. Uploaded apps lie in it, each named by the SHA-256 of
//! its bytes, so that no name that anybody sends ever becomes a path (T-C8). The keys of incidents lie beside them
//! ([`IncidentKeys`]).
//!
//! ```text
//! FOLDER/incoming/UUID      being received; taken away if the upload breaks off, swept a day later if we died
//! FOLDER/apps/SHA256        whole, on the disk, and never changed
//! FOLDER/leaving/SHA256     forgotten; looked at once more before it goes
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use types::{Duration, Instant};
use uuid::Uuid;

use crate::forgotten::Forgotten;
use crate::incident_keys::IncidentKeys;
use crate::store::blocking;
use crate::{Digest, StoreError, VaultError};

/// What nobody knows of is kept this long: an upload may be under way.
const BENEFIT_OF_THE_DOUBT: Duration = Duration::from_secs(86_400);

/// After so many bytes the disk is looked at again.
const LOOK_EVERY: u64 = 16 << 20;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The machine refused.
    #[error("the shared folder: {what} `{path}`: {source}", path = .path.display())]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is longer than it may be.
    #[error("the file is longer than {limit} bytes, the most that is taken in (`limits.app_bytes`)")]
    TooLong {
        /// The most that is taken in.
        limit: u64,
    },
    /// The file of an incident's key holds none.
    #[error("the shared folder: `{path}` is no key of an incident: {source}; its positions cannot be read",
        path = .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: VaultError,
    },
    /// The disk would be too full.
    #[error("{free} bytes of the disk are free, and {stays_free} are to stay (`limits.free_megabytes`)")]
    Full {
        /// How much is free, in bytes.
        free: u64,
        /// How much is to stay, in bytes.
        stays_free: u64,
    },
    /// The server stops.
    #[error(transparent)]
    Stopped(#[from] StoreError),
}

/// How much room a file may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The longest file.
    pub longest: u64,
    /// How much of the disk stays free.
    pub stays_free: u64,
}

impl Room {
    /// Whether `more` bytes fit onto a disk of which `free` are free.
    ///
    /// # Errors
    /// [`FolderError::Full`].
    const fn admits(self, more: u64, free: u64) -> Result<(), FolderError> {
        if free.saturating_sub(more) < self.stays_free {
            return Err(FolderError::Full { free, stays_free: self.stays_free });
        }
        Ok(())
    }
}

/// The shared folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SharedFolder {
    at: Arc<PathBuf>,
}

impl SharedFolder {
    /// Opens the folder, and makes what is missing in it, readable by nobody else.
    ///
    /// # Errors
    /// [`FolderError::Io`] says what could not be made, and why.
    pub fn open(path: PathBuf) -> Result<Self, FolderError> {
        let folder = Self { at: Arc::new(path) };
        let of_keys = folder.incident_keys().folders();
        let ours = [folder.apps(), folder.incoming(), folder.leaving(), folder.forgotten().folder()];
        for path in ours.into_iter().chain(of_keys) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|source| FolderError::Io { what: "making", path, source })?;
        }
        folder.is_there()?;
        Ok(folder)
    }

    /// Whether the folder is there and can be written to: one whose disk is no longer mounted is not.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub async fn check(&self) -> Result<(), FolderError> {
        let folder = self.clone();
        blocking(move || folder.is_there()).await?
    }

    fn is_there(&self) -> Result<(), FolderError> {
        let probe = self.incoming().join(format!("probe-{}", Uuid::new_v4()));
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe);
        written.map_err(failed("writing into", &self.incoming()))?;
        fs::remove_file(&probe).map_err(failed("writing into", &probe))?;
        for path in self.incident_keys().folders().into_iter().chain([self.apps()]) {
            fs::metadata(&path).map_err(failed("looking into", &path))?;
        }
        Ok(())
    }

    /// The keys of incidents, and the ledger of those that were destroyed (M2).
    #[must_use]
    pub fn incident_keys(&self) -> IncidentKeys {
        IncidentKeys::within(&self.at)
    }

    /// The ledger of people who asked to be forgotten (M2).
    #[must_use]
    pub fn forgotten(&self) -> Forgotten {
        Forgotten::within(&self.at)
    }

    /// Begins to receive a file of `length` bytes, if that is known.
    ///
    /// # Errors
    /// [`FolderError::Full`], [`FolderError::Io`].
    pub fn receive(&self, room: Room, length: Option<u64>) -> Result<Incoming, FolderError> {
        room.admits(length.unwrap_or(0), self.free()?)?;
        let path = self.incoming().join(Uuid::new_v4().to_string());
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(failed("making", &path))?;
        Ok(Incoming {
            folder: self.clone(),
            file: BufWriter::new(file),
            path,
            hash: Sha256::new(),
            bytes: 0,
            room,
            looked_at: 0,
        })
    }

    /// Opens a file to be read; `None` if there is none of that name.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn read(&self, name: &Digest) -> Result<Option<Kept>, FolderError> {
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FolderError::Io { what: "opening", path, source }),
        };
        let bytes = file.metadata().map_err(failed("looking at", &path))?.len();
        Ok(Some(Kept { file, bytes, path }))
    }

    /// The names of the files that lie here, and of what else was left, for longer than a day.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn old_names(&self, now: Instant) -> Result<Vec<Digest>, FolderError> {
        let old = |entry: &fs::DirEntry| is_old(entry, now);
        let mut names = Vec::new();
        for folder in [self.apps(), self.leaving()] {
            for entry in entries(&folder)? {
                // What is being taken away is looked at whatever its age.
                if let Some(name) = entry.file_name().to_str().and_then(|name| name.parse().ok())
                    && (folder == self.leaving() || old(&entry))
                {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Takes away what was left of uploads that died with their server.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn sweep_incoming(&self, now: Instant) -> Result<usize, FolderError> {
        let mut swept = 0;
        for entry in entries(&self.incoming())?.iter().filter(|entry| is_old(entry, now)) {
            fs::remove_file(entry.path()).map_err(failed("taking away", &entry.path()))?;
            swept += 1;
        }
        Ok(swept)
    }

    /// First step of taking a file away: it is put aside. Nothing happens if it is aside already.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn put_aside(&self, name: &Digest) -> Result<(), FolderError> {
        let from = self.path(name);
        match fs::rename(&from, self.aside(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Io { what: "putting aside", path: from, source: error })
            }
            _moved_or_gone => Ok(()),
        }
    }

    /// Second step: it goes, or comes back: if it is wanted again, or if what was put aside is not a day old and so
    /// belongs to an upload of the same bytes whose row is about to be written.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn let_go(&self, name: &Digest, wanted_again: bool, now: Instant) -> Result<(), FolderError> {
        let aside = self.aside(name);
        let stays =
            wanted_again || !fs::metadata(&aside).is_ok_and(|about| was_written_long_ago(&about, now));
        let done = if stays { fs::rename(&aside, self.path(name)) } else { fs::remove_file(&aside) };
        match done {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Io { what: "taking away", path: aside, source: error })
            }
            _done_or_gone => Ok(()),
        }
    }

    /// How much of the disk is free for us, in bytes.
    fn free(&self) -> Result<u64, FolderError> {
        let incoming = self.incoming();
        let disk = rustix::fs::statvfs(&incoming).map_err(io::Error::from);
        let disk = disk.map_err(failed("looking at the disk of", &incoming))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn apps(&self) -> PathBuf {
        self.at.join("apps")
    }

    fn incoming(&self) -> PathBuf {
        self.at.join("incoming")
    }

    fn leaving(&self) -> PathBuf {
        self.at.join("leaving")
    }

    /// 64 hexadecimal digits: nothing that anybody sent.
    fn path(&self, name: &Digest) -> PathBuf {
        self.apps().join(name.to_string())
    }

    fn aside(&self, name: &Digest) -> PathBuf {
        self.leaving().join(name.to_string())
    }
}

/// A file that is being received. Dropped before it is [kept](Incoming::keep), it leaves nothing behind.
#[derive(Debug)]
pub struct Incoming {
    folder: SharedFolder,
    file: BufWriter<File>,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
    room: Room,
    /// How much was taken in when the disk was last looked at.
    looked_at: u64,
}

impl Incoming {
    /// Takes in the next piece.
    ///
    /// # Errors
    /// [`FolderError::TooLong`], [`FolderError::Full`], [`FolderError::Io`].
    pub fn write(&mut self, piece: &[u8]) -> Result<(), FolderError> {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > self.room.longest {
            return Err(FolderError::TooLong { limit: self.room.longest });
        }
        // Others write onto the same disk meanwhile.
        if self.bytes - self.looked_at >= LOOK_EVERY {
            self.looked_at = self.bytes;
            self.room.admits(0, self.folder.free()?)?;
        }
        self.hash.update(piece);
        self.file.write_all(piece).map_err(failed("writing", &self.path))
    }

    /// How much was taken in, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of what was taken in.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::from(<[u8; 32]>::from(self.hash.clone().finalize()))
    }

    /// What was taken in, from its beginning.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn look(&mut self) -> Result<&File, FolderError> {
        self.file.flush().map_err(failed("writing", &self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed("reading", &self.path))?;
        Ok(self.file.get_ref())
    }

    /// Puts the whole file on the disk, under its digest.
    ///
    /// # Errors
    /// [`FolderError::Io`]; nothing is left then.
    pub fn keep(mut self) -> Result<Digest, FolderError> {
        let name = self.digest();
        self.file.flush().map_err(failed("writing", &self.path))?;
        self.file.get_ref().sync_all().map_err(failed("writing", &self.path))?;
        // The same name is the same bytes: it does not matter which of them stays.
        let path = self.folder.path(&name);
        fs::rename(&self.path, &path).map_err(failed("keeping", &path))?;
        // The name itself is on the disk only when its folder is.
        let apps = self.folder.apps();
        File::open(&apps).and_then(|folder| folder.sync_all()).map_err(failed("keeping", &apps))?;
        Ok(name)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone already, if it was kept.
        let _kept_or_removed = fs::remove_file(&self.path);
    }
}

/// A file that lies in the folder, open. It can be read to its end even if it is taken away meanwhile.
#[derive(Debug)]
pub struct Kept {
    file: File,
    bytes: u64,
    path: PathBuf,
}

impl Kept {
    /// How long it is, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes to a place in it.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn seek(&mut self, to: u64) -> Result<(), FolderError> {
        self.file.seek(SeekFrom::Start(to)).map_err(failed("reading", &self.path)).map(|_at| ())
    }

    /// The next piece, of `most` bytes unless the file ends before.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn next(&mut self, most: usize) -> Result<Vec<u8>, FolderError> {
        let mut piece = Vec::with_capacity(most);
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        (&mut self.file).take(most).read_to_end(&mut piece).map_err(failed("reading", &self.path))?;
        Ok(piece)
    }
}

pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { what, path, source }
}

pub(crate) fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, FolderError> {
    let entries = fs::read_dir(folder).map_err(failed("looking into", folder))?;
    entries.collect::<Result<_, _>>().map_err(failed("looking into", folder))
}

/// As below; what cannot be looked at is not.
fn is_old(entry: &fs::DirEntry, now: Instant) -> bool {
    entry.metadata().is_ok_and(|about| was_written_long_ago(&about, now))
}

/// Whether it was last written more than a day ago.
fn was_written_long_ago(about: &fs::Metadata, now: Instant) -> bool {
    let written = about
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .map(Instant::from_millis);
    written.is_some_and(|written| written <= now && now.since(written) > BENEFIT_OF_THE_DOUBT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { longest: 1_000, stays_free: 0 };

    fn folder() -> (tempfile::TempDir, SharedFolder) {
        let home = tempfile::tempdir().unwrap();
        let folder = SharedFolder::open(home.path().join("shared")).unwrap();
        (home, folder)
    }

    fn everything(home: &tempfile::TempDir) -> Vec<String> {
        let mut found = Vec::new();
        for part in ["apps", "incoming", "leaving"] {
            for entry in entries(&home.path().join("shared").join(part)).unwrap() {
                found.push(format!("{part}/{}", entry.file_name().to_string_lossy()));
            }
        }
        found
    }

    /// An instant at which what is written now is old.
    fn long_after() -> Instant {
        Instant::from_millis(4_000_000_000_000)
    }

    fn kept(folder: &SharedFolder, content: &[u8]) -> Digest {
        let mut incoming = folder.receive(ROOM, None).unwrap();
        content.chunks(3).for_each(|piece| incoming.write(piece).unwrap());
        incoming.keep().unwrap()
    }

    #[test]
    fn t_c8_a_file_is_named_by_its_bytes_and_read_back_piece_by_piece() {
        let (home, folder) = folder();
        let name = kept(&folder, b"Payload of an app");
        assert_eq!(name, Digest::of(b"Payload of an app"));
        assert_eq!(everything(&home), [format!("apps/{name}")]);
        let mut file = folder.read(&name).unwrap().unwrap();
        assert_eq!(file.bytes(), 17);
        file.seek(8).unwrap();
        assert_eq!(file.next(2).unwrap(), b"of");
        assert_eq!(file.next(100).unwrap(), b" an app");
        assert_eq!(file.next(100).unwrap(), b"");
        assert!(folder.read(&Digest::of(b"another")).unwrap().is_none());
    }

    #[test]
    fn t_c8_what_breaks_off_or_is_too_long_leaves_nothing() {
        let (home, folder) = folder();
        let mut incoming = folder.receive(Room { longest: 10, ..ROOM }, None).unwrap();
        incoming.write(b"0123456789").unwrap();
        assert!(matches!(incoming.write(b"x"), Err(FolderError::TooLong { limit: 10 })));
        assert_eq!(everything(&home).len(), 1);
        drop(incoming);
        assert!(everything(&home).is_empty());
    }

    #[test]
    fn t_c8_a_disk_that_would_be_too_full_takes_nothing_in() {
        let room = Room { longest: 1 << 30, stays_free: 100 };
        assert!(room.admits(50, 150).is_ok() && room.admits(0, 100).is_ok());
        for (more, free) in [(51, 150), (0, 99), (u64::MAX, 1_000), (1, 0)] {
            assert!(matches!(room.admits(more, free), Err(FolderError::Full { .. })), "{more} of {free}");
        }
        let (home, folder) = folder();
        let free = folder.free().unwrap();
        assert!(free > 0);
        let all = Room { longest: u64::MAX, stays_free: u64::MAX };
        assert!(matches!(folder.receive(all, None), Err(FolderError::Full { .. })));
        let room = Room { longest: u64::MAX, stays_free: 0 };
        assert!(matches!(Room { stays_free: 1, ..room }.admits(free, free), Err(FolderError::Full { .. })));
        assert!(everything(&home).is_empty());
    }

    #[test]
    fn t_c8_a_disk_that_fills_meanwhile_ends_an_upload_and_keeps_nothing() {
        let (home, folder) = folder();
        let mut incoming = folder.receive(Room { longest: u64::MAX, stays_free: 0 }, None).unwrap();
        let piece = vec![7; 1 << 20];
        incoming.write(&piece).unwrap();
        // As if others had filled it.
        incoming.room.stays_free = u64::MAX;
        let ended = (0..64).find_map(|_piece| incoming.write(&piece).err());
        assert!(matches!(ended, Some(FolderError::Full { .. })), "{ended:?}");
        assert!(incoming.bytes() <= LOOK_EVERY + (1 << 20), "it is looked at in time");
        drop(incoming);
        assert!(everything(&home).is_empty());
    }

    #[test]
    fn a_file_put_aside_goes_or_comes_back() {
        let (home, folder) = folder();
        let name = kept(&folder, b"app");
        folder.put_aside(&name).unwrap();
        folder.put_aside(&name).unwrap();
        assert_eq!(everything(&home), [format!("leaving/{name}")]);
        folder.let_go(&name, true, long_after()).unwrap();
        assert_eq!(everything(&home), [format!("apps/{name}")]);
        folder.put_aside(&name).unwrap();
        folder.let_go(&name, false, Instant::from_millis(0)).unwrap();
        assert_eq!(everything(&home), [format!("apps/{name}")], "an upload that has just put it there");
        folder.put_aside(&name).unwrap();
        folder.let_go(&name, false, long_after()).unwrap();
        folder.let_go(&name, false, long_after()).unwrap();
        assert!(everything(&home).is_empty());
    }

    #[test]
    fn only_what_is_a_day_old_is_swept() {
        let (home, folder) = folder();
        let name = kept(&folder, b"app");
        let left = home.path().join("shared/incoming/left");
        fs::write(&left, b"half").unwrap();
        let written = fs::metadata(&left).unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = Instant::from_millis(i64::try_from(written.as_millis()).unwrap());
        let later = now.plus(BENEFIT_OF_THE_DOUBT).plus(Duration::from_secs(60));
        assert_eq!(folder.sweep_incoming(now).unwrap(), 0);
        assert!(folder.old_names(now).unwrap().is_empty());
        assert_eq!(folder.old_names(later).unwrap(), [name]);
        assert_eq!(folder.sweep_incoming(later).unwrap(), 1);
        assert_eq!(everything(&home), [format!("apps/{name}")]);
    }

    #[test]
    fn a_folder_that_is_gone_is_noticed_and_not_made_again() {
        let (home, folder) = folder();
        folder.is_there().unwrap();
        fs::remove_dir_all(home.path().join("shared")).unwrap();
        assert!(folder.is_there().unwrap_err().to_string().contains("writing into"));
        assert!(!home.path().join("shared").exists());
    }
}
