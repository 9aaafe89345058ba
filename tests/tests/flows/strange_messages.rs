//! Check-in messages that are unknown, malformed, late or repeated: the right answer, and nothing changed.
//!
//! The table says of every kind what it needs; each need is then taken away, and each value put wrong.

use plist::{Dictionary, Value};
use store::Engine;
use tablets::{Ipad, Outcome};
use testkit::{TestServer, inventory_csv};

use crate::by_hand::ByHand;
use crate::support::{
    COLLEGE, check_ins, enrolment, obey, on_both_engines, report, standing, state_of, still_managed, with,
    without, xml,
};

on_both_engines! {
    t_c4_a_malformed_check_in_is_told_400_and_changes_nothing,
    t_c4_a_malformed_authenticate_is_told_400_and_enrols_nobody,
    what_a_check_in_says_beside_what_we_know_is_ignored,
    a_repeated_check_in_does_nothing_twice,
    t_a5_a_check_in_that_is_late_does_not_undo_a_newer_enrolment,
    the_kinds_that_are_not_served_are_answered_as_apple_says,
    a_bootstrap_token_comes_back_as_it_was_left,
}

/// A kind of message, the keys without which it is refused, the keys whose type matters, and its proper answer.
struct Kind {
    name: &'static str,
    required: &'static [&'static str],
    typed: &'static [&'static str],
    proper: u16,
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "TokenUpdate",
        required: &["MessageType", "UDID", "Topic", "Token", "PushMagic"],
        typed: &["UnlockToken", "AwaitingConfiguration", "UserID", "UserShortName", "EnrollmentID"],
        proper: 200,
    },
    Kind {
        name: "SetBootstrapToken",
        // Apple's schema names no device in it: the certificate does.
        required: &["MessageType"],
        typed: &["UDID", "BootstrapToken", "AwaitingConfiguration"],
        proper: 200,
    },
    Kind {
        name: "GetBootstrapToken",
        required: &["MessageType"],
        typed: &["UDID", "AwaitingConfiguration"],
        proper: 200,
    },
    Kind {
        name: "DeclarativeManagement",
        required: &["MessageType", "UDID", "Endpoint"],
        typed: &["Data", "UserID"],
        proper: 200,
    },
    Kind {
        name: "GetToken",
        required: &["MessageType", "UDID", "TokenServiceType"],
        typed: &["TokenParameters"],
        proper: 400,
    },
    Kind { name: "ReturnToService", required: &["MessageType", "UDID"], typed: &[], proper: 200 },
    Kind {
        name: "UserAuthenticate",
        required: &["MessageType", "UDID", "UserID"],
        typed: &["DigestResponse"],
        proper: 410,
    },
    Kind {
        name: "CheckOut",
        required: &["MessageType", "UDID", "Topic"],
        typed: &["EnrollmentID"],
        proper: 200,
    },
];

/// Values of which at most one has the type that a key wants.
fn wrong_values(right: Option<&Value>) -> Vec<Value> {
    let all = [
        Value::Integer(7.into()),
        Value::Boolean(true),
        Value::String("seven".into()),
        Value::Data(vec![7]),
        Value::Array(vec![Value::String("seven".into())]),
        Value::Dictionary(Dictionary::new()),
    ];
    let kind = |value: &Value| std::mem::discriminant(value);
    all.into_iter().filter(|value| right.is_none_or(|right| kind(right) != kind(value))).collect()
}

/// Puts a body to the check-in URL as it is.
async fn put(ipad: &mut Ipad, content_type: Option<&'static str>, body: Vec<u8>) -> Outcome {
    let url = ipad.enrolment().unwrap().mdm.check_in_url.clone();
    Outcome::of(&ipad.deliver(url, content_type, body).await.unwrap())
}

const CHECK_IN: Option<&str> = Some("application/x-apple-aspen-mdm-checkin");

