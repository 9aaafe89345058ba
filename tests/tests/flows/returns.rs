//! Tablets that are given back, through the whole server: received, erased by an order that stands when it is delivered,
//! proven empty by what only an erased tablet does, and never by mistake (C5.3.5, C5.4.1, M3, M5).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, TestServer, rows, wait_until};
use types::{Clock as _, Duration, Role, SerialNumber};

use crate::by_hand::ByHand;
use crate::support::{COLLEGE, DAY, OTHER_COLLEGE, asleep, obey, on_both_engines, report, standing};

on_both_engines! {
    m3_c5_3_5_a_tablet_given_back_is_erased_by_order_and_proven_empty_by_its_return,
    m3_an_automated_tablet_returns_by_itself_and_awaiting_its_configuration_proves_it,
    m3_a_link_proves_nothing_and_a_technician_attests,
    m3_t_a19_a_tablet_away_all_summer_that_was_lent_again_is_not_erased_by_its_old_order,
    c5_3_5_without_notice_and_without_saved_data_nothing_is_ever_ordered,
    c5_4_1_a_check_or_an_incident_that_comes_after_the_order_keeps_the_tablet,
    t_a20_two_technicians_who_receive_the_same_tablet_at_once_make_one_receipt,
    a_slip_is_undone_and_the_loan_goes_on_as_if_nothing_had_been_scanned,
    t_c1_a_tablet_of_another_college_spares_the_whole_class,
    t_c14_receipts_above_the_budget_wait_for_a_second_person_and_count_against_whoever_received,
    t_c14_what_is_received_while_the_switch_is_thrown_is_ordered_by_hand_afterwards,
    m3_a_tablet_that_asks_by_itself_is_told_not_enabled_even_under_an_order,
    m3_a_tablet_that_cannot_is_told_again_under_the_same_order,
    c5_2_3_a_loan_ends_by_itself_after_the_last_day_of_attendance_and_nothing_is_erased,
    c5_3_5_a_letter_that_was_handed_over_counts_and_fourteen_days_later_the_calendar_orders,
}

const SERIAL: &str = "DMPX00000001";

