//! Pushes: one for many commands, Apple's every answer honoured and shown, a certificate that would lose the fleet.

use serde_json::{Value, json};
use store::Engine;
use tablets::{ApnsFault, Ipad};
use testkit::{Patience, PushService, TestServer, TestkitError, inventory_csv, wait_until};
use types::{Clock as _, Duration, Udid};

use crate::support::{
    COLLEGE, asleep, obey, on_both_engines, pushed, pushes, standing, state_of, still_managed, why,
};

on_both_engines! {
    many_commands_are_one_push_and_a_silent_tablet_is_pushed_ever_less_often,
    what_is_put_off_wakes_its_tablet_when_it_is_due_and_what_was_cancelled_does_not,
    t_b2_a_token_that_apple_refuses_is_left_alone_until_the_tablet_sends_another,
    t_b2_a_push_that_apple_does_not_take_is_tried_again_in_its_time_and_says_so,
    t_b2_a_connection_that_goes_away_or_is_slow_loses_no_push_and_holds_up_no_other,
    t_b1_a_push_certificate_that_would_lose_tablets_is_refused_with_their_number,
    t_b1_an_expired_push_certificate_says_so_and_a_renewed_one_catches_up,
    a_tablet_is_not_pushed_before_it_has_sent_its_token,
    quiet_hours_wake_nobody_but_for_what_is_urgent,
    t_b3_silent_tablets_whose_pushes_hang_delay_nobody,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Waits until the messenger has looked at everything that is due: another tablet was pushed, and came.
async fn messenger_has_looked(server: &TestServer, other: &mut Ipad) {
    for _twice in 0..2 {
        let before = pushes(server, other);
        server.command(other.serial(), "ProfileList", Value::Null).await.unwrap();
        pushed(server, other, before + 1).await;
        obey(other).await;
    }
}

/// Waits until it is written down that the tablet has not come for so many pushes. When the next one is due is reckoned
/// from then on: the clock does not move while one is on its way.
async fn push_is_recorded(server: &TestServer, ipad: &Ipad, unanswered: i32) {
    let udid: Udid = ipad.udid().parse().unwrap();
    let last = std::sync::Mutex::new(None);
    let recorded = wait_until("the push is recorded", Patience::default(), || async {
        let udid = udid.clone();
        let read = move |tx: &mut store::Tx<'_>| {
            let enrolment = store::enrolments::live_by_udid(tx, &udid)?.unwrap();
            store::push_states::get(tx, &enrolment.id)
        };
        let state = server.fleet()?.store().read(read).await.unwrap().unwrap();
        let is_recorded = state.unanswered == unanswered && state.lease_until.is_none();
        *last.lock().unwrap() = Some(state);
        Ok::<_, TestkitError>(is_recorded.then_some(()))
    });
    recorded.await.unwrap_or_else(|error| panic!("{error}: {:?}", last.lock().unwrap()));
}

/// Waits until that is why.
async fn is_why(server: &TestServer, command: &str, code: &str) -> String {
    let last = std::sync::Mutex::new((String::new(), String::new()));
    let what = format!("the command is {code}");
    let found = wait_until(&what, Patience::default(), || async {
        let (seen, sentence) = why(server, command).await;
        let found = (seen == code).then(|| sentence.clone());
        *last.lock().unwrap() = (seen, sentence);
        Ok::<_, TestkitError>(found)
    });
    found.await.unwrap_or_else(|error| panic!("{error}: {:?}", last.lock().unwrap()))
}

async fn many_commands_are_one_push_and_a_silent_tablet_is_pushed_ever_less_often(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut other = asleep(&server, "DMPX00000009").await;
    let mut ipad = asleep(&server, "DMPX00000001").await;
    let mut queued = Vec::new();
    for kind in ["ProfileList", "SecurityInfo", "CertificateList", "ManagedMediaList", "RestartDevice"] {
        queued.push(server.command("DMPX00000001", kind, Value::Null).await.unwrap());
        // What follows the first one is queued after its push, and not while that is on its way.
        push_is_recorded(&server, &ipad, 1).await;
    }
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 2, "five commands, one push");
    is_why(&server, &queued[0], "pushed-silent").await;

    // It does not come: it is pushed again after half an hour, an hour, two …
    server.advance(29 * MINUTE);
    push_is_recorded(&server, &ipad, 2).await;
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 2 + 1, "once for what was queued after the first push");
    for (unanswered, wait) in [(3, 61 * MINUTE), (4, 121 * MINUTE), (5, 12 * DAY)] {
        server.advance(wait);
        push_is_recorded(&server, &ipad, unanswered).await;
    }
    assert_eq!(pushes(&server, &ipad), 6);
    let sentence = is_why(&server, &queued[4], "pushed-silent").await;
    assert!(sentence.contains("silent for 12 days"), "{sentence}");

    // It comes, takes everything in one conversation, and sleeps on.
    assert_eq!(obey(&mut ipad).await.handled.len(), 5);
    server.advance(12 * DAY);
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 6);
}

