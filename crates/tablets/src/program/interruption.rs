//! Being told to stop: by Ctrl-C, by whoever manages the process, or by the clock.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;

/// Listens for SIGINT and SIGTERM from the moment it is made: what comes before it is awaited is not lost.
#[derive(Debug)]
pub(crate) struct Interruption {
    terminate: Signal,
    interrupt: Signal,
}

impl Interruption {
    /// Begins to listen. From then on neither signal ends the process by itself.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::Runtime);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits until either comes.
    pub(crate) async fn comes(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits until either comes, or for this long.
    pub(crate) async fn comes_or_after(&mut self, limit: Option<Duration>) {
        match limit {
            Some(limit) => drop(tokio::time::timeout(limit, self.comes()).await),
            None => self.comes().await,
        }
    }
}