/// Somebody new of this role, in the collège of most tablets, who has just shown a code.
pub(crate) async fn here(server: &TestServer, login: &str, role: Role) -> ApiClient {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let login = &format!("{login}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let (employer, reach) = match role {
        Role::Head => (Employer::College(COLLEGE.parse().unwrap()), GrantReach::Organisation),
        Role::Dpo => (Employer::Departement, GrantReach::Organisation),
        _ => (Employer::Departement, GrantReach::Colleges(BTreeSet::from([COLLEGE.parse().unwrap()]))),
    };
    let account = server.someone(employer, login, role, reach).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

/// The collège names the network that its tablets join after an erasure.
pub(crate) async fn network(server: &TestServer) {
    here(server, "principale", Role::Head).await;
    let wifi = json!({ "ssid": "college", "passphrase": "une phrase pour le wifi" });
    let path = format!("/api/v1/organisations/{COLLEGE}/network");
    let named = server.api().unwrap().put(&path, &wifi).await.unwrap();
    assert_eq!(named.status, 204, "{named:?}");
}

pub(crate) async fn lend(server: &TestServer, serials: &[SerialNumber]) {
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    rows::lent(store, serials, &COLLEGE.parse().unwrap(), now).await.unwrap();
}

/// A tablet that is enrolled, lent and asleep.
pub(crate) async fn lent(server: &TestServer) -> Ipad {
    let ipad = asleep(server, SERIAL).await;
    lend(server, &[SERIAL.parse().unwrap()]).await;
    ipad
}

pub(crate) async fn receive(client: &ApiClient, tablets: &[&str], saved: bool) -> Answer {
    let tablets: Vec<Value> = tablets
        .iter()
        .map(|tablet| json!({ "tablet": tablet, "condition": "bon état", "accessories": ["charger"], "saved": saved }))
        .collect();
    client.post("/api/v1/restitutions", &json!({ "tablets": tablets })).await.unwrap()
}

/// Receives the tablet, whose holder says that their data is saved; the restitution.
pub(crate) async fn received(client: &ApiClient, saved: bool) -> String {
    let receipt = receive(client, &[SERIAL], saved).await;
    assert_eq!((receipt.status, &receipt.body["counted"]), (201, &json!(true)), "{receipt:?}");
    assert_eq!(receipt.text("/tablets/0/restitution/stage"), "received");
    receipt.text("/tablets/0/restitution/id").to_owned()
}

pub(crate) async fn act(client: &ApiClient, id: &str, what: &str, body: Value) -> Answer {
    client.post(&format!("/api/v1/restitutions/{id}/{what}"), &body).await.unwrap()
}

pub(crate) async fn shown(client: &ApiClient, id: &str) -> Answer {
    client.get(&format!("/api/v1/restitutions/{id}")).await.unwrap()
}

/// A DPO reads the entry of notices, and validates it.
pub(crate) async fn notices_are_validated(server: &TestServer) {
    let dpo = here(server, "dpo", Role::Dpo).await;
    let register = dpo.get("/api/v1/privacy/register").await.unwrap().ok().unwrap();
    let all = register["activities"].as_array().unwrap().clone();
    let entry = all.into_iter().find(|activity| activity["code"] == "notices").unwrap();
    let path = "/api/v1/privacy/register/notices/validation";
    dpo.put(path, &json!({ "entry": entry["digest"] })).await.unwrap().ok().unwrap();
}

/// Waits until the restitution has come this far.
pub(crate) async fn comes_to(client: &ApiClient, id: &str, stage: &str) -> Answer {
    let what = format!("the restitution is {stage}");
    let come = wait_until(&what, Patience::default(), || async {
        let shown = shown(client, id).await;
        Ok((shown.text("/stage") == stage).then_some(shown))
    });
    match come.await {
        Ok(answer) => answer,
        Err(error) => panic!("{error}: {:?}", shown(client, id).await),
    }
}

/// Receives the tablet, and waits until the calendar has ordered its erasure.
pub(crate) async fn ordered(server: &TestServer, client: &ApiClient) -> String {
    let id = received(client, true).await;
    server.advance(Duration::from_secs(61));
    comes_to(client, &id, "ordered").await;
    id
}

pub(crate) async fn actions(server: &TestServer) -> Vec<String> {
    let auditor = server
        .someone(Employer::Departement, "audit", Role::Auditor, GrantReach::Organisation)
        .await
        .unwrap();
    let auditor = server.in_session(auditor, CodeShown::JustNow).await.unwrap();
    let read = auditor.get("/api/v1/audit?limit=500").await.unwrap();
    let items = read.body["items"].as_array().unwrap().clone();
    items.iter().filter_map(|entry| entry["action"].as_str().map(str::to_owned)).collect()
}

async fn m3_c5_3_5_a_tablet_given_back_is_erased_by_order_and_proven_empty_by_its_return(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = received(&ati, true).await;
    let early = act(&ati, &id, "order", json!({})).await;
    assert_eq!((early.text("/code"), early.text("/rule")), ("forbidden-by-rule", "M3"), "{early:?}");
    assert_eq!(shown(&ati, &id).await.text("/waits/code"), "second-thoughts");
    assert!(obey(&mut ipad).await.handled.is_empty(), "nothing is queued before an order");

    server.advance(Duration::from_secs(61));
    let waits = comes_to(&ati, &id, "ordered").await;
    assert_eq!(waits.text("/waits/code"), "to-connect", "{waits:?}");
    let talk = ipad.poll().await.unwrap();
    assert!(talk.erased, "{talk:?}");
    assert_eq!(talk.returned_to_service, Some(Ok(())));
    let proven = shown(&ati, &id).await;
    assert_eq!((proven.text("/stage"), proven.text("/proof")), ("erased", "reenrolled"), "{proven:?}");
    assert_eq!(standing(&server, SERIAL).await, "enrolled");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new());

    // It is empty, and lent again only then; what comes next erases nothing.
    assert_eq!(act(&ati, &id, "shelve", json!({ "place": "in-stock" })).await.text("/stage"), "in-stock");
    lend(&server, &[SERIAL.parse().unwrap()]).await;
    let next = obey(&mut ipad).await;
    assert!(!next.erased && !next.request_types().contains(&"EraseDevice"), "{next:?}");
    let log = actions(&server).await;
    for action in [
        "restitution.receive",
        "erase-order.give",
        "restitution.delivered",
        "restitution.acknowledged",
        "restitution.proven",
        "restitution.shelve",
    ] {
        assert_eq!(log.iter().filter(|one| *one == action).count(), 1, "one entry of {action}: {log:?}");
    }
}

