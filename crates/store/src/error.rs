//! What can go wrong in the memory, in words for whoever reads the log.
//!
//! No variant means "this tablet is unknown": a failure here is answered with 503 at the tablets' door, never
//! with a status that unenrols (T-A7).

use diesel::result::{DatabaseErrorKind, Error as QueryError};

use crate::vault::VaultError;

/// A failure of the memory.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no engine we know.
    #[error("`{0}` is not a database we know: expected sqlite:PATH or postgresql://USER@HOST/NAME")]
    InvalidUrl(String),
    /// The database cannot be reached, or the connection was lost.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The tables are older than the program.
    #[error(
        "the tables lack {pending} migration(s), the first of them `{first}`: stop, back up, and type `ardoise migrate`"
    )]
    NotMigrated {
        /// How many migrations are missing.
        pending: usize,
        /// The first missing one.
        first: String,
    },
    /// The role that serves owns tables, and could therefore drop the triggers that protect people.
    #[error(
        "the PostgreSQL role `{role}` owns tables: serve as a role that does not (type `ardoise migrate` as the owner, and give the serving role its grants)"
    )]
    OwnerRole {
        /// The role of the connection.
        role: String,
    },
    /// Too much is waiting already. The tablet or the person is asked to come back: 503.
    #[error("the database is busy: too many requests are waiting, come back later")]
    Busy,
    /// Its turn came, and the database did not say what became of it. The tablet or the person is asked to come back: 503.
    #[error("the database did not answer: it may have been done; look before you ask again")]
    Unanswered,
    /// Other transactions kept changing the same rows.
    #[error("the transaction met others on the same rows {attempts} times: come back later")]
    Contended {
        /// How often it was run.
        attempts: u32,
    },
    /// Another transaction holds a row that it needs, and does not end. The tablet or the person is asked to come back: 503.
    #[error("a row that it needs is held by another transaction, which does not end: come back later")]
    Held,
    /// A row with that key exists.
    #[error("there is such a row already ({constraint})")]
    Duplicate {
        /// The constraint, in the engine's words.
        constraint: String,
    },
    /// A row points to one that does not exist.
    #[error("the row it refers to does not exist ({constraint})")]
    Dangling {
        /// The constraint, in the engine's words.
        constraint: String,
    },
    /// A check or a trigger of the tables forbids it.
    #[error("the database refuses it: {rule}")]
    Refused {
        /// The trigger's sentence, or the name of the check.
        rule: String,
    },
    /// A stored value is not one that the program writes.
    #[error(
        "row `{row}` of table `{table}` holds a value in `{column}` that the program does not know: restore it from a backup or correct it by hand"
    )]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's primary key.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// A row proves nothing: no decision of the program can have written it.
    #[error(transparent)]
    Edited(#[from] governance::BadRow),
    /// A version stands as published, and those who decide it did not approve it.
    #[error(transparent)]
    NotApproved(#[from] profiles::NotApproved),
    /// A sealed value cannot be opened.
    #[error(transparent)]
    Sealed(#[from] VaultError),
    /// A use case went on after a statement of its transaction had failed.
    #[error("a statement failed and the transaction went on: nothing was saved")]
    WentOn,
    /// A use case that must hold the row it is about did not.
    #[error("a transaction that must hold the row it is about held none: nothing was saved")]
    HoldsNothing,
    /// A look that should take one statement wanted a second one, which would have seen another state.
    #[error("a look by one statement wanted a second one: it needs a transaction")]
    MoreThanAGlance,
    /// The store is shutting down, or one of its threads has died.
    #[error("the store has stopped: restart the server")]
    Stopped,
    /// A transaction panicked: a defect of ours. Nothing of it was saved.
    #[error(
        "a transaction panicked and was rolled back: a defect, report it with the lines before in the log"
    )]
    Panicked,
    /// A migration failed.
    #[error("the migration failed: {0}")]
    Migration(String),
    /// A backup or a restore failed.
    #[error("{0}")]
    Backup(String),
    /// Anything else the engine says.
    #[error("the database failed: {0}")]
    Query(QueryError),
}

/// What every trigger of ours says first.
const OURS: &str = "ardoise: ";

/// What a trigger of SQLite says first that looks for what is unique before a row is written over.
const TAKEN: &str = "ardoise-taken: ";

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        let QueryError::DatabaseError(kind, info) = error else {
            return match error {
                QueryError::BrokenTransactionManager => {
                    Self::Unavailable("the connection was lost".to_owned())
                }
                other => Self::Query(other),
            };
        };
        let message = info.message();
        let constraint = || info.constraint_name().unwrap_or(message).to_owned();
        if let Some((_, constraint)) = message.split_once(TAKEN) {
            return Self::Duplicate { constraint: constraint.trim_end().to_owned() };
        }
        if let Some((_, rule)) = message.split_once(OURS) {
            return Self::Refused { rule: rule.trim_end().to_owned() };
        }
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::Contended { attempts: 1 },
            DatabaseErrorKind::UniqueViolation => Self::Duplicate { constraint: constraint() },
            DatabaseErrorKind::ForeignKeyViolation => Self::Dangling { constraint: constraint() },
            DatabaseErrorKind::CheckViolation | DatabaseErrorKind::NotNullViolation => {
                Self::Refused { rule: constraint() }
            }
            // A server that became a standby, or is set to take no writes: another connection may lead to one that
            // does.
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction => Self::Unavailable(message.to_owned()),
            _ if is_contention(message) => Self::Contended { attempts: 1 },
            _ if is_held(message) => Self::Held,
            _ if is_lost(message) => Self::Unavailable(message.to_owned()),
            _ => Self::Query(QueryError::DatabaseError(kind, info)),
        }
    }
}

/// diesel names 40001 but neither PostgreSQL's 40P01 nor SQLITE_BUSY: their messages are all it passes on, and
/// PostgreSQL's is in the language of the server.
fn is_contention(message: &str) -> bool {
    ["deadlock", "Bloquage mortel", "interblocage", "database is locked", "database table is locked"]
        .iter()
        .any(|known| message.contains(known))
}

/// The same for 55P03, after a `lock_timeout`.
fn is_held(message: &str) -> bool {
    ["due to lock timeout", "pour l'obtention des verrous"].iter().any(|known| message.contains(known))
}

/// A server that stops, or a proxy that cuts, comes as an ordinary error with such a text.
fn is_lost(message: &str) -> bool {
    [
        "server closed the connection",
        "terminating connection",
        "connection to server",
        "SSL connection has been closed",
    ]
    .iter()
    .any(|known| message.contains(known))
}

impl StoreError {
    /// Whether it is about what stands in a row: the others can be read, and this one again in vain.
    #[must_use]
    pub const fn is_about_a_row(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. }
                | Self::Edited(_)
                | Self::NotApproved(_)
                | Self::Sealed(_)
                | Self::Refused { .. }
                | Self::Duplicate { .. }
                | Self::Dangling { .. }
        )
    }

    /// Whether running the same transaction again may succeed.
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self, Self::Contended { .. })
    }

    /// Whether the same request may succeed a little later, without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Busy | Self::Unanswered | Self::Held | Self::Contended { .. }
        )
    }
}
