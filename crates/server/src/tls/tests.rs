//! Both doors with real handshakes: who gets in, with which certificate in view.

use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpServer, web};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use types::Secret;

use super::*;

/// A self-signed certificate and its key, as PEM: in these tests nobody looks at issuers.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    fn certificate_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }

    fn identity(&self) -> ServerIdentity {
        ServerIdentity::from_pem(&self.certificate, &Secret::new(self.key.clone())).unwrap()
    }
}

/// What the handler saw of the connection.
#[derive(Debug)]
struct Seen(Vec<u8>);

async fn who(request: HttpRequest) -> String {
    request.conn_data::<Seen>().map_or_else(|| "anonymous".to_owned(), |seen| hex(&seen.0))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A door that answers who it saw; stops when dropped.
struct Door {
    address: std::net::SocketAddr,
    certificate: CertificateDer<'static>,
    handle: ServerHandle,
}

impl Drop for Door {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn door(tls: fn(ServerIdentity) -> Result<rustls::ServerConfig, rustls::Error>) -> Door {
    let pair = Pair::new("localhost");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new(|| App::new().route("/", web::get().to(who)))
        .workers(1)
        .on_connect(|connection, extensions| {
            if let Some(certificate) = peer_certificate(connection) {
                extensions.insert(Seen(certificate));
            }
        })
        .listen_rustls_0_23(listener, tls(pair.identity()).unwrap())
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Door { address, certificate: pair.certificate_der(), handle }
}

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// Shows a certificate with a key that may not be its own.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl Door {
    fn client(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        shown: Option<(&Pair, &Pair)>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        match shown {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = ring::sign::any_supported_type(&key.key_der()).unwrap();
                let certified = CertifiedKey::new(vec![certificate.certificate_der()], key);
                builder.with_client_cert_resolver(Arc::new(Shows(Arc::new(certified))))
            }
        }
    }

    async fn connect(&self, client: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::clone(client)).connect(name, tcp).await
    }

    /// The whole of one HTTP/1.1 conversation: what the door saw, and how the handshake went.
    async fn ask(&self, client: &Arc<ClientConfig>) -> std::io::Result<(String, HandshakeKind)> {
        let mut stream = self.connect(client).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let kind = stream.get_ref().1.handshake_kind().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Ok((answer.rsplit_once("\r\n\r\n").unwrap().1.to_owned(), kind))
    }
}

#[actix_web::test]
async fn an_anonymous_tablet_passes_the_handshake() {
    let door = door(tablets_tls);
    for version in VERSIONS {
        let client = Arc::new(door.client(version, None));
        assert_eq!(door.ask(&client).await.unwrap().0, "anonymous", "{version:?}");
    }
}

#[actix_web::test]
async fn a_foreign_certificate_passes_the_handshake_and_is_seen() {
    let door = door(tablets_tls);
    let foreign = Pair::new("another server's tablet");
    for version in VERSIONS {
        let client = Arc::new(door.client(version, Some((&foreign, &foreign))));
        assert_eq!(door.ask(&client).await.unwrap().0, hex(&foreign.certificate_der()), "{version:?}");
    }
}

#[actix_web::test]
async fn t_a1_another_tablets_certificate_without_its_key_fails_the_handshake() {
    let door = door(tablets_tls);
    let (victim, thief) = (Pair::new("tablet A"), Pair::new("tablet B"));
    for version in VERSIONS {
        let client = Arc::new(door.client(version, Some((&victim, &thief))));
        let error = door.ask(&client).await.unwrap_err().to_string();
        assert!(error.contains("DecryptError") || error.contains("DecryptionError"), "{version:?}: {error}");
    }
    // The same thief with its own certificate is let through: it is the signature that was refused.
    let client = Arc::new(door.client(VERSIONS[1], Some((&thief, &thief))));
    assert_eq!(door.ask(&client).await.unwrap().0, hex(&thief.certificate_der()));
}

