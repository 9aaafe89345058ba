//! The certificate with which we push through Apple's service, read from the files an operator uploads.

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use types::{Instant, Secret};

use crate::Fingerprint;
use crate::certificate::instant;

/// What the topic of every MDM push certificate starts with.
const TOPIC_PREFIX: &str = "com.apple.mgmt.";

/// A push certificate with its key, checked to belong together and to be for device management.
#[derive(Debug, Clone)]
pub struct PushCertificate {
    topic: String,
    not_before: Instant,
    not_after: Instant,
    fingerprint: Fingerprint,
    chain_pem: String,
    key_pem: Secret<String>,
}

/// Why a push certificate is refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PushCertificateError {
    /// There is no certificate in the text.
    #[error("no certificate found: upload the PEM file from Apple's push certificates portal")]
    NoCertificate,
    /// There is no key in the text.
    #[error("no private key found: upload the key that the certificate was requested with, as PEM")]
    NoKey,
    /// The key is encrypted, and the passphrase does not open it.
    #[error("the private key is encrypted and the passphrase does not open it: give the right passphrase")]
    Passphrase,
    /// No certificate in the text is of the key.
    #[error("the private key does not belong to the certificate: upload the key it was requested with")]
    KeyMismatch,
    /// It is not for device management.
    #[error(
        "the certificate is not for device management: its subject has no user id that starts with \
         com.apple.mgmt. (found {}): upload the one from Apple's push certificates portal",
        .found.as_deref().unwrap_or("none")
    )]
    Topic {
        /// The user id of the subject, if it has one.
        found: Option<String>,
    },
    /// It has expired.
    #[error(
        "the push certificate expired on {not_after}: renew it with the same Apple Account, then upload it"
    )]
    Expired {
        /// The last instant at which it was valid.
        not_after: Instant,
    },
    /// It is not valid yet.
    #[error("the push certificate is valid only from {not_before}: check this machine's clock")]
    NotYetValid {
        /// The first instant at which it is valid.
        not_before: Instant,
    },
    /// The cryptographic library failed.
    #[error("the push certificate cannot be read: {0}")]
    Library(#[from] ErrorStack),
}

impl PushCertificate {
    /// Reads a push certificate, its chain and its key from PEM texts, in any order and any number of texts: one
    /// file with everything, or a certificate and a key. `passphrase` opens an encrypted key.
    ///
    /// # Errors
    /// [`PushCertificateError`], when they do not make a push certificate that is valid at `now`.
    pub fn from_pem(
        texts: &[&str],
        passphrase: Option<&Secret<String>>,
        now: Instant,
    ) -> Result<Self, PushCertificateError> {
        let certificate = Self::from_stored_pem(texts, passphrase)?;
        if now < certificate.not_before {
            return Err(PushCertificateError::NotYetValid { not_before: certificate.not_before });
        }
        if now > certificate.not_after {
            return Err(PushCertificateError::Expired { not_after: certificate.not_after });
        }
        Ok(certificate)
    }

    /// As [`PushCertificate::from_pem`], for one that was valid when it was stored and may have expired since:
    /// it still names the topic, and says when it expired.
    ///
    /// # Errors
    /// [`PushCertificateError`], except for its dates.
    pub fn from_stored_pem(
        texts: &[&str],
        passphrase: Option<&Secret<String>>,
    ) -> Result<Self, PushCertificateError> {
        let mut certificates = Vec::new();
        let mut key = None;
        for block in texts.iter().flat_map(|text| blocks(text)) {
            match block.label {
                "CERTIFICATE" => certificates.push(X509::from_pem(block.pem.as_bytes())?),
                label if label.ends_with("PRIVATE KEY") => key = Some(private_key(block.pem, passphrase)?),
                _ => {}
            }
        }
        if certificates.is_empty() {
            return Err(PushCertificateError::NoCertificate);
        }
        let key = key.ok_or(PushCertificateError::NoKey)?;
        let of_key = |x509: &X509| x509.public_key().is_ok_and(|public_key| public_key.public_eq(&key));
        let position = certificates.iter().position(of_key).ok_or(PushCertificateError::KeyMismatch)?;
        let leaf = certificates.remove(position);

        let found = leaf
            .subject_name()
            .entries_by_nid(Nid::USERID)
            .next()
            .map(|entry| String::from_utf8_lossy(entry.data().as_slice()).into_owned());
        let topic = match found {
            Some(topic) if topic.starts_with(TOPIC_PREFIX) && topic.len() > TOPIC_PREFIX.len() => topic,
            found => return Err(PushCertificateError::Topic { found }),
        };

        let mut chain_pem = String::new();
        for x509 in std::iter::once(&leaf).chain(&certificates) {
            chain_pem.push_str(&String::from_utf8_lossy(&x509.to_pem()?));
        }
        let key_pem = Secret::new(String::from_utf8_lossy(&key.private_key_to_pem_pkcs8()?).into_owned());
        Ok(Self {
            topic,
            not_before: instant(leaf.not_before())?,
            not_after: instant(leaf.not_after())?,
            fingerprint: Fingerprint::of(&leaf.to_der()?),
            chain_pem,
            key_pem,
        })
    }

    /// The topic that it pushes to. Renewing keeps it; a new certificate has another, and tablets that enrolled
    /// with this one are out of its reach.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The last instant at which it is valid.
    #[must_use]
    pub fn not_after(&self) -> Instant {
        self.not_after
    }

    /// The SHA-256 of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The certificate and then its chain, as PEM.
    #[must_use]
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The key, PKCS#8 PEM, not encrypted.
    #[must_use]
    pub fn key_pem(&self) -> &Secret<String> {
        &self.key_pem
    }
}

struct Block<'a> {
    label: &'a str,
    /// From its BEGIN line to its END line.
    pem: &'a str,
}

/// The PEM blocks of a text. What stands between them, such as the attributes of a key bag, is passed over.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_before, from)) = rest.split_once("-----BEGIN ") {
        let Some((label, _)) = from.split_once("-----") else { break };
        let end = format!("-----END {label}-----");
        let Some((body, after)) = from.split_once(end.as_str()) else { break };
        let start = text.len() - from.len() - "-----BEGIN ".len();
        let len = "-----BEGIN ".len() + body.len() + end.len();
        if let Some(pem) = text.get(start..start + len) {
            blocks.push(Block { label, pem });
        }
        rest = after;
    }
    blocks
}

fn private_key(
    pem: &str,
    passphrase: Option<&Secret<String>>,
) -> Result<PKey<Private>, PushCertificateError> {
    let encrypted = pem.contains("ENCRYPTED");
    // Always with a passphrase, if an empty one: without, the library would ask for one on the terminal.
    let passphrase = passphrase.map_or(&[][..], |passphrase| passphrase.expose().as_bytes());
    match PKey::private_key_from_pem_passphrase(pem.as_bytes(), passphrase) {
        Ok(key) => Ok(key),
        Err(_wrong) if encrypted => Err(PushCertificateError::Passphrase),
        Err(error) => Err(error.into()),
    }
}
