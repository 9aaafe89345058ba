//! `ardoise school-year`: the years as the département dates them, each with its summer break.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, table};

const EXAMPLES: &str = "\
  ardoise school-year set --starts 2026-09-01 --ends 2027-08-31 --summer 2027-07-03 2027-08-31
  ardoise school-year list

In the summer break, pupils' tablets stay in the collège.";

/// What is done with school years.
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
    /// List the school years, the latest first.
    List,
    /// Date a school year, or date it anew. It is named by the years of its first and last day.
    Set {
        /// Its first day.
        #[arg(long, value_name = "DAY")]
        starts: String,
        /// Its last day.
        #[arg(long, value_name = "DAY")]
        ends: String,
        /// The first and the last day of its summer break.
        #[arg(long, value_names = ["DAY", "DAY"], num_args = 2, required = true)]
        summer: Vec<String>,
    },
}

const COLUMNS: &[Column] = &[
    ("year", "/label"),
    ("starts", "/starts_on"),
    ("ends", "/ends_on"),
    ("summer break from", "/summer_starts_on"),
    ("to", "/summer_ends_on"),
];

/// Lists or dates.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List => {
            let years = Value::Array(api.list(&["school-years"], &[], None).await?);
            output.show(&years, || table(years.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Set { starts, ends, summer } => {
            let year = |day: &str| day.chars().take_while(|digit| *digit != '-').collect::<String>();
            let label = format!("{}-{}", year(&starts), year(&ends));
            let body = Body::Json(json!({
                "starts_on": starts, "ends_on": ends,
                "summer_starts_on": summer.first(), "summer_ends_on": summer.last(),
            }));
            let done = api.put(&["school-years", &label], body).await?;
            output.show(&done, || format!("the school year {label} has these dates"))
        }
    }
}
