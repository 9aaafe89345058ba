//! Notices by mail, through the whole server and a real mail server: who is told, once, and what counts (C5.3.5, M3).

use lending::agreement::Signatory;
use serde_json::{Value, json};
use store::Engine;
use store::{notices_due, persons};
use testkit::{ApiClient, MailServer, Mailed, Patience, TestServer, TestkitError, wait_until};
use types::{Clock as _, Day, Duration, NoticeId, Role};

use crate::by_hand::ByHand;
use crate::missing::Case;
use crate::returns::{act, comes_to, here, lend, network, notices_are_validated, received, shown};
use crate::support::{DAY, asleep, obey, on_both_engines};

on_both_engines! {
    m3_c5_3_5_reminders_and_a_notice_arrive_one_comes_back_and_only_a_letter_lets_the_tablet_be_erased,
    c5_2_2_guardians_are_reminded_of_the_summers_deposit_and_no_more_once_the_tablet_is_in,
    c3_1_6_without_the_dpos_validation_nothing_is_written_and_nothing_is_sent,
    c5_3_5_each_guardian_is_told_and_one_who_is_reached_is_enough,
    mail_that_the_server_takes_later_is_sent_once_and_mail_that_it_never_takes_is_told_to_the_college,
    a_server_that_hangs_up_after_it_took_a_mail_is_given_it_once_more_and_never_a_third_time,
    a_node_that_died_with_a_mail_in_hand_has_it_sent_once_more_and_never_a_third_time,
    what_comes_back_and_is_no_report_is_put_aside_once,
    c5_2_6_c7_1_changed_rules_and_a_warrant_are_told_by_mail_once_and_an_authority_delays_it,
}

const SERIAL: &str = "DMPX00000001";
pub(crate) const MOTHER: &str = "mere@exemple.fr";
const FATHER: &str = "pere@exemple.fr";

/// A server with a mail server, whose notices are validated, and a tablet that is lent to a pupil with guardians.
pub(crate) async fn told(
    engine: Engine,
    mail: &MailServer,
    guardians: &[&str],
) -> (TestServer, tablets::Ipad) {
    let server = TestServer::setup(engine).mail(mail).unwrap().start().await.unwrap();
    let ipad = lent_to(&server, guardians).await;
    notices_are_validated(&server).await;
    (server, ipad)
}

pub(crate) async fn lent_to(server: &TestServer, guardians: &[&str]) -> tablets::Ipad {
    let ipad = asleep(server, SERIAL).await;
    lend(server, &[SERIAL.parse().unwrap()]).await;
    let contacts =
        (1..).zip(guardians).map(|(number, address)| (Signatory::Guardian(number), address.parse().unwrap()));
    let contacts: std::collections::BTreeMap<_, _> = contacts.collect();
    change(server, move |person| person.contacts.clone_from(&contacts)).await;
    ipad
}

/// Changes what is known of the one pupil.
async fn change(server: &TestServer, change: impl Fn(&mut persons::Person) + Send + 'static) {
    let store = server.fleet().unwrap().store();
    let write = move |tx: &mut store::Tx<'_>| {
        let mut person = persons::list(tx, &crate::support::COLLEGE.parse().unwrap(), None, 1)?.remove(0);
        change(&mut person);
        persons::update(tx, &person)
    };
    assert!(store.write::<_, store::StoreError>(write).await.unwrap());
}

/// The text of a mail, with its encoding undone.
fn text(mail: &Mailed) -> String {
    let message = mail_parser::MessageParser::default().parse(mail.text.as_bytes()).unwrap();
    let text = message.body_text(0).unwrap();
    text.into_owned()
}

fn message_id(mail: &Mailed) -> String {
    let message = mail_parser::MessageParser::default().parse(mail.text.as_bytes()).unwrap();
    message.message_id().unwrap().to_owned()
}

async fn notices(client: &ApiClient) -> Vec<Value> {
    client.get("/api/v1/notices").await.unwrap().body["items"].as_array().unwrap().clone()
}

