//! Authorities that tablets trust.

use der::{Decode as _, Encode as _};
use x509_cert::Certificate as X509;
use x509_cert::ext::pkix::BasicConstraints;

use crate::names::CertificateName;
use crate::reading::{At, Notes, Table};

/// An authority's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// DER.
    pub der: Vec<u8>,
    /// Its subject, for people.
    pub subject: String,
}

/// Reads one `[[certificate]]`.
pub(crate) fn read(
    mut table: Table<'_>,
    notes: &mut Notes<'_>,
) -> Option<(CertificateName, At<Certificate>)> {
    let line = table.line();
    let name = table.parsed::<CertificateName>("name", notes);
    if name.is_none() {
        table.missing("name", "expected a short name of letters, digits and hyphens", notes);
    }
    let certificate = match table.take("pem") {
        None => {
            table.missing("pem", "expected the certificate between its BEGIN and END lines", notes);
            None
        }
        Some(taken) => {
            let (line, path) = (taken.line, taken.path);
            let read = match &taken.value {
                toml::de::DeValue::String(text) => authority(text),
                _ => Err("is not a text"),
            };
            read.map_err(|problem| {
                let right =
                    "expected one authority's certificate, between BEGIN CERTIFICATE and END CERTIFICATE";
                notes.error(line, path, problem, right);
            })
            .ok()
        }
    };
    table.finish(notes);
    Some((name?.value, At { value: certificate?, line }))
}

/// One PEM certificate of an authority.
fn authority(pem: &str) -> Result<Certificate, &'static str> {
    if pem.contains("PRIVATE KEY") {
        return Err("holds a private key, which belongs in no layer");
    }
    let (label, der) =
        der::pem::decode_vec(pem.trim().as_bytes()).map_err(|_not_pem| "is not one PEM document")?;
    if label != "CERTIFICATE" {
        return Err("is not a certificate");
    }
    let certificate = X509::from_der(&der).map_err(|_malformed| "is not a well-formed certificate")?;
    let constraints = certificate.tbs_certificate.get::<BasicConstraints>();
    if !constraints.ok().flatten().is_some_and(|(_, constraints)| constraints.ca) {
        return Err("is not an authority's certificate: it may not issue others");
    }
    // Written again, so that equal certificates have equal bytes.
    let der = certificate.to_der().map_err(|_unwritable| "cannot be written again")?;
    Ok(Certificate { der, subject: certificate.tbs_certificate.subject.to_string() })
}
