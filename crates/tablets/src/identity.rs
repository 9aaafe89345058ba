//! A certificate and its key.

use std::fmt;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::x509::{X509, X509Name, X509NameRef, X509Ref};

use crate::{Error, KeyPool};

/// A certificate and the key it certifies.
#[derive(Clone)]
pub struct Identity {
    certificate: X509,
    key: PKey<Private>,
}

impl Identity {
    /// Joins a certificate with its key.
    #[must_use]
    pub const fn new(certificate: X509, key: PKey<Private>) -> Self {
        Self { certificate, key }
    }

    /// Reads a certificate and its key from one PEM text.
    ///
    /// # Errors
    /// When either is missing or cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        Self::from_pem_with(pem, &KeyPool::empty())
    }

    /// The same; a key that the pool has is taken from there.
    pub(crate) fn from_pem_with(pem: &str, keys: &KeyPool) -> Result<Self, Error> {
        let certificate = X509::from_pem(pem.as_bytes())?;
        let key = match keys.of(&certificate)? {
            Some(key) => key,
            None => PKey::private_key_from_pem(pem.as_bytes())?,
        };
        Ok(Self { certificate, key })
    }

    /// Both as one PEM text. It holds the key in the clear: these tablets are not real.
    ///
    /// # Errors
    /// When OpenSSL cannot write them.
    pub fn to_pem(&self) -> Result<String, Error> {
        let mut pem = self.certificate.to_pem()?;
        pem.extend(self.key.private_key_to_pem_pkcs8()?);
        Ok(String::from_utf8_lossy(&pem).into_owned())
    }

    /// A certificate signed by its own key, as SCEP wants for a first request (RFC 8894 §2.2).
    ///
    /// # Errors
    /// When OpenSSL refuses the name or the key.
    pub fn self_signed(subject: &X509NameRef, key: PKey<Private>, now: i64) -> Result<Self, Error> {
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(random_serial()?.to_asn1_integer()?.as_ref())?;
        builder.set_subject_name(subject)?;
        builder.set_issuer_name(subject)?;
        builder.set_pubkey(&key)?;
        builder.set_not_before(Asn1Time::from_unix(now - 3600)?.as_ref())?;
        builder.set_not_after(Asn1Time::from_unix(now + 7 * 86_400)?.as_ref())?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificate: builder.build(), key })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &X509Ref {
        &self.certificate
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PKeyRef<Private> {
        &self.key
    }

    /// The certificate in DER.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn certificate_der(&self) -> Result<Vec<u8>, Error> {
        Ok(self.certificate.to_der()?)
    }

    /// The certificate in PEM.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn certificate_pem(&self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.certificate.to_pem()?).into_owned())
    }

    /// The key in PEM (PKCS #8), in the clear.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn key_pem(&self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.key.private_key_to_pem_pkcs8()?).into_owned())
    }

    /// The SHA-256 of the certificate's DER, in lower-case hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.certificate.digest(MessageDigest::sha256()).map(hex::encode).unwrap_or_default()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint()).finish()
    }
}

/// A serial number of 128 random bits.
pub(crate) fn random_serial() -> Result<BigNum, Error> {
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::ONE, false)?;
    Ok(serial)
}

/// A name from attributes in order, by their short names (`CN`, `O`, `UID`) or dotted identifiers.
pub(crate) fn name(attributes: &[(&str, &str)]) -> Result<X509Name, Error> {
    let mut name = X509Name::builder()?;
    for (attribute, value) in attributes {
        name.append_entry_by_text(attribute, value)?;
    }
    Ok(name.build())
}
