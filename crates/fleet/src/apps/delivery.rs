//! How an app is installed (C3.1.4): the command's keys, and the payload of the declaration that replaces it (iPadOS 17.2).
//!
//! What is installed is what was decided: the published text names the file and the settings by their digests, and a
//! catalogue that says something else gives out nothing ([`agrees`], C3.1.2).

use apple::command::{InstallApplication, InstallOptions};
use apple::wire::Raw;
use profiles::segment::{AppFrom, AppItem};
use serde_json::{Value as Json, json};
use store::Vault;
use store::apps::{App, AppSource};
use types::{Digest, Duration, EnrolmentId, Instant, Platform};
use url::Url;

use super::configuration::{self, to_plist};
use super::names::{Kind, Name};
use crate::{Fleet, Refusal};

/// How long the address of a manifest is good: a command may wait for a tablet as long as this.
pub const MANIFEST_LASTS: Duration = Duration::from_secs(7 * 86_400);
/// How long the address of a file is good, once its manifest was fetched.
pub const FILE_LASTS: Duration = Duration::from_secs(86_400);

/// The app goes when management does.
const GOES_WITH_MANAGEMENT: i64 = 1;
/// Its data stay out of backups.
const NO_BACKUP: i64 = 4;

/// The licence is the tablet's, so that no account is needed; whether there is one left is for whoever assigns.
const DEVICE_LICENCE: i64 = 1;

/// Why an app cannot be installed as it was decided. Not a failure: it is shown beside the tablet, and to whoever submits
/// a layer that names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInstallable {
    /// It never stood in the catalogue.
    #[error("`{bundle}` is not in the catalogue of apps; the département adds it first (`ardoise app add`)")]
    Unknown {
        /// The app.
        bundle: String,
    },
    /// It was withdrawn from the catalogue.
    #[error("`{bundle}` was withdrawn from the catalogue of apps at {at}; leave it out")]
    Withdrawn {
        /// The app.
        bundle: String,
        /// When.
        at: Instant,
    },
    /// No file was uploaded yet.
    #[error("no file of `{bundle}` was uploaded yet (`ardoise app upload`)")]
    NoFile {
        /// The app.
        bundle: String,
    },
    /// It is no app for iPads.
    #[error("`{bundle}` is no app for iPads")]
    OtherPlatform {
        /// The app.
        bundle: String,
    },
    /// The catalogue has it from elsewhere, under that number of the App Store.
    #[error(
        "the catalogue has `{bundle}` under the number {} of the App Store; name it by `store` with that number",
        .number.as_deref().unwrap_or("none")
    )]
    OtherStore {
        /// The app.
        bundle: String,
        /// The number.
        number: Option<String>,
    },
    /// The catalogue gives out another file.
    #[error(
        "the catalogue gives out the file {given} of `{bundle}`; a version that names it by `file` is decided first, or the \
         former file is uploaded again"
    )]
    OtherFile {
        /// The app.
        bundle: String,
        /// The file.
        given: Digest,
    },
    /// The catalogue has other settings.
    #[error(
        "the catalogue gives `{bundle}` {}; a version that says so is decided first, or the former settings are put back",
        match given {
            Some(digest) => format!("the settings {digest}"),
            None => "no settings".to_owned(),
        }
    )]
    OtherSettings {
        /// The app.
        bundle: String,
        /// The settings.
        given: Option<Digest>,
    },
    /// The address of its file could not be made.
    #[error("the address of `{bundle}` could not be made")]
    NoAddress {
        /// The app.
        bundle: String,
    },
}

