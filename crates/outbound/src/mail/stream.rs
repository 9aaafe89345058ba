//! The connection to the mail server, up to where SMTP over TLS begins.
//!
//! STARTTLS (RFC 3207) is done here and not by the library: nothing that was read before TLS may be believed after it, and
//! the library would keep what a stranger on the wire put behind the server's last plain line. Here that is a refusal.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{MailServer, MailSetupError, MailTrouble};
use crate::egress::Egress;
use crate::trust::{self, TrustProblem};

/// The longest plain answer that is read, in bytes (RFC 5321 §4.5.3.1.5 allows 512 for a line).
const LONGEST_ANSWER: usize = 8 * 1024;
/// What the library is told first after STARTTLS: it wants a greeting, and the server gives no second one.
const GREETING: &[u8] = b"220 protected\r\n";

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in clear, and is protected before anything is said (port 587).
    StartTls,
    /// It is protected from the first byte on (port 465).
    Tls,
    /// Not at all: only for a server on this machine.
    None,
}

/// TLS towards the mail server: the program's one provider, and the authorities that vouch.
pub(super) fn tls(trust: Option<&str>) -> Result<rustls::ClientConfig, MailSetupError> {
    let roots = trust::authorities(trust).map_err(|problem| {
        MailSetupError::Trust(match problem {
            TrustProblem::Pem(_) => "it is not readable as PEM".to_owned(),
            TrustProblem::Authority(error) => error.to_string(),
            TrustProblem::None => "this machine has none: install the package ca-certificates".to_owned(),
        })
    })?;
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(MailSetupError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Opens a connection on which the library may speak.
pub(super) async fn open(
    server: &MailServer,
    egress: &Egress,
    tls: &Arc<rustls::ClientConfig>,
) -> Result<Box<dyn AsyncTokioStream>, MailTrouble> {
    let addresses = egress.connectable(&server.host, server.port).await?;
    let addresses =
        addresses.map_err(|error| MailTrouble::Unreachable(format!("its name: {}", error.kind())))?;
    let mut tcp = TcpStream::connect(addresses.as_slice()).await.map_err(|error| unreachable_by(&error))?;
    let peer = tcp.peer_addr().map_err(|error| unreachable_by(&error))?;
    let greeting = match server.tls {
        MailTls::None => return Ok(Box::new(tcp)),
        MailTls::Tls => &[],
        MailTls::StartTls => {
            ask_for_tls(&mut tcp).await?;
            GREETING
        }
    };
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_invalid| MailTrouble::Tls("its name is no name for TLS".to_owned()))?;
    let inner = TlsConnector::from(Arc::clone(tls))
        .connect(name, tcp)
        .await
        .map_err(|error| MailTrouble::Tls(error.to_string()))?;
    Ok(Box::new(Protected { greeting, inner: Box::new(inner), peer }))
}

fn unreachable_by(error: &io::Error) -> MailTrouble {
    MailTrouble::Unreachable(error.kind().to_string())
}

/// Asks in clear for TLS, and hears yes.
async fn ask_for_tls(tcp: &mut TcpStream) -> Result<(), MailTrouble> {
    answer(tcp, 220).await?;
    say(tcp, b"EHLO localhost\r\n").await?;
    answer(tcp, 250).await?;
    say(tcp, b"STARTTLS\r\n").await?;
    answer(tcp, 220).await.map_err(|trouble| match trouble {
        // 454 says that it has no TLS to offer (RFC 3207 §4).
        MailTrouble::Later(code) => MailTrouble::Tls(format!("it answers {code}")),
        other => other,
    })
}

async fn say(tcp: &mut TcpStream, line: &[u8]) -> Result<(), MailTrouble> {
    tcp.write_all(line).await.map_err(|error| unreachable_by(&error))
}

/// Reads one answer, byte by byte: what stands behind it is left where it is, and no TLS begins with it.
async fn answer(tcp: &mut TcpStream, expected: u16) -> Result<(), MailTrouble> {
    let mut line = Vec::new();
    let mut read = 0;
    loop {
        let byte = tcp.read_u8().await.map_err(|error| unreachable_by(&error))?;
        read += 1;
        if read > LONGEST_ANSWER {
            return Err(MailTrouble::Unreachable("it does not speak SMTP".to_owned()));
        }
        line.push(byte);
        if byte != b'\n' {
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let code: Option<u16> = text.get(..3).and_then(|code| code.parse().ok());
        let last = text.get(3..4) != Some("-");
        match code {
            None => return Err(MailTrouble::Unreachable("it does not speak SMTP".to_owned())),
            Some(_) if !last => line.clear(),
            Some(code) if code == expected => return Ok(()),
            Some(code @ 400..500) => return Err(MailTrouble::Later(code)),
            Some(code) => return Err(MailTrouble::Tls(format!("it answers {code}"))),
        }
    }
}

/// A protected connection, in front of which a greeting may stand.
struct Protected {
    greeting: &'static [u8],
    inner: Box<tokio_rustls::client::TlsStream<TcpStream>>,
    peer: SocketAddr,
}

impl std::fmt::Debug for Protected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protected").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Protected {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut *self.inner).poll_read(context, buffer);
        }
        let (now, later) = self.greeting.split_at(self.greeting.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Protected {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_shutdown(context)
    }
}
