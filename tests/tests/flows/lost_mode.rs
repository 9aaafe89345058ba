//! What we want of lost mode and what tablets say of it, brought together whatever comes between (T-C17); and what is decided
//! about a tablet after its incident (C5.4.4, C5.4.5).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, TestServer, wait_until};
use types::{AccountId, Clock as _, Day, Duration, Role};

use crate::support::{COLLEGE, asleep, commands_of, fetched, obey, on_both_engines, report};

on_both_engines! {
    t_c17_a_tablet_that_refuses_to_leave_lost_mode_is_told_again_and_somebody_hears_of_it,
    t_c17_a_tablet_that_never_was_in_lost_mode_leaves_it_without_an_alarm,
    t_c17_what_a_tablet_says_is_about_the_incident_of_its_command,
    t_c17_lost_mode_is_not_turned_off_by_hand_while_its_incident_is_open_and_comes_back_when_the_switch_is_released,
    c5_4_4_the_head_decides_on_a_replacement_and_what_is_attached_to_it,
    c5_4_5_the_warranty_is_judged_by_what_was_found_and_the_supplier_is_followed,
}

const SERIAL: &str = "DMPX00000001";
const HOUR: Duration = Duration::from_secs(3_600);

/// A server, its tablet, and its people.
struct School {
    server: TestServer,
    ipad: Ipad,
    ati: AccountId,
    head: AccountId,
}

impl School {
    async fn of(engine: Engine) -> Self {
        let server = TestServer::start(engine).await.unwrap();
        let ipad = asleep(&server, SERIAL).await;
        let college: types::Uai = COLLEGE.parse().unwrap();
        let here = GrantReach::Colleges(BTreeSet::from([college.clone()]));
        let ati = server.someone(Employer::Departement, "lea.petit", Role::Ati, here).await.unwrap();
        let head = (Employer::College(college), "m.moreau", Role::Head, GrantReach::Organisation);
        let head = server.someone(head.0, head.1, head.2, head.3).await.unwrap();
        server.validate_activity("incidents").await.unwrap();
        Self { server, ipad, ati, head }
    }

    async fn client(&self, account: AccountId) -> ApiClient {
        self.server.in_session(account, CodeShown::JustNow).await.unwrap()
    }

    async fn declare(&self, kind: &str) -> String {
        let noticed = self.server.clock().now().to_string();
        let new = json!({ "kind": kind, "noticed_at": noticed });
        let path = format!("/api/v1/tablets/{SERIAL}/incidents");
        let declared = self.client(self.ati).await.post(&path, &new).await.unwrap();
        assert_eq!(declared.status, 201, "{declared:?}");
        declared.text("/id").to_owned()
    }

    async fn act(&self, incident: &str, what: &str, body: Value) -> Answer {
        let path = format!("/api/v1/incidents/{incident}/{what}");
        self.client(self.ati).await.post(&path, &body).await.unwrap()
    }

    async fn put(&self, account: AccountId, incident: &str, what: &str, body: Value) -> Answer {
        let path = format!("/api/v1/incidents/{incident}/{what}");
        self.client(account).await.put(&path, &body).await.unwrap()
    }

    async fn lose(&self, incident: &str) {
        let asked = self.act(incident, "lost-mode", json!({ "reason": "volée" })).await;
        assert_eq!(asked.status, 201, "{asked:?}");
    }

    async fn close(&self, incident: &str) {
        for step in ["find", "close"] {
            assert_eq!(self.act(incident, "steps", json!({ "step": step })).await.status, 200, "{step}");
        }
    }

    async fn lost_mode(&self, incident: &str) -> String {
        let path = format!("/api/v1/incidents/{incident}");
        self.client(self.ati).await.get(&path).await.unwrap().text("/lost_mode/state").to_owned()
    }

    /// Waits until the calendar has brought it there.
    async fn becomes(&self, incident: &str, state: &str) {
        wait_until(&format!("lost mode is {state}"), Patience::default(), || async {
            Ok((self.lost_mode(incident).await == state).then_some(()))
        })
        .await
        .unwrap();
    }
}

