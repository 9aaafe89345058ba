//! Warrants and positions through the whole server: nobody is located without a warrant that a second person granted, as
//! often and as closely as it says; what comes too late, or cannot be, is dropped; and positions die with their key (M1, M2,
//! C5.4.3).
//!
//! Long because every test tells of the one case that stands at its head, a granted warrant.

use futures_util::future::join_all;
use serde_json::{Value, json};
use store::Engine;
use store::incident_keys::Readable;
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, wait_until};
use types::{Clock as _, Day, Role};

use crate::by_hand::ByHand;
use crate::missing::{Case, HOUR, MINUTE, SERIAL, position};
use crate::signing::seen;
use crate::support::{DAY, OTHER_COLLEGE, fetched, obey, on_both_engines, with};

on_both_engines! {
    t_c16_nobody_is_located_without_a_warrant_that_a_second_person_granted,
    t_c16_a_request_whose_warrant_ended_is_not_delivered_and_a_late_answer_is_dropped,
    t_a23_an_answer_that_is_no_position_is_dropped_and_recorded_and_never_where,
    m1_of_requests_at_once_one_goes_and_never_more_than_the_warrant_says,
    m1_without_the_complaint_a_warrant_ends_after_48_hours_and_goes_on_with_a_second_person,
    c3_1_6_the_dpo_switches_geolocation_off_and_nobody_is_located_from_then_on,
    m1_t_c19_a_look_at_a_position_is_recorded_with_who_and_why,
    m2_positions_die_with_their_key_and_a_backup_shows_none,
    m2_without_the_folder_of_keys_nothing_is_kept_and_the_server_is_not_ready,
    c7_1_the_holder_is_told_and_an_authority_delays_it_until_its_day,
    m5_after_a_restore_nothing_rests_on_an_incident_before_somebody_confirms_it,
    t_c11_no_position_and_no_name_is_in_the_log,
    m1_a_warrant_that_rests_on_a_paper_ends_with_it_and_says_when_it_ended,
    m1_a_warrant_that_is_asked_for_again_says_that_the_first_reason_stands,
}

async fn t_c16_nobody_is_located_without_a_warrant_that_a_second_person_granted(engine: Engine) {
    let mut case = Case::of(engine, "theft").await;
    // By hand, without an incident, without a warrant, without the DPO: each time another rule.
    let by_hand = json!({ "request_type": "DeviceLocation" });
    let path = format!("/api/v1/tablets/{SERIAL}/commands");
    let sent = case.client(case.ati).await.post(&path, &by_hand).await.unwrap();
    assert!(matches!(sent.status, 403 | 422), "{sent:?}");
    assert_eq!(case.locate().await.text("/rule"), "M1");
    let off = case.ask_warrant(json!({})).await;
    assert_eq!((off.text("/code"), off.text("/rule")), ("forbidden-by-rule", "C3.1.6"), "{off:?}");
    case.validate().await;
    for beyond in [json!({ "hours": 169 }), json!({ "fixes": 25 }), json!({ "interval_minutes": 4 })] {
        assert_eq!(case.ask_warrant(beyond.clone()).await.text("/rule"), "M1", "{beyond}");
    }
    let request = case.asked(json!({})).await;
    // Neither whoever asked, nor the head of another collège.
    assert!(case.sign(case.ati, &request).await.status >= 400);
    let employer = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other = (employer, "head-elsewhere", Role::Head, GrantReach::Organisation);
    let other = case.server.someone(other.0, other.1, other.2, other.3).await.unwrap();
    assert_eq!(case.sign(other, &request).await.status, 404);
    assert_eq!(case.list("warrants").await, Vec::<Value>::new());
    let signed = case.sign(case.head, &request).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    let warrant = case.warrant().await;
    assert_eq!((warrant["fixes"].as_u64(), warrant["interval_minutes"].as_u64()), (Some(12), Some(15)));
    assert_eq!(warrant["footing"], "provisional");
    assert!(case.sign(case.head, &request).await.status >= 400, "a signature serves once");
    let second = case.ask_warrant(json!({})).await;
    assert_eq!(second.text("/rule"), "M1", "an incident has one: another extends it: {second:?}");

    // An iPad tells where it is in lost mode only.
    assert_eq!(case.locate().await.status, 409);
    case.put_in_lost_mode().await;
    let asked = case.locate().await;
    assert_eq!((asked.status, asked.text("/outcome")), (201, "awaited"), "{asked:?}");
    assert!(case.ipad.poll().await.unwrap().request_types().contains(&"DeviceLocation"));
    assert_eq!(case.last().await, ("kept".to_owned(), String::new()));
    let command = case.server.show_command(asked.text("/id")).await.unwrap();
    assert_eq!((&command["state"], &command["result"]), (&json!("acknowledged"), &Value::Null));
    assert!(!command.to_string().contains("48.85"), "{command}");
    // Whoever declared it grants nothing, whatever they are.
    let noticed = case.server.clock().now().to_string();
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let loss = json!({ "kind": "loss", "noticed_at": noticed });
    let declared = case.client(case.head).await.post(&path, &loss).await.unwrap();
    case.incident = declared.text("/id").to_owned();
    let request = case.asked(json!({})).await;
    // They read so before they try, and may still refuse.
    let read = seen(&case, case.head, &request).await;
    let why = "whoever declared the incident cannot grant its warrant: ask another head or operator (M1)";
    assert_eq!((&read["answerable"], &read["signable"]), (&json!(true), &json!(false)), "{read}");
    assert_eq!(read["not_signable_because"], why);
    let refused = case.sign(case.head, &request).await;
    assert_eq!(refused.text("/rule"), "M1", "{refused:?}");
    let bruno = (Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation);
    let bruno = case.server.someone(bruno.0, bruno.1, bruno.2, bruno.3).await.unwrap();
    assert_eq!(case.sign(bruno, &request).await.status, 200);
    assert_eq!(case.server.alarm_kinds().await.unwrap(), Vec::<String>::new());
}

