//! What people see at the counter and on the list, through the whole server: a label names its tablet, a change of the list shows
//! what was signed, and what was lent again waits nowhere (C4.2, C5.3.4, C5.3.5).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::TestServer;
use testkit::people::Employer;
use types::{Clock as _, Duration, Role};

use crate::lending::{CLASS, OTHER, SERIAL, SOCLE, person, school, somebody, text};
use crate::returns::{act, actions, erasures, here, lent, ordered, shown};
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines, report};

on_both_engines! {
    c4_2_what_was_validated_is_shown_beside_what_changed_since,
    c4_2_what_was_put_right_by_hand_is_what_was_known_before_the_next_list,
    m3_whoever_orders_what_the_calendar_ordered_is_answered_with_that_order,
    c5_3_4_a_label_names_its_tablet_at_every_counter,
    c5_3_5_a_tablet_that_is_lent_again_is_not_to_be_shelved,
}

async fn c4_2_what_was_validated_is_shown_beside_what_changed_since(engine: Engine) {
    let school = school(engine).await;
    let first = school.list(CLASS).await;
    let shown = async |list: &Value| {
        let path = format!("/api/v1/lists/{}", text(list, "id"));
        school.head.get(&path).await.unwrap().ok().unwrap()
    };
    // Of one name: how it changed, and its class before, by the change, and today.
    let lea = async |list: &Value| {
        let shown = shown(list).await;
        let names = shown["names"].as_array().unwrap().iter();
        let name = names.into_iter().find(|name| name["entry"]["number"] == "2").unwrap().clone();
        let class = |of: &str| text(&name[of], "class");
        (text(&name, "change"), class("before"), class("entry"), class("since"), shown["people"].clone())
    };
    let told = |words: [&str; 4], people: u64| {
        let [change, before, entry, since] = words.map(str::to_owned);
        (change, before, entry, since, json!(people))
    };
    assert_eq!(lea(&first).await, told(["add", "", "4e B", ""], 4));
    let delta = "Petit;Léa;4e C;2;;oui;\nPetit;Léa;4e A;3;;oui;\nNeuf;Tom;4e B;9;;oui;\n";
    let second = school.propose(delta).await.ok().unwrap();
    assert_eq!(lea(&second).await, told(["change", "4e B", "4e C", ""], 4));
    school.sign(&second).await;
    let third = school.class("Petit;Léa;4e D;2;;oui;\n").await;
    // What was signed stays what was shown then, whatever came after.
    assert_eq!(lea(&first).await, told(["add", "", "4e B", "4e D"], 4));
    assert_eq!(lea(&second).await, told(["change", "4e B", "4e C", "4e D"], 4));
    assert_eq!(lea(&third).await, told(["change", "4e C", "4e D", ""], 4));
    let others = shown(&first).await;
    let changed = others["names"].as_array().unwrap().iter().filter(|name| !name["since"].is_null()).count();
    assert_eq!(changed, 1, "nothing else changed since: {others:#}");
}

async fn c4_2_what_was_put_right_by_hand_is_what_was_known_before_the_next_list(engine: Engine) {
    let school = school(engine).await;
    let first = school.list(CLASS).await;
    let lea = person(&first, "2");
    // She leaves the list, and is put right by hand as whoever no list names.
    school
        .list("Lemaréchal;Éloïse;4e B;1;;oui;oui\nPetit;Léa;4e A;3;;oui;\nRoy;Anne;;4;Professeur;;\n")
        .await;
    let right = format!("/api/v1/persons/{lea}/corrections");
    let done = school.head.post(&right, &json!({ "class": "5e X" })).await.unwrap().ok().unwrap();
    assert_eq!(done["corrected"], true, "{done}");
    let back = school.class("Petit;Léa;4e C;2;;oui;\n").await;
    assert_eq!(person(&back, "2"), lea, "she is who she was");
    school.class("Petit;Léa;4e D;2;;oui;\n").await;
    let path = format!("/api/v1/lists/{}", text(&back, "id"));
    let shown = school.head.get(&path).await.unwrap().ok().unwrap();
    let class = |of: &str| text(&shown["names"][0][of], "class");
    assert_eq!([class("before"), class("entry"), class("since")], ["5e X", "4e C", "4e D"], "{shown:#}");
    // Forgotten, she is in no list, neither by name nor by what was known of her.
    let person: types::PersonId = lea.parse().unwrap();
    let (store, now) = (school.server.fleet().unwrap().store(), school.server.clock().now());
    store.write(move |tx| store::purge::person(tx, person, now)).await.unwrap();
    let shown = school.head.get(&path).await.unwrap().ok().unwrap();
    assert_eq!(text(&shown["names"][0]["before"], "class"), "", "{shown:#}");
}

