//! Who a tablet is: a certificate that one of our authorities issued, *and* the proof that the tablet holds
//! its key.
//!
//! A [`DeviceIdentity`] is made only by the chain check of [`TrustedAuthorities`], and only from evidence
//! that the key was used: a handshake, a signature, or the word of a proxy we configured. Bytes from a
//! message body are none of these. Whose identity it is (which enrolment the certificate was bound to) is
//! in the database, under its fingerprint: a valid chain alone identifies nobody (T-A1).

use std::sync::Arc;

use openssl::error::ErrorStack;
use types::{Duration, Instant};

use crate::certificate::{Certificate, MalformedCertificate};
use crate::cms_verify::Signer;
use crate::vetted::{Memo, Vetted};
use crate::{Fingerprint, ForwardedCertificate};

/// A tablet's certificate, checked against the authorities we trust, with proof that its key was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceIdentity {
    fingerprint: Fingerprint,
    authority: Fingerprint,
    authority_kind: AuthorityKind,
    not_after: Instant,
    validity: Validity,
    proof: Proof,
}

impl DeviceIdentity {
    /// The SHA-256 of the certificate, under which the enrolment it is bound to is found.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The fingerprint of the authority that issued it.
    #[must_use]
    pub fn authority(&self) -> Fingerprint {
        self.authority
    }

    /// Whose authority that is.
    #[must_use]
    pub fn authority_kind(&self) -> AuthorityKind {
        self.authority_kind
    }

    /// The last instant at which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Instant {
        self.not_after
    }

    /// Whether it was still valid when checked.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// How the tablet showed that it holds the key.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

/// Whose authority issued a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorityKind {
    /// Ours, in use.
    Current,
    /// Ours, before a rotation.
    Previous,
    /// Of another server, whose tablets move here.
    TakenOver,
}

/// Whether a certificate was valid at the time of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Validity {
    /// It is.
    Current,
    /// It has expired, and the policy admitted it.
    Expired,
}

/// How a tablet showed that it holds its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// In the TLS handshake with us.
    Handshake,
    /// By signing the message it sent.
    Signature,
    /// In the TLS handshake with a proxy we configured, which says so.
    Proxy,
}

/// What to do with a certificate that has expired. A tablet that slept in a cupboard for a year must still
/// be able to renew; refusing it leaves only an erase by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryPolicy {
    /// Refuse it.
    Refuse,
    /// Admit it for this long after its end, marked as [`Validity::Expired`].
    AdmitFor(Duration),
    /// Admit it whenever it expired, marked as [`Validity::Expired`].
    Admit,
}

/// Why a certificate is nobody's identity here.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdentityError {
    /// It is not a certificate.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// It was issued by nobody but itself.
    #[error("the certificate is self-signed: only certificates that our authority issued identify a tablet")]
    SelfSigned,
    /// None of our authorities issued it.
    #[error("the certificate was not issued by an authority of ours, nor by one taken over")]
    Foreign,
    /// It belongs to an authority or a server, not to a tablet.
    #[error("the certificate is not a client's: it belongs to an authority or a server")]
    NotAClient,
    /// It carries a critical extension that we do not understand.
    #[error("the certificate carries a critical extension that is not understood")]
    UnknownCriticalExtension,
    /// It is not valid yet.
    #[error("the certificate is valid only from {not_before}: check the clocks")]
    NotYetValid {
        /// The first instant at which it is valid.
        not_before: Instant,
    },
    /// It has expired, and the policy does not admit it.
    #[error("the certificate expired on {not_after}")]
    Expired {
        /// The last instant at which it was valid.
        not_after: Instant,
    },
}

/// Evidence: the certificate that a peer presented in a TLS handshake, in which it proved its key.
#[derive(Debug, Clone)]
pub struct HandshakeCertificate {
    der: Vec<u8>,
}

impl HandshakeCertificate {
    /// The end-entity certificate of a connection whose handshake *completed*, signature over it checked.
    ///
    /// Never call this with bytes from a request.
    #[must_use]
    pub fn from_completed_handshake(end_entity_der: Vec<u8>) -> Self {
        Self { der: end_entity_der }
    }
}

/// Evidence: a body, signed with the key of a certificate. Made by
/// [`mdm_signature::check`](crate::mdm_signature::check).
#[derive(Debug, Clone)]
pub struct SignedBody {
    pub(crate) signer: Signer,
}

impl SignedBody {
    /// The fingerprint of the signer's certificate, of whatever authority.
    #[must_use]
    pub fn signer_fingerprint(&self) -> Fingerprint {
        self.signer.certificate.fingerprint
    }
}

/// The authorities whose certificates identify tablets.
#[derive(Debug, Clone, Default)]
pub struct TrustedAuthorities {
    authorities: Vec<(AuthorityKind, Certificate)>,
    /// What these very authorities vouched for.
    vetted: Arc<Memo>,
}

/// Why a certificate cannot be trusted as an authority.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UntrustworthyAuthority {
    /// It is not a certificate.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// It may not issue certificates.
    #[error("the certificate is not an authority's (no CA:TRUE, or a key usage without certificate signing)")]
    NotAnAuthority,
    /// The cryptographic library failed.
    #[error("the certificate cannot be checked: {0}")]
    Library(#[from] ErrorStack),
}

