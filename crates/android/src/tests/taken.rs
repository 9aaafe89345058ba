//! Whatever a layer says: it is refused here, or the agent takes it and reads what was said.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tablets::{Agent, AgentHardware, AgentReply, Did, Lane, Next};
use types::Secret;

use super::hostile;
use crate::agent::PanelPassword;
use crate::agent::configuration::{Configuration, FIELDS, Field, LockMessage, Own, Shape};
use crate::agent::key::{AgentKey, KEY_BYTES, KeyKind};
use crate::agent::provisioning::{Checksum, Number, Provisioning};
use crate::agent::signature::AgentSecret;

const NOW: i64 = 1_795_500_000_000;

/// A value of the right shape, mostly.
fn shaped(field: Field) -> BoxedStrategy<Value> {
    let text = |choices: &'static [&'static str]| prop::sample::select(choices).prop_map(Value::from).boxed();
    match field.shape {
        Shape::Text(most) => {
            let pattern = format!("[^\\x00]{{0,{most}}}");
            proptest::string::string_regex(&pattern).unwrap().prop_map(Value::from).boxed()
        }
        Shape::Choice(choices) => text(choices),
        Shape::Hour => text(&["00:00", "23:59", "05:30"]),
        Shape::Restrictions => text(&["", "no_factory_reset", "no_factory_reset,no_add_user"]),
        Shape::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Integer(least, most) => (least..=most).prop_map(Value::from).boxed(),
        Shape::Applications => list(("[ -~]{1,9}", "[a-z.]{1,9}", "[0-9.]{1,5}", any::<Option<i32>>()).prop_map(
            |(name, pkg, version, code)| {
                json!({"name": name, "pkg": pkg, "version": version, "code": code, "url": "https://a.example/a.apk"})
            },
        )),
        Shape::Settings => list(("[a-z.]{1,9}", "[ -~]{1,9}", ".{0,20}").prop_map(|(package, name, value)| {
            json!({"packageId": package, "name": name, "type": 1, "value": value, "readOnly": true,
                "lastUpdate": 0, "variable": false})
        })),
        Shape::Files => list(("/[a-z/]{0,9}", any::<i64>()).prop_map(|(path, last_update)| {
            json!({"path": path, "url": "https://a.example/f", "lastUpdate": last_update})
        })),
        Shape::Actions => list("[A-Z]{1,9}".prop_map(|action| {
            json!({"action": action, "packageId": "a", "activity": "b", "schemes": "https"})
        })),
    }
}

fn list(items: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop::collection::vec(items, 0..4).prop_map(Value::Array).boxed()
}

/// A field with a value: of its shape, or any.
fn said() -> impl Strategy<Value = (&'static str, Value)> {
    prop::sample::select(FIELDS).prop_flat_map(|field| {
        let value = prop_oneof![9 => shaped(field), 1 => hostile::value()];
        value.prop_map(move |value| (field.name, value))
    })
}

fn own() -> Own {
    let password = PanelPassword::of(&Secret::new("abcdefghijklmnopqrstuvwxyz".to_owned())).unwrap();
    let lock = Some(LockMessage::new("Rapportez-moi").unwrap());
    Own { password, description: "Tablette 12".to_owned(), move_to: None, lock, locating: None }
}

fn agent() -> Agent {
    let provisioning = Provisioning {
        agent_url: "https://a.example/hmdm.apk".to_owned(),
        checksum: Checksum::OfFile([7; 32]),
        wifi: None,
        locale: "fr_FR".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        origin: "https://a.example".to_owned(),
        key: AgentKey::new(KeyKind::Enrolment, &[1; KEY_BYTES]),
        number: Number::Serial,
    };
    let secret = "une phrase que personne ne connaît";
    let mut agent = Agent::new(AgentHardware::tablet("R52T40ABCDE")).built_with(secret);
    agent.scan(provisioning.text().unwrap().expose(), NOW).unwrap();
    agent
}

fn secret() -> AgentSecret {
    let text = Secret::new("une phrase que personne ne connaît".to_owned());
    AgentSecret::Own(crate::agent::signature::OwnSecret::new(text).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn what_is_sent_is_taken_by_the_agent_and_signed_so_that_it_believes_it(
        said in prop::collection::vec(said(), 0..6),
    ) {
        let empty = json!({"applications": [], "applicationSettings": [], "files": [], "actions": []});
        let mut layers: Map<String, Value> = empty.as_object().unwrap().clone();
        layers.extend(said.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let Ok(configuration) = Configuration::new(&own(), &layers) else { return Ok(()) };
        let answer = configuration.answer(&secret()).unwrap();

        let mut agent = agent();
        prop_assert!(matches!(agent.next(Lane::Main, NOW), Next::Send(_)));
        let body = answer.body.clone();
        let reply = AgentReply::Http { status: 200, signature: answer.signature, body: answer.body };
        agent.answered(Lane::Main, &reply, NOW);
        let did = agent.take_did();
        prop_assert_eq!(&did, &[Did::Lifted, Did::TookConfiguration], "{}", String::from_utf8_lossy(&body));

        // What layers said, and what is the tablet's own, arrives as it was said.
        let read: Value = serde_json::from_slice(&body).unwrap();
        for (name, value) in &layers {
            if value.is_string() || value.is_boolean() || value.is_number() {
                prop_assert_eq!(&read["data"][name], value, "{}", name);
            }
        }
        prop_assert_eq!(agent.state().told("lockMessage"), Some("Rapportez-moi"));
        prop_assert!(read["data"].get("factoryReset").is_none() && read["data"].get("requestUpdates").is_none());
    }
}
