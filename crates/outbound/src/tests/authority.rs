//! Certificates for the tests: an authority that vouches for the service and for push certificates.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use types::Secret;

use crate::PushIdentity;

pub(super) const TOPIC: &str = "com.apple.mgmt.External.9b6c1d5e-6f3a-4a57-9f7a-0b8f5a3d2c11";

/// A certificate and its key, as PEM.
pub(super) struct Issued {
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
}

/// A small authority.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate_pem: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate_pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate_pem }
    }

    /// A certificate for a server at `names`.
    pub(super) fn server(&self, names: &[&str]) -> Issued {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        self.issue(CertificateParams::new(names).unwrap(), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A push certificate.
    pub(super) fn push_identity(&self) -> PushIdentity {
        let issued = self.issue(CertificateParams::new([]).unwrap(), ExtendedKeyUsagePurpose::ClientAuth);
        PushIdentity {
            chain_pem: issued.certificate_pem,
            key_pem: Secret::new(issued.key_pem),
            topic: TOPIC.to_owned(),
        }
    }

    fn issue(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Issued {
        let key = KeyPair::generate().unwrap();
        params.distinguished_name.push(DnType::CommonName, "test");
        params.extended_key_usages = vec![usage];
        let certificate_pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Issued { certificate_pem, key_pem: key.serialize_pem() }
    }
}
