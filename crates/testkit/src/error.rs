//! Why a test server does not do what it was asked.

use crate::postgres::PostgresError;

/// Why a test server does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// There is no PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The server did not start.
    #[error("the server did not start: {0}")]
    Start(#[from] server::StartError),
    /// Its configuration is refused.
    #[error("the configuration is refused: {0}")]
    Config(#[from] server::config::ConfigError),
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Store(#[from] store::StoreError),
    /// A use case refuses.
    #[error(transparent)]
    Refused(#[from] fleet::Refusal),
    /// A file cannot be written or read.
    #[error("{what}: {source}")]
    File {
        /// What was being done.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The API could not be reached.
    #[error("the API cannot be reached: {0}")]
    Http(#[from] reqwest::Error),
    /// The API answered something else than hoped for.
    #[error("{method} {path} was answered {status}: {body}")]
    Answer {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// The answer.
        body: String,
    },
    /// A simulated tablet, or a stand-in, refuses.
    #[error(transparent)]
    Tablet(#[from] tablets::Error),
    /// What was waited for did not come.
    #[error("waited {seconds} s in vain until {what}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// The server is stopped.
    #[error("the server is stopped: start it again first")]
    Stopped,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl TestkitError {
    pub(crate) fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }

    /// What went wrong beside the test kit.
    pub fn other(problem: impl std::fmt::Display) -> Self {
        Self::Other(problem.to_string())
    }
}
