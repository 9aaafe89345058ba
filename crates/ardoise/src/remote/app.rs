//! `ardoise app`: the catalogue of apps, and the files of the département's own.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::{Api, Body, Connection, inventory};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
Adding an app puts it on no tablet: layers name it, and layers are approved.
From the App Store, by the number at the end of its address there:
  ardoise app add com.apple.Pages Pages --store 361309726
  ardoise app add org.geogebra.calculator GeoGebra --store 1146717204 --updates held
A layer names it by `store` and that number. One of the département's own, then its file, by whose hash a layer names it
(`file`); a new version is said first, then uploaded, and reaches tablets once a layer that names its hash is published:
  ardoise app add fr.departement.cantine Cantine --version 2.4.1
  ardoise app upload fr.departement.cantine Cantine-2.4.1.ipa
  ardoise app configure fr.departement.cantine --version 2.5 && ardoise app upload fr.departement.cantine Cantine-2.5.ipa
Settings that the app reads, as a JSON object; they are no place for secrets. A layer names them by their hash (`settings`):
  ardoise app configure fr.departement.cantine --configuration settings.json
No layer may name it from now on:
  ardoise app withdraw fr.departement.cantine --reason \"replaced by the new canteen\"";

/// What is done with apps.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// On which tablets an app runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Platform {
    /// iPads.
    Ipad,
    /// Android tablets.
    Android,
}

/// Whether an app updates itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Updates {
    /// As soon as there is a new version.
    Automatic,
    /// Never.
    Held,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an app: from a shop, or one of the département's own with --version.
    #[command(group(ArgGroup::new("origin").args(["store", "version"])))]
    Add {
        /// Apple's bundle identifier, or Android's package; it never changes.
        bundle: String,
        /// What people call it.
        name: String,
        /// Its number in the App Store.
        #[arg(long, value_name = "NUMBER")]
        store: Option<String>,
        /// The version of its file, which is uploaded next.
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
        /// On which tablets it runs.
        #[arg(long, value_enum, default_value = "ipad")]
        platform: Platform,
        /// Whether it updates itself.
        #[arg(long, value_enum, default_value = "automatic")]
        updates: Updates,
        /// A file with the settings it reads, as JSON.
        #[arg(long, value_name = "FILE")]
        configuration: Option<PathBuf>,
    },
    /// Upload the file of an app: an IPA or an APK. One that breaks off leaves nothing behind.
    Upload {
        /// The app, by its identifier or id.
        app: String,
        /// The file.
        file: PathBuf,
    },
    /// List the catalogue.
    List {
        /// Those that were withdrawn, too.
        #[arg(long)]
        withdrawn: bool,
        /// At most this many.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One app, and the file it gives out.
    Show {
        /// The app, by its identifier or id.
        app: String,
    },
    /// Withdraw an app: no layer may name it from now on.
    Withdraw {
        /// The app, by its identifier or id.
        app: String,
        /// Why; it is recorded.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Set an app up; what is left out stays.
    #[command(group(ArgGroup::new("change").required(true).multiple(true)
        .args(["name", "version", "updates", "configuration", "no_configuration"])))]
    Configure {
        /// The app, by its identifier or id.
        app: String,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        /// The version of the file that is uploaded next.
        #[arg(long)]
        version: Option<String>,
        /// Whether it updates itself.
        #[arg(long, value_enum)]
        updates: Option<Updates>,
        /// A file with the settings it reads, as JSON.
        #[arg(long, value_name = "FILE", conflicts_with = "no_configuration")]
        configuration: Option<PathBuf>,
        /// It reads no settings any more.
        #[arg(long)]
        no_configuration: bool,
    },
}

const COLUMNS: &[Column] = &[
    ("identifier", "/bundle"),
    ("name", "/name"),
    ("platform", "/platform"),
    ("from", "/source"),
    ("number", "/store_number"),
    ("version", "/version"),
    ("updates", "/updates"),
    ("withdrawn", "/withdrawn_at"),
];

const SHOWN: &[Column] = &[
    ("id", "/id"),
    ("identifier", "/bundle"),
    ("name", "/name"),
    ("platform", "/platform"),
    ("from", "/source"),
    ("number", "/store_number"),
    ("licence", "/licence"),
    ("version", "/version"),
    ("updates", "/updates"),
    ("settings", "/configuration"),
    ("hash of the settings", "/configuration_sha256"),
    ("file", "/file/sha256"),
    ("its version", "/file/version"),
    ("its build", "/file/build"),
    ("its bytes", "/file/bytes"),
    ("uploaded", "/file/uploaded_at"),
    ("added", "/added_at"),
    ("by", "/added_by"),
    ("withdrawn", "/withdrawn_at"),
];

const UPLOADED: &[Column] = &[
    ("file", "/sha256"),
    ("identifier", "/bundle"),
    ("version", "/version"),
    ("build", "/build"),
    ("bytes", "/bytes"),
];

/// How much of a file is in memory while it is uploaded, in bytes.
const PIECE: usize = 256 << 10;