async fn t_c16_a_request_whose_warrant_ended_is_not_delivered_and_a_late_answer_is_dropped(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let by_hand = ByHand::of(&case.server);
    let udid = case.ipad.udid().to_owned();
    let end = |id: String| format!("/api/v1/warrants/{id}/end");
    // One is on its way when the warrant is ended by hand; its answer comes after.
    assert_eq!(case.locate().await.status, 201);
    let given = fetched(&mut case.ipad).await.unwrap();
    let id = case.warrant().await["id"].as_str().unwrap().to_owned();
    let ended =
        case.client(case.ati).await.post(&end(id), &json!({ "reason": "retrouvée ?" })).await.unwrap();
    assert_eq!((ended.status, ended.text("/state")), (200, "ended"), "{ended:?}");
    assert_eq!(case.last().await, ("cancelled".to_owned(), "the warrant was ended".to_owned()));
    let now = case.server.clock().now().to_string();
    case.ipad.report(&position(&udid, &given, 49.4431.into(), &now)).await.unwrap();
    assert_eq!(by_hand.count("positions"), 0, "dropped before it is stored");
    assert_eq!(case.last().await.0, "cancelled");

    // Another waits when the tablet is found: it is never delivered.
    let extended = case.extend().await;
    assert_eq!(case.sign(case.head, extended.text("/countersignature")).await.status, 200);
    case.server.advance(15 * MINUTE);
    assert_eq!(case.locate().await.status, 201);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    assert_eq!(fetched(&mut case.ipad).await, None);
    assert_eq!(case.last().await.0, "cancelled");
    // And one whose time is over waits for nobody either.
    assert_eq!(by_hand.count("commands WHERE gate = 'locate' AND pending"), 0);
    assert_eq!(by_hand.count("positions"), 0);
    // A report for a request that no tablet was ever given keeps nothing.
    assert_eq!(case.audited("position.drop").await.len(), 0);
}