async fn m3_whoever_orders_what_the_calendar_ordered_is_answered_with_that_order(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    let order = shown(&ati, &id).await.text("/order").to_owned();
    for _ in 0..2 {
        let stood = act(&ati, &id, "order", json!({})).await;
        assert_eq!((stood.status, stood.text("/restitution/order")), (200, &*order), "{stood:?}");
        assert_eq!(stood.text("/restitution/waits/code"), "to-connect", "and what it waits for: {stood:?}");
    }
    // Whoever may not order it does not, whatever stands.
    let college = Employer::College(COLLEGE.parse().unwrap());
    let elsewhere = GrantReach::Colleges([OTHER_COLLEGE.parse().unwrap()].into());
    for (employer, role, reach, status) in [
        (college, Role::Referent, GrantReach::Organisation, 403),
        (Employer::Departement, Role::Ati, elsewhere, 404),
    ] {
        let other = somebody(&server, employer, &format!("un-{role}"), role, reach).await;
        let refused = act(&other, &id, "order", json!({})).await;
        assert_eq!(refused.status, status, "{role}: {refused:?}");
    }
    assert_eq!(erasures(&ati).await, 1);
    // It was told, and says that it erases itself: still the same order.
    let command = crate::support::fetched(&mut ipad).await.unwrap();
    assert!(ipad.report(&report(ipad.udid(), "Acknowledged", Some(&command))).await.unwrap().is_accepted());
    let said = act(&ati, &id, "order", json!({})).await;
    assert_eq!((said.status, said.text("/restitution/stage")), (200, "acknowledged"), "{said:?}");
    assert_eq!((erasures(&ati).await, said.text("/restitution/order")), (1, &*order));
    let log = actions(&server).await;
    let entries = |action: &str| log.iter().filter(|one| *one == action).count();
    assert_eq!((entries("erase-order.give"), entries("erase-order.again")), (1, 0), "{log:?}");
    // Proven empty, there is no order that stands.
    assert_eq!(act(&ati, &id, "attest", json!({})).await.text("/stage"), "erased");
    assert_eq!(act(&ati, &id, "order", json!({})).await.status, 409);
}

async fn c5_3_4_a_label_names_its_tablet_at_every_counter(engine: Engine) {
    let school = school(engine).await;
    school.server.publish_layer(SOCLE).await.unwrap();
    let _ipad = school.ready(SERIAL).await;
    let labelled = |serial: &str, label: &str, uai: &str| {
        format!("serial,asset_tag,model,platform,uai\n{serial},{label},iPad,ipad,{uai}\n")
    };
    for (serial, label, uai) in [
        (SERIAL, "76-0001", COLLEGE),
        (OTHER, "76-0002", COLLEGE),
        ("DMPX00000003", "76-0002", COLLEGE),
        ("DMPX00000004", "76-0001", OTHER_COLLEGE),
    ] {
        school.server.import_inventory(&labelled(serial, label, uai)).await.unwrap();
    }
    let list = school.list(CLASS).await;
    let eloise = person(&list, "1");
    // One of two is none, and what is named by nothing does not exist.
    let several = school.handed("76-0002", &eloise).await;
    assert!(several.status == 409 && several.text("/detail").contains("serial number"), "{several:?}");
    assert_eq!(school.handed("76-0009", &eloise).await.status, 404);
    // Whoever is refused is told which tablet, and what comes next.
    let refused = school.handed(OTHER, &eloise).await;
    let told = refused.text("/detail").to_owned();
    let words = [OTHER, "76-0002", "enrol it first"];
    assert!(refused.status == 403 && words.iter().all(|word| told.contains(word)), "{refused:?}");
    // That of another collège stands in nobody's way (T-C1).
    let handed = school.handed("76-0001", &eloise).await;
    assert_eq!((handed.status, handed.text("/serial")), (201, SERIAL), "{handed:?}");
    assert_eq!(
        (handed.text("/class"), handed.text("/number")),
        ("4e B", "1"),
        "what tells her from others of that name"
    );
    let again = school.handed(OTHER, &eloise).await;
    assert!(again.text("/detail").contains(&format!("holds tablet {SERIAL}")), "{again:?}");
    let noticed = school.server.clock().now().to_string();
    let broken = json!({ "kind": "breakage", "noticed_at": noticed });
    let declared = school.ati.post("/api/v1/tablets/76-0001/incidents", &broken).await.unwrap();
    assert_eq!(declared.status, 201, "{declared:?}");
    let sav = json!({ "reference": "SAV-118" });
    let sent = school.ati.post("/api/v1/tablets/76-0001/repairs", &sav).await.unwrap();
    assert_eq!((sent.status, sent.text("/serial"), sent.text("/class")), (201, SERIAL, "4e B"), "{sent:?}");
}

async fn c5_3_5_a_tablet_that_is_lent_again_is_not_to_be_shelved(engine: Engine) {
    let school = school(engine).await;
    school.server.publish_layer(SOCLE).await.unwrap();
    let _ipad = school.ready(SERIAL).await;
    let list = school.list(CLASS).await;
    let handed = school.handed(SERIAL, &person(&list, "1")).await;
    assert_eq!(handed.status, 201, "{handed:?}");
    let scanned = json!({ "tablets": [
        { "tablet": SERIAL, "condition": "bon état", "accessories": ["coque"], "saved": true },
    ] });
    let receipt = school.ati.post("/api/v1/restitutions", &scanned).await.unwrap();
    assert_eq!(
        (receipt.status, &receipt.body["tablets"][0]["restitution"]["missing_accessories"]),
        (201, &json!(["chargeur"])),
        "{receipt:?}"
    );
    let path = format!("/api/v1/restitutions/{}", receipt.text("/tablets/0/restitution/id"));
    school.server.advance(Duration::from_secs(61));
    // The calendar orders it, or we do.
    let ordered = school.ati.post(&format!("{path}/order"), &json!({})).await.unwrap();
    assert!([200, 201].contains(&ordered.status), "{ordered:?}");
    let empty = school.ati.post(&format!("{path}/attest"), &json!({})).await.unwrap();
    assert_eq!(empty.text("/stage"), "erased", "{empty:?}");
    let under_way = || async {
        let listed = school.ati.get("/api/v1/restitutions").await.unwrap().ok().unwrap();
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!(under_way().await, 1, "it is to be put somewhere");
    let again = school.handed(SERIAL, &person(&list, "2")).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(under_way().await, 0, "it was lent out of the stock");
    assert_eq!(school.ati.get(&path).await.unwrap().text("/stage"), "in-stock");
}
