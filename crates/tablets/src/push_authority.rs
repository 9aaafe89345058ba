//! A stand-in for the authority of Apple's push service: its server's certificate, and push certificates.

use openssl::asn1::Asn1Time;
use openssl::nid::Nid;
use openssl::x509::{X509, X509Ref};

use crate::authority::{Authority, Purpose, Validity};
use crate::error::forget_openssl_errors;
use crate::{Error, Identity};

/// Issues push certificates, and the certificate of the stand-in's own server.
#[derive(Debug, Clone)]
pub struct PushAuthority {
    authority: Authority,
    now: i64,
}

/// A push certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushCertificate {
    /// The topic: the certificate's subject UID.
    pub topic: String,
    /// The certificate.
    pub certificate_pem: String,
    /// The key (PKCS #8), in the clear.
    pub key_pem: String,
}

impl PushAuthority {
    /// Makes an authority; `now` in seconds since 1970 is when its certificates begin.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn new(now: i64) -> Result<Self, Error> {
        let authority = Authority::new(
            &[("O", "Simulated Apple"), ("CN", "Simulated Push CA")],
            Validity::days(now, 3650),
        )?;
        Ok(Self { authority, now })
    }

    /// An authority that was kept as PEM, certificate and key; `now` as for a new one.
    ///
    /// # Errors
    /// When either is missing or cannot be read.
    pub fn from_pem(pem: &str, now: i64) -> Result<Self, Error> {
        Ok(Self { authority: Authority::from_identity(Identity::from_pem(pem)?), now })
    }

    /// Its certificate and its key as one PEM text, to be kept. It holds the key in the clear.
    ///
    /// # Errors
    /// When OpenSSL cannot write them.
    pub fn to_pem(&self) -> Result<String, Error> {
        self.authority.identity().to_pem()
    }

    /// A push certificate for a topic, valid for a year.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn certificate(&self, topic: &str) -> Result<PushCertificate, Error> {
        self.certificate_valid(topic, Validity::days(self.now, 365))
    }

    /// A push certificate for a topic, valid when told.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn certificate_valid(&self, topic: &str, validity: Validity) -> Result<PushCertificate, Error> {
        let common_name = format!("APSP:{}", topic.trim_start_matches("com.apple.mgmt.External."));
        let subject = [("UID", topic), ("CN", common_name.as_str()), ("C", "US")];
        let identity = self.authority.identity_for(&subject, &Purpose::Client, validity)?;
        Ok(PushCertificate {
            topic: topic.to_owned(),
            certificate_pem: identity.certificate_pem()?,
            key_pem: identity.key_pem()?,
        })
    }

    /// The authority's certificate in PEM: who pushes must trust it.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn root_pem(&self) -> Result<String, Error> {
        self.authority.certificate_pem()
    }

    /// The topic that a certificate (PEM) may push on at `now`; none when it is not one of this authority's, or not
    /// valid then.
    #[must_use]
    pub fn topic_of_pem(&self, certificate: &str, now: i64) -> Option<String> {
        let certificate = X509::from_pem(certificate.as_bytes()).ok()?;
        self.topic_of(&certificate, now)
    }

    /// The same, for a certificate that was shown in TLS. The topic is its subject UID.
    pub(crate) fn topic_of(&self, certificate: &X509Ref, now: i64) -> Option<String> {
        let authority = self.authority.identity().certificate();
        let signed = authority.public_key().and_then(|key| certificate.verify(&key)).unwrap_or(false);
        forget_openssl_errors();
        let now = Asn1Time::from_unix(now).ok()?;
        let valid = certificate.not_before() < now.as_ref() && certificate.not_after() > now.as_ref();
        if !signed || !valid {
            return None;
        }
        let uid = certificate.subject_name().entries_by_nid(Nid::USERID).next()?;
        Some(String::from_utf8_lossy(uid.data().as_slice()).into_owned())
    }

    pub(crate) fn server(&self) -> Result<Identity, Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        self.authority.identity_for(
            &[("CN", "localhost")],
            &Purpose::Server(names),
            Validity::days(self.now, 365),
        )
    }
}
