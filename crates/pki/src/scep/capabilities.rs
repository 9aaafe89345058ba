//! GetCACaps and GetCACert: what a client learns before it asks (RFC 8894 §3.5, §4.2).

use super::LegacyPolicy;
use crate::Authority;

/// The content type of the answer to GetCACaps.
pub const CAPABILITIES_CONTENT_TYPE: &str = "text/plain";
/// The content type of the answer to GetCACert. Some clients compare it byte for byte, so it has no parameter.
pub const CA_CERTIFICATE_CONTENT_TYPE: &str = "application/x-x509-ca-cert";
/// The content type of requests and of every answer to them.
pub const MESSAGE_CONTENT_TYPE: &str = "application/x-pki-message";

/// The answer to GetCACaps: one keyword a line.
///
/// SHA-384 is no registered keyword, but strongSwan 5.9.8 looks at its bit where it means AES's (its issue
/// #1607), and it is true.
#[must_use]
pub fn capabilities(legacy: LegacyPolicy) -> &'static str {
    if legacy.is_admitted() {
        "AES\nSHA-1\nSHA-256\nSHA-384\nSHA-512\nDES3\nSCEPStandard\nPOSTPKIOperation\nRenewal\n"
    } else {
        "AES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\nPOSTPKIOperation\nRenewal\n"
    }
}

/// The answer to GetCACert: its content type, and the authority's certificate in DER, alone.
#[must_use]
pub fn get_ca_cert(authority: &Authority) -> (&'static str, Vec<u8>) {
    (CA_CERTIFICATE_CONTENT_TYPE, authority.certificate_der().to_vec())
}
