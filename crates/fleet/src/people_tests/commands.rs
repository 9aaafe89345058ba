//! The queue, as people use it.

use apple::plist::{Dictionary, Value};
use governance::Permission;
use store::commands::CommandState;
use types::RuleId;

use super::fixture::{People, SERIAL, days, engines, named, now};
use crate::commands::{self, Accepted, Content, NewCommand};
use crate::page::Page;
use crate::{Principal, Refusal, Scope, coming_in};

fn plain(request_type: &str) -> NewCommand {
    NewCommand {
        request_type: request_type.into(),
        content: None,
        priority: 0,
        not_before: None,
        expires_at: None,
        idempotency_key: None,
    }
}

fn with(request_type: &str, keys: &[(&str, Value)]) -> NewCommand {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<Dictionary>();
    NewCommand { content: Some(Content::Keys(keys)), ..plain(request_type) }
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// A Settings command of one item, whose content is under a key of the same name.
fn setting(item: &str, content: Value) -> NewCommand {
    let item = Dictionary::from_iter([("Item".to_owned(), text(item)), (item.to_owned(), content)]);
    with("Settings", &[("Settings", Value::Array(vec![Value::Dictionary(item)]))])
}

fn profile(identifier: &str, payload: &str) -> NewCommand {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>\
         <key>PayloadContent</key><array><dict>{payload}<key>PayloadIdentifier</key><string>{identifier}.1</string>\
         <key>PayloadUUID</key><string>9CEB8FBD-6F1B-4C1F-9B47-D8B8B8C3D0A1</string><key>PayloadVersion</key><integer>1</integer></dict></array>\
         <key>PayloadIdentifier</key><string>{identifier}</string><key>PayloadType</key><string>Configuration</string>\
         <key>PayloadUUID</key><string>9CEB8FBD-6F1B-4C1F-9B47-D8B8B8C3D0A2</string><key>PayloadVersion</key><integer>1</integer>\
         </dict></plist>"
    );
    with("InstallProfile", &[("Payload", Value::Data(xml.into_bytes()))])
}

const WEB_CLIP: &str = "<key>PayloadType</key><string>com.apple.webClip.managed</string><key>URL</key><string>https://example.fr</string><key>Label</key><string>x</string>";
const MDM: &str = "<key>PayloadType</key><string>com.apple.mdm</string>\
    <key>IdentityCertificateUUID</key><string>9CEB8FBD-6F1B-4C1F-9B47-D8B8B8C3D0A3</string>\
    <key>ServerURL</key><string>https://mdm.example.org</string><key>Topic</key><string>com.apple.mgmt.x</string>\
    <key>AccessRights</key><integer>8191</integer>";
const ERASING: &str = "<key>PayloadType</key><string>com.apple.mobiledevice.passwordpolicy</string><key>maxFailedAttempts</key><integer>5</integer>";

async fn queue(people: &People, new: NewCommand) -> Result<Accepted, Refusal> {
    commands::enqueue(&people.fleet, &people.operator, named(SERIAL), new, now()).await
}

async fn state(people: &People, accepted: &Accepted) -> CommandState {
    commands::show(&people.fleet, &people.operator, accepted.command.id, now()).await.unwrap().state
}

async fn enrolled(engine: store::Engine) -> People {
    let people = People::stocked(engine).await;
    people.enrol(SERIAL).await;
    people
}

#[tokio::test]
async fn whoever_comes_in_is_one_statement_and_a_command_is_ten() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        let store = people.fleet.store();
        let token = people.token(Scope::Operate).await;
        let come_in =
            || coming_in::admit(&people.fleet, token.expose(), None, Permission::SendCommands, now());
        // The first time, that it was used is noted.
        come_in().await.unwrap();
        let before = store.statements();
        let operator = come_in().await.unwrap();
        assert_eq!(store.statements() - before, 1, "the token, the account, its organisation and its roles");
        let before = store.statements();
        commands::enqueue(&people.fleet, &operator, named(SERIAL), plain("DeviceInformation"), now())
            .await
            .unwrap();
        assert_eq!(
            store.statements() - before,
            10,
            "BEGIN, who asks, the tablet, its enrolment, what it replaces, the command, its push twice, the log, COMMIT"
        );
    }
}

#[tokio::test]
async fn a_queued_command_wants_a_push_and_is_told_in_the_audit_log() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolment = people.enrol(SERIAL).await;
        let accepted = queue(&people, plain("DeviceInformation")).await.unwrap();
        assert!(accepted.new);
        assert_eq!(accepted.command.state, CommandState::Queued);
        let push = people
            .fleet
            .store()
            .read(move |tx| store::push_states::get(tx, &enrolment))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((push.wanted_at, push.due_at), (Some(now()), Some(now())));
        assert_eq!(people.audit().await, ["inventory.import", "command.queue"]);
    }
}

