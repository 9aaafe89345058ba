//! The order of what it sends, its timers, retries and confirmations.

use super::*;

#[test]
fn it_enrols_then_updates_in_the_order_of_its_code_and_reports() {
    let mut agent = scanned();
    let file = json!({"path": "/a.pdf", "url": "https://mdm.ecole.example/e-1/files/a.pdf", "lastUpdate": 1});
    let app = json!({"name": "Lecture", "pkg": "org.exemple.lecture", "version": "2.1", "code": 21,
        "url": "https://mdm.ecole.example/e-1/files/lecture-21.apk"});
    let data = config(&json!({"files": [file], "applications": [app], "passwordReset": "4829"}));
    let sent = run(&mut agent, MORNING, server(data));
    let number = SERIAL;
    assert_eq!(
        sent,
        [
            format!("POST e-1/rest/public/sync/configuration/{number}"),
            format!("GET e-1/rest/public/sync/configuration/{number}"),
            format!("GET e-1/rest/plugins/devicelog/log/rules/{number}"),
            format!("POST e-1/rest/plugins/devicereset/public/password/{number}"),
            "GET e-1/files/a.pdf".to_owned(),
            "GET e-1/files/lecture-21.apk".to_owned(),
            "POST e-1/rest/public/sync/info".to_owned(),
        ]
    );
    let took = || Did::TookConfiguration;
    assert_eq!(
        agent.take_did(),
        [
            Did::Lifted,
            took(),
            took(),
            Did::StartedPush,
            Did::SetCode,
            Did::Put("/a.pdf".to_owned()),
            Did::Installed("org.exemple.lecture".to_owned()),
            Did::Restricted,
            Did::Completed,
        ]
    );
    assert_eq!(agent.state().passcode.as_deref(), Some("4829"));
    let restrictions: Vec<&str> = agent.state().restrictions.iter().map(String::as_str).collect();
    assert_eq!(restrictions, ["no_factory_reset", "no_safe_boot"]);
}

#[test]
fn what_it_sends_is_signed_and_shaped_as_the_published_agent_does_it() {
    let mut agent = scanned();
    let enrol = next(&mut agent, MORNING).unwrap();
    let body: Value = serde_json::from_slice(enrol.body.as_ref().unwrap()).unwrap();
    let options =
        json!({"customer": null, "configuration": "12", "groups": ["3", "4"], "groupSet": ["3", "4"]});
    assert_eq!(body, options);
    assert_eq!(enrol.headers[1], ("X-CPU-Arch", "arm64-v8a".to_owned()));
    assert_eq!(enrol.headers[0].1, agent.signed(SERIAL));
    assert_eq!(agent.signed("t1"), "A5AE4AF4D3072409365268BB53A83B4F554B4B60");
    let mut agent = set_up(&json!({}));
    let Next::Send(poll) = agent.next(Lane::Poll, MORNING) else { panic!("it does not poll") };
    assert_eq!(poll.url, format!("{BASE}/e-1/rest/notification/polling/{SERIAL}"));
    assert_eq!(
        poll.headers,
        [("X-Request-Signature", agent.signed(&format!("e-1/rest/notification/polling/{SERIAL}")))]
    );
    assert_eq!(poll.timeout, 300_000);
    let file = agent.download("https://a.example/x/files/b%20c.apk?d=/files/e");
    assert_eq!(file.headers[1].1, agent.signed("b%20c.apk?d=/files/e"));
    assert_eq!(agent.download("https://a.example/b.apk").headers.len(), 1);
}

#[test]
fn it_moves_to_its_own_key_once_there_is_a_configuration_and_else_stays() {
    let mut agent = scanned();
    let data = config(&json!({"newServerUrl": "https://mdm.ecole.example/d-2"}));
    let sent = run(&mut agent, MORNING, |request| match request.url.contains("/d-2/") {
        true => ok(&config(&json!({}))),
        false => server(data.clone())(request),
    });
    let configurations: Vec<&String> = sent.iter().filter(|path| path.contains("configuration")).collect();
    let paths = ["POST e-1", "GET e-1", "GET d-2", "GET d-2"].map(|path| {
        let (method, key) = path.split_once(' ').unwrap();
        format!("{method} {key}/rest/public/sync/configuration/{SERIAL}")
    });
    assert_eq!(configurations, paths.iter().collect::<Vec<_>>());
    assert_eq!(sent.last().unwrap(), "POST d-2/rest/public/sync/info");
    assert!(agent.take_did().contains(&Did::Moved(format!("{BASE}/d-2"))));

    let mut stays = scanned();
    run(&mut stays, MORNING, |request| match request.url.contains("/d-2/") {
        true => AgentReply::http(404, b"{}"),
        false => server(data.clone())(request),
    });
    assert!(stays.take_did().contains(&Did::Stayed));
    assert_eq!(stays.state().server.as_ref().unwrap().project, "e-1");
}

