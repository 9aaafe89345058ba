//! Why a command did not do what it was asked, in words for the terminal, and the exit code that says so.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use server::config::{ConfigError, KeyFileError};

use crate::remote::Problem;

/// What a command fails with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed contradicts itself or lacks something that clap cannot see.
    #[error("{0}")]
    Usage(String),

    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),

    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),

    /// The shared folder cannot be used.
    #[error(transparent)]
    SharedFolder(#[from] store::shared_folder::FolderError),

    /// A use case that ran on this machine refused.
    #[error(transparent)]
    Refusal(#[from] fleet::Refusal),

    /// The server did not start, or did not stop in order.
    #[error("the server failed: {0}")]
    Server(String),

    /// A file cannot be read or written.
    #[error("`{}` cannot be {action}", path.display())]
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

    /// Layers of configuration are wrong: one line each.
    #[error("{0}")]
    Layers(String),

    /// A profile cannot be signed to be shown.
    #[error("the profile cannot be signed: {0}; `--unsigned` prints it without")]
    Signing(String),

    /// The server's API refused.
    #[error(transparent)]
    Problem(Box<Problem>),

    /// The server did not answer.
    #[error("{server} does not answer")]
    Unreachable {
        /// Its address.
        server: String,
        /// Why.
        source: reqwest::Error,
    },

    /// The server answered something else than our API does.
    #[error("{server} answered something else than Ardoise's API does: {what}")]
    Foreign {
        /// Its address.
        server: String,
        /// What was wrong.
        what: String,
    },

    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),

    /// What was waited for did not come.
    #[error("{0}")]
    Waited(String),

    /// The audit log is not whole.
    #[error("the audit log is not whole")]
    Broken,

    /// A check of a story failed.
    #[error("{failed} of {checks} checks failed")]
    Checks {
        /// How many failed.
        failed: usize,
        /// How many there were.
        checks: usize,
    },

    /// A story could not go on.
    #[error("the story stopped: {0}")]
    Story(String),

    /// The runtime could not be started.
    #[error("the program's runtime cannot be started")]
    Runtime(#[source] io::Error),

    /// Standard output is closed or full.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
}

impl Failure {
    /// A file that could not be read.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action: "read", path, source }
    }

    /// A file that could not be written.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action: "written", path, source }
    }

    /// 2 for a command that cannot be understood, 1 for one that was refused or failed: as `--help` says.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }

    /// What to do next, where the message does not say it already.
    pub(crate) fn next_step(&self) -> Option<String> {
        match self {
            Self::Problem(problem) => problem.next_step.clone(),
            Self::Unreachable { source, .. } if is_distrust(source) => Some(
                "name the PEM file of the authority that vouches for the server in `--trust`: \
                 `authority.pem` of its home folder, when the server issues its own certificate"
                    .to_owned(),
            ),
            Self::Unreachable { .. } => {
                Some("check the address in `--server`, and that `ardoise serve` runs there".to_owned())
            }
            Self::Broken => Some(
                "keep the database, its backups and your anchors as they are, and tell the DPO and whoever answers for \
                 the server: `docs/operations.md` says what each finding means"
                    .to_owned(),
            ),
            Self::Foreign { .. } => Some("check that `--server` names the people's door".to_owned()),
            _ => None,
        }
    }

    /// For programs, in the shape of the API's problems.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Problem(problem) => problem.document.clone(),
            _ => json!({
                "code": if self.exit_code() == 2 { "usage" } else { "failed" },
                "detail": with_causes(self),
                "next_step": self.next_step(),
            }),
        }
    }
}

/// The message of `error`, with those of its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let message = next.to_string();
        // reqwest and others repeat their cause in their own message.
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = next.source();
    }
    text
}

fn is_distrust(error: &reqwest::Error) -> bool {
    let text = with_causes(error);
    ["certificate", "UnknownIssuer"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misuse_exits_with_2_and_anything_else_with_1() {
        assert_eq!(Failure::Usage("say which".into()).exit_code(), 2);
        assert_eq!(Failure::Checks { failed: 1, checks: 9 }.exit_code(), 1);
        assert_eq!(Failure::Story("x".into()).to_json()["code"], "failed");
    }

    #[test]
    fn causes_are_told_once() {
        let failure = Failure::reading(Path::new("/no/such"))(io::Error::other("it is gone"));
        assert_eq!(with_causes(&failure), "`/no/such` cannot be read: it is gone");
    }
}
