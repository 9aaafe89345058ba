//! `ardoise config`: what the configuration says, and what can be said in it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use server::config::{KEYS, Key};

use crate::failure::Failure;
use crate::home::HomeArguments;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise config check                           is it right, and which value counts?
  ardoise config explain                         every key, its variable and its default
  ardoise config explain tablets.listen";

/// What is asked of the configuration.
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
    /// Say what is wrong, files included, or which value counts and where it was said.
    Check,
    /// Say what a key means, its variable, its default and an example.
    Explain {
        /// The key; all of them unless told.
        key: Option<String>,
    },
}

const SETTINGS: &[Column] = &[("key", "/key"), ("value", "/value"), ("said in", "/origin")];

const EXPLAINED: &[Column] = &[
    ("key", "/key"),
    ("meaning", "/meaning"),
    ("shape", "/shape"),
    ("variable", "/variable"),
    ("default", "/default"),
    ("example", "/example"),
];

/// Checks or explains.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    match &arguments.action {
        Action::Check => {
            let config = arguments.home.open()?.existing_config()?;
            config.check_files()?;
            let settings: Value = config
                .settings()
                .iter()
                .map(|setting| {
                    json!({ "key": setting.key.name, "value": setting.value, "origin": setting.origin.to_string() })
                })
                .collect();
            output.show(&settings, || {
                let rows = settings.as_array().map(Vec::as_slice).unwrap_or_default();
                format!("{}\n\nthe configuration can be used", table(rows, SETTINGS))
            })
        }
        Action::Explain { key: None } => {
            let keys: Vec<Value> = KEYS.iter().map(explained).collect();
            output.show(&Value::Array(keys.clone()), || {
                keys.iter().map(|key| sheet(key, EXPLAINED)).collect::<Vec<_>>().join("\n\n")
            })
        }
        Action::Explain { key: Some(name) } => {
            let key = Key::named(name).ok_or_else(|| {
                Failure::Usage(format!("there is no key `{name}`: `ardoise config explain` lists them"))
            })?;
            let document = explained(key);
            output.show(&document, || sheet(&document, EXPLAINED))
        }
    }
}

fn explained(key: &Key) -> Value {
    json!({
        "key": key.name,
        "meaning": key.meaning,
        "shape": key.shape.as_str(),
        "variable": key.variable(),
        "default": if key.default.is_empty() { Value::Null } else { Value::from(key.default) },
        "example": format!("[{}] {}", key.section(), key.written(key.example)),
    })
}
