//! A small MDM server: NanoMDM's addresses, three kinds of proof, and misdeeds when told. It shares nothing with the
//! program but hyper and OpenSSL.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::nid::Nid;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509PurposeId};
use plist::{Dictionary, Value};
use tablets::{Authority, Clock, Purpose, Validity};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_openssl::SslStream;

/// The key of its API.
pub(crate) const API_KEY: &str = "s3cret-key";

/// How tablets must prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    ClientCertificate,
    Signature,
    /// `Client-Cert`, RFC 9440.
    ClientCertHeader,
    /// `X-Cert`, escaped PEM.
    EscapedPemHeader,
}

/// What it remembers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) requests: u64,
    pub(crate) tls_connections: u64,
    pub(crate) authenticated: BTreeMap<String, u64>,
    pub(crate) token_updates: BTreeMap<String, u64>,
    pub(crate) idles: BTreeMap<String, u64>,
    pub(crate) queues: BTreeMap<String, VecDeque<(String, Vec<u8>)>>,
    /// `CommandUUID` and status, in the order of the reports.
    pub(crate) reports: Vec<(String, String)>,
    /// Requests that proved nobody, or somebody else.
    pub(crate) refused: u64,
    /// The next so many idle messages are answered with this status.
    pub(crate) answers_idle_with: Option<(u16, u64)>,
    /// Commands are given a `CommandUUID` that nobody ordered.
    pub(crate) swaps_commands: bool,
    /// One idle message, once so many came, waits this long before its answer.
    pub(crate) stalls: Option<(u64, Duration)>,
    /// Only these tablets are served, if there are any.
    pub(crate) knows: Option<BTreeSet<String>>,
}

struct Shared {
    wants: Wants,
    authority: X509,
    book: Mutex<Book>,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    tls: bool,
    _runtime: Runtime,
}

impl Server {
    /// Serves tablets certified by `authority` (PEM file), in the clear.
    pub(crate) fn start(wants: Wants, authority: &Path) -> Self {
        Self::run(wants, authority, None)
    }

    /// The same over TLS, with a certificate for `localhost` whose authority is written to `trust`.
    pub(crate) fn start_tls(wants: Wants, authority: &Path, trust: &Path) -> Self {
        let validity = Validity::days(Clock::system().now(), 2);
        let own = Authority::new(&[("CN", "the server's authority")], validity).unwrap();
        let purpose = Purpose::Server(vec!["localhost".to_owned()]);
        let identity = own.identity_for(&[("CN", "localhost")], &purpose, validity).unwrap();
        std::fs::write(trust, own.certificate_pem().unwrap()).unwrap();
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        builder.set_certificate(identity.certificate()).unwrap();
        builder.set_private_key(identity.key()).unwrap();
        builder.set_verify_callback(SslVerifyMode::PEER, |_good, _chain| true);
        builder.set_session_id_context(b"tests").unwrap();
        Self::run(wants, authority, Some(builder.build()))
    }

