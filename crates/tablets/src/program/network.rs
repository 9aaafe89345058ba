//! How tablets reach a server, and whom they trust to be it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tablets::Trust;

use super::failure::Failure;
use super::span;

/// How tablets reach a server.
#[derive(Debug, Clone, Args)]
pub(crate) struct NetworkArguments {
    /// PEM file with the authorities, or the very certificate, of the server; without it, whom this machine trusts.
    #[arg(long, value_name = "PEM")]
    pub(crate) trust: Option<PathBuf>,
    /// How long a tablet waits for an answer.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = span::parse_some)]
    pub(crate) patience: Duration,
}

impl NetworkArguments {
    /// Whom the tablets trust.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let Some(path) = &self.trust else { return Ok(Trust::system()?) };
        let pem = std::fs::read_to_string(path).map_err(Failure::reading(path))?;
        Trust::only(&pem).map_err(|error| Failure::BadFile { path: path.clone(), problem: error.to_string() })
    }
}
