//! Names and settings of apps: what is decided without a database.

use proptest::prelude::*;
use serde_json::json;
use store::Vault;
use types::{AppId, Digest, Duration, EnrolmentId, Instant};

use super::configuration::{Configuration, to_plist};
use super::names::{Kind, NAME_LENGTH, Name};

fn vault() -> Vault {
    Vault::parse(&Vault::generate_key_line("k1")).unwrap()
}

fn now() -> Instant {
    Instant::from_millis(1_790_000_000_000)
}

fn name(kind: Kind) -> Name {
    let expires_at = now().plus(Duration::from_secs(60));
    Name {
        kind,
        enrolment: EnrolmentId::new(now()),
        app: AppId::new(now()),
        file: Digest::of(b"file"),
        expires_at,
    }
}

#[test]
fn t_c8_a_name_says_what_it_was_made_for_until_it_expires() {
    let vault = vault();
    for kind in [Kind::Manifest, Kind::File] {
        let name = name(kind);
        let text = name.sign(&vault).unwrap();
        assert_eq!(text.len(), NAME_LENGTH);
        assert_eq!(Name::read(&text, &vault, now()), Some(name));
        assert_eq!(Name::read(&text, &vault, now().plus(Duration::from_millis(59_999))), Some(name));
        assert_eq!(Name::read(&text, &vault, now().plus(Duration::from_secs(60))), None, "the first instant");
    }
}

#[test]
fn t_c8_a_name_that_another_key_made_is_none() {
    let text = name(Kind::File).sign(&vault()).unwrap();
    assert_eq!(Name::read(&text, &vault(), now()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn t_c8_no_changed_character_of_a_name_leaves_it_a_name(at: prop::sample::Index, other in "[A-Za-z0-9_-]") {
        let vault = vault();
        let text = name(Kind::Manifest).sign(&vault).unwrap();
        let place = at.index(text.len());
        let mut changed = text.clone();
        changed.replace_range(place..=place, &other);
        prop_assume!(changed != text);
        prop_assert_eq!(Name::read(&changed, &vault, now()), None);
    }

    #[test]
    fn t_c8_no_text_that_was_not_made_here_is_a_name(text in "[A-Za-z0-9_-]{0,200}") {
        prop_assert_eq!(Name::read(&text, &vault(), now()), None);
    }
}

#[test]
fn settings_become_the_property_list_that_they_are() {
    let settings = json!({ "server": "https://a.example", "tries": 3, "rate": 0.5, "big": u64::MAX, "on": true,
        "groups": ["a", { "b": -1 }] });
    let list = to_plist(Configuration::new(settings).unwrap().as_json());
    assert_eq!(list["server"].as_string(), Some("https://a.example"));
    assert_eq!((list["tries"].as_signed_integer(), list["rate"].as_real()), (Some(3), Some(0.5)));
    assert_eq!((list["big"].as_unsigned_integer(), list["on"].as_boolean()), (Some(u64::MAX), Some(true)));
    let groups = list["groups"].as_array().unwrap();
    assert_eq!(groups[1].as_dictionary().unwrap()["b"].as_signed_integer(), Some(-1));
}

#[test]
fn settings_that_no_app_can_be_given_are_refused() {
    let deep = (0..9).fold(json!(1), |inner, _level| json!({ "a": inner }));
    let long = json!({ "a": "x".repeat(17 << 10) });
    for settings in
        [json!([1]), json!("a"), json!(null), json!({ "a": null }), json!({ "a": [null] }), deep, long]
    {
        assert!(Configuration::new(settings.clone()).is_err(), "{settings}");
    }
    let as_deep_as_may_be = (0..7).fold(json!({}), |inner, _level| json!({ "a": inner }));
    assert!(Configuration::new(as_deep_as_may_be).is_ok());
}
