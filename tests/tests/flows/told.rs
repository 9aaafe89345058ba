//! Warrants that somebody tells of by hand, because no mail does: seen, printed, handed over and recorded (M1, C7.1).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::Employer;
use testkit::{ApiClient, MailServer, Patience, TestServer, wait_until};
use types::{Clock as _, Day, Duration, Role};

use crate::mail::{MOTHER, lent_to, told};
use crate::missing::{Case, SERIAL};
use crate::returns::notices_are_validated;
use crate::support::{DAY, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    m1_c7_1_without_a_mail_server_a_letter_tells_of_a_warrant_and_it_is_recorded_who_handed_it_over,
    m1_c7_1_whose_mail_came_back_is_told_in_person,
    m1_nobody_is_told_by_hand_before_the_day_that_an_authority_asked_for,
    m1_a_delay_after_the_first_mail_holds_the_list_and_every_letter,
    m1_a_notice_whose_mail_came_back_before_the_delay_waits_for_its_day,
    c3_1_6_m1_of_somebody_who_was_forgotten_nobody_is_told_and_no_alarm_stands,
}

const ROUND: Duration = Duration::from_secs(61);
const ALARM: &str = "warrant-untold";

/// A theft of a lent tablet, with a warrant.
async fn warranted(server: TestServer, ipad: tablets::Ipad, kind: &str) -> Case {
    let case = Box::pin(Case::on(server, ipad, kind)).await;
    case.validate().await;
    let request = case.asked(json!({ "hours": 24 })).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    case
}

async fn to_tell(client: &ApiClient) -> Vec<Value> {
    let listed = client.get("/api/v1/warrant-notices").await.unwrap().ok().unwrap();
    listed["items"].as_array().unwrap().clone()
}

/// Waits until the first notice was told, or is not any more.
async fn is_told(case: &Case, told: bool) {
    wait_until("the notice stands so", Patience::default(), || async {
        Ok((case.list("notices").await[0]["told_at"].is_string() == told).then_some(()))
    })
    .await
    .unwrap();
}

/// Waits until the alarm is raised, or is not any more.
async fn alarmed(case: &Case, raised: bool) {
    let is_so = wait_until("the alarm", Patience::default(), || async {
        Ok((case.server.alarm_kinds().await?.contains(&ALARM.to_owned()) == raised).then_some(()))
    });
    is_so.await.unwrap();
}

