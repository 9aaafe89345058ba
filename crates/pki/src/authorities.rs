//! Our authorities together: the one in use, those before a rotation, and those taken over with the tablets
//! of another server.

use openssl::error::ErrorStack;

use crate::identity::{AuthorityKind, TrustedAuthorities, UntrustworthyAuthority};
use crate::{Authority, Fingerprint};

/// The authority in use, with everyone else whose certificates still count.
#[derive(Debug, Clone)]
pub struct Authorities {
    current: Authority,
    previous: Vec<Authority>,
    trusted: TrustedAuthorities,
}

impl Authorities {
    /// Only the authority in use.
    ///
    /// # Errors
    /// [`UntrustworthyAuthority`], when its certificate is not an authority's.
    pub fn new(current: Authority) -> Result<Self, UntrustworthyAuthority> {
        let mut trusted = TrustedAuthorities::none();
        trusted.add(AuthorityKind::Current, current.certificate_der())?;
        Ok(Self { current, previous: Vec::new(), trusted })
    }

    /// Adds one of ours that a rotation replaced: its certificates still count, and requests encrypted to
    /// it are still read.
    ///
    /// # Errors
    /// [`UntrustworthyAuthority`], when its certificate is not an authority's.
    pub fn with_previous(mut self, previous: Authority) -> Result<Self, UntrustworthyAuthority> {
        self.trusted.add(AuthorityKind::Previous, previous.certificate_der())?;
        self.previous.push(previous);
        Ok(self)
    }

    /// Adds the authority of another server whose tablets move here: one certificate, PEM or DER.
    ///
    /// # Errors
    /// [`UntrustworthyAuthority`], for anything but the certificate of an authority.
    pub fn with_taken_over(mut self, certificate: &[u8]) -> Result<Self, UntrustworthyAuthority> {
        self.trusted.add(AuthorityKind::TakenOver, certificate)?;
        Ok(self)
    }

    /// The authority that issues.
    #[must_use]
    pub fn current(&self) -> &Authority {
        &self.current
    }

    /// Every authority whose certificates identify tablets.
    #[must_use]
    pub fn trusted(&self) -> &TrustedAuthorities {
        &self.trusted
    }

    /// The authority of ours with this certificate, if we hold its key.
    #[must_use]
    pub fn find(&self, fingerprint: Fingerprint) -> Option<&Authority> {
        self.ours().find(|authority| authority.fingerprint() == fingerprint)
    }

    /// The authorities of which we hold the key, the current one first.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Authority> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// The current authority's certificate, as PEM.
    ///
    /// # Errors
    /// [`ErrorStack`], when the library cannot write it.
    pub fn current_pem(&self) -> Result<String, ErrorStack> {
        let pem = self.current.certificate.x509.to_pem()?;
        Ok(String::from_utf8_lossy(&pem).into_owned())
    }
}
