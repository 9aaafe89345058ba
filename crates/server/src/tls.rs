//! TLS of the two doors.
//!
//! The tablets' door asks for a client certificate and takes any, or none: an anonymous tablet fetches its
//! enrolment, a tablet with a foreign certificate is told so in words, and only the rooms above decide whether a
//! certificate means anything. What the handshake does prove is possession: whoever shows a certificate
//! has its key, because the signature is checked by the cryptography provider like any other.
//!
//! Architecture invariant: a certificate that [`peer_certificate`] returns was shown with its key. It says
//! nothing about who issued it.

mod any_certificate;
mod identity;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use any_certificate::AnyCertificate;
pub use identity::{ServerIdentity, TlsFileError};

/// TLS for the tablets' door: any client certificate, or none.
///
/// The application protocols (HTTP/2 and 1.1) are added by actix when it binds.
///
/// # Errors
///
/// [`rustls::Error`] if the key is not the certificate's.
pub fn tablets_tls(identity: ServerIdentity) -> Result<rustls::ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate::new(&provider));
    server_config(provider, verifier, identity)
}

/// TLS for the people's door: no client certificate is asked for.
///
/// # Errors
///
/// [`rustls::Error`] if the key is not the certificate's.
pub fn people_tls(identity: ServerIdentity) -> Result<rustls::ServerConfig, rustls::Error> {
    server_config(Arc::new(ring::default_provider()), Arc::new(NoClientAuth), identity)
}

fn server_config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    identity: ServerIdentity,
) -> Result<rustls::ServerConfig, rustls::Error> {
    let (chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) = identity.into_parts();
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    // At 8:00 every tablet wakes: a resumed handshake costs no signature. The ticket carries the client's
    // certificate, sealed with a key that never leaves this process, so that a resumed session shows it again;
    // what it means is decided anew at every request.
    tls.ticketer = ring::Ticketer::new()?;
    Ok(tls)
}

/// The certificate that the client of this connection showed, with its key, as DER; `None` if it showed none.
///
/// For `HttpServer::on_connect`, whose `connection` it takes: a connection that is not TLS has none.
#[must_use]
pub fn peer_certificate(connection: &dyn Any) -> Option<Vec<u8>> {
    type Stream = actix_tls::accept::rustls_0_23::TlsStream<actix_web::rt::net::TcpStream>;
    let (_tcp, session) = connection.downcast_ref::<Stream>()?.get_ref();
    Some(session.peer_certificates()?.first()?.to_vec())
}
