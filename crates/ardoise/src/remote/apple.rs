//! `ardoise apple authority`: Apple's authorities of device certificates, needed for automated enrolment.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::inventory::read;
use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, table};

const EXAMPLES: &str = "\
A tablet that enrols automatically proves by Apple's certificates that it is one. Ardoise does not come with
them: get the three files from Apple, and add each. Only a file whose fingerprint is known is admitted.
  ardoise apple authority list
  ardoise apple authority add AppleiPhoneDeviceCA.cer";

/// What is done with Apple's side.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Apple's authorities of device certificates.
    #[command(subcommand)]
    Authority(Action),
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add one of the three: the file from Apple, PEM or DER.
    Add {
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
    /// List the three, and which are missing.
    List,
}

const COLUMNS: &[Column] = &[("authority", "/name"), ("present", "/present"), ("SHA-256", "/sha256")];

/// Adds or lists.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let Noun::Authority(action) = arguments.noun;
    let answer = match action {
        Action::Add { file } => {
            api.post(&["apple", "authorities"], Body::Bytes("application/octet-stream", read(&file)?)).await?
        }
        Action::List => api.get(&["apple", "authorities"]).await?,
    };
    let authorities = answer.get("items").cloned().unwrap_or_default();
    output.show(&authorities, || table(authorities.as_array().map_or(&[], Vec::as_slice), COLUMNS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_shown_whole() {
        let item = serde_json::json!({ "name": "x", "present": false, "sha256": "a".repeat(64) });
        let shown = table(&[item], COLUMNS);
        assert!(shown.contains(&"a".repeat(64)), "{shown}");
    }
}
