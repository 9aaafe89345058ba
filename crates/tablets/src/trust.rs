//! Whom a tablet trusts to be its server.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use openssl::sha::Sha256;
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;

use crate::Error;

/// The authorities a tablet trusts. Cloning shares the prepared context, so that a fleet holds one.
#[derive(Clone)]
pub struct Trust {
    anchors: Vec<X509>,
    system: bool,
    connector: SslConnector,
    /// What [`Trust::and`] gave before, by the further anchors' digest: a fleet whose profiles bring one authority
    /// shares one context.
    extended: Arc<Mutex<HashMap<[u8; 32], Trust>>>,
}

impl Trust {
    /// The authorities that the machine trusts.
    ///
    /// # Errors
    /// When OpenSSL cannot read them.
    pub fn system() -> Result<Self, Error> {
        Self::new(Vec::new(), true)
    }

    /// Only the authorities (or server certificates) of a PEM text.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn only(pem: &str) -> Result<Self, Error> {
        let anchors = X509::stack_from_pem(pem.as_bytes())?;
        if anchors.is_empty() {
            return Err(Error::malformed("the trusted certificates", "the PEM text holds none"));
        }
        Self::new(anchors, false)
    }

    /// These and further ones, as a profile with root certificates adds them.
    pub(crate) fn and(&self, further: &[X509]) -> Result<Self, Error> {
        let mut anchors = self.anchors.clone();
        let mut digest = Sha256::new();
        for certificate in further {
            if !anchors.iter().any(|known| same(known, certificate)) {
                digest.update(&certificate.to_der()?);
                anchors.push(certificate.clone());
            }
        }
        if anchors.len() == self.anchors.len() {
            return Ok(self.clone());
        }
        let digest = digest.finish();
        let mut extended = self.extended.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = extended.get(&digest) {
            return Ok(made.clone());
        }
        let made = Self::new(anchors, self.system)?;
        extended.insert(digest, made.clone());
        Ok(made)
    }

    /// The authorities named one by one; the machine's are not among them.
    pub(crate) fn anchors(&self) -> &[X509] {
        &self.anchors
    }

    pub(crate) const fn connector(&self) -> &SslConnector {
        &self.connector
    }

    fn new(anchors: Vec<X509>, system: bool) -> Result<Self, Error> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        builder.set_alpn_protos(b"\x08http/1.1")?;
        let mut store = X509StoreBuilder::new()?;
        if system {
            store.set_default_paths()?;
        }
        for anchor in &anchors {
            store.add_cert(anchor.clone())?;
        }
        // A server certificate may itself be the anchor: benches pin self-signed ones.
        store.set_flags(openssl::x509::verify::X509VerifyFlags::PARTIAL_CHAIN)?;
        builder.set_cert_store(store.build());
        Ok(Self { anchors, system, connector: builder.build(), extended: Arc::default() })
    }
}

fn same(one: &X509, other: &X509) -> bool {
    matches!((one.to_der(), other.to_der()), (Ok(one), Ok(other)) if one == other)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = if self.system { " and the machine's" } else { "" };
        write!(f, "Trust({} anchors{system})", self.anchors.len())
    }
}
