//! `ardoise init`: makes a home folder, step by step; a step that was done before is left as it is.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use fleet::coming_in::invitation::Invitation;
use fleet::first_accounts::{self, First};
use governance::Login;
use serde_json::{Value, json};
use server::config::{Config, template};
use store::{Store, StoreError, StoreOptions, Vault};

use super::tables::OwnerArguments;
use super::{authority, host, now, open_fleet, open_store};
use crate::failure::Failure;
use crate::home::{Home, HomeArguments};
use crate::output::Output;
use crate::table::{Column, sheet};

const EXAMPLES: &str = "\
On one machine, with SQLite:
  ardoise init --home /var/lib/ardoise --tablets-url https://mdm.example.org
On PostgreSQL, whose owner makes the tables and whose other role serves:
  ARDOISE_OWNER_URL=postgresql://owner:…@db/ardoise \\
  ardoise init --tablets-url https://mdm.example.org --database postgresql://ardoise:…@db/ardoise

Safe to repeat: nothing that exists is overwritten. Keep a copy of the key file apart from the backups.";

/// What the new home folder is for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The address tablets will use; it cannot change later without enrolling them again.
    #[arg(long, value_name = "URL")]
    tablets_url: Option<String>,

    /// The address people will use.
    #[arg(long, value_name = "URL")]
    people_url: Option<String>,

    /// The name tablets show for who manages them.
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,

    /// The database: `sqlite:PATH` or `postgresql://…`; SQLite in the home folder unless told.
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// What the first person signs in with: they manage the accounts and the tablets of the département.
    #[arg(long, value_name = "LOGIN", default_value = "admin")]
    login: String,

    /// Their name.
    #[arg(long, value_name = "NAME", default_value = "Administrateur")]
    name: String,

    /// Write their invitation to this new file instead of printing it.
    #[arg(long, value_name = "FILE")]
    invitation_file: Option<PathBuf>,

    #[command(flatten)]
    owner: OwnerArguments,

    #[command(flatten)]
    home: HomeArguments,
}

const FIELDS: &[Column] = &[
    ("home folder", "/home"),
    ("configuration", "/configuration"),
    ("key file", "/key_file"),
    ("database", "/database"),
    ("migrations run", "/migrations"),
    ("new authority", "/new_authority"),
    ("its certificate", "/authority_file"),
    ("first account", "/login"),
    ("invitation file", "/invitation_file"),
    ("its invitation", "/invitation"),
    ("valid until", "/invitation_expires_at"),
];

/// Makes the home folder.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let home = arguments.home.open()?;
    let config = configuration(&arguments, &home)?;
    if !config.keys_file.exists() {
        nothing_is_sealed(&config).await?;
        make_key_file(&config.keys_file)?;
    }

    let migrations = if arguments.owner.is_known(&config) {
        arguments.owner.migrate(&config).await?.applied.len()
    } else {
        0
    };
    let store = open_store(&config).await?;
    let organisation = &config.enrolment.organisation_name;
    let new_authority = fleet::authorities::init(&store, &host(), organisation, now()).await?;
    let fleet = open_fleet(&config).await?;
    authority::write_file(&fleet, &home).await?;

    if let Some(file) = arguments.invitation_file.as_ref().filter(|file| file.exists())
        && !first_accounts::exist(&store).await?
    {
        return Err(Failure::Usage(format!(
            "`{}` is there already: name a new file in `--invitation-file`",
            file.display()
        )));
    }
    let invitation = first_account(&store, &arguments, organisation).await?;
    if let (Some(file), Some(invitation)) = (&arguments.invitation_file, &invitation) {
        write_private(file, invitation.secret.expose().as_bytes())?;
    }
    let shown = invitation.as_ref().filter(|_shown| arguments.invitation_file.is_none());
    let document = json!({
        "home": home.folder(),
        "configuration": home.config_file(),
        "key_file": config.keys_file,
        "database": config.database.url.to_string(),
        "migrations": migrations,
        "new_authority": new_authority,
        "authority_file": home.authority_file(),
        "login": invitation.as_ref().map(|_new| &arguments.login),
        "invitation_file": invitation.as_ref().and(arguments.invitation_file.as_ref()),
        "invitation": shown.map(|invitation| invitation.secret.expose()),
        "invitation_expires_at": invitation.as_ref().map(|invitation| invitation.expires_at.to_string()),
    });
    output.show(&document, || told(&document))
}

