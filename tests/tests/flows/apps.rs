//! Apps of the département's own: uploaded by a person, fetched by the tablets that they were meant for, by nobody else,
//! and never by a path that somebody wrote.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use hyper::Method;
use hyper::header::{CONTENT_RANGE, ETAG, HeaderName, IF_RANGE, RANGE};
use openssl::ssl::{SslConnector, SslMethod, SslStream};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use serde_json::{Value, json};
use tablets::{HttpClient, Identity, Ipad, Request};
use testkit::{Answer, Patience, TestServer, wait_until};
use types::{Clock as _, Digest, Duration, EnrolmentId};
use url::Url;

use crate::support::{DAY, enrolment_id, on_both_engines};

on_both_engines! {
    c3_1_4_an_app_of_the_departement_reaches_its_tablet_whole_and_in_parts,
    t_c8_a_name_that_is_wrong_expired_or_anothers_is_answered_like_nothing,
    t_c8_a_package_that_is_dangerous_or_another_is_refused_and_nothing_of_it_is_left,
    t_c8_an_upload_that_breaks_off_leaves_nothing_behind,
    t_c8_no_more_uploads_run_at_once_than_may,
    t_c8_an_upload_that_takes_too_long_in_all_is_given_up,
    t_c8_a_disk_that_is_too_full_takes_no_app_in,
    t_c15_a_field_that_is_not_known_is_refused,
    a_server_whose_shared_folder_is_gone_is_not_ready,
}

const CANTINE: &str = "fr.departement.cantine";
const FIRST: &str = "DMPX00000001";
const SECOND: &str = "DMPX00000002";

/// Content that no two pieces of are alike.
fn content(bytes: u32) -> Vec<u8> {
    (0..bytes / 4).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// An app in the catalogue whose file is to be uploaded: its id.
async fn added(server: &TestServer, version: &str) -> String {
    let new = json!({
        "platform": "ipad", "bundle": CANTINE, "name": "Cantine", "source": "in-house", "version": version,
        "configuration": { "school": "0761234A" },
    });
    let answer = server.stepped_up().await.unwrap().post("/api/v1/apps", &new).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.text("/id").to_owned()
}

async fn upload(server: &TestServer, app: &str, content: Vec<u8>) -> Answer {
    let path = format!("/api/v1/apps/{app}/file");
    server.stepped_up().await.unwrap().upload(&path, "application/octet-stream", content).await.unwrap()
}

/// The address of the app's manifest, as the command for this enrolment has it.
async fn manifest_for(server: &TestServer, app: &str, enrolment: EnrolmentId) -> Url {
    let (fleet, now) = (server.fleet().unwrap(), server.clock().now());
    let id = app.parse().unwrap();
    let row = fleet.store().read(move |tx| store::apps::get(tx, &id)).await.unwrap().unwrap();
    let body = fleet::apps::delivery::install_body(fleet, &row, enrolment, true, now).unwrap();
    body.manifest_url.unwrap().parse().unwrap()
}

/// What the tablets' door answers to whoever asks, with these headers.
async fn get(
    server: &TestServer,
    url: &Url,
    headers: &[(HeaderName, &str)],
    identity: Option<&Identity>,
) -> tablets::Reply {
    let clock = server.clock().clone();
    let mut client =
        HttpClient::new(server.trust().clone(), tablets::Clock::reading(move || clock.now().as_seconds()));
    let request = Request::new(Method::GET, url.clone(), Vec::new());
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(name.clone(), value.parse().unwrap()));
    client.send(&request, identity).await.unwrap()
}

