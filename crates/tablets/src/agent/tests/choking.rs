//! What the published agent chokes on, the simulated one refuses too.

use super::*;

/// What becomes of an agent that is given this configuration: whether it took it.
fn takes(changes: &Value) -> bool {
    let mut agent = scanned();
    let request = next(&mut agent, MORNING).unwrap();
    assert_eq!(request.method, "POST");
    agent.answered(Lane::Main, &ok(&config(changes)), MORNING);
    agent.take_did().contains(&Did::TookConfiguration)
}

#[test]
fn one_wrong_field_makes_the_whole_configuration_nothing() {
    for taken in [
        json!({"timeout": "100"}),
        json!({"timeout": 3.0}),
        json!({"title": 12}),
        json!({"wifi": "true"}),
        json!({"wifi": 1}),
        json!({"wifi": null}),
        json!({"showWifi": null}),
        json!({"unknown": {"a": []}}),
        json!({"files": [{"path": "/a", "lastUpdate": 1_795_500_000_000_i64}]}),
    ] {
        assert!(takes(&taken), "{taken}");
    }
    for refused in [
        json!({"timeout": "cent"}),
        json!({"timeout": 4_294_967_296_i64}),
        json!({"timeout": []}),
        json!({"timeout": true}),
        json!({"title": ["a"]}),
        json!({"restrictions": {}}),
        json!({"wifi": "on"}),
        json!({"applications": null}),
        json!({"files": {}}),
        json!({"applications": [{"pkg": "a", "version": null}]}),
        json!({"applications": [{"version": "1"}]}),
        json!({"applicationSettings": [{"packageId": "a", "name": "b", "value": null}]}),
    ] {
        assert!(!takes(&refused), "{refused}");
    }
}

#[test]
fn an_answer_out_of_its_frame_is_to_be_tried_again() {
    let data = config(&json!({})).to_string();
    let bodies = [
        "{\"status\":\"OK\",\"message\":null,\"data\":[]}".to_owned(),
        "{\"status\":\"OK\",\"message\":null,\"data\":null}".to_owned(),
        "{\"status\":\"OK\"}".to_owned(),
        format!("\u{feff}{{\"status\":\"OK\",\"message\":null,\"data\":{data}}}"),
        format!("{{\"status\":\"ERROR\",\"message\":\"error.permission.denied\",\"data\":{data}}}"),
        "<html>".to_owned(),
        String::new(),
    ];
    for body in bodies {
        let mut agent = scanned();
        next(&mut agent, MORNING).unwrap();
        agent.answered(Lane::Main, &AgentReply::http(200, body.as_bytes()), MORNING);
        assert!(matches!(agent.take_did().as_slice(), [Did::Lifted, Did::Choked(_)]), "{body}");
        assert_eq!(agent.next(Lane::Main, MORNING), Next::Wait { until: MORNING + 15_000 }, "{body}");
    }
}

#[test]
fn a_tablet_that_is_told_it_is_not_known_asks_a_person_and_falls_silent() {
    let mut agent = set_up(&json!({}));
    agent.restart(MORNING);
    next(&mut agent, MORNING).unwrap();
    let body = br#"{"status":"ERROR","message":"error.notfound.device","data":null}"#;
    agent.answered(Lane::Main, &AgentReply::http(200, body), MORNING);
    assert!(agent.take_did().contains(&Did::AskedForNumber));
    assert_eq!(agent.next(Lane::Main, i64::MAX), Next::Off);
}

#[test]
fn a_retired_tablet_keeps_what_it_has_and_goes_on_asking() {
    let mut agent = set_up(&json!({}));
    let before = agent.state().restrictions.clone();
    agent.restart(MORNING);
    for retry in 0..4 {
        let _sent = run(&mut agent, MORNING + retry * 15_000, |_request| AgentReply::http(403, b"{}"));
    }
    assert_eq!(agent.state().restrictions, before);
    assert!(!agent.state().asks_for_number && agent.state().server.is_some());
    assert!(!agent.take_did().contains(&Did::Completed));
}