async fn what_is_put_off_wakes_its_tablet_when_it_is_due_and_what_was_cancelled_does_not(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut other = asleep(&server, "DMPX00000009").await;
    let mut ipad = asleep(&server, "DMPX00000001").await;
    let at = |span| server.clock().now().plus(span).to_string();
    let put_off = async |kind: &str, span| {
        let wanted = json!({ "request_type": kind, "not_before": at(span) });
        let queued =
            server.api().unwrap().post("/api/v1/tablets/DMPX00000001/commands", &wanted).await.unwrap();
        queued.ok().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let tomorrow = put_off("RestartDevice", DAY).await;
    let tonight = put_off("ProfileList", 600 * MINUTE).await;
    assert_eq!(why(&server, &tomorrow).await.0, "not-before");
    // It comes by itself before: nothing is due, and nothing is forgotten.
    assert!(obey(&mut ipad).await.handled.is_empty());
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 1);

    server.api().unwrap().delete(&format!("/api/v1/commands/{tonight}")).await.unwrap().ok().unwrap();
    server.advance(700 * MINUTE);
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 1, "nothing waits that is due");
    server.advance(DAY);
    pushed(&server, &ipad, 2).await;
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
}

async fn t_b2_a_token_that_apple_refuses_is_left_alone_until_the_tablet_sends_another(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let apns = server.push_service().apns();
    let mut other = asleep(&server, "DMPX00000009").await;
    let in_a_minute = server.clock().now().plus(MINUTE).as_millis();
    let refusal = |status, reason: &str| ApnsFault::Refusal { status, reason: reason.to_owned() };
    for (number, fault) in [
        ApnsFault::Unregistered { since: in_a_minute },
        refusal(400, "BadDeviceToken"),
        refusal(400, "DeviceTokenNotForTopic"),
        refusal(410, "ExpiredToken"),
    ]
    .into_iter()
    .enumerate()
    {
        let serial = format!("DMPX0000001{number}");
        let mut ipad = asleep(&server, &serial).await;
        apns.fail(&ipad.enrolment().unwrap().push_token, fault.clone(), 1_000);
        let command = server.command(&serial, "RestartDevice", Value::Null).await.unwrap();
        let sentence = is_why(&server, &command, "push-token-invalid").await;
        assert!(sentence.contains("refused the tablet’s push token"), "{fault:?}: {sentence}");
        let refusals = apns.refusals().len();
        server.advance(3 * DAY);
        server.command(&serial, "ProfileList", Value::Null).await.unwrap();
        messenger_has_looked(&server, &mut other).await;
        assert_eq!(apns.refusals().len(), refusals, "{fault:?}: not pushed again, whatever is queued");
        assert_eq!(standing(&server, &serial).await, "enrolled", "{fault:?}: and never given up");

        // The tablet sends another token: what waits is pushed to it at once.
        assert_eq!(still_managed(&ipad.change_push_token().await.unwrap()), 200);
        pushed(&server, &ipad, 1).await;
        is_why(&server, &command, "pushed-silent").await;
        assert_eq!(obey(&mut ipad).await.handled.len(), 2);
        assert_eq!(state_of(&server, &command).await, "acknowledged");
    }
}

