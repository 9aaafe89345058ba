//! A file of the département's own (C3.1.4): streamed into the shared folder piece by piece, looked into, and given out from
//! then on. Whatever goes wrong on the way, nothing is left of it.

use apple::package::{self, Bounds};
use governance::Permission;
use serde_json::json;
use store::app_files::{self, AppFile, AppFormat};
use store::apps::{self as rows, App, AppSource};
use store::shared_folder::{FolderError, Incoming, Room};
use tokio::sync::OwnedSemaphorePermit;
use types::{AppId, Instant, Platform};

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// How much is gathered before it is written to the disk, in bytes; what an upload holds of memory.
const PIECE: usize = 256 << 10;

/// A file that is being uploaded. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    fleet: Fleet,
    principal: Principal,
    app: App,
    version: String,
    incoming: Option<Incoming>,
    gathered: Vec<u8>,
    /// Given back when the upload is over, however it ends.
    _place: OwnedSemaphorePermit,
}

/// Begins an upload. `length`: how long the file is, if that is known; one that is too long is refused before a byte of
/// it is taken in.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for an app that was withdrawn or comes from a shop;
/// [`Refusal::Invalid`] for a file that is too long; [`Refusal::UploadsBusy`] while as many run as may;
/// [`Refusal::DiskFull`] if the disk would be too full with it.
pub async fn begin(
    fleet: &Fleet,
    principal: &Principal,
    id: AppId,
    length: Option<u64>,
    now: Instant,
) -> Result<Upload, Refusal> {
    let limits = fleet.settings().uploads;
    let asked = principal.clone();
    let app = fleet
        .store()
        .write(move |tx| {
            asked.may_everywhere(tx, Permission::ManageApps, now)?;
            super::offered(tx, id)
        })
        .await?;
    let (AppSource::InHouse, Some(version)) = (app.source, app.version.clone()) else {
        return Err(Refusal::Conflict(format!(
            "`{}` comes from a shop; there is nothing to upload",
            app.bundle
        )));
    };
    if length.is_some_and(|length| length > limits.longest) {
        return Err(refused(FolderError::TooLong { limit: limits.longest }));
    }
    let place = fleet
        .upload_places()
        .try_acquire_owned()
        .map_err(|_none_left| Refusal::UploadsBusy { at_once: limits.at_once })?;
    let folder = fleet.shared_folder()?.clone();
    let room = Room { longest: limits.longest, stays_free: limits.stays_free };
    let incoming = blocking(move || folder.receive(room, length)).await?.map_err(refused)?;
    Ok(Upload {
        fleet: fleet.clone(),
        principal: principal.clone(),
        app,
        version,
        incoming: Some(incoming),
        gathered: Vec::with_capacity(PIECE),
        _place: place,
    })
}

impl Upload {
    /// Takes in the next piece, of whatever length.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] once the file is too long; [`Refusal::DiskFull`] once the disk is; [`Refusal::Internal`] if it
    /// refuses. The upload is over then.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        for part in piece.chunks(PIECE) {
            self.gathered.extend_from_slice(part);
            if self.gathered.len() >= PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// How much memory it holds, in bytes: never more than two pieces, however long the file.
    #[must_use]
    pub fn held(&self) -> usize {
        self.gathered.capacity()
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let mut incoming = self.incoming.take().ok_or_else(over)?;
        let mut gathered = std::mem::take(&mut self.gathered);
        let (incoming, gathered) = blocking(move || {
            incoming.write(&gathered)?;
            gathered.clear();
            Ok((incoming, gathered))
        })
        .await?
        .map_err(refused)?;
        self.incoming = Some(incoming);
        self.gathered = gathered;
        Ok(())
    }

    /// Looks into the whole file, keeps it, and gives it out from now on.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for what is no package, is dangerous to unpack, or says another identifier or version than
    /// the catalogue; [`Refusal::Conflict`] if the catalogue changed meanwhile.
    pub async fn finish(mut self, now: Instant) -> Result<AppFile, Refusal> {
        self.flush().await?;
        let mut incoming = self.incoming.take().ok_or_else(over)?;
        let (app, version) = (self.app.clone(), self.version.clone());
        let (file, incoming) = blocking(move || {
            let file = look(&mut incoming, &app, &version, now)?;
            Ok::<_, Refusal>((file, incoming))
        })
        .await??;
        // Kept before it is known: a row whose file is missing would be worse than a file that is swept.
        blocking(move || incoming.keep()).await?.map_err(refused)?;
        let (id, principal, kept) = (self.app.id, self.principal.clone(), file.clone());
        let version = self.version.clone();
        self.fleet
            .store()
            .write(move |tx| {
                principal.may_everywhere(tx, Permission::ManageApps, now)?;
                let mut app = super::offered(tx, id)?;
                if app.version.as_ref() != Some(&version) {
                    return Err(Refusal::Conflict(format!(
                        "the catalogue wants another version of `{}` since the upload began; upload that one",
                        app.bundle
                    )));
                }
                app_files::keep(tx, &kept)?;
                let before = app.file_sha256.replace(kept.sha256);
                if before != Some(kept.sha256) {
                    rows::update(tx, &app)?;
                    if let Some(before) = before {
                        app_files::release(tx, &before, now)?;
                    }
                    let detail = json!({
                        "app": id, "bundle": app.bundle, "version": version, "file": kept.sha256, "bytes": kept.bytes,
                        "former_file": before,
                    });
                    audit::record(tx, &principal, Change::new("app.upload").detail(detail), now)?;
                }
                Ok(())
            })
            .await?;
        Ok(file)
    }
}

/// What the file says, if it is the one that the catalogue wants.
fn look(incoming: &mut Incoming, app: &App, version: &str, now: Instant) -> Result<AppFile, Refusal> {
    let (sha256, length) = (incoming.digest(), incoming.bytes());
    let file = incoming.look().map_err(refused)?;
    let not_sound = |error: package::PackageError| Refusal::invalid("file", error);
    let (format, build) = match app.platform {
        Platform::Ipad => {
            let info = package::read_ipa(file, length, Bounds::default()).map_err(not_sound)?;
            for (what, says, wanted) in
                [("identifier", &info.bundle, app.bundle.as_str()), ("version", &info.version, version)]
            {
                if says != wanted {
                    return Err(Refusal::invalid(
                        "file",
                        format!("its {what} is {says:?}, that of the catalogue is {wanted:?}"),
                    ));
                }
            }
            (AppFormat::Ipa, info.build)
        }
        // What an APK says of itself is in a binary form of Android's own, which nothing well kept and small reads:
        // the identifier and the version are what the person says.
        Platform::Android => {
            package::check_apk(file, length, Bounds::default()).map_err(not_sound)?;
            (AppFormat::Apk, None)
        }
    };
    Ok(AppFile {
        sha256,
        format,
        bytes: i64::try_from(length).unwrap_or(i64::MAX),
        bundle: app.bundle.clone(),
        version: version.to_owned(),
        build,
        uploaded_at: now,
        released_at: None,
    })
}

/// Runs what waits for the disk where waiting is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Refusal::Internal(error.to_string()))
}

fn refused(error: FolderError) -> Refusal {
    match error {
        FolderError::TooLong { .. } => Refusal::invalid("file", error),
        FolderError::Full { free, stays_free } => Refusal::DiskFull { free, stays_free },
        FolderError::Io { .. } | FolderError::NoKey { .. } | FolderError::Stopped(_) => {
            Refusal::Internal(error.to_string())
        }
    }
}

fn over() -> Refusal {
    Refusal::Conflict("this upload is over; begin again".into())
}
