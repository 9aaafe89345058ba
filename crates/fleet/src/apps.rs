//! The catalogue of apps: what a layer may name. Adding an app puts it on no tablet; layers do, when they are approved
//! (C3.1.2, C3.1.3).
//!
//! - this file: add, show, set up, withdraw; and [`require_known`], which layers ask;
//! - [`configuration`]: the settings of an app, bounded;
//! - [`upload`]: a file of the département's own, streamed into the shared folder and looked into;
//! - [`names`]: the signed addresses under which a tablet fetches it; [`serving`]: what it gets there;
//! - [`delivery`]: the command and the declaration by which an app is installed;
//! - [`sweep`]: files that nobody gives out any more.

pub mod configuration;
pub mod delivery;
pub mod names;
pub mod serving;
pub mod sweep;
pub mod upload;

#[cfg(test)]
mod tests;

use governance::Permission;
use profiles::segment::AppItem;
use profiles::{BundleId, Layer, LayerKey, StoreNumber};
use serde_json::json;
use store::apps::{self as rows, App, AppLicence, AppSource, AppUpdates};
use store::{StoreError, Tx, app_files, deliveries, profile_versions};
use types::{AppId, Instant, Platform, ProfileVersionId};

use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};
use configuration::Configuration;

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// The longest version, in characters.
const LONGEST_VERSION: usize = 64;

/// An app to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewApp {
    /// On which tablets it runs.
    pub platform: Platform,
    /// Its identifier, which it keeps.
    pub bundle: BundleId,
    /// What people call it.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it updates itself.
    pub updates: AppUpdates,
    /// The settings it reads.
    pub configuration: Option<Configuration>,
}

/// Where an app comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The public shop of its platform. Apple's knows it by a number, which is needed there and nowhere else.
    Store(Option<StoreNumber>),
    /// A file that is to be uploaded, of that version.
    InHouse {
        /// The version.
        version: String,
    },
}

/// What is to change of an app; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// What people call it.
    pub name: Option<String>,
    /// The version whose file is to be uploaded next; until then the former one is given out.
    pub version: Option<String>,
    /// Whether it updates itself.
    pub updates: Option<AppUpdates>,
    /// The settings it reads; `Some(None)` takes them away.
    pub configuration: Option<Option<Configuration>>,
}

/// What the catalogue says of a name.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// It is offered.
    Offered(Box<App>),
    /// It was, until then.
    Withdrawn(Instant),
    /// It never was.
    Unknown,
}

/// Adds an app.
///
/// # Errors
/// [`Refusal::Invalid`] names the field; [`Refusal::Conflict`] if one of that name is offered.
pub async fn add(fleet: &Fleet, principal: &Principal, new: NewApp, now: Instant) -> Result<App, Refusal> {
    name_is_sound(&new.name)?;
    let (source, store_number, version) = match (&new.origin, new.platform) {
        (Origin::Store(Some(number)), Platform::Ipad) => {
            (AppSource::Store, Some(number.as_str().to_owned()), None)
        }
        (Origin::Store(None), Platform::Ipad) => {
            return Err(Refusal::invalid("store_number", "the App Store knows an app by its number; say it"));
        }
        (Origin::Store(None), Platform::Android) => (AppSource::Store, None, None),
        (Origin::Store(Some(_)), Platform::Android) => {
            return Err(Refusal::invalid("store_number", "Android knows apps by their package alone"));
        }
        (Origin::InHouse { version }, _) => {
            version_is_sound(version)?;
            (AppSource::InHouse, None, Some(version.clone()))
        }
    };
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageApps, now)?;
            if let Known::Offered(app) = known(tx, new.platform, &new.bundle)? {
                return Err(Refusal::Conflict(format!(
                    "`{}` is in the catalogue, as `{}` since {}; configure it, or withdraw it first",
                    app.bundle, app.id, app.added_at
                )));
            }
            let app = App {
                id: AppId::new(now),
                platform: new.platform,
                bundle: new.bundle.to_string(),
                name: new.name.clone(),
                source,
                store_number: store_number.clone(),
                licence: AppLicence::Free,
                version: version.clone(),
                updates: new.updates,
                configuration: new.configuration.as_ref().map(|settings| settings.as_json().clone()),
                file_sha256: None,
                added_by: principal.actor().to_string(),
                added_at: now,
                withdrawn_by: None,
                withdrawn_at: None,
            };
            rows::insert(tx, &app)?;
            given_otherwise(tx, &app, now)?;
            let detail = json!({
                "app": app.id, "platform": app.platform, "bundle": app.bundle, "source": app.source,
                "store_number": app.store_number, "version": app.version,
            });
            audit::record(tx, &principal, Change::new("app.add").detail(detail), now)?;
            Ok(app)
        })
        .await
}

