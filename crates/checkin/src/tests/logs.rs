//! What the door writes to the log: enough to find a request again, and nothing that anyone could misuse.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::harness::{Request, TestDoor};

/// A log in memory.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[actix_web::test]
async fn t_c11_tokens_bodies_queries_and_addresses_stay_out_of_the_log() {
    let door = TestDoor::open().await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let peer = [203, 0, 113, 77];
    let answers = [
        door.send(Request::get("/enrol/planted-token-of-a-link").peer(peer)).await,
        door.send(Request::post("/scep?operation=PKIOperation&message=planted").peer(peer)).await,
        door.send(Request::put("/mdm/checkin").peer(peer).body("planted body")).await,
        door.send(Request::put("/mdm/connect").peer(peer).header("mdm-signature", "planted==")).await,
        door.send(Request::get("/planted/path").peer(peer)).await,
    ];
    drop(guard);

    let text = log.text();
    assert!(!text.contains("planted"), "{text}");
    assert!(!text.contains("203.0.113.77"), "{text}");
    for answer in answers {
        assert!(text.contains(answer.header("x-request-id")), "each request can be found again: {text}");
    }
}

#[actix_web::test]
async fn an_alarm_is_logged_where_we_failed_and_none_where_a_stranger_did() {
    let door = TestDoor::open().await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    door.send(Request::get("/enrol/a-token-nobody-was-given")).await;
    door.send(Request::post("/scep?operation=PKIOperation").body("noise")).await;
    door.send(Request::get("/.env")).await;
    assert_eq!(log.text(), "", "strangers do not fill the log");

    let tablet = super::harness::Tablet::of(&door);
    door.send(super::identities::idle().certificate(&tablet.certificate)).await;
    assert!(log.text().contains("ERROR") && log.text().contains("was it restored?"), "{}", log.text());
}
