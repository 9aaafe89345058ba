//! The store: the one handle to the memory that every other room holds.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{EnrolmentId, Instant};

use crate::api_tokens::ApiToken;
use crate::connect::{ConnectKey, ConnectRow, Looks};
use crate::database::{Database, connect};
use crate::group_commit::{GroupCommit, Together};
use crate::migrate::{self, Migrated};
use crate::presence::LastSeen;
use crate::report::{ConnectWrite, ConnectWritten, Connects};
use crate::standings::{Bearer, Tokens};
use crate::transaction::{Mode, Tx};
use crate::{DatabaseUrl, Digest, Engine, StoreError, Vault, Vitals, grants};

/// How long a request waits for its turn before it is told that the database is busy.
const TURN: Duration = Duration::from_secs(10);

/// How to open a store.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Where the database is.
    pub url: DatabaseUrl,
    /// How many connections read (and on PostgreSQL write) at the same time; at least 1.
    pub pool_size: u32,
    /// Refuse a PostgreSQL role that owns tables: it could drop the triggers. `serve` sets it.
    pub refuse_owner: bool,
    /// How many tablets' answers may wait for a commit before the next one is told to come back.
    pub queue_length: usize,
    /// A statement that takes longer is logged.
    pub slow: Duration,
}

impl StoreOptions {
    /// The defaults for `url`: 8 connections, 4,096 waiting answers, any role; half a second is slow.
    #[must_use]
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url, pool_size: 8, refuse_owner: false, queue_length: 4096, slow: Duration::from_millis(500) }
    }
}

/// The memory. Cheap to clone; the connections close with the last clone.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    looks: Arc<GroupCommit<Looks>>,
    tokens: Arc<GroupCommit<Tokens>>,
    connects: Arc<GroupCommit<Connects>>,
    queue_length: usize,
    last_seen: Arc<LastSeen>,
}

impl Store {
    /// Opens a database whose tables exist.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] with what to type, [`StoreError::OwnerRole`], [`StoreError::Unavailable`].
    pub async fn open(options: StoreOptions, vault: Vault) -> Result<Self, StoreError> {
        blocking(move || Self::open_blocking(&options, vault)).await?
    }

    fn open_blocking(options: &StoreOptions, vault: Vault) -> Result<Self, StoreError> {
        if let Some(path) = options.url.sqlite_path()
            && !path.exists()
        {
            return Err(StoreError::Unavailable(format!(
                "there is no file `{}`: type `ardoise migrate` to create it",
                path.display()
            )));
        }
        let mut connection = connect(&options.url)?;
        migrate::require_migrated(&mut connection)?;
        if options.refuse_owner {
            grants::refuse_owner(&mut connection)?;
        }
        drop(connection);
        let database = Arc::new(Database::open(options, vault)?);
        let permits = usize::try_from(options.pool_size.max(1)).unwrap_or(1);
        let readers = Arc::new(Semaphore::new(permits));
        let writers = match options.url.engine() {
            Engine::Sqlite => Arc::new(Semaphore::new(1)),
            Engine::Postgresql => Arc::clone(&readers),
        };
        Ok(Self {
            looks: Arc::new(GroupCommit::start(&database, Looks, options.queue_length)?),
            tokens: Arc::new(GroupCommit::start(&database, Tokens, options.queue_length)?),
            connects: Arc::new(GroupCommit::start(&database, Connects, options.queue_length)?),
            queue_length: options.queue_length,
            last_seen: Arc::new(LastSeen::start(&database)?),
            database,
            readers,
            writers,
        })
    }

    /// Creates or upgrades the tables, as their owner.
    ///
    /// # Errors
    /// [`StoreError::Migration`] with the engine's words, [`StoreError::Unavailable`].
    pub async fn migrate(url: DatabaseUrl) -> Result<Migrated, StoreError> {
        blocking(move || migrate::migrate(&url)).await?
    }

    /// Lets the PostgreSQL role `role` serve: it may use the tables, not change or own them, and may not edit
    /// the audit log. Run as the owner. On SQLite there is nothing to grant.
    ///
    /// # Errors
    /// [`StoreError::Query`] if the role does not exist.
    pub async fn grant(url: DatabaseUrl, role: String) -> Result<(), StoreError> {
        blocking(move || grants::grant(&url, &role)).await?
    }

    /// Reads in one consistent view.
    ///
    /// # Errors
    /// What `read` refuses with; [`StoreError::Busy`] if no connection is free for 10 s.
    pub async fn read<T, E>(
        &self,
        read: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = self.turn(&self.readers).await?;
        let database = Arc::clone(&self.database);
        let mut read = Some(read);
        blocking(move || {
            let _permit = permit;
            database.transact(Mode::Read, |tx| match read.take() {
                Some(read) => read(tx),
                // A read-only view conflicts with nobody, so that it is run once.
                None => Err(StoreError::Contended { attempts: 1 }.into()),
            })
        })
        .await?
    }

