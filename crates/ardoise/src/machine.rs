//! Commands on the machine that serves: they need the home folder, with its key file and its database.

pub(crate) mod account;
pub(crate) mod authority;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod serve;
mod tables;

use fleet::{Fleet, Principal, Settings, TakeoverPolicy, UploadLimits};
use pki::scep::LegacyPolicy;
use server::config::Config;
use store::{Store, StoreOptions};
use types::{Clock as _, Instant, SystemClock};

use crate::failure::Failure;
use crate::home::Home;

pub(crate) use tables::percent_decoded;

/// The present, for the use cases that are called here.
pub(crate) fn now() -> Instant {
    SystemClock.now()
}

/// Whoever types on this machine, and so has the key file and the database.
#[expect(clippy::disallowed_methods, reason = "a command on the machine itself")]
pub(crate) fn host() -> Principal {
    Principal::host()
}

/// The memory, opened with the key file.
async fn open_store(config: &Config) -> Result<Store, Failure> {
    let vault = config.open_vault()?;
    let options = StoreOptions { pool_size: 2, ..StoreOptions::new(config.database.url.clone()) };
    Ok(Store::open(options, vault).await?)
}

/// The use cases, over a database that has its authority.
async fn open_fleet(config: &Config) -> Result<Fleet, Failure> {
    let store = open_store(config).await?;
    Ok(Fleet::open(store, settings(config)).await?)
}

/// The use cases over the database of a home folder, and whoever types here: for what is read on this machine itself,
/// without a server.
pub(crate) async fn at_home(home: &Home) -> Result<(Fleet, Principal), Failure> {
    Ok((open_fleet(&home.existing_config()?).await?, host()))
}

/// What the use cases on this machine need of the configuration. None of them speaks to a tablet: those
/// settings belong to the server, which reads them with the door's certificate.
fn settings(config: &Config) -> Settings {
    Settings {
        organisation: config.enrolment.organisation_name.clone(),
        tablets_url: config.tablets.public_url.clone(),
        challenge_lifetime: config.scep.challenge_lifetime,
        setup_waits: config.enrolment.setup_waits,
        identity_lifetime: config.scep.challenge_lifetime,
        scep_legacy: LegacyPolicy::refuse(),
        minimum_os: None,
        profile_signer: None,
        anchors: Vec::new(),
        takeover: TakeoverPolicy::Closed,
        quiet_hours: None,
        erasures: config.erasures,
        notices: fleet::NoticeSettings::default(),
        shared_folder: None,
        warrants: config.warrants,
        lost_mode: config.lost_mode.clone(),
        uploads: UploadLimits::default(),
    }
}