async fn t_a23_an_answer_that_is_no_position_is_dropped_and_recorded_and_never_where(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let udid = case.ipad.udid().to_owned();
    let now = |case: &Case| case.server.clock().now();
    let mut expected = Vec::new();
    for (latitude, shift, why) in [
        (91.0, 0, "it is no place: the latitude is none"),
        (-90.001, 0, "it is no place: the latitude is none"),
        (f64::NAN, 0, "it cannot be read as a position"),
        (f64::INFINITY, 0, "it cannot be read as a position"),
        (49.4431, 86_400, "it was measured later than now"),
        (49.4431, -864_000, "it was measured before the warrant opened"),
    ] {
        assert_eq!(case.locate().await.status, 201);
        let given = fetched(&mut case.ipad).await.unwrap();
        let at = types::Instant::from_millis(now(&case).as_millis() + shift * 1_000).to_string();
        let answer = position(&udid, &given, latitude.into(), &at);
        assert!(case.ipad.report(&answer).await.unwrap().is_accepted(), "{latitude}");
        assert_eq!(case.last().await, ("dropped".to_owned(), why.to_owned()), "{latitude}");
        expected.push(why);
        case.server.advance(5 * MINUTE);
    }
    // The same with a word where a number belongs, and with no time at all.
    for (key, value) in [("Latitude", plist::Value::from("49.4431")), ("Timestamp", "hier".into())] {
        assert_eq!(case.locate().await.status, 201);
        let given = fetched(&mut case.ipad).await.unwrap();
        let whole = position(&udid, &given, 49.4431.into(), &now(&case).to_string());
        assert!(case.ipad.report(&with(&whole, key, value)).await.unwrap().is_accepted(), "{key}");
        assert_eq!(case.last().await.0, "dropped", "{key}");
        expected.push("it cannot be read as a position");
        case.server.advance(5 * MINUTE);
    }
    let dropped = case.audited("position.drop").await;
    let mut told: Vec<&str> = dropped.iter().map(|entry| entry["detail"]["why"].as_str().unwrap()).collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected, "each is recorded, with why");
    let all = format!("{dropped:?}{:?}", case.list("positions").await);
    assert!(!all.contains("49.44") && !all.contains("1.0993"), "and never where");
    assert_eq!(case.readable().await.kept, 0);
    // An answer that is one is kept, and a second answer to the same request changes nothing.
    assert_eq!(case.locate().await.status, 201);
    let given = fetched(&mut case.ipad).await.unwrap();
    let answer = position(&udid, &given, 49.4431.into(), &now(&case).to_string());
    for _twice in 0..2 {
        case.ipad.report(&answer).await.unwrap();
    }
    assert_eq!(case.last().await.0, "kept");
    assert_eq!(case.readable().await, Readable { kept: 1, readable: 1 });
}

async fn m1_of_requests_at_once_one_goes_and_never_more_than_the_warrant_says(engine: Engine) {
    let case = Case::lost(engine).await;
    let request = case.asked(json!({ "fixes": 3, "interval_minutes": 5 })).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    // Two nodes over one database, where there may be two.
    let mut other = None;
    if engine == Engine::Postgresql {
        let mut node = case.server.another_node().await.unwrap();
        node.start().unwrap();
        node.ready().await.unwrap();
        other = Some(node);
    }
    let by_hand = ByHand::of(&case.server);
    let path = format!("/api/v1/incidents/{}/positions", case.incident);
    let body = json!({ "reason": "vue à la gare" });
    for round in 1..=4 {
        // A session of the moment, as both nodes know it.
        let here = case.client(case.ati).await;
        let clients: Vec<ApiClient> = (0..8)
            .map(|number| match &other {
                // Its clock is the machine's: once time was moved, it is behind.
                Some(node) if number % 2 == 1 && round == 1 => node.api().as_whoever(&here),
                _ => here.clone(),
            })
            .collect();
        let answers = join_all(clients.iter().map(|client| client.post(&path, &body))).await;
        let answers: Vec<Answer> = answers.into_iter().map(Result::unwrap).collect();
        let went = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(went, usize::from(round <= 3), "round {round}: {answers:?}");
        let refused = answers.iter().filter(|answer| answer.status != 201);
        assert!(refused.clone().all(|answer| answer.text("/rule") == "M1"), "{answers:?}");
        assert_eq!(by_hand.count("commands WHERE gate = 'locate'"), round.min(3));
        assert_eq!(by_hand.count("position_requests"), round.min(3));
        case.server.advance(5 * MINUTE);
    }
    if let Some(mut node) = other {
        node.kill();
    }
}

