//! `/apps`: the catalogue of apps that layers may name (C3.1.2), and the files of the département's own.

use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Json, Path, Payload, Query};
use actix_web::{HttpRequest, rt};
use fleet::apps::configuration::Configuration;
use fleet::apps::{self, Changes, NewApp, Origin, upload};
use fleet::page::Page as Part;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::app_files::AppFile;
use store::apps::{App, AppSource, AppUpdates};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, PerhapsWhy, State, field, invalid, optional, present};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// What an uploaded file is sent as.
const FILE: &str = "application/octet-stream";
/// How long each piece of an upload may take to arrive.
const PIECE_WITHIN: Duration = Duration::from_secs(30);

/// Which apps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppQuery {
    /// Whether those that were withdrawn are listed, too.
    withdrawn: Option<bool>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// An app to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAppBody {
    /// `ipad` or `android`.
    platform: String,
    /// Apple's bundle identifier, or Android's package. Never changes.
    bundle: String,
    /// What people call it.
    name: String,
    /// `store`, or `in-house` for a file that is uploaded here.
    source: String,
    /// Its number in the App Store, such as `361309726`.
    store_number: Option<String>,
    /// The version of the file that is to be uploaded.
    version: Option<String>,
    /// `automatic`, which it is unless told, or `held`.
    updates: Option<String>,
    /// The settings that the app reads: an object of at most 16 KiB. No place for secrets.
    #[schema(value_type = Option<Object>)]
    configuration: Option<Value>,
}

/// What is to change of an app; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppChanges {
    /// What people call it.
    name: Option<String>,
    /// The version of the file that is to be uploaded next.
    version: Option<String>,
    /// `automatic` or `held`.
    updates: Option<String>,
    /// The settings that the app reads; null takes them away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    configuration: Option<Option<Value>>,
}

/// An app of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AppView {
    /// Its id.
    id: String,
    /// `ipad` or `android`.
    platform: String,
    /// Apple's bundle identifier, or Android's package.
    bundle: String,
    /// What people call it.
    name: String,
    /// `store` or `in-house`.
    source: String,
    /// Its number in the App Store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store_number: Option<String>,
    /// How it is licensed: `free`. Licences that are counted will have a word of their own here.
    licence: String,
    /// The version wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// `automatic` or `held`.
    updates: String,
    /// The settings that the app reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    configuration: Option<Value>,
    /// SHA-256 of the file that is given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_sha256: Option<String>,
    /// Who added it, as the audit log names them.
    added_by: String,
    /// When it was added.
    added_at: Timestamp,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<Timestamp>,
    /// The file that is given out; only where one app is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<AppFileView>,
}

/// A file that is given out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AppFileView {
    /// SHA-256 of its bytes.
    sha256: String,
    /// `ipa` or `apk`.
    format: String,
    /// How long it is.
    bytes: i64,
    /// The identifier that it says.
    bundle: String,
    /// The version that it says.
    version: String,
    /// The build that it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<String>,
    /// When it was first uploaded.
    uploaded_at: Timestamp,
}

impl From<App> for AppView {
    fn from(app: App) -> Self {
        Self {
            id: app.id.to_string(),
            platform: app.platform.to_string(),
            bundle: app.bundle,
            name: app.name,
            source: app.source.to_string(),
            store_number: app.store_number,
            licence: app.licence.to_string(),
            version: app.version,
            updates: app.updates.to_string(),
            configuration: app.configuration,
            file_sha256: app.file_sha256.map(|name| name.to_string()),
            added_by: app.added_by,
            added_at: app.added_at.into(),
            withdrawn_at: app.withdrawn_at.map(Timestamp),
            file: None,
        }
    }
}

impl From<AppFile> for AppFileView {
    fn from(file: AppFile) -> Self {
        Self {
            sha256: file.sha256.to_string(),
            format: file.format.to_string(),
            bytes: file.bytes,
            bundle: file.bundle,
            version: file.version,
            build: file.build,
            uploaded_at: file.uploaded_at.into(),
        }
    }
}

/// The catalogue of apps, oldest first.
#[utoipa::path(get, path = "/api/v1/apps", tag = "apps", params(AppQuery), responses(
    (status = 200, body = Page<AppView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<AppQuery>) -> Answer<Page<AppView>> {
    let part = Part::read(query.after.as_deref(), query.limit)?;
    let withdrawn = query.withdrawn.unwrap_or(false);
    Ok(Json(Page::of(apps::list(&state.fleet, caller.principal(), withdrawn, part, state.now()).await?)))
}

