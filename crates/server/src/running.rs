//! A server that runs, until it is stopped.

use std::io;
use std::net::SocketAddr;

use fleet::Fleet;
use jobs::{Runner, Waker};
use url::Url;

use crate::door::OpenDoor;

/// A server that runs. [`RunningServer::stop`] ends it in order; dropping it leaves its doors open until the
/// runtime ends, as does a crash.
#[derive(Debug)]
pub struct RunningServer {
    opened: Opened,
}

/// What was opened at the start.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) fleet: Fleet,
    pub(crate) runner: Runner,
    pub(crate) tablets: OpenDoor,
    pub(crate) people: OpenDoor,
    pub(crate) tablets_addr: SocketAddr,
    pub(crate) people_addr: SocketAddr,
    pub(crate) tablets_url: Url,
    pub(crate) people_url: Url,
    pub(crate) own_authorities: Vec<Vec<u8>>,
}

impl RunningServer {
    pub(crate) const fn new(opened: Opened) -> Self {
        Self { opened }
    }

    /// Where the tablets' door listens.
    #[must_use]
    pub const fn tablets_addr(&self) -> SocketAddr {
        self.opened.tablets_addr
    }

    /// Where the people's door listens.
    #[must_use]
    pub const fn people_addr(&self) -> SocketAddr {
        self.opened.people_addr
    }

    /// The address tablets use.
    #[must_use]
    pub const fn tablets_url(&self) -> &Url {
        &self.opened.tablets_url
    }

    /// The address people use.
    #[must_use]
    pub const fn people_url(&self) -> &Url {
        &self.opened.people_url
    }

    /// The use cases it serves.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.opened.fleet
    }

    /// What tells its calendar and messenger to look now.
    #[must_use]
    pub fn waker(&self) -> &Waker {
        self.opened.runner.waker()
    }

    /// Our own authorities (DER, oldest first), which vouch for a door whose certificate is `auto`.
    #[must_use]
    pub fn own_authorities(&self) -> &[Vec<u8>] {
        &self.opened.own_authorities
    }

    /// Ends when a door closes by itself, which it does only when something is wrong; says what.
    pub async fn failed(&mut self) -> io::Error {
        let Opened { tablets, people, .. } = &mut self.opened;
        tokio::select! {
            error = tablets.ended() => error,
            error = people.ended() => error,
        }
    }

    /// Stops in order: no new request, those under way end (for 3 s at most), pushes under way are given up,
    /// what was noted is written.
    pub async fn stop(self) {
        let Opened { fleet, runner, tablets, people, .. } = self.opened;
        tokio::join!(tablets.close(true), people.close(true), runner.stop());
        if let Err(error) = fleet.store().flush_seen().await {
            tracing::warn!(%error, "the newest last-seen times were not written");
        }
        tracing::info!("stopped");
    }

    /// Stops without waiting for anything under way: for tests of what a crash leaves behind.
    pub async fn abandon(self) {
        let Opened { runner, tablets, people, .. } = self.opened;
        tokio::join!(tablets.close(false), people.close(false), runner.stop());
    }
}