/// Passes an app that the catalogue gives out exactly as it was decided: from there, with that file and those settings.
///
/// # Errors
/// [`NotInstallable`] says what differs, and what to do.
pub fn agrees<'a>(app: Option<&'a App>, decided: &AppItem) -> Result<&'a App, NotInstallable> {
    let bundle = || decided.bundle.clone();
    let app = app.ok_or_else(|| NotInstallable::Unknown { bundle: bundle() })?;
    if let Some(at) = app.withdrawn_at {
        return Err(NotInstallable::Withdrawn { bundle: bundle(), at });
    }
    if app.platform != Platform::Ipad {
        return Err(NotInstallable::OtherPlatform { bundle: bundle() });
    }
    match (app.source, decided.from) {
        (AppSource::Store, AppFrom::Store(number))
            if app.store_number.as_deref() == Some(number.to_string().as_str()) => {}
        (AppSource::Store, _) => {
            return Err(NotInstallable::OtherStore { bundle: bundle(), number: app.store_number.clone() });
        }
        (AppSource::InHouse, from) => match app.file_sha256 {
            None => return Err(NotInstallable::NoFile { bundle: bundle() }),
            Some(given) if from == AppFrom::File(given) => {}
            Some(given) => return Err(NotInstallable::OtherFile { bundle: bundle(), given }),
        },
    }
    let given = app.configuration.as_ref().map(configuration::digest);
    if given == decided.settings {
        Ok(app)
    } else {
        Err(NotInstallable::OtherSettings { bundle: bundle(), given })
    }
}

/// The keys of `InstallApplication` for one enrolment, of an app as it was decided. Deterministic but for the expiry of
/// the address.
///
/// `InstallAsManaged` is macOS's; an iPad is told `ChangeManagementState`, which also takes over an app that its user
/// installed.
///
/// # Errors
/// [`NotInstallable`] says why not.
pub fn install_body(
    fleet: &Fleet,
    app: Option<&App>,
    decided: &AppItem,
    to: EnrolmentId,
    now: Instant,
) -> Result<InstallApplication, NotInstallable> {
    let app = agrees(app, decided)?;
    let mut body = InstallApplication {
        management_flags: Some(GOES_WITH_MANAGEMENT + if decided.backup { 0 } else { NO_BACKUP }),
        change_management_state: Some("Managed".to_owned()),
        configuration: app.configuration.as_ref().map(|settings| Raw::from(to_plist(settings))),
        ..InstallApplication::default()
    };
    match decided.from {
        AppFrom::Store(number) => {
            body.itunes_store_id = Some(number);
            body.options =
                Some(InstallOptions { purchase_method: Some(DEVICE_LICENCE), ..InstallOptions::default() });
        }
        AppFrom::File(file) => body.manifest_url = Some(manifest(fleet, app, file, to, now)?.to_string()),
    }
    Ok(body)
}

/// The payload of `com.apple.configuration.app.managed` for one enrolment: `payload` as many tablets share it, with the
/// address of the file that is this one's own.
///
/// # Errors
/// [`NotInstallable`] says why not.
pub fn managed_payload(
    fleet: &Fleet,
    app: Option<&App>,
    decided: &AppItem,
    mut payload: Json,
    to: EnrolmentId,
    now: Instant,
) -> Result<Json, NotInstallable> {
    let app = agrees(app, decided)?;
    if let AppFrom::File(file) = decided.from {
        let url = manifest(fleet, app, file, to, now)?;
        if let Some(payload) = payload.as_object_mut() {
            payload.insert("ManifestURL".to_owned(), json!(url.as_str()));
        }
    }
    Ok(payload)
}

/// The address of the manifest that leads to this file, for one enrolment.
fn manifest(
    fleet: &Fleet,
    app: &App,
    file: Digest,
    to: EnrolmentId,
    now: Instant,
) -> Result<Url, NotInstallable> {
    let expires_at = now.plus(MANIFEST_LASTS);
    let name = Name { kind: Kind::Manifest, enrolment: to, app: app.id, file, expires_at };
    address(&fleet.settings().tablets_url, fleet.store().vault(), &name)
        .map_err(|_no_address| NotInstallable::NoAddress { bundle: app.bundle.clone() })
}

/// The address that a name stands for, at the tablets' door.
pub(super) fn address(tablets_url: &Url, vault: &Vault, name: &Name) -> Result<Url, Refusal> {
    let text = name.sign(vault).map_err(|error| Refusal::Internal(error.to_string()))?;
    let mut url = tablets_url.clone();
    url.path_segments_mut()
        .map_err(|()| Refusal::Internal("the tablets’ URL cannot have a path".into()))?
        .pop_if_empty()
        .extend(["apps", &text]);
    Ok(url)
}
