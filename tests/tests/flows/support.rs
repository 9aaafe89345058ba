//! What the stories share.

use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use openssl::x509::X509Ref;
use serde_json::Value;
use store::certificates::Certificate;
use tablets::{Conversation, HttpClient, Identity, Ipad, Outcome, Reply, Request, Status};
use testkit::{Patience, TestServer, wait_until};
use types::{Clock as _, EnrolmentId};
use url::Url;

/// Two tests of each story, one per engine.
macro_rules! on_both_engines {
    ($($name:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(store::Engine::Sqlite).await;
            })*
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(store::Engine::Postgresql).await;
            })*
        }
    };
}
pub(crate) use on_both_engines;

/// The collège of most tablets.
pub(crate) const COLLEGE: &str = "0761234A";
/// Another one.
pub(crate) const OTHER_COLLEGE: &str = "0769876B";

/// What the server says of a tablet: `enrolled`, …
pub(crate) async fn standing(server: &TestServer, serial: &str) -> String {
    let tablet = server.tablet(serial).await.unwrap();
    tablet["state"].as_str().unwrap_or_default().to_owned()
}

/// The tablet's enrolment, as the API shows it.
pub(crate) async fn enrolment(server: &TestServer, serial: &str) -> Value {
    server.tablet(serial).await.unwrap()["enrolment"].clone()
}

/// What the tablet last reported of this kind.
pub(crate) async fn observation(server: &TestServer, serial: &str, kind: &str) -> Option<Value> {
    let tablet = server.tablet(serial).await.unwrap();
    let all = tablet["observations"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|one| one["kind"] == kind).map(|one| one["body"].clone())
}

/// The state of a command.
pub(crate) async fn state_of(server: &TestServer, command: &str) -> String {
    server.show_command(command).await.unwrap()["state"].as_str().unwrap_or_default().to_owned()
}

/// Lets the tablet carry out all it is given; all of it must be acknowledged.
pub(crate) async fn obey(ipad: &mut Ipad) -> Conversation {
    let conversation = ipad.poll().await.unwrap();
    let odd: Vec<_> = conversation.handled.iter().filter(|one| one.status != Status::Acknowledged).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(conversation.outcome.is_accepted(), "{:?}", conversation.outcome);
    conversation
}

/// The calendar's round, now: tablets are put into segments, and those that are due are woken.
pub(crate) async fn round(server: &TestServer) {
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (fleet, now) = (server.fleet().unwrap(), server.clock().now());
    fleet::segments::follow(fleet, &calendar, now).await.unwrap();
}

/// An enrolled tablet that was pushed once, came, and sleeps.
pub(crate) async fn asleep(server: &TestServer, serial: &str) -> Ipad {
    let mut ipad = server.enrolled_ipad(serial).await.unwrap();
    pushed(server, &ipad, 1).await;
    obey(&mut ipad).await;
    ipad
}

/// How often the tablet was pushed with the token it has.
pub(crate) fn pushes(server: &TestServer, ipad: &Ipad) -> usize {
    let enrolment = ipad.enrolment().unwrap();
    let all = server.push_service().apns().pushes();
    all.iter().filter(|push| push.token == enrolment.push_token && push.magic == enrolment.push_magic).count()
}

/// Waits until it was pushed so often.
pub(crate) async fn pushed(server: &TestServer, ipad: &Ipad, times: usize) {
    let what = format!("{} was pushed {times} times", ipad.serial());
    let come = wait_until(&what, Patience::default(), || async {
        Ok((pushes(server, ipad) >= times).then_some(()))
    });
    if let Err(error) = come.await {
        let path = format!("/api/v1/tablets/{}/commands", ipad.serial());
        let queued = server.api().unwrap().get(&path).await.unwrap();
        let told = why(server, queued.text("/items/0/id")).await;
        panic!("{error}: {told:?}; {:?}", server.push_service().apns().refusals());
    }
    assert_eq!(pushes(server, ipad), times);
}

/// The code and the sentence of why a command is where it is.
pub(crate) async fn why(server: &TestServer, command: &str) -> (String, String) {
    let path = format!("/api/v1/commands/{command}/why");
    let answer = server.api().unwrap().get(&path).await.unwrap();
    (answer.text("/code").to_owned(), answer.text("/english").to_owned())
}

/// Asks for a command by hand, and does not answer it: its `CommandUUID`.
pub(crate) async fn fetched(ipad: &mut Ipad) -> Option<String> {
    let idle = report(ipad.udid(), "Idle", None);
    given(&ipad.report(&idle).await.unwrap())
}

/// The `CommandUUID` of a command that was given.
pub(crate) fn given(outcome: &Outcome) -> Option<String> {
    assert!(outcome.is_accepted(), "{outcome:?}");
    let body = outcome.body().filter(|body| !body.is_empty())?;
    let command = plist::Value::from_reader(std::io::Cursor::new(body)).ok()?.into_dictionary()?;
    command.get("CommandUUID")?.as_string().map(str::to_owned)
}

