//! The door on a real socket: what a connection proves, and what actix answers before we can.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::enrolled::{A, enrol, idle};
use super::harness::TestDoor;
use crate::{PeerCertificate, routes};

/// Opens the door on a port of this machine; every connection presents `certificate`, if one is given.
fn listen(door: &TestDoor, certificate: Option<Vec<u8>>) -> (SocketAddr, ServerHandle) {
    let state = Arc::clone(&door.state);
    let server = HttpServer::new(move || App::new().configure(routes(&state)))
        .on_connect(move |_io, data| {
            if let Some(certificate) = &certificate {
                data.insert(PeerCertificate(certificate.clone()));
            }
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

/// Sends bytes on a new connection, which asks to be closed, and reads all that comes back.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn put(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("PUT {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[actix_web::test]
async fn the_certificate_of_the_connection_identifies_the_tablet() {
    let door = TestDoor::open().await;
    let (tablet, _id) = enrol(&door, A).await;
    let (address, handle) = listen(&door, Some(tablet.certificate));
    let answer = exchange(address, &put("/mdm/connect", &idle(A.1))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-length: 0\r\n"), "{answer}");
    handle.stop(false).await;
}

#[actix_web::test]
async fn t_a7_whatever_actix_answers_by_itself_unenrols_nobody() {
    let door = TestDoor::open().await;
    let (address, handle) = listen(&door, None);
    let long = format!("/{}", "a".repeat(70_000));
    let requests: [&[u8]; 12] = [
        b"PUT /mdm/connect HTTP/1.1\r\n\r\n",
        b"PUT /mdm/checkin HTTP/9.9\r\nHost: t\r\n\r\n",
        b"PUT  /mdm/checkin\r\n\r\n",
        b"PUT //mdm/checkin HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"PUT http://other/mdm/connect HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
        b"POST /scep?message=\x80\xff HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: t\r\nAuthorization: Basic AAAA\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        &put(&long, ""),
    ];
    for request in requests {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        // Nothing more will come: what is incomplete is given up.
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status: u16 = answer.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
        assert!(matches!(status, 0 | 400..=599) && !matches!(status, 401 | 403), "{status}: {answer}");
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn t_a16_a_body_too_large_is_answered_and_its_connection_closed() {
    let door = TestDoor::open().await;
    let (address, handle) = listen(&door, None);
    let body = "x".repeat(200_000);
    let request = format!("POST /scep HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = exchange(address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    handle.stop(false).await;
}