async fn t_c17_a_tablet_that_refuses_to_leave_lost_mode_is_told_again_and_somebody_hears_of_it(
    engine: Engine,
) {
    let mut school = School::of(engine).await;
    let incident = school.declare("theft").await;
    school.lose(&incident).await;
    obey(&mut school.ipad).await;
    assert_eq!(school.lost_mode(&incident).await, "on");
    school.close(&incident).await;
    let given = fetched(&mut school.ipad).await.unwrap();
    let refused = report(school.ipad.udid(), "Error", Some(&given));
    school.ipad.report(&refused).await.unwrap();
    assert_eq!(school.lost_mode(&incident).await, "ending", "what is asked for is not what is");
    assert_eq!(school.server.alarm_kinds().await.unwrap(), ["lost-mode-stays"]);
    // Asked whether it is lost, it says that it is; an hour later it is told again.
    obey(&mut school.ipad).await;
    assert_eq!(school.lost_mode(&incident).await, "ending");
    assert_eq!(commands_of(&school.server, SERIAL, "DisableLostMode").await, 1);
    school.server.advance(HOUR + Duration::from_secs(60));
    wait_until("it is told again", Patience::default(), || async {
        Ok((commands_of(&school.server, SERIAL, "DisableLostMode").await == 2).then_some(()))
    })
    .await
    .unwrap();
    obey(&mut school.ipad).await;
    assert_eq!(school.ipad.state().lost_mode, None);
    assert_eq!(school.lost_mode(&incident).await, "off");
}

async fn t_c17_a_tablet_that_never_was_in_lost_mode_leaves_it_without_an_alarm(engine: Engine) {
    let mut school = School::of(engine).await;
    let incident = school.declare("loss").await;
    school.lose(&incident).await;
    school.close(&incident).await;
    assert_eq!(school.lost_mode(&incident).await, "ending");
    // It is in no lost mode, and says so twice: as an error, and when it is asked.
    let conversation = school.ipad.poll().await.unwrap();
    assert!(conversation.request_types().contains(&"DisableLostMode"), "{conversation:?}");
    school.ipad.poll().await.unwrap();
    assert_eq!(school.lost_mode(&incident).await, "off");
    assert_eq!(school.server.alarm_kinds().await.unwrap(), Vec::<String>::new());
}

async fn t_c17_what_a_tablet_says_is_about_the_incident_of_its_command(engine: Engine) {
    let mut school = School::of(engine).await;
    let first = school.declare("theft").await;
    school.lose(&first).await;
    let given = fetched(&mut school.ipad).await.unwrap();
    school.close(&first).await;
    // It is stolen again before it has answered.
    let second = school.declare("theft").await;
    school.lose(&second).await;
    let done = report(school.ipad.udid(), "Acknowledged", Some(&given));
    let next = school.ipad.report(&done).await.unwrap();
    assert!(next.is_accepted());
    assert_eq!(school.lost_mode(&second).await, "asked", "it answered for the first");
    obey(&mut school.ipad).await;
    assert_eq!(school.lost_mode(&second).await, "on");
}

async fn t_c17_lost_mode_is_not_turned_off_by_hand_while_its_incident_is_open_and_comes_back_when_the_switch_is_released(
    engine: Engine,
) {
    let mut school = School::of(engine).await;
    let incident = school.declare("theft").await;
    school.lose(&incident).await;
    obey(&mut school.ipad).await;
    // By hand, whoever sends it: it ends with the incident, and that is the next step.
    let commands = format!("/api/v1/tablets/{SERIAL}/commands");
    let by_hand = json!({ "request_type": "DisableLostMode" });
    for client in [school.client(school.ati).await, school.server.api().unwrap().clone()] {
        let refused = client.post(&commands, &by_hand).await.unwrap();
        assert_eq!(refused.text("/rule"), "M1", "{refused:?}");
        assert!(refused.text("/detail").contains(&format!("incident close {incident}")), "{refused:?}");
    }
    obey(&mut school.ipad).await;
    assert!(school.ipad.state().lost_mode.is_some());

    // Erased by hand while the switch is thrown, it comes back as new, and waits for whoever releases the switch.
    let camille = school.server.stepped_up().await.unwrap();
    camille.post("/api/v1/brake/engage", &json!({ "reason": "jeton volé" })).await.unwrap().ok().unwrap();
    let mut again = school.server.ipad(SERIAL).build().unwrap();
    again.enrol_by_link(&school.server.link_for(SERIAL).await.unwrap()).await.unwrap();
    obey(&mut again).await;
    assert_eq!((school.lost_mode(&incident).await, again.state().lost_mode.is_some()), ("off".into(), false));
    school.server.advance(Duration::from_secs(31));
    let bruno = (Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation);
    let bruno = school.server.someone(bruno.0, bruno.1, bruno.2, bruno.3).await.unwrap();
    let (camille, bruno) = (school.server.stepped_up().await.unwrap(), school.client(bruno).await);
    let asked = camille.post("/api/v1/brake/ask-release", &json!({ "reason": "réglé" })).await.unwrap();
    let asked = asked.text("/countersignature").to_owned();
    let path = format!("/api/v1/countersignatures/{asked}");
    let seen = bruno.get(&path).await.unwrap().text("/content_sha256").to_owned();
    let yes = json!({ "verdict": "give", "content_sha256": seen });
    assert_eq!(bruno.post(&format!("{path}/answer"), &yes).await.unwrap().status, 200);
    let release = json!({ "countersignature": asked });
    assert_eq!(camille.post("/api/v1/brake/release", &release).await.unwrap().status, 204);
    school.server.advance(Duration::from_secs(31));
    school.becomes(&incident, "asked").await;
    obey(&mut again).await;
    assert!(again.state().lost_mode.is_some());
    assert_eq!(school.lost_mode(&incident).await, "on");
    // Closed, it stays off.
    school.close(&incident).await;
    obey(&mut again).await;
    school.server.advance(Duration::from_secs(31));
    obey(&mut again).await;
    assert_eq!((school.lost_mode(&incident).await, again.state().lost_mode.clone()), ("off".into(), None));
    // Nothing rests on it any more: whoever is not sure may say it once more.
    assert_eq!(school.client(school.ati).await.post(&commands, &by_hand).await.unwrap().status, 201);
}

