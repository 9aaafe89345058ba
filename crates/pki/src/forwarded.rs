//! The certificate that a reverse proxy forwards, in the two forms that proxies write.
//!
//! A header is only worth the connection it came on: [`TrustedProxies`] recognises the proxy by its
//! address first, and without the [`TrustedProxy`] that it gives, no header is read (T-A4).

use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::certificate::{Certificate, MalformedCertificate};

/// RFC 8941 §4.2.7: padding may be left out.
const SEQUENCE_OF_BYTES: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest header value that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// A proxy's address, or a network of proxies: `192.0.2.7`, `2001:db8::/64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyNetwork {
    address: IpAddr,
    prefix: u8,
}

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address or a network: expected a form such as 192.0.2.7 or 2001:db8::/64")]
pub struct InvalidProxyNetwork(String);

impl FromStr for ProxyNetwork {
    type Err = InvalidProxyNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidProxyNetwork> {
        let invalid = || InvalidProxyNetwork(text.chars().take(64).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_invalid| invalid())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_invalid| invalid())?,
            None => longest,
        };
        if prefix > longest { Err(invalid()) } else { Ok(Self { address, prefix }) }
    }
}

impl ProxyNetwork {
    fn contains(self, peer: IpAddr) -> bool {
        let (network, peer) = (self.address.to_canonical(), peer.to_canonical());
        let (network, peer, width) = match (network, peer) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => {
                (u128::from(network.to_bits()), u128::from(peer.to_bits()), 32_u32)
            }
            (IpAddr::V6(network), IpAddr::V6(peer)) => (network.to_bits(), peer.to_bits(), 128),
            _ => return false,
        };
        // Shifting by the whole width (a prefix of 0) leaves nothing to compare.
        let host_bits = width.saturating_sub(u32::from(self.prefix));
        (network ^ peer).checked_shr(host_bits).unwrap_or(0) == 0
    }
}

/// The proxies whose word on client certificates counts. Nobody's, unless configured.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<ProxyNetwork>);

impl TrustedProxies {
    /// The proxies at these addresses.
    #[must_use]
    pub fn new(networks: Vec<ProxyNetwork>) -> Self {
        Self(networks)
    }

    /// Whether the other end of this very connection is one of them. `peer` is the socket's address, never
    /// one that a header names.
    #[must_use]
    pub fn recognise(&self, peer: IpAddr) -> Option<TrustedProxy> {
        self.0.iter().any(|network| network.contains(peer)).then_some(TrustedProxy { _private: () })
    }

    /// Who really asks, when a proxy stands in front: for the pace of requests, never for an identity (T-C3).
    ///
    /// The peer, or, if the peer is one of these, the last address of the lines of `X-Forwarded-For` that is not. What
    /// a client wrote there itself stands further left, and is not read.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl Iterator<Item = &'a str>) -> IpAddr {
        if self.recognise(peer).is_none() {
            return peer;
        }
        let forwarded: Vec<&str> = forwarded.flat_map(|line| line.split(',')).collect();
        let mut client = peer;
        for hop in forwarded.into_iter().rev() {
            match hop.trim().parse() {
                Ok(address) => client = address,
                Err(_illegible) => break,
            }
            if self.recognise(client).is_none() {
                break;
            }
        }
        client
    }
}

/// Proof that a connection comes from a configured proxy.
#[derive(Debug, Clone, Copy)]
pub struct TrustedProxy {
    _private: (),
}

/// Evidence: the certificate with which a client proved itself to a proxy we trust.
#[derive(Debug, Clone)]
pub struct ForwardedCertificate {
    der: Vec<u8>,
}

/// Why a forwarded certificate is not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ForwardedError {
    /// The value is too long.
    #[error("the forwarded certificate has {0} bytes, more than any certificate needs")]
    TooLong(usize),
    /// The value has neither of the known forms.
    #[error(
        "the forwarded certificate is neither `:base64:` (RFC 9440) nor URL-escaped PEM: check the proxy"
    )]
    Form,
    /// It is not a certificate.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
}

impl ForwardedCertificate {
    /// Reads the value of a `Client-Cert` header that `proxy` sent: a byte sequence (RFC 9440 §2.1), or PEM
    /// with URL escapes, as nginx writes it.
    ///
    /// # Errors
    /// [`ForwardedError`], for a value of another form.
    pub fn from_header(_proxy: TrustedProxy, value: &str) -> Result<Self, ForwardedError> {
        if value.len() > LONGEST {
            return Err(ForwardedError::TooLong(value.len()));
        }
        let value = value.trim_matches([' ', '\t']);
        let der = match value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) {
            Some(base64) => SEQUENCE_OF_BYTES.decode(base64).map_err(|_invalid| ForwardedError::Form)?,
            None => {
                let pem = unescape(value).ok_or(ForwardedError::Form)?;
                if !pem.starts_with(b"-----BEGIN CERTIFICATE-----") {
                    return Err(ForwardedError::Form);
                }
                Certificate::from_pem_or_der(&pem)?.der
            }
        };
        // Whether these bytes are a certificate is seen when they are to identify somebody: once for each tablet,
        // and not with each message.
        Ok(Self { der })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }
}

/// Undoes URL escapes. A `+` is itself: it is a digit of base64, and this is not a form.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            let mut escaped = [0];
            hex::decode_to_slice(pair, &mut escaped).ok()?;
            plain.extend(escaped);
        } else {
            plain.push(byte);
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c3_a_forwarded_address_is_read_only_from_a_proxy_and_only_as_far_as_proxies_wrote_it() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let cases = [
            ("198.51.100.9", vec!["203.0.113.1"], "198.51.100.9"),
            ("10.0.0.1", vec!["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", vec!["1.2.3.4, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", vec!["1.2.3.4", "203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", vec!["203.0.113.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ];
        for (peer, lines, expected) in cases {
            assert_eq!(
                proxies.client(peer.parse().unwrap(), lines.iter().copied()),
                expected.parse::<IpAddr>().unwrap(),
                "{peer} {lines:?}"
            );
        }
    }
}