async fn m3_an_automated_tablet_returns_by_itself_and_awaiting_its_configuration_proves_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let url = server.tablets_url().unwrap().join("/enrol/automated").unwrap();
    let apple = tablets::AppleDeviceAuthority::new(server.clock().now().as_seconds()).unwrap();
    let udid = server.ipad(SERIAL).build().unwrap().udid().to_owned();
    let identity = apple.device(&udid, &tablets::KeyPool::in_memory(1).unwrap()).unwrap();
    let pem = apple.intermediate_pem().unwrap();
    let authorities = pki::DeviceCertificateAuthorities::for_simulation(pem.as_bytes()).unwrap();
    server.believe_simulated_devices(authorities).unwrap();
    let maker = server.ipad(SERIAL).device_identity(identity).automated_enrolment_url(url.as_str());
    let mut ipad = maker.build().unwrap();
    ipad.enrol_by_machine_info(url.as_str()).await.unwrap();
    obey(&mut ipad).await;
    lend(&server, &[SERIAL.parse().unwrap()]).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    let talk = ipad.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, Some(Ok(()))));
    let proven = shown(&ati, &id).await;
    assert_eq!((proven.text("/stage"), proven.text("/proof")), ("erased", "reenrolled"), "{proven:?}");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new(), "it was expected back");
}

async fn m3_a_link_proves_nothing_and_a_technician_attests(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let early = received(&ati, true).await;
    assert_eq!(act(&ati, &early, "attest", json!({})).await.status, 409, "nobody erases without an order");
    server.advance(Duration::from_secs(61));
    let id = early;
    comes_to(&ati, &id, "ordered").await;
    // Its collège named no network: it is set up by hand.
    let talk = ipad.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, None));
    assert_eq!(shown(&ati, &id).await.text("/stage"), "acknowledged", "which is not erased");
    ipad.enrol_by_link(&server.link_for(SERIAL).await.unwrap()).await.unwrap();
    let still = shown(&ati, &id).await;
    assert_eq!((still.text("/stage"), still.text("/waits/code")), ("acknowledged", "to-come-back"));
    let head = here(&server, "principale", Role::Head).await;
    assert_eq!(act(&head, &id, "attest", json!({})).await.status, 403);
    let attested = act(&ati, &id, "attest", json!({})).await;
    assert_eq!((attested.text("/stage"), attested.text("/proof")), ("erased", "attested"), "{attested:?}");
    assert_eq!(act(&ati, &id, "shelve", json!({ "place": "in-repair" })).await.text("/stage"), "in-repair");
}

async fn m3_t_a19_a_tablet_away_all_summer_that_was_lent_again_is_not_erased_by_its_old_order(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    // It lies in a cupboard, and never hears of it; somebody says that it is empty, and it is lent again.
    assert_eq!(act(&ati, &id, "attest", json!({})).await.status, 200);
    lend(&server, &[SERIAL.parse().unwrap()]).await;
    // An old row that says otherwise, as a bug or a hand might leave it, cannot be made: what has ended stays ended.
    server.advance(DAY * 20);
    let talk = obey(&mut ipad).await;
    assert!(!talk.erased && !talk.request_types().contains(&"EraseDevice"), "{talk:?}");
    assert!(ipad.is_enrolled());

    // The second one is away while its order is past: it erases nothing, and another must be given.
    let ati = here(&server, "ati-again", Role::Ati).await;
    let second = ordered(&server, &ati).await;
    server.advance(DAY * 32);
    let ati = here(&server, "ati-later", Role::Ati).await;
    let given_back = comes_to(&ati, &second, "received").await;
    assert_eq!(given_back.text("/waits/code"), "order-ended", "{given_back:?}");
    let talk = obey(&mut ipad).await;
    assert!(!talk.erased, "{talk:?}");
    let again = act(&ati, &second, "order", json!({})).await;
    assert_eq!((again.status, again.text("/restitution/stage")), (201, "ordered"), "{again:?}");
    assert!(ipad.poll().await.unwrap().erased);
    assert_eq!(shown(&ati, &second).await.text("/stage"), "erased");
}

