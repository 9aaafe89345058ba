//! What a tablet may send: anything. Nothing panics, what is kept is bounded, and no error repeats a value.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::WireError;
use crate::agent::call::{Method, Request};
use crate::agent::{DeviceInfo, EnrolOptions, Locating, log};
use crate::json::{self, Limits};

/// Keys that the readers look for, so that odd values stand where they look.
const KEYS: &[&str] = &[
    "customer",
    "configuration",
    "groups",
    "model",
    "permissions",
    "applications",
    "files",
    "deviceId",
    "mdmMode",
    "batteryLevel",
    "androidVersion",
    "factoryReset",
    "location",
    "serial",
    "pkg",
    "version",
    "path",
    "ts",
    "lat",
    "lon",
    "timestamp",
    "logLevel",
    "packageId",
    "message",
];

pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,200}".prop_map(Value::from),
        Just(Value::from(crate::agent::log::AGENT_PACKAGE)),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..8).prop_map(|entries| {
                let object: Map<String, Value> =
                    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
                Value::Object(object)
            }),
        ]
    })
}

fn read_by_all(bytes: &[u8]) -> Vec<WireError> {
    let mut errors = Vec::new();
    errors.extend(EnrolOptions::parse(bytes).err());
    match DeviceInfo::parse(bytes, Locating::UnderWarrant) {
        Ok(info) => {
            let longest = info.apps.iter().map(|app| app.package.chars().count()).max().unwrap_or(0);
            assert!(longest <= 128 && info.apps.len() <= 512 && info.files.len() <= 256);
            assert!(info.battery.is_none_or(|level| level <= 100));
            if let Some(position) = &info.position {
                let position = position.expose();
                assert!(position.latitude.abs() <= 90.0 && position.longitude.abs() <= 180.0);
            }
        }
        Err(error) => errors.push(error),
    }
    match log::parse(bytes) {
        Ok(rows) => assert!(rows.len() <= 50 && rows.iter().all(|row| row.message.chars().count() <= 1_000)),
        Err(error) => errors.push(error),
    }
    errors
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn t_c4_no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _refused = read_by_all(&bytes);
    }

    #[test]
    fn t_a17_t_c4_no_json_makes_a_reader_panic_and_what_is_kept_is_bounded(value in value()) {
        let text = value.to_string();
        for error in read_by_all(text.as_bytes()) {
            prop_assert!(error.to_string().len() < 400, "{error}");
        }
    }

    #[test]
    fn the_bounded_reader_reads_what_the_plain_one_reads(value in value()) {
        let text = value.to_string();
        let limits = Limits { bytes: usize::MAX, depth: 64, values: usize::MAX };
        // Whether a key stands twice was decided when the map was made.
        let plain: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(json::parse(text.as_bytes(), limits), Ok(plain));
    }

    #[test]
    fn t_c11_no_error_repeats_a_value(secret in "[A-Z]{12}", at in prop::sample::select(KEYS)) {
        let bodies = [
            json!({ at: { "x": secret } }).to_string(),
            json!({ at: secret }).to_string(),
            json!([{ at: secret }]).to_string(),
            format!("{{\"{at}\": {secret}}}"),
        ];
        for error in bodies.iter().flat_map(|body| read_by_all(body.as_bytes())) {
            prop_assert!(!error.to_string().contains(&secret), "{error}");
        }
    }

    #[test]
    fn t_c5_no_path_makes_its_reader_panic(path in "/?[a-f0-9d/.%;~ e-]{0,80}|.{0,80}", get in any::<bool>()) {
        let method = if get { Method::Get } else { Method::Post };
        if let Some(request) = Request::read(method, &path) {
            let begins = format!("/{}/", request.key.segment().expose());
            prop_assert!(path.starts_with(&begins));
        }
        let shown = crate::agent::key::without_key(&path);
        prop_assert!(shown.starts_with("/[key]/") && shown.chars().count() <= 71);
    }
}