fn header(reply: &tablets::Reply, name: &HeaderName) -> String {
    reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The address of the file that a manifest names.
fn file_of(manifest: &tablets::Reply) -> Url {
    assert_eq!(manifest.status, 200);
    let list = plist::Value::from_reader_xml(&manifest.body[..]).unwrap();
    let item = &list.as_dictionary().unwrap()["items"].as_array().unwrap()[0];
    let metadata = item.as_dictionary().unwrap()["metadata"].as_dictionary().unwrap();
    assert_eq!(metadata["bundle-identifier"].as_string(), Some(CANTINE));
    assert_eq!(metadata["bundle-version"].as_string(), Some("17"), "the build that the file says");
    assert_eq!(metadata["kind"].as_string(), Some("software"));
    let asset = item.as_dictionary().unwrap()["assets"].as_array().unwrap()[0].as_dictionary().unwrap();
    assert_eq!(asset["kind"].as_string(), Some("software-package"));
    asset["url"].as_string().unwrap().parse().unwrap()
}

/// Every file of the shared folder.
fn left(server: &TestServer) -> Vec<PathBuf> {
    let folder = server.home().join("shared");
    let parts = ["apps", "incoming", "leaving"].map(|part| std::fs::read_dir(folder.join(part)).unwrap());
    parts.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn identity(ipad: &Ipad) -> Identity {
    ipad.identity().unwrap().clone()
}

async fn c3_1_4_an_app_of_the_departement_reaches_its_tablet_whole_and_in_parts(engine: store::Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let ipad = server.enrolled_ipad(FIRST).await.unwrap();
    let app = added(&server, "2.4.1").await;
    let package = testkit::ipa(CANTINE, "2.4.1", &[(b"Payload/App.app/App", &content(600_000))]).unwrap();
    let uploaded = upload(&server, &app, package.clone()).await;
    assert_eq!(uploaded.status, 200, "{uploaded:?}");
    let digest = Digest::of(&package).to_string();
    assert_eq!(uploaded.text("/sha256"), digest);
    let shown = server.api().unwrap().get(&format!("/api/v1/apps/{app}")).await.unwrap();
    assert_eq!((shown.text("/file/version"), shown.text("/file/build")), ("2.4.1", "17"));
    assert_eq!(left(&server), [server.home().join("shared/apps").join(&digest)], "its name is its digest");

    let enrolment = enrolment_id(&server, FIRST).await;
    let url = manifest_for(&server, &app, enrolment).await;
    // The system downloads without a certificate; with the tablet's own it is the same.
    let manifest = get(&server, &url, &[], None).await;
    let file = file_of(&manifest);
    let whole = get(&server, &file, &[], Some(&identity(&ipad))).await;
    assert_eq!((whole.status, whole.body.len()), (200, package.len()));
    assert!(whole.body[..] == package[..]);
    let tag = header(&whole, &ETAG);
    assert_eq!(tag, format!("\"{digest}\""));

    // A download that broke off goes on where it was.
    let (first, rest) = package.split_at(250_001);
    let begun = get(&server, &file, &[(RANGE, "bytes=0-250000")], None).await;
    assert_eq!(begun.status, 206);
    assert_eq!(header(&begun, &CONTENT_RANGE), format!("bytes 0-250000/{}", package.len()));
    assert!(begun.body[..] == *first);
    let resumed = get(&server, &file, &[(RANGE, "bytes=250001-"), (IF_RANGE, &tag)], None).await;
    assert!(resumed.status == 206 && resumed.body[..] == *rest);
    let other = get(&server, &file, &[(RANGE, "bytes=250001-"), (IF_RANGE, "\"another\"")], None).await;
    assert!(other.status == 200 && other.body[..] == package[..], "of another version, all of it");
    let beyond = get(&server, &file, &[(RANGE, "bytes=99999999-")], None).await;
    assert_eq!((beyond.status, header(&beyond, &CONTENT_RANGE)), (416, format!("bytes */{}", package.len())));

    // Whoever began with a version that was replaced meanwhile ends with it.
    let api = server.stepped_up().await.unwrap();
    api.put(&format!("/api/v1/apps/{app}"), &json!({ "version": "2.5" })).await.unwrap().ok().unwrap();
    let next = testkit::ipa(CANTINE, "2.5", &[]).unwrap();
    assert_eq!(upload(&server, &app, next.clone()).await.status, 200);
    let ended = get(&server, &file, &[(RANGE, "bytes=-1000"), (IF_RANGE, &tag)], None).await;
    assert!(ended.status == 206 && ended.body[..] == package[package.len() - 1000..]);
    let url = manifest_for(&server, &app, enrolment).await;
    let now_given = get(&server, &file_of(&get(&server, &url, &[], None).await), &[], None).await;
    assert!(now_given.body[..] == next[..]);
}

async fn t_c8_a_name_that_is_wrong_expired_or_anothers_is_answered_like_nothing(engine: store::Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let first = server.enrolled_ipad(FIRST).await.unwrap();
    let second = server.enrolled_ipad(SECOND).await.unwrap();
    let app = added(&server, "1").await;
    assert_eq!(upload(&server, &app, testkit::ipa(CANTINE, "1", &[]).unwrap()).await.status, 200);
    let digest = left(&server)[0].file_name().unwrap().to_str().unwrap().to_owned();
    let url = manifest_for(&server, &app, enrolment_id(&server, FIRST).await).await;
    let file = file_of(&get(&server, &url, &[], Some(&identity(&first))).await);

    let base = server.tablets_url().unwrap();
    let nothing = get(&server, &base.join("/nothing").unwrap(), &[], None).await;
    let is_nothing = |reply: &tablets::Reply| {
        let without_its_number = |reply: &tablets::Reply| {
            let mut headers = reply.headers.clone();
            headers.remove("x-request-id");
            headers.remove("date");
            headers
        };
        reply.status == 404
            && reply.body == nothing.body
            && without_its_number(reply) == without_its_number(&nothing)
    };
    // Another tablet that shows who it is, with the first one's name.
    for name in [&url, &file] {
        assert!(is_nothing(&get(&server, name, &[], Some(&identity(&second))).await));
    }
    // A letter of the name changed; the name of a file, a listing, a way around.
    let path = file.path().to_owned();
    let swapped = if path.ends_with('A') { "B" } else { "A" };
    for place in [6, 20, 60, 100, path.len() - 3] {
        let mut changed = path.clone();
        let other = if path.as_bytes()[place] == b'A' { "B" } else { "A" };
        changed.replace_range(place..=place, other);
        assert!(is_nothing(&get(&server, &base.join(&changed).unwrap(), &[], None).await), "{place}");
    }
    for odd in [
        "/apps".to_owned(),
        "/apps/".to_owned(),
        format!("/apps/{digest}"),
        format!("{path}{swapped}"),
        path.chars().take(path.len() - 1).collect(),
        format!("{path}/"),
        format!("{path}/../{digest}"),
        "/apps/..%2f..%2fardoise.keys".to_owned(),
    ] {
        assert!(is_nothing(&get(&server, &base.join(&odd).unwrap(), &[], None).await), "{odd}");
    }
    // In time it is good, and then no more.
    assert_eq!(get(&server, &file, &[], None).await.status, 200);
    server.advance(DAY - Duration::from_secs(60));
    assert_eq!(get(&server, &file, &[], None).await.status, 200);
    server.advance(Duration::from_secs(120));
    assert!(is_nothing(&get(&server, &file, &[], None).await), "expired");
    let file = file_of(&get(&server, &url, &[], None).await);
    // Of an app that was withdrawn nothing is given.
    let api = server.stepped_up().await.unwrap();
    api.post(&format!("/api/v1/apps/{app}/withdraw"), &json!({})).await.unwrap().ok().unwrap();
    for name in [&url, &file] {
        assert!(is_nothing(&get(&server, name, &[], None).await), "withdrawn");
    }
    // An enrolment that is over takes its names with it.
    let again = added(&server, "1").await;
    assert_eq!(upload(&server, &again, testkit::ipa(CANTINE, "1", &[]).unwrap()).await.status, 200);
    let enrolment = enrolment_id(&server, SECOND).await;
    let url = manifest_for(&server, &again, enrolment).await;
    assert_eq!(get(&server, &url, &[], None).await.status, 200);
    let mut anew = server.ipad(SECOND).build().unwrap();
    anew.enrol_by_link(&server.link_for(SECOND).await.unwrap()).await.unwrap();
    assert_ne!(enrolment_id(&server, SECOND).await, enrolment);
    assert!(is_nothing(&get(&server, &url, &[], None).await), "superseded");
}

async fn t_c8_a_package_that_is_dangerous_or_another_is_refused_and_nothing_of_it_is_left(
    engine: store::Engine,
) {
    let server = TestServer::setup(engine).flag("limits.app_bytes=400000").start().await.unwrap();
    let app = added(&server, "1").await;
    let packed_twice = {
        // The list says that an entry has more bytes than the archive.
        let mut package = testkit::ipa(CANTINE, "1", &[(b"Payload/App.app/App", &[7; 4_000])]).unwrap();
        let listed = package.windows(4).rposition(|at| at == b"PK\x01\x02").unwrap();
        package[listed + 24..listed + 28].copy_from_slice(&u32::MAX.to_le_bytes());
        package
    };
    for (package, why) in [
        (packed_twice, "a bomb"),
        (testkit::ipa(CANTINE, "1", &[(b"../../../etc/cron.d/x", b"")]).unwrap(), "leads out of its folder"),
        (testkit::ipa(CANTINE, "1", &[(b"/etc/passwd", b"")]).unwrap(), "leads out of its folder"),
        (testkit::ipa(CANTINE, "1", &[(b"Payload\\..\\x", b"")]).unwrap(), "a backslash"),
        (testkit::ipa("com.apple.mobilesafari", "1", &[]).unwrap(), "identifier"),
        (testkit::ipa(CANTINE, "2", &[]).unwrap(), "version"),
        (b"MZ is no zip".to_vec(), "not a whole zip"),
        (Vec::new(), "not a whole zip"),
        (content(500_000), "longer than 400000 bytes"),
    ] {
        let refused = upload(&server, &app, package).await;
        assert_eq!(refused.status, 422, "{why}: {refused:?}");
        assert!(refused.text("/detail").contains(why), "{why}: {}", refused.text("/detail"));
        assert!(left(&server).is_empty(), "{why}: {:?}", left(&server));
    }
    let shown = server.api().unwrap().get(&format!("/api/v1/apps/{app}")).await.unwrap();
    assert_eq!(shown.body.get("file_sha256"), None);
}

/// An upload of 900,000 bytes that has begun, and sends no more than a third of them.
async fn begun(server: &TestServer, app: &str) -> SslStream<TcpStream> {
    let token = {
        let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
        let session = testkit::people::session(
            store,
            server.operator().unwrap(),
            testkit::people::CodeShown::JustNow,
            now,
        );
        session.await.unwrap()
    };
    let mut trusted = X509StoreBuilder::new().unwrap();
    trusted.add_cert(X509::from_pem(server.trust_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_cert_store(trusted.build());
    let address = ("127.0.0.1", server.people_url().unwrap().port().unwrap());
    let (connector, app) = (connector.build(), app.to_owned());
    let connection = tokio::task::spawn_blocking(move || {
        let mut connection = connector.connect("localhost", TcpStream::connect(address).unwrap()).unwrap();
        let head = format!(
            "POST /api/v1/apps/{app}/file HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: 900000\r\n\r\n",
            token.expose()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(&content(300_000)).unwrap();
        connection
    });
    let connection = connection.await.unwrap();
    let received = || async {
        let bytes: u64 =
            left(&server).iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum();
        Ok((bytes > 0).then_some(()))
    };
    wait_until("a part of the upload lies in the folder", Patience::default(), received).await.unwrap();
    connection
}

async fn t_c8_an_upload_that_breaks_off_leaves_nothing_behind(engine: store::Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let app = added(&server, "1").await;
    drop(begun(&server, &app).await);
    let gone = || async { Ok(left(&server).is_empty().then_some(())) };
    wait_until("nothing of the upload is left", Patience::default(), gone).await.unwrap();
}

async fn t_c8_no_more_uploads_run_at_once_than_may(engine: store::Engine) {
    let server = TestServer::setup(engine).flag("limits.app_uploads=1").start().await.unwrap();
    let app = added(&server, "1").await;
    let package = testkit::ipa(CANTINE, "1", &[]).unwrap();
    let first = begun(&server, &app).await;
    let busy = upload(&server, &app, package.clone()).await;
    assert_eq!((busy.status, busy.text("/code")), (503, "unavailable"), "{busy:?}");
    assert!(busy.text("/detail").contains("limits.app_uploads"), "{busy:?}");
    drop(first);
    let taken = || async { Ok((upload(&server, &app, package.clone()).await.status == 200).then_some(())) };
    wait_until("the place is free again", Patience::default(), taken).await.unwrap();
}

async fn t_c8_an_upload_that_takes_too_long_in_all_is_given_up(engine: store::Engine) {
    let server = TestServer::setup(engine).flag("limits.app_upload_seconds=1").start().await.unwrap();
    let app = added(&server, "1").await;
    let mut connection = begun(&server, &app).await;
    let told = tokio::task::spawn_blocking(move || {
        let mut told = String::new();
        // The server closes when it has said why: what is left of the body would be read as another request.
        let _closed = connection.read_to_string(&mut told);
        told
    });
    let told = told.await.unwrap();
    assert!(told.starts_with("HTTP/1.1 422 "), "{told}");
    assert!(told.contains("limits.app_upload_seconds"), "{told}");
    let gone = || async { Ok(left(&server).is_empty().then_some(())) };
    wait_until("nothing of the upload is left", Patience::default(), gone).await.unwrap();
}

async fn t_c8_a_disk_that_is_too_full_takes_no_app_in(engine: store::Engine) {
    let server = TestServer::setup(engine).flag("limits.free_megabytes=4294967295").start().await.unwrap();
    let app = added(&server, "1").await;
    let refused = upload(&server, &app, testkit::ipa(CANTINE, "1", &[]).unwrap()).await;
    assert_eq!((refused.status, refused.text("/code")), (507, "disk-full"), "{refused:?}");
    assert!(refused.text("/detail").contains("limits.free_megabytes"), "{refused:?}");
    assert!(left(&server).is_empty());
}

async fn t_c15_a_field_that_is_not_known_is_refused(engine: store::Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let app = added(&server, "1").await;
    let api = server.stepped_up().await.unwrap();
    let new = |more: Value| {
        let mut new = json!({ "platform": "ipad", "bundle": "a.b.c", "name": "A", "source": "in-house", "version": "1" });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        new
    };
    for more in [json!({ "licence": "volume" }), json!({ "file_sha256": "00" }), json!({ "added_by": "me" })]
    {
        assert_eq!(api.post("/api/v1/apps", &new(more)).await.unwrap().status, 400);
    }
    for changes in
        [json!({ "bundle": "a.b" }), json!({ "file_sha256": "00" }), json!({ "withdrawn_at": null })]
    {
        assert_eq!(api.put(&format!("/api/v1/apps/{app}"), &changes).await.unwrap().status, 400, "{changes}");
    }
    let odd = api.upload(&format!("/api/v1/apps/{app}/file"), "application/zip", vec![1]).await.unwrap();
    assert_eq!(odd.status, 415);
}

async fn a_server_whose_shared_folder_is_gone_is_not_ready(engine: store::Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let ready = || async { server.api().unwrap().anonymous().get("/readyz").await.unwrap().status };
    assert_eq!(ready().await, 204);
    let (there, away) = (server.home().join("shared"), server.home().join("away"));
    std::fs::rename(&there, &away).unwrap();
    assert_eq!(ready().await, 503);
    assert!(!there.exists(), "nothing is made in its place");
    std::fs::rename(&away, &there).unwrap();
    assert_eq!(ready().await, 204);
}
