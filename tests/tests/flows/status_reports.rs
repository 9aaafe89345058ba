//! Status reports of the declarative protocol that no tablet should send. A tablet stays managed, keeps what is
//! declared for it, and is answered, whatever it says of itself.

use plist::Dictionary;
use serde_json::{Value, json};
use store::Engine;
use tablets::Ipad;
use testkit::TestServer;

use crate::chaos::Dice;
use crate::support::{enrolment, obey, on_both_engines, state_of, still_managed, with};

on_both_engines! {
    t_a17_no_status_report_takes_a_tablet_out_of_management_or_changes_what_is_declared,
    t_a17_what_a_tablet_says_of_itself_changes_neither_who_it_is_nor_what_waits_for_it,
}

const SERIAL: &str = "DMPX00000001";

/// A check-in of the declarative protocol.
fn declarative(ipad: &Ipad, endpoint: &str, data: Option<Vec<u8>>) -> Dictionary {
    let mut message = Dictionary::new();
    message.insert("MessageType".into(), "DeclarativeManagement".into());
    message.insert("UDID".into(), ipad.udid().into());
    message.insert("Endpoint".into(), endpoint.into());
    if let Some(data) = data {
        message.insert("Data".into(), plist::Value::Data(data));
    }
    message
}

/// A status report as iPadOS writes it, shortened.
fn proper() -> Value {
    json!({
        "StatusItems": {
            "device": {
                "identifier": { "serial-number": SERIAL, "udid": "00008020-0011223344556677" },
                "operating-system": { "version": "27.0", "build-version": "24A335", "family": "iPadOS" },
            },
            "management": {
                "client-capabilities": {
                    "supported-versions": ["1.0.0"],
                    "supported-payloads": { "declarations": { "activations": ["com.apple.activation.simple"] } },
                },
                "declarations": { "activations": [], "configurations": [], "assets": [], "management": [] },
            },
            "passcode": { "is-compliant": true },
        },
        "Errors": [],
    })
}

