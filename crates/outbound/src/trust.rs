//! The authorities that vouch for a service: the machine's public ones, or those of a file and no others.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why there are none.
#[derive(Debug)]
pub(crate) enum TrustProblem {
    /// The text is no PEM, or holds no certificate.
    Pem(Option<rustls::pki_types::pem::Error>),
    /// One of them is not usable.
    Authority(rustls::Error),
    /// The machine has no list of them.
    None,
}

/// Those in `trust`, or the machine's.
pub(crate) fn authorities(trust: Option<&str>) -> Result<rustls::RootCertStore, TrustProblem> {
    let mut roots = rustls::RootCertStore::empty();
    match trust {
        Some(pem) => {
            for authority in certificates(pem).map_err(TrustProblem::Pem)? {
                roots.add(authority).map_err(TrustProblem::Authority)?;
            }
        }
        // A machine's list may hold a certificate that rustls does not understand: the others still count.
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() { Err(TrustProblem::None) } else { Ok(roots) }
}

/// The certificates of a PEM text, at least one.
pub(crate) fn certificates(
    pem: &str,
) -> Result<Vec<CertificateDer<'static>>, Option<rustls::pki_types::pem::Error>> {
    let found =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(Some)?;
    if found.is_empty() { Err(None) } else { Ok(found) }
}
