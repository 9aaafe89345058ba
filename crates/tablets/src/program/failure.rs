//! Why a command did not do what it was asked, in words for the terminal, and the exit code that says so.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// What a command fails with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed contradicts itself or lacks something that clap cannot see.
    #[error("{0}")]
    Usage(String),

    /// A tablet or a stand-in failed.
    #[error(transparent)]
    Tablets(#[from] tablets::Error),

    /// A file cannot be read or written.
    #[error("`{}` cannot be {action}: {source}", path.display())]
    File {
        /// What was tried: `read`, `written`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// A file holds something else than it should.
    #[error("`{}`: {problem}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },

    /// Some of the work was not done; what was said before tells which.
    #[error("{0}")]
    Partly(String),

    /// The runtime could not be started, or signals not be listened to.
    #[error("the program's runtime cannot be started: {0}")]
    Runtime(#[source] io::Error),

    /// Standard output cannot be written.
    #[error("standard output cannot be written: {0}")]
    Output(#[source] io::Error),
}

impl Failure {
    /// 2 when the line must be typed otherwise, else 1.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Tablets(tablets::Error::Usage(_)) => 2,
            _ => 1,
        }
    }

    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { action: "read", path, source }
    }

    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { action: "written", path, source }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "error": self.to_string(), "exit": self.exit_code() })
    }
}
