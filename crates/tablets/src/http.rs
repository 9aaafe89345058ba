//! How a tablet speaks HTTP: hyper over OpenSSL (or rustls, where it resumes sessions) or in the clear, one connection
//! kept alive.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_openssl::SslStream;
use url::{Host, Url};

use crate::{Clock, Error, Identity, Sessions, Trust};

/// No answer a tablet wants is longer, in bytes.
const LONGEST_ANSWER: usize = 64 << 20;
/// How long a tablet waits for an answer, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client waits that was asked to, at least and at most.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers besides `Host` and `Content-Length`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers.
    #[must_use]
    pub const fn new(method: Method, url: Url, body: Vec<u8>) -> Self {
        Self { method, url, headers: Vec::new(), body }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The content type as it came, or nothing.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.headers
            .get(hyper::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// How long the server asks to wait, if it does.
    fn asks_to_wait(&self) -> Option<Duration> {
        let seconds = self.headers.get(hyper::header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        [429, 503]
            .contains(&self.status)
            .then(|| Duration::from_secs(seconds).clamp(SHORTEST_WAIT, LONGEST_WAIT))
    }

    /// The beginning of the body, for messages.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.chars().take(300).collect::<String>().trim().to_owned()
    }
}

/// At which moment a faulty tablet hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// In the middle of what it sends.
    WhileSending,
    /// After it sent everything, without reading the answer.
    BeforeReading,
}

/// A client that keeps one connection.
pub struct HttpClient {
    trust: Trust,
    clock: Clock,
    patience: Duration,
    keep_alive: bool,
    retries: u32,
    live: Option<Live>,
    opened: u64,
    sessions: Option<Sessions>,
    resumed: u64,
}

struct Live {
    origin: String,
    /// The fingerprint of the identity it was opened with.
    shown: Option<String>,
    /// The version of TLS, if there is TLS.
    tls: Option<&'static str>,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// TCP, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

impl HttpClient {
    /// A client that trusts `trust` and believes in `clock`.
    #[must_use]
    pub const fn new(trust: Trust, clock: Clock) -> Self {
        Self {
            trust,
            clock,
            patience: PATIENCE,
            keep_alive: true,
            retries: 0,
            live: None,
            opened: 0,
            sessions: None,
            resumed: 0,
        }
    }

    /// Waits at most this long for an answer.
    pub const fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Whether the connection is kept for the next request.
    pub const fn set_keep_alive(&mut self, keep_alive: bool) {
        self.keep_alive = keep_alive;
    }

    /// Sends a request again, this often at most, when the server asks it to wait: 429 or 503 with `Retry-After`.
    /// At first it does not.
    pub const fn set_retries(&mut self, retries: u32) {
        self.retries = retries;
    }

    /// Goes on with these TLS sessions where the server lets it. At first each connection begins a new one.
    pub fn set_sessions(&mut self, sessions: Option<Sessions>) {
        self.sessions = sessions;
        self.live = None;
    }

    /// How many of its connections went on with a session.
    #[must_use]
    pub const fn sessions_resumed(&self) -> u64 {
        self.resumed
    }

    /// Whom it trusts.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Trusts others from the next connection on.
    pub fn set_trust(&mut self, trust: Trust) {
        self.trust = trust;
        self.live = None;
    }

    /// Closes the connection it keeps, if any.
    pub fn close(&mut self) {
        self.live = None;
    }

    /// How many connections it has opened.
    #[must_use]
    pub const fn connections_opened(&self) -> u64 {
        self.opened
    }

    /// The version of TLS of the connection it keeps (`TLSv1.3`); none when it keeps none, or speaks in the clear.
    #[must_use]
    pub fn tls_version(&self) -> Option<&'static str> {
        self.live.as_ref().and_then(|live| live.tls)
    }

    /// Sends a request, with `identity` as client certificate if given, and reads the answer to its end.
    ///
    /// # Errors
    /// When the server cannot be reached, its certificate is not trusted, the connection breaks, or no answer
    /// comes in time. A connection that was kept and turns out to be closed is opened again once.
    pub async fn send(&mut self, request: &Request, identity: Option<&Identity>) -> Result<Reply, Error> {
        let mut tries = 0;
        loop {
            let reply = self.send_once(request, identity).await?;
            match reply.asks_to_wait().filter(|_wait| tries < self.retries) {
                None => return Ok(reply),
                Some(wait) => {
                    tries += 1;
                    // Those who were sent away together do not come back together, and ever less often.
                    tokio::time::sleep(wait * tries + jitter()?).await;
                }
            }
        }
    }

    async fn send_once(&mut self, request: &Request, identity: Option<&Identity>) -> Result<Reply, Error> {
        let (origin, patience) = (origin(&request.url), self.patience);
        match tokio::time::timeout(patience, Box::pin(self.send_patiently(request, identity, &origin))).await
        {
            Ok(reply) => reply,
            Err(_elapsed) => {
                self.live = None;
                Err(Error::TimedOut { origin, after: patience })
            }
        }
    }

