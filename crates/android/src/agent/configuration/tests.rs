//! What a configuration may hold, and how it is written.

use serde_json::json;
use types::Secret;

use super::*;
use crate::agent::PanelPassword;
use crate::agent::key::{AgentKey, KEY_BYTES, KeyKind};

/// The answer of the facts, on one line: `vectors/configuration.json`.
const GOLDEN: &str = include_str!("../../../vectors/configuration.json");

pub(crate) fn own() -> Own {
    let password = PanelPassword::of(&Secret::new("abcdefghijklmnopqrstuvwxyz".to_owned())).unwrap();
    let key = AgentKey::new(KeyKind::Tablet, &[0x4F; KEY_BYTES]);
    Own {
        password,
        description: "Tablette 12 – CM1".to_owned(),
        move_to: Some(MoveTo::new("https://mdm.ecole.example", &key).unwrap()),
        lock: None,
        locating: None,
    }
}

pub(crate) fn layers() -> Map<String, Value> {
    let layers = json!({
        "showWifi": true, "displayStatus": true, "wifi": true, "usbStorage": true, "systemUpdateType": 2,
        "systemUpdateFrom": "01:00", "systemUpdateTo": "05:00", "downloadUpdates": "wifi", "passwordMode": "easy",
        "timeZone": "Europe/Paris", "restrictions": "no_factory_reset,no_add_user,no_cellular_2g",
        "applications": [{"type": "app", "name": "Lecture", "pkg": "org.exemple.lecture", "version": "2.1", "code": 21,
            "url": "https://mdm.ecole.example/files/lecture-21.apk", "showIcon": true}],
        "applicationSettings": [{"packageId": "com.hmdm.launcher", "name": "proxy", "type": 1, "value": "0",
            "readOnly": true, "lastUpdate": 0, "variable": false}],
        "files": [], "actions": [],
    });
    layers.as_object().unwrap().clone()
}

fn with(name: &str, value: Value) -> Result<Configuration, NotSendable> {
    let mut layers = layers();
    layers.insert(name.to_owned(), value);
    Configuration::new(&own(), &layers)
}

fn body(configuration: &Configuration) -> String {
    String::from_utf8(configuration.answer(&AgentSecret::Published).unwrap().body).unwrap()
}

#[test]
fn a_configuration_is_written_byte_for_byte_as_the_golden_one() {
    let configuration = Configuration::new(&own(), &layers()).unwrap();
    assert_eq!(body(&configuration), GOLDEN.trim_end());
}

#[test]
fn fields_are_known_once_and_whatever_erases_or_locates_is_no_layers() {
    let mut names: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
    names.sort_unstable();
    let known = names.len();
    names.dedup();
    assert_eq!(names.len(), known);
    for name in
        ["factoryReset", "requestUpdates", "reboot", "passwordReset", "password", "newServerUrl", "lock"]
    {
        let refused = with(name, json!(true)).unwrap_err();
        assert!(matches!(refused, NotSendable::NotALayers { .. }), "{name}: {refused}");
    }
    assert!(matches!(with("mainApp", json!("a")), Err(NotSendable::NotALayers { of: Of::Paid, .. })));
    assert_eq!(with("eraseMe", json!(1)).unwrap_err().to_string(), "the agent knows no field `eraseMe`");
}

#[test]
fn what_the_agent_would_choke_on_is_not_sent() {
    let bad = [
        ("wifi", json!("on")),
        ("wifi", json!(null)),
        ("brightness", json!(256)),
        ("brightness", json!(4_294_967_296_i64)),
        ("brightness", json!("cent")),
        ("systemUpdateFrom", json!("1:00")),
        ("systemUpdateFrom", json!("24:00")),
        ("passwordMode", json!("unbreakable")),
        ("restrictions", json!("no_factory_reset, no_add_user")),
        ("restrictions", json!(["no_factory_reset"])),
        ("applications", json!({})),
        ("applications", json!([{"name": "a", "pkg": "a"}])),
        ("applications", json!([{"name": "a", "pkg": "a", "version": null}])),
        ("applications", json!([{"name": "a", "pkg": "a", "version": "1", "url": "file:///sdcard/a.apk"}])),
        ("applications", json!([{"name": "a", "pkg": "a", "version": "1", "code": 4_294_967_296_i64}])),
        ("applications", json!([{"type": "web", "name": "a", "pkg": "a", "version": "0"}])),
        (
            "applicationSettings",
            json!([{"packageId": "a", "name": "b", "type": 1, "value": null,
            "readOnly": true, "lastUpdate": 0, "variable": false}]),
        ),
        (
            "applicationSettings",
            json!([{"packageId": "a", "name": "b", "type": 1, "value": "c",
            "readonly": true, "lastUpdate": 0, "variable": false}]),
        ),
        (
            "applicationSettings",
            json!([{"packageId": "com.hmdm.launcher", "name": "locked_packages", "type": 1,
            "value": "a, b", "readOnly": true, "lastUpdate": 0, "variable": false}]),
        ),
        (
            "applicationSettings",
            json!([{"packageId": "com.hmdm.launcher", "name": "anything", "type": 1,
            "value": "a", "readOnly": true, "lastUpdate": 0, "variable": false}]),
        ),
        ("files", json!([{"path": "//system/etc/hosts", "url": "https://a.example/f", "lastUpdate": 0}])),
        ("files", json!([{"path": "/a/../../b", "url": "https://a.example/f", "lastUpdate": 0}])),
        ("files", json!([{"path": "/a", "lastUpdate": 0}])),
        ("actions", json!([{"action": "VIEW"}])),
        ("applications", json!(vec![json!({"name": "a", "pkg": "a", "version": "1"}); 257])),
    ];
    for (name, value) in bad {
        let refused = with(name, value.clone()).unwrap_err();
        assert!(
            matches!(refused, NotSendable::Choke { field, .. } if field == name),
            "{name} {value}: {refused}"
        );
    }
    for list in ["applications", "applicationSettings", "files", "actions", "systemUpdateTo"] {
        let mut layers = layers();
        layers.remove(list);
        assert_eq!(Configuration::new(&own(), &layers).unwrap_err(), NotSendable::Missing { field: list });
    }
}