impl TrustedAuthorities {
    /// Trusts nobody yet.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts one more authority. `certificate` is one certificate, as PEM or DER. Adding one twice keeps
    /// its first kind.
    ///
    /// # Errors
    /// [`UntrustworthyAuthority`], for anything but the certificate of an authority.
    pub fn add(
        &mut self,
        kind: AuthorityKind,
        certificate: &[u8],
    ) -> Result<Fingerprint, UntrustworthyAuthority> {
        let certificate = Certificate::from_pem_or_der(certificate)?;
        if !certificate.is_authority() {
            return Err(UntrustworthyAuthority::NotAnAuthority);
        }
        let fingerprint = certificate.fingerprint;
        if !self.authorities.iter().any(|(_kind, known)| known.fingerprint == fingerprint) {
            self.authorities.push((kind, certificate));
            self.vetted = Arc::default();
        }
        Ok(fingerprint)
    }

    /// The authorities, each with its kind.
    pub fn iter(&self) -> impl Iterator<Item = (AuthorityKind, Fingerprint)> {
        self.authorities.iter().map(|(kind, certificate)| (*kind, certificate.fingerprint))
    }

    /// Identifies the tablet at the other end of a TLS connection.
    ///
    /// # Errors
    /// [`IdentityError`], for a certificate that proves nobody of ours.
    pub fn identify_tls(
        &self,
        peer: &HandshakeCertificate,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        self.identify_der(&peer.der, Proof::Handshake, now, expiry)
    }

    /// Identifies the tablet that signed a body.
    ///
    /// # Errors
    /// [`IdentityError`], for a signer who is nobody of ours.
    pub fn identify_signed(
        &self,
        body: &SignedBody,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        self.identify(&body.signer.certificate, Proof::Signature, now, expiry)
    }

    /// Identifies the tablet that a trusted proxy speaks of.
    ///
    /// # Errors
    /// [`IdentityError`], for a certificate that proves nobody of ours.
    pub fn identify_forwarded(
        &self,
        forwarded: &ForwardedCertificate,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        self.identify_der(forwarded.der(), Proof::Proxy, now, expiry)
    }

    /// As [`identify`](Self::identify), of a certificate that need not even be read if it passed before.
    fn identify_der(
        &self,
        der: &[u8],
        proof: Proof,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        let fingerprint = Fingerprint::of(der);
        match self.vetted.get(fingerprint) {
            Some(vetted) => self.identity(fingerprint, vetted, proof, now, expiry),
            None => self.identify(&Certificate::from_der(der)?, proof, now, expiry),
        }
    }

    /// The chain check: issued directly by one of the authorities, for a client, and valid.
    pub(crate) fn identify(
        &self,
        leaf: &Certificate,
        proof: Proof,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        let vetted = match self.vetted.get(leaf.fingerprint) {
            Some(vetted) => vetted,
            None => {
                let vetted = self.vet(leaf)?;
                self.vetted.put(leaf.fingerprint, vetted);
                vetted
            }
        };
        self.identity(leaf.fingerprint, vetted, proof, now, expiry)
    }

    /// What does not depend on the time.
    fn vet(&self, leaf: &Certificate) -> Result<Vetted, IdentityError> {
        let issuer = self.authorities.iter().position(|(_kind, authority)| leaf.is_issued_by(authority));
        let Some(authority) = issuer.and_then(|place| u16::try_from(place).ok()) else {
            return Err(if leaf.is_self_issued() {
                IdentityError::SelfSigned
            } else {
                IdentityError::Foreign
            });
        };
        if leaf.is_authority() || leaf.is_self_issued() || !leaf.admits_client_authentication() {
            return Err(IdentityError::NotAClient);
        }
        if leaf.has_unknown_critical_extension() {
            return Err(IdentityError::UnknownCriticalExtension);
        }
        Ok(Vetted { authority, not_before: leaf.not_before, not_after: leaf.not_after })
    }

    /// What was found, at this moment. What is remembered is forgotten when an authority is added, so that its number is
    /// that of the one that vouched for it.
    fn identity(
        &self,
        fingerprint: Fingerprint,
        vetted: Vetted,
        proof: Proof,
        now: Instant,
        expiry: ExpiryPolicy,
    ) -> Result<DeviceIdentity, IdentityError> {
        let (authority_kind, authority) =
            self.authorities.get(usize::from(vetted.authority)).ok_or(IdentityError::Foreign)?;
        Ok(DeviceIdentity {
            fingerprint,
            authority: authority.fingerprint,
            authority_kind: *authority_kind,
            not_after: vetted.not_after,
            validity: validity(vetted, now, expiry)?,
            proof,
        })
    }
}

/// Certificates count whole seconds: one that ends at 12:00:00 is valid until 12:00:00.999.
fn validity(vetted: Vetted, now: Instant, expiry: ExpiryPolicy) -> Result<Validity, IdentityError> {
    let Vetted { not_before, not_after, .. } = vetted;
    if now < not_before {
        return Err(IdentityError::NotYetValid { not_before });
    }
    let end = not_after.plus(Duration::from_millis(999));
    if now <= end {
        return Ok(Validity::Current);
    }
    let admitted = match expiry {
        ExpiryPolicy::Refuse => false,
        ExpiryPolicy::AdmitFor(grace) => now <= end.plus(grace),
        ExpiryPolicy::Admit => true,
    };
    if admitted { Ok(Validity::Expired) } else { Err(IdentityError::Expired { not_after }) }
}
