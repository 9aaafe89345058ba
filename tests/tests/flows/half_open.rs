//! Clients that come and say nothing, stop in mid-sentence, or never listen to the answer: as many as this machine
//! lets one test have. The real program serves everybody else meanwhile, in bounded memory, and is rid of them by
//! itself.

use std::fs;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use store::Engine;
use tablets::Ipad;
use testkit::{Patience, ServerProcess, TestServer, wait_until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::support::{obey, on_both_engines, standing};

on_both_engines! {
    t_a16_thousands_of_half_open_connections_keep_nobody_out_and_are_closed_in_time,
    t_a16_who_asks_and_never_reads_costs_little_and_holds_up_nobody,
    t_a16_bodies_at_the_limit_that_come_slowly_are_bounded_together_and_pass,
}

const SERIAL: &str = "DMPX00000001";
/// What a request may take to arrive, in these tests.
const REQUEST_SECONDS: u64 = 4;
/// What one connection may cost the server, in kB: a TLS session, and a little.
const MOST_KB: u64 = 60;

/// A server of its own process, so that its memory and its files can be counted, and a tablet of it.
struct Scene {
    server: TestServer,
    process: ServerProcess,
    ipad: Ipad,
    tls: SslContext,
}

impl Scene {
    async fn of(engine: Engine) -> Self {
        let setup = TestServer::setup(engine).flag(format!("limits.request_seconds={REQUEST_SECONDS}"));
        let mut server = setup.start().await.unwrap();
        let mut ipad = server.enrolled_ipad(SERIAL).await.unwrap();
        obey(&mut ipad).await;
        let mut process = server.hand_over().await.unwrap();
        process.start().unwrap();
        process.ready().await.unwrap();
        // Whoever comes to harm does not ask who is there.
        let mut tls = SslContext::builder(SslMethod::tls_client()).unwrap();
        tls.set_verify(SslVerifyMode::NONE);
        let mut scene = Self { server, process, ipad, tls: tls.build() };
        scene.is_served().await;
        scene
    }

    fn door(&self) -> SocketAddr {
        let port = self.server.tablets_url().unwrap().port().unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// A tablet comes, on a connection of its own, and has its turn: how long that took.
    async fn is_served(&mut self) -> Duration {
        self.server.command(SERIAL, "ProfileList", serde_json::Value::Null).await.unwrap();
        self.ipad.http().close();
        let began = Instant::now();
        assert_eq!(obey(&mut self.ipad).await.request_types(), ["ProfileList"]);
        began.elapsed()
    }

    /// The memory that the server holds, in kB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many files and sockets it holds open.
    fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id().unwrap())).unwrap().count()
    }

    async fn has_at_most(&self, files: usize) {
        wait_until("the server is rid of them", Patience::default(), || async {
            Ok((self.files() <= files).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{error}: {} are open, {files} were", self.files()));
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.door()).await.unwrap()
    }

    async fn handshake(&self) -> Pin<Box<SslStream<TcpStream>>> {
        let tcp = self.connect().await;
        let mut stream = Box::pin(SslStream::new(Ssl::new(&self.tls).unwrap(), tcp).unwrap());
        stream.as_mut().connect().await.unwrap();
        stream
    }
}

/// How many files one process may open here, less what a test needs for itself.
fn most_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let soft = line.split_whitespace().next().unwrap();
    soft.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(400)
}

