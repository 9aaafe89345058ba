//! A proxy as one stands in front of a server: it ends TLS with a certificate of its own, asks tablets for theirs,
//! and says in `Client-Cert` (RFC 9440) which it saw. It calls from an address that is not the tablets'.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openssl::base64::encode_block;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVerifyMode};
use tablets::{Authority, Purpose, Trust, Validity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_openssl::SslStream;

/// The address from which it calls the server, on this machine: the one that the configuration trusts.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A proxy that has its port, and does not serve yet: the server behind it must know its address first.
pub(crate) struct Proxy {
    listener: TcpListener,
    acceptor: SslAcceptor,
    trust: Trust,
}

/// A proxy that serves, until it is dropped.
pub(crate) struct Running {
    drops_certificates: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Takes a port, with a certificate that lasts from `now` (seconds since 1970) for a month.
    pub(crate) async fn new(now: i64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let authority = Authority::new(&[("CN", "A public authority")], Validity::days(now, 30)).unwrap();
        let purpose = Purpose::Server(vec!["localhost".to_owned()]);
        let door = authority.identity_for(&[("CN", "localhost")], &purpose, Validity::days(now, 30)).unwrap();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(door.key()).unwrap();
        acceptor.set_certificate(door.certificate()).unwrap();
        acceptor.set_session_id_context(b"proxy").unwrap();
        // Any certificate, or none: who is whom is the server's business.
        acceptor.set_verify_callback(SslVerifyMode::PEER, |_good, _chain| true);
        let trust = Trust::only(&authority.certificate_pem().unwrap()).unwrap();
        Self { listener, acceptor: acceptor.build(), trust }
    }

    /// The address that tablets use.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.listener.local_addr().unwrap().port())
    }

    /// Whom tablets must trust to come in.
    pub(crate) fn trust(&self) -> Trust {
        self.trust.clone()
    }

    /// Serves what is behind it.
    pub(crate) fn serve(self, behind: SocketAddr) -> Running {
        let drops_certificates = Arc::new(AtomicBool::new(false));
        let drops = Arc::clone(&drops_certificates);
        let task = tokio::spawn(async move {
            loop {
                let (tcp, _from) = self.listener.accept().await.unwrap();
                let tls = SslStream::new(Ssl::new(self.acceptor.context()).unwrap(), tcp).unwrap();
                tokio::spawn(pass_on(tls, behind, Arc::clone(&drops)));
            }
        });
        Running { drops_certificates, task }
    }
}

impl Running {
    /// From now on it says nothing of the certificates it sees, as after a mistake in its configuration.
    pub(crate) fn drop_certificates(&self, drop: bool) {
        self.drops_certificates.store(drop, Ordering::SeqCst);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and its answer; the connection is closed after it.
async fn pass_on(mut tls: SslStream<TcpStream>, behind: SocketAddr, drops: Arc<AtomicBool>) -> Option<()> {
    Pin::new(&mut tls).accept().await.ok()?;
    let shown = tls.ssl().peer_certificate().filter(|_| !drops.load(Ordering::SeqCst));
    let (mut head, body) = read_head(&mut tls).await?;
    // What a client writes into the proxy's own header is not passed on.
    head.retain(|line| !line.to_ascii_lowercase().starts_with("client-cert:"));
    head.push("Connection: close".to_owned());
    if let Some(certificate) = shown {
        head.push(format!("Client-Cert: :{}:", encode_block(&certificate.to_der().unwrap())));
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((ADDRESS, 0))).unwrap();
    let mut server = socket.connect(behind).await.ok()?;
    server.write_all((head.join("\r\n") + "\r\n\r\n").as_bytes()).await.ok()?;
    server.write_all(&body).await.ok()?;
    tokio::io::copy_bidirectional(&mut tls, &mut server).await.ok()?;
    Some(())
}

/// The lines of the request's head, and what came of its body with them.
async fn read_head(tls: &mut SslStream<TcpStream>) -> Option<(Vec<String>, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&read[..end]).unwrap();
            return Some((head.split("\r\n").map(str::to_owned).collect(), read[end + 4..].to_vec()));
        }
        if tls.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}
