//! Keys and certificates that never change, so that an input means the same on every machine. They protect nothing:
//! who made them threw nothing away.

use std::sync::OnceLock;

use openssl::pkey::PKey;
use openssl::x509::X509;
use pki::{Authorities, Authority, DeviceCertificateAuthorities};
use types::{Instant, Secret};

use crate::scep_client::Client;

/// The present of all targets: 2026-11-23T22:00:00Z.
pub const NOW: Instant = Instant::from_millis(1_795_471_200_000);

const AUTHORITY: &[u8] = include_bytes!("../fixtures/authority.der");
const AUTHORITY_KEY: &[u8] = include_bytes!("../fixtures/authority.key.der");
const CLIENT: &[u8] = include_bytes!("../fixtures/client.der");
const CLIENT_KEY: &[u8] = include_bytes!("../fixtures/client.key.der");
const TABLET: &[u8] = include_bytes!("../fixtures/tablet.der");

/// What the targets share.
#[derive(Debug)]
pub struct Fixture {
    /// Our authority.
    pub authorities: Authorities,
    /// The authority that vouches for devices: the same one.
    pub device_authorities: DeviceCertificateAuthorities,
    /// A client of SCEP that signs with a certificate of its own making.
    pub client: Client,
}

/// What the targets share.
///
/// # Panics
/// When the fixtures were damaged.
pub fn get() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let authority =
            Authority::from_parts(AUTHORITY, &Secret::new(AUTHORITY_KEY.to_vec())).expect("an authority");
        Fixture {
            authorities: Authorities::new(authority).expect("an authority"),
            device_authorities: DeviceCertificateAuthorities::for_simulation(AUTHORITY)
                .expect("an authority"),
            client: Client::new(
                PKey::private_key_from_der(CLIENT_KEY).expect("a key"),
                X509::from_der(CLIENT).expect("a certificate"),
                X509::from_der(AUTHORITY).expect("a certificate"),
            ),
        }
    })
}

/// A certificate of a tablet, issued by the authority for the client's key. DER.
#[must_use]
pub const fn tablet() -> &'static [u8] {
    TABLET
}

/// The client's key. DER.
#[must_use]
pub const fn client_key() -> &'static [u8] {
    CLIENT_KEY
}

/// The authority's certificate. DER.
#[must_use]
pub const fn authority() -> &'static [u8] {
    AUTHORITY
}