/// Reports that are wrong each in its own way.
fn wrong() -> Vec<(&'static str, Vec<u8>)> {
    let put = |pointer: &str, value: Value| {
        let mut report = proper();
        *report.pointer_mut(pointer).unwrap() = value;
        report.to_string().into_bytes()
    };
    let declarations = "/StatusItems/management/declarations";
    let capabilities = "/StatusItems/management/client-capabilities";
    vec![
        ("nothing", Vec::new()),
        ("no JSON", b"StatusItems: yes".to_vec()),
        ("a text that is no text", vec![0xFF, 0xFE, 0x00, 0xD8]),
        ("half a report", proper().to_string().into_bytes()[..200].to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number out of range", b"{\"StatusItems\":1e400}".to_vec()),
        ("one key twice", b"{\"StatusItems\":{},\"StatusItems\":{\"device\":null}}".to_vec()),
        ("nested 15,000 deep", [b"[".repeat(15_000), b"]".repeat(15_000)].concat()),
        ("its declarations gone", put(declarations, Value::Null)),
        ("its declarations as a text", put(declarations, json!("none"))),
        (
            "declarations of somebody else",
            put(
                declarations,
                json!({ "activations": [{ "identifier": "fr.example.other", "active": false, "valid": "invalid",
                    "server-token": "x", "reasons": [{ "code": "Error.ConfigurationCannotBeApplied" }] }] }),
            ),
        ),
        (
            "it can do nothing",
            put(capabilities, json!({ "supported-versions": [], "supported-payloads": {} })),
        ),
        ("it can do everything", put(capabilities, json!({ "supported-versions": ["99.0.0", 7, null, {}] }))),
        ("another serial number", put("/StatusItems/device/identifier/serial-number", json!("DMPX00000002"))),
        ("another family", put("/StatusItems/device/operating-system/family", json!("macOS"))),
        ("a version that is none", put("/StatusItems/device/operating-system/version", json!("٢٧.٠"))),
        (
            "keys that we do not know",
            put("/StatusItems/passcode", json!({ "\u{0}": "\u{202e}", "is-compliant": [1] })),
        ),
        (
            "errors without end",
            put("/Errors", Value::Array(vec![json!({ "StatusItem": "x", "Reasons": [] }); 600])),
        ),
    ]
}

/// Bytes of a proper report, changed here and there.
fn damaged(dice: &mut Dice) -> Vec<u8> {
    let mut report = proper().to_string().into_bytes();
    for _change in 0..=dice.place(8) {
        let at = dice.place(report.len());
        match dice.place(4) {
            0 => report.truncate(at.max(1)),
            1 => report.insert(at, u8::try_from(dice.place(256)).unwrap()),
            2 => drop(report.remove(at)),
            _ => report[at] = u8::try_from(dice.place(256)).unwrap(),
        }
        if report.is_empty() {
            break;
        }
    }
    report
}

/// What is declared for a tablet, without when.
async fn declared(ipad: &mut Ipad) -> (Value, Value) {
    let mut ask = async |endpoint: &str| {
        let message = declarative(ipad, endpoint, None);
        let outcome = ipad.check_in(&message).await.unwrap();
        serde_json::from_slice::<Value>(outcome.body().unwrap()).unwrap()
    };
    let mut tokens = ask("tokens").await;
    let items = ask("declaration-items").await;
    tokens["SyncTokens"].as_object_mut().unwrap().remove("Timestamp");
    (tokens, items)
}

async fn t_a17_no_status_report_takes_a_tablet_out_of_management_or_changes_what_is_declared(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad(SERIAL).await.unwrap();
    obey(&mut ipad).await;
    let (before, declarations) = (enrolment(&server, SERIAL).await, declared(&mut ipad).await);
    let mut dice = Dice::new(17);
    let mut reports = wrong();
    reports.extend((0..120).map(|_number| ("a damaged one", damaged(&mut dice))));
    for (what, report) in reports {
        let message = declarative(&ipad, "status", Some(report.clone()));
        let told = still_managed(&ipad.check_in(&message).await.unwrap());
        // It is taken note of, or it is refused as what it is; our own trouble it is never.
        assert!(matches!(told, 200 | 400), "{what}: {told}: {}", String::from_utf8_lossy(&report));
        assert!(ipad.is_enrolled(), "{what}");
    }
    // One without any, and one that is no data.
    for message in [
        declarative(&ipad, "status", None),
        with(&declarative(&ipad, "status", None), "Data", "text".into()),
        with(&declarative(&ipad, "status", None), "Data", plist::Value::Dictionary(Dictionary::new())),
    ] {
        let told = still_managed(&ipad.check_in(&message).await.unwrap());
        assert!(matches!(told, 200 | 400), "{message:?}: {told}");
    }
    assert_eq!(declared(&mut ipad).await, declarations, "what is declared for it is what was");
    assert_eq!(enrolment(&server, SERIAL).await["id"], before["id"]);
    assert_eq!(enrolment(&server, SERIAL).await["state"], before["state"]);
    let command = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    obey(&mut ipad).await;
    assert_eq!(state_of(&server, &command).await, "acknowledged");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

async fn t_a17_what_a_tablet_says_of_itself_changes_neither_who_it_is_nor_what_waits_for_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad(SERIAL).await.unwrap();
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ipad).await;
    obey(&mut other).await;
    let theirs = enrolment(&server, "DMPX00000002").await;
    let waits = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    let mut claim = proper();
    for (pointer, value) in [
        ("/StatusItems/device/identifier/serial-number", json!("DMPX00000002")),
        ("/StatusItems/device/identifier/udid", json!(other.udid())),
        ("/StatusItems/management/client-capabilities", json!({ "supported-versions": [] })),
        ("/StatusItems/device/operating-system/version", json!("0.1")),
    ] {
        *claim.pointer_mut(pointer).unwrap() = value;
        let message = declarative(&ipad, "status", Some(claim.to_string().into_bytes()));
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 200, "{pointer}");
    }
    // What certificate speaks decides, also where the message names another device.
    let message = with(&declarative(&ipad, "status", Some(b"{}".to_vec())), "UDID", other.udid().into());
    assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400);
    assert_eq!(enrolment(&server, "DMPX00000002").await, theirs);
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
    assert_eq!(state_of(&server, &waits).await, "acknowledged");
    assert!(obey(&mut other).await.handled.is_empty());
}
