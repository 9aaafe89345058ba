//! The database of a test server.

use std::path::Path;

use store::{DatabaseUrl, Engine, Store};

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
    /// An empty one, made by someone else: its owner makes the tables, and another role serves it, perhaps by
    /// another way. It stays.
    Apart {
        /// The URL of the owner.
        owner: String,
        /// The role that serves it.
        role: String,
        /// The URL by which it is served.
        url: String,
    },
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
    /// The same, as the owner of its tables.
    pub(crate) owner_url: String,
    /// Whether its owner serves it.
    pub(crate) owner_serves: bool,
    /// The role that serves it and owns nothing, where there is one.
    pub(crate) serves: Option<String>,
    /// Dropped with the server.
    _scratch: Option<TestDatabase>,
}

impl Database {
    /// Makes the database, if it is to be new, and its tables.
    pub(crate) async fn prepare(&self, folder: &Path) -> Result<Prepared, TestkitError> {
        match self {
            Self::New(Engine::Sqlite) => {
                let path = folder.join("ardoise.db");
                Store::migrate(DatabaseUrl::sqlite(&path)).await?;
                let url = format!("sqlite:{}", path.display());
                Ok(Prepared {
                    owner_url: url.clone(),
                    url,
                    owner_serves: false,
                    serves: None,
                    _scratch: None,
                })
            }
            Self::New(Engine::Postgresql) => {
                let (database, role) = tokio::task::spawn_blocking(|| {
                    let database = TestDatabase::create()?;
                    let role = database.serving_role()?;
                    Ok::<_, TestkitError>((database, role))
                })
                .await
                .map_err(TestkitError::other)??;
                let owner: DatabaseUrl = database.url().parse()?;
                Store::migrate(owner.clone()).await?;
                Store::grant(owner, role.name.clone()).await?;
                Ok(Prepared {
                    url: role.url,
                    owner_url: database.url().to_owned(),
                    owner_serves: false,
                    serves: Some(role.name),
                    _scratch: Some(database),
                })
            }
            Self::Apart { owner, role, url } => {
                Store::migrate(owner.parse()?).await?;
                Store::grant(owner.parse()?, role.clone()).await?;
                Ok(Prepared {
                    url: url.clone(),
                    owner_url: owner.clone(),
                    owner_serves: false,
                    serves: Some(role.clone()),
                    _scratch: None,
                })
            }
            Self::At(url) => {
                Store::migrate(url.parse()?).await?;
                Ok(Prepared {
                    url: url.clone(),
                    owner_url: url.clone(),
                    owner_serves: true,
                    serves: None,
                    _scratch: None,
                })
            }
        }
    }
}
