//! The home folder: the configuration, the key file, SQLite's file, and what the command line reads there.

use std::path::{Path, PathBuf};

use clap::Args;
use server::config::{Config, FILE_NAME, Sources};

use crate::failure::Failure;

/// The certificate of our authority, written for those who must trust it.
const AUTHORITY_FILE: &str = "authority.pem";

/// Where the home folder is, and what is said over its configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct HomeArguments {
    /// The home folder: configuration, key file, SQLite's file.
    #[arg(
        long,
        global = true,
        env = "ARDOISE_HOME",
        value_name = "FOLDER",
        default_value = "ardoise-home",
        help_heading = "Home"
    )]
    home: PathBuf,

    /// A key of the configuration and its value, over file and environment; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE", help_heading = "Home")]
    set: Vec<String>,
}

/// A home folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    flags: Vec<String>,
}

impl HomeArguments {
    /// The home folder, by its absolute path.
    pub(crate) fn open(&self) -> Result<Home, Failure> {
        let folder = std::path::absolute(&self.home).map_err(Failure::reading(&self.home))?;
        Ok(Home { folder, flags: self.set.clone() })
    }
}

impl Home {
    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The configuration file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    /// The certificate of our authority, PEM.
    pub(crate) fn authority_file(&self) -> PathBuf {
        self.folder.join(AUTHORITY_FILE)
    }

    /// The configuration: the file, the environment over it, `--set` over both.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&Sources::read(&self.folder, environment(), self.flags.clone())?)?)
    }

    /// As [`config`](Self::config), for a configuration file that is still to be written.
    pub(crate) fn config_from(&self, text: &str) -> Result<Config, Failure> {
        let sources = Sources {
            home: self.folder.clone(),
            file: Some((self.config_file(), text.to_owned())),
            environment: environment().collect(),
            flags: self.flags.clone(),
        };
        Ok(Config::load(&sources)?)
    }

    /// As [`config`](Self::config), of a home that `ardoise init` has made.
    pub(crate) fn existing_config(&self) -> Result<Config, Failure> {
        if self.config_file().is_file() {
            return self.config();
        }
        Err(Failure::Usage(format!(
            "there is no `{}`: name the home folder in `--home` or ARDOISE_HOME, or make one with `ardoise init`",
            self.config_file().display()
        )))
    }
}

/// The environment. A variable that is not UTF-8 cannot be one of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