/// The apps of the catalogue, oldest first; the withdrawn ones too, if asked.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    withdrawn_too: bool,
    page: Page<AppId>,
    now: Instant,
) -> Result<Listed<App>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewApps, now)?;
            let found = rows::list(tx, withdrawn_too, page.after, page.with_one_more())?;
            Ok(page.cut(found, |app| app.id.to_string()))
        })
        .await
}

/// One app, and the file that it gives out.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: AppId,
    now: Instant,
) -> Result<(App, Option<app_files::AppFile>), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewApps, now)?;
            let app = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("app", id))?;
            let file = app.file_sha256.map(|name| app_files::get(tx, &name)).transpose()?.flatten();
            Ok((app, file))
        })
        .await
}

/// Sets an app up. `false` if nothing changed.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for one that was withdrawn; [`Refusal::Invalid`] names the field.
pub async fn configure(
    fleet: &Fleet,
    principal: &Principal,
    id: AppId,
    changes: Changes,
    now: Instant,
) -> Result<bool, Refusal> {
    changes.name.as_deref().map(name_is_sound).transpose()?;
    changes.version.as_deref().map(version_is_sound).transpose()?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageApps, now)?;
            let before = offered(tx, id)?;
            let mut app = before.clone();
            if let Some(name) = &changes.name {
                app.name.clone_from(name);
            }
            if let Some(version) = &changes.version {
                if app.source != AppSource::InHouse {
                    return Err(Refusal::invalid(
                        "version",
                        "only an app that is uploaded here has a version of its own",
                    ));
                }
                app.version = Some(version.clone());
            }
            if let Some(updates) = changes.updates {
                app.updates = updates;
            }
            if let Some(configuration) = &changes.configuration {
                app.configuration = configuration.as_ref().map(|settings| settings.as_json().clone());
            }
            if app == before {
                return Ok(false);
            }
            rows::update(tx, &app)?;
            given_otherwise(tx, &app, now)?;
            let detail = json!({
                "app": id, "bundle": app.bundle, "name": app.name, "version": app.version, "updates": app.updates,
                // The settings themselves may be long; that they changed is what is told.
                "configuration_changed": app.configuration != before.configuration,
            });
            audit::record(tx, &principal, Change::new("app.configure").detail(detail), now)?;
            Ok(true)
        })
        .await
}

/// Withdraws an app: no layer may name it from now on, and its file is let go. What is on tablets stays until a layer
/// says otherwise. One that was withdrawn before stays as it was, and `false` is answered.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: AppId,
    reason: Option<String>,
    now: Instant,
) -> Result<bool, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageApps, now)?;
            let mut app = rows::hold(tx, id)?.ok_or_else(|| Refusal::not_found("app", id))?;
            if app.withdrawn_at.is_some() {
                return Ok(false);
            }
            let file = app.file_sha256.take();
            app.withdrawn_by = Some(principal.actor().to_string());
            app.withdrawn_at = Some(now);
            rows::update(tx, &app)?;
            if let Some(file) = file {
                app_files::release(tx, &file, now)?;
            }
            let detail = json!({ "app": id, "bundle": app.bundle, "file": file });
            let change = Change::new("app.withdraw").reason(reason.clone()).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(true)
        })
        .await
}