async fn c5_4_4_the_head_decides_on_a_replacement_and_what_is_attached_to_it(engine: Engine) {
    let school = School::of(engine).await;
    let incident = school.declare("breakage").await;
    let today = Day::of(school.server.clock().now()).to_string();
    let sum = json!({ "granted": true, "counterpart": "sum", "sum_cents": 12_000, "fixed_on": today });
    let not_the_head = school.put(school.ati, &incident, "replacement", sum.clone()).await;
    assert_eq!(not_the_head.status, 403, "{not_the_head:?}");
    for wrong in [
        json!({ "granted": false, "counterpart": "no-donation" }),
        json!({ "granted": true, "counterpart": "sum" }),
        json!({ "granted": true, "counterpart": "sum", "sum_cents": 1, "fixed_on": "2099-01-01" }),
        json!({ "granted": true, "counterpart": "no-donation", "sum_cents": 5 }),
    ] {
        let refused = school.put(school.head, &incident, "replacement", wrong.clone()).await;
        assert_eq!(refused.status, 422, "{wrong}: {refused:?}");
    }
    let decided = school.put(school.head, &incident, "replacement", sum.clone()).await;
    assert_eq!(decided.text("/replacement/effect"), "speaks-against-donation", "{decided:?}");
    assert_eq!(school.put(school.head, &incident, "replacement", sum).await.status, 409, "decided once");
    let path = format!("/api/v1/incidents/{incident}/payment");
    let head = school.client(school.head).await;
    let paid = head.post(&path, &json!({ "paid_on": today })).await.unwrap();
    assert_eq!((paid.status, paid.body.pointer("/replacement/effect")), (200, Some(&Value::Null)));
    assert_eq!(paid.text("/replacement/paid_on"), today);
    assert_eq!(head.post(&path, &json!({ "paid_on": today })).await.unwrap().status, 409, "paid once");

    let loss = school.declare("loss").await;
    let stays = json!({ "granted": true, "counterpart": "stays-at-school" });
    let decided = school.put(school.head, &loss, "replacement", stays).await;
    assert_eq!(decided.text("/replacement/effect"), "in-school-only", "{decided:?}");
}

async fn c5_4_5_the_warranty_is_judged_by_what_was_found_and_the_supplier_is_followed(engine: Engine) {
    let school = School::of(engine).await;
    for (kind, finding, verdict) in [
        ("fault", "nothing-of-the-user", "covered"),
        ("fault", "repair-by-the-user", "not-covered"),
        ("damage", "shock-or-scratch", "not-covered"),
        ("loss", "nothing-of-the-user", "does-not-arise"),
    ] {
        let incident = school.declare(kind).await;
        let found = json!({ "finding": finding });
        let judged = school.put(school.ati, &incident, "warranty", found.clone()).await;
        assert_eq!(judged.text("/warranty"), verdict, "{kind}, {finding}: {judged:?}");
        assert_eq!(school.put(school.ati, &incident, "warranty", found).await.status, 409, "judged once");
    }
    let incident = school.declare("fault").await;
    let sent = school.put(school.ati, &incident, "supplier", json!({ "reference": "SAV-118" })).await;
    assert_eq!((sent.text("/supplier_reference"), &sent.body["exchanged_serial"]), ("SAV-118", &Value::Null));
    let back = json!({ "reference": "SAV-118", "exchanged_serial": "DMPX00000099" });
    let back = school.put(school.ati, &incident, "supplier", back).await;
    assert_eq!(back.text("/exchanged_serial"), "DMPX00000099", "{back:?}");
}