async fn m1_without_the_complaint_a_warrant_ends_after_48_hours_and_goes_on_with_a_second_person(
    engine: Engine,
) {
    let mut case = Case::of(engine, "theft").await;
    case.validate().await;
    case.put_in_lost_mode().await;
    let request = case.asked(json!({})).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    assert_eq!(case.locate().await.status, 201);
    obey(&mut case.ipad).await;
    // One waits while the hours run out.
    case.server.advance(47 * HOUR);
    assert_eq!(case.locate().await.status, 201);
    case.server.advance(2 * HOUR);
    assert_eq!(case.locate().await.text("/rule"), "M1");
    assert_eq!(fetched(&mut case.ipad).await, None, "what waited is not delivered");
    wait_until("the warrant ran out", Patience::default(), || async {
        Ok((case.warrant().await["state"] == "ended").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(case.last().await.0, "cancelled");
    let early = case.extend().await;
    assert_eq!(early.text("/rule"), "M1", "the complaint is missing: {early:?}");
    case.complaint().await;
    let asked = case.extend().await;
    assert_eq!(asked.status, 201, "{asked:?}");
    assert!(case.sign(case.ati, asked.text("/countersignature")).await.status >= 400);
    assert_eq!(case.locate().await.text("/rule"), "M1", "asked is not granted");
    assert_eq!(case.sign(case.head, asked.text("/countersignature")).await.status, 200);
    let warrants = case.list("warrants").await;
    assert_eq!(warrants.len(), 2);
    assert_eq!((&warrants[1]["extends"], &warrants[1]["footing"]), (&warrants[0]["id"], &json!("firm")));
    assert_eq!(case.locate().await.status, 201);
    obey(&mut case.ipad).await;
    assert_eq!(case.last().await.0, "kept");
}

async fn c3_1_6_the_dpo_switches_geolocation_off_and_nobody_is_located_from_then_on(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    assert_eq!(case.locate().await.status, 201);
    let given = fetched(&mut case.ipad).await.unwrap();
    case.server.advance(5 * MINUTE);
    assert_eq!(case.locate().await.status, 201, "a second one waits");
    let path = "/api/v1/privacy/register/geolocation/validation?reason=abus";
    assert_eq!(case.client(case.dpo).await.delete(path).await.unwrap().status, 204);
    case.server.advance(5 * MINUTE);
    assert_eq!(case.locate().await.text("/rule"), "C3.1.6");
    // What was on its way is dropped, what waited is not delivered.
    let udid = case.ipad.udid().to_owned();
    let now = case.server.clock().now().to_string();
    let answer = position(&udid, &given, 49.4431.into(), &now);
    case.ipad.report(&answer).await.unwrap();
    assert_eq!(fetched(&mut case.ipad).await, None);
    let outcomes: Vec<Value> =
        case.list("positions").await.into_iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["dropped", "cancelled"]);
    assert_eq!(case.readable().await.kept, 0);
}

async fn m1_t_c19_a_look_at_a_position_is_recorded_with_who_and_why(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let asked = case.locate().await;
    obey(&mut case.ipad).await;
    let id = asked.text("/id");
    let looked = case.look(case.head, id).await;
    assert_eq!(looked.status, 201, "{looked:?}");
    assert_eq!(looked.body["latitude"], 48.8566);
    let line = case.list("positions").await.pop().unwrap();
    assert_eq!(line["looks"][0]["looked_by"], case.head.to_string());
    assert_eq!(line["looks"][0]["reason"], "pour la police");
    let entry = case.audited("position.look").await.pop().unwrap();
    assert_eq!((&entry["reason"], &entry["detail"]["command"]), (&json!("pour la police"), &json!(id)));
    assert!(!format!("{line}{entry}").contains("48.85"));
    // Without a reason, without a code, with a token, from elsewhere: nobody looks, and nothing is recorded.
    let path = format!("/api/v1/positions/{id}/looks");
    let without = case.client(case.ati).await.post(&path, &json!({ "reason": " " })).await.unwrap();
    assert_eq!(without.status, 422, "{without:?}");
    let why = json!({ "reason": "pour voir" });
    let no_code = case.server.in_session(case.ati, CodeShown::Never).await.unwrap();
    assert_eq!(no_code.post(&path, &why).await.unwrap().text("/code"), "step-up");
    assert_eq!(case.server.api().unwrap().post(&path, &why).await.unwrap().status, 403, "a token");
    let employer = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other = (employer, "head-elsewhere", Role::Head, GrantReach::Organisation);
    let other = case.server.someone(other.0, other.1, other.2, other.3).await.unwrap();
    assert_eq!(case.look(other, id).await.status, 404, "another collège's is as if there were none");
    for role in [Role::Auditor, Role::Dpo] {
        let login = format!("who-{role}");
        let who = case.server.someone(Employer::Departement, &login, role, GrantReach::Organisation);
        assert_eq!(case.look(who.await.unwrap(), id).await.status, 403, "{role}");
    }
    assert_eq!(case.audited("position.look").await.len(), 1);
}

async fn m2_positions_die_with_their_key_and_a_backup_shows_none(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let asked = case.locate().await;
    obey(&mut case.ipad).await;
    assert_eq!(case.look(case.ati, asked.text("/id")).await.status, 201);
    let backup = case.server.home().join("last-month");
    case.server.backup(&backup).await.unwrap();
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);
    let key = case.server.home().join("shared/keys").join(&case.incident);
    let copy = std::fs::read(&key).unwrap();
    case.server.advance(DAY * 29);
    assert_eq!(case.look(case.ati, asked.text("/id")).await.status, 201, "29 days after it was closed");
    case.server.advance(DAY + HOUR);
    wait_until("the key is destroyed", Patience::default(), || async { Ok((!key.exists()).then_some(())) })
        .await
        .unwrap();
    let gone = case.look(case.ati, asked.text("/id")).await;
    assert_eq!((gone.status, gone.text("/rule")), (403, "M2"), "{gone:?}");
    let line = case.list("positions").await.pop().unwrap();
    assert_eq!((&line["outcome"], &line["readable"]), (&json!("kept"), &json!(false)), "that it was remains");
    assert_eq!(line["looks"].as_array().unwrap().len(), 2, "and who looked");
    wait_until("the log says so", Patience::default(), || async {
        Ok((case.audited("incident.destroy-key").await.len() == 1).then_some(()))
    })
    .await
    .unwrap();

    // Last month's backup, and with it a copy of the key that somebody had kept.
    case.server.stop().await;
    ByHand::of(&case.server).empty();
    case.server.restore(&backup).await.unwrap();
    case.server.sign_in_again().await.unwrap();
    assert_eq!(case.readable().await, Readable { kept: 1, readable: 0 });
    std::fs::write(&key, copy).unwrap();
    assert_eq!(case.readable().await.readable, 0, "the ledger has the last word");
    assert_eq!(case.keys().replay().unwrap(), 1);
    assert!(!key.exists());
}

async fn m2_without_the_folder_of_keys_nothing_is_kept_and_the_server_is_not_ready(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    assert_eq!(case.locate().await.status, 201);
    let folder = case.server.home().join("shared/keys");
    let away = case.server.home().join("away");
    std::fs::rename(&folder, &away).unwrap();
    let ready = case.server.api().unwrap().get("/readyz").await.unwrap();
    assert_eq!(ready.status, 503, "{ready:?}");
    // The tablet is asked to come back, and what it says is lost to nobody.
    let udid = case.ipad.udid().to_owned();
    let given = fetched(&mut case.ipad).await.unwrap();
    let answer = position(&udid, &given, 49.4431.into(), &case.server.clock().now().to_string());
    assert_eq!(case.ipad.report(&answer).await.unwrap().status(), 503);
    assert_eq!(case.last().await.0, "awaited");
    std::fs::rename(&away, &folder).unwrap();
    assert_eq!(case.server.api().unwrap().get("/readyz").await.unwrap().status, 204);
    assert!(case.ipad.report(&answer).await.unwrap().is_accepted());
    assert_eq!(case.last().await.0, "kept");
    assert_eq!(case.readable().await, Readable { kept: 1, readable: 1 });
}

async fn c7_1_the_holder_is_told_and_an_authority_delays_it_until_its_day(engine: Engine) {
    let case = Case::of(engine, "authority-request").await;
    case.validate().await;
    let request = case.asked(json!({ "hours": 24 })).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    let opened = case.list("notices").await;
    assert_eq!((opened.len(), &opened[0]["occasion"]), (1, &json!("opened")));
    let until = Day::of(case.server.clock().now().plus(DAY * 20));
    let delay = |until: String| json!({ "until": until, "reference": "PV 2026/7, demande du 26" });
    let past = case.act(case.ati, "notices/delay", delay("2020-01-01".to_owned())).await;
    assert_eq!(past.text("/rule"), "M1", "{past:?}");
    let delayed = case.act(case.ati, "notices/delay", delay(until.to_string())).await;
    assert_eq!((delayed.status, delayed.body["waiting"].as_u64()), (200, Some(1)), "{delayed:?}");
    assert!(delayed.text("/tell_the_authority").contains("iPad itself shows"));
    // What is written from then on waits, too; nobody is told before its day.
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "give-up" })).await.status, 200);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);
    let notices = case.list("notices").await;
    let told: Vec<(&Value, &Value)> =
        notices.iter().map(|notice| (&notice["occasion"], &notice["due_at"])).collect();
    let due = json!(until.starts_at().to_string());
    assert_eq!(told, [(&json!("opened"), &due), (&json!("over"), &due)]);
    // So does that of a warrant on the incident that goes on from this one.
    let reopened = case.act(case.ati, "reopen", json!({ "reason": "vue au marché" })).await;
    assert_eq!(reopened.status, 201, "{reopened:?}");
    let on = reopened.text("/id").to_owned();
    let ati = case.client(case.ati).await;
    let asked = json!({ "reason": "vue au marché", "hours": 24 });
    let asked = ati.post(&format!("/api/v1/incidents/{on}/warrants"), &asked).await.unwrap();
    assert_eq!(case.sign(case.head, asked.text("/countersignature")).await.status, 200, "{asked:?}");
    let notices = ati.get(&format!("/api/v1/incidents/{on}/notices")).await.unwrap();
    assert_eq!((notices.text("/items/0/occasion"), &notices.body["items"][0]["due_at"]), ("opened", &due));

    // For anything but an authority's request, nobody delays anything.
    let other = Case::of(engine, "loss").await;
    let refused = other.act(other.ati, "notices/delay", delay(until.to_string())).await;
    assert_eq!(refused.text("/rule"), "M1", "{refused:?}");
}

