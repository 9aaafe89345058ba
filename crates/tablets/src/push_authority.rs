//! A stand-in for the authority of Apple's push service: its server's certificate, and push certificates.

use crate::authority::{Authority, Purpose, Validity};
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

    pub(crate) fn server(&self) -> Result<Identity, Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        self.authority.identity_for(
            &[("CN", "localhost")],
            &Purpose::Server(names),
            Validity::days(self.now, 365),
        )
    }

    pub(crate) const fn authority(&self) -> &Authority {
        &self.authority
    }
}
