//! Why a server does not start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::KeyFileError;
use crate::tls::TlsFileError;

/// One of the two doors, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoorName {
    /// The tablets' door.
    Tablets,
    /// The people's door.
    People,
}

impl DoorName {
    /// The section of the configuration that is about it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Tablets => "tablets",
            Self::People => "people",
        }
    }
}

impl fmt::Display for DoorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}' door", self.section())
    }
}

/// Why a server does not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key file cannot be used (T-C6).
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A door cannot listen.
    #[error("{door} cannot listen on {address}: {source}; is another server running, or does `{}.listen` name an address of another machine?", door.section())]
    Listen {
        /// Which.
        door: DoorName,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] store::StoreError),
    /// The shared folder cannot be used.
    #[error("{0}; see `shared.folder`")]
    SharedFolder(#[from] store::shared_folder::FolderError),
    /// The use cases cannot be opened: there is no authority yet.
    #[error(transparent)]
    Fleet(#[from] fleet::Refusal),
    /// A door's certificate or key cannot be read.
    #[error("{door} has no certificate: {source}")]
    Certificate {
        /// Which.
        door: DoorName,
        /// Why.
        source: TlsFileError,
    },
    /// A door's certificate and key cannot be used.
    #[error("{door} cannot speak TLS: {source}; check `{}.tls.certificate` and `{}.tls.key`", door.section(), door.section())]
    Tls {
        /// Which.
        door: DoorName,
        /// Why.
        source: rustls::Error,
    },
    /// Our own authority cannot issue a door's certificate.
    #[error("our authority cannot issue the certificate of {door}: {problem}; name files in `{}.tls.certificate` and `{}.tls.key`", door.section(), door.section())]
    OwnCertificate {
        /// Which.
        door: DoorName,
        /// Why.
        problem: String,
    },
    /// Old SCEP clients are to be served, and cannot.
    #[error(transparent)]
    Legacy(#[from] pki::scep::LegacyUnavailable),
    /// The least version of the system makes no sense.
    #[error("enrolment.minimum_os: {0}")]
    MinimumOs(#[from] apple::InvalidOsVersion),
    /// The authorities of the stand-in push service cannot be read.
    #[error("apns.trust: `{}` cannot be read: {source}", path.display())]
    PushTrust {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that the mail server needs cannot be used.
    #[error(transparent)]
    MailFile(#[from] crate::config::MailFileError),
    /// The client of the mail server cannot be made.
    #[error(transparent)]
    Mail(#[from] outbound::mail::MailSetupError),
    /// A trusted proxy is none.
    #[error("tablets.trusted_proxies: {0}")]
    Proxy(#[from] pki::InvalidProxyNetwork),
    /// A taken-over path cannot be served.
    #[error(transparent)]
    Door(#[from] checkin::DoorError),
}