fn told(document: &Value) -> String {
    let shown = |(_title, pointer): &&Column| document.pointer(pointer).is_some_and(|value| !value.is_null());
    let fields: Vec<Column> = FIELDS.iter().filter(shown).copied().collect();
    let home = document.pointer("/home").and_then(Value::as_str).unwrap_or_default();
    let invited = if document.pointer("/login").is_some_and(Value::is_string) {
        format!(
            "\nThen, once: `ardoise join --home {home}` asks for the invitation, a password and a second factor."
        )
    } else {
        String::new()
    };
    format!("{}\nNext: `ardoise serve --home {home}`{invited}", sheet(document, &fields))
}

/// The département and the invitation of its first account; none if it has accounts already.
async fn first_account(
    store: &Store,
    arguments: &Arguments,
    organisation: &str,
) -> Result<Option<Invitation>, Failure> {
    first_accounts::found_departement(store, &host(), organisation, now()).await?;
    if first_accounts::exist(store).await? {
        return Ok(None);
    }
    let first = First { login: login(&arguments.login)?, name: arguments.name.clone(), email: None };
    Ok(Some(first_accounts::invite(store, &host(), first, now()).await?))
}

fn login(text: &str) -> Result<Login, Failure> {
    text.parse().map_err(|error: types::InvalidName| Failure::Usage(error.to_string()))
}

/// The configuration, written if there is none. It is understood before anything is written.
fn configuration(arguments: &Arguments, home: &Home) -> Result<Config, Failure> {
    let values = [
        ("tablets.public_url", &arguments.tablets_url),
        ("people.public_url", &arguments.people_url),
        ("enrolment.organisation_name", &arguments.organisation),
        ("database.url", &arguments.database),
    ];
    let values: Vec<(&str, &str)> =
        values.iter().filter_map(|(key, value)| value.as_deref().map(|value| (*key, value))).collect();
    let file = home.config_file();
    if file.exists() {
        if values.is_empty() {
            return home.config();
        }
        return Err(Failure::Usage(format!(
            "there is a configuration already: change `{}` by hand, then type `ardoise init` alone",
            file.display()
        )));
    }
    if arguments.tablets_url.is_none() {
        return Err(Failure::Usage(
            "name the address that tablets will use: `ardoise init --tablets-url https://mdm.example.org`"
                .into(),
        ));
    }
    let text = template(&values);
    let config = home.config_from(&text)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home.folder())
        .map_err(Failure::writing(home.folder()))?;
    write_private(&file, text.as_bytes())?;
    Ok(config)
}

/// A new key file beside a database that an older one sealed would only hide that the older one is lost.
async fn nothing_is_sealed(config: &Config) -> Result<(), Failure> {
    let any_key = Vault::parse(&Vault::generate_key_line("any")).map_err(StoreError::from)?;
    let options = StoreOptions { pool_size: 1, ..StoreOptions::new(config.database.url.clone()) };
    // A database without tables, or none at all, holds nothing that is sealed.
    let Ok(store) = Store::open(options, any_key).await else { return Ok(()) };
    if store.read(store::authorities::current).await?.is_none() {
        return Ok(());
    }
    Err(Failure::BadFile {
        path: config.keys_file.clone(),
        problem: "this key file is gone, and the database is sealed with its keys: put the copy back that you keep \
                  apart from the backups; without it, only an empty database can begin again"
            .into(),
    })
}

fn make_key_file(path: &Path) -> Result<(), Failure> {
    let line = Vault::generate_key_line("k1");
    let mut text = types::Secret::new(String::from(
        "# The keys that seal secrets in the database; the first one is in use. Without this file a backup is lost.\n",
    ));
    text = types::Secret::new(format!("{}{}\n", text.expose(), line.expose().trim_end()));
    write_private(path, text.expose().as_bytes())
}

/// Writes a new file that only its owner reads.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(Failure::writing(path))
}