/// Waits until as many notices stand so.
async fn notices_are(client: &ApiClient, state: &str, count: usize) -> Vec<Value> {
    let what = format!("{count} notices are {state}");
    let found = wait_until(&what, Patience::default(), || async {
        let all = notices(client).await;
        let so: Vec<Value> = all.into_iter().filter(|one| one["state"] == state).collect();
        Ok((so.len() >= count).then_some(so))
    });
    match found.await {
        Ok(found) => found,
        Err(error) => panic!("{error}: {:?}", notices(client).await),
    }
}

async fn m3_c5_3_5_reminders_and_a_notice_arrive_one_comes_back_and_only_a_letter_lets_the_tablet_be_erased(
    engine: Engine,
) {
    let mail = MailServer::start().await.unwrap();
    let (server, mut ipad) = told(engine, &mail, &[MOTHER]).await;
    network(&server).await;
    let last_day = Day::of(server.clock().now()).plus(30);
    change(&server, move |person| person.leaves_on = Some(last_day)).await;
    // One for each step, whatever days pass in between; two of them on one day are one.
    let mut before = 30;
    for (step, taken) in [(21, 1), (14, 2), (7, 3), (1, 4)] {
        server.advance(DAY * (before - step));
        before = step;
        let mailed = mail.has_taken(taken).await.unwrap();
        let reminder = text(&mailed[taken - 1]);
        for said in [SERIAL, "Zoé Exemple", &last_day.to_string(), "seront effacées", "will be erased"] {
            assert!(reminder.contains(said), "{said}: {reminder}");
        }
        assert_eq!(mailed[taken - 1].to, [MOTHER]);
        assert!(!mailed[taken - 1].from.contains("mere"), "{:?}", mailed[taken - 1].from);
    }
    let ati = here(&server, "ati", Role::Ati).await;
    let reminders = notices_are(&ati, "accepted", 4).await;
    assert!(reminders.iter().all(|one| one["kind"] == "reminder" && one["addressee"] == "guardian-1"));
    server.advance(DAY * 3);
    let mailed = mail.has_taken(5).await.unwrap();
    assert!(text(&mailed[4]).contains("a pris fin"), "the loan is over: {}", text(&mailed[4]));

    // All of them come back: nobody was reached, and nothing that was sent counts.
    let ati = here(&server, "ati", Role::Ati).await;
    notices_are(&ati, "accepted", 5).await;
    for one in &mailed {
        mail.bounce(one, "5.1.1").unwrap();
    }
    notices_are(&ati, "bounced", 5).await;
    let id = received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    let notice = mail.has_taken(6).await.unwrap().remove(5);
    assert!(
        text(&notice).contains("a été rendue") && text(&notice).contains("14 jours"),
        "{}",
        text(&notice)
    );
    notices_are(&ati, "accepted", 1).await;
    assert_eq!(shown(&ati, &id).await.text("/waits/code"), "within-notice", "it counts");
    mail.bounce(&notice, "5.1.1").unwrap();
    let bounced = notices_are(&ati, "bounced", 6).await;
    let received = bounced.iter().find(|one| one["kind"] == "received").unwrap();
    assert_eq!((&received["mail"]["state"], &received["mail"]["why"]), (&json!("bounced"), &json!("5.1.1")));
    server.advance(DAY * 60);
    let ati = here(&server, "ati", Role::Ati).await;
    assert_eq!(
        shown(&ati, &id).await.text("/waits/code"),
        "not-told",
        "a notice that came back counts for nothing"
    );
    let refused = act(&ati, &id, "order", json!({})).await;
    assert_eq!(refused.text("/rule"), "C5.3.5", "{refused:?}");
    assert!(!obey(&mut ipad).await.erased);
    assert!(server.alarm_kinds().await.unwrap().contains(&"notice-undelivered".to_owned()));

    // The letter reaches them; fourteen days later it is erased.
    assert_eq!(act(&ati, &id, "letter/handed-over", json!({})).await.status, 200);
    server.advance(DAY * 14 + Duration::from_secs(61));
    let ati = here(&server, "ati", Role::Ati).await;
    comes_to(&ati, &id, "ordered").await;
    assert!(ipad.poll().await.unwrap().erased);
    assert_eq!(mail.mailed().len(), 6, "nothing was said twice");
}

