//! What a tablet is given under a signed name: the manifest, or the file.

use apple::plist::{self, Dictionary, Value};
use pki::DeviceIdentity;
use store::app_files::AppFile;
pub use store::app_files::AppFormat;
use store::enrolments::{self, EnrolmentState};
pub use store::shared_folder::Kept;
use store::{StoreError, app_files, apps};
use types::{Digest, Instant};

use super::delivery::{FILE_LASTS, address};
use super::names::{Kind, Name};
use crate::{Fleet, Refusal};

/// What stands behind a name.
#[derive(Debug)]
pub enum Given {
    /// An XML property list.
    Manifest(Vec<u8>),
    /// A file, open.
    File {
        /// Its bytes.
        kept: Kept,
        /// Their digest.
        digest: Digest,
        /// What kind of file it is.
        format: AppFormat,
    },
}

/// Why nothing is given.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// There is nothing under that name: which of the reasons it is, is not told.
    #[error("there is nothing at this address")]
    Nothing,
    /// We failed.
    #[error(transparent)]
    Failed(#[from] Refusal),
}

impl From<StoreError> for NotGiven {
    fn from(error: StoreError) -> Self {
        Self::Failed(Refusal::Store(error))
    }
}

/// What stands behind a name. `shown`: the identity of whoever asks, if they showed one, which must then be of the
/// enrolment that the name was made for.
///
/// # Errors
/// [`NotGiven::Nothing`] for a name that was not made here, has expired, is another tablet's, or whose enrolment, app or
/// file is gone.
pub async fn fetch(
    fleet: &Fleet,
    text: &str,
    shown: Option<&DeviceIdentity>,
    now: Instant,
) -> Result<Given, NotGiven> {
    let name = Name::read(text, fleet.store().vault(), now).ok_or(NotGiven::Nothing)?;
    let shown = shown.map(|identity| Digest::from(*identity.fingerprint().as_bytes()));
    let (app, file) = fleet
        .store()
        .read(move |tx| {
            if let Some(certificate) = shown {
                let of = enrolments::by_certificate(tx, &certificate)?;
                if of.is_none_or(|(_certificate, enrolment)| enrolment.id != name.enrolment) {
                    return Err(NotGiven::Nothing);
                }
            }
            let enrolment = enrolments::get(tx, &name.enrolment)?.ok_or(NotGiven::Nothing)?;
            if enrolment.state != EnrolmentState::Active {
                return Err(NotGiven::Nothing);
            }
            let app = apps::get(tx, &name.app)?.filter(|app| app.withdrawn_at.is_none());
            // A file that was replaced is still given to whoever began with it, until it is swept.
            let file = app_files::get(tx, &name.file)?;
            app.zip(file).ok_or(NotGiven::Nothing)
        })
        .await?;
    match name.kind {
        Kind::Manifest => {
            let there = Name { kind: Kind::File, expires_at: now.plus(FILE_LASTS), ..name };
            let url = address(&fleet.settings().tablets_url, fleet.store().vault(), &there)?;
            Ok(Given::Manifest(manifest(url.as_str(), &app.name, &file)))
        }
        Kind::File => {
            let folder = fleet.shared_folder()?.clone();
            let kept = tokio::task::spawn_blocking(move || folder.read(&name.file))
                .await
                .map_err(|error| Refusal::Internal(error.to_string()))?
                .map_err(|error| Refusal::Internal(error.to_string()))?
                // Its row is there: the folder is not what it should be. A tablet is told to come back.
                .ok_or_else(|| Refusal::Internal(format!("the shared folder lacks {}", name.file)))?;
            Ok(Given::File { kept, digest: name.file, format: file.format })
        }
    }
}

/// Apple's manifest of one app ("Distribute proprietary in-house apps", Apple Platform Deployment).
fn manifest(url: &str, title: &str, file: &AppFile) -> Vec<u8> {
    let text = |text: &str| Value::String(text.to_owned());
    let dictionary = |entries: Vec<(&str, Value)>| {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Dictionary>()
    };
    let asset = dictionary(vec![("kind", text("software-package")), ("url", text(url))]);
    let metadata = dictionary(vec![
        ("bundle-identifier", text(&file.bundle)),
        ("bundle-version", text(file.build.as_deref().unwrap_or(&file.version))),
        ("kind", text("software")),
        ("title", text(title)),
    ]);
    let item = dictionary(vec![
        ("assets", Value::Array(vec![Value::Dictionary(asset)])),
        ("metadata", Value::Dictionary(metadata)),
    ]);
    plist::to_xml(&dictionary(vec![("items", Value::Array(vec![Value::Dictionary(item)]))]))
}
