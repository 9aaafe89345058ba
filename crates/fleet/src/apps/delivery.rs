//! How an app is installed (C3.1.4): the command's keys, and the payload of the declaration that replaces it (iPadOS 17.2).

use apple::command::InstallApplication;
use apple::wire::Raw;
use serde_json::{Value as Json, json};
use store::Vault;
use store::apps::{App, AppLicence, AppSource, AppUpdates};
use types::{Duration, EnrolmentId, Instant, Platform};
use url::Url;

use super::configuration::to_plist;
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

/// Why an app cannot be installed now. Not a failure: it is shown beside the tablet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInstallable {
    /// It was withdrawn from the catalogue.
    #[error("`{bundle}` was withdrawn from the catalogue of apps")]
    Withdrawn {
        /// The app.
        bundle: String,
    },
    /// No file was uploaded yet.
    #[error("no file of `{bundle}` was uploaded yet: `ardoise app upload`")]
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
    /// The address of its file could not be made.
    #[error("the address of `{bundle}` could not be made")]
    NoAddress {
        /// The app.
        bundle: String,
    },
}

/// The keys of `InstallApplication` for one enrolment. `backup`: whether the app's data may go into backups, which the
/// layer says. Deterministic but for the expiry of the address.
///
/// `InstallAsManaged` is macOS's; an iPad is told `ChangeManagementState`, which also takes over an app that its user
/// installed.
///
/// # Errors
/// [`NotInstallable`] says why not.
pub fn install_body(
    fleet: &Fleet,
    app: &App,
    to: EnrolmentId,
    backup: bool,
    now: Instant,
) -> Result<InstallApplication, NotInstallable> {
    let mut body = InstallApplication {
        management_flags: Some(GOES_WITH_MANAGEMENT + if backup { 0 } else { NO_BACKUP }),
        change_management_state: Some("Managed".to_owned()),
        configuration: app.configuration.as_ref().map(|settings| Raw::from(to_plist(settings))),
        ..InstallApplication::default()
    };
    match source(fleet, app, to, now)? {
        Source::Number(number) => {
            body.itunes_store_id = Some(number);
            // Options name how a licence is paid for; where there is none to count, there are none.
            match app.licence {
                AppLicence::Free => {}
            }
        }
        Source::Manifest(url) => body.manifest_url = Some(url.to_string()),
    }
    Ok(body)
}

/// The payload of `com.apple.configuration.app.managed` for one enrolment. `required`: whether it is installed by
/// itself, which the layer says.
///
/// # Errors
/// [`NotInstallable`] says why not.
pub fn managed_payload(
    fleet: &Fleet,
    app: &App,
    to: EnrolmentId,
    required: bool,
    backup: bool,
    now: Instant,
) -> Result<Json, NotInstallable> {
    let install = if required { "Required" } else { "Optional" };
    let mut payload = json!({ "InstallBehavior": { "Install": install }, "IncludeInBackup": backup });
    let updates = match app.updates {
        AppUpdates::Automatic => "AlwaysOn",
        AppUpdates::Held => "AlwaysOff",
    };
    let more = match source(fleet, app, to, now)? {
        Source::Number(number) => vec![
            ("AppStoreID", json!(number.to_string())),
            ("UpdateBehavior", json!({ "AutomaticAppUpdates": updates })),
        ],
        // What updates it is another manifest, not the store.
        Source::Manifest(url) => vec![("ManifestURL", json!(url.as_str()))],
    };
    if let Some(payload) = payload.as_object_mut() {
        payload.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    Ok(payload)
}

enum Source {
    Number(i64),
    Manifest(Url),
}

fn source(fleet: &Fleet, app: &App, to: EnrolmentId, now: Instant) -> Result<Source, NotInstallable> {
    let bundle = || app.bundle.clone();
    if app.withdrawn_at.is_some() {
        return Err(NotInstallable::Withdrawn { bundle: bundle() });
    }
    if app.platform != Platform::Ipad {
        return Err(NotInstallable::OtherPlatform { bundle: bundle() });
    }
    match app.source {
        AppSource::Store => {
            let number = app.store_number.as_deref().and_then(|number| number.parse().ok());
            number.map(Source::Number).ok_or_else(|| NotInstallable::NoAddress { bundle: bundle() })
        }
        AppSource::InHouse => {
            let file = app.file_sha256.ok_or_else(|| NotInstallable::NoFile { bundle: bundle() })?;
            let expires_at = now.plus(MANIFEST_LASTS);
            let name = Name { kind: Kind::Manifest, enrolment: to, app: app.id, file, expires_at };
            address(&fleet.settings().tablets_url, fleet.store().vault(), &name)
                .map(Source::Manifest)
                .map_err(|_no_address| NotInstallable::NoAddress { bundle: bundle() })
        }
    }
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