async fn c5_3_5_without_notice_and_without_saved_data_nothing_is_ever_ordered(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = received(&ati, false).await;
    server.advance(DAY * 60);
    let ati = here(&server, "ati-again", Role::Ati).await;
    let refused = act(&ati, &id, "order", json!({})).await;
    assert_eq!(
        (refused.text("/code"), refused.text("/rule")),
        ("forbidden-by-rule", "C5.3.5"),
        "{refused:?}"
    );
    let waits = shown(&ati, &id).await;
    assert_eq!((waits.text("/stage"), waits.text("/waits/code")), ("received", "not-told"), "{waits:?}");
    assert!(obey(&mut ipad).await.handled.iter().all(|one| one.request_type != "EraseDevice"));
    // The holder comes by: their data is saved.
    assert_eq!(act(&ati, &id, "saved", json!({})).await.status, 200);
    server.advance(Duration::from_secs(61));
    comes_to(&ati, &id, "ordered").await;
}

async fn c5_4_1_a_check_or_an_incident_that_comes_after_the_order_keeps_the_tablet(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    let check = format!("/api/v1/restitutions/{id}/check");
    assert_eq!(ati.put(&check, &json!({ "held": true })).await.unwrap().status, 200);
    assert!(!ipad.poll().await.unwrap().erased, "held for a check");
    assert_eq!(ati.put(&check, &json!({ "held": false })).await.unwrap().status, 200);
    server.validate_activity("incidents").await.unwrap();
    let declared = json!({ "kind": "damage", "noticed_at": server.clock().now().to_string() });
    let incident = ati.post(&format!("/api/v1/tablets/{SERIAL}/incidents"), &declared).await.unwrap();
    assert_eq!(incident.status, 201, "{incident:?}");
    server.advance(Duration::from_secs(301));
    assert!(!ipad.poll().await.unwrap().erased, "held by an incident");
    assert_eq!(shown(&ati, &id).await.text("/stage"), "ordered");
    let ati = here(&server, "ati-again", Role::Ati).await;
    for step in ["take-up", "close"] {
        let path = format!("/api/v1/incidents/{}/steps", incident.text("/id"));
        assert_eq!(ati.post(&path, &json!({ "step": step })).await.unwrap().status, 200, "{step}");
    }
    server.advance(Duration::from_secs(301));
    assert!(ipad.poll().await.unwrap().erased, "nothing stands in the way any more");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new());
}

async fn t_a20_two_technicians_who_receive_the_same_tablet_at_once_make_one_receipt(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let _ipad = lent(&server).await;
    let (one, other) = (here(&server, "ati", Role::Ati).await, here(&server, "ati-other", Role::Ati).await);
    let tablet = [SERIAL];
    let both = futures_util::future::join(receive(&one, &tablet, true), receive(&other, &tablet, true)).await;
    let of = |answer: &Answer| answer.text("/tablets/0/restitution/id").to_owned();
    assert_eq!((both.0.status, both.1.status), (201, 201), "{both:?}");
    assert_eq!(of(&both.0), of(&both.1));
    let already: Vec<_> =
        [&both.0, &both.1].iter().map(|one| one.body["tablets"][0]["already"].clone()).collect();
    assert_eq!(already.iter().filter(|one| **one == json!(true)).count(), 1, "{already:?}");
    let acts = server.stepped_up().await.unwrap().get("/api/v1/brake/acts?state=counted").await.unwrap();
    assert_eq!(acts.body["items"].as_array().unwrap().len(), 1, "{acts:?}");
    // And ordered once, however often it is asked at once.
    server.advance(Duration::from_secs(61));
    let id = of(&both.0);
    let asked = futures_util::future::join_all(
        (0..4).map(|number| act(if number % 2 == 0 { &one } else { &other }, &id, "order", json!({}))),
    )
    .await;
    // The calendar may have been quicker than both.
    assert!(asked.iter().all(|answer| matches!(answer.status, 200 | 201)), "{asked:?}");
    assert!(asked.iter().filter(|answer| answer.status == 201).count() <= 1, "{asked:?}");
    let order = shown(&one, &id).await.text("/order").to_owned();
    assert!(asked.iter().all(|answer| answer.text("/restitution/order") == order), "{asked:?}");
    assert_eq!(erasures(&one).await, 1);
}

async fn a_slip_is_undone_and_the_loan_goes_on_as_if_nothing_had_been_scanned(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let slip = received(&ati, true).await;
    assert_eq!(act(&ati, &slip, "undo", json!({})).await.text("/stage"), "undone");
    server.advance(Duration::from_secs(3_600));
    assert!(!obey(&mut ipad).await.erased);
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    assert_ne!(id, slip, "it was lent as before, and is received anew");
    let late = act(&ati, &id, "undo", json!({})).await;
    assert_eq!(late.status, 409, "{late:?}");
    let nobody = receive(&ati, &["DMPX00000009"], true).await;
    assert_eq!(nobody.status, 404, "{nobody:?}");
}