async fn m5_after_a_restore_nothing_rests_on_an_incident_before_somebody_confirms_it(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    assert_eq!(case.locate().await.status, 201, "one waits");
    let backup = case.server.home().join("last-week");
    case.server.backup(&backup).await.unwrap();
    case.server.stop().await;
    let by_hand = ByHand::of(&case.server);
    by_hand.empty();
    let restored = case.server.restore(&backup).await.unwrap();
    assert_eq!((restored.voided.warrants, restored.voided.commands), (1, 1));
    case.server.sign_in_again().await.unwrap();
    assert_eq!(case.last().await.0, "cancelled");
    assert_eq!(case.warrant().await["state"], "ended");
    assert_eq!(fetched(&mut case.ipad).await, None);
    for (what, body) in [
        ("lost-mode", json!({ "reason": "volée" })),
        ("sound", json!({})),
        ("positions", json!({ "reason": "?" })),
    ] {
        let refused = case.act(case.ati, what, body).await;
        assert_eq!(refused.text("/rule"), "M5", "{what}: {refused:?}");
    }
    assert_eq!(case.extend().await.text("/rule"), "M5");
    let waiting = case.client(case.ati).await.get("/api/v1/incidents?to_confirm=true").await.unwrap();
    assert_eq!(waiting.text("/items/0/id"), case.incident);
    assert_eq!(case.act(case.ati, "confirm", json!({})).await.status, 403, "the head, or an operator");
    let confirmed = case.act(case.head, "confirm", json!({})).await;
    assert_eq!((confirmed.status, &confirmed.body["to_confirm"]), (200, &json!(false)), "{confirmed:?}");
    assert_eq!(case.act(case.head, "confirm", json!({})).await.status, 409, "once");
    let waiting = case.client(case.ati).await.get("/api/v1/incidents?to_confirm=true").await.unwrap();
    assert_eq!(waiting.body["items"], json!([]));
    let asked = case.extend().await;
    assert_eq!(case.sign(case.head, asked.text("/countersignature")).await.status, 200);
    case.server.advance(15 * MINUTE);
    assert_eq!(case.locate().await.status, 201);
    obey(&mut case.ipad).await;
    assert_eq!(case.last().await.0, "kept");
}

