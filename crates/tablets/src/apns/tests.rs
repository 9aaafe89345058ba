//! Apple's refusals, over real TLS and HTTP/2.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::SendRequest;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use openssl::ssl::{SslConnector, SslVerifyMode};
use openssl::x509::X509;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::*;
use crate::authority::Validity;
use crate::{Identity, PushCertificate};

const TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-00000000000a";
const OTHER_TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-00000000000b";

/// A service, and the authority behind it.
struct Service {
    authority: PushAuthority,
    apns: Apns,
}

/// What a push was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    reason: String,
    body: Value,
    retry_after: Option<String>,
    id: Option<String>,
}

/// A push as it is wanted; tests spoil one part of it.
struct Wanted {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Wanted {
    fn to(token: &str) -> Self {
        Self {
            method: Method::POST,
            path: format!("/3/device/{token}"),
            headers: vec![("apns-topic", TOPIC.to_owned()), ("apns-push-type", "mdm".to_owned())],
            body: br#"{"mdm":"magic"}"#.to_vec(),
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _value)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _value)| *known != name);
        self
    }

    fn path(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    fn body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self }
    }
}

fn token(number: u8) -> String {
    hex::encode([number; 32])
}

impl Service {
    async fn start() -> Self {
        let authority = PushAuthority::new(Clock::system().now()).unwrap();
        let apns = Apns::on_loopback(&authority).await.unwrap();
        Self { authority, apns }
    }

    fn certificate(&self) -> PushCertificate {
        self.authority.certificate(TOPIC).unwrap()
    }

    /// The TLS handshake, with this certificate and these protocols.
    async fn handshake(
        &self,
        certificate: Option<&PushCertificate>,
        protocols: &[u8],
    ) -> Result<std::pin::Pin<Box<SslStream<TcpStream>>>, String> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        let root = X509::from_pem(self.apns.root_pem().unwrap().as_bytes()).unwrap();
        builder.cert_store_mut().add_cert(root).unwrap();
        builder.set_verify(SslVerifyMode::PEER);
        builder.set_alpn_protos(protocols).unwrap();
        if let Some(certificate) = certificate {
            let pem = format!("{}{}", certificate.certificate_pem, certificate.key_pem);
            let identity = Identity::from_pem(&pem).unwrap();
            builder.set_certificate(identity.certificate()).unwrap();
            builder.set_private_key(identity.key()).unwrap();
        }
        let ssl = builder.build().configure().unwrap().into_ssl("localhost").unwrap();
        let tcp = TcpStream::connect(self.apns.address()).await.unwrap();
        let mut stream = Box::pin(SslStream::new(ssl, tcp).unwrap());
        stream.as_mut().connect().await.map_err(|error| error.to_string())?;
        Ok(stream)
    }

    async fn line(&self, certificate: &PushCertificate) -> Line {
        let stream = self.handshake(Some(certificate), b"\x02h2").await.unwrap();
        assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let ended = tokio::spawn(async move { connection.await.map_err(|error| error.to_string()) });
        Line { sender, ended }
    }

    async fn push(&self, wanted: Wanted) -> Answer {
        self.line(&self.certificate()).await.push(wanted).await.unwrap()
    }
}

/// A connection of a server that pushes.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    ended: JoinHandle<Result<(), String>>,
}

impl Line {
    async fn push(&mut self, wanted: Wanted) -> Result<Answer, String> {
        let mut request =
            Request::builder().method(wanted.method).uri(format!("https://localhost{}", wanted.path));
        for (name, value) in wanted.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(wanted.body))).unwrap();
        self.sender.ready().await.map_err(|error| error.to_string())?;
        let response = self.sender.send_request(request).await.map_err(|error| error.to_string())?;
        read(response).await
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (retry_after, id) = (header("retry-after"), header("apns-id"));
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    let reason = body["reason"].as_str().unwrap_or_default().to_owned();
    Ok(Answer { status: head.status.as_u16(), reason, body, retry_after, id })
}

#[tokio::test]
async fn a_proper_push_is_accepted_and_remembered_as_it_was_sent() {
    let service = Service::start().await;
    let mut arrivals = service.apns.subscribe();
    let wanted = Wanted::to(&token(1).to_uppercase())
        .header("apns-priority", "10")
        .header("apns-expiration", "0")
        .header("apns-id", "A1B2");
    let answer = service.push(wanted).await;
    assert_eq!((answer.status, answer.id.as_deref()), (200, Some("A1B2")));
    let push = arrivals.recv().await.unwrap();
    assert_eq!((push.token, push.topic.as_str(), push.magic.as_str()), (token(1), TOPIC, "magic"));
    assert_eq!((push.priority.as_deref(), push.expiration.as_deref()), (Some("10"), Some("0")));
    assert_eq!(service.apns.pushes().len(), 1);
    let answer = service.push(Wanted::to(&token(1))).await;
    assert!(answer.id.is_some_and(|id| id.len() == 36), "a push without an id is given one");
    assert_eq!((service.apns.counts(), service.apns.connections()), ((2, 0), 2));
}

