//! What can go wrong for a simulated tablet, in words for whoever watches it.

use std::path::PathBuf;
use std::time::Duration;

/// What went wrong, and what to look at next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection could not be opened.
    #[error("cannot reach {origin}: {source}; is the server running?")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake with {origin} failed: {problem}; is the server's authority trusted?")]
    Tls {
        /// Scheme, host and port.
        origin: String,
        /// What OpenSSL said.
        problem: String,
    },
    /// The connection broke during a request.
    #[error("the connection to {origin} broke: {source}; the server's log may say why")]
    Http {
        /// Scheme, host and port.
        origin: String,
        /// What hyper said.
        source: hyper::Error,
    },
    /// No answer came in time.
    #[error("{origin} did not answer within {after:?}; is it overloaded?")]
    TimedOut {
        /// Scheme, host and port.
        origin: String,
        /// How long the tablet waited.
        after: Duration,
    },
    /// A fault that was asked for: the tablet hung up.
    #[error("the tablet hung up, as its faults told it to")]
    HungUp,
    /// The server answered an enrolment step with something else than 200.
    #[error("{step} was refused with {status}: {body}")]
    Refused {
        /// The step of the enrolment.
        step: &'static str,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// The server wants a newer system before it enrols this tablet
    /// (`403 com.apple.softwareupdate.required`).
    #[error("the server wants iPadOS {os_version} before it enrols this tablet; update it and enrol again")]
    SoftwareUpdateRequired {
        /// The version it wants.
        os_version: String,
        /// The build it wants, where it names one.
        build_version: Option<String>,
    },
    /// The certificate authority refused (SCEP `pkiStatus` 2).
    #[error("SCEP refused the request (failInfo {fail_info}); is the challenge fresh and unused?")]
    ScepRefused {
        /// RFC 8894 §3.2.1.4.5: 0 badAlg, 1 badMessageCheck, 2 badRequest, 3 badTime, 4 badCertId.
        fail_info: String,
    },
    /// The certificate authority wants a person to decide (SCEP `pkiStatus` 3).
    #[error("SCEP left the request pending; these tablets do not wait for a person's approval")]
    ScepPending,
    /// Something received cannot be read.
    #[error("{what} cannot be used: {problem}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The tablet is not enrolled.
    #[error("tablet {serial} is not enrolled; enrol it first")]
    NotEnrolled {
        /// Its serial number.
        serial: String,
    },
    /// The tablet lacks what the step needs.
    #[error("tablet {serial} has no {what}; give it one when building it")]
    Lacks {
        /// Its serial number.
        serial: String,
        /// What it lacks.
        what: &'static str,
    },
    /// An option cannot be followed.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// OpenSSL refused.
    #[error("OpenSSL refused: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
}

impl Error {
    pub(crate) fn malformed(what: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Malformed { what, problem: problem.to_string() }
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_path_buf(), source }
    }

    /// One word for counting errors of one kind: `connect`, `tls`, `http`, `timeout`, `refused` …
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Http { .. } => "http",
            Self::TimedOut { .. } => "timeout",
            Self::HungUp => "hung-up",
            Self::Refused { .. } => "refused",
            Self::SoftwareUpdateRequired { .. } => "software-update-required",
            Self::ScepRefused { .. } | Self::ScepPending => "scep",
            Self::Malformed { .. } => "malformed",
            Self::NotEnrolled { .. } => "not-enrolled",
            Self::Lacks { .. } | Self::Usage(_) => "usage",
            Self::File { .. } => "file",
            Self::OpenSsl(_) => "openssl",
        }
    }
}

/// Forgets what OpenSSL noted on this thread. A verification that merely says no leaves its reasons there, and the
/// next TLS connection of the thread would take them for its own failure.
pub(crate) fn forget_openssl_errors() {
    let _noted = openssl::error::ErrorStack::get();
}