#[tokio::test]
async fn a_command_that_is_put_off_wakes_nobody_before_its_time() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolment = people.enrol(SERIAL).await;
        let later = now().plus(days(2));
        let accepted =
            queue(&people, NewCommand { not_before: Some(later), ..plain("SecurityInfo") }).await.unwrap();
        let push = people
            .fleet
            .store()
            .read(move |tx| store::push_states::get(tx, &enrolment))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(push.due_at, Some(later));
        let why = commands::why(&people.fleet, &people.operator, accepted.command.id, now()).await.unwrap();
        assert_eq!(why.code, "not-before");
    }
}

#[tokio::test]
async fn t_a20_the_same_key_queues_one_command_however_often_it_is_sent() {
    for engine in engines() {
        let people = enrolled(engine).await;
        let keyed = |kind: &str| NewCommand { idempotency_key: Some("click-1".into()), ..plain(kind) };
        let first = queue(&people, keyed("RestartDevice")).await.unwrap();
        let second = queue(&people, keyed("RestartDevice")).await.unwrap();
        assert!(first.new && !second.new);
        assert_eq!(first.command.id, second.command.id);
        assert!(matches!(queue(&people, keyed("SecurityInfo")).await, Err(Refusal::Conflict(_))));
        assert_eq!(people.audit().await, ["inventory.import", "command.queue"]);
    }
}

#[tokio::test]
async fn t_a20_two_workers_with_one_key_queue_one_command() {
    for engine in engines() {
        let people = enrolled(engine).await;
        let keyed = || NewCommand { idempotency_key: Some("job-7".into()), ..plain("ProfileList") };
        let (one, two, three) =
            tokio::join!(queue(&people, keyed()), queue(&people, keyed()), queue(&people, keyed()));
        let all = [one.unwrap(), two.unwrap(), three.unwrap()];
        assert_eq!(all.iter().filter(|accepted| accepted.new).count(), 1);
        assert!(all.iter().all(|accepted| accepted.command.id == all[0].command.id));
    }
}

#[tokio::test]
async fn a_newer_command_replaces_a_pending_one_of_the_same_purpose() {
    for engine in engines() {
        let people = enrolled(engine).await;
        let restart = queue(&people, plain("RestartDevice")).await.unwrap();
        let shut_down = queue(&people, plain("ShutDownDevice")).await.unwrap();
        let inventory = queue(&people, plain("DeviceInformation")).await.unwrap();
        let newer = queue(&people, plain("RestartDevice")).await.unwrap();
        queue(&people, plain("DeviceInformation")).await.unwrap();
        assert_eq!(state(&people, &restart).await, CommandState::Cancelled);
        assert_eq!(state(&people, &inventory).await, CommandState::Cancelled);
        assert_eq!(state(&people, &shut_down).await, CommandState::Queued);
        assert_eq!(state(&people, &newer).await, CommandState::Queued);
    }
}

#[tokio::test]
async fn c3_1_1_t_c23_what_is_dangerous_or_goes_round_the_layers_is_refused_with_its_rule() {
    let people = enrolled(store::Engine::Sqlite).await;
    let query = |query: &str| with("DeviceInformation", &[("Queries", Value::Array(vec![text(query)]))]);
    let cases = [
        (plain("EraseDevice"), RuleId::M3),
        (plain("EnableLostMode"), RuleId::M1),
        (plain("DeviceLocation"), RuleId::M1),
        (with("RemoveProfile", &[("Identifier", text(crate::enrolment_profile::IDENTIFIER))]), RuleId::M4),
        (profile("org.example.mdm", MDM), RuleId::M4),
        (profile("org.example.code", ERASING), RuleId::M3),
        (profile("org.example.clip", WEB_CLIP), RuleId::C3_1_1),
        (with("RemoveProfile", &[("Identifier", text("org.example.clip"))]), RuleId::C3_1_1),
        (with("InstallApplication", &[("Identifier", text("org.example.app"))]), RuleId::C3_1_1),
        (setting("TimeZone", text("Pacific/Auckland")), RuleId::C3_1_1),
        (setting("DeviceName", text("CDI 12")), RuleId::C3_1_1),
        (query("PhoneNumber"), RuleId::C3_1_6),
        (with("InstalledApplicationList", &[("ManagedAppsOnly", Value::Boolean(false))]), RuleId::C3_1_6),
    ];
    for (new, rule) in cases {
        let kind = new.request_type.clone();
        let refusal = queue(&people, new).await.unwrap_err();
        assert_eq!(refusal.rule(), Some(rule), "{kind}: {refusal}");
    }
    let listed =
        commands::list(&people.fleet, &people.operator, named(SERIAL), Page::default(), now()).await.unwrap();
    assert!(listed.items.is_empty());
    assert_eq!(people.audit().await, ["inventory.import"]);
}

