//! A push service of one test: TLS, HTTP/2, a script of how each connection behaves, a record of what came.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use h2::server::SendResponse;
use hyper::body::Bytes;
use hyper::{HeaderMap, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::authority::Authority;

/// How one connection behaves.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    /// Refuses what Apple refuses, accepts the rest.
    Apple,
    /// Answers every push like this.
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Sends GOAWAY with this error code and debug data instead of an answer, then closes.
    GoAway(u32, &'static str),
    /// Accepts this many pushes, then shuts down with a graceful GOAWAY.
    GoAwayAfter(usize),
    /// Resets the stream with this error code.
    Reset(h2::Reason),
    /// Closes the connection without a word once a request came.
    Drop,
    /// Takes every push and never answers.
    Silence,
    /// Closes before the TLS handshake.
    Refuse,
}

/// A push that arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// The service; stops when dropped.
pub(super) struct PushService {
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PushService {
    /// Starts on a free port of 127.0.0.1 with a certificate of `authority` for `names`; clients must show a
    /// certificate of `clients`. The n-th connection follows the n-th behaviour, later ones the last.
    pub(super) async fn start(
        authority: &Authority,
        clients: &Authority,
        names: &[&str],
        script: &[Behaviour],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = acceptor(authority, clients, names);
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (script, record, counter) = (script.to_vec(), Arc::clone(&received), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let behaviour = script.get(number).or(script.last()).unwrap().clone();
                serving.spawn(serve(acceptor.clone(), stream, behaviour, Arc::clone(&record)));
            }
        });
        Self { address, received, connections, task }
    }

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn acceptor(authority: &Authority, clients: &Authority, names: &[&str]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.certificate_pem.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let issued = authority.server(names);
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap(),
        )
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(tls))
}

async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    behaviour: Behaviour,
    record: Arc<Mutex<Vec<Received>>>,
) {
    if matches!(behaviour, Behaviour::Refuse) {
        return;
    }
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((_refused, mut stream)) => {
            // Closing with unread bytes would send a reset, which can overtake the alert.
            let mut rest = Vec::new();
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut rest).await;
            return;
        }
    };
    match behaviour {
        Behaviour::GoAway(code, debug) => go_away(stream, code, debug).await,
        Behaviour::Drop => {
            let mut stream = stream;
            read_until_headers(&mut stream).await;
        }
        behaviour => converse(stream, &behaviour, &record).await,
    }
}

async fn converse(stream: TlsStream<TcpStream>, behaviour: &Behaviour, record: &Mutex<Vec<Received>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut served = 0;
    let mut unanswered = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if let Behaviour::Reset(reason) = behaviour {
            respond.send_reset(*reason);
            continue;
        }
        let (head, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        let collect = async {
            while let Some(Ok(part)) = body.data().await {
                bytes.extend_from_slice(&part);
            }
        };
        // The connection must be polled for the body to arrive.
        tokio::select! {
            () = collect => {}
            closed = std::future::poll_fn(|context| connection.poll_closed(context)) => {
                closed.unwrap();
                return;
            }
        }
        let received = Received {
            path: head.uri.path().to_owned(),
            headers: head.headers,
            body: String::from_utf8(bytes).unwrap(),
        };
        if matches!(behaviour, Behaviour::Silence) {
            unanswered.push(respond);
        } else {
            answer(behaviour, &received, &mut respond);
        }
        record.lock().unwrap().push(received);
        served += 1;
        if matches!(behaviour, Behaviour::GoAwayAfter(limit) if served >= *limit) {
            connection.graceful_shutdown();
        }
    }
}

fn answer(behaviour: &Behaviour, received: &Received, respond: &mut SendResponse<Bytes>) {
    let (status, headers, body) = match behaviour {
        Behaviour::Answer(status, headers, body) => (*status, *headers, *body),
        _ => match refusal(received) {
            Some(reason) => (400, &[][..], reason),
            None => (200, &[("apns-id", "5f7e9a7c-0b1d-4f4e-8d0a-3c1b2a190807")][..], ""),
        },
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let mut stream = respond.send_response(response.body(()).unwrap(), body.is_empty()).unwrap();
    if !body.is_empty() {
        stream.send_data(Bytes::from_static(body.as_bytes()), true).unwrap();
    }
}

/// What Apple would refuse in a push for device management.
fn refusal(received: &Received) -> Option<&'static str> {
    let header = |name: &str| received.headers.get(name).and_then(|value| value.to_str().ok());
    let body: Option<serde_json::Value> = serde_json::from_str(&received.body).ok();
    let members = body.as_ref().and_then(serde_json::Value::as_object).map(serde_json::Map::len);
    if received.path.strip_prefix("/3/device/").is_none_or(|token| hex::decode(token).is_err()) {
        Some(r#"{"reason":"BadPath"}"#)
    } else if header("apns-topic") != Some(super::authority::TOPIC) {
        Some(r#"{"reason":"TopicDisallowed"}"#)
    } else if header("apns-push-type") != Some("mdm") {
        Some(r#"{"reason":"InvalidPushType"}"#)
    } else if !matches!(header("apns-priority"), Some("5" | "10")) {
        Some(r#"{"reason":"BadPriority"}"#)
    } else if members != Some(1) || !body.is_some_and(|body| body["mdm"].is_string()) {
        Some(r#"{"reason":"PayloadEmpty"}"#)
    } else {
        None
    }
}

/// Writes the frames by hand: `h2` offers no way to send debug data with a GOAWAY (RFC 9113 §6.8).
async fn go_away(mut stream: TlsStream<TcpStream>, code: u32, debug: &str) {
    const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(&EMPTY_SETTINGS).await.unwrap();
    read_until_headers(&mut stream).await;
    let length = u8::try_from(8 + debug.len()).unwrap();
    let mut frame = vec![0, 0, length, 7, 0, 0, 0, 0, 0];
    frame.extend_from_slice(&0_u32.to_be_bytes()); // last stream that was processed: none
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(debug.as_bytes());
    stream.write_all(&frame).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Reads the client's preface and frames up to the first HEADERS.
async fn read_until_headers(stream: &mut TlsStream<TcpStream>) {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = usize::from(head[0]) * 65_536 + usize::from(head[1]) * 256 + usize::from(head[2]);
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        if head[3] == 1 {
            return;
        }
    }
}