async fn t_c1_a_tablet_of_another_college_spares_the_whole_class(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let _ipad = lent(&server).await;
    let other = "DMPX000OTHER";
    server.import_inventory(&testkit::inventory_csv([other], OTHER_COLLEGE)).await.unwrap();
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    rows::lent(store, &[other.parse().unwrap()], &OTHER_COLLEGE.parse().unwrap(), now).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let mixed = receive(&ati, &[SERIAL, other], true).await;
    assert_eq!((mixed.status, mixed.text("/code")), (422, "bad-scans"), "{mixed:?}");
    // Each that cannot be received is named by its place and by what was scanned, all at once.
    let lines = mixed.body["lines"].clone();
    assert_eq!((lines.as_array().unwrap().len(), &lines[0]["line"]), (1, &json!(2)), "{mixed:?}");
    assert!(lines[0]["problem"].as_str().unwrap().contains(other), "{mixed:?}");
    let three = receive(&ati, &["76-9999", SERIAL, other], true).await;
    let places: Vec<u64> =
        three.body["lines"].as_array().unwrap().iter().filter_map(|bad| bad["line"].as_u64()).collect();
    assert_eq!(places, [1, 3], "{three:?}");
    assert_eq!(receive(&ati, &[other], true).await.status, 404, "one alone is told as such");
    assert_eq!(ati.get("/api/v1/restitutions?all=true").await.unwrap().body["items"], json!([]));
    // Theirs is not seen, nor touched, from here.
    let operator = server.stepped_up().await.unwrap();
    let theirs = receive(&operator, &[other], true).await;
    let id = theirs.text("/tablets/0/restitution/id").to_owned();
    assert_eq!(shown(&ati, &id).await.status, 404);
    for what in ["undo", "saved", "order", "attest"] {
        assert_eq!(act(&ati, &id, what, json!({})).await.status, 404, "{what}");
    }
    assert_eq!(ati.get("/api/v1/restitutions?all=true").await.unwrap().body["items"], json!([]));
}

async fn t_c14_receipts_above_the_budget_wait_for_a_second_person_and_count_against_whoever_received(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let serials: Vec<SerialNumber> =
        (0..41).map(|number| format!("DMPY{number:05}").parse().unwrap()).collect();
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    rows::enrolled(store, &serials, &[COLLEGE.parse().unwrap()], now).await.unwrap();
    lend(&server, &serials).await;
    let names: Vec<&str> = serials.iter().map(SerialNumber::as_str).collect();
    let ati = here(&server, "ati", Role::Ati).await;
    let receipt = receive(&ati, &names, true).await;
    assert_eq!(receipt.status, 201, "{receipt:?}");
    let held = receipt.text("/held").to_owned();
    assert!(!held.is_empty(), "41 are above the 40 of a day: {receipt:?}");
    let one = receipt.text("/tablets/0/restitution/id").to_owned();
    server.advance(Duration::from_secs(61));
    assert_eq!(shown(&ati, &one).await.text("/waits/code"), "second-person");
    let again = receive(&ati, &names, true).await;
    assert!(again.body["tablets"].as_array().unwrap().iter().all(|one| one["already"] == json!(true)));
    assert_eq!(again.body.get("held"), None, "scanned again, nothing is asked twice");

    let bruno = server
        .someone(Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation)
        .await
        .unwrap();
    let bruno = server.in_session(bruno, CodeShown::JustNow).await.unwrap();
    let go = json!({ "countersignature": held });
    assert_eq!(
        ati.post("/api/v1/brake/let-go", &go).await.unwrap().status,
        409,
        "not without a second person"
    );
    let seen = bruno.get(&format!("/api/v1/countersignatures/{held}")).await.unwrap();
    let said = json!({
        "verdict": "give", "content_sha256": seen.text("/content_sha256"), "reason": "fin d’année",
    });
    let path = format!("/api/v1/countersignatures/{held}/answer");
    assert_eq!(bruno.post(&path, &said).await.unwrap().status, 200);
    let gone = ati.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!((gone.status, gone.body["acts"].as_u64()), (200, Some(41)), "{gone:?}");
    assert_eq!(shown(&ati, &one).await.text("/stage"), "ordered", "as soon as it is let go");
    let acts = server.stepped_up().await.unwrap().get("/api/v1/brake/acts?limit=500").await.unwrap();
    let items = acts.body["items"].as_array().unwrap().clone();
    assert!(items.iter().all(|act| act["actor"] != "calendar"), "never against the calendar: {items:?}");
}