async fn c5_2_2_guardians_are_reminded_of_the_summers_deposit_and_no_more_once_the_tablet_is_in(
    engine: Engine,
) {
    let mail = MailServer::start().await.unwrap();
    let (server, mut ipad) = told(engine, &mail, &[MOTHER]).await;
    server.validate_activity("lending").await.unwrap();
    let today = Day::of(server.clock().now());
    let store = server.fleet().unwrap().store();
    let year = store.read(move |tx| store::school_years::on(tx, today)).await.unwrap().unwrap();
    // The break begins in thirty days: its eve is the last day.
    let (eve, ends) = (today.plus(29), year.ends_on.max(today.plus(60)));
    let dated = store::school_years::SchoolYear {
        ends_on: ends,
        summer_starts_on: eve.plus(1),
        summer_ends_on: ends,
        ..year
    };
    store.write(move |tx| store::school_years::update(tx, &dated)).await.unwrap();
    server.advance(DAY * 8);
    let first = mail.has_taken(1).await.unwrap().remove(0);
    let says = text(&first);
    for said in [SERIAL, "Zoé Exemple", &eve.to_string(), &eve.plus(-13).to_string(), "rien n’est effacé"]
    {
        assert!(says.contains(said), "{said}: {says}");
    }
    assert_eq!(first.to, [MOTHER]);
    server.advance(DAY * 7);
    mail.has_taken(2).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let written = notices_are(&ati, "accepted", 2).await;
    assert!(
        written.iter().all(|one| one["kind"] == "deposit" && one["addressee"] == "guardian-1"),
        "{written:?}"
    );
    // It is handed in: what would be said next has nothing to say.
    server.advance(DAY);
    let ati = here(&server, "ati", Role::Ati).await;
    let scanned = json!({ "tablets": [SERIAL] });
    ati.post("/api/v1/deposits", &scanned).await.unwrap().ok().unwrap();
    server.advance(DAY * 7);
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (context, now) = (server.fleet().unwrap(), server.clock().now());
    assert_eq!(fleet::mail::writing::remind(context, &calendar, now).await.unwrap(), 0);
    let ati = here(&server, "ati", Role::Ati).await;
    let said = notices(&ati).await;
    assert_eq!(said.iter().filter(|one| one["kind"] == "deposit").count(), 2, "{said:?}");
    // What was said of a deposit is no notice of an erasure, should the tablet be given back after all.
    let id = received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    let refused = act(&ati, &id, "order", json!({})).await;
    assert_eq!(refused.text("/rule"), "C5.3.5", "{refused:?}");
    assert!(!obey(&mut ipad).await.erased);
}

async fn c3_1_6_without_the_dpos_validation_nothing_is_written_and_nothing_is_sent(engine: Engine) {
    let mail = MailServer::start().await.unwrap();
    let server = TestServer::setup(engine).mail(&mail).unwrap().start().await.unwrap();
    let by_hand = ByHand::of(&server);
    let _ipad = lent_to(&server, &[MOTHER]).await;
    let last_day = Day::of(server.clock().now()).plus(7);
    change(&server, move |person| person.leaves_on = Some(last_day)).await;
    server.advance(DAY);
    // The calendar has been round: the loans of who has left are its last but one act.
    server.advance(DAY * 7);
    let ended = wait_until("the loan has ended", Patience::default(), || async {
        Ok((by_hand.count("loans WHERE state = 'ended'") == 1).then_some(()))
    });
    ended.await.unwrap();
    assert_eq!((by_hand.count("mails"), by_hand.count("notices"), mail.mailed().len()), (0, 0, 0));
    notices_are_validated(&server).await;
    server.advance(Duration::from_secs(61));
    assert_eq!(mail.has_taken(1).await.unwrap()[0].to, [MOTHER]);
}