#[tokio::test]
async fn an_envelope_out_of_bounds_is_refused_by_field() {
    let people = enrolled(store::Engine::Sqlite).await;
    let base = || plain("ProfileList");
    let cases = [
        (NewCommand { priority: 11, ..base() }, "priority"),
        (NewCommand { expires_at: Some(now()), ..base() }, "expires_at"),
        (NewCommand { expires_at: Some(now().plus(days(400))), ..base() }, "expires_at"),
        (NewCommand { not_before: Some(now().plus(days(400))), ..base() }, "not_before"),
        (NewCommand { idempotency_key: Some(String::new()), ..base() }, "idempotency_key"),
        (NewCommand { idempotency_key: Some("x".repeat(201)), ..base() }, "idempotency_key"),
    ];
    for (new, expected) in cases {
        let refusal = queue(&people, new).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Invalid { field, .. } if field == expected), "{refusal}");
    }
}

#[tokio::test]
async fn a_tablet_that_is_not_enrolled_gets_no_command() {
    let people = People::stocked(store::Engine::Sqlite).await;
    assert!(matches!(queue(&people, plain("ProfileList")).await, Err(Refusal::Conflict(_))));
    let unknown = commands::enqueue(
        &people.fleet,
        &people.operator,
        named("DMPXK1ZZZZ99"),
        plain("ProfileList"),
        now(),
    );
    assert!(matches!(unknown.await, Err(Refusal::NotFound { noun: "tablet", .. })));
}

#[tokio::test]
async fn a_pending_command_is_cancelled_once_and_a_finished_one_is_not() {
    for engine in engines() {
        let people = enrolled(engine).await;
        let accepted = queue(&people, plain("ProfileList")).await.unwrap();
        for _ in 0..2 {
            let id = accepted.command.id;
            let cancelled = commands::cancel(&people.fleet, &people.operator, id, now()).await.unwrap();
            assert_eq!(cancelled.state, CommandState::Cancelled);
        }
        assert_eq!(people.audit().await, ["inventory.import", "command.queue", "command.cancel"]);

        let end = Some(now().plus(days(1)));
        let expiring = queue(&people, NewCommand { expires_at: end, ..plain("SecurityInfo") }).await.unwrap();
        let later = now().plus(days(3));
        people.fleet.store().write(move |tx| store::commands::expire(tx, later, 9)).await.unwrap();
        let operator = people.operator_at(later).await;
        let refusal =
            commands::cancel(&people.fleet, &operator, expiring.command.id, later).await.unwrap_err();
        assert!(matches!(&refusal, Refusal::Conflict(why) if why.contains("expired")), "{refusal}");
    }
}

#[tokio::test]
async fn a_pending_command_says_why_it_waits() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolment = people.enrol(SERIAL).await;
        let id = queue(&people, plain("ProfileList")).await.unwrap().command.id;
        let later = now().plus(days(12));
        let operator = people.operator_at(later).await;
        let why = || commands::why(&people.fleet, &operator, id, later);
        assert_eq!(why().await.unwrap().code, "no-push-certificate");

        super::keys::install_push_certificate(&people, "com.apple.mgmt.External.test").await;
        assert_eq!(why().await.unwrap().code, "not-pushed");

        let pushed = store::push_states::PushAttempt {
            enrolment,
            at: now(),
            outcome: "sent".into(),
            attempts: 1,
            unanswered: 1,
            next_due_at: Some(now().plus(days(13))),
            token_invalid: false,
        };
        let failed = store::push_states::PushAttempt { outcome: "throttled".into(), ..pushed.clone() };
        let refused = store::push_states::PushAttempt {
            outcome: "token invalid".into(),
            token_invalid: true,
            ..pushed.clone()
        };
        for (attempt, code) in
            [(pushed, "pushed-silent"), (failed, "push-failing"), (refused, "push-token-invalid")]
        {
            people.fleet.store().write(move |tx| store::push_states::record(tx, &attempt)).await.unwrap();
            assert_eq!(why().await.unwrap().code, code);
        }
    }
}

#[tokio::test]
async fn whoever_may_only_look_queues_and_cancels_nothing() {
    let people = enrolled(store::Engine::Sqlite).await;
    let id = queue(&people, plain("ProfileList")).await.unwrap().command.id;
    let reader: Principal = people.reader().await;
    let queued = commands::enqueue(&people.fleet, &reader, named(SERIAL), plain("ProfileList"), now()).await;
    assert!(matches!(queued, Err(Refusal::NotAllowed { .. })));
    let cancelled = commands::cancel(&people.fleet, &reader, id, now()).await;
    assert!(matches!(cancelled, Err(Refusal::NotAllowed { .. })));
    assert!(commands::show(&people.fleet, &reader, id, now()).await.is_ok());
}
