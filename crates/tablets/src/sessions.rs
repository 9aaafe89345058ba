//! TLS sessions that a tablet goes on with: a resumed handshake costs neither side a signature.
//!
//! OpenSSL's binding resumes a session by an unsafe call only, so that a tablet that does speaks TLS by rustls.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Clock, Error, Identity, Trust};

/// How many sessions of one tablet are kept: a server may give out two at a time.
const KEPT: usize = 4;

/// The sessions of one tablet, with one server. Cloning shares them, so that they outlive a client.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<Option<Kept>>>);

struct Kept {
    /// The fingerprint of the identity they were begun with.
    shown: Option<String>,
    client: Arc<ClientConfig>,
}

/// A connection, and how it began.
pub(crate) struct Connected {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) version: &'static str,
    pub(crate) resumed: bool,
}

impl Sessions {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects, with a session of before if the server gave one to this identity.
    pub(crate) async fn connect(
        &self,
        (trust, clock): (&Trust, &Clock),
        identity: Option<&Identity>,
        (origin, host): (&str, &str),
        tcp: TcpStream,
    ) -> Result<Connected, Error> {
        let tls = |problem: String| Error::Tls { origin: origin.to_owned(), problem };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| tls(error.to_string()))?;
        let client = self.client(trust, clock, identity)?;
        let stream = TlsConnector::from(client).connect(name, tcp).await;
        let stream = stream.map_err(|error| tls(error.to_string()))?;
        let (_tcp, connection) = stream.get_ref();
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        Ok(Connected { stream, version, resumed })
    }

    fn client(
        &self,
        trust: &Trust,
        clock: &Clock,
        identity: Option<&Identity>,
    ) -> Result<Arc<ClientConfig>, Error> {
        let shown = identity.map(Identity::fingerprint);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.shown == shown) {
            return Ok(Arc::clone(&kept.client));
        }
        let client = Arc::new(client(trust, clock, identity)?);
        *kept = Some(Kept { shown, client: Arc::clone(&client) });
        Ok(client)
    }
}

fn client(trust: &Trust, clock: &Clock, identity: Option<&Identity>) -> Result<ClientConfig, Error> {
    let unusable = |error: rustls::Error| Error::Usage(format!("TLS cannot be spoken so: {error}"));
    let mut roots = RootCertStore::empty();
    for anchor in trust.anchors() {
        roots.add(CertificateDer::from(anchor.to_der()?)).map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(Error::Usage("sessions are resumed only with a server whose authority is named".into()));
    }
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_details(provider, Arc::new(Time(clock.clone())))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots);
    let mut client = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivatePkcs8KeyDer::from(identity.key().private_key_to_pkcs8()?);
            builder
                .with_client_auth_cert(
                    vec![CertificateDer::from(identity.certificate_der()?)],
                    PrivateKeyDer::from(key),
                )
                .map_err(unusable)?
        }
    };
    client.resumption = Resumption::in_memory_sessions(KEPT);
    Ok(client)
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// The tablet's own clock.
#[derive(Debug)]
struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.0.now()).ok()?)))
    }
}