async fn c5_3_5_each_guardian_is_told_and_one_who_is_reached_is_enough(engine: Engine) {
    let mut mail = MailServer::start().await.unwrap();
    mail.tell(&[(FATHER, "550 5.1.1 no such user")], 0, 0).await.unwrap();
    let (server, _ipad) = told(engine, &mail, &[FATHER, MOTHER]).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    assert_eq!(mail.has_taken(1).await.unwrap()[0].to, [MOTHER]);
    let reached = notices_are(&ati, "accepted", 1).await;
    assert_eq!(reached[0]["addressee"], "guardian-2");
    let refused = notices_are(&ati, "waiting", 1).await;
    let refused = (&refused[0]["addressee"], &refused[0]["mail"]["state"], &refused[0]["mail"]["why"]);
    assert_eq!(refused, (&json!("guardian-1"), &json!("refused"), &json!("550")));
    assert_eq!(shown(&ati, &id).await.text("/waits/code"), "within-notice");
    server.advance(DAY * 14 + Duration::from_secs(61));
    let ati = here(&server, "ati", Role::Ati).await;
    comes_to(&ati, &id, "ordered").await;
}

async fn mail_that_the_server_takes_later_is_sent_once_and_mail_that_it_never_takes_is_told_to_the_college(
    engine: Engine,
) {
    let mut mail = MailServer::start().await.unwrap();
    mail.tell(&[("*", "451 4.3.0 later")], 0, 0).await.unwrap();
    let (server, _ipad) = told(engine, &mail, &[MOTHER]).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let by_hand = ByHand::of(&server);
    received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    let put_off = wait_until("the mail is put off", Patience::default(), || async {
        Ok((by_hand.count("mails WHERE reason = '451' AND lease_until IS NULL") == 1).then_some(()))
    });
    put_off.await.unwrap();
    assert_eq!(notices(&ati).await[0]["state"], "waiting");
    mail.tell(&[], 0, 0).await.unwrap();
    server.advance(Duration::from_secs(3_600));
    mail.has_taken(1).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    notices_are(&ati, "accepted", 1).await;
    server.advance(Duration::from_secs(3_600));
    assert_eq!(mail.mailed().len(), 1);

    // A server that is away for five days: the mail is given up, and the collège hears of it.
    let mut away = MailServer::start().await.unwrap();
    away.tell(&[("*", "451 4.3.0 later")], 0, 0).await.unwrap();
    let (server, _ipad) = told(engine, &away, &[MOTHER]).await;
    let (ati, by_hand) = (here(&server, "ati", Role::Ati).await, ByHand::of(&server));
    received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    let put_off = wait_until("the mail is put off", Patience::default(), || async {
        Ok((by_hand.count("mails WHERE reason = '451' AND lease_until IS NULL") == 1).then_some(()))
    });
    put_off.await.unwrap();
    server.advance(Duration::from_secs(5 * 3_600));
    let waits = wait_until("an alarm says that mail waits", Patience::default(), || async {
        Ok(server.alarm_kinds().await?.contains(&"mail-waits".to_owned()).then_some(()))
    });
    waits.await.unwrap();
    server.advance(DAY * 5);
    let given_up = wait_until("the mail is given up", Patience::default(), || async {
        Ok((by_hand.count("mails WHERE state = 'given-up'") == 1).then_some(()))
    });
    given_up.await.unwrap();
    server.advance(Duration::from_secs(61));
    let kinds = wait_until("only what reached nobody is an alarm", Patience::default(), || async {
        let kinds = server.alarm_kinds().await?;
        Ok((!kinds.contains(&"mail-waits".to_owned())).then_some(kinds))
    });
    assert!(kinds.await.unwrap().contains(&"notice-undelivered".to_owned()));
}

