//! The command line: what can be typed.

use clap::{Parser, Subcommand};

use super::failure::Failure;
use super::output::Output;
use super::{apns, bench, enrol, run, seed};

const EXAMPLES: &str = "\
A fleet that a server is told of, and a load of it:
  tablets seed fleet --tablets 1000 --server-url https://localhost:8443/mdm --topic com.apple.mgmt.External.x
  tablets bench idle fleet --trust server.pem --connections 32

Tablets that enrol for real, then live:
  tablets enrol school --link https://localhost:8443/enrol/kJ8x --serials inventory.csv --trust server.pem
  tablets run school --trust server.pem --poll-every 1m --for 10m

`tablets bench --help` explains step by step how to load a server, ours or another.
Exit codes: 0 done, 1 failed, 2 not understood.";

/// Simulated tablets and stand-ins for Apple, to try or to load any Apple MDM server.
#[derive(Debug, Parser)]
#[command(name = "tablets", version, about, after_help = EXAMPLES, max_term_width = 110)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print JSON for programs, one document a line; errors too, on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a fleet that is enrolled from its own point of view, and the lists by which a server learns of it.
    Seed(Box<seed::Arguments>),
    /// Enrol tablets for real: SCEP, Authenticate, TokenUpdate. Safe to repeat.
    Enrol(Box<enrol::Arguments>),
    /// Let enrolled tablets live: they wake on pushes or poll, and obey, until Ctrl-C.
    Run(Box<run::Arguments>),
    /// A stand-in for Apple's push service.
    Apns(Box<apns::Arguments>),
    /// Load a server, and print rate and latencies.
    Bench(Box<bench::Arguments>),
}

impl Cli {
    /// Does what was typed.
    pub(crate) async fn run(self, output: Output) -> Result<(), Failure> {
        match self.command {
            Verb::Seed(arguments) => seed::run(&arguments, output),
            Verb::Enrol(arguments) => Box::pin(enrol::run(*arguments, output)).await,
            Verb::Run(arguments) => Box::pin(run::run(*arguments, output)).await,
            Verb::Apns(arguments) => Box::pin(apns::run(*arguments, output)).await,
            Verb::Bench(arguments) => Box::pin(bench::run(*arguments, output)).await,
        }
    }
}

#[cfg(test)]
mod tests;
