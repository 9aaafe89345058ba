//! A small certificate authority for tests and loads. It is nobody's authority in real life.

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509Ref};

use crate::Error;
use crate::identity::{Identity, name, random_serial};

/// What a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Signing other certificates.
    Authority,
    /// Proving who a client is.
    Client,
    /// Proving who a server is, under these DNS names or IP addresses.
    Server(Vec<String>),
}

/// Seconds since 1970 between which a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub until: i64,
}

impl Validity {
    /// From an hour before `now` (clocks differ) for `days`.
    #[must_use]
    pub const fn days(now: i64, days: i64) -> Self {
        Self { from: now - 3600, until: now + days * 86_400 }
    }
}

/// A certificate that signs others.
#[derive(Debug, Clone)]
pub struct Authority(Identity);

impl Authority {
    /// A new root with a new key.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn new(subject: &[(&str, &str)], validity: Validity) -> Result<Self, Error> {
        let key = rsa()?;
        let certificate = issue(None, subject, &key, &key, &Purpose::Authority, validity)?;
        Ok(Self(Identity::new(certificate, key)))
    }

    /// An authority from a certificate and its key.
    #[must_use]
    pub const fn from_identity(identity: Identity) -> Self {
        Self(identity)
    }

    /// Its certificate and key.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.0
    }

    /// Its certificate in PEM, for those who should trust it.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn certificate_pem(&self) -> Result<String, Error> {
        self.0.certificate_pem()
    }

    /// Certifies a public key.
    ///
    /// # Errors
    /// When OpenSSL refuses the name or the key.
    pub fn certify<T: HasPublic>(
        &self,
        subject: &[(&str, &str)],
        key: &PKeyRef<T>,
        purpose: &Purpose,
        validity: Validity,
    ) -> Result<X509, Error> {
        issue(Some(self.0.certificate()), subject, key, self.0.key(), purpose, validity)
    }

    /// Makes a key and certifies it.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn identity_for(
        &self,
        subject: &[(&str, &str)],
        purpose: &Purpose,
        validity: Validity,
    ) -> Result<Identity, Error> {
        let key = rsa()?;
        let certificate = self.certify(subject, &key, purpose, validity)?;
        Ok(Identity::new(certificate, key))
    }
}

fn rsa() -> Result<PKey<Private>, Error> {
    Ok(PKey::from_rsa(openssl::rsa::Rsa::generate(crate::KeyPool::BITS)?)?)
}

fn issue<T: HasPublic>(
    issuer: Option<&X509Ref>,
    subject: &[(&str, &str)],
    key: &PKeyRef<T>,
    signing_key: &PKeyRef<Private>,
    purpose: &Purpose,
    validity: Validity,
) -> Result<X509, Error> {
    let subject = name(subject)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(random_serial()?.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(issuer.map_or(subject.as_ref(), X509Ref::subject_name))?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::from_unix(validity.from)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(validity.until)?.as_ref())?;
    for extension in extensions(&builder, issuer, purpose)? {
        builder.append_extension(extension)?;
    }
    builder.sign(signing_key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn extensions(
    builder: &X509Builder,
    issuer: Option<&X509Ref>,
    purpose: &Purpose,
) -> Result<Vec<X509Extension>, Error> {
    let context = builder.x509v3_context(issuer, None);
    let mut extensions = vec![SubjectKeyIdentifier::new().build(&context)?];
    if issuer.is_some() {
        extensions.push(AuthorityKeyIdentifier::new().keyid(true).build(&context)?);
    }
    match purpose {
        Purpose::Authority => {
            extensions.push(BasicConstraints::new().critical().ca().build()?);
            extensions.push(
                KeyUsage::new()
                    .critical()
                    .key_cert_sign()
                    .crl_sign()
                    .digital_signature()
                    .key_encipherment()
                    .build()?,
            );
        }
        Purpose::Client => {
            extensions.push(KeyUsage::new().critical().digital_signature().key_encipherment().build()?);
            extensions.push(ExtendedKeyUsage::new().client_auth().build()?);
        }
        Purpose::Server(names) => {
            extensions.push(KeyUsage::new().critical().digital_signature().key_encipherment().build()?);
            extensions.push(ExtendedKeyUsage::new().server_auth().build()?);
            let mut alternatives = SubjectAlternativeName::new();
            for name in names {
                if name.parse::<std::net::IpAddr>().is_ok() {
                    alternatives.ip(name);
                } else {
                    alternatives.dns(name);
                }
            }
            extensions.push(alternatives.build(&context)?);
        }
    }
    Ok(extensions)
}