async fn a_server_that_hangs_up_after_it_took_a_mail_is_given_it_once_more_and_never_a_third_time(
    engine: Engine,
) {
    let mut mail = MailServer::start().await.unwrap();
    mail.tell(&[], 1, 0).await.unwrap();
    let (server, _ipad) = told(engine, &mail, &[MOTHER]).await;
    let (ati, by_hand) = (here(&server, "ati", Role::Ati).await, ByHand::of(&server));
    received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    doubted(&by_hand, 1).await.unwrap();
    assert_eq!(notices(&ati).await[0]["state"], "waiting", "nobody said that it was taken");
    server.advance(Duration::from_secs(3_600));
    let both = mail.has_taken(2).await.unwrap();
    assert_eq!(message_id(&both[0]), message_id(&both[1]), "whoever gets both sees that it is one");
    let ati = here(&server, "ati", Role::Ati).await;
    notices_are(&ati, "accepted", 1).await;

    // Another one, with which that happens each time.
    let mut rude = MailServer::start().await.unwrap();
    rude.tell(&[], 10, 0).await.unwrap();
    let (server, _ipad) = told(engine, &rude, &[MOTHER]).await;
    let (ati, by_hand) = (here(&server, "ati", Role::Ati).await, ByHand::of(&server));
    received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    doubted(&by_hand, 1).await.unwrap();
    server.advance(Duration::from_secs(3_600));
    let given_up = wait_until("the mail is given up", Patience::default(), || async {
        Ok((by_hand.count("mails WHERE state = 'given-up' AND reason = 'unknown'") == 1).then_some(()))
    });
    given_up.await.unwrap();
    assert_eq!((rude.mailed().len(), rude.count("cut")), (2, 2));
}

async fn a_node_that_died_with_a_mail_in_hand_has_it_sent_once_more_and_never_a_third_time(engine: Engine) {
    let mut mail = MailServer::start().await.unwrap();
    for (died_before, sent) in [(0, true), (1, false)] {
        mail.tell(&[("*", "451 later")], 0, 0).await.unwrap();
        let (server, _ipad) = told(engine, &mail, &[MOTHER]).await;
        let (ati, by_hand) = (here(&server, "ati", Role::Ati).await, ByHand::of(&server));
        received(&ati, false).await;
        server.advance(Duration::from_secs(61));
        let put_off = wait_until("the mail is put off", Patience::default(), || async {
            Ok((by_hand.count("mails WHERE reason = '451' AND lease_until IS NULL") == 1).then_some(()))
        });
        put_off.await.unwrap();
        // What such a node leaves behind.
        by_hand.run(&format!("UPDATE mails SET handing_at = 1, lease_until = 2, doubts = {died_before}"));
        mail.tell(&[], 0, 0).await.unwrap();
        server.advance(Duration::from_secs(3_600));
        let (state, doubts) = if sent { ("accepted", 1) } else { ("given-up", 2) };
        let ended = wait_until("the mail has ended", Patience::default(), || async {
            let so = format!("mails WHERE state = '{state}' AND doubts = {doubts} AND handing_at IS NULL");
            Ok((by_hand.count(&so) == 1).then_some(()))
        });
        ended.await.unwrap();
        assert_eq!(mail.mailed().len(), 1, "the first was sent, the second was not");
    }
}

async fn doubted(by_hand: &ByHand, doubts: i64) -> Result<(), TestkitError> {
    wait_until("nobody knows whether the mail went", Patience::default(), || async {
        let so = format!("mails WHERE doubts = {doubts} AND lease_until IS NULL");
        Ok((by_hand.count(&so) == 1).then_some(()))
    })
    .await
}