#[tokio::test]
async fn what_apple_refuses_is_refused_in_apples_words() {
    let service = Service::start().await;
    service.apns.register(&token(2), OTHER_TOPIC);
    let good = || Wanted::to(&token(1));
    let cases = [
        (good().path("/3/devices/x"), 404, "BadPath"),
        (good().path("/"), 404, "BadPath"),
        (good().method(Method::GET), 405, "MethodNotAllowed"),
        (good().method(Method::PUT), 405, "MethodNotAllowed"),
        (good().path("/3/device/"), 400, "MissingDeviceToken"),
        (good().path("/3/device/abcd"), 400, "BadDeviceToken"),
        (good().path(&format!("/3/device/{}", "g".repeat(64))), 400, "BadDeviceToken"),
        (good().path(&format!("/3/device/{}", "a".repeat(65))), 400, "BadDeviceToken"),
        (good().path(&format!("/3/device/{}", "a".repeat(202))), 400, "BadDeviceToken"),
        (good().without("apns-topic"), 400, "MissingTopic"),
        (good().header("apns-topic", OTHER_TOPIC), 400, "TopicDisallowed"),
        (Wanted::to(&token(2)), 400, "DeviceTokenNotForTopic"),
        (good().without("apns-push-type"), 400, "InvalidPushType"),
        (good().header("apns-push-type", "alert"), 400, "InvalidPushType"),
        (good().header("apns-priority", "7"), 400, "BadPriority"),
        (good().header("apns-expiration", "soon"), 400, "BadExpirationDate"),
        (good().body(b""), 400, "PayloadEmpty"),
        (good().body(b"magic"), 400, "PayloadEmpty"),
        (good().body(br#"{"mdm":""}"#), 400, "PayloadEmpty"),
        (good().body(br#"{"mdm":"magic","aps":{}}"#), 400, "PayloadEmpty"),
        (good().body(br#"{"aps":{}}"#), 400, "PayloadEmpty"),
        (good().body(&vec![b' '; 4097]), 413, "PayloadTooLarge"),
        (good().body(&vec![b' '; 100_000]), 413, "PayloadTooLarge"),
    ];
    let expected = cases.len();
    let mut line = service.line(&service.certificate()).await;
    for (wanted, status, reason) in cases {
        let told = format!("{} {} {:?}", wanted.method, wanted.path, wanted.headers);
        let answer = line.push(wanted).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason), "{told}");
    }
    assert!(service.apns.pushes().is_empty());
    assert_eq!(service.apns.refusals().len(), expected);
}

#[tokio::test]
async fn a_payload_as_long_as_allowed_is_accepted() {
    let service = Service::start().await;
    let magic = "m".repeat(4096 - r#"{"mdm":""}"#.len());
    let answer = service.push(Wanted::to(&token(1)).body(format!(r#"{{"mdm":"{magic}"}}"#).as_bytes())).await;
    assert_eq!((answer.status, service.apns.pushes()[0].magic.len()), (200, magic.len()));
}

#[tokio::test]
async fn unknown_tokens_are_refused_only_when_told() {
    let service = Service::start().await;
    assert_eq!(service.push(Wanted::to(&token(1))).await.status, 200);
    service.apns.refuse_unknown_tokens(true);
    service.apns.register(&token(2).to_uppercase(), TOPIC);
    let answer = service.push(Wanted::to(&token(1))).await;
    assert_eq!((answer.status, answer.reason.as_str()), (400, "BadDeviceToken"));
    assert_eq!(service.push(Wanted::to(&token(2))).await.status, 200);
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_time_is_refused_with_403() {
    let service = Service::start().await;
    let now = Clock::system().now();
    let stranger = PushAuthority::new(now).unwrap().certificate(TOPIC).unwrap();
    let expired = Validity { from: now - 20 * 86_400, until: now - 86_400 };
    let expired = service.authority.certificate_valid(TOPIC, expired).unwrap();
    let future = Validity { from: now + 86_400, until: now + 20 * 86_400 };
    let future = service.authority.certificate_valid(TOPIC, future).unwrap();
    for (what, certificate) in [("a stranger's", stranger), ("an expired", expired), ("a future", future)] {
        let answer = service.line(&certificate).await.push(Wanted::to(&token(1))).await.unwrap();
        assert_eq!((answer.status, answer.reason.as_str()), (403, "BadCertificate"), "{what} certificate");
    }
    assert_eq!(
        service.authority.topic_of_pem(&service.certificate().certificate_pem, now).as_deref(),
        Some(TOPIC)
    );
}

#[tokio::test]
async fn without_a_certificate_or_without_http_2_there_is_no_connection() {
    let service = Service::start().await;
    // With TLS 1.3 the client may believe that the handshake succeeded until it reads.
    if let Ok(mut stream) = service.handshake(None, b"\x02h2").await {
        use tokio::io::AsyncReadExt as _;
        let mut byte = [0];
        assert!(!matches!(stream.as_mut().read(&mut byte).await, Ok(1..)), "the service said something");
    }
    assert!(service.handshake(Some(&service.certificate()), b"\x08http/1.1").await.is_err());
    assert_eq!(service.apns.connections(), 0);
    assert_eq!(service.push(Wanted::to(&token(1))).await.status, 200, "it still serves others");
}

#[tokio::test]
async fn a_device_that_is_gone_is_told_with_the_moment_it_went() {
    let service = Service::start().await;
    service.apns.fail(&token(1), ApnsFault::Unregistered { since: 1_700_000_000_123 }, 1);
    let answer = service.push(Wanted::to(&token(1))).await;
    assert_eq!((answer.status, answer.reason.as_str()), (410, "Unregistered"));
    assert_eq!(answer.body["timestamp"], 1_700_000_000_123_i64);
    assert_eq!(service.push(Wanted::to(&token(2))).await.status, 200, "another token is not concerned");
    assert_eq!(service.push(Wanted::to(&token(1))).await.status, 200, "the fault was for one push");
}

#[tokio::test]
async fn too_many_requests_and_an_outage_are_told_as_often_as_wanted() {
    let service = Service::start().await;
    service.apns.fail(&token(1), ApnsFault::TooManyRequests, 2);
    service.apns.fail_all(ApnsFault::ServiceUnavailable { retry_after: Some(7) }, 1);
    let mut line = service.line(&service.certificate()).await;
    let mut seen = Vec::new();
    for _push in 0..4 {
        let answer = line.push(Wanted::to(&token(1))).await.unwrap();
        seen.push((answer.status, answer.reason, answer.retry_after));
    }
    let expected = [
        (429, "TooManyRequests", None),
        (429, "TooManyRequests", None),
        (503, "ServiceUnavailable", Some("7")),
        (200, "", None),
    ];
    for (seen, (status, reason, retry_after)) in seen.iter().zip(expected) {
        assert_eq!((seen.0, seen.1.as_str(), seen.2.as_deref()), (status, reason, retry_after));
    }
    service.apns.fail_all(ApnsFault::Refusal { status: 500, reason: "InternalServerError".into() }, 1);
    let answer = line.push(Wanted::to(&token(9))).await.unwrap();
    assert_eq!((answer.status, answer.reason.as_str()), (500, "InternalServerError"));
}

#[tokio::test]
async fn a_connection_dies_or_goes_away_when_told() {
    let service = Service::start().await;
    service.apns.fail(&token(1), ApnsFault::ConnectionDeath, 1);
    let mut line = service.line(&service.certificate()).await;
    line.push(Wanted::to(&token(1))).await.unwrap_err();
    assert!(service.apns.pushes().is_empty());

    service.apns.go_away_after(Some(2));
    let mut line = service.line(&service.certificate()).await;
    for number in 1..=2 {
        assert_eq!(
            line.push(Wanted::to(&token(number))).await.unwrap().status,
            200,
            "what is under way is served"
        );
    }
    line.ended.await.unwrap().unwrap();
    assert_eq!(service.apns.pushes().len(), 2);
}

#[tokio::test]
async fn silence_delays_a_push_and_nothing_else() {
    let service = Service::start().await;
    service.apns.fail(&token(1), ApnsFault::Silence(Duration::from_millis(50)), 1);
    let mut line = service.line(&service.certificate()).await;
    let mut other = Line { sender: line.sender.clone(), ended: tokio::spawn(async { Ok(()) }) };
    let (silent, prompt) = tokio::join!(line.push(Wanted::to(&token(1))), other.push(Wanted::to(&token(2))));
    assert_eq!((silent.unwrap().status, prompt.unwrap().status), (200, 200));
    let order: Vec<_> = service.apns.pushes().into_iter().map(|push| push.token).collect();
    assert_eq!(order, [token(2), token(1)], "the prompt one was accepted first");
}

#[tokio::test]
async fn a_service_that_keeps_no_pushes_still_counts_and_tells_them() {
    let service = Service::start().await;
    assert_eq!(service.push(Wanted::to(&token(1))).await.status, 200);
    service.apns.keep_no_pushes();
    let mut arrivals = service.apns.subscribe();
    let mut line = service.line(&service.certificate()).await;
    assert_eq!(line.push(Wanted::to(&token(2))).await.unwrap().status, 200);
    assert_eq!(line.push(Wanted::to("00")).await.unwrap().status, 400);
    assert_eq!(arrivals.recv().await.unwrap().token, token(2));
    assert_eq!(
        (service.apns.counts(), service.apns.pushes().len(), service.apns.refusals().len()),
        ((2, 1), 0, 0)
    );
}

#[tokio::test]
async fn an_authority_that_was_kept_vouches_for_the_same_certificates() {
    let now = Clock::system().now();
    let first = PushAuthority::new(now).unwrap();
    let certificate = first.certificate(TOPIC).unwrap();
    let authority = PushAuthority::from_pem(&first.to_pem().unwrap(), now).unwrap();
    let apns = Apns::on_loopback(&authority).await.unwrap();
    assert_eq!(apns.root_pem().unwrap(), first.root_pem().unwrap());
    let service = Service { authority, apns };
    assert_eq!(service.line(&certificate).await.push(Wanted::to(&token(1))).await.unwrap().status, 200);
}