async fn t_b2_a_push_that_apple_does_not_take_is_tried_again_in_its_time_and_says_so(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let apns = server.push_service().apns();
    let mut other = asleep(&server, "DMPX00000009").await;
    let refusal = |status, reason: &str| ApnsFault::Refusal { status, reason: reason.to_owned() };
    // The fault, how often, its code, its words, when it was tried again at the latest, and when it was not yet.
    let cases = [
        (ApnsFault::TooManyRequests, 1, "push-failing", "asks to wait", 1, 0),
        (
            ApnsFault::ServiceUnavailable { retry_after: Some(3_600) },
            1,
            "push-failing",
            "asks to wait",
            62,
            50,
        ),
        (ApnsFault::ServiceUnavailable { retry_after: None }, 1, "push-failing", "ServiceUnavailable", 1, 0),
        // Tried twice at once, on two connections; then left for later.
        (ApnsFault::ConnectionDeath, 2, "push-failing", "did not take the push", 1, 0),
        (refusal(403, "BadCertificate"), 1, "push-certificate-refused", "BadCertificate", 16, 12),
    ];
    for (number, (fault, times, code, words, later, not_yet)) in cases.into_iter().enumerate() {
        let serial = format!("DMPX0000001{number}");
        let mut ipad = asleep(&server, &serial).await;
        apns.fail(&ipad.enrolment().unwrap().push_token, fault.clone(), times);
        let command = server.command(&serial, "RestartDevice", Value::Null).await.unwrap();
        let sentence = is_why(&server, &command, code).await;
        assert!(sentence.contains(words) && sentence.contains("tried again at"), "{fault:?}: {sentence}");
        // Another command does not cut Apple's pause short.
        server.command(&serial, "ProfileList", Value::Null).await.unwrap();
        if not_yet > 0 {
            server.advance(not_yet * MINUTE);
            messenger_has_looked(&server, &mut other).await;
            assert_eq!(pushes(&server, &ipad), 1, "{fault:?}: too early");
        }
        server.advance((later - not_yet) * MINUTE);
        pushed(&server, &ipad, 2).await;
        is_why(&server, &command, "pushed-silent").await;
        assert_eq!(obey(&mut ipad).await.handled.len(), 2);
    }

    // What would be refused again is not sent again, until there is a new reason.
    let mut ipad = asleep(&server, "DMPX00000020").await;
    apns.fail(&ipad.enrolment().unwrap().push_token, refusal(413, "PayloadTooLarge"), 1);
    let command = server.command("DMPX00000020", "RestartDevice", Value::Null).await.unwrap();
    let sentence = is_why(&server, &command, "push-rejected").await;
    assert!(sentence.contains("413 PayloadTooLarge"), "{sentence}");
    server.advance(3 * DAY);
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 1);
    server.command("DMPX00000020", "ProfileList", Value::Null).await.unwrap();
    pushed(&server, &ipad, 2).await;
    assert_eq!(obey(&mut ipad).await.handled.len(), 2);
}

async fn t_b2_a_connection_that_goes_away_or_is_slow_loses_no_push_and_holds_up_no_other(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let apns = server.push_service().apns();
    let mut ipads = Vec::new();
    for number in 1..=6 {
        ipads.push(asleep(&server, &format!("DMPX0000000{number}")).await);
    }
    // Every connection is asked to go away after two pushes.
    apns.go_away_after(Some(2));
    let before = apns.connections();
    for ipad in &ipads {
        server.command(ipad.serial(), "RestartDevice", Value::Null).await.unwrap();
    }
    for ipad in &mut ipads {
        pushed(&server, ipad, 2).await;
        obey(ipad).await;
    }
    assert!(apns.connections() > before, "connections went away and came again");
    apns.go_away_after(None);

    // One dies under a push, which is sent again on the next; nobody notices.
    apns.fail(&ipads[0].enrolment().unwrap().push_token, ApnsFault::ConnectionDeath, 1);
    let command = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    pushed(&server, &ipads[0], 3).await;
    is_why(&server, &command, "pushed-silent").await;

    // One is slow: the others do not wait for it.
    apns.fail(&ipads[1].enrolment().unwrap().push_token, ApnsFault::Silence(Duration::from_secs(4)), 1);
    let slow = server.command("DMPX00000002", "RestartDevice", Value::Null).await.unwrap();
    is_why(&server, &slow, "not-pushed").await;
    server.command("DMPX00000003", "RestartDevice", Value::Null).await.unwrap();
    pushed(&server, &ipads[2], 3).await;
    assert_eq!(pushes(&server, &ipads[1]), 2, "Apple still has not answered");
    pushed(&server, &ipads[1], 3).await;
    is_why(&server, &slow, "pushed-silent").await;
}

/// What is sent to install this certificate.
fn wanted(certificate: &tablets::PushCertificate) -> Value {
    json!({ "certificate_pem": certificate.certificate_pem, "key_pem": certificate.key_pem })
}