    /// Reads by one statement, which sees one state without a transaction around it: a third of the round trips.
    ///
    /// # Errors
    /// What `look` refuses with; [`StoreError::MoreThanAGlance`] if it takes a second statement; [`StoreError::Busy`] if
    /// no connection is free for 10 s.
    pub async fn glance<T>(
        &self,
        mut look: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
    {
        let permit = self.turn(&self.readers).await?;
        let database = Arc::clone(&self.database);
        blocking(move || {
            let _permit = permit;
            database.glance(&mut look)
        })
        .await?
    }

    /// Loads, decides and saves in one transaction, which behaves as if it ran alone. It is run again, up to 16
    /// times, when it met others on the same rows: `write` has no other effect than its statements.
    ///
    /// # Errors
    /// What `write` refuses with, and then nothing is saved; [`StoreError::Contended`]; [`StoreError::Busy`] if
    /// no connection is free for 10 s; [`StoreError::WentOn`] if `write` succeeds although one of its
    /// statements failed.
    pub async fn write<T, E>(
        &self,
        write: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.transact(Mode::Write, write).await
    }

    /// As [`Store::write`], for a use case all of whose facts belong to one enrolment (or to one link, or one
    /// challenge): the first thing it does is to hold its row
    /// ([`enrolments::hold_by_certificate`](crate::enrolments::hold_by_certificate) and its like), and those
    /// of the same one take turns. Use cases of different ones never meet, however many run; what such a use
    /// case reads of other rows may be changing.
    ///
    /// A use case of [`Store::write`] that takes something away from an enrolment (its end, its commands) writes a row
    /// that the use cases of this kind write too, its push state: then it is run again if it met one.
    ///
    /// # Errors
    /// As [`Store::write`]; [`StoreError::HoldsNothing`] if `write` succeeds and held none.
    pub async fn write_held<T, E>(
        &self,
        write: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.transact(Mode::Held, write).await
    }

    async fn transact<T, E>(
        &self,
        mode: Mode,
        write: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = self.turn(&self.writers).await?;
        let database = Arc::clone(&self.database);
        blocking(move || {
            let _permit = permit;
            database.transact(mode, write)
        })
        .await?
    }

    async fn turn(&self, semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
        let began = std::time::Instant::now();
        let meters = self.database.meters();
        let turn = tokio::time::timeout(TURN, Arc::clone(semaphore).acquire_owned()).await;
        meters.turns.took(began.elapsed());
        match turn {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_closed)) => Err(StoreError::Stopped),
            Err(_elapsed) => {
                meters.busy.one();
                Err(StoreError::Busy)
            }
        }
    }

    /// The vault that seals and opens what is secret.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.database.vault
    }

    /// The engine behind it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.database.engine()
    }

    /// How many statements were sent since the store was opened, `BEGIN` and `COMMIT` included.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.database.statements()
    }

    /// How the memory is doing.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        self.database.meters().read()
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Busy`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let permit = self.turn(&self.readers).await?;
        let database = Arc::clone(&self.database);
        blocking(move || {
            let _permit = permit;
            database.statement(|connection| Ok(connection.batch_execute("SELECT 1")?))
        })
        .await?
    }

    /// The one read of a connect: certificate, enrolment, next command and the reported one, by one prepared statement for
    /// all who connect at the same moment. `None`: no row knows this certificate.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Unavailable`], [`StoreError::Busy`].
    pub async fn connect_read(&self, key: ConnectKey) -> Result<Option<ConnectRow>, StoreError> {
        self.looks.submit(key).await
    }

    /// The token of the API that has this hash, and what its account may do, by one statement for all who bear one at the
    /// same moment: programs send many requests at once. Revoked and expired ones are found too.
    ///
    /// # Errors
    /// As [`standings::of_token`](crate::standings::of_token); [`StoreError::Busy`].
    pub async fn token(&self, sha256: Digest) -> Result<Option<Bearer<ApiToken>>, StoreError> {
        self.tokens.submit(sha256).await
    }

    /// The one write of a connect: the report, the next delivery, what the tablet told about itself. It shares
    /// its commit with other tablets' and is answered after it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once if too many wait; [`StoreError::Refused`] if a trigger forbids the delivery.
    pub async fn connect_write(&self, write: ConnectWrite) -> Result<ConnectWritten, StoreError> {
        self.connects.submit(write).await
    }

    /// Starts the threads that carry out another kind of work together.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the machine gives no thread.
    pub fn group_commit<K: Together>(&self, kind: K) -> Result<GroupCommit<K>, StoreError> {
        GroupCommit::start(&self.database, kind, self.queue_length)
    }

    /// How many writes of tablets were ever taken in, committed or still waiting for their commit.
    #[must_use]
    pub fn connect_writes_taken_in(&self) -> u64 {
        self.connects.taken_in()
    }

    /// Notes that a tablet was heard. Written with others' every 100 ms; lost if the program dies before.
    pub fn seen(&self, enrolment: EnrolmentId, at: Instant) {
        self.last_seen.note(enrolment, at);
    }

    /// Writes now what [`Store::seen`] has noted: before a backup, at shutdown.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn flush_seen(&self) -> Result<(), StoreError> {
        let last_seen = Arc::clone(&self.last_seen);
        let database = Arc::clone(&self.database);
        blocking(move || last_seen.flush(&database)).await?
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

/// Runs `work` where blocking is allowed. A panic inside goes on here, to be caught where requests are isolated.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => Ok(value),
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(StoreError::Stopped),
        },
    }
}
