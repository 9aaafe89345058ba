//! One transaction: what a use case loads, decides and saves in one piece.

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager, TransactionManagerStatus};

use crate::connection::AnyConnection;
use crate::database::Link;
use crate::{Engine, StoreError, Vault};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A consistent view; writes nothing.
    Read,
    /// A use case: as if it ran alone.
    Write,
    /// A use case of one enrolment (or link, or challenge), which it holds: those of the same one take turns, and
    /// nothing else is compared.
    Held,
    /// Many tablets' answers in one commit. Each statement states its own conditions, so that the weakest
    /// isolation is enough.
    Group,
}

impl Mode {
    fn begin(self, connection: &AnyConnection) -> &'static str {
        match (connection, self) {
            (AnyConnection::Postgresql(_), Self::Read) => {
                "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
            // Use cases read, decide, then write: only SERIALIZABLE keeps two of them from deciding on what
            // the other is about to change (two erase budgets, two uses of a link).
            (AnyConnection::Postgresql(_), Self::Write) => "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            // What was read after the enrolment was held is what it is: whoever would change it waits. SERIALIZABLE
            // would compare pages of indexes, on which the waiting commands of all tablets lie side by side.
            (AnyConnection::Postgresql(_), Self::Held | Self::Group) => {
                "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED"
            }
            (AnyConnection::Sqlite(_), Self::Read) => "BEGIN DEFERRED",
            (AnyConnection::Sqlite(_), Self::Write | Self::Held | Self::Group) => "BEGIN IMMEDIATE",
        }
    }
}

/// An open transaction and the vault: what the functions of every noun take.
pub struct Tx<'c> {
    connection: &'c mut AnyConnection,
    vault: &'c Vault,
    trouble: Option<Trouble>,
    holds: bool,
    /// Whether it may run one statement only, and whether it has.
    glance: Option<Glance>,
}

/// A look at the memory by one statement, which needs no transaction around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glance {
    Before,
    After,
}

/// Why the transaction cannot be committed any more.
enum Trouble {
    Contention,
    Lost(String),
    Failed,
    HoldsNothing,
}

impl<'c> Tx<'c> {
    fn new(connection: &'c mut AnyConnection, vault: &'c Vault) -> Self {
        Self { connection, vault, trouble: None, holds: false, glance: None }
    }

    /// The vault that seals and opens what is secret.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        self.vault
    }

    /// The engine behind it.
    pub(crate) fn engine(&self) -> Engine {
        match &*self.connection {
            AnyConnection::Postgresql(_) => Engine::Postgresql,
            AnyConnection::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Notes that the row it is about is held until the end of the transaction.
    pub(crate) fn holds(&mut self) {
        self.holds = true;
    }

    /// Runs statements, and remembers if one failed: PostgreSQL has then given the transaction up, and on
    /// SQLite the same must hold.
    pub(crate) fn run<T>(
        &mut self,
        statements: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        match &mut self.glance {
            Some(Glance::After) => return Err(StoreError::MoreThanAGlance),
            Some(before) => *before = Glance::After,
            None => {}
        }
        statements(self.connection).map_err(|error| {
            let error = StoreError::from(error);
            self.trouble = Some(match &error {
                StoreError::Contended { .. } => Trouble::Contention,
                StoreError::Unavailable(reason) => Trouble::Lost(reason.clone()),
                _ => Trouble::Failed,
            });
            error
        })
    }
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").finish_non_exhaustive()
    }
}

/// Looks by one statement, outside any transaction.
pub(crate) fn glance<T>(
    connection: &mut AnyConnection,
    vault: &Vault,
    look: &mut impl FnMut(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    look(&mut Tx { glance: Some(Glance::Before), ..Tx::new(connection, vault) })
}

/// What became of one run of a transaction.
pub(crate) enum Attempt<T, E> {
    /// Committed, or rolled back for good.
    Done(Result<T, E>),
    /// Rolled back; running it again may succeed.
    Again(StoreError),
}

/// Runs a transaction once.
pub(crate) fn attempt<T, E: From<StoreError>>(
    link: &mut Link,
    mode: Mode,
    vault: &Vault,
    run: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Attempt<T, E> {
    if let Err(error) = begin(&mut link.connection, mode) {
        let error = StoreError::from(error);
        link.lost = matches!(error, StoreError::Unavailable(_)) || is_broken(&mut link.connection);
        return match error {
            StoreError::Contended { .. } | StoreError::Unavailable(_) => Attempt::Again(error),
            other => Attempt::Done(Err(other.into())),
        };
    }
    let (attempt, lost) = {
        let open = OpenTransaction(&mut link.connection);
        let mut tx = Tx::new(&mut *open.0, vault);
        let result = run(&mut tx);
        let careless = mode == Mode::Held && !tx.holds;
        let trouble = tx.trouble.take().or(careless.then_some(Trouble::HoldsNothing));
        match (result, trouble) {
            (_, Some(Trouble::Contention)) => (Attempt::Again(StoreError::Contended { attempts: 1 }), false),
            // COMMIT was never sent, so that nothing was saved: another connection may serve.
            (_, Some(Trouble::Lost(reason))) if mode != Mode::Read => {
                (Attempt::Again(StoreError::Unavailable(reason)), true)
            }
            (Ok(value), None) => match open.commit() {
                Ok(()) => (Attempt::Done(Ok(value)), false),
                Err(error) if error.is_contention() => (Attempt::Again(error), false),
                // The commit may have been done: it is not run again, the caller is told.
                Err(error) => (Attempt::Done(Err(error.into())), true),
            },
            (Ok(_unsaved), Some(Trouble::HoldsNothing)) => {
                (Attempt::Done(Err(StoreError::HoldsNothing.into())), false)
            }
            (Ok(_unsaved), Some(trouble)) => {
                (Attempt::Done(Err(StoreError::WentOn.into())), matches!(trouble, Trouble::Lost(_)))
            }
            (Err(error), trouble) => (Attempt::Done(Err(error)), matches!(trouble, Some(Trouble::Lost(_)))),
        }
    };
    link.lost = lost || is_broken(&mut link.connection);
    attempt
}

fn begin(connection: &mut AnyConnection, mode: Mode) -> QueryResult<()> {
    let sql = mode.begin(connection);
    match connection {
        AnyConnection::Postgresql(postgresql) => {
            AnsiTransactionManager::begin_transaction_sql(postgresql, sql)
        }
        AnyConnection::Sqlite(sqlite) => AnsiTransactionManager::begin_transaction_sql(sqlite, sql),
    }
}

type Manager = <AnyConnection as Connection>::TransactionManager;

fn is_broken(connection: &mut AnyConnection) -> bool {
    Manager::is_broken_transaction_manager(connection)
}

/// Rolls back when dropped, also while a use case panics.
struct OpenTransaction<'c>(&'c mut AnyConnection);

impl OpenTransaction<'_> {
    fn commit(self) -> Result<(), StoreError> {
        Ok(Manager::commit_transaction(self.0)?)
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        let open = match Manager::transaction_manager_status_mut(self.0) {
            TransactionManagerStatus::Valid(valid) => valid.transaction_depth().is_some(),
            TransactionManagerStatus::InError => false,
        };
        if open && let Err(error) = Manager::rollback_transaction(self.0) {
            tracing::warn!(%error, "a transaction could not be rolled back; its connection is dropped");
        }
    }
}
