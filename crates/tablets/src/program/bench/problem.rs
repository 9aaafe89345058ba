//! Why an operation was not right, in words that name the step.

use tablets::{Error, Reply};

use crate::program::output::printable;

/// Why an operation was not right.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// No answer, or none that can be read.
    #[error("{step}: {error}")]
    Failed {
        /// What was tried.
        step: &'static str,
        /// What went wrong.
        error: Error,
    },
    /// The server refused.
    #[error("{step} was answered {status}{}", shown(body))]
    Status {
        /// What was tried.
        step: &'static str,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// A command came where there should be none.
    #[error("{step}: a command came ({request_type}) where none was queued; is somebody else queueing?")]
    UnexpectedCommand {
        /// What was tried.
        step: &'static str,
        /// Its `RequestType`.
        request_type: String,
    },
    /// No command came, or another one.
    #[error("fetch: command {expected} was queued, and {came} came")]
    WrongCommand {
        /// Its `CommandUUID`.
        expected: String,
        /// What came.
        came: String,
    },
    /// The tablet could not carry out the command.
    #[error("the tablet answered {request_type} with {status}: {error}; queue one that it knows")]
    NotAcknowledged {
        /// The kind of the command.
        request_type: String,
        /// The status of its report.
        status: &'static str,
        /// Why.
        error: String,
    },
    /// The server's answer to the order does not name the command.
    #[error("enqueue: the answer does not name the command at `{pointer}`: {body}")]
    NoCommandUuid {
        /// Where it should.
        pointer: String,
        /// The beginning of the answer.
        body: String,
    },
}

impl Problem {
    pub(super) fn status(step: &'static str, reply: &Reply) -> Self {
        Self::Status { step, status: reply.status, body: reply.excerpt() }
    }

    pub(super) fn failed(step: &'static str) -> impl FnOnce(Error) -> Self {
        move |error| Self::Failed { step, error }
    }
}

fn shown(body: &str) -> String {
    let line: String = printable(body).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { String::new() } else { format!(": {}", line.chars().take(160).collect::<String>()) }
}