async fn m1_c7_1_without_a_mail_server_a_letter_tells_of_a_warrant_and_it_is_recorded_who_handed_it_over(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let ipad = lent_to(&server, &[MOTHER]).await;
    let case = warranted(server, ipad, "theft").await;
    let ati = case.client(case.ati).await;
    // Before the DPO validated notices, nobody writes one.
    let waiting = to_tell(&ati).await;
    assert_eq!((waiting.len(), &waiting[0]["why"]), (1, &json!("not-validated")), "{waiting:?}");
    let id = waiting[0]["id"].as_str().unwrap().to_owned();
    let (letter, done) =
        (format!("/api/v1/warrant-notices/{id}/letter"), format!("/api/v1/warrant-notices/{id}/told"));
    assert_eq!(ati.get(&letter).await.unwrap().text("/code"), "not-validated");
    notices_are_validated(&case.server).await;

    case.server.advance(ROUND);
    alarmed(&case, true).await;
    let ati = case.client(case.ati).await;
    let waiting = to_tell(&ati).await;
    let seen = (&waiting[0]["why"], &waiting[0]["by_hand"], &waiting[0]["serial"]);
    assert_eq!(seen, (&json!("no-mail-server"), &json!(true), &json!(SERIAL)));
    // Each reads whether they may tell it themselves: not who asked for the warrant, nor who only looks.
    let auditor = (Employer::Departement, "auditor", Role::Auditor, GrantReach::Organisation);
    let auditor = case.server.someone(auditor.0, auditor.1, auditor.2, auditor.3).await.unwrap();
    for (account, may, why) in [
        (case.ati, false, json!("asked-for-it")),
        (auditor, false, json!("only-looks")),
        (case.head, true, Value::Null),
    ] {
        let read = to_tell(&case.client(account).await).await.remove(0);
        assert_eq!((&read["you_may_tell"], &read["you_may_not"]), (&json!(may), &why), "{read}");
    }
    let printed = ati.get(&letter).await.unwrap();
    for said in [SERIAL, "Zoé Exemple", "représentants légaux", "a été autorisée", "d’un vol déclaré"]
    {
        assert!(printed.text("/french").contains(said), "{said}: {printed:?}");
    }
    assert!(printed.text("/english").contains("was permitted"), "{printed:?}");
    assert_eq!(to_tell(&ati).await.len(), 1, "printed is not handed over");

    // Of another collège, there is no such notice.
    let elsewhere = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other =
        case.server.someone(elsewhere, "head-elsewhere", Role::Head, GrantReach::Organisation).await.unwrap();
    let other = case.client(other).await;
    assert_eq!(to_tell(&other).await, Vec::<Value>::new());
    assert_eq!(other.get(&letter).await.unwrap().status, 404);
    assert_eq!(other.post(&done, &json!({ "how": "letter" })).await.unwrap().status, 404);

    assert_eq!(ati.post(&done, &json!({ "how": "mail" })).await.unwrap().text("/code"), "invalid");
    // Whoever asked for the warrant prints the letter, and does not say that it was handed over.
    let alone = ati.post(&done, &json!({ "how": "letter" })).await.unwrap();
    assert_eq!((alone.status, alone.text("/rule")), (403, "M1"), "{alone:?}");
    assert!(alone.text("/detail").contains("somebody else of the collège"), "{alone:?}");
    assert_eq!(to_tell(&ati).await.len(), 1, "nothing was recorded");
    let head = case.client(case.head).await;
    let told = head.post(&done, &json!({ "how": "letter" })).await.unwrap();
    assert_eq!(told.status, 200, "{told:?}");
    let again = head.post(&done, &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!(again.text("/handed_over_at"), told.text("/handed_over_at"), "told once");
    assert_eq!(told.body.get("told_before"), None, "{told:?}");
    let before =
        (again.text("/told_before/at"), again.text("/told_before/how"), again.text("/told_before/by/login"));
    assert_eq!(before, (told.text("/handed_over_at"), "letter", "m.moreau"), "{again:?}");
    // Whoever may not tell it may not either once somebody did.
    let alone = ati.post(&done, &json!({ "how": "letter" })).await.unwrap();
    assert_eq!((alone.status, alone.text("/rule")), (403, "M1"), "{alone:?}");
    let notices = case.list("notices").await;
    let recorded = (&notices[0]["told_how"], &notices[0]["told_by"], notices[0]["told_at"].is_string());
    assert_eq!(recorded, (&json!("letter"), &json!(case.head.to_string()), true));
    assert_eq!(case.audited("warrant.tell").await.len(), 1);
    assert_eq!(to_tell(&ati).await, Vec::<Value>::new());
    alarmed(&case, false).await;

    // Its end is told of its own, and raises the alarm anew.
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    let over = to_tell(&ati).await;
    assert!(over[0]["id"].as_str().unwrap().ends_with(":over"), "{over:?}");
    case.server.advance(ROUND);
    alarmed(&case, true).await;
}

async fn m1_c7_1_whose_mail_came_back_is_told_in_person(engine: Engine) {
    let mail = MailServer::start().await.unwrap();
    let (server, ipad) = told(engine, &mail, &[MOTHER]).await;
    let case = warranted(server, ipad, "theft").await;
    // A mail is about to be written: nobody silences it.
    let head = case.client(case.head).await;
    let on_its_way = to_tell(&head).await;
    assert_eq!(on_its_way[0]["why"], "on-its-way");
    assert_eq!((&on_its_way[0]["by_hand"], &on_its_way[0]["you_may_tell"]), (&json!(false), &json!(false)));
    let done = format!("/api/v1/warrant-notices/{}/told", on_its_way[0]["id"].as_str().unwrap());
    let early = head.post(&done, &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!((early.status, early.text("/code")), (409, "conflict"), "{early:?}");
    case.server.advance(ROUND);
    let taken = mail.has_taken(1).await.unwrap().remove(0);
    is_told(&case, true).await;
    mail.bounce(&taken, "5.1.1").unwrap();
    is_told(&case, false).await;
    case.server.advance(ROUND);
    alarmed(&case, true).await;
    let head = case.client(case.head).await;
    assert_eq!(to_tell(&head).await[0]["why"], "unreached");
    assert_eq!(head.post(&done, &json!({ "how": "in-person" })).await.unwrap().status, 200);
    alarmed(&case, false).await;
    assert_eq!(case.list("notices").await[0]["told_how"], "in-person");
    assert_eq!(mail.mailed().len(), 1, "nothing was sent twice");
}

async fn m1_nobody_is_told_by_hand_before_the_day_that_an_authority_asked_for(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let ipad = lent_to(&server, &[]).await;
    notices_are_validated(&server).await;
    let case = warranted(server, ipad, "authority-request").await;
    case.server.advance(ROUND);
    alarmed(&case, true).await;
    let ati = case.client(case.ati).await;
    let id = to_tell(&ati).await[0]["id"].as_str().unwrap().to_owned();
    let until = Day::of(case.server.clock().now().plus(DAY * 20)).to_string();
    let delay = json!({ "until": until, "reference": "PV 2026/7, demande du 26" });
    assert_eq!(case.act(case.ati, "notices/delay", delay).await.status, 200);
    // It is not due any more: no list and no alarm gives it away.
    assert_eq!(to_tell(&ati).await, Vec::<Value>::new());
    alarmed(&case, false).await;
    let early = ati.get(&format!("/api/v1/warrant-notices/{id}/letter")).await.unwrap();
    assert_eq!(early.text("/rule"), "M1", "{early:?}");
    assert!(early.text("/detail").contains(&until), "{early:?}");
    let done = format!("/api/v1/warrant-notices/{id}/told");
    let head = case.client(case.head).await;
    assert_eq!(head.post(&done, &json!({ "how": "in-person" })).await.unwrap().text("/rule"), "M1");
    case.server.advance(DAY * 21);
    let head = case.client(case.head).await;
    assert_eq!(head.post(&done, &json!({ "how": "in-person" })).await.unwrap().status, 200);
}

async fn m1_a_delay_after_the_first_mail_holds_the_list_and_every_letter(engine: Engine) {
    let mail = MailServer::start().await.unwrap();
    let (server, ipad) = told(engine, &mail, &[MOTHER]).await;
    let case = warranted(server, ipad, "authority-request").await;
    case.server.advance(ROUND);
    let taken = mail.has_taken(1).await.unwrap().remove(0);
    is_told(&case, true).await;
    let id = format!("{}:opened", case.warrant().await["id"].as_str().unwrap());
    let until = Day::of(case.server.clock().now().plus(DAY * 20)).to_string();
    let delay = json!({ "until": until, "reference": "PV 2026/7, demande du 26" });
    assert_eq!(case.act(case.ati, "notices/delay", delay).await.status, 200);
    mail.bounce(&taken, "5.1.1").unwrap();
    is_told(&case, false).await;
    let head = case.client(case.head).await;
    assert_eq!(to_tell(&head).await, Vec::<Value>::new());
    let early = head.get(&format!("/api/v1/warrant-notices/{id}/letter")).await.unwrap();
    assert!(early.text("/rule") == "M1" && early.text("/detail").contains(&until), "{early:?}");
    let done = format!("/api/v1/warrant-notices/{id}/told");
    let early = head.post(&done, &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!(early.text("/rule"), "M1", "{early:?}");
    case.server.advance(DAY * 21);
    let head = case.client(case.head).await;
    assert_eq!(head.post(&done, &json!({ "how": "in-person" })).await.unwrap().status, 200);
}

async fn m1_a_notice_whose_mail_came_back_before_the_delay_waits_for_its_day(engine: Engine) {
    let mail = MailServer::start().await.unwrap();
    let (server, ipad) = told(engine, &mail, &[MOTHER]).await;
    let case = warranted(server, ipad, "authority-request").await;
    case.server.advance(ROUND);
    let taken = mail.has_taken(1).await.unwrap().remove(0);
    is_told(&case, true).await;
    mail.bounce(&taken, "5.1.1").unwrap();
    is_told(&case, false).await;
    case.server.advance(ROUND);
    // Nobody was reached: somebody is to tell it by hand.
    alarmed(&case, true).await;
    let head = case.client(case.head).await;
    let waiting = to_tell(&head).await;
    assert_eq!((&waiting[0]["why"], &waiting[0]["you_may_tell"]), (&json!("unreached"), &json!(true)));
    let notice = format!("/api/v1/warrant-notices/{}", waiting[0]["id"].as_str().unwrap());
    // Then the authority asks: from now on nothing gives it away, nor is a mail tried again.
    let until = Day::of(case.server.clock().now().plus(DAY * 20)).to_string();
    let delay = json!({ "until": until, "reference": "PV 2026/7, demande du 26" });
    assert_eq!(case.act(case.ati, "notices/delay", delay).await.status, 200);
    assert_eq!(to_tell(&head).await, Vec::<Value>::new());
    alarmed(&case, false).await;
    let early = head.get(&format!("{notice}/letter")).await.unwrap();
    assert!(early.text("/rule") == "M1" && early.text("/detail").contains(&until), "{early:?}");
    let early = head.post(&format!("{notice}/told"), &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!(early.text("/rule"), "M1", "{early:?}");
    case.server.advance(DAY);
    alarmed(&case, false).await;
    assert_eq!(mail.mailed().len(), 1, "nothing was sent again");
    case.server.advance(DAY * 20);
    alarmed(&case, true).await;
    let head = case.client(case.head).await;
    assert_eq!(to_tell(&head).await[0]["why"], "unreached");
    let told = head.post(&format!("{notice}/told"), &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!(told.status, 200, "{told:?}");
    alarmed(&case, false).await;
}

async fn c3_1_6_m1_of_somebody_who_was_forgotten_nobody_is_told_and_no_alarm_stands(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let ipad = lent_to(&server, &[MOTHER]).await;
    let case = warranted(server, ipad, "theft").await;
    notices_are_validated(&case.server).await;
    case.server.advance(ROUND);
    alarmed(&case, true).await;
    let head = case.client(case.head).await;
    let waiting = to_tell(&head).await;
    let loan: types::LoanId = case.list("notices").await[0]["loan"].as_str().unwrap().parse().unwrap();
    let now = case.server.clock().now();
    let forgotten = case.server.fleet().unwrap().store().write(move |tx| {
        let loan = store::loans::get(tx, &loan)?.unwrap();
        store::purge::person(tx, loan.person_id, now)
    });
    assert!(forgotten.await.unwrap());
    assert_eq!(to_tell(&head).await, Vec::<Value>::new());
    let notice = format!("/api/v1/warrant-notices/{}", waiting[0]["id"].as_str().unwrap());
    let letter = head.get(&format!("{notice}/letter")).await.unwrap();
    assert!(letter.status == 409 && letter.text("/detail").contains("forgotten"), "{letter:?}");
    let told = head.post(&format!("{notice}/told"), &json!({ "how": "in-person" })).await.unwrap();
    assert_eq!(told.status, 409, "{told:?}");
    case.server.advance(ROUND);
    alarmed(&case, false).await;
}