#[actix_web::test]
async fn a_resumed_session_shows_its_certificate_again() {
    let door = door(tablets_tls);
    let tablet = Pair::new("tablet");
    for version in VERSIONS {
        let client = Arc::new(door.client(version, Some((&tablet, &tablet))));
        let (first, kind) = door.ask(&client).await.unwrap();
        assert_eq!(kind, HandshakeKind::Full, "{version:?}");
        let (second, kind) = door.ask(&client).await.unwrap();
        assert_eq!(kind, HandshakeKind::Resumed, "{version:?}");
        assert_eq!(first, hex(&tablet.certificate_der()));
        assert_eq!(second, first, "{version:?}");
    }
}

#[actix_web::test]
async fn a_resumed_anonymous_session_stays_anonymous() {
    let door = door(tablets_tls);
    let client = Arc::new(door.client(VERSIONS[1], None));
    door.ask(&client).await.unwrap();
    let resumed = door.ask(&client).await.unwrap();
    assert_eq!(resumed, ("anonymous".to_owned(), HandshakeKind::Resumed));
}

#[actix_web::test]
async fn the_certificate_is_seen_over_http_2_too() {
    let door = door(tablets_tls);
    let tablet = Pair::new("tablet");
    let mut client = door.client(VERSIONS[1], Some((&tablet, &tablet)));
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = door.connect(&Arc::new(client)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    actix_web::rt::spawn(connection);
    let request =
        hyper::Request::get(format!("https://localhost:{}/", door.address.port())).body(()).unwrap();
    let (response, _body) = sender.ready().await.unwrap().send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let mut text = Vec::new();
    while let Some(part) = body.data().await {
        text.extend_from_slice(&part.unwrap());
    }
    assert_eq!(text, hex(&tablet.certificate_der()).into_bytes());
}

#[actix_web::test]
async fn old_protocol_versions_are_not_spoken() {
    let door = door(tablets_tls);
    for (version, expected) in
        [(VERSIONS[0], ProtocolVersion::TLSv1_2), (VERSIONS[1], ProtocolVersion::TLSv1_3)]
    {
        let stream = door.connect(&Arc::new(door.client(version, None))).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
    }
    // A hello of TLS 1.1 (RFC 4346 §7.4.1.2): record, version 3.2, one cipher suite.
    let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 2];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 2, 0, 0x2f, 1, 0]);
    let mut tcp = TcpStream::connect(door.address).await.unwrap();
    tcp.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.first(), Some(&0x15), "an alert: {answer:?}");
}

#[actix_web::test]
async fn the_peoples_door_asks_for_no_certificate() {
    let door = door(people_tls);
    let tablet = Pair::new("tablet");
    let client = Arc::new(door.client(VERSIONS[1], Some((&tablet, &tablet))));
    assert_eq!(door.ask(&client).await.unwrap().0, "anonymous");
}

#[actix_web::test]
async fn what_is_not_tls_has_no_certificate() {
    assert_eq!(peer_certificate(&"a plain connection"), None);
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let (one, other) = (Pair::new("one"), Pair::new("other"));
    let mixed = ServerIdentity::from_pem(&one.certificate, &Secret::new(other.key)).unwrap();
    assert!(matches!(tablets_tls(mixed), Err(rustls::Error::InconsistentKeys(_))));
}

#[test]
fn files_are_read_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let error = |certificate, key| ServerIdentity::from_files(certificate, key).unwrap_err().to_string();
    assert!(error(&certificate, &key).contains("c.pem"));
    let pair = Pair::new("localhost");
    std::fs::write(&certificate, &pair.certificate).unwrap();
    std::fs::write(&key, &pair.key).unwrap();
    let identity = ServerIdentity::from_files(&certificate, &key).unwrap();
    assert!(!format!("{identity:?}").contains("key: "), "{identity:?}");
    assert!(people_tls(identity).is_ok());
    assert!(error(&key, &key).contains("no certificate in `"));
    assert!(error(&certificate, &certificate).contains("no private key in `"));
}
