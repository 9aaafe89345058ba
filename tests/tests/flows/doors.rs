//! Both doors at their sockets: paths in other spellings, byte for byte as no well-behaved client writes them, and a
//! server that does not open its doors with secrets that are no secrets.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use openssl::base64::encode_block;
use openssl::ssl::{SslConnector, SslMethod, SslStream};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use store::Engine;
use tablets::Identity;
use testkit::TestServer;

use crate::support::{at, obey, on_both_engines, report, standing, still_managed, xml};

on_both_engines! {
    t_c5_no_other_spelling_of_a_tablets_path_reaches_what_is_behind_it,
    t_c5_no_other_spelling_of_a_persons_path_goes_around_the_token,
    t_c6_the_server_does_not_start_on_keys_that_others_know,
}

/// A client that writes what it is told to, byte for byte, on one connection as long as the door keeps it.
struct Raw {
    door: SocketAddr,
    connector: SslConnector,
    open: Option<Connection>,
}

impl Raw {
    fn new(door: SocketAddr, server: &TestServer, identity: Option<&Identity>) -> Self {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        let mut trusted = X509StoreBuilder::new().unwrap();
        trusted.add_cert(X509::from_pem(server.trust_pem().unwrap().as_bytes()).unwrap()).unwrap();
        connector.set_cert_store(trusted.build());
        if let Some(identity) = identity {
            connector.set_certificate(identity.certificate()).unwrap();
            connector.set_private_key(identity.key()).unwrap();
        }
        Self { door, connector: connector.build(), open: None }
    }

    /// Sends a request; gives the status and everything that came.
    fn send(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        let request = [head.as_bytes(), body].concat();
        // The door may have closed a connection that was kept: then the request is sent on another.
        let kept = self.open.take().and_then(|kept| exchange(kept, &request));
        let (mut connection, head) = kept.unwrap_or_else(|| {
            let tcp = TcpStream::connect(self.door).unwrap();
            tcp.set_nodelay(true).unwrap();
            let fresh = BufReader::new(self.connector.connect("localhost", tcp).unwrap());
            exchange(fresh, &request).unwrap_or_else(|| panic!("{method} {target}: no answer"))
        });
        let fields = head.to_lowercase();
        let field = |name: &str| fields.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = field("content-length:").map_or(0, |length| length.parse().unwrap());
        let mut answer = vec![0; length];
        connection.read_exact(&mut answer).unwrap();
        if field("connection:") != Some("close") {
            self.open = Some(connection);
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, head + &String::from_utf8_lossy(&answer))
    }
}

type Connection = BufReader<SslStream<TcpStream>>;

/// Sends a request and reads the head of its answer; none if the other side had hung up.
fn exchange(mut connection: Connection, request: &[u8]) -> Option<(Connection, String)> {
    connection.get_mut().write_all(request).ok()?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some((connection, head))
}

/// Other spellings of a path, that some router, proxy or file system takes for the same.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let mut rest = name.chars();
    let first = u32::from(rest.next().unwrap());
    let (rest, bare) = (rest.as_str(), path.trim_start_matches('/'));
    let mut all = vec![
        format!("/{path}"),
        format!("{folder}//{name}"),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}."),
        format!("{path}/."),
        format!("{folder}/./{name}"),
        format!("/.{path}"),
        format!("/x/..{path}"),
        format!("/x/%2e%2e{path}"),
        format!("/x/%2E%2E/{bare}"),
        format!("{folder}/%2e/{name}"),
        format!("{path}%2e"),
        format!("{path}%2f"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path};"),
        format!("{path};a=b"),
        format!("{folder};a=b/{name}"),
        format!("{folder}/%{first:02x}{rest}"),
        format!("{folder}/%{first:02X}{rest}"),
        format!("{folder}/%25{first:02x}{rest}"),
        format!("{folder}%2f{name}"),
        format!("{folder}\\{name}"),
        format!("\\{bare}"),
        path.to_uppercase(),
        format!("{folder}/{}", name.to_uppercase()),
        format!("{}/{name}", folder.to_uppercase()),
        format!("{path}.json"),
        format!("{path}\u{e9}"),
    ];
    all.retain(|spelling| spelling != path);
    all
}

/// The same path as parts of a whole address, or with what does not belong to it.
fn targets(path: &str) -> Vec<String> {
    [
        format!("https://localhost/x/..{path}"),
        format!("https://localhost/{path}"),
        format!("{path}/?x=1"),
        format!("//localhost{path}"),
    ]
    .to_vec()
}