#[test]
fn a_tablet_is_told_one_thing_at_a_time_and_nothing_by_default() {
    let plain = Configuration::new(&own(), &layers()).unwrap();
    let told = |told: &Told| body(&plain.clone().telling(Some(&Told::Reboot)).telling(Some(told)));
    let code = Code::new(Secret::new("482913".to_owned())).unwrap();
    let all = [
        (told(&Told::Wipe), r#""factoryReset":true"#),
        (told(&Told::Reboot), r#""reboot":true"#),
        (told(&Told::Code(code)), r#""passwordReset":"482913""#),
        (told(&Told::Code(Code::cleared())), r#""passwordReset":"""#),
    ];
    let keys = [r#""factoryReset""#, r#""reboot""#, r#""passwordReset""#];
    let count = |text: &str| keys.iter().filter(|key| text.contains(*key)).count();
    for (text, expected) in &all {
        assert!(text.contains(expected) && count(text) == 1, "{expected}");
    }
    assert_eq!(count(&body(&plain)), 0);
    assert_eq!(body(&plain.clone().telling(Some(&Told::Wipe)).telling(None)), body(&plain));
}

#[test]
fn what_belongs_to_one_tablet_is_written_with_it() {
    let lock = Some(LockMessage::new("Merci de rapporter cette tablette au collège.").unwrap());
    let own = Own { lock, locating: Some(LocationUpdates::Satellites), move_to: None, ..own() };
    let text = body(&Configuration::new(&own, &layers()).unwrap());
    assert!(text.contains(r#""requestUpdates":"gps","lock":true,"lockMessage":"Merci"#), "{text}");
    assert!(!text.contains("newServerUrl"));
    let plain = body(&Configuration::new(&super::tests::own(), &layers()).unwrap());
    assert!(!plain.contains("requestUpdates") && !plain.contains("lock\""), "{plain}");
}

#[test]
fn t_c11_a_configuration_shows_names_and_no_values() {
    let code = Told::Code(Code::new(Secret::new("482913".to_owned())).unwrap());
    let shown = format!("{:?} {:?} {code:?}", Configuration::new(&own(), &layers()).unwrap(), own());
    for secret in ["C3FCD3D7", "4f4f4f", "482913"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_code_a_message_and_an_address_are_checked_when_they_are_made() {
    let code = |text: &str| Code::new(Secret::new(text.to_owned())).is_ok();
    assert!(code("0000") && !code("123") && !code("12a4") && !code("") && !code(&"1".repeat(17)));
    assert!(LockMessage::new("  ").is_err() && LockMessage::new("a\nb").is_err());
    assert!(LockMessage::new(&"é".repeat(201)).is_err() && LockMessage::new(&"é".repeat(200)).is_ok());
    let shared = AgentKey::new(KeyKind::Enrolment, &[1; KEY_BYTES]);
    let its_own = AgentKey::new(KeyKind::Tablet, &[1; KEY_BYTES]);
    assert_eq!(MoveTo::new("https://a.example", &shared).unwrap_err(), NotAnAddress::NotItsOwnKey);
    for origin in ["", "a.example", "https://", "https://a.example/mdm", "ftp://a.example", "https://a b"] {
        assert_eq!(MoveTo::new(origin, &its_own).unwrap_err(), NotAnAddress::NotAnOrigin, "{origin}");
    }
    assert!(MoveTo::new("http://[::1]:8080", &its_own).is_ok());
}