async fn t_c11_no_position_and_no_name_is_in_the_log(engine: Engine) {
    crate::log::listen();
    let mut case = Box::pin(Case::granted(engine)).await;
    let udid = case.ipad.udid().to_owned();
    // Numbers of this test alone: tests of one process share the log.
    let (latitude, beyond) = match engine {
        Engine::Sqlite => (49.443_187_65, 491.443_187_65),
        Engine::Postgresql => (49.443_287_65, 491.443_287_65),
    };
    for value in [latitude, beyond, latitude] {
        let asked = case.locate().await;
        let given = fetched(&mut case.ipad).await.unwrap();
        let now = case.server.clock().now().to_string();
        case.ipad.report(&position(&udid, &given, value.into(), &now)).await.unwrap();
        case.look(case.ati, asked.text("/id")).await;
        case.server.advance(5 * MINUTE);
    }
    assert_eq!(case.readable().await.kept, 2);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);
    obey(&mut case.ipad).await;
    // The log is heard at all.
    assert!(!crate::log::lines_with("").is_empty());
    let digits = latitude.to_string();
    for secret in [&*digits, &beyond.to_string(), "vue à la gare", "pour la police", "lea.petit", "m.moreau"]
    {
        assert_eq!(crate::log::lines_with(secret), Vec::<String>::new(), "{secret}");
    }
    let log = case.server.stepped_up().await.unwrap().get("/api/v1/audit?limit=500").await.unwrap();
    assert!(!log.body.to_string().contains("443187") && !log.body.to_string().contains("443287"));
}

