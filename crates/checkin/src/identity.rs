//! Who speaks: the evidence of a request, and the identity it proves.
//!
//! Three kinds of evidence exist, in this order: the client certificate of the TLS connection, the
//! `Mdm-Signature` over the body, and the `Client-Cert` header (RFC 9440) of a proxy that we configured. The
//! same header from any other address is not evidence, it is ignored (T-A4). Where several are present, each
//! must hold, and all must name the same certificate: no weaker kind ever stands in for a stronger one.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage as _, HttpRequest};
use fleet::{Fleet, TabletError};
use pki::{DeviceIdentity, TrustedProxies, TrustedProxy};
use types::Instant;

/// The certificate that the other end of the TLS connection presented, in DER. The handshake has proven its
/// key; nothing has checked its chain yet. `server` inserts it into the data of each connection; what stands
/// in front inside the process may insert it into a request's extensions instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate(pub Vec<u8>);

impl PeerCertificate {
    /// The certificate that the peer of a finished handshake presented, if it presented one.
    #[must_use]
    pub fn of(connection: &rustls::ServerConnection) -> Option<Self> {
        connection.peer_certificates()?.first().map(|certificate| Self(certificate.to_vec()))
    }
}

/// What a request brings to prove who speaks. There is at least one kind.
#[derive(Debug)]
pub(crate) struct Evidence {
    tls: Option<PeerCertificate>,
    signature: Option<String>,
    proxy: Option<(TrustedProxy, String)>,
}

impl Evidence {
    /// Collects the evidence of a request; reads no body.
    ///
    /// # Errors
    /// [`TabletError::NoIdentity`] if there is none, [`TabletError::Foreign`] if a header comes twice.
    pub(crate) fn of(request: &HttpRequest, proxies: &TrustedProxies) -> Result<Self, TabletError> {
        let in_connection = request.conn_data::<PeerCertificate>().cloned();
        let tls = in_connection.or_else(|| request.extensions().get::<PeerCertificate>().cloned());
        let signature = the_only(request.headers(), "mdm-signature")?;
        let proxy = request.peer_addr().and_then(|peer| proxies.recognise(peer.ip()));
        let proxy = match proxy {
            Some(proxy) => {
                the_only(request.headers(), "client-cert")?.map(|certificate| (proxy, certificate))
            }
            None => None,
        };
        if tls.is_none() && signature.is_none() && proxy.is_none() {
            return Err(TabletError::NoIdentity);
        }
        Ok(Self { tls, signature, proxy })
    }

    /// The identity that all of the evidence proves, over `body`.
    ///
    /// # Errors
    /// Why the first kind that fails fails, or [`TabletError::Foreign`] if two kinds name two certificates.
    pub(crate) fn prove(
        &self,
        fleet: &Fleet,
        body: &[u8],
        now: Instant,
    ) -> Result<DeviceIdentity, TabletError> {
        let mut proven = Vec::with_capacity(1);
        if let Some(PeerCertificate(certificate)) = &self.tls {
            proven.push(fleet::identity::from_tls(fleet, certificate, now)?);
        }
        if let Some(signature) = &self.signature {
            proven.push(fleet::identity::from_signature(fleet, signature, body, now)?);
        }
        if let Some((proxy, certificate)) = &self.proxy {
            proven.push(fleet::identity::from_proxy(fleet, *proxy, certificate, now)?);
        }
        the_same(proven)
    }
}

/// The strongest of several identities, if all are the same certificate's.
fn the_same(proven: Vec<DeviceIdentity>) -> Result<DeviceIdentity, TabletError> {
    let mut proven = proven.into_iter();
    let strongest = proven.next().ok_or(TabletError::NoIdentity)?;
    if proven.any(|other| other.fingerprint() != strongest.fingerprint()) {
        return Err(TabletError::Foreign(
            "the connection, the signature and the proxy do not name the same certificate".to_owned(),
        ));
    }
    Ok(strongest)
}

/// The value of a header that may come once. Twice, two readers could each see another.
fn the_only(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, TabletError> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(TabletError::Foreign(format!("the header {name} came more than once")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_not_ascii) => Err(TabletError::Foreign(format!("the header {name} is not plain text"))),
    }
}
