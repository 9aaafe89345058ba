//! `ardoise serve`: serves both doors and runs the calendar until told to stop.

use std::sync::Arc;

use clap::Args;
use server::{Server, ServerOptions};
use types::SystemClock;

use crate::failure::{Failure, with_causes};
use crate::home::HomeArguments;
use crate::interruption::Interruption;

const EXAMPLES: &str = "\
  ardoise serve --home /var/lib/ardoise
  ardoise serve --set log.format=json --set people.listen=0.0.0.0:9443

SIGTERM and Ctrl-C stop it in order: requests under way are answered first.";

/// Which home folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    home: HomeArguments,
}

/// Serves.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.home.open()?.existing_config()?;
    config.check_files()?;
    server::log::start(&config.log).map_err(|error| Failure::Server(with_causes(&error)))?;
    let mut interruption = Interruption::listen()?;
    let mut running = Box::pin(Server::start(ServerOptions::new(config, Arc::new(SystemClock))))
        .await
        .map_err(|error| Failure::Server(with_causes(&error)))?;
    let failed = tokio::select! {
        () = interruption.comes() => None,
        error = running.failed() => Some(error),
    };
    running.stop().await;
    match failed {
        None => Ok(()),
        Some(error) => Err(Failure::Server(format!("a door closed by itself: {error}"))),
    }
}