/// Every way in which a message of a kind can be wrong, with words for each.
fn wrongs(kind: &Kind, message: &Dictionary) -> Vec<(String, Vec<u8>)> {
    let name = kind.name;
    let mut wrong = Vec::new();
    for key in kind.required {
        wrong.push((format!("{name} without {key}"), xml(&without(message, key))));
    }
    for key in kind.required.iter().chain(kind.typed) {
        // An optional key that is not there may be put there; its type is then the one that it is given here.
        let right = match *key {
            "AwaitingConfiguration" => Some(Value::Boolean(true)),
            "UnlockToken" | "BootstrapToken" | "Data" | "Token" => Some(Value::Data(vec![1])),
            "TokenParameters" => Some(Value::Dictionary(Dictionary::new())),
            _ => Some(Value::String(String::new())),
        };
        for value in wrong_values(right.as_ref()) {
            let words = format!("{name} with {key} as {value:?}");
            wrong.push((words, xml(&with(message, key, value))));
        }
    }
    for (key, value) in [
        ("UDID", "../../etc/passwd"),
        ("UDID", ""),
        ("MessageType", ""),
        ("MessageType", name.to_lowercase().as_str()),
    ] {
        wrong.push((format!("{name} with {key} as “{value}”"), xml(&with(message, key, value.into()))));
    }
    let whole = xml(message);
    let text = String::from_utf8(whole.clone()).unwrap();
    let mut binary = Vec::new();
    Value::Dictionary(message.clone()).to_writer_binary(&mut binary).unwrap();
    wrong.extend([
        (format!("half a {name}"), whole[..whole.len() / 2].to_vec()),
        (format!("{name} without its last tag"), text.replace("</plist>", "").into_bytes()),
        (format!("{name} as a binary property list"), binary),
        (
            format!("{name} with a key twice"),
            text.replacen("<dict>", "<dict><key>UDID</key><string>x</string>", 1).into_bytes(),
        ),
        (
            format!("{name} as an array"),
            text.replacen("<dict>", "<array>", 1)
                .replace("</dict>\n</plist>", "</array></plist>")
                .into_bytes(),
        ),
        ("nothing".to_owned(), Vec::new()),
        ("JSON".to_owned(), br#"{"MessageType":"CheckOut"}"#.to_vec()),
        ("noise".to_owned(), vec![0xff; 64]),
    ]);
    wrong
}

async fn t_c4_a_malformed_check_in_is_told_400_and_changes_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    ipad.set_bootstrap_token(b"as it was").await.unwrap();
    let waiting = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    let before = (enrolment(&server, "DMPX00000001").await, secrets(&server));
    let messages = check_ins(&ipad);
    let mut tried = 0;
    for kind in &KINDS {
        let (_name, message) = messages.iter().find(|(name, _)| *name == kind.name).unwrap();
        for (words, body) in wrongs(kind, message) {
            let outcome = put(&mut ipad, CHECK_IN, body).await;
            assert_eq!(still_managed(&outcome), 400, "{words}: {outcome:?}");
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried} messages");
    for (words, message) in [
        ("TokenUpdate without a token", with(&messages[1].1, "Token", Value::Data(Vec::new()))),
        ("TokenUpdate with too long a token", with(&messages[1].1, "Token", Value::Data(vec![1; 101]))),
        ("TokenUpdate without a magic", with(&messages[1].1, "PushMagic", "".into())),
        ("TokenUpdate of another topic", with(&messages[1].1, "Topic", "com.apple.mgmt.other".into())),
        ("an unknown kind", with(&messages[1].1, "MessageType", "Detonate".into())),
        ("a kind without end", with(&messages[1].1, "MessageType", "x".repeat(20_000).into())),
    ] {
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400, "{words}");
    }
    assert_eq!((enrolment(&server, "DMPX00000001").await, secrets(&server)), before);
    // A message that names no tablet is one that names another (T-A1); nothing else worries anybody.
    assert_eq!(server.alarm_kinds().await.unwrap(), ["identity-mismatch"]);
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
    assert_eq!(state_of(&server, &waiting).await, "acknowledged");
    assert_eq!(ipad.get_bootstrap_token().await.unwrap().as_deref(), Some(b"as it was".as_slice()));
}

/// Everything sealed, as it lies in the tables.
fn secrets(server: &TestServer) -> Vec<String> {
    let hex = |column| format!("CASE WHEN {column} IS NULL THEN '' ELSE CAST(length({column}) AS text) END");
    let all = ["push_token_sealed", "push_magic_sealed", "unlock_token_sealed", "bootstrap_token_sealed"];
    ByHand::of(server).texts(&all.map(hex).join(" || '-' || "), "enrolments ORDER BY id")
}