/// Asks, and shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Add { bundle, name, store, version, platform, updates, configuration } => {
            let source = if version.is_some() { "in-house" } else { "store" };
            let new = json!({
                "platform": platform.as_str(), "bundle": bundle, "name": name, "source": source,
                "store_number": store, "version": version, "updates": updates.as_str(),
                "configuration": configuration.as_deref().map(settings).transpose()?,
            });
            let app = api.post(&["apps"], Body::Json(new)).await?;
            output.show(&app, || sheet(&app, SHOWN))
        }
        Action::Upload { app, file } => {
            let id = id_of(&api, &app).await?;
            let uploaded = upload(&api, &id, &file, output).await?;
            let app = api.get(&["apps", &id]).await?;
            output.show(&uploaded, || format!("{}{}", sheet(&uploaded, UPLOADED), named_by(&app)))
        }
        Action::List { withdrawn, limit } => {
            let query: &[(&str, &str)] = if withdrawn { &[("withdrawn", "true")] } else { &[] };
            let apps = Value::Array(api.list(&["apps"], query, limit).await?);
            output.show(&apps, || table(apps.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Show { app } => {
            let app = api.get(&["apps", &id_of(&api, &app).await?]).await?;
            output.show(&app, || format!("{}{}", sheet(&app, SHOWN), named_by(&app)))
        }
        Action::Withdraw { app, reason } => {
            let id = id_of(&api, &app).await?;
            let done = api.post(&["apps", &id, "withdraw"], Body::Json(json!({ "reason": reason }))).await?;
            output.show(&done, || {
                format!("{app} is withdrawn; the layers that name it say so when they are edited")
            })
        }
        Action::Configure { app, name, version, updates, configuration, no_configuration } => {
            let id = id_of(&api, &app).await?;
            let mut changes = Map::new();
            let mut change = |key: &str, value: Option<Value>| {
                changes.extend(value.map(|value| (key.to_owned(), value)));
            };
            change("name", name.map(Value::from));
            change("version", version.map(Value::from));
            change("updates", updates.map(|updates| updates.as_str().into()));
            change("configuration", configuration.as_deref().map(settings).transpose()?);
            change("configuration", no_configuration.then_some(Value::Null));
            let done = api.put(&["apps", &id], Body::Json(Value::Object(changes))).await?;
            let now = api.get(&["apps", &id]).await?;
            output.show(&done, || format!("{app} is set up so{}", named_by(&now)))
        }
    }
}

/// Which published layers name an app, and what tablets have where that is not what is given out now.
fn named_by(app: &Value) -> String {
    let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let layers = app.get("named_by").and_then(Value::as_array);
    let lines = layers.into_iter().flatten().filter_map(|one| {
        let (layer, number) = (text(one, "layer")?, one.get("number")?);
        Some(match text(one, "differs") {
            None => format!("\nnamed by {layer}, version {number}"),
            Some(why) => format!(
                "\nnamed by {layer}, version {number}, which decided something else: {why}\n  \
                 until then tablets that have it keep what was decided, and no other gets it"
            ),
        })
    });
    lines.collect()
}

impl Platform {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ipad => "ipad",
            Self::Android => "android",
        }
    }
}

impl Updates {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Held => "held",
        }
    }
}

fn settings(path: &Path) -> Result<Value, Failure> {
    serde_json::from_slice(&inventory::read(path)?).map_err(|error| Failure::BadFile {
        path: path.to_owned(),
        problem: format!("expected a JSON object ({error})"),
    })
}

/// The id of an app that is named by its id, or by the identifier of one that is offered.
async fn id_of(api: &Api, app: &str) -> Result<String, Failure> {
    if app.parse::<types::AppId>().is_ok() {
        return Ok(app.to_owned());
    }
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let rows = api.list(&["apps"], &[], None).await?;
    let mut named = rows.iter().filter(|row| text(row, "bundle").as_deref() == Some(app));
    match (named.next().and_then(|row| text(row, "id")), named.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(Failure::Usage(format!(
            "`{app}` is not offered in the catalogue; `ardoise app list --withdrawn` shows all of it"
        ))),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "`{app}` is an app for iPads and for Android tablets; name it by its id (`ardoise app list --json`)"
        ))),
    }
}

/// Sends a file piece by piece, with a bar.
async fn upload(api: &Api, id: &str, path: &Path, output: Output) -> Result<Value, Failure> {
    let unreadable = |source| Failure::File { action: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let bar = output.bar(length, "uploading");
    let body = reqwest::Body::wrap(StreamBody::new(pieces(file, bar.clone())));
    let answer = api.upload(&["apps", id, "file"], length, body).await;
    bar.finish_and_clear();
    answer
}

fn pieces(
    file: File,
    bar: ProgressBar,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + 'static {
    stream::try_unfold((file, bar), |(mut file, bar)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            let most = u64::try_from(PIECE).unwrap_or(u64::MAX);
            (&mut file).take(most).read_to_end(&mut piece).map(|_bytes| (piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        if piece.is_empty() {
            return Ok(None);
        }
        bar.inc(u64::try_from(piece.len()).unwrap_or(0));
        Ok(Some((Frame::data(Bytes::from(piece)), (file, bar))))
    })
}