/// Adds an app to the catalogue. It is put on no tablet: layers do that, when they are approved.
#[utoipa::path(post, path = "/api/v1/apps", tag = "apps", request_body = NewAppBody, responses(
    (status = 201, body = AppView), (status = 409, description = "It is there already", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn add(state: State, caller: Caller, new: Json<NewAppBody>) -> Created<AppView> {
    let new = new.into_inner();
    let source: AppSource = field("source", &new.source)?;
    let store_number = optional("store_number", new.store_number.as_deref())?;
    let origin = match (source, store_number, new.version) {
        (AppSource::Store, number, None) => Origin::Store(number),
        (AppSource::Store, _, Some(_)) => {
            return Err(invalid(
                "version",
                "the shop decides which version of an app there is; leave it out",
            ));
        }
        (AppSource::InHouse, None, Some(version)) => Origin::InHouse { version },
        (AppSource::InHouse, Some(_), _) => {
            return Err(invalid("store_number", "an app that is uploaded here has none; leave it out"));
        }
        (AppSource::InHouse, None, None) => {
            return Err(invalid("version", "say which version of the app is to be uploaded, such as 2.4.1"));
        }
    };
    let new = NewApp {
        platform: field("platform", &new.platform)?,
        bundle: field("bundle", &new.bundle)?,
        name: new.name,
        origin,
        updates: optional("updates", new.updates.as_deref())?.unwrap_or(AppUpdates::Automatic),
        configuration: new.configuration.map(Configuration::new).transpose()?,
    };
    let app = apps::add(&state.fleet, caller.principal(), new, state.now()).await?;
    Ok((Json(app.into()), actix_web::http::StatusCode::CREATED))
}

/// One app, with the file that it gives out.
#[utoipa::path(get, path = "/api/v1/apps/{id}", tag = "apps",
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, body = AppView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<AppView> {
    let id = input::parse("app", &id)?;
    let (app, file) = apps::show(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(AppView { file: file.map(AppFileView::from), ..app.into() }))
}

/// Sets an app up.
#[utoipa::path(put, path = "/api/v1/apps/{id}", tag = "apps", request_body = AppChanges,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 204, description = "It is set up so"), (status = "default", body = Problem)))]
pub(crate) async fn configure(
    state: State,
    caller: Caller,
    id: Path<String>,
    changes: Json<AppChanges>,
) -> Done {
    let (id, changes) = (input::parse("app", &id)?, changes.into_inner());
    let changes = Changes {
        name: changes.name,
        version: changes.version,
        updates: optional("updates", changes.updates.as_deref())?,
        configuration: match changes.configuration {
            None => None,
            Some(settings) => Some(settings.map(Configuration::new).transpose()?),
        },
    };
    apps::configure(&state.fleet, caller.principal(), id, changes, state.now()).await?;
    input::done()
}

/// Withdraws an app: no layer may name it from now on. What is on tablets stays until a layer says otherwise.
#[utoipa::path(post, path = "/api/v1/apps/{id}/withdraw", tag = "apps", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 204, description = "It is withdrawn"), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(state: State, caller: Caller, id: Path<String>, why: Json<PerhapsWhy>) -> Done {
    let id = input::parse("app", &id)?;
    let reason = why.into_inner().reason;
    apps::withdraw(&state.fleet, caller.principal(), id, reason, state.now()).await?;
    input::done()
}

/// Uploads the file of an app, as it comes: it is written to the disk piece by piece. An upload that breaks off leaves
/// nothing behind.
#[utoipa::path(post, path = "/api/v1/apps/{id}/file", tag = "apps",
    request_body(content = String, content_type = "application/octet-stream", description = "An IPA or an APK"),
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, body = AppFileView),
    (status = 422, description = "No such package, or of another app or version", body = Problem),
    (status = 503, description = "As many uploads run as may", body = Problem),
    (status = 507, description = "The disk is too full", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn upload(
    request: HttpRequest,
    state: State,
    caller: Caller,
    id: Path<String>,
    mut body: Payload,
) -> Answer<AppFileView> {
    let text = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value: &actix_web::http::header::HeaderValue| value.to_str().ok())
    };
    if !text(CONTENT_TYPE).is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FILE)) {
        return Err(Failure::UnsupportedMediaType { expected: FILE });
    }
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let id = input::parse("app", &id)?;
    let mut upload = upload::begin(&state.fleet, caller.principal(), id, length, state.now()).await?;
    let within = state.fleet.settings().uploads.within;
    let over = rt::time::Instant::now() + within;
    loop {
        let left = over.saturating_duration_since(rt::time::Instant::now());
        let piece = rt::time::timeout(left.min(PIECE_WITHIN), body.next()).await;
        match piece.map_err(|_elapsed| given_up(left < PIECE_WITHIN, within))? {
            None => break,
            Some(Ok(piece)) => upload.write(&piece).await?,
            Some(Err(_broken)) => return Err(invalid("file", "the upload broke off; begin again")),
        }
    }
    Ok(Json(upload.finish(state.now()).await?.into()))
}

/// Why an upload was given up: all its time is over, or it stood still.
fn given_up(all_of_it: bool, within: Duration) -> Failure {
    let why = if all_of_it {
        format!(
            "the upload took longer than {} s (`limits.app_upload_seconds`) and was given up; send it over a faster line",
            within.as_secs()
        )
    } else {
        format!("the upload stood still for {} s and was given up", PIECE_WITHIN.as_secs())
    };
    invalid("file", &why)
}
