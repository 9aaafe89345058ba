//! The connections to a database: a pool of readers, and the way to write of each engine.
//!
//! SQLite has one writer, a connection behind a mutex, and readers beside it (WAL). PostgreSQL has one pool.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ManageConnection, Pool};
use diesel::{Connection as _, PgConnection, SqliteConnection};

use crate::connection::AnyConnection;
use crate::group_commit::connections;
use crate::transaction::{Attempt, Mode, Tx, attempt, glance};
use crate::vitals::{self, About, Meters};
use crate::{DatabaseUrl, Engine, StoreError, StoreOptions, Vault};

/// How often a transaction that met others on its rows is run before [`StoreError::Contended`].
const MAX_ATTEMPTS: u32 = 16;

/// How long a request may wait for a connection, and SQLite's writer for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// A transaction that has been tried for this long is not tried again: whoever waits for it is told to come back.
const LONGEST: Duration = Duration::from_secs(10);

/// How PostgreSQL carries out what many ask at the same moment. A statement over many rows goes from each of them to its
/// row by the index: a plan that was made while a table was nearly empty would read all of it instead, and be kept. It is
/// kept whatever comes: a new one for each batch takes longer than to carry it out. A row that is held elsewhere costs
/// those who wait for other rows a moment, not the minute of `statement_timeout`.
const TOGETHER: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; \
    SET plan_cache_mode = force_generic_plan; SET lock_timeout = '3s'";

/// How SQLite's readers look: each keeps half a megabyte of pages and not the usual two, of which a busy server would have
/// fourteen times. The system keeps the pages of the file for all of them.
const READING: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -512";

/// A connection, and whether it is to be thrown away.
pub(crate) struct Link {
    pub(crate) connection: AnyConnection,
    pub(crate) lost: bool,
}

/// What a pool's connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Use cases: whatever they ask.
    Requests,
    /// Looks only, where one connection writes.
    Reading,
    /// What many ask at the same moment.
    Together,
}

/// Makes connections for a pool.
struct Connector {
    url: DatabaseUrl,
    meters: Arc<Meters>,
    slow: Duration,
    purpose: Purpose,
}

impl Connector {
    fn connect(&self) -> Result<Link, StoreError> {
        let mut connection = connect(&self.url)?;
        match &mut connection {
            AnyConnection::Sqlite(sqlite) if self.purpose == Purpose::Reading => {
                sqlite.batch_execute(READING)?
            }
            AnyConnection::Postgresql(postgresql) if self.purpose == Purpose::Together => {
                postgresql.batch_execute(TOGETHER)?;
            }
            AnyConnection::Postgresql(_) | AnyConnection::Sqlite(_) => {}
        }
        connection.set_instrumentation(vitals::listener(Arc::clone(&self.meters), self.slow));
        Ok(Link { connection, lost: false })
    }
}

/// Opens one connection with the settings every connection has.
pub(crate) fn connect(url: &DatabaseUrl) -> Result<AnyConnection, StoreError> {
    let unavailable = |error: diesel::ConnectionError| StoreError::Unavailable(format!("{url}: {error}"));
    if let Some(text) = url.postgresql_url() {
        // libpq speaks TLS by OpenSSL, whose clean-up at the end of the process would pull it away from under the
        // pool's threads: whoever initialises it first decides that there is none.
        openssl::init();
        let mut connection = PgConnection::establish(text.expose()).map_err(unavailable)?;
        // A statement that hangs must not hold a tablet's rows for ever. And a plan that a session (or a trigger in
        // it) made while a table was nearly empty reads the table whole, and is kept while thousands of tablets
        // enrol: every statement that is sent often has its index. Compiling one takes longer than running it.
        connection.batch_execute(
            "SET application_name = 'ardoise'; SET statement_timeout = '60s'; \
             SET idle_in_transaction_session_timeout = '60s'; SET enable_seqscan = off; SET jit = off",
        )?;
        return Ok(AnyConnection::Postgresql(connection));
    }
    let path = url.sqlite_path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let mut connection = SqliteConnection::establish(&existing_file(&path)).map_err(unavailable)?;
    // FULL: an answered tablet's result survives a power cut, not only a crash of the program.
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
        PATIENCE.as_millis()
    ))?;
    Ok(AnyConnection::Sqlite(connection))
}

/// The URI of an SQLite file that is there: one that was moved away is missed, and not replaced by an empty one.
fn existing_file(path: &str) -> String {
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?mode=rw")
}

impl ManageConnection for Connector {
    type Connection = Link;
    type Error = StoreError;

