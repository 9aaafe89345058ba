//! The database of a test server.

use std::path::Path;

use store::{DatabaseUrl, Engine, Store, Vault};
use types::Instant;

use crate::TestkitError;
use crate::postgres::TestDatabase;

/// Which database a test server gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A new one: a file in the server's own folder, or a database of its own on the test PostgreSQL, served
    /// by a role that owns nothing. It goes with the server.
    New(Engine),
    /// An empty one, made by someone else, at this URL. It is served by the role that makes its tables, and it
    /// stays.
    At(String),
}

impl From<Engine> for Database {
    fn from(engine: Engine) -> Self {
        Self::New(engine)
    }
}

/// A database with its tables.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// As `database.url` says it.
    pub(crate) url: String,
    /// Whether its owner serves it.
    pub(crate) owner_serves: bool,
    /// As whom its tables are made, backed up and restored.
    owner: DatabaseUrl,
    /// Dropped with the server.
    scratch: Option<TestDatabase>,
}

impl Database {
    /// Makes the database, if it is to be new, and its tables.
    pub(crate) async fn prepare(&self, folder: &Path) -> Result<Prepared, TestkitError> {
        match self {
            Self::New(engine) => {
                let (prepared, role) = empty(*engine, &folder.join("ardoise.db")).await?;
                Store::migrate(prepared.owner.clone()).await?;
                prepared.let_serve(role).await
            }
            Self::At(url) => {
                let owner: DatabaseUrl = url.parse()?;
                Store::migrate(owner.clone()).await?;
                Ok(Prepared { url: url.clone(), owner_serves: true, owner, scratch: None })
            }
        }
    }
}

impl Prepared {
    /// Writes a backup to a new file, as `ardoise backup` does.
    pub(crate) async fn back_up(&self, to: &Path) -> Result<(), TestkitError> {
        Ok(Store::backup(self.owner.clone(), to.to_owned()).await?)
    }

    /// Brings a backup of this database back into a new one, as `ardoise restore` does; `file` is where SQLite's
    /// is to be.
    pub(crate) async fn restored(
        &self,
        from: &Path,
        file: &Path,
        vault: Vault,
        now: Instant,
    ) -> Result<Self, TestkitError> {
        let engine = self.owner.engine();
        if engine == Engine::Postgresql && self.scratch.is_none() {
            return Err(TestkitError::other("a database of someone else's is not restored"));
        }
        let (prepared, role) = empty(engine, file).await?;
        Store::restore(prepared.owner.clone(), vault, from.to_owned(), now).await?;
        prepared.let_serve(role).await
    }

    /// Lets the role that serves use the tables, which are there now.
    async fn let_serve(self, role: Option<String>) -> Result<Self, TestkitError> {
        if let Some(role) = role {
            Store::grant(self.owner.clone(), role).await?;
        }
        Ok(self)
    }
}

/// A database without tables, and on PostgreSQL the role that is to serve it.
async fn empty(engine: Engine, file: &Path) -> Result<(Prepared, Option<String>), TestkitError> {
    match engine {
        Engine::Sqlite => {
            let (owner, url) = (DatabaseUrl::sqlite(file), format!("sqlite:{}", file.display()));
            Ok((Prepared { url, owner_serves: false, owner, scratch: None }, None))
        }
        Engine::Postgresql => {
            let (database, role) = tokio::task::spawn_blocking(|| {
                let database = TestDatabase::create()?;
                let role = database.serving_role()?;
                Ok::<_, TestkitError>((database, role))
            })
            .await
            .map_err(TestkitError::other)??;
            let owner = database.url().parse()?;
            Ok((
                Prepared { url: role.url, owner_serves: false, owner, scratch: Some(database) },
                Some(role.name),
            ))
        }
    }
}