/// What the catalogue says of a name.
///
/// # Errors
/// [`StoreError`].
pub fn known(tx: &mut Tx<'_>, platform: Platform, bundle: &BundleId) -> Result<Known, StoreError> {
    Ok(match rows::by_bundle(tx, platform, bundle.as_str())? {
        None => Known::Unknown,
        Some(App { withdrawn_at: Some(at), .. }) => Known::Withdrawn(at),
        Some(app) => Known::Offered(Box::new(app)),
    })
}

/// Passes a layer whose apps the catalogue gives out exactly as the layer decides them; what came with the tablet needs no
/// catalogue. Asked when a layer is submitted, approved and published.
///
/// # Errors
/// [`Refusal::DoesNotFit`] with every line that names another app, file or settings (C3.1.2).
pub fn require_known(tx: &mut Tx<'_>, layer: &Layer) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    for (bundle, at) in layer.apps() {
        let Some(decided) = AppItem::of(bundle, &at.value) else { continue };
        let app = rows::by_bundle(tx, Platform::Ipad, bundle.as_str())?;
        if let Err(differs) = delivery::agrees(app.as_ref(), &decided) {
            let (layer, why) = (layer.name().clone(), differs.to_string());
            wrong.push(profiles::Refusal::App { layer, line: at.line, why });
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::DoesNotFit(wrong)) }
}

/// A published layer that names an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBy {
    /// The layer.
    pub layer: LayerKey,
    /// Its published version.
    pub version: ProfileVersionId,
    /// The number of that version.
    pub number: i32,
    /// Why the app is not given out as that version decides it; `None` if it is. Tablets that have it keep what was
    /// decided, others are not given it, until a version that names what the catalogue has is published.
    pub differs: Option<String>,
}

/// The published layers that name an app, and whether the catalogue gives out what each decides.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn named_by(
    fleet: &Fleet,
    principal: &Principal,
    id: AppId,
    now: Instant,
) -> Result<Vec<NamedBy>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ViewApps, now)?;
            let app = rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("app", id))?;
            let mut found = Vec::new();
            for row in profile_versions::all_published(tx)? {
                let text = profile_versions::content(tx, row.id)?;
                // What does not read any more names nothing: it is written for no tablet.
                let Ok(layer) = profiles::parse("layer", text.expose()) else { continue };
                let named = layer.apps().iter().find(|(bundle, _at)| bundle.as_str() == app.bundle);
                let Some(decided) = named.and_then(|(bundle, at)| AppItem::of(bundle, &at.value)) else {
                    continue;
                };
                let differs = delivery::agrees(Some(&app), &decided).err().map(|differs| differs.to_string());
                found.push(NamedBy { layer: row.layer()?, version: row.id, number: row.number, differs });
            }
            Ok(found)
        })
        .await
}

/// The catalogue gives out something else under this name: tablets that were not given the app look again.
fn given_otherwise(tx: &mut Tx<'_>, app: &App, now: Instant) -> Result<(), StoreError> {
    deliveries::look_again_at_failing(tx, &format!("app {}", app.bundle), now)
}

/// The app, held, if it is offered.
fn offered(tx: &mut Tx<'_>, id: AppId) -> Result<App, Refusal> {
    let app = rows::hold(tx, id)?.ok_or_else(|| Refusal::not_found("app", id))?;
    match app.withdrawn_at {
        None => Ok(app),
        Some(at) => Err(Refusal::Conflict(format!(
            "`{}` was withdrawn at {at} and stays withdrawn; add it anew",
            app.bundle
        ))),
    }
}

/// A name that people see, on tablets and in lists: no control characters, nothing that turns the reading around (T-C9).
fn name_is_sound(name: &str) -> Result<(), Refusal> {
    let turns =
        |char| matches!(char, '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let sound = !name.trim().is_empty()
        && name.trim() == name
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(|char| char.is_control() || turns(char));
    if sound {
        Ok(())
    } else {
        Err(Refusal::invalid("name", format!("expected 1 to {LONGEST_NAME} characters of plain text")))
    }
}

fn version_is_sound(version: &str) -> Result<(), Refusal> {
    let sound = (1..=LONGEST_VERSION).contains(&version.chars().count())
        && version.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        Ok(())
    } else {
        Err(Refusal::invalid("version", format!("expected 1 to {LONGEST_VERSION} characters, such as 2.4.1")))
    }
}