#[test]
fn it_moves_even_if_its_old_address_fails_after_the_first_configuration() {
    let mut agent = scanned();
    let data = config(&json!({"newServerUrl": "https://mdm.ecole.example/d-2"}));
    let mut now = MORNING;
    for _retry in 0..5 {
        run(&mut agent, now, |request| match (request.method, request.url.contains("/d-2/")) {
            ("POST", false) if request.url.contains("configuration") => ok(&data),
            ("GET", false) => AgentReply::http(404, b"{}"),
            _ => server(config(&json!({})))(request),
        });
        now += 15_000;
    }
    assert_eq!(agent.state().server.as_ref().unwrap().project, "d-2");
}

#[test]
fn it_wipes_itself_only_when_its_confirmation_is_taken() {
    for (status, erased) in [(200, 1), (204, 1), (503, 0), (404, 0)] {
        let mut agent = scanned();
        let mut serve = server(config(&json!({"factoryReset": true, "reboot": true})));
        let mut confirmation = None;
        run(&mut agent, MORNING, |request| {
            if request.url.contains("devicereset/public/R") {
                confirmation = Some(request.clone());
                return AgentReply::http(status, b"{}");
            }
            if request.url.contains("/reboot/") { AgentReply::http(503, b"") } else { serve(request) }
        });
        assert_eq!(agent.state().erased, erased, "{status}");
        let body: Value = serde_json::from_slice(&confirmation.unwrap().body.unwrap()).unwrap();
        assert_eq!((&body["factoryReset"], &body["serial"]), (&json!(true), &json!(SERIAL)));
        if erased == 1 {
            assert_eq!(agent.next(Lane::Main, MORNING), Next::Off);
            assert!(agent.state().server.is_none() && agent.state().passcode.is_none());
        }
    }
}

#[test]
fn an_agent_that_is_not_administrator_says_so_and_wipes_nothing() {
    let mut agent = scanned();
    agent.state_mut().administrator = false;
    run(&mut agent, MORNING, |request| {
        if request.url.contains("devicereset/public/R") {
            let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
            assert_eq!(body["factoryReset"], json!(false));
        }
        server(config(&json!({"factoryReset": true})))(request)
    });
    assert_eq!(agent.state().erased, 0);
}

#[test]
fn a_connection_that_breaks_is_tried_at_the_other_address_and_an_answer_is_not() {
    let mut agent = scanned();
    agent.state_mut().server.as_mut().unwrap().secondary = "https://autre.example".to_owned();
    let first = next(&mut agent, MORNING).unwrap();
    assert_eq!(next(&mut agent, MORNING).as_ref(), Some(&first));
    agent.answered(Lane::Main, &AgentReply::Broken, MORNING);
    let second = next(&mut agent, MORNING).unwrap();
    assert_eq!(second.url, first.url.replace(BASE, "https://autre.example"));
    agent.answered(Lane::Main, &AgentReply::http(500, b""), MORNING);
    // Twice more, each after 15 seconds.
    for retry in 1..=2 {
        assert_eq!(
            agent.next(Lane::Main, MORNING + (retry - 1) * 15_000),
            Next::Wait { until: MORNING + retry * 15_000 }
        );
        assert_eq!(next(&mut agent, MORNING + retry * 15_000).as_ref(), Some(&first));
        agent.answered(Lane::Main, &AgentReply::http(500, b""), MORNING + retry * 15_000);
    }
    assert!(
        matches!(agent.next(Lane::Main, MORNING + 30_000), Next::Wait { until } if until > MORNING + 45_000)
    );
}

#[test]
fn it_reports_every_quarter_of_an_hour_and_refreshes_every_hour() {
    let mut agent = set_up(&json!({}));
    let mut counts = (0, 0);
    for minute in 0..=240 {
        let sent = run(&mut agent, MORNING + minute * 60_000, server(config(&json!({}))));
        counts.0 += sent.iter().filter(|path| path.ends_with("sync/info")).count();
        counts.1 += sent.iter().filter(|path| path.contains("configuration")).count();
    }
    assert_eq!(counts, (16, 3));
}