async fn t_b1_a_push_certificate_that_would_lose_tablets_is_refused_with_their_number(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (api, service): (_, &PushService) = (server.api().unwrap(), server.push_service());
    let now = server.clock().now();
    let other_topic = service.another_certificate("com.apple.mgmt.External.other", now, 300).unwrap();
    let renewed = service.another_certificate(service.topic(), now, 300).unwrap();
    let mut ipad = asleep(&server, "DMPX00000001").await;
    asleep(&server, "DMPX00000002").await;
    server.import_inventory(&inventory_csv(["DMPX00000003"], COLLEGE)).await.unwrap();
    let mut halfway = server.ipad("DMPX00000003").build().unwrap();
    let profile = halfway.fetch_profile(&server.link_for("DMPX00000003").await.unwrap()).await.unwrap();
    halfway.identify(&profile, false).await.unwrap();
    assert!(halfway.authenticate().await.unwrap().is_accepted());

    let refused = server
        .stepped_up()
        .await
        .unwrap()
        .put("/api/v1/push-certificate", &wanted(&other_topic))
        .await
        .unwrap();
    assert_eq!(refused.status, 409);
    assert!(refused.text("/detail").starts_with("3 tablet(s)"), "{:?}", refused.body);
    let mixed = json!({ "certificate_pem": renewed.certificate_pem, "key_pem": other_topic.key_pem });
    assert_eq!(
        server.stepped_up().await.unwrap().put("/api/v1/push-certificate", &mixed).await.unwrap().status,
        422
    );
    let shown = api.get("/api/v1/push-certificate").await.unwrap();
    assert_eq!(shown.text("/topic"), service.topic());
    assert!(shown.body["days_left"].as_u64().unwrap() > 1_000, "nothing was changed: {:?}", shown.body);

    // One of the same topic takes over, and the tablets never notice.
    server
        .stepped_up()
        .await
        .unwrap()
        .put("/api/v1/push-certificate", &wanted(&renewed))
        .await
        .unwrap()
        .ok()
        .unwrap();
    let connections = service.apns().connections();
    server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    pushed(&server, &ipad, 2).await;
    assert!(service.apns().connections() > connections, "it is the new one that pushes");
    obey(&mut ipad).await;
}

async fn t_b1_an_expired_push_certificate_says_so_and_a_renewed_one_catches_up(engine: Engine) {
    let server = TestServer::setup(engine).without_push_certificate().start().await.unwrap();
    let (api, service) = (server.api().unwrap(), server.push_service());
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let link = server.link_for("DMPX00000001").await.unwrap();
    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    let refused = ipad.fetch_profile(&link).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "nobody enrols who could not be woken: {refused}");

    let short = service.another_certificate(service.topic(), server.clock().now(), 40).unwrap();
    server
        .stepped_up()
        .await
        .unwrap()
        .put("/api/v1/push-certificate", &wanted(&short))
        .await
        .unwrap()
        .ok()
        .unwrap();
    ipad.enrol_by_link(&link).await.unwrap();
    pushed(&server, &ipad, 1).await;
    obey(&mut ipad).await;
    server.advance(15 * DAY);
    wait_until("its expiry is told", Patience::default(), || async {
        let kinds = server.alarm_kinds().await?;
        Ok((kinds == ["push-certificate-expires"]).then_some(()))
    })
    .await
    .unwrap();

    server.advance(30 * DAY);
    let command = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    let sentence = is_why(&server, &command, "push-certificate-expired").await;
    assert!(sentence.contains("same Apple Account"), "{sentence}");
    assert_eq!(api.get("/api/v1/push-certificate").await.unwrap().body["days_left"], 0);
    assert_eq!(
        server
            .stepped_up()
            .await
            .unwrap()
            .put("/api/v1/push-certificate", &wanted(&short))
            .await
            .unwrap()
            .status,
        422,
        "expired is expired"
    );
    assert_eq!(pushes(&server, &ipad), 1);

    // The stand-in goes by the real clock: one that begins today, by the server's, is not valid there yet.
    let early = service.another_certificate(service.topic(), server.clock().now(), 300).unwrap();
    server
        .stepped_up()
        .await
        .unwrap()
        .put("/api/v1/push-certificate", &wanted(&early))
        .await
        .unwrap()
        .ok()
        .unwrap();
    is_why(&server, &command, "push-certificate-refused").await;
    // One that Apple accepts is used at once: nobody waits for the next attempt.
    server.install_push_certificate().await.unwrap();
    pushed(&server, &ipad, 2).await;
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
}

async fn a_tablet_is_not_pushed_before_it_has_sent_its_token(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut other = asleep(&server, "DMPX00000009").await;
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    let profile = ipad.fetch_profile(&server.link_for("DMPX00000001").await.unwrap()).await.unwrap();
    ipad.identify(&profile, false).await.unwrap();
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    let command = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    assert_eq!(why(&server, &command).await.0, "no-push-token");
    messenger_has_looked(&server, &mut other).await;
    assert_eq!(pushes(&server, &ipad), 0);
    assert!(ipad.token_update().await.unwrap().is_accepted());
    pushed(&server, &ipad, 1).await;
    assert!(obey(&mut ipad).await.request_types().contains(&"RestartDevice"));
}