async fn t_c14_what_is_received_while_the_switch_is_thrown_is_ordered_by_hand_afterwards(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let thrown = ati.post("/api/v1/brake/engage", &json!({ "reason": "jeton volé" })).await.unwrap();
    assert_eq!(thrown.status, 200, "{thrown:?}");
    let receipt = receive(&ati, &[SERIAL], true).await;
    assert_eq!((receipt.status, &receipt.body["counted"]), (201, &json!(false)), "{receipt:?}");
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    server.advance(Duration::from_secs(61));
    assert_eq!(act(&ati, &id, "order", json!({})).await.text("/code"), "stopped");
    assert_eq!(shown(&ati, &id).await.text("/waits/code"), "not-counted");

    let camille = server.stepped_up().await.unwrap();
    let bruno = server
        .someone(Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation)
        .await
        .unwrap();
    let bruno = server.in_session(bruno, CodeShown::JustNow).await.unwrap();
    let asked =
        camille.post("/api/v1/brake/ask-release", &json!({ "reason": "fausse alerte" })).await.unwrap();
    let asked = asked.text("/countersignature").to_owned();
    let seen = bruno.get(&format!("/api/v1/countersignatures/{asked}")).await.unwrap();
    let said =
        json!({ "verdict": "give", "content_sha256": seen.text("/content_sha256"), "reason": "vérifié" });
    let path = format!("/api/v1/countersignatures/{asked}/answer");
    assert_eq!(bruno.post(&path, &said).await.unwrap().status, 200);
    let release = json!({ "countersignature": asked });
    assert_eq!(camille.post("/api/v1/brake/release", &release).await.unwrap().status, 204);
    server.advance(Duration::from_secs(120));
    assert_eq!(shown(&ati, &id).await.text("/stage"), "received", "the calendar orders nothing uncounted");
    let ati = here(&server, "ati", Role::Ati).await;
    let by_hand = act(&ati, &id, "order", json!({})).await;
    assert_eq!((by_hand.status, by_hand.text("/restitution/stage")), (201, "ordered"), "{by_hand:?}");
    assert!(ipad.poll().await.unwrap().erased);
}

async fn m3_a_tablet_that_asks_by_itself_is_told_not_enabled_even_under_an_order(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    network(&server).await;
    let told = ipad.ask_return_to_service().await.unwrap();
    assert!(!told.enabled && told.mdm_profile.is_none() && told.wifi_profile.is_none(), "without an order");
    let ati = here(&server, "ati", Role::Ati).await;
    ordered(&server, &ati).await;
    // Its own command comes with the order: a message that is never acknowledged would prove nothing.
    let told = ipad.ask_return_to_service().await.unwrap();
    assert!(!told.enabled && told.mdm_profile.is_none());
    assert!(ipad.poll().await.unwrap().erased);
}

/// How many commands to erase it were made for the tablet.
pub(crate) async fn erasures(client: &ApiClient) -> usize {
    let queued = client.get(&format!("/api/v1/tablets/{SERIAL}/commands?limit=500")).await.unwrap();
    let commands = queued.body["items"].as_array().unwrap().iter();
    commands.filter(|command| command["request_type"] == "EraseDevice").count()
}

async fn m3_a_tablet_that_cannot_is_told_again_under_the_same_order(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    let order = shown(&ati, &id).await.text("/order").to_owned();
    let busy = act(&ati, &id, "order", json!({})).await;
    assert_eq!((busy.status, busy.text("/restitution/order")), (200, &*order), "it waits: {busy:?}");
    assert_eq!(erasures(&ati).await, 1, "one command at a time");
    let command = crate::support::fetched(&mut ipad).await.unwrap();
    assert_eq!(shown(&ati, &id).await.text("/stage"), "delivered");
    let cannot = report(ipad.udid(), "Error", Some(&command));
    assert!(ipad.report(&cannot).await.unwrap().is_accepted());
    let failed = shown(&ati, &id).await;
    assert_eq!((failed.text("/stage"), failed.text("/waits/code")), ("ordered", "failed"), "{failed:?}");
    let again = act(&ati, &id, "order", json!({})).await;
    assert_eq!((again.status, again.text("/restitution/order")), (201, &*order), "{again:?}");
    assert!(ipad.poll().await.unwrap().erased);
    assert_eq!(shown(&ati, &id).await.text("/stage"), "acknowledged");
}

