//! Certificates for our own doors, in a self-signed set-up: tests, the demonstration, a first installation.

use std::net::IpAddr;

use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::{ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use types::{Instant, Secret};

use crate::authority::{Leaf, common_name_only};
use crate::{Authority, Fingerprint, IssueError};

/// A server's certificate and its key.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    /// The certificate, DER. Its issuer is the authority that made it.
    pub certificate_der: Vec<u8>,
    /// The server's certificate, then the authority's, as PEM.
    pub chain_pem: String,
    /// The key, PKCS#8 DER.
    pub key_der: Secret<Vec<u8>>,
    /// The key, PKCS#8 PEM.
    pub key_pem: Secret<String>,
    /// The SHA-256 of the certificate.
    pub fingerprint: Fingerprint,
}

impl Authority {
    /// Issues a certificate, with a new P-256 key, for a server reached under `names`: host names and IP
    /// addresses. It cannot serve as a tablet's identity, and Apple's devices accept at most 825 days.
    ///
    /// # Errors
    /// [`IssueError`], for a name that is neither, or no name at all.
    pub fn issue_server_certificate(
        &self,
        names: &[&str],
        not_before: Instant,
        not_after: Instant,
    ) -> Result<ServerCertificate, IssueError> {
        let mut alternatives = SubjectAlternativeName::new();
        for name in names {
            if name.parse::<IpAddr>().is_ok() {
                alternatives.ip(name);
            } else if is_host_name(name) {
                alternatives.dns(name);
            } else {
                return Err(IssueError::Name((*name).to_owned()));
            }
        }
        let first = names.first().ok_or_else(|| IssueError::Name(String::new()))?;

        let key =
            PKey::from_ec_key(EcKey::generate(EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?.as_ref())?)?;
        let public_key = PKey::public_key_from_der(&key.public_key_to_der()?)?;
        // The common name holds 64 characters; only the alternative names count.
        let subject = common_name_only(&first.chars().take(64).collect::<String>())?;
        let mut leaf = Leaf::begin(self, &subject, &public_key, not_before, not_after)?;
        leaf.builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        leaf.builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
        let alternatives =
            alternatives.build(&leaf.builder.x509v3_context(Some(&self.certificate.x509), None))?;
        leaf.builder.append_extension(alternatives)?;
        let issued = leaf.finish()?;

        Ok(ServerCertificate {
            chain_pem: format!("{}{}", pem(&issued.der)?, pem(self.certificate_der())?),
            key_der: Secret::new(key.private_key_to_pkcs8()?),
            key_pem: Secret::new(String::from_utf8_lossy(&key.private_key_to_pem_pkcs8()?).into_owned()),
            fingerprint: issued.fingerprint,
            certificate_der: issued.der,
        })
    }
}

fn pem(certificate_der: &[u8]) -> Result<String, ErrorStack> {
    let pem = openssl::x509::X509::from_der(certificate_der)?.to_pem()?;
    Ok(String::from_utf8_lossy(&pem).into_owned())
}

/// Letters, digits and hyphens between dots; a first label may be `*`. Nothing that the library would read as
/// syntax of its own.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label)
}
