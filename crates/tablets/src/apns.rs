//! A stand-in for Apple's push service: TLS with a client certificate, HTTP/2, and Apple's refusals.

mod rules;
mod service;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openssl::ssl::{AlpnError, SslAcceptor, SslMethod, SslVerifyMode, select_next_proto};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::push_authority::PushAuthority;
use crate::{Clock, Error};

/// How many pushes a slow subscriber may fall behind.
const BACKLOG: usize = 1 << 16;

/// A push that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Push {
    /// The device's token, lower-case hexadecimal.
    pub token: String,
    /// The topic it was sent on.
    pub topic: String,
    /// The `PushMagic` it repeated.
    pub magic: String,
    /// `apns-priority`, if there was one.
    pub priority: Option<String>,
    /// `apns-expiration`, if there was one.
    pub expiration: Option<String>,
    /// When it came, in seconds since 1970.
    pub at: i64,
}

/// What the service does instead of accepting a push.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApnsFault {
    /// 410: the device has removed what it was registered for, since this moment (milliseconds since 1970).
    Unregistered {
        /// When it did.
        since: i64,
    },
    /// 429: too many pushes to one token.
    TooManyRequests,
    /// 503, with `Retry-After` in seconds if given.
    ServiceUnavailable {
        /// After how many seconds to try again.
        retry_after: Option<u32>,
    },
    /// Any other refusal.
    Refusal {
        /// The HTTP status.
        status: u16,
        /// Apple's reason.
        reason: String,
    },
    /// The connection dies without a word.
    ConnectionDeath,
    /// No answer comes for this long, then the push is accepted.
    Silence(Duration),
}

/// The service. It stops when it is dropped.
#[derive(Debug)]
pub struct Apns {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    authority: PushAuthority,
    clock: Clock,
    book: Mutex<Book>,
    pushes: broadcast::Sender<Push>,
}

/// What the service knows.
#[derive(Debug, Default)]
struct Book {
    /// The topic each known token belongs to.
    tokens: HashMap<String, String>,
    refuse_unknown: bool,
    /// Faults of one token, and how often each still happens.
    faults: HashMap<String, (ApnsFault, usize)>,
    /// Faults of every token.
    fault_for_all: Option<(ApnsFault, usize)>,
    /// After how many pushes a connection is asked to go away.
    go_away_after: Option<usize>,
    /// Accepted pushes are counted, and not kept.
    forgetful: bool,
    accepted: Vec<Push>,
    accepted_in_all: u64,
    refused: Vec<(u16, String)>,
    refused_in_all: u64,
    connections: u64,
}

impl Book {
    fn accept(&mut self, push: &Push) {
        self.accepted_in_all += 1;
        if !self.forgetful {
            self.accepted.push(push.clone());
        }
    }

    fn refuse(&mut self, status: u16, reason: &str) {
        self.refused_in_all += 1;
        if !self.forgetful {
            self.refused.push((status, reason.to_owned()));
        }
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        // The book is whole after every statement that holds it: a panic elsewhere does not spoil it.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Apns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Apns {
    /// Starts the service on `listen` (port 0 for any), with `authority`'s certificates.
    ///
    /// # Errors
    /// When the address is taken, or OpenSSL refuses.
    pub async fn start(authority: &PushAuthority, listen: SocketAddr, clock: Clock) -> Result<Self, Error> {
        let origin = format!("https://{listen}");
        let io = |source| Error::Connect { origin: origin.clone(), source };
        let acceptor = acceptor(authority)?;
        let listener = TcpListener::bind(listen).await.map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let shared = Arc::new(Shared {
            authority: authority.clone(),
            clock,
            book: Mutex::new(Book::default()),
            pushes: broadcast::channel(BACKLOG).0,
        });
        let task = tokio::spawn(service::accept(listener, acceptor, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Starts the service on a free port of this machine, with the system's clock.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub async fn on_loopback(authority: &PushAuthority) -> Result<Self, Error> {
        Self::start(authority, SocketAddr::from(([127, 0, 0, 1], 0)), Clock::system()).await
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address, as a push client takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate to trust, in PEM.
    ///
    /// # Errors
    /// When OpenSSL cannot write it.
    pub fn root_pem(&self) -> Result<String, Error> {
        self.shared.authority.root_pem()
    }

    /// Makes a token known as belonging to a topic: pushes to it on another one are refused.
    pub fn register(&self, token: &str, topic: &str) {
        self.shared.book().tokens.insert(token.to_ascii_lowercase(), topic.to_owned());
    }

    /// Whether tokens that were not registered are refused (`BadDeviceToken`). At first they are accepted.
    pub fn refuse_unknown_tokens(&self, refuse: bool) {
        self.shared.book().refuse_unknown = refuse;
    }

    /// The next `times` pushes to a token meet a fault.
    pub fn fail(&self, token: &str, fault: ApnsFault, times: usize) {
        self.shared.book().faults.insert(token.to_ascii_lowercase(), (fault, times));
    }

    /// The next `times` pushes to any token meet a fault.
    pub fn fail_all(&self, fault: ApnsFault, times: usize) {
        self.shared.book().fault_for_all = Some((fault, times));
    }

    /// Asks every connection to go away (GOAWAY) after it brought this many pushes; none: never.
    pub fn go_away_after(&self, pushes: Option<usize>) {
        self.shared.book().go_away_after = pushes;
    }

    /// The pushes accepted so far, in the order they came.
    #[must_use]
    pub fn pushes(&self) -> Vec<Push> {
        self.shared.book().accepted.clone()
    }

    /// The refusals so far: status and reason.
    #[must_use]
    pub fn refusals(&self) -> Vec<(u16, String)> {
        self.shared.book().refused.clone()
    }

    /// Counts pushes from now on without keeping them: for a service that runs for days.
    pub fn keep_no_pushes(&self) {
        let mut book = self.shared.book();
        book.forgetful = true;
        book.accepted.clear();
        book.refused.clear();
    }

    /// How many pushes were accepted and refused so far, kept or not.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let book = self.shared.book();
        (book.accepted_in_all, book.refused_in_all)
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.book().connections
    }

    /// Pushes as they are accepted, from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Push> {
        self.shared.pushes.subscribe()
    }

    /// Waits until `count` pushes were accepted in all, and gives them.
    ///
    /// # Errors
    /// When they did not come in time.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Push>, Error> {
        let mut arrivals = self.subscribe();
        let enough = async {
            loop {
                let accepted = self.pushes();
                if accepted.len() >= count {
                    return accepted;
                }
                // Lagging behind is no harm: the book is read again.
                let _arrival = arrivals.recv().await;
            }
        };
        tokio::time::timeout(within, enough).await.map_err(|_elapsed| {
            Error::Usage(format!("only {} of {count} pushes came within {within:?}", self.pushes().len()))
        })
    }
}

fn acceptor(authority: &PushAuthority) -> Result<SslAcceptor, Error> {
    let server = authority.server()?;
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate(server.certificate())?;
    builder.set_private_key(server.key())?;
    // Any certificate passes the handshake, and is then refused as Apple refuses it: 403 BadCertificate.
    builder
        .set_verify_callback(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT, |_good, _chain| true);
    builder.set_alpn_select_callback(|_ssl, offered| {
        select_next_proto(b"\x02h2", offered).ok_or(AlpnError::ALERT_FATAL)
    });
    Ok(builder.build())
}

#[cfg(test)]
mod tests;