#[test]
fn the_long_poll_pauses_as_long_as_its_answer_says() {
    let poll = |agent: &mut Agent, now, reply: AgentReply| {
        assert!(matches!(agent.next(Lane::Poll, now), Next::Send(_)));
        let breaks = reply == AgentReply::Broken;
        agent.answered(Lane::Poll, &reply, now);
        if breaks {
            // At the other address too.
            assert!(matches!(agent.next(Lane::Poll, now), Next::Send(_)));
            agent.answered(Lane::Poll, &reply, now);
        }
        match agent.next(Lane::Poll, now) {
            Next::Wait { until } => until - now,
            other => panic!("{other:?}"),
        }
    };
    let mut agent = set_up(&json!({}));
    let cases = [
        (ok(&json!([])), 5_000),
        (AgentReply::http(404, b"{}"), 65_000),
        (AgentReply::http(503, b""), 5_000),
        (AgentReply::Broken, 60_000),
        (ok(&json!([{"messageType": "configUpdated", "payload": {}}])), 60_000),
    ];
    let mut now = MORNING;
    for (reply, pause) in cases {
        assert_eq!(poll(&mut agent, now, reply.clone()), pause, "{reply:?}");
        now += pause;
    }
}

#[test]
fn a_push_makes_it_update_once_and_report_and_a_restart_needs_no_push() {
    let mut agent = set_up(&json!({}));
    let now = MORNING + 60_000;
    assert!(matches!(agent.next(Lane::Poll, now), Next::Send(_)));
    let twice = json!([{"messageType": "configUpdated", "payload": null}, {"messageType": "configUpdated", "payload": null}]);
    agent.answered(Lane::Poll, &ok(&twice), now);
    let sent = run(&mut agent, now, server(config(&json!({}))));
    assert_eq!(sent.iter().filter(|path| path.contains("configuration")).count(), 1);
    assert_eq!(sent.last().unwrap(), "POST e-1/rest/public/sync/info");
    agent.restart(now);
    assert!(run(&mut agent, now, server(config(&json!({})))).len() >= 3);
    assert_eq!(agent.state().reboots, 1);
}

#[test]
fn it_restarts_when_its_confirmation_is_taken_and_updates_again() {
    let mut agent = set_up(&json!({}));
    let mut told = false;
    agent.restart(MORNING);
    let sent = run(&mut agent, MORNING, |request| {
        if request.url.contains("/configuration/") {
            let reboot = !std::mem::replace(&mut told, true);
            return ok(&config(&json!({ "reboot": reboot })));
        }
        server(config(&json!({})))(request)
    });
    assert_eq!(sent.iter().filter(|path| path.contains("/reboot/")).count(), 1);
    assert_eq!(agent.state().reboots, 2);
}

#[test]
fn a_code_needs_an_active_token_and_its_log_says_what_became_of_it() {
    let mut agent = scanned();
    agent.state_mut().token_active = false;
    let rules = json!([{"packageId": "com.hmdm.launcher", "logLevel": 3, "filter": ""}]);
    let mut log = Vec::new();
    let sent = run(&mut agent, MORNING, |request| {
        if request.url.contains("/rules/") {
            return ok(&rules);
        }
        if request.url.contains("/log/list/") {
            log.push(String::from_utf8(request.body.clone().unwrap()).unwrap());
        }
        server(config(&json!({"passwordReset": ""})))(request)
    });
    assert!(sent.iter().any(|path| path.contains("devicereset/public/password/")));
    assert_eq!(log.len(), 1);
    assert!(log[0].contains("Failed to reset password"), "{log:?}");
    assert!(agent.take_did().contains(&Did::CouldNotSetCode));
}

#[test]
fn an_app_that_failed_is_not_tried_again_before_it_is_told_so() {
    let app = json!({"pkg": "a", "version": "1", "url": "https://a.example/a.apk"});
    let data = config(&json!({ "applications": [app] }));
    let mut agent = scanned();
    let serve = |agent: &mut Agent, now, status| {
        let sent = run(agent, now, |request| match request.url.ends_with("a.apk") {
            true => AgentReply::http(status, b"apk"),
            false => server(data.clone())(request),
        });
        sent.iter().filter(|path| path.ends_with("a.apk")).count()
    };
    assert_eq!(serve(&mut agent, MORNING, 404), 1);
    agent.restart(MORNING);
    assert_eq!(serve(&mut agent, MORNING, 200), 0);
    let now = MORNING + 10_000;
    agent.next(Lane::Poll, now);
    let messages = json!([{"messageType": "clearDownloadHistory"}, {"messageType": "configUpdated"}]);
    agent.answered(Lane::Poll, &ok(&messages), now);
    assert_eq!(serve(&mut agent, now, 200), 1);
    assert_eq!(agent.state().apps["a"].version, "1");
}
