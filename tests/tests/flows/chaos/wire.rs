//! The connection between the server and its database: a wire that can be cut, fall silent, or be slow.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// How often it was cut: what was connected before is gone.
    cuts: u64,
    /// Nothing passes, and nobody is told.
    silent: bool,
    /// How long each message is on its way.
    delay: Duration,
}

/// A wire to a port of this machine.
pub(crate) struct Wire {
    port: u16,
    state: watch::Sender<State>,
}

impl Wire {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let here = listener.local_addr().unwrap().port();
        let (state, _) = watch::channel(State { cuts: 0, silent: false, delay: Duration::ZERO });
        let connected = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _peer)) = listener.accept().await {
                tokio::spawn(join(client, port, connected.subscribe()));
            }
        });
        Self { port: here, state }
    }

    /// Where it begins.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection, whatever is on its way. New ones may come at once.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| {
            state.cuts += 1;
            state.silent = false;
        });
    }

    /// Lets nothing pass any more, in either direction, without a word.
    pub(crate) fn fall_silent(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// From now on each message is so long on its way, in either direction.
    pub(crate) fn be_slow(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
    }

    /// Lets everything pass again, also what was held back.
    pub(crate) fn speak(&self) {
        self.state.send_modify(|state| state.silent = false);
    }
}

async fn join(client: TcpStream, port: u16, mut state: watch::Receiver<State>) {
    let cuts = state.borrow().cuts;
    let Ok(server) = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await else { return };
    // Small messages go at once, as between two machines of one room.
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (there, back) = (state.clone(), state.clone());
    tokio::select! {
        () = carry(from_client, to_server, there) => {}
        () = carry(from_server, to_client, back) => {}
        _cut = state.wait_for(|state| state.cuts != cuts) => {}
    }
}

/// Carries bytes in one direction until one end closes.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let speaks = state.wait_for(|state| !state.silent).await.is_ok();
        if !speaks || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