/// The status of an answer that must leave the tablet managed.
pub(crate) fn still_managed(outcome: &Outcome) -> u16 {
    assert!(!matches!(outcome, Outcome::Unenrolled { .. }), "{outcome:?}");
    outcome.status()
}

/// A report to the connect URL, as another tablet might write it.
pub(crate) fn report(udid: &str, status: &str, command: Option<&str>) -> plist::Dictionary {
    let mut report = plist::Dictionary::new();
    report.insert("UDID".into(), udid.into());
    report.insert("Status".into(), status.into());
    if let Some(command) = command {
        report.insert("CommandUUID".into(), command.into());
    }
    report
}

/// A day of the calendar.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A property list as it goes over the wire.
pub(crate) fn xml(message: &plist::Dictionary) -> Vec<u8> {
    let mut written = Vec::new();
    plist::Value::Dictionary(message.clone()).to_writer_xml(&mut written).unwrap();
    written
}

/// The tablets' clock of this server, for clients that are not built by it.
pub(crate) fn clock(server: &TestServer) -> tablets::Clock {
    let clock = server.clock().clone();
    tablets::Clock::reading(move || clock.now().as_seconds())
}

/// A client that is nobody: it trusts the server, and proves nothing of its own.
pub(crate) fn stranger(server: &TestServer) -> HttpClient {
    HttpClient::new(server.trust().clone(), clock(server))
}

/// An address of the tablets' door.
pub(crate) fn at(server: &TestServer, path: &str) -> Url {
    server.tablets_url().unwrap().join(path).unwrap()
}

/// Sends a body to the tablets' door, with these headers, and perhaps a client certificate.
pub(crate) async fn put(
    http: &mut HttpClient,
    url: Url,
    headers: &[(&'static str, String)],
    identity: Option<&Identity>,
    body: &[u8],
) -> Reply {
    let mut request = Request::new(Method::PUT, url, body.to_vec());
    for (name, value) in headers {
        request =
            request.header(HeaderName::from_static(name), HeaderValue::try_from(value.as_str()).unwrap());
    }
    http.send(&request, identity).await.unwrap()
}

/// The id of a tablet's enrolment.
pub(crate) async fn enrolment_id(server: &TestServer, serial: &str) -> EnrolmentId {
    enrolment(server, serial).await["id"].as_str().unwrap().parse().unwrap()
}

/// The certificates that an enrolment was given, oldest first, as the memory has them: no API shows them.
pub(crate) async fn certificates_of(server: &TestServer, enrolment: EnrolmentId) -> Vec<Certificate> {
    let store = server.fleet().unwrap().store();
    store.read(move |tx| store::certificates::of_enrolment(tx, enrolment)).await.unwrap()
}

/// How the memory knows a certificate.
pub(crate) fn fingerprint(certificate: &X509Ref) -> store::Digest {
    store::Digest::from(pki::Fingerprint::of(&certificate.to_der().unwrap()))
}

/// How many commands of a type a tablet was ever given to do.
pub(crate) async fn commands_of(server: &TestServer, serial: &str, request_type: &str) -> usize {
    let path = format!("/api/v1/tablets/{serial}/commands");
    let listed = server.api().unwrap().get(&path).await.unwrap().ok().unwrap();
    let items = listed["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter(|command| command["request_type"] == request_type).count()
}

/// A valid check-in message of every kind, from this tablet.
pub(crate) fn check_ins(ipad: &Ipad) -> Vec<(&'static str, plist::Dictionary)> {
    let topic = ipad.enrolment().map(|enrolment| enrolment.mdm.topic.clone()).unwrap_or_default();
    let message = |name: &str, keys: &[(&str, plist::Value)]| {
        let mut message = plist::Dictionary::new();
        message.insert("MessageType".into(), name.into());
        message.insert("UDID".into(), ipad.udid().into());
        message.extend(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        message
    };
    vec![
        ("Authenticate", ipad.authenticate_message().unwrap()),
        ("TokenUpdate", ipad.token_update_message().unwrap()),
        (
            "SetBootstrapToken",
            message("SetBootstrapToken", &[("BootstrapToken", plist::Value::Data(vec![7; 32]))]),
        ),
        ("GetBootstrapToken", message("GetBootstrapToken", &[])),
        ("DeclarativeManagement", message("DeclarativeManagement", &[("Endpoint", "tokens".into())])),
        ("GetToken", message("GetToken", &[("TokenServiceType", "com.apple.maid".into())])),
        ("ReturnToService", message("ReturnToService", &[])),
        ("UserAuthenticate", message("UserAuthenticate", &[("UserID", "0".into())])),
        ("CheckOut", message("CheckOut", &[("Topic", topic.into())])),
    ]
}

/// The message without a key.
pub(crate) fn without(message: &plist::Dictionary, key: &str) -> plist::Dictionary {
    let mut message = message.clone();
    message.remove(key);
    message
}

/// The message with a key, in place of the one that is there.
pub(crate) fn with(message: &plist::Dictionary, key: &str, value: plist::Value) -> plist::Dictionary {
    let mut message = message.clone();
    message.insert(key.to_owned(), value);
    message
}
