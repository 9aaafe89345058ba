//! A door: a socket that listens, and the HTTP server behind it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpServer, web};
use checkin::{DoorState, PeerCertificate};
use console::ConsoleState;
use jobs::Waker;
use socket2::SockRef;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use types::Duration;

use crate::config::Limits;
use crate::error::{DoorName, StartError};
use crate::tls::{ServerIdentity, peer_certificate, people_tls, tablets_tls};

/// How many connections may wait to be taken. At 8:00 all tablets wake.
const BACKLOG: u32 = 4_096;
/// How long an idle connection is kept: a tablet's conversation, and its next one.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long requests under way may take to end when the server stops.
const SHUTDOWN_SECONDS: u64 = 3;

/// A door that is open.
#[derive(Debug)]
pub(crate) struct OpenDoor {
    name: DoorName,
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

/// How a door serves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) limits: Limits,
    pub(crate) workers: usize,
}

/// Takes the address, without serving anything yet.
pub(crate) fn listen(
    door: DoorName,
    address: SocketAddr,
    limits: Limits,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A server that was stopped may start again at once, on the same port.
        socket.set_reuseaddr(true)?;
        // Who asks and does not take the answer is hung up on (RFC 5482); every connection of the door inherits it.
        SockRef::from(&socket).set_tcp_user_timeout(Some(limits.request_time))?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?.into_std()?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    open().map_err(|source| StartError::Listen { door, address, source })
}

/// Opens the tablets' door.
pub(crate) fn open_to_tablets(
    listener: TcpListener,
    identity: Option<ServerIdentity>,
    state: &Arc<DoorState>,
    manner: Manner,
) -> Result<OpenDoor, StartError> {
    let name = DoorName::Tablets;
    let tls =
        identity.map(tablets_tls).transpose().map_err(|source| StartError::Tls { door: name, source })?;
    let address = listener.local_addr();
    let state = Arc::clone(state);
    let http = HttpServer::new(move || App::new().configure(checkin::routes(&state)))
        .on_connect(|connection, data| {
            if let Some(certificate) = peer_certificate(connection) {
                data.insert(PeerCertificate(certificate));
            }
        })
        .workers(manner.workers)
        .max_connections(manner.connections_per_worker())
        .max_connection_rate(manner.connections_per_worker())
        .client_request_timeout(manner.limits.request_time)
        .tls_handshake_timeout(manner.limits.request_time)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals();
    let http = match tls {
        Some(tls) => http.listen_rustls_0_23(listener, tls),
        None => http.listen(listener),
    };
    finish(name, address, http.map(HttpServer::run))
}

/// Opens the people's door.
pub(crate) fn open_to_people(
    listener: TcpListener,
    identity: Option<ServerIdentity>,
    state: ConsoleState,
    waker: Waker,
    manner: Manner,
) -> Result<OpenDoor, StartError> {
    let name = DoorName::People;
    let tls =
        identity.map(people_tls).transpose().map_err(|source| StartError::Tls { door: name, source })?;
    let address = listener.local_addr();
    let (state, waker) = (web::Data::new(state), web::Data::new(waker));
    let longest = usize::try_from(manner.limits.upload_bytes).unwrap_or(usize::MAX);
    let http = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::clone(&state))
            .app_data(web::Data::clone(&waker))
            .wrap(from_fn(wake_after_changes))
            .configure(console::routes(longest))
    })
    .workers(manner.workers)
    .max_connections(manner.connections_per_worker())
    .max_connection_rate(manner.connections_per_worker())
    .client_request_timeout(manner.limits.request_time)
    .tls_handshake_timeout(manner.limits.request_time)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals();
    let http = match tls {
        Some(tls) => http.listen_rustls_0_23(listener, tls),
        None => http.listen(listener),
    };
    finish(name, address, http.map(HttpServer::run))
}

/// What a person changed may have left a tablet to wake: the messenger looks at once. On other nodes it looks
/// by itself, a second later.
async fn wake_after_changes(
    waker: web::Data<Waker>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let changes = request.method() != Method::GET;
    let response = next.call(request).await?;
    if changes && response.status().is_success() {
        waker.wake();
    }
    Ok(response)
}

fn finish(
    name: DoorName,
    address: io::Result<SocketAddr>,
    server: io::Result<Server>,
) -> Result<OpenDoor, StartError> {
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = address.unwrap_or(unspecified);
    let server = server.map_err(|source| StartError::Listen { door: name, address, source })?;
    let handle = server.handle();
    Ok(OpenDoor { name, handle, task: tokio::spawn(server) })
}

impl Manner {
    /// The limit of the configuration is per door, actix's per worker. As many may be in the middle of their handshake:
    /// of 256, actix's own limit, a stranger who says half a word on each would keep everybody else out (T-A16).
    fn connections_per_worker(self) -> usize {
        usize::try_from(self.limits.connections).unwrap_or(usize::MAX).div_ceil(self.workers).max(1)
    }
}

impl OpenDoor {
    /// Closes the door: requests under way end first if `gracefully`, for some seconds at most.
    pub(crate) async fn close(self, gracefully: bool) {
        self.handle.stop(gracefully).await;
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(door = %self.name, %error, "a door ended badly"),
            Err(error) => tracing::error!(door = %self.name, %error, "a door had died"),
        }
    }

    /// Ends when the door does, which it does by itself only when something is wrong.
    pub(crate) async fn ended(&mut self) -> io::Error {
        let how = match (&mut self.task).await {
            Ok(Ok(())) => "it stopped".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        io::Error::other(format!("{} is closed: {how}", self.name))
    }
}
