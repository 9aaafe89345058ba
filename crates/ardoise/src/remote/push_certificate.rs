//! `ardoise push-certificate`: by which tablets are woken.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use types::Secret;

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet};

const EXAMPLES: &str = "\
Renew the certificate at Apple's portal under the same account: one of another topic would lose every tablet,
and is refused with their number.
  ardoise push-certificate set --certificate MDM_certificate.pem --key push.key
  ardoise push-certificate show";

/// What is done with the push certificate.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Install a push certificate.
    Set {
        /// PEM file with the certificate from Apple's portal, and perhaps its key.
        #[arg(long, value_name = "PEM")]
        certificate: PathBuf,
        /// PEM file with its private key, unless it stands beside the certificate.
        #[arg(long, value_name = "PEM")]
        key: Option<PathBuf>,
        /// A file with what opens an encrypted key.
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Show the one in use.
    Show,
}

const FIELDS: &[Column] = &[
    ("topic", "/topic"),
    ("valid until", "/not_after"),
    ("days left", "/days_left"),
    ("installed", "/installed_at"),
];

/// Installs or shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let shown = match arguments.action {
        Action::Set { certificate, key, passphrase_file } => {
            let text = |file: &PathBuf| {
                std::fs::read_to_string(file).map(Secret::new).map_err(Failure::reading(file))
            };
            let certificate = text(&certificate)?;
            let key = key.as_ref().map(text).transpose()?;
            let passphrase = passphrase_file.as_ref().map(text).transpose()?;
            let new = json!({
                "certificate_pem": certificate.expose(),
                "key_pem": key.as_ref().map(Secret::expose),
                "passphrase": passphrase.as_ref().map(|text| text.expose().trim_end_matches(['\r', '\n'])),
            });
            api.put(&["push-certificate"], Body::Json(new)).await?
        }
        Action::Show => api.get(&["push-certificate"]).await?,
    };
    output.show(&shown, || sheet(&shown, FIELDS))
}
