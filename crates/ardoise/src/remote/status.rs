//! `ardoise status`.

use clap::Args;

use super::Connection;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet};

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
}

const FIELDS: &[Column] = &[
    ("tablets", "/tablets"),
    ("enrolled", "/enrolled"),
    ("enrolling", "/enrolling"),
    ("open alarms", "/open_alarms"),
    ("push certificate, days left", "/push_certificate_days_left"),
    ("notices by mail", "/notices_by_mail"),
    ("database", "/database"),
    ("version", "/build"),
];

/// Shows how the fleet stands.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let status = arguments.connection.open()?.get(&["status"]).await?;
    output.show(&status, || sheet(&status, FIELDS))
}