async fn what_comes_back_and_is_no_report_is_put_aside_once(engine: Engine) {
    let mail = MailServer::start().await.unwrap();
    let (server, _ipad) = told(engine, &mail, &[MOTHER]).await;
    let ati = here(&server, "ati", Role::Ati).await;
    received(&ati, false).await;
    server.advance(Duration::from_secs(61));
    let taken = mail.has_taken(1).await.unwrap().remove(0);
    notices_are(&ati, "accepted", 1).await;
    let returns = mail.returns().unwrap();
    let holiday = format!(
        "To: {}\r\nSubject: Absente\r\nAuto-Submitted: auto-replied\r\n\r\nEn vacances.\r\n",
        taken.from
    );
    mail.deliver("holiday", holiday.as_bytes()).unwrap();
    mail.deliver("rubbish", &[0xff; 64]).unwrap();
    mail.deliver("long", &vec![b'a'; 2_000_000]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", returns.join("new").join("link")).unwrap();
    let mut stranger = taken.clone();
    stranger.from = stranger.from.replace(['0', '1', '2', '3'], "f");
    mail.bounce(&stranger, "5.1.1").unwrap();
    let count = |part: &str| std::fs::read_dir(returns.join(part)).map_or(0, Iterator::count);
    let aside = wait_until("all of it is put aside", Patience::default(), || async {
        Ok((count("aside") == 5 && count("new") == 0).then_some(()))
    });
    aside.await.unwrap();
    assert_eq!(notices(&ati).await[0]["state"], "accepted");
    // What is a report goes through all the same, and its file is gone.
    mail.bounce(&taken, "5.2.2").unwrap();
    notices_are(&ati, "bounced", 1).await;
    let gone = wait_until("the report is deleted", Patience::default(), || async {
        Ok((count("new") == 0).then_some(()))
    });
    gone.await.unwrap();
    assert_eq!(count("aside"), 5);
    assert!(std::path::Path::new("/etc/passwd").exists());
}

/// Rules change for the one collège, in these words.
async fn rules_change(server: &TestServer, title: &str) {
    let now = server.clock().now();
    let change = notices_due::Notice {
        id: NoticeId::new(now),
        subject: "profile-version:of-a-test".to_owned(),
        uai: Some(crate::support::COLLEGE.parse().unwrap()),
        title: title.to_owned(),
        due_at: now,
        told_at: None,
    };
    let store = server.fleet().unwrap().store();
    store.write::<_, store::StoreError>(move |tx| notices_due::insert(tx, &change)).await.unwrap();
}

async fn c5_2_6_c7_1_changed_rules_and_a_warrant_are_told_by_mail_once_and_an_authority_delays_it(
    engine: Engine,
) {
    let mail = MailServer::start().await.unwrap();
    let (server, ipad) = told(engine, &mail, &[MOTHER]).await;
    rules_change(&server, "socle 2").await;
    server.advance(Duration::from_secs(61));
    let first = mail.has_taken(1).await.unwrap().remove(0);
    assert!(text(&first).contains("ont changé : socle 2"), "{}", text(&first));

    let case = Box::pin(Case::on(server, ipad, "authority-request")).await;
    case.validate().await;
    let request = case.asked(json!({ "hours": 24 })).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    let until = Day::of(case.server.clock().now().plus(DAY * 20));
    let delay = json!({ "until": until.to_string(), "reference": "PV 2026/7, demande du 26" });
    assert_eq!(case.act(case.ati, "notices/delay", delay).await.status, 200);
    // Days later what is told next is something else: nobody hears of the warrant, nor that it is over.
    case.server.advance(DAY * 5);
    rules_change(&case.server, "socle 3").await;
    case.server.advance(Duration::from_secs(61));
    let second = mail.has_taken(2).await.unwrap().remove(1);
    assert!(text(&second).contains("socle 3"), "{}", text(&second));
    case.server.advance(DAY * 16);
    let mailed = mail.has_taken(4).await.unwrap();
    let told: String = mailed[2..].iter().map(text).collect();
    for said in ["a été autorisée", "a pris fin", "demande des autorités", "demandées : 0"] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let recorded = wait_until("both are recorded as told", Patience::default(), || async {
        let notices = case.list("notices").await;
        Ok((notices.len() == 2 && notices.iter().all(|notice| notice["told_at"].is_string())).then_some(()))
    });
    recorded.await.unwrap();
    case.server.advance(DAY);
    rules_change(&case.server, "socle 4").await;
    case.server.advance(Duration::from_secs(61));
    assert!(text(&mail.has_taken(5).await.unwrap()[4]).contains("socle 4"), "nothing was said twice");
}
