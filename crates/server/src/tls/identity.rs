//! A door's certificate and key, from files or from memory.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use types::Secret;

/// A certificate with its intermediates, and the private key. The key is never shown.
pub struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why a door's certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFileError {
    /// A file cannot be read.
    #[error("`{}` cannot be read: check its path and that this user may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate's text holds none.
    #[error("there is no certificate in {origin}: expected PEM, `-----BEGIN CERTIFICATE-----`")]
    NoCertificate {
        /// The file, or `memory`.
        origin: String,
        /// Why, if the PEM is broken.
        source: Option<pem::Error>,
    },
    /// The key's text holds none.
    #[error("there is no private key in {origin}: expected PEM without a passphrase")]
    NoKey {
        /// The file, or `memory`.
        origin: String,
        /// Why.
        source: pem::Error,
    },
}

impl ServerIdentity {
    /// Reads the certificate and its intermediates from one PEM file and the key from another; both may be the
    /// same file.
    ///
    /// # Errors
    ///
    /// [`TlsFileError`] naming the file. That the key is the certificate's is checked when TLS is set up.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsFileError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|source| TlsFileError::Unreadable { path: path.to_owned(), source })
        };
        Self::read(
            &read(certificate)?,
            &Secret::new(read(key)?),
            &format!("`{}`", certificate.display()),
            &format!("`{}`", key.display()),
        )
    }

    /// The same from texts, such as a certificate of our own authority.
    ///
    /// # Errors
    ///
    /// [`TlsFileError`].
    pub fn from_pem(certificate: &str, key: &Secret<String>) -> Result<Self, TlsFileError> {
        Self::read(certificate, key, "memory", "memory")
    }

    fn read(
        certificate: &str,
        key: &Secret<String>,
        certificate_origin: &str,
        key_origin: &str,
    ) -> Result<Self, TlsFileError> {
        let no_certificate =
            |source| TlsFileError::NoCertificate { origin: certificate_origin.to_owned(), source };
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| no_certificate(Some(error)))?;
        if chain.is_empty() {
            return Err(no_certificate(None));
        }
        let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
            .map_err(|source| TlsFileError::NoKey { origin: key_origin.to_owned(), source })?;
        Ok(Self { chain, key })
    }

    pub(super) fn into_parts(self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain, self.key)
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}