async fn quiet_hours_wake_nobody_but_for_what_is_urgent(engine: Engine) {
    // From an hour ago until in three hours, as clocks in Paris show it.
    let hour = {
        let now = types::SystemClock.now();
        now.since(types::Day::of(now).starts_at()).as_secs() / 3_600
    };
    let quiet = format!("apns.quiet_hours={:02}:00-{:02}:00", (hour + 23) % 24, (hour + 3) % 24);
    let server = TestServer::setup(engine).flag(&quiet).start().await.unwrap();
    let mut urgent = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    // Somebody has just enrolled them, and holds them: they are woken at any hour, once.
    for ipad in [&mut urgent, &mut other] {
        pushed(&server, ipad, 1).await;
        obey(ipad).await;
    }
    server.advance(61 * MINUTE);

    let waits = server.command("DMPX00000002", "RestartDevice", Value::Null).await.unwrap();
    server.command("DMPX00000001", "DeviceLock", Value::Null).await.unwrap();
    pushed(&server, &urgent, 2).await;
    let sentence = is_why(&server, &waits, "quiet-hours").await;
    assert!(sentence.contains("comes by itself"), "{sentence}");
    let told = server.api().unwrap().get("/api/v1/tablets/DMPX00000002/why").await.unwrap().ok().unwrap();
    assert_eq!((&told["code"], &told["waiting"]), (&json!("quiet-hours"), &json!(1)));

    // One that comes by itself is served at any hour.
    let second = server.command("DMPX00000001", "ProfileList", Value::Null).await.unwrap();
    obey(&mut urgent).await;
    assert_eq!(state_of(&server, &second).await, "acknowledged");
    messenger_sees_quiet(&server, &waits).await;
    assert_eq!(pushes(&server, &other), 1);

    // When they are over it is pushed, within ten minutes.
    server.advance(131 * MINUTE);
    pushed(&server, &other, 2).await;
    is_why(&server, &waits, "pushed-silent").await;
    obey(&mut other).await;
}

/// Waits until a messenger has put the tablet off: its row says when it is pushed.
async fn messenger_sees_quiet(server: &TestServer, waits: &str) {
    wait_until("the messenger has put the tablet off", Patience::default(), || async {
        let told = server.api()?.get("/api/v1/tablets/DMPX00000002/why").await?.ok()?;
        assert_eq!(told["command"].as_str(), Some(waits));
        let next: Option<String> = told["next_push_at"].as_str().map(str::to_owned);
        Ok(next.filter(|next| *next > server.clock().now().plus(30 * MINUTE).to_string()))
    })
    .await
    .unwrap();
}

async fn t_b3_silent_tablets_whose_pushes_hang_delay_nobody(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (apns, by_hand) = (server.push_service().apns(), crate::by_hand::ByHand::of(&server));
    let mut silent = Vec::new();
    for number in 1..=10 {
        silent.push(asleep(&server, &format!("DMPX000000{number:02}")).await);
    }
    let mut answers = asleep(&server, "DMPX00000099").await;
    for ipad in &silent {
        server.command(ipad.serial(), "ProfileList", Value::Null).await.unwrap();
        pushed(&server, ipad, 2).await;
    }
    wait_until("all pushes are recorded", Patience::default(), || async {
        Ok((by_hand.count("push_states WHERE unanswered > 0 AND lease_until IS NULL") == 10).then_some(()))
    })
    .await
    .unwrap();

    // They did not come. Now Apple answers for none of them, and they are due one after the other, so that each is
    // claimed by itself: as many at a time as silent tablets may be.
    for ipad in &silent {
        let token = &ipad.enrolment().unwrap().push_token;
        apns.fail(token, ApnsFault::Silence(Duration::from_secs(600)), 1_000);
    }
    server.advance(2 * MINUTE);
    for (number, ipad) in silent.iter().enumerate() {
        server.command(ipad.serial(), "SecurityInfo", Value::Null).await.unwrap();
        let claimed = i64::try_from(number).unwrap() + 1;
        if claimed <= 2 {
            wait_until("a silent tablet is being pushed", Patience::default(), || async {
                let leased = by_hand.count("push_states WHERE unanswered > 0 AND lease_until IS NOT NULL");
                Ok((leased >= claimed).then_some(()))
            })
            .await
            .unwrap();
        }
    }

    // The one that answers is pushed at once, again and again.
    for times in 2..=4 {
        server.command(answers.serial(), "ProfileList", Value::Null).await.unwrap();
        pushed(&server, &answers, times).await;
        obey(&mut answers).await;
    }
    for ipad in &silent {
        assert_eq!(pushes(&server, ipad), 2, "Apple has not answered");
    }
    let metrics = server.api().unwrap().get("/metrics").await.unwrap();
    assert_eq!(metrics.status, 200);
}
