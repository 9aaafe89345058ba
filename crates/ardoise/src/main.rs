//! The program: one command line for the machine that serves, for the people who operate, and for the demo.
//!
//! [`machine`] holds the commands that need the home folder itself (its key file, its database); [`remote`]
//! those that any holder of a token sends to a server's API; [`offline`] those that need nothing but files; [`demo`] the stories that run both.

mod cli;
mod demo;
mod failure;
mod home;
mod interruption;
mod machine;
mod offline;
mod output;
mod remote;
mod table;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match start(cli, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(cli: Cli, output: &Output) -> Result<(), Failure> {
    // A second provider would only mean that one was chosen before, in this very process: it is ours too.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(Box::pin(cli.run(output)))
}
