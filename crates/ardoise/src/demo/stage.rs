//! The stage of a demo: the real server in a temporary folder, its stand-in for Apple's push service, a client
//! of its API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fleet::Scope;
use tablets::{Ipad, KeyPool};
use testkit::{Database, TestServer};
use tokio::sync::Mutex;
use types::Secret;
use url::Url;

use crate::failure::{Failure, with_causes};
use crate::remote::Api;

/// How many keys the tablets share: one takes a quarter of a second, and their certificates differ anyway.
const KEYS: usize = 4;
/// The file with the authority that the people's door shows.
const TRUST_FILE: &str = "authority.pem";

/// A server that runs for a demo.
#[derive(Debug)]
pub(super) struct Stage {
    server: TestServer,
    api: Api,
    token: Secret<String>,
    tablets_url: Url,
    people_url: Url,
    trust_file: PathBuf,
    ipads: Mutex<BTreeMap<String, Ipad>>,
}

impl Stage {
    /// Starts everything, over SQLite in a temporary folder or over an empty PostgreSQL database.
    pub(super) async fn open(database: Option<&str>) -> Result<Self, Failure> {
        let database = match database {
            None => Database::New(store::Engine::Sqlite),
            Some(url) => Database::At(url.to_owned()),
        };
        let keys = tokio::task::spawn_blocking(|| KeyPool::in_memory(KEYS))
            .await
            .map_err(stopped)?
            .map_err(stopped)?;
        let server = Box::pin(TestServer::setup(database).keys(keys).start()).await.map_err(stopped)?;
        let token = server.new_token(Scope::Operate).await.map_err(stopped)?;
        let tablets_url = server.tablets_url().map_err(stopped)?.clone();
        let people_url = server.people_url().map_err(stopped)?.clone();
        let pem = server.trust_pem().map_err(stopped)?;
        let trust_file = server.home().join(TRUST_FILE);
        std::fs::write(&trust_file, &pem).map_err(Failure::writing(&trust_file))?;
        let api = Api::new(people_url.clone(), Some(token.clone()), None, Some(pem.as_bytes()))?;
        Ok(Self { server, api, token, tablets_url, people_url, trust_file, ipads: Mutex::default() })
    }

    /// A client of the API, as operators have it.
    pub(super) const fn api(&self) -> &Api {
        &self.api
    }

    /// The operator's token, to be shown to whoever started the demo.
    pub(super) fn token(&self) -> &str {
        self.token.expose()
    }

    /// The address tablets use.
    pub(super) const fn tablets_url(&self) -> &Url {
        &self.tablets_url
    }

    /// The address people use.
    pub(super) const fn people_url(&self) -> &Url {
        &self.people_url
    }

    /// The file with the authority that vouches for both doors.
    pub(super) fn trust_file(&self) -> &Path {
        &self.trust_file
    }

    /// A simulated iPad, unlocked, that trusts this server.
    pub(super) fn ipad(&self, serial: &str) -> Result<Ipad, Failure> {
        self.server.ipad(serial).build().map_err(stopped)
    }

    /// Keeps an enrolled iPad asleep, until [`Self::wake`].
    pub(super) async fn keep(&self, ipad: Ipad) {
        self.ipads.lock().await.insert(ipad.serial().to_owned(), ipad);
    }

    /// Lets an iPad that was kept carry out all that waits for it.
    pub(super) async fn wake(&self, serial: &str) -> Result<(), Failure> {
        match self.ipads.lock().await.get_mut(serial) {
            Some(ipad) => ipad.poll().await.map(|_conversation| ()).map_err(stopped),
            None => Err(Failure::Story(format!("no iPad {serial} was kept"))),
        }
    }

    /// The server, for what simulated tablets hear from its push service.
    pub(super) const fn server(&self) -> &TestServer {
        &self.server
    }

    /// Stops the server in order; the folder goes with it.
    pub(super) async fn close(mut self) {
        self.server.stop().await;
    }
}

/// What stopped a demo.
pub(super) fn stopped(error: impl std::error::Error) -> Failure {
    Failure::Story(with_causes(&error))
}