    fn run(wants: Wants, authority: &Path, acceptor: Option<SslAcceptor>) -> Self {
        let authority = X509::from_pem(&std::fs::read(authority).unwrap()).unwrap();
        let shared = Arc::new(Shared { wants, authority, book: Mutex::default() });
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let tls = acceptor.is_some();
        runtime.spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self { shared, address, tls, _runtime: runtime }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let port = self.address.port();
        if self.tls {
            format!("https://localhost:{port}{path}")
        } else {
            format!("http://127.0.0.1:{port}{path}")
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.shared.book.lock().unwrap()
    }
}

async fn accept(listener: TcpListener, acceptor: Option<SslAcceptor>, shared: Arc<Shared>) {
    while let Ok((tcp, _peer)) = listener.accept().await {
        tcp.set_nodelay(true).unwrap();
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        tokio::spawn(async move {
            let Some(acceptor) = acceptor else {
                let service = service_fn(move |request| answer(Arc::clone(&shared), None, request));
                let _ended = http().serve_connection(TokioIo::new(tcp), service).await;
                return;
            };
            let mut stream = Box::pin(SslStream::new(Ssl::new(acceptor.context()).unwrap(), tcp).unwrap());
            if stream.as_mut().accept().await.is_err() {
                return;
            }
            shared.book.lock().unwrap().tls_connections += 1;
            let peer = stream.ssl().peer_certificate();
            let service = service_fn(move |request| answer(Arc::clone(&shared), peer.clone(), request));
            let _ended = http().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn http() -> hyper::server::conn::http1::Builder {
    hyper::server::conn::http1::Builder::new()
}

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn answer(shared: Arc<Shared>, peer: Option<X509>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(|body| body.to_bytes()) else { return said(400, b"no body") };
    shared.book.lock().unwrap().requests += 1;
    if let Some(udid) = head.uri.path().strip_prefix("/v1/enqueue/") {
        return enqueue(&shared, &head.method, &head.headers, udid, &body);
    }
    if head.uri.path() != "/mdm" || head.method != Method::PUT {
        return said(404, b"no such path");
    }
    let Some(udid) = shared.who(&head.headers, peer, &body) else {
        shared.book.lock().unwrap().refused += 1;
        return said(400, b"who are you?");
    };
    let Ok(Value::Dictionary(message)) = Value::from_reader(std::io::Cursor::new(&body)) else {
        return said(400, b"no property list");
    };
    let served = shared.book.lock().unwrap().knows.as_ref().is_none_or(|known| known.contains(&udid));
    if message.get("UDID").and_then(Value::as_string) != Some(udid.as_str()) || !served {
        shared.book.lock().unwrap().refused += 1;
        return said(400, b"you are somebody else");
    }
    let check_in =
        head.headers["content-type"].as_bytes().starts_with(b"application/x-apple-aspen-mdm-checkin");
    if check_in { check_in_said(&shared, &udid, &message) } else { report(&shared, &udid, &message).await }
}

impl Shared {
    /// The UDID of the certificate that proves itself, issued by the authority.
    fn who(&self, headers: &HeaderMap, peer: Option<X509>, body: &[u8]) -> Option<String> {
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
        let certificate = match self.wants {
            Wants::ClientCertificate => peer?,
            Wants::Signature => {
                let mut cms =
                    CmsContentInfo::from_der(&STANDARD.decode(header("mdm-signature")?).ok()?).ok()?;
                let mut store = X509StoreBuilder::new().unwrap();
                store.add_cert(self.authority.clone()).unwrap();
                store.set_purpose(X509PurposeId::ANY).unwrap();
                cms.verify(None, Some(&store.build()), Some(body), None, CMSOptions::BINARY).ok()?;
                signer_of(&cms)
            }
            Wants::ClientCertHeader => {
                let der = header("client-cert")?.strip_prefix(':')?.strip_suffix(':')?;
                X509::from_der(&STANDARD.decode(der).ok()?).ok()?
            }
            Wants::EscapedPemHeader => {
                let pem = url::form_urlencoded::parse(format!("pem={}", header("x-cert")?).as_bytes())
                    .next()?
                    .1
                    .into_owned();
                X509::from_pem(pem.as_bytes()).ok()?
            }
        };
        let issued = certificate.verify(&self.authority.public_key().unwrap()).unwrap_or(false);
        let _noted = openssl::error::ErrorStack::get();
        let name = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next()?;
        issued.then(|| name.data().to_string().unwrap())
    }
}

/// The certificate that came with a message.
fn signer_of(cms: &openssl::cms::CmsContentInfo) -> X509 {
    let pkcs7 = openssl::pkcs7::Pkcs7::from_der(&cms.to_der().unwrap()).unwrap();
    let none = Stack::new().unwrap();
    let signers = pkcs7.signers(&none, openssl::pkcs7::Pkcs7Flags::empty()).unwrap();
    signers.get(0).unwrap().to_owned()
}

fn check_in_said(shared: &Shared, udid: &str, message: &Dictionary) -> Answer {
    let mut book = shared.book.lock().unwrap();
    let heard = match message.get("MessageType").and_then(Value::as_string) {
        Some("Authenticate") => {
            assert!(message.contains_key("SerialNumber"));
            &mut book.authenticated
        }
        Some("TokenUpdate") => {
            assert!(message.contains_key("Token") && message.contains_key("PushMagic"));
            &mut book.token_updates
        }
        other => panic!("{other:?}"),
    };
    *heard.entry(udid.to_owned()).or_default() += 1;
    said(200, b"")
}

async fn report(shared: &Shared, udid: &str, message: &Dictionary) -> Answer {
    let text = |key| message.get(key).and_then(Value::as_string).map(str::to_owned);
    let stall = {
        let mut book = shared.book.lock().unwrap();
        if let Some(uuid) = text("CommandUUID") {
            let status = text("Status").unwrap();
            book.reports.push((uuid.clone(), status.clone()));
            if status == "NotNow" {
                // It stays queued, until the tablet comes again.
                return said(200, b"");
            }
            if let Some(queue) = book.queues.get_mut(udid) {
                queue.retain(|(queued, _command)| *queued != uuid);
            }
        } else {
            *book.idles.entry(udid.to_owned()).or_default() += 1;
            if let Some((status, left)) = book.answers_idle_with.as_mut().filter(|(_status, left)| *left > 0)
            {
                *left -= 1;
                return said(*status, b"as told");
            }
        }
        let heard: u64 = book.idles.values().sum();
        book.stalls.take_if(|(after, _time)| heard >= *after).map(|(_after, time)| time)
    };
    if let Some(time) = stall {
        tokio::time::sleep(time).await;
    }
    let book = shared.book.lock().unwrap();
    match book.queues.get(udid).and_then(VecDeque::front) {
        Some((uuid, command)) if book.swaps_commands => {
            let command = String::from_utf8_lossy(command).replace(uuid.as_str(), "00000000-AAAA");
            said(200, command.as_bytes())
        }
        Some((_uuid, command)) => said(200, command),
        None => said(200, b""),
    }
}

fn enqueue(shared: &Shared, method: &Method, headers: &HeaderMap, udid: &str, command: &[u8]) -> Answer {
    let wanted = format!("Basic {}", STANDARD.encode(format!("nanomdm:{API_KEY}")));
    if headers.get("authorization").is_none_or(|given| *given != *wanted) {
        return said(401, b"no key");
    }
    assert_eq!(method, Method::PUT);
    let parsed = Value::from_reader(std::io::Cursor::new(command)).unwrap();
    let uuid = parsed.as_dictionary().unwrap().get("CommandUUID").unwrap().as_string().unwrap().to_owned();
    let mut book = shared.book.lock().unwrap();
    book.queues.entry(udid.to_owned()).or_default().push_back((uuid, command.to_vec()));
    said(200, br#"{"status":{}}"#)
}

fn said(status: u16, body: &[u8]) -> Answer {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