async fn t_a16_thousands_of_half_open_connections_keep_nobody_out_and_are_closed_in_time(engine: Engine) {
    let mut scene = Scene::of(engine).await;
    let (memory, files) = (scene.memory(), scene.files());
    let many = most_files().min(10_000);
    let with_tls = many / 25;
    let began = Instant::now();

    let (mut plain, mut secret) = (Vec::new(), Vec::new());
    // A ClientHello that announces 512 bytes, and then nothing.
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3];
    for number in 0..many - with_tls {
        let mut silent = scene.connect().await;
        if number % 2 == 1 {
            silent.write_all(&hello).await.unwrap();
        }
        plain.push(silent);
    }
    let beginnings: [&[u8]; 4] = [
        b"",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: localhost\r\nMdm-Sig",
        b"PUT /mdm/connect HTTP/1.1\r\nHost: localhost\r\nMdm-Signature: MIID\r\nContent-Length: 500\r\n\r\n<plist>",
        b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0",
    ];
    for number in 0..with_tls {
        let mut half = scene.handshake().await;
        half.write_all(beginnings[number % beginnings.len()]).await.unwrap();
        secret.push(half);
    }
    // They are all there at once only if the machine was quick enough; most of them are, on any.
    let (open, most, came) = (scene.files() - files.min(scene.files()), scene.memory(), began.elapsed());
    let took = scene.is_served().await;
    println!(
        "{many} half-open ({with_tls} over TLS) in {came:?}: {open} open, +{} kB; served in {took:?}",
        most - memory.min(most)
    );
    assert!(
        most.saturating_sub(memory) <= MOST_KB * u64::try_from(many).unwrap(),
        "{memory} kB, then {most} kB"
    );

    // Nobody hangs up but the server.
    scene.has_at_most(files + 8).await;
    for mut silent in plain.into_iter().step_by(97) {
        let mut rest = Vec::new();
        let heard = tokio::time::timeout(Duration::from_secs(5), silent.read_to_end(&mut rest)).await;
        // An alert of TLS, or nothing: the connection is at its end, one way or another.
        assert!(heard.is_ok(), "it is still open");
    }
    drop(secret);
    scene.is_served().await;
    assert_eq!(standing(&scene.server, SERIAL).await, "enrolled");
    assert!(!scene.process.has_ended());
}

async fn t_a16_who_asks_and_never_reads_costs_little_and_holds_up_nobody(engine: Engine) {
    let mut scene = Scene::of(engine).await;
    let (memory, files) = (scene.memory(), scene.files());
    let ask = b"GET /scep?operation=GetCACert HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let mut deaf = Vec::new();
    for _number in 0..40 {
        let mut stream = scene.handshake().await;
        // Until the server takes no more: its own buffers are full of answers that nobody takes.
        let mut taken = 0_usize;
        while taken < 4 << 20 {
            match tokio::time::timeout(Duration::from_millis(300), stream.write_all(&ask)).await {
                Ok(Ok(())) => taken += ask.len(),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        deaf.push((stream, taken));
    }
    let most = scene.memory();
    let took = scene.is_served().await;
    let asked: usize = deaf.iter().map(|(_stream, taken)| taken).sum();
    println!("40 deaf clients asked {} kB: +{} kB; served in {took:?}", asked >> 10, most - memory.min(most));
    assert!(most.saturating_sub(memory) < 40 * 12 * 1_024, "{memory} kB, then {most} kB");
    // They never hang up, and never read: the server is rid of them all the same.
    scene.has_at_most(files + 8).await;
    drop(deaf);
    scene.is_served().await;
    assert!(!scene.process.has_ended());
}

async fn t_a16_bodies_at_the_limit_that_come_slowly_are_bounded_together_and_pass(engine: Engine) {
    let mut scene = Scene::of(engine).await;
    let (memory, files) = (scene.memory(), scene.files());
    // 2 MiB each, the last byte of which never comes; all together more than all bodies may hold.
    let length = 2 << 20;
    let head = format!(
        "PUT /mdm/connect HTTP/1.1\r\nHost: localhost\r\nMdm-Signature: MIID\r\nContent-Length: {length}\r\n\r\n"
    );
    let body = vec![b'x'; length - 1];
    let (mut slow, mut most) = (Vec::new(), memory);
    for _number in 0..140 {
        let mut stream = scene.handshake().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        // Who is refused meanwhile may find the connection closed.
        let _sent = tokio::time::timeout(Duration::from_secs(2), stream.write_all(&body)).await;
        slow.push(stream);
        most = most.max(scene.memory());
    }
    println!("140 slow bodies of 2 MiB: +{} kB", most - memory);
    assert!(most - memory < 400 * 1_024, "{memory} kB, then {most} kB");
    // Whoever it was, they are told so, and the place is free again.
    scene.has_at_most(files + 8).await;
    let mut statuses = Vec::new();
    for mut stream in slow {
        let mut answer = Vec::new();
        let _ended = tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned();
        statuses.push(status);
    }
    assert!(statuses.iter().all(|status| !["401", "403"].contains(&status.as_str())), "{statuses:?}");
    assert!(
        statuses.iter().filter(|status| ["408", "503", "400"].contains(&status.as_str())).count() > 70,
        "{statuses:?}"
    );
    scene.is_served().await;
    assert!(!scene.process.has_ended());
}
