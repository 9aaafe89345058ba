//! From what was typed to the exit code.
//!
//! Each sub-command has a file of its name. All of them speak through [`output`]: one JSON document for
//! programs, words for people, never both.

mod apns;
mod bench;
mod cli;
mod enrol;
mod failure;
mod faults;
mod interruption;
mod network;
mod output;
mod push_files;
mod run;
mod seed;
mod serials;
mod span;
mod workers;

use std::process::ExitCode;

use clap::Parser as _;

use cli::Cli;
use failure::Failure;
use output::Output;

/// Does what was typed: 0 done, 1 failed, 2 not understood.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(Failure::Runtime).and_then(|runtime| runtime.block_on(cli.run(output)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