    fn connect(&self) -> Result<Link, StoreError> {
        Self::connect(self)
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), StoreError> {
        Ok(link.connection.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        let broken = link.lost || std::thread::panicking();
        if broken {
            self.meters.lost_links.one();
        }
        broken
    }
}

/// The connections to one database.
pub(crate) struct Database {
    engine: Engine,
    pool: Pool<Connector>,
    /// The connections of what many ask at the same moment: it never waits behind other requests.
    together: Pool<Connector>,
    /// SQLite's only writer.
    writer: Option<Mutex<Link>>,
    pub(crate) vault: Vault,
    meters: Arc<Meters>,
}

impl Database {
    pub(crate) fn open(options: &StoreOptions, vault: Vault) -> Result<Self, StoreError> {
        let engine = options.url.engine();
        let meters = Arc::new(Meters::default());
        let connector = |purpose| Connector {
            url: options.url.clone(),
            meters: Arc::clone(&meters),
            slow: options.slow,
            purpose,
        };
        let pool = |purpose, size: u32| {
            Pool::builder()
                .max_size(size.max(1))
                .min_idle(Some(1))
                .connection_timeout(PATIENCE)
                // Asking `SELECT 1` before each use would double the statements: a lost link is noticed by its
                // first statement instead, and thrown away.
                .test_on_check_out(false)
                .build(connector(purpose))
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        // Those of the group commit, and one for last-seen times.
        let of_threads = u32::try_from(connections(engine)).unwrap_or(1).saturating_add(1);
        let (requests, together, writer) = match engine {
            Engine::Sqlite => {
                let writer = connector(Purpose::Requests).connect()?;
                (Purpose::Reading, Purpose::Reading, Some(Mutex::new(writer)))
            }
            Engine::Postgresql => (Purpose::Requests, Purpose::Together, None),
        };
        let (pool, together) = (pool(requests, options.pool_size)?, pool(together, of_threads)?);
        Ok(Self { engine, pool, together, writer, vault, meters })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn statements(&self) -> u64 {
        self.meters.statements.get()
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Runs one statement outside any transaction, again on a fresh link if the one it got was dead.
    pub(crate) fn statement<T>(
        &self,
        run: impl FnMut(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        statement_of(&self.pool, run)
    }

    /// Looks by one statement, outside any transaction.
    pub(crate) fn glance<T>(
        &self,
        look: &mut impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        vitals::about(About::Nobody);
        self.statement(|connection| glance(connection, &self.vault, look))
    }

    /// As [`Database::glance`], for what many ask at the same moment.
    pub(crate) fn look<T>(
        &self,
        look: &mut impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        statement_of(&self.together, |connection| glance(connection, &self.vault, look))
    }

    /// Runs a transaction until it is done, or has met others too often.
    pub(crate) fn transact<T, E: From<StoreError>>(
        &self,
        mode: Mode,
        mut run: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let mut attempts = 0;
        vitals::about(About::Nobody);
        loop {
            attempts += 1;
            let tried = match &self.writer {
                Some(writer) if mode != Mode::Read => {
                    // A panic inside a use case poisons the lock, but its transaction was rolled back by then.
                    let mut link = writer.lock().unwrap_or_else(PoisonError::into_inner);
                    attempt(&mut link, mode, &self.vault, &mut run)
                }
                _ => {
                    let pool = if mode == Mode::Group { &self.together } else { &self.pool };
                    let mut link = pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))?;
                    attempt(&mut link, mode, &self.vault, &mut run)
                }
            };
            let enough = attempts >= MAX_ATTEMPTS || began.elapsed() >= LONGEST;
            match tried {
                Attempt::Done(result) => return result,
                Attempt::Again(StoreError::Contended { .. }) if enough => {
                    return Err(StoreError::Contended { attempts }.into());
                }
                Attempt::Again(error) if enough => return Err(error.into()),
                Attempt::Again(StoreError::Contended { .. }) => {
                    self.meters.contended.one();
                    let most = 1_u64 << attempts.min(7);
                    std::thread::sleep(Duration::from_millis(rand::random_range(0..=most)));
                }
                Attempt::Again(_lost_before_it_began) => {}
            }
        }
    }
}

/// Runs one statement outside any transaction, again on a fresh link if the one it got was dead.
fn statement_of<T>(
    pool: &Pool<Connector>,
    mut run: impl FnMut(&mut AnyConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut link = pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        match run(&mut link.connection) {
            Err(StoreError::Unavailable(reason)) => {
                link.lost = true;
                if attempts >= MAX_ATTEMPTS {
                    return Err(StoreError::Unavailable(reason));
                }
            }
            other => return other,
        }
    }
}
