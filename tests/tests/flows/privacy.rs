//! The DPO's switch through the whole server (C3.1.6): what nobody validated is not asked, not sent, and not stored.

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, Patience, TestServer, wait_until};
use types::Role;

use crate::by_hand::ByHand;
use crate::support::{obey, observation, on_both_engines, report, state_of};

on_both_engines! {
    c3_1_6_no_tablet_is_asked_for_its_apps_until_a_dpo_validates_that,
    c3_1_6_a_withdrawal_stops_what_is_queued_and_forgets_what_was_stored,
    c3_1_6_an_entry_is_validated_as_it_was_read_by_a_dpo_alone,
    c3_1_6_purges_run_by_the_calendar_and_are_accounted_for,
    c8_1_everybody_with_an_account_reads_the_register_in_every_form,
}

const SERIAL: &str = "DMPX00000001";
const APPS: &str = "installed-application-list";
const VALIDATION: &str = "/api/v1/privacy/register/app-inventory/validation";

async fn somebody(server: &TestServer, login: &str, role: Role) -> ApiClient {
    let account = server.someone(Employer::Departement, login, role, GrantReach::Organisation).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

/// The entry of the app inventory as the register shows it.
async fn entry(client: &ApiClient) -> Value {
    let register = client.get("/api/v1/privacy/register").await.unwrap().ok().unwrap();
    let all = register["activities"].as_array().unwrap().clone();
    all.into_iter().find(|activity| activity["code"] == "app-inventory").unwrap()
}

/// The DPO reads the entry, and validates it.
async fn validate(dpo: &ApiClient) {
    let read = entry(dpo).await["digest"].clone();
    let given = dpo.put(VALIDATION, &json!({ "entry": read })).await.unwrap().ok().unwrap();
    assert_eq!(given["activity"], "app-inventory");
}

async fn asked(server: &TestServer, kind: &str) -> testkit::Answer {
    let path = format!("/api/v1/tablets/{SERIAL}/commands");
    server.api().unwrap().post(&path, &json!({ "request_type": kind })).await.unwrap()
}

async fn c3_1_6_no_tablet_is_asked_for_its_apps_until_a_dpo_validates_that(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad(SERIAL).await.unwrap();
    let first = obey(&mut ipad).await;
    assert!(first.request_types().contains(&"ProfileList"), "{:?}", first.request_types());
    assert!(!first.request_types().contains(&"InstalledApplicationList"), "{:?}", first.request_types());
    for kind in ["InstalledApplicationList", "ManagedApplicationList"] {
        let refused = asked(&server, kind).await;
        assert_eq!((refused.status, refused.text("/code")), (403, "not-validated"), "{kind}: {refused:?}");
        assert_eq!(refused.text("/rule"), "C3.1.6");
    }

    let dpo = somebody(&server, "dpo", Role::Dpo).await;
    assert_eq!(entry(&dpo).await["status"]["code"], "off");
    validate(&dpo).await;
    assert_eq!(entry(&dpo).await["status"]["code"], "on");
    let command = asked(&server, "InstalledApplicationList").await.ok().unwrap()["id"].clone();
    obey(&mut ipad).await;
    assert!(observation(&server, SERIAL, APPS).await.is_some());
    // Once, not beside the command too.
    let command = server.show_command(command.as_str().unwrap()).await.unwrap();
    assert_eq!((&command["state"], &command["result"]), (&json!("acknowledged"), &Value::Null));
    // Whoever enrols from now on is asked at once.
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    assert!(obey(&mut other).await.request_types().contains(&"InstalledApplicationList"));
}

async fn c3_1_6_a_withdrawal_stops_what_is_queued_and_forgets_what_was_stored(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let dpo = somebody(&server, "dpo", Role::Dpo).await;
    validate(&dpo).await;
    let mut ipad = server.enrolled_ipad(SERIAL).await.unwrap();
    obey(&mut ipad).await;
    assert!(observation(&server, SERIAL, APPS).await.is_some());

    // One is on its way to the tablet, another waits.
    let on_its_way = asked(&server, "InstalledApplicationList").await.ok().unwrap()["id"].clone();
    let idle = report(ipad.udid(), "Idle", None);
    let given = crate::support::given(&ipad.report(&idle).await.unwrap()).unwrap();
    assert_eq!(given, on_its_way.as_str().unwrap());
    let waiting = asked(&server, "ManagedApplicationList").await.ok().unwrap()["id"].clone();

    let gone = dpo.delete(&format!("{VALIDATION}?reason=plus%20utile")).await.unwrap();
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(entry(&dpo).await["status"]["code"], "off");
    // The calendar forgets what was stored.
    server.advance(types::Duration::from_secs(61));
    wait_until("the list of apps is forgotten", Patience::default(), || async {
        Ok(observation(&server, SERIAL, APPS).await.is_none().then_some(()))
    })
    .await
    .unwrap();
    // What the tablet still answers is not stored, and what waited is not sent.
    let mut app = plist::Dictionary::new();
    app.insert("Identifier".into(), "fr.ecole.dys".into());
    let mut answer = report(ipad.udid(), "Acknowledged", Some(&given));
    answer.insert("InstalledApplicationList".into(), plist::Value::Array(vec![app.into()]));
    ipad.report(&answer).await.unwrap();
    assert_eq!(state_of(&server, &given).await, "acknowledged");
    assert!(!obey(&mut ipad).await.request_types().contains(&"ManagedApplicationList"));
    assert_eq!(state_of(&server, waiting.as_str().unwrap()).await, "failed");
    assert_eq!(observation(&server, SERIAL, APPS).await, None);
    let hand = ByHand::of(&server);
    for (table, column) in [("observations", "body"), ("commands", "result"), ("commands", "error")] {
        assert_eq!(hand.count(&format!("{table} WHERE {column} LIKE '%fr.ecole.dys%'")), 0, "{table}");
    }
    assert_eq!(
        hand.count("commands WHERE answer_raw IS NOT NULL AND request_type LIKE '%ApplicationList'"),
        0
    );
}

async fn c3_1_6_an_entry_is_validated_as_it_was_read_by_a_dpo_alone(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let dpo = somebody(&server, "dpo", Role::Dpo).await;
    let read = entry(&dpo).await["digest"].clone();
    for (login, role) in [("op", Role::Operator), ("adm", Role::Administrator), ("aud", Role::Auditor)] {
        let other = somebody(&server, login, role).await;
        let refused = other.put(VALIDATION, &json!({ "entry": read })).await.unwrap();
        assert_eq!(refused.status, 403, "{login}: {refused:?}");
        assert_eq!(other.delete(VALIDATION).await.unwrap().status, 403, "{login}");
    }
    // Another content than the present one.
    let refused = dpo.put(VALIDATION, &json!({ "entry": "0".repeat(64) })).await.unwrap();
    assert_eq!((refused.status, refused.text("/rule")), (409, "C3.1.6"), "{refused:?}");
    assert_eq!(dpo.delete(VALIDATION).await.unwrap().status, 409, "nothing is validated");
    // Nothing is stored of this one yet.
    let path = "/api/v1/privacy/register/roster/validation";
    assert_eq!(dpo.put(path, &json!({ "entry": read })).await.unwrap().status, 409);
    let unknown = "/api/v1/privacy/register/none/validation";
    assert_eq!(dpo.put(unknown, &json!({ "entry": read })).await.unwrap().status, 404);
    assert_eq!(entry(&dpo).await["status"]["code"], "off");
    validate(&dpo).await;
    let again = dpo.put(VALIDATION, &json!({ "entry": read })).await.unwrap();
    assert_eq!(again.status, 409, "once: {again:?}");

    // Another version of the program stores something else: what was validated was another entry.
    let hand = ByHand::of(&server);
    let lift = match engine {
        Engine::Sqlite => "DROP TRIGGER privacy_validations_before_update_1;",
        Engine::Postgresql => "ALTER TABLE privacy_validations DISABLE TRIGGER USER;",
    };
    hand.run(&format!("{lift} UPDATE privacy_validations SET entry_sha256 = '{}'", "1".repeat(64)));
    assert_eq!(entry(&dpo).await["status"]["code"], "off");
    server.enrolled_ipad(SERIAL).await.unwrap();
    let refused = asked(&server, "InstalledApplicationList").await;
    assert_eq!((refused.status, refused.text("/code")), (403, "not-validated"));
    assert!(refused.text("/detail").contains("void"), "{refused:?}");
}

async fn c3_1_6_purges_run_by_the_calendar_and_are_accounted_for(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let auditor = somebody(&server, "auditor", Role::Auditor).await;
    let class = |account: &Value, code: &str| {
        account["classes"].as_array().unwrap().iter().find(|class| class["code"] == code).unwrap().clone()
    };
    let hand = ByHand::of(&server);
    let purged = async |client: &ApiClient, times: i64| {
        wait_until("every class was purged", Patience::default(), || async {
            let done = hand.count("purges WHERE class = 'audit'");
            Ok((done >= times).then_some(()))
        })
        .await
        .unwrap();
        client.get("/api/v1/privacy/purges").await.unwrap().ok().unwrap()
    };
    let account = purged(&auditor, 1).await;
    assert_eq!(account["in_order"], true, "{account}");
    assert_eq!(class(&account, "audit")["removed"], 0);
    // Years later the bodies of the log are emptied, and the log is whole.
    server.import_inventory(&testkit::inventory_csv([SERIAL], crate::support::COLLEGE)).await.unwrap();
    server.advance(types::Duration::from_secs(4 * 365 * 86_400));
    // The doors show certificates of their day.
    server.stop().await;
    server.start_again().await.unwrap();
    let later = somebody(&server, "auditor-later", Role::Auditor).await;
    let account = purged(&later, 2).await;
    assert!(class(&account, "audit")["removed"].as_u64().unwrap() > 0, "{account}");
    assert_eq!(account["in_order"], true, "{account}");
    let verified = later.get("/api/v1/audit/verification").await.unwrap();
    let text = match &verified.body {
        Value::String(text) => text.clone(),
        one => one.to_string(),
    };
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(last["account"]["purged"].as_u64().unwrap() > 0, "{last}");
    assert_eq!(last["account"]["findings"], json!([]));
    let operator = somebody(&server, "operator", Role::Operator).await;
    assert_eq!(operator.get("/api/v1/privacy/purges").await.unwrap().status, 403);
}

async fn c8_1_everybody_with_an_account_reads_the_register_in_every_form(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let dpo = somebody(&server, "dpo", Role::Dpo).await;
    validate(&dpo).await;
    for (login, role) in
        [("administrator", Role::Administrator), ("operator", Role::Operator), ("auditor", Role::Auditor)]
    {
        let reader = somebody(&server, login, role).await;
        let shown = entry(&reader).await;
        assert_eq!(shown["status"]["code"], "on");
        assert!(shown.to_string().contains("\"dpo\""), "the DPO is named: {shown}");
        for (format, kind, begins) in [("csv", "text/csv", ""), ("html", "text/html", "<!DOCTYPE html>")] {
            let answer = reader.get(&format!("/api/v1/privacy/register?format={format}")).await.unwrap();
            assert_eq!(answer.status, 200);
            assert!(answer.content_type.starts_with(kind), "{}", answer.content_type);
            let text = answer.body.as_str().unwrap();
            assert!(text.to_lowercase().starts_with(&begins.to_lowercase()), "{text}");
            assert!(text.contains("observations.body"), "what is stored today: {text}");
        }
    }
    assert_eq!(server.api().unwrap().anonymous().get("/api/v1/privacy/register").await.unwrap().status, 401);
}
