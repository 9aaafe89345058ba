//! Templates are filled in as they were typed, secrets come from elsewhere, and what cannot work is refused.

use clap::Parser;
use hyper::HeaderMap;

use super::*;

#[derive(Parser)]
struct Typed {
    #[command(flatten)]
    enqueue: EnqueueArguments,
}

fn typed(words: &[&str]) -> Result<Order, Failure> {
    let words = std::iter::once("x").chain(words.iter().copied());
    Order::read(&Typed::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).enqueue)
}

fn place() -> Place {
    Place::of(&Hardware::ipad("DMPX00000001"))
}

fn header<'a>(headers: &'a [(HeaderName, HeaderValue)], name: &str) -> &'a str {
    headers.iter().find(|(known, _value)| known == name).unwrap().1.to_str().unwrap()
}

fn reply(body: &'static str) -> Reply {
    Reply { status: 201, headers: HeaderMap::new(), body: body.into() }
}

#[test]
fn ardoise_is_spoken_with_a_token_and_names_the_command_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "ardoise_s3cret\n").unwrap();
    let secret = format!("file:{}", file.display());
    let order =
        typed(&["--dialect", "ardoise", "--api", "https://localhost:9443/", "--secret", &secret]).unwrap();
    let place = place();
    let Request { method, url, headers, body } = order.request(&place).unwrap();
    assert_eq!(
        (method, url.as_str()),
        (Method::POST, "https://localhost:9443/api/v1/tablets/DMPX00000001/commands")
    );
    assert_eq!(header(&headers, "authorization"), "Bearer ardoise_s3cret");
    assert_eq!(header(&headers, "content-type"), "application/json");
    assert_eq!(body, br#"{"request_type":"DeviceInformation"}"#);
    assert_eq!(order.command_uuid(&place, &reply(r#"{"id":"0193"}"#)).unwrap(), "0193");
    let problem = order.command_uuid(&place, &reply("{}")).unwrap_err().to_string();
    assert!(problem.contains("`/id`"), "{problem}");
    assert!(!format!("{order:?}").contains("s3cret"));
}

#[test]
fn nanomdm_is_spoken_with_a_property_list_that_names_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "k3y").unwrap();
    let secret = format!("file:{}", file.display());
    let order =
        typed(&["--dialect", "nanomdm", "--api", "http://127.0.0.1:9000", "--secret", &secret]).unwrap();
    let place = place();
    let Request { method, url, headers, body } = order.request(&place).unwrap();
    assert_eq!(method, Method::PUT);
    assert_eq!(url.as_str(), format!("http://127.0.0.1:9000/v1/enqueue/{}?nopush=1", place.udid));
    assert_eq!(header(&headers, "authorization"), format!("Basic {}", STANDARD.encode("nanomdm:k3y")));
    let command = plist::Value::from_reader(std::io::Cursor::new(body)).unwrap();
    let uuid = command.as_dictionary().unwrap().get("CommandUUID").unwrap().as_string().unwrap();
    assert_eq!(order.command_uuid(&place, &reply("")).unwrap(), uuid);
}

#[test]
fn another_server_is_described_by_templates() {
    let order = typed(&[
        "--enqueue-url",
        "https://h/v1/commands?d={udid}",
        "--enqueue-method",
        "patch",
        "--enqueue-header",
        "X-Serial: fixed",
        "--enqueue-body",
        "{serial} {uuid}",
    ])
    .unwrap();
    let place = place();
    let Request { method, url, headers, body } = order.request(&place).unwrap();
    assert_eq!((method, url.query()), (Method::PATCH, Some(format!("d={}", place.udid).as_str())));
    assert_eq!(header(&headers, "x-serial"), "fixed");
    assert_eq!(body, format!("DMPX00000001 {}", place.uuid).into_bytes());
    assert_eq!(order.command_uuid(&place, &reply("")).unwrap(), place.uuid);
}

#[test]
fn a_body_may_come_from_a_file_and_a_header_replaces_the_dialects() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body.json");
    std::fs::write(&file, r#"{"request_type":"SecurityInfo"}"#).unwrap();
    let body = format!("@{}", file.display());
    let order = typed(&[
        "--dialect",
        "ardoise",
        "--api",
        "https://h",
        "--enqueue-body",
        &body,
        "--enqueue-header",
        "content-type: application/x",
        "--enqueue-uuid-at",
        "/command/id",
    ])
    .unwrap();
    let Request { headers, body, .. } = order.request(&place()).unwrap();
    assert_eq!(body, br#"{"request_type":"SecurityInfo"}"#);
    assert_eq!(headers.len(), 1);
    assert_eq!(header(&headers, "content-type"), "application/x");
    assert_eq!(order.command_uuid(&place(), &reply(r#"{"command":{"id":"x"}}"#)).unwrap(), "x");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    for (words, reason) in [
        (&["--enqueue-url", "https://h/{seria}", "--enqueue-body", "{uuid}"][..], "{serial}"),
        (&["--enqueue-url", "https://h/", "--enqueue-body", "{}"], "CommandUUID"),
        (&["--enqueue-url", "ftp://h/", "--enqueue-body", "{uuid}"], "https://"),
        (&["--enqueue-url", "https://h/", "--enqueue-body", "@/no/such/{uuid}"], "cannot be read"),
        (
            &["--enqueue-url", "https://h/", "--enqueue-body", "{uuid}", "--enqueue-header", "nonsense"],
            "Name: value",
        ),
        (
            &["--enqueue-url", "https://h/", "--enqueue-body", "{uuid}", "--enqueue-header", "A: {secret}"],
            "--secret",
        ),
        (
            &["--dialect", "ardoise", "--api", "https://h", "--secret", "env:NO_SUCH_VARIABLE_IS_SET"],
            "environment",
        ),
    ] {
        let refusal = typed(words).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{words:?}: {refusal}");
    }
    let naked =
        Typed::try_parse_from(["x", "--dialect", "ardoise", "--api", "https://h", "--secret", "s3cret"]);
    assert!(naked.err().unwrap().to_string().contains("env:NAME"), "a secret is never an argument");
}