async fn c5_3_5_a_letter_that_was_handed_over_counts_and_fourteen_days_later_the_calendar_orders(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let _ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = received(&ati, false).await;
    let off = act(&ati, &id, "letter", json!({})).await;
    assert_eq!(
        (off.status, off.text("/code")),
        (403, "not-validated"),
        "off until the DPO validated it: {off:?}"
    );
    notices_are_validated(&server).await;

    let letter = act(&ati, &id, "letter", json!({})).await;
    assert!(
        letter.text("/french").contains(SERIAL) && letter.text("/english").contains("14 days"),
        "{letter:?}"
    );
    let again = act(&ati, &id, "letter", json!({})).await;
    assert_eq!(again.text("/notice"), letter.text("/notice"), "it is written once");
    server.advance(DAY * 20);
    let ati = here(&server, "ati", Role::Ati).await;
    assert_eq!(
        shown(&ati, &id).await.text("/waits/code"),
        "not-told",
        "a letter that lies about counts for nothing"
    );
    assert_eq!(act(&ati, &id, "letter/handed-over", json!({})).await.status, 200);
    let twice = act(&ati, &id, "letter/handed-over", json!({})).await;
    assert_eq!(twice.status, 200, "{twice:?}");
    let waits = shown(&ati, &id).await;
    assert_eq!(waits.text("/waits/code"), "within-notice", "{waits:?}");
    server.advance(DAY * 13);
    let ati = here(&server, "ati", Role::Ati).await;
    assert_eq!(act(&ati, &id, "order", json!({})).await.text("/rule"), "C5.3.5", "14 days are not over");
    server.advance(DAY + Duration::from_secs(61));
    let ati = here(&server, "ati", Role::Ati).await;
    comes_to(&ati, &id, "ordered").await;
}

async fn c5_2_3_a_loan_ends_by_itself_after_the_last_day_of_attendance_and_nothing_is_erased(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    let today = types::Day::of(server.clock().now());
    by_hand.run(&format!("UPDATE persons SET leaves_on = '{}'", today.plus(2)));
    server.advance(DAY * 2);
    assert_eq!(by_hand.count("loans WHERE state = 'lent'"), 1, "on the last day it goes on");
    server.advance(DAY);
    let ended = wait_until("the loan has ended", Patience::default(), || async {
        Ok((by_hand.count("loans WHERE ended_because = 'left'") == 1).then_some(()))
    });
    ended.await.unwrap();
    assert_eq!(by_hand.texts("ended_on", "loans"), [today.plus(2).to_string()]);
    server.advance(DAY * 60);
    assert!(!obey(&mut ipad).await.erased, "a tablet that did not come back is never erased for that");
    assert_eq!(by_hand.count("erase_orders"), 0);
    // The head sees what is missing, and since when; in another collège nobody does.
    let head = here(&server, "principale", Role::Head).await;
    let missing = head.get("/api/v1/overdue-tablets").await.unwrap();
    let late = &missing.body["items"][0];
    let late = (&late["serial"], &late["due_on"], &late["days_late"], &late["propose_incident"]);
    assert_eq!(
        late,
        (&json!(SERIAL), &json!(today.plus(2).to_string()), &json!(61), &json!(true)),
        "{missing:?}"
    );
    let elsewhere = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let elsewhere =
        server.someone(elsewhere, "ailleurs", Role::Head, GrantReach::Organisation).await.unwrap();
    let elsewhere = server.in_session(elsewhere, CodeShown::JustNow).await.unwrap();
    assert_eq!(elsewhere.get("/api/v1/overdue-tablets").await.unwrap().body["items"], json!([]));
    // It comes back late, over the counter: the same receipt as any.
    let ati = here(&server, "ati", Role::Ati).await;
    ordered(&server, &ati).await;
    assert_eq!(head.get("/api/v1/overdue-tablets").await.unwrap().body["items"], json!([]));
    assert!(ipad.poll().await.unwrap().erased);
}
