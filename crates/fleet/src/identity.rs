//! Who a tablet is, by each of the three ways it can prove it.
//!
//! An expired identity still proves which tablet speaks: a tablet that spent the summer in a cupboard is
//! served, so that it can be renewed. Renewal is refused to it only when its enrolment is over.

use pki::{DeviceIdentity, ExpiryPolicy, ForwardedCertificate, HandshakeCertificate, TrustedProxy};
use types::Instant;

use crate::{Fleet, TabletError};

/// By the TLS handshake, whose peer has shown that it holds the certificate's key.
///
/// # Errors
/// [`TabletError::Foreign`].
pub fn from_tls(fleet: &Fleet, certificate_der: &[u8], now: Instant) -> Result<DeviceIdentity, TabletError> {
    let peer = HandshakeCertificate::from_completed_handshake(certificate_der.to_vec());
    fleet.authorities().issuing().trusted().identify_tls(&peer, now, ExpiryPolicy::Admit).map_err(foreign)
}

/// By `Mdm-Signature`: the body is signed with the certificate's key.
///
/// # Errors
/// [`TabletError::Foreign`].
pub fn from_signature(
    fleet: &Fleet,
    header: &str,
    body: &[u8],
    now: Instant,
) -> Result<DeviceIdentity, TabletError> {
    pki::mdm_signature::verify(
        header,
        body,
        fleet.authorities().issuing().trusted(),
        now,
        ExpiryPolicy::Admit,
    )
    .map_err(foreign)
}

/// By the word of a proxy that the configuration trusts (RFC 9440, T-A4).
///
/// # Errors
/// [`TabletError::Foreign`].
pub fn from_proxy(
    fleet: &Fleet,
    proxy: TrustedProxy,
    client_cert: &str,
    now: Instant,
) -> Result<DeviceIdentity, TabletError> {
    let forwarded = ForwardedCertificate::from_header(proxy, client_cert).map_err(foreign)?;
    fleet
        .authorities()
        .issuing()
        .trusted()
        .identify_forwarded(&forwarded, now, ExpiryPolicy::Admit)
        .map_err(foreign)
}

fn foreign(error: impl std::fmt::Display) -> TabletError {
    TabletError::Foreign(error.to_string())
}