async fn t_c4_a_malformed_authenticate_is_told_400_and_enrols_nobody(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    let profile = ipad.fetch_profile(&server.link_for("DMPX00000001").await.unwrap()).await.unwrap();
    ipad.identify(&profile, false).await.unwrap();
    let kind = Kind {
        name: "Authenticate",
        required: &["MessageType", "UDID", "Topic", "SerialNumber"],
        typed: &["OSVersion", "BuildVersion", "ProductName", "IMEI", "MEID", "EnrollmentID"],
        proper: 200,
    };
    let message = ipad.authenticate_message().unwrap();
    let mut all = wrongs(&kind, &message);
    all.extend(
        [
            ("another tablet's serial number", with(&message, "SerialNumber", "DMPX00000002".into())),
            ("no serial number at all", with(&message, "SerialNumber", "?".into())),
            ("another topic", with(&message, "Topic", "com.apple.mgmt.External.other".into())),
        ]
        .map(|(words, message)| (words.to_owned(), xml(&message))),
    );
    for (words, body) in all {
        let outcome = put(&mut ipad, CHECK_IN, body).await;
        assert_eq!(still_managed(&outcome), 400, "{words}: {outcome:?}");
        assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled", "{words}");
    }
    // None of it cost the tablet its way in.
    assert_eq!(still_managed(&ipad.authenticate().await.unwrap()), 200);
    assert_eq!(still_managed(&ipad.token_update().await.unwrap()), 200);
    obey(&mut ipad).await;
    assert_eq!(server.alarm_kinds().await.unwrap(), ["unknown-serial"]);
}

async fn what_a_check_in_says_beside_what_we_know_is_ignored(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let messages = check_ins(&ipad);
    for kind in KINDS.iter().filter(|kind| kind.name != "CheckOut") {
        let (_name, message) = messages.iter().find(|(name, _)| *name == kind.name).unwrap();
        let mut extended = message.clone();
        extended.insert("ThisCameWith28.0".into(), true.into());
        extended
            .insert("é ☃".into(), Value::Array(vec![Value::Real(0.5), Value::Dictionary(Dictionary::new())]));
        extended.insert("Model".into(), 7.into());
        let outcome = ipad.check_in(&extended).await.unwrap();
        assert_eq!(still_managed(&outcome), kind.proper, "{}: {outcome:?}", kind.name);
        // The kind stands in the message: what its header says it is matters at no address of ours.
        for content_type in [None, Some("text/plain"), Some("application/x-apple-aspen-mdm; charset=UTF-8")] {
            let outcome = put(&mut ipad, content_type, xml(message)).await;
            assert_eq!(still_managed(&outcome), kind.proper, "{} as {content_type:?}", kind.name);
        }
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
    assert!(obey(&mut ipad).await.handled.is_empty());
}

async fn a_repeated_check_in_does_nothing_twice(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    for _again in 0..3 {
        assert_eq!(still_managed(&ipad.token_update().await.unwrap()), 200);
    }
    assert_eq!(obey(&mut ipad).await.handled.len(), 3, "the first questions are asked once");
    assert_eq!(still_managed(&ipad.token_update().await.unwrap()), 200);
    assert!(obey(&mut ipad).await.handled.is_empty());
    for _again in 0..2 {
        assert_eq!(still_managed(&ipad.authenticate().await.unwrap()), 400, "an identity enrols once");
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), ["refused-enrolment"], "counted, not repeated");

    // It leaves, and says so twice.
    let check_out = check_ins(&ipad).into_iter().find(|(name, _)| *name == "CheckOut").unwrap().1;
    assert_eq!(still_managed(&ipad.check_in(&check_out).await.unwrap()), 200);
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    for (name, message) in check_ins(&ipad) {
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400, "{name} after it left");
    }
    let kinds = server.alarm_kinds().await.unwrap();
    assert!(kinds.contains(&"management-removed".to_owned()), "{kinds:?}");
}

async fn t_a5_a_check_in_that_is_late_does_not_undo_a_newer_enrolment(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let first = ipad.identity().unwrap().clone();
    let late = check_ins(&ipad);
    // A profile that was fetched, given a certificate, and put aside.
    let link = server.link_for("DMPX00000001").await.unwrap();
    let mut aside = server.ipad("DMPX00000001").build().unwrap();
    let profile = aside.fetch_profile(&link).await.unwrap();
    aside.identify(&profile, false).await.unwrap();
    ipad.enrol_by_link(&link).await.unwrap();
    obey(&mut ipad).await;
    let (current, before) = (ipad.identity().unwrap().clone(), enrolment(&server, "DMPX00000001").await);

    ipad.set_identity(Some(first));
    for (name, message) in late {
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400, "a late {name}");
    }
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400);
    assert_eq!(still_managed(&aside.authenticate().await.unwrap()), 400, "the older profile comes too late");
    assert_eq!(enrolment(&server, "DMPX00000001").await, before);
    ipad.set_identity(Some(current));
    assert!(obey(&mut ipad).await.handled.is_empty());
    let kinds = server.alarm_kinds().await.unwrap();
    assert_eq!(kinds, ["refused-enrolment", "superseded-certificate"]);
}

