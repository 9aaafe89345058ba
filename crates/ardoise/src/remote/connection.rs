//! Which server is asked, with which token, and who vouches for it.

use std::path::{Path, PathBuf};

use clap::Args;
use types::Secret;
use url::Url;

use super::{Api, secrets};
use crate::failure::Failure;
use crate::home::HomeArguments;

const TOKEN_VARIABLE: &str = "ARDOISE_TOKEN";

const HELP: &str = "\
You are who signed in (`ardoise login`); or the bearer of the token in --token-file, in the variable ARDOISE_TOKEN,
or, without a session, in ~/.config/ardoise/token.
Without --server, the people's door of the home folder is asked, and its own authority is trusted.";

/// How to reach a server's API.
#[derive(Debug, Clone, Args)]
#[command(after_help = HELP)]
pub(crate) struct Connection {
    /// The server's people's door, such as `https://ardoise.example.org`.
    #[arg(long, global = true, env = "ARDOISE_SERVER", value_name = "URL", help_heading = "Server")]
    server: Option<Url>,

    /// A file with nothing but the token, which only you can read.
    #[arg(long, global = true, env = "ARDOISE_TOKEN_FILE", value_name = "FILE", help_heading = "Server")]
    token_file: Option<PathBuf>,

    /// PEM file with the only authorities that may vouch for the server; this machine's usual ones unless told.
    #[arg(long, global = true, env = "ARDOISE_TRUST", value_name = "PEM", help_heading = "Server")]
    trust: Option<PathBuf>,

    /// A code of your second factor, for what needs one.
    #[arg(long, global = true, value_name = "CODE", help_heading = "Server")]
    code: Option<String>,

    #[command(flatten)]
    home: HomeArguments,
}

impl Connection {
    /// A client of the API for whoever signed in, or has a token.
    pub(crate) fn open(&self) -> Result<Api, Failure> {
        let (server, trust) = self.whom()?;
        let bearer = self.bearer(&server)?;
        Api::new(server, Some(bearer), self.code(), trust.as_deref())
    }

    /// A client of the API for nobody in particular: to sign in with.
    pub(crate) fn anonymous(&self) -> Result<Api, Failure> {
        let (server, trust) = self.whom()?;
        Api::new(server, None, None, trust.as_deref())
    }

    /// The home folder of this machine.
    pub(crate) const fn home(&self) -> &HomeArguments {
        &self.home
    }

    /// The server that is asked.
    pub(crate) fn server(&self) -> Result<Url, Failure> {
        self.whom().map(|(server, _trust)| server)
    }

    /// The code of the second factor that was given.
    pub(crate) fn code(&self) -> Option<Secret<String>> {
        self.code.clone().map(Secret::new)
    }

    /// The same server, without a code at each request.
    pub(crate) fn without_code(&self) -> Self {
        Self { code: None, ..self.clone() }
    }

    /// The server, and the authorities that may vouch for it.
    fn whom(&self) -> Result<(Url, Option<Vec<u8>>), Failure> {
        let (server, own_authority) = match &self.server {
            Some(server) => (server.clone(), None),
            None => {
                let home = self.home.open()?;
                let config = home.existing_config().map_err(|failure| match failure {
                    Failure::Usage(_) => Failure::Usage(
                        "no server: name it in `--server` or ARDOISE_SERVER, or its home folder in `--home`"
                            .into(),
                    ),
                    other => other,
                })?;
                (config.people.public_url, Some(home.authority_file()).filter(|file| file.is_file()))
            }
        };
        let trust = match self.trust.clone().or(own_authority) {
            Some(file) => Some(std::fs::read(&file).map_err(Failure::reading(&file))?),
            None => None,
        };
        Ok((server, trust))
    }

    fn bearer(&self, server: &Url) -> Result<Secret<String>, Failure> {
        if let Some(file) = &self.token_file {
            return read_token(file);
        }
        if let Some(token) = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty()) {
            return Ok(Secret::new(token.trim().to_owned()));
        }
        if let Some(session) = secrets::kept_session(server)? {
            return Ok(session);
        }
        match secrets::configuration_folder().map(|folder| folder.join("token")) {
            Some(file) if file.is_file() => read_token(&file),
            _ => Err(Failure::Usage(
                "not signed in: type `ardoise login`, or name a token’s file in `--token-file` or ARDOISE_TOKEN"
                    .into(),
            )),
        }
    }
}

fn read_token(file: &Path) -> Result<Secret<String>, Failure> {
    let token = secrets::private(file)?;
    if token.expose().contains(char::is_whitespace) {
        let problem = "expected one token and nothing else".into();
        return Err(Failure::BadFile { path: file.to_owned(), problem });
    }
    Ok(token)
}
