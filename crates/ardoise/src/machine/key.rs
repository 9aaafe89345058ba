//! `ardoise key`: the key file, whose keys seal what is secret in the database.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::Path;

use clap::{Args, Subcommand};
use fleet::keys;
use serde_json::{Value, json};
use server::config::Config;
use store::Vault;
use types::Secret;

use super::{host, now, open_store};
use crate::failure::Failure;
use crate::home::HomeArguments;
use crate::output::Output;
use crate::table::{Column, table};

const EXAMPLES: &str = "\
To rotate the key of one server:
  ardoise key add                  a new key, which seals from the next start on
  systemctl restart ardoise        or however `ardoise serve` is started here
  ardoise key reseal               what older keys sealed is sealed again, while the server goes on
  ardoise key remove k1            once `ardoise key list` says that k1 seals nothing

Several servers share one key file. Add with --below first, copy the file to all and start them again; then move
the new line to the top, copy and start again; then reseal. None of them meets a key it does not know.
Backups stay sealed with the key of their day: keep the former key file beside them.";

/// What is done with the key file.
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
    /// Show the keys by their ids, and how much each one seals.
    List,
    /// Make a new key, on top of the others: it seals from the next start on.
    Add {
        /// Put it below the others instead: it opens, and does not seal yet.
        #[arg(long)]
        below: bool,
    },
    /// Seal again what older keys sealed. May be interrupted and repeated.
    Reseal,
    /// Remove a key that seals nothing any more.
    Remove {
        /// Its id.
        id: String,
    },
}

const COLUMNS: &[Column] = &[("key", "/key"), ("in the file", "/place"), ("values", "/values")];

/// Looks at the keys, or changes the file.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let config = arguments.home.open()?.existing_config()?;
    match arguments.action {
        Action::List => {}
        Action::Add { below } => add(&config, below, output)?,
        Action::Reseal => reseal(&config, output).await?,
        Action::Remove { id } => remove(&config, &id).await?,
    }
    let rows = list(&config).await?;
    output.show(&Value::Array(rows.clone()), || table(&rows, COLUMNS))
}

async fn in_use(config: &Config) -> Result<BTreeMap<String, u64>, Failure> {
    Ok(keys::in_use(&open_store(config).await?, &host()).await?)
}

async fn list(config: &Config) -> Result<Vec<Value>, Failure> {
    let vault = config.open_vault()?;
    let mut in_use = in_use(config).await?;
    let mut rows = Vec::new();
    for (index, id) in vault.key_ids().enumerate() {
        let place = if index == 0 { "current" } else { "older" };
        rows.push(json!({ "key": id, "place": place, "values": in_use.remove(id).unwrap_or(0) }));
    }
    rows.extend(
        in_use.into_iter().map(|(id, values)| json!({ "key": id, "place": "missing", "values": values })),
    );
    Ok(rows)
}

fn add(config: &Config, below: bool, output: Output) -> Result<(), Failure> {
    let vault = config.open_vault()?;
    let id = free_id(&vault);
    let line = Vault::generate_key_line(&id);
    edit(&config.keys_file, |text| {
        let line = format!("{}\n", line.expose().trim_end());
        if below {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            return format!("{text}{end}{line}");
        }
        // Above the first key, below what is written about the file.
        let at = text.split_inclusive('\n').take_while(|line| !is_key(line)).map(str::len).sum();
        let (head, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        format!("{head}{line}{rest}")
    })?;
    output.note(&format!(
        "added `{id}` to {}; keep a copy of the file, and start `ardoise serve` again before `ardoise key reseal`",
        config.keys_file.display()
    ));
    Ok(())
}

async fn reseal(config: &Config, output: Output) -> Result<(), Failure> {
    let store = open_store(config).await?;
    let spinner = output.spinner("sealing again");
    let resealed = keys::reseal(&store, &host(), now(), |resealed| {
        spinner.set_message(format!("sealing again: {resealed} values"));
    })
    .await;
    spinner.finish_and_clear();
    output.note(&format!("{} value(s) sealed again", resealed?));
    Ok(())
}

async fn remove(config: &Config, id: &str) -> Result<(), Failure> {
    let vault = config.open_vault()?;
    match vault.key_ids().position(|known| known == id) {
        None => {
            return Err(Failure::Usage(format!(
                "the key file has no key `{id}`; `ardoise key list` shows them"
            )));
        }
        Some(0) => {
            return Err(Failure::Usage(format!(
                "`{id}` is the key in use; add another one above it first, with `ardoise key add`"
            )));
        }
        Some(_older) => {}
    }
    let values = in_use(config).await?.remove(id).unwrap_or(0);
    if values > 0 {
        return Err(Failure::BadFile {
            path: config.keys_file.clone(),
            problem: format!("`{id}` still seals {values} value(s); type `ardoise key reseal` first"),
        });
    }
    edit(&config.keys_file, |text| {
        let goes =
            |line: &&str| is_key(line) && line.trim().split_once(':').is_some_and(|(known, _)| known == id);
        text.split_inclusive('\n').filter(|line| !goes(line)).collect()
    })
}

/// `k2`, `k3`, …: the first that is free.
fn free_id(vault: &Vault) -> String {
    let free = |id: &String| !vault.key_ids().any(|known| known == id);
    (1_u32..).map(|number| format!("k{number}")).find(free).unwrap_or_default()
}

fn is_key(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// Writes the whole file or nothing, for the same owner and with the same permissions.
fn edit(path: &Path, change: impl FnOnce(&str) -> String) -> Result<(), Failure> {
    let path = &path.canonicalize().map_err(Failure::reading(path))?;
    let before = Secret::new(fs::read_to_string(path).map_err(Failure::reading(path))?);
    let after = Secret::new(change(before.expose()));
    let fresh = path.with_extension("keys.new");
    let write = || {
        let facts = fs::metadata(path)?;
        let _left_by_an_interruption = fs::remove_file(&fresh);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(facts.mode() & 0o777).open(&fresh)?;
        if (file.metadata()?.uid(), file.metadata()?.gid()) != (facts.uid(), facts.gid()) {
            chown(&fresh, Some(facts.uid()), Some(facts.gid()))?;
        }
        file.write_all(after.expose().as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(Failure::writing(path))
}