async fn m1_a_warrant_that_rests_on_a_paper_ends_with_it_and_says_when_it_ended(engine: Engine) {
    let case = Box::pin(Case::granted(engine)).await;
    assert_eq!(case.warrant().await["footing"], "firm");
    assert_eq!(case.locate().await.status, 201, "one waits");
    case.server.advance(HOUR);
    let today = Day::of(case.server.clock().now()).to_string();
    let right = json!({
        "paper": "complaint", "reference": "2026/2", "dated": today, "station": "Rouen", "reason": "un chiffre",
    });
    assert_eq!(case.act(case.ati, "papers/correct", right).await.status, 200);
    assert_eq!(case.warrant().await["state"], "open", "the paper counts, as it is now");
    let before = case.server.clock().now();
    let wrong = json!({ "paper": "complaint", "reason": "d’une autre tablette" });
    assert_eq!(case.act(case.ati, "papers/take-back", wrong).await.status, 200);
    let warrant = case.warrant().await;
    let ended_at = warrant["ended_at"].as_str().unwrap();
    assert!(
        warrant["state"] == "ended" && ended_at.parse::<types::Instant>().unwrap() >= before,
        "{warrant}"
    );
    assert_eq!(case.last().await.0, "cancelled");
    case.server.advance(HOUR);
    let refused = case.locate().await;
    assert_eq!(refused.text("/rule"), "M1", "{refused:?}");
    assert!(refused.text("/detail").contains(&format!("ended at {ended_at}")), "when it ended: {refused:?}");
}

async fn m1_a_warrant_that_is_asked_for_again_says_that_the_first_reason_stands(engine: Engine) {
    let case = Case::of(engine, "theft").await;
    case.validate().await;
    let ask = |reason: &'static str| case.act(case.ati, "warrants", json!({ "reason": reason }));
    let first = ask("vue à la gare").await;
    assert_eq!((first.status, first.body.get("stands_with")), (201, None), "{first:?}");
    let again = ask("vue au marché").await;
    assert_eq!(again.text("/countersignature"), first.text("/countersignature"));
    assert_eq!(again.text("/stands_with"), "vue à la gare", "{again:?}");
    assert_eq!(case.audited("warrant.ask").await.len(), 1, "nothing was asked twice");
}
