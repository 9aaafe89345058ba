//! `ardoise authority`: the authority that issues tablets' certificates.

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use fleet::Fleet;
use serde_json::{Value, json};
use store::authorities::{Authority, AuthorityKind};

use super::{host, now, open_fleet};
use crate::failure::Failure;
use crate::home::{Home, HomeArguments};
use crate::output::{self, Output};
use crate::table::{Column, table};

const EXAMPLES: &str = "\
  ardoise authority show                         ours, those before, those taken over
  ardoise authority show --pem > authority.pem   for those who must trust a door whose certificate is `auto`
  ardoise authority rotate                       then start `serve` again; certificates of the former authority
                                                 still prove who a tablet is, and every renewal moves one over";

/// What is done with the authority.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    home: HomeArguments,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the authorities whose certificates count.
    Show {
        /// As PEM: the certificates of ours, the one in use first.
        #[arg(long)]
        pem: bool,
    },
    /// Make a new authority, which issues from now on.
    Rotate,
}

const COLUMNS: &[Column] =
    &[("state", "/state"), ("whose", "/kind"), ("since", "/created_at"), ("SHA-256", "/sha256")];

/// Shows or rotates.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let home = arguments.home.open()?;
    let fleet = open_fleet(&home.existing_config()?).await?;
    match arguments.action {
        Action::Show { pem: true } => return output::print(own_pem(&authorities(&fleet).await?).trim_end()),
        Action::Show { pem: false } => {}
        Action::Rotate => {
            fleet::authorities::rotate(&fleet, &host(), now()).await?;
            write_file(&fleet, &home).await?;
            output.note("a new authority issues once `ardoise serve` was started again");
        }
    }
    let rows: Vec<Value> = authorities(&fleet).await?.iter().map(shown).collect();
    output.show(&Value::Array(rows.clone()), || table(&rows, COLUMNS))
}

/// Writes the certificates of our authorities where the command line on this machine looks for them.
pub(super) async fn write_file(fleet: &Fleet, home: &Home) -> Result<(), Failure> {
    replace(&home.authority_file(), own_pem(&authorities(fleet).await?).as_bytes())
}

/// Every authority whose certificates count, ours first, the one in use before all.
async fn authorities(fleet: &Fleet) -> Result<Vec<Authority>, Failure> {
    let mut rows = fleet.store().read(store::authorities::trusted).await?;
    rows.sort_by_key(|row| (row.kind != AuthorityKind::Own, std::cmp::Reverse(row.created_at)));
    Ok(rows)
}

fn shown(row: &Authority) -> Value {
    json!({
        "state": row.state.as_str(),
        "kind": row.kind.as_str(),
        "created_at": row.created_at.to_string(),
        "sha256": row.fingerprint.to_string(),
    })
}

fn own_pem(rows: &[Authority]) -> String {
    rows.iter().filter(|row| row.kind == AuthorityKind::Own).map(|row| pem(&row.certificate)).collect()
}

/// RFC 7468 §5.
fn pem(certificate: &[u8]) -> String {
    let base64 = STANDARD.encode(certificate);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + "-----END CERTIFICATE-----\n"
}

/// Writes the whole file or nothing, also over one that is there.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fresh = path.with_extension("pem.new");
    std::fs::File::create(&fresh)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(Failure::writing(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_lines_of_64_characters() {
        for length in [1, 47, 48, 49, 500] {
            let text = pem(&vec![7; length]);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(
                (lines[0], lines[lines.len() - 1]),
                ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
            );
            let body = &lines[1..lines.len() - 1];
            assert!(body[..body.len() - 1].iter().all(|line| line.len() == 64));
            assert_eq!(STANDARD.decode(body.concat()).unwrap(), vec![7; length]);
        }
    }
}
