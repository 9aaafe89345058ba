//! A certificate as this room holds one: read once, strictly, with the parts that decisions need.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use openssl::x509::{X509, X509Ref};
use types::Instant;

use crate::Fingerprint;
use crate::asn1::{
    BOOLEAN, CONTEXT_0_CONSTRUCTED, CONTEXT_3_CONSTRUCTED, Cursor, INTEGER, OCTET_STRING, SEQUENCE,
    UnexpectedStructure,
};
use crate::oids;

/// Bytes that are not a certificate, or not exactly one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MalformedCertificate {
    /// The structure is wrong, or something follows it.
    #[error("the certificate is malformed: {0}")]
    Structure(#[from] UnexpectedStructure),
    /// The cryptographic library does not read it.
    #[error("the certificate cannot be read: {0}")]
    Library(#[from] ErrorStack),
    /// It is not in DER, so that its fingerprint would not be unique.
    #[error("the certificate is not encoded in DER")]
    NotDer,
}

/// A certificate and the raw parts by which messages name it.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) x509: X509,
    pub(crate) der: Vec<u8>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) not_before: Instant,
    pub(crate) not_after: Instant,
    /// The issuer's name, as an element.
    pub(crate) issuer: Vec<u8>,
    /// The subject's name, as an element.
    pub(crate) subject: Vec<u8>,
    /// The serial number, as an element.
    pub(crate) serial: Vec<u8>,
    extensions: Vec<Extension>,
}

#[derive(Debug, Clone)]
struct Extension {
    oid: const_oid::ObjectIdentifier,
    critical: bool,
    value: Vec<u8>,
}

impl Certificate {
    /// Reads exactly one certificate.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, MalformedCertificate> {
        let outer = Cursor::whole(der, SEQUENCE, "a certificate")?;
        let mut body = outer.inside().expect(SEQUENCE, "the body of a certificate")?.inside();
        body.optional(CONTEXT_0_CONSTRUCTED, "a version")?;
        let serial = body.expect(INTEGER, "a serial number")?;
        body.expect(SEQUENCE, "a signature algorithm")?;
        let issuer = body.expect(SEQUENCE, "the issuer's name")?;
        body.expect(SEQUENCE, "a validity")?;
        let subject = body.expect(SEQUENCE, "the subject's name")?;
        body.expect(SEQUENCE, "a public key")?;
        let mut extensions = Vec::new();
        while !body.is_empty() {
            let element = body.next("an extension")?;
            if element.tag == CONTEXT_3_CONSTRUCTED {
                extensions = read_extensions(element.inside())?;
            }
        }

        let x509 = X509::from_der(der)?;
        // The library also reads BER, and one certificate must have one fingerprint.
        if x509.to_der()? != der {
            return Err(MalformedCertificate::NotDer);
        }
        Ok(Self {
            not_before: instant(x509.not_before())?,
            not_after: instant(x509.not_after())?,
            fingerprint: Fingerprint::of(der),
            der: der.to_vec(),
            issuer: issuer.raw.to_vec(),
            subject: subject.raw.to_vec(),
            serial: serial.raw.to_vec(),
            extensions,
            x509,
        })
    }

    /// Reads a file that holds one certificate, as PEM or as DER.
    pub(crate) fn from_pem_or_der(file: &[u8]) -> Result<Self, MalformedCertificate> {
        if file.first() == Some(&SEQUENCE) {
            return Self::from_der(file);
        }
        let mut certificates = X509::stack_from_pem(file)?;
        match (certificates.pop(), certificates.is_empty()) {
            (Some(only), true) => Self::from_der(&only.to_der()?),
            _ => Err(UnexpectedStructure { expected: "one certificate, as PEM or DER" }.into()),
        }
    }

    pub(crate) fn public_key(&self) -> Result<PKey<Public>, ErrorStack> {
        self.x509.public_key()
    }

    /// Whether it names itself as its issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it may issue certificates (RFC 5280 §4.2.1.9, §4.2.1.3).
    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self.extension(&oids::BASIC_CONSTRAINTS).is_some_and(|value| {
            Cursor::whole(value, SEQUENCE, "basic constraints")
                .and_then(|sequence| sequence.inside().optional(BOOLEAN, "cA"))
                .is_ok_and(|authority| authority.is_some_and(|element| element.content == [0xFF]))
        });
        let may_sign = self
            .x509
            .key_usage()
            .is_none_or(|usage| usage.contains(openssl::x509::X509KeyUsage::KEY_CERT_SIGN));
        constraints && may_sign
    }

    /// Whether it may prove a client in a handshake: no extended key usage at all, or one that says so.
    pub(crate) fn admits_client_authentication(&self) -> bool {
        self.x509.extended_key_usage().is_none_or(|usage| {
            usage.contains(openssl::x509::X509ExtendedKeyUsage::SSL_CLIENT)
                || usage.contains(openssl::x509::X509ExtendedKeyUsage::ANYEKU)
        })
    }

    /// Whether it carries a critical extension whose meaning this room does not know (RFC 5280 §4.2).
    pub(crate) fn has_unknown_critical_extension(&self) -> bool {
        const KNOWN: [const_oid::ObjectIdentifier; 8] = [
            oids::SUBJECT_KEY_IDENTIFIER,
            oids::KEY_USAGE,
            oids::SUBJECT_ALTERNATIVE_NAME,
            oids::BASIC_CONSTRAINTS,
            oids::CRL_DISTRIBUTION_POINTS,
            oids::CERTIFICATE_POLICIES,
            oids::AUTHORITY_KEY_IDENTIFIER,
            oids::EXTENDED_KEY_USAGE,
        ];
        self.extensions.iter().any(|extension| extension.critical && !KNOWN.contains(&extension.oid))
    }

    /// Whether `authority` issued it: the names agree and the authority's key verifies its signature.
    pub(crate) fn is_issued_by(&self, authority: &Self) -> bool {
        names_agree(&self.x509, &authority.x509)
            && authority
                .public_key()
                .and_then(|key| self.x509.verify(&key))
                // A key or signature that the library refuses proves nothing.
                .unwrap_or(false)
    }

    /// The value of an extension, if it is there.
    fn extension(&self, oid: &const_oid::ObjectIdentifier) -> Option<&[u8]> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == *oid)
            .map(|extension| extension.value.as_slice())
    }
}

fn names_agree(leaf: &X509Ref, authority: &X509Ref) -> bool {
    leaf.issuer_name().try_cmp(authority.subject_name()).is_ok_and(|order| order.is_eq())
}

fn read_extensions(mut explicit: Cursor<'_>) -> Result<Vec<Extension>, UnexpectedStructure> {
    let mut list = explicit.expect(SEQUENCE, "extensions")?.inside();
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut extension = list.expect(SEQUENCE, "an extension")?.inside();
        extensions.push(Extension {
            oid: extension.next("an extension's id")?.oid("an extension's id")?,
            critical: extension.optional(BOOLEAN, "critical")?.is_some_and(|flag| flag.content != [0]),
            value: extension.expect(OCTET_STRING, "an extension's value")?.content.to_vec(),
        });
    }
    Ok(extensions)
}

/// The instant that a certificate's time names.
pub(crate) fn instant(time: &Asn1TimeRef) -> Result<Instant, ErrorStack> {
    let since_epoch = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since_epoch.days) * 86_400 + i64::from(since_epoch.secs);
    Ok(Instant::from_millis(seconds * 1000))
}

/// A certificate's time at this instant, to the second.
pub(crate) fn asn1_time(instant: Instant) -> Result<Asn1Time, ErrorStack> {
    Asn1Time::from_unix(instant.as_seconds())
}