    /// Sends a request and hangs up.
    ///
    /// # Errors
    /// Always: [`Error::HungUp`] when it went as wrong as asked for.
    pub async fn send_and_hang_up(
        &mut self,
        request: &Request,
        identity: Option<&Identity>,
        moment: HangUp,
    ) -> Result<Reply, Error> {
        self.live = None;
        let origin = origin(&request.url);
        let (mut stream, _tls) = self.connect(&request.url, &origin, identity).await?;
        let mut bytes = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n",
            request.method,
            target(&request.url),
            authority(&request.url),
            request.body.len()
        )
        .into_bytes();
        for (name, value) in &request.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        let sent = match moment {
            HangUp::BeforeReading => request.body.len(),
            HangUp::WhileSending => request.body.len() / 2,
        };
        bytes.extend(request.body.iter().take(sent));
        let io = |source| Error::Connect { origin: origin.clone(), source };
        stream.write_all(&bytes).await.map_err(io)?;
        stream.flush().await.map_err(io)?;
        // Whether the other side hears a polite goodbye does not matter.
        let _goodbye = stream.shutdown().await;
        Err(Error::HungUp)
    }

    async fn send_patiently(
        &mut self,
        request: &Request,
        identity: Option<&Identity>,
        origin: &str,
    ) -> Result<Reply, Error> {
        let shown = identity.map(Identity::fingerprint);
        let kept = self.live.take().filter(|live| {
            self.keep_alive && live.origin == origin && live.shown == shown && !live.sender.is_closed()
        });
        if let Some(mut live) = kept {
            match exchange(&mut live.sender, request, origin).await {
                Ok(reply) => {
                    self.live = Some(live);
                    return Ok(reply);
                }
                // The server closed it between two requests: nothing was heard, so that it may be sent again.
                Err(Error::Http { source, .. }) if source.is_canceled() || source.is_closed() => {}
                Err(error) => return Err(error),
            }
        }
        let (stream, tls) = self.connect(&request.url, origin, identity).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|source| Error::Http { origin: origin.to_owned(), source })?;
        let driver = tokio::spawn(async move {
            // Its errors reach the request that waits on it.
            let _ended = connection.await;
        });
        let reply = exchange(&mut sender, request, origin).await;
        let live = Live { origin: origin.to_owned(), shown, tls, sender, driver };
        if self.keep_alive && reply.is_ok() {
            self.live = Some(live);
        }
        reply
    }

    async fn connect(
        &mut self,
        url: &Url,
        origin: &str,
        identity: Option<&Identity>,
    ) -> Result<(Pin<Box<dyn Stream>>, Option<&'static str>), Error> {
        let io = |source| Error::Connect { origin: origin.to_owned(), source };
        let port = url.port_or_known_default().unwrap_or(443);
        let tcp = match url.host() {
            Some(Host::Ipv4(ip)) => TcpStream::connect(SocketAddr::new(IpAddr::V4(ip), port)).await,
            Some(Host::Ipv6(ip)) => TcpStream::connect(SocketAddr::new(IpAddr::V6(ip), port)).await,
            Some(Host::Domain(domain)) => TcpStream::connect((domain, port)).await,
            None => Err(std::io::Error::other("the address names no host")),
        }
        .map_err(io)?;
        tcp.set_nodelay(true).map_err(io)?;
        self.opened += 1;
        match url.scheme() {
            "http" => Ok((Box::pin(tcp), None)),
            "https" => {
                let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
                if let Some(sessions) = &self.sessions {
                    let (with, at) = ((&self.trust, &self.clock), (origin, host));
                    let connected = sessions.connect(with, identity, at, tcp).await?;
                    self.resumed += u64::from(connected.resumed);
                    return Ok((Box::pin(connected.stream), Some(connected.version)));
                }
                let tls = |problem: String| Error::Tls { origin: origin.to_owned(), problem };
                let mut configuration = self.trust.connector().configure()?;
                configuration.param_mut().set_time(self.clock.now());
                if let Some(identity) = identity {
                    configuration.set_certificate(identity.certificate())?;
                    configuration.set_private_key(identity.key())?;
                }
                let mut stream = Box::pin(SslStream::new(configuration.into_ssl(host)?, tcp)?);
                stream.as_mut().connect().await.map_err(|error| tls(error.to_string()))?;
                let version = stream.ssl().version_str();
                Ok((stream, Some(version)))
            }
            other => Err(Error::Usage(format!("cannot speak {other}: the address must be https or http"))),
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("trust", &self.trust).field("opened", &self.opened).finish()
    }
}

/// Up to a second.
fn jitter() -> Result<Duration, Error> {
    let mut random = [0; 2];
    openssl::rand::rand_bytes(&mut random)?;
    Ok(Duration::from_millis(u64::from(u16::from_be_bytes(random) % 1_000)))
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: &Request,
    origin: &str,
) -> Result<Reply, Error> {
    let http = |source| Error::Http { origin: origin.to_owned(), source };
    sender.ready().await.map_err(http)?;
    let mut outgoing = hyper::Request::builder()
        .method(&request.method)
        .uri(target(&request.url))
        .header(HOST, authority(&request.url))
        .body(Full::new(Bytes::from(request.body.clone())))
        .map_err(|error| Error::malformed("a request", error))?;
    for (name, value) in &request.headers {
        outgoing.headers_mut().append(name.clone(), value.clone());
    }
    let (head, body) = sender.send_request(outgoing).await.map_err(http)?.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER)
        .collect()
        .await
        .map_err(|error| Error::malformed("the server's answer", error))?
        .to_bytes();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
}

/// Scheme, host and port, for messages and for knowing whether a kept connection leads there.
fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), authority(url))
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