async fn the_kinds_that_are_not_served_are_answered_as_apple_says(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    // A user's channel is declined for good; the tablet stays.
    assert_eq!(
        still_managed(&ipad.user_authenticate("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF").await.unwrap()),
        410
    );
    let messages = check_ins(&ipad);
    for name in ["TokenUpdate", "DeclarativeManagement"] {
        let (_name, message) = messages.iter().find(|(kind, _)| *kind == name).unwrap();
        for key in ["UserID", "UserShortName"] {
            let of_a_user = with(message, key, "camille@example.fr".into());
            assert_eq!(still_managed(&ipad.check_in(&of_a_user).await.unwrap()), 410, "{name} with {key}");
        }
    }
    for service in ["com.apple.maid", "com.apple.watch.pairing", "org.example.unknown", ""] {
        let refused = ipad.get_token(service).await.unwrap_err();
        assert!(matches!(refused, tablets::Error::Refused { status: 400, .. }), "{service}: {refused}");
    }
    // Without an order nothing erases itself (M3).
    let asked = ipad.ask_return_to_service().await.unwrap();
    assert!(!asked.enabled && asked.mdm_profile.is_none() && asked.wifi_profile.is_none());

    let json =
        |outcome: Outcome| -> serde_json::Value { serde_json::from_slice(outcome.body().unwrap()).unwrap() };
    let items = json(ipad.declarative("declaration-items", None).await.unwrap());
    for list in ["Activations", "Configurations", "Assets", "Management"] {
        assert_eq!(items["Declarations"][list], serde_json::json!([]), "{list}");
    }
    let tokens = json(ipad.declarative("tokens", None).await.unwrap());
    assert_eq!(tokens["SyncTokens"]["DeclarationsToken"], items["DeclarationsToken"]);
    for endpoint in [
        "declaration/configuration/fr.example.a",
        "declaration/none/x",
        "declaration/",
        "Tokens",
        "../tokens",
        "",
    ] {
        assert_eq!(still_managed(&ipad.declarative(endpoint, None).await.unwrap()), 404, "{endpoint}");
    }
    for report in
        ["{", "[]", r#"{"StatusItems":7}"#, r#"{"StatusItems":{"device":{"x":"<script>"}},"Errors":[{}]}"#]
    {
        let told = ipad.declarative("status", Some(report.as_bytes().to_vec())).await.unwrap();
        assert_eq!((still_managed(&told), told.body()), (200, Some([].as_slice())), "{report}");
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

async fn a_bootstrap_token_comes_back_as_it_was_left(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    assert_eq!(ipad.get_bootstrap_token().await.unwrap(), None, "none is a success");
    let token: Vec<u8> = (0..=255).collect();
    ipad.set_bootstrap_token(&token).await.unwrap();
    assert_eq!(ipad.get_bootstrap_token().await.unwrap(), Some(token.clone()));
    assert_eq!(other.get_bootstrap_token().await.unwrap(), None, "it is nobody else's");
    // Another message leaves it alone, and a crash does.
    assert!(ipad.token_update().await.unwrap().is_accepted());
    server.crash().await;
    server.start_again().await.unwrap();
    assert_eq!(ipad.get_bootstrap_token().await.unwrap(), Some(token));
    ipad.set_bootstrap_token(b"another").await.unwrap();
    assert_eq!(ipad.get_bootstrap_token().await.unwrap().as_deref(), Some(b"another".as_slice()));
    // An empty one, or none, forgets it.
    ipad.set_bootstrap_token(b"").await.unwrap();
    assert_eq!(ipad.get_bootstrap_token().await.unwrap(), None);
    ipad.set_bootstrap_token(b"a third").await.unwrap();
    let (_name, message) =
        check_ins(&ipad).into_iter().find(|(name, _)| *name == "SetBootstrapToken").unwrap();
    assert!(ipad.check_in(&without(&message, "BootstrapToken")).await.unwrap().is_accepted());
    assert_eq!(ipad.get_bootstrap_token().await.unwrap(), None);
}