async fn t_c5_no_other_spelling_of_a_tablets_path_reaches_what_is_behind_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let mut door = Raw::new(server.running().unwrap().tablets_addr(), &server, ipad.identity());
    let idle = xml(&report(ipad.udid(), "Idle", None));
    let token_update = xml(&ipad.token_update_message().unwrap());
    let link = server.link_for("DMPX00000001").await.unwrap();
    let link = url::Url::parse(&link).unwrap().path().to_owned();
    // Each would be answered 200 if it reached its handler.
    let known: [(&str, String, &str, &[u8]); 5] = [
        ("PUT", "/mdm/connect".to_owned(), "", &idle),
        ("PUT", "/mdm/checkin".to_owned(), "", &token_update),
        ("GET", "/scep".to_owned(), "?operation=GetCACaps", b""),
        ("POST", "/scep".to_owned(), "?operation=GetCACert", b""),
        ("GET", link.clone(), "", b""),
    ];
    for (method, path, query, body) in &known {
        for spelling in spellings(path).into_iter().chain(targets(path)) {
            let (status, answer) = door.send(method, &format!("{spelling}{query}"), "", body);
            assert!(matches!(status, 400 | 404 | 405), "{method} {spelling}: {answer}");
        }
        // No header is a second path either, nor a second method.
        for header in ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-HTTP-Method-Override"] {
            let value = if header.ends_with("Override") { *method } else { path.as_str() };
            let line = format!("{header}: {value}\r\n");
            let (status, answer) = door.send("TRACE", "/", &line, body);
            assert_eq!(status, 404, "{header}: {answer}");
        }
    }
    let (status, answer) = door.send("PUT", "/enrol/automated", "", b"x");
    assert_eq!(status, 404, "{answer}");
    // Nothing was used up, and each is served as it is written.
    for (method, path, query, body) in &known {
        let (status, answer) = door.send(method, &format!("{path}{query}"), "", body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
    }
    let (status, answer) = door.send("PUT", at(&server, "/mdm/connect").as_ref(), "", &idle);
    assert_eq!(status, 200, "a whole address is HTTP/1.1 too (RFC 9112 §3.2.2): {answer}");
    let links = server.api().unwrap().get("/api/v1/links").await.unwrap().ok().unwrap();
    let uses: Vec<_> = links["items"].as_array().unwrap().iter().map(|link| link["uses"].clone()).collect();
    assert_eq!(uses, [1, 1], "{links}");
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
}

async fn t_c5_no_other_spelling_of_a_persons_path_goes_around_the_token(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let token = server.new_token(fleet::Scope::Read).await.unwrap();
    let mut door = Raw::new(server.running().unwrap().people_addr(), &server, ipad.identity());
    let bearer = format!("Authorization: Bearer {}\r\n", token.expose());
    for path in ["/api/v1/tablets", "/api/v1/tablets/DMPX00000001", "/api/v1/inventory", "/api/v1/status"] {
        for spelling in spellings(path).into_iter().chain(targets(path)) {
            let (status, answer) = door.send("GET", &spelling, "", b"");
            assert!(matches!(status, 400 | 401 | 404), "{spelling}: {answer}");
            assert!(!answer.contains("DMPX0000"), "{spelling}: {answer}");
        }
        let (status, answer) = door.send("GET", path, "", b"");
        assert_eq!(status, 401, "{answer}");
        let (status, answer) = door.send("GET", path, &bearer, b"");
        assert_eq!(status, 200, "{answer}");
    }
    // What asks for more than a token that may look asks for it in every spelling. (A tablet's certificate, which
    // this client shows, opens nothing here anyway.)
    for (method, path, body) in
        [("POST", "/api/v1/links", &b"{\"uai\":\"0761234A\"}"[..]), ("GET", "/api/v1/tokens", b"")]
    {
        for spelling in spellings(path).into_iter().chain(targets(path)).chain([path.to_owned()]) {
            let (status, answer) = door.send(method, &spelling, &bearer, body);
            assert!(matches!(status, 400 | 401 | 403 | 404 | 405), "{method} {spelling}: {answer}");
        }
    }
    let links = server.api().unwrap().get("/api/v1/links").await.unwrap().ok().unwrap();
    assert_eq!(links["items"].as_array().unwrap().len(), 1, "the tablet's own");
}

async fn t_c6_the_server_does_not_start_on_keys_that_others_know(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let file = server.home().join("ardoise.keys");
    let genuine = fs::read_to_string(&file).unwrap();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();

    for open_to_others in [0o644, 0o604, 0o602, 0o620, 0o666, 0o777] {
        mode(open_to_others);
        let refused = server.start_again().await.unwrap_err().to_string();
        assert!(refused.contains("open to other users"), "{open_to_others:o}: {refused}");
        assert!(refused.contains("chmod 600"), "{refused}");
    }
    mode(0o600);
    let typed = encode_block(b"changeme-changeme-changeme-32byt");
    let zeros = encode_block(&[0; 32]);
    let counted: Vec<u8> = (1..=32).collect();
    let counted = encode_block(&counted);
    let documented = "QXJkb2lzZSBleGFtcGxlIGtleSwgbm90IGZvciB1c2U=".to_owned();
    for key in [typed, zeros, counted, documented] {
        // Beside the genuine key as well as alone: one that others know is one too many.
        for text in [format!("test:{key}\n"), format!("{genuine}\nother:{key}\n")] {
            fs::write(&file, &text).unwrap();
            let refused = server.start_again().await.unwrap_err().to_string();
            assert!(refused.contains("can be guessed"), "{key}: {refused}");
            assert!(!refused.contains(&key), "the message does not repeat it: {refused}");
        }
    }
    fs::write(&file, "").unwrap();
    server.start_again().await.unwrap_err();
    fs::remove_file(&file).unwrap();
    let missing = server.start_again().await.unwrap_err().to_string();
    assert!(missing.contains("cannot be read"), "{missing}");

    // A database that others reach, opened by a password that everybody tries first.
    fs::write(&file, &genuine).unwrap();
    mode(0o600);
    let mut stranger = TestServer::start(engine).await.unwrap();
    for password in ["ardoise", "postgres", "changeme", "Password"] {
        let url = format!("database.url=postgresql://ardoise:{password}@db.example.org/ardoise");
        let refused = stranger.start_again_with(&[&url]).await.unwrap_err().to_string();
        assert!(refused.contains("everybody tries first"), "{refused}");
        assert!(!refused.contains(&format!(":{password}@")), "{refused}");
    }

    // Nothing of all this touched what is sealed: with its own key the server serves its tablets.
    server.start_again().await.unwrap();
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 200);
    server.command("DMPX00000001", "ClearPasscode", serde_json::Value::Null).await.unwrap();
    ipad.set_passcode(Some("123456".to_owned()));
    obey(&mut ipad).await;
    assert_eq!(ipad.state().passcode, None, "the unlock token was opened");
}