#[test]
fn without_push_options_nothing_is_refreshed_and_without_a_password_everybody_knows_it() {
    let mut agent = set_up(&json!({"pushOptions": null, "password": null}));
    assert_eq!(agent.state().panel_password(), "25D55AD283AA400AF464C76D713C07AD");
    assert_eq!(agent.next(Lane::Poll, MORNING), Next::Off);
    let mut configurations = 0;
    for minute in 0..=240 {
        let sent = run(&mut agent, MORNING + minute * 60_000, server(config(&json!({}))));
        configurations += sent.iter().filter(|path| path.contains("configuration")).count();
    }
    assert_eq!(configurations, 0);
}

#[test]
fn a_setting_with_a_space_suspends_nothing_that_exists() {
    let setting = |value: &str| json!({"applicationSettings": [{"packageId": "com.hmdm.launcher", "name": "locked_packages", "value": value}]});
    assert!(set_up(&setting("a,b")).state().suspended.contains("b"));
    assert!(!set_up(&setting("a, b")).state().suspended.contains("b"));
}

#[test]
fn an_agent_of_ones_own_believes_a_signed_configuration_only() {
    let secret = "une phrase que personne ne connaît";
    let body = json!({"status": "OK", "message": null}).to_string();
    let body =
        format!("{},\"data\":{}}}", body.strip_suffix('}').unwrap(), config(&json!({"title": "Salle 12"})));
    let mut agent = Agent::new(AgentHardware::tablet(SERIAL)).built_with(secret);
    agent.scan(&code().to_string(), MORNING).unwrap();
    next(&mut agent, MORNING).unwrap();
    let data = body.split_once("\"data\":").unwrap().1.strip_suffix('}').unwrap().replace(' ', "");
    let right = agent.signed(&data);
    let reply = |signature: Option<&str>| AgentReply::Http {
        status: 200,
        signature: signature.map(str::to_owned),
        body: body.clone().into_bytes(),
    };
    for wrong in [None, Some("A5AE4AF4D3072409365268BB53A83B4F554B4B60")] {
        let mut agent = agent.clone();
        agent.answered(Lane::Main, &reply(wrong), MORNING);
        assert!(matches!(agent.take_did().as_slice(), [Did::Lifted, Did::Choked(_)]));
    }
    agent.answered(Lane::Main, &reply(Some(&right)), MORNING);
    assert!(agent.take_did().contains(&Did::TookConfiguration));
}

#[test]
fn a_code_is_valid_only_if_a_tablet_would_take_it() {
    let scan = |change: fn(&mut Value), android: &str| {
        let mut code = code();
        change(&mut code);
        let hardware = AgentHardware { android: android.to_owned(), ..AgentHardware::tablet(SERIAL) };
        let mut agent = Agent::new(hardware);
        agent.scan(&code.to_string(), MORNING).map(|()| agent.state().asks_for_number)
    };
    const EXTRA: &str = "android.app.extra.PROVISIONING_";
    assert!(!scan(|_code| {}, "13").unwrap());
    // Before Android 12 it cannot know its serial number, and asks.
    assert!(scan(|_code| {}, "11").unwrap());
    let named = |code: &mut Value| {
        code[format!("{EXTRA}ADMIN_EXTRAS_BUNDLE")]["com.hmdm.DEVICE_ID"] = json!(SERIAL);
    };
    assert!(!scan(named, "11").unwrap());
    let bad: [fn(&mut Value); 4] = [
        |code| code[format!("{EXTRA}DEVICE_ADMIN_SIGNATURE_CHECKSUM")] = json!("abc"),
        |code| {
            code[format!("{EXTRA}DEVICE_ADMIN_PACKAGE_CHECKSUM")] =
                json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=")
        },
        |code| code[format!("{EXTRA}DEVICE_ADMIN_COMPONENT_NAME")] = json!("a/b"),
        |code| code[format!("{EXTRA}ADMIN_EXTRAS_BUNDLE")] = json!({}),
    ];
    for change in bad {
        assert!(scan(change, "13").is_err());
    }
    assert!(scanned().scan(&code().to_string(), MORNING).is_err());
}
