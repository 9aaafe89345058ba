//! The outbox: two nodes never send one mail, one that ended is never sent again, and each goes to whom its notice is for.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use ::incidents::papers::AuthorityReference;
use ::incidents::{AuthorityDelay, Footing, Grant, NoticeDue, NoticeOccasion};
use lending::agreement::Signatory;
use lending::notice::NoticeKind;
use types::{Day, IncidentKind, Instant, MailId, NoticeId, PersonId, TabletId, WarrantId};

use super::fixture::{Fixture, at};
use super::lending::{lent, notice, refused, school};
use super::missing::{granted, incident};
use crate::mails::{self, About, Claimed, Mail, MailState};
use crate::notices::{self, Notice};
use crate::tests::on_both_engines;
use crate::untold::{self, OfWarrant};
use crate::warrant_notices::ToldHow;
use crate::{
    Engine, Within, incident_declarations, loans, notice_delays, persons, purge, warrant_grants,
    warrant_notices,
};

on_both_engines! {
    two_nodes_never_claim_one_mail_and_the_lease_of_one_that_died_runs_out,
    m3_a_mail_that_ended_is_never_sent_again_whatever_program_writes,
    c5_3_5_a_mail_goes_to_whom_its_notice_is_for_and_each_addressee_has_one,
    m1_notices_of_warrants_are_found_one_page_after_the_other,
    m1_a_notice_whose_mails_all_came_back_was_told_to_nobody_and_by_hand_it_stays_told,
    m1_a_delay_that_an_authority_asked_for_after_the_first_mail_holds_what_comes_back,
    each_claim_of_a_mail_has_a_number_of_its_own,
}

/// A notice to the first guardian, which was said at `at(20)`, and its mail.
async fn written(fixture: &Fixture) -> (Notice, Mail, PersonId) {
    let tablet = fixture.enrolled(1).await;
    let person = school(fixture, 1).await[0];
    let loan = lent(tablet, person);
    let notice = Notice { addressee: Some(Signatory::Guardian(1)), ..notice(loan.id) };
    let mail = Mail::new(person, Signatory::Guardian(1), About::Notice(notice.id), at(20));
    let rows = (notice.clone(), mail.clone());
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            assert!(notices::write(tx, &rows.0)?);
            mails::insert(tx, &rows.1)
        })
        .await;
    (notice, mail, person)
}

async fn claimed(fixture: &Fixture, seconds: i64) -> Vec<MailId> {
    let claim = move |tx: &mut crate::Tx<'_>| mails::claim(tx, at(seconds), at(seconds + 60), 10);
    let claimed = fixture.store.write_held::<_, crate::StoreError>(claim).await.unwrap();
    claimed.into_iter().map(|claimed| claimed.id).collect()
}

async fn two_nodes_never_claim_one_mail_and_the_lease_of_one_that_died_runs_out(fixture: Fixture) {
    let (_, mail, _) = written(&fixture).await;
    assert_eq!(claimed(&fixture, 19).await, []);
    assert_eq!(claimed(&fixture, 20).await, [mail.id]);
    assert_eq!(claimed(&fixture, 79).await, [], "another is at it");
    assert_eq!(claimed(&fixture, 80).await, [mail.id], "it died");
    let (id, token) = (mail.id, mail.token.clone());
    let found = fixture.write(move |tx| mails::hold_by_token(tx, &token)).await.unwrap();
    assert_eq!((found.id, found.attempts, found.lease_until), (id, 2, Some(at(140))));
    assert_eq!(fixture.write(|tx| mails::hold_by_token(tx, "nobody's")).await, None);
    let backlog = fixture.read(mails::backlog).await;
    assert_eq!((backlog.waiting, backlog.oldest), (1, Some(at(20))));
    let put_off = Mail { due_at: at(500), lease_until: None, ..found.clone() };
    fixture.write(move |tx| mails::put(tx, &put_off)).await;
    assert_eq!(claimed(&fixture, 499).await, []);
    let taken = Mail { state: MailState::Accepted, ended_at: Some(at(600)), lease_until: None, ..found };
    fixture.write(move |tx| mails::put(tx, &taken)).await;
    assert_eq!(claimed(&fixture, 900).await, []);
    assert_eq!(fixture.read(mails::backlog).await.waiting, 0);
}

async fn each_claim_of_a_mail_has_a_number_of_its_own(fixture: Fixture) {
    let (_, mail, _) = written(&fixture).await;
    for (attempt, seconds) in [(1, 20), (2, 80), (3, 140)] {
        let claim = move |tx: &mut crate::Tx<'_>| mails::claim(tx, at(seconds), at(seconds + 60), 10);
        let claimed = fixture.store.write_held::<_, crate::StoreError>(claim).await.unwrap();
        assert_eq!(claimed, [Claimed { id: mail.id, attempt }]);
    }
}

/// Whether somebody is to be told of a warrant of that tablet, so that an alarm may stand.
async fn are_untold(fixture: &Fixture, tablet: TabletId, now: Instant) -> bool {
    fixture.read(move |tx| warrant_notices::untold_among(tx, &[tablet], now)).await
        == BTreeSet::from([tablet])
}

async fn m1_notices_of_warrants_are_found_one_page_after_the_other(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let person = school(&fixture, 1).await[0];
    let loan = lent(tablet, person);
    let (_incident, warrant, _people) = fixture.sought(tablet.tablet, 100_000).await;
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            let mut holder = persons::get(tx, &person)?.unwrap();
            holder.contacts.insert(Signatory::Guardian(1), "parent@exemple.fr".parse().unwrap());
            persons::update(tx, &holder)?;
            for occasion in [NoticeOccasion::Opened, NoticeOccasion::Over] {
                let due = NoticeDue { occasion, due_at: at(100) };
                assert!(warrant_notices::write(tx, warrant, Some(loan.id), due, at(100))?);
            }
            Ok(())
        })
        .await;
    let of = |occasion| OfWarrant { warrant, occasion };
    let (first, second) = (of(NoticeOccasion::Opened), of(NoticeOccasion::Over));
    for (after, found) in [(None, vec![first]), (Some(first), vec![second]), (Some(second), vec![])] {
        assert_eq!(fixture.read(move |tx| untold::of_warrants(tx, at(100), after, 1)).await, found);
    }
    assert_eq!(fixture.read(|tx| untold::of_warrants(tx, at(99), None, 2)).await, []);

    // Whether somebody can write to them or not, they are told of both, and of neither where it is nobody's business.
    let to_tell = |within: Within, after, seconds| {
        fixture.read(move |tx| untold::of_warrants_within(tx, &within, at(seconds), after, 1))
    };
    for (after, found) in [(None, vec![first]), (Some(first), vec![second]), (Some(second), vec![])] {
        assert_eq!(to_tell(Within::Everything, after, 100).await, found);
    }
    assert_eq!(to_tell(Within::Everything, None, 99).await, []);
    assert_eq!(to_tell(Within::Colleges(BTreeSet::new()), None, 100).await, []);
    // Nobody knows any more who a forgotten person was.
    assert!(are_untold(&fixture, tablet.tablet, at(100)).await);
    assert!(fixture.write(move |tx| purge::person(tx, person, at(100))).await);
    assert_eq!(to_tell(Within::Everything, None, 100).await, []);
    assert!(!are_untold(&fixture, tablet.tablet, at(100)).await);
    assert_eq!(first.to_string().parse(), Ok(first));
    assert!(
        "opened".parse::<OfWarrant>().is_err() && format!("{warrant}:else").parse::<OfWarrant>().is_err()
    );
}

async fn m1_a_notice_whose_mails_all_came_back_was_told_to_nobody_and_by_hand_it_stays_told(
    fixture: Fixture,
) {
    let tablet = fixture.enrolled(1).await;
    let person = school(&fixture, 1).await[0];
    let loan = lent(tablet, person);
    let (_incident, warrant, people) = fixture.sought(tablet.tablet, 100_000).await;
    let occasion = NoticeOccasion::Opened;
    let about = About::Warrant(warrant, occasion);
    let mail = |guardian| Mail::new(person, Signatory::Guardian(guardian), about, at(100));
    let (one, other) = (mail(1), mail(2));
    let written = [one.clone(), other.clone()];
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            let due = NoticeDue { occasion, due_at: at(100) };
            assert!(warrant_notices::write(tx, warrant, Some(loan.id), due, at(100))?);
            for mail in &written {
                mails::insert(tx, mail)?;
                let taken = Mail { state: MailState::Accepted, ended_at: Some(at(110)), ..mail.clone() };
                mails::put(tx, &taken)?;
            }
            assert!(warrant_notices::told(tx, warrant, occasion, None, at(110))?);
            assert_eq!(warrant_notices::untold_among(tx, &[tablet.tablet], at(110))?, BTreeSet::new());
            Ok(())
        })
        .await;
    let by_hand = "UPDATE warrant_notices SET told_at = NULL";
    assert!(fixture.by_hand(by_hand).is_err(), "nothing came back");
    let bounce = |mail: Mail| {
        fixture.write(move |tx| {
            mails::put(tx, &Mail { state: MailState::Bounced, ended_at: Some(at(120)), ..mail.clone() })?;
            warrant_notices::came_back(tx, warrant, occasion)
        })
    };
    assert!(!bounce(one).await, "one guardian was reached");
    assert!(fixture.by_hand(by_hand).is_err(), "one guardian was reached");
    assert!(bounce(other).await, "nobody was");
    assert!(are_untold(&fixture, tablet.tablet, at(130)).await);
    let hand = (ToldHow::InPerson, people.author);
    let told =
        move |tx: &mut crate::Tx<'_>| warrant_notices::told(tx, warrant, occasion, Some(hand), at(140));
    assert!(fixture.write(told).await);
    assert!(!fixture.write(told).await, "told once");
    assert!(!fixture.write(move |tx| warrant_notices::came_back(tx, warrant, occasion)).await);
    assert!(
        fixture
            .by_hand("UPDATE warrant_notices SET told_at = NULL, told_by = NULL, told_how = NULL")
            .is_err()
    );
    assert!(!are_untold(&fixture, tablet.tablet, at(130)).await);
    let row = fixture.read(move |tx| warrant_notices::of(tx, warrant, occasion)).await.unwrap();
    assert_eq!((row.told_at, row.told_how, row.told_by), (Some(at(140)), Some(hand.0), Some(hand.1)));
}

async fn m1_a_delay_that_an_authority_asked_for_after_the_first_mail_holds_what_comes_back(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let person = school(&fixture, 1).await[0];
    let loan = lent(tablet, person);
    let people = fixture.people_of_a_warrant().await;
    let mut asked_for = incident(tablet.tablet, IncidentKind::AuthorityRequest, people.author);
    asked_for.papers.authority = AuthorityReference::new("PV 2026/7");
    let id = asked_for.id;
    let (warrant, occasion) = (WarrantId::new(at(100)), NoticeOccasion::Opened);
    let grant = Grant { footing: Footing::Firm, ..granted(id, tablet.tablet, people, 100_000) };
    let until = Day::of(at(200)).plus(20);
    let reference = AuthorityReference::new("PV 2026/8").unwrap();
    let delay = AuthorityDelay::new(IncidentKind::AuthorityRequest, until, reference, at(150)).unwrap();
    let mail = Mail::new(person, Signatory::Guardian(1), About::Warrant(warrant, occasion), at(100));
    let put_off = fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            incident_declarations::record(tx, &asked_for, None)?;
            warrant_grants::record(tx, warrant, &grant)?;
            let due = NoticeDue { occasion, due_at: at(100) };
            assert!(warrant_notices::write(tx, warrant, Some(loan.id), due, at(100))?);
            mails::insert(tx, &mail)?;
            let taken = Mail { state: MailState::Accepted, ended_at: Some(at(110)), ..mail.clone() };
            mails::put(tx, &taken)?;
            assert!(warrant_notices::told(tx, warrant, occasion, None, at(110))?);
            notice_delays::record(tx, id, &delay, people.author, at(150))?;
            let put_off = warrant_notices::put_off(tx, id, until.starts_at())?;
            let told = warrant_notices::of(tx, warrant, occasion)?.unwrap();
            assert_eq!((told.due_at, told.told_at), (at(100), Some(at(110))), "what was told stays so");
            assert_eq!(warrant_notices::due_at(tx, &told)?, until.starts_at(), "its other mails wait");
            mails::put(tx, &Mail { state: MailState::Bounced, ended_at: Some(at(160)), ..mail.clone() })?;
            assert!(warrant_notices::came_back(tx, warrant, occasion)?);
            Ok(put_off)
        })
        .await;
    assert_eq!(put_off, 0);
    let listed =
        |now| fixture.read(move |tx| untold::of_warrants_within(tx, &Within::Everything, now, None, 9));
    assert!(!are_untold(&fixture, tablet.tablet, at(170)).await, "nobody is told before that day");
    assert_eq!(listed(at(170)).await, []);
    assert!(are_untold(&fixture, tablet.tablet, until.starts_at()).await);
    assert_eq!(listed(until.starts_at()).await, [OfWarrant { warrant, occasion }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_two_mails_of_one_notice_that_come_back_at_once_take_turns_and_nobody_was_told() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let tablet = fixture.enrolled(1).await;
    let person = school(&fixture, 1).await[0];
    let loan = lent(tablet, person);
    let (_incident, warrant, _people) = fixture.sought(tablet.tablet, 100_000).await;
    let occasion = NoticeOccasion::Opened;
    let about = About::Warrant(warrant, occasion);
    let written = [1, 2].map(|guardian| Mail::new(person, Signatory::Guardian(guardian), about, at(100)));
    let [one, other] = [written[0].id, written[1].id];
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            let due = NoticeDue { occasion, due_at: at(100) };
            assert!(warrant_notices::write(tx, warrant, Some(loan.id), due, at(100))?);
            for mail in &written {
                mails::insert(tx, mail)?;
                let taken = Mail { state: MailState::Accepted, ended_at: Some(at(110)), ..mail.clone() };
                mails::put(tx, &taken)?;
            }
            warrant_notices::told(tx, warrant, occasion, None, at(110))
        })
        .await;
    let bounce = move |tx: &mut crate::Tx<'_>, id: MailId| {
        let mail = mails::hold(tx, id)?.unwrap();
        mails::put(tx, &Mail { state: MailState::Bounced, ended_at: Some(at(120)), ..mail })?;
        warrant_notices::came_back(tx, warrant, occasion)
    };
    let ((has_looked, looked), (commits, commit)) = (channel(), channel::<()>());
    let (store, commit) = (fixture.store.clone(), Mutex::new(commit));
    let first = tokio::spawn(async move {
        store
            .write_held(move |tx| {
                let nobody = bounce(tx, one)?;
                has_looked.send(()).unwrap();
                commit.lock().unwrap().recv().unwrap();
                Ok::<_, crate::StoreError>(nobody)
            })
            .await
    });
    tokio::task::spawn_blocking(move || looked.recv().unwrap()).await.unwrap();
    let store = fixture.store.clone();
    let second = tokio::spawn(async move { store.write_held(move |tx| bounce(tx, other)).await });
    // It is seen to wait for the notice, and only then is the first one's end written down.
    while fixture
        .by_hand("DO $$ BEGIN ASSERT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()); END $$")
        .is_err()
    {
        assert!(!second.is_finished(), "it decided while the other mail was coming back");
        tokio::task::yield_now().await;
    }
    commits.send(()).unwrap();
    assert!(!first.await.unwrap().unwrap(), "the other guardian was reached, as far as one knew");
    assert!(second.await.unwrap().unwrap(), "nobody was");
    assert!(are_untold(&fixture, tablet.tablet, at(130)).await);
}

async fn m3_a_mail_that_ended_is_never_sent_again_whatever_program_writes(fixture: Fixture) {
    let (_, mail, _) = written(&fixture).await;
    let all = "a mail stays what it says, and to whom";
    for change in ["token = 'ffffffffffffffffffffffffffffffff'", "addressee = 'user'", "created_at = 0"] {
        refused(fixture.by_hand(&format!("UPDATE mails SET {change}")), all);
    }
    let ended = "a mail that ended is not sent again";
    fixture.by_hand("UPDATE mails SET doubts = 1, attempts = 1").unwrap();
    refused(fixture.by_hand("UPDATE mails SET doubts = 0"), ended);
    fixture.by_hand("UPDATE mails SET state = 'accepted', ended_at = 30").unwrap();
    refused(fixture.by_hand("UPDATE mails SET state = 'waiting', ended_at = NULL"), ended);
    refused(fixture.by_hand("UPDATE mails SET state = 'refused'"), ended);
    fixture.by_hand("UPDATE mails SET state = 'bounced', ended_at = 40").unwrap();
    refused(fixture.by_hand("UPDATE mails SET state = 'accepted'"), ended);
    refused(fixture.by_hand("DELETE FROM mails"), "what was said stays said");
    let state = fixture.read(move |tx| mails::get(tx, &mail.id)).await.unwrap().state;
    assert_eq!(state, MailState::Bounced);
}

async fn c5_3_5_a_mail_goes_to_whom_its_notice_is_for_and_each_addressee_has_one(fixture: Fixture) {
    let (first, _, person) = written(&fixture).await;
    let second =
        Notice { id: NoticeId::new(at(21)), addressee: Some(Signatory::Guardian(2)), ..first.clone() };
    let again = Notice { id: NoticeId::new(at(22)), ..first.clone() };
    let rows = (second.clone(), again);
    fixture
        .write(move |tx| {
            assert!(notices::write(tx, &rows.0)?, "the other guardian is told, too");
            assert!(!notices::write(tx, &rows.1)?, "this one was");
            Ok(())
        })
        .await;
    let wrong = Mail::new(person, Signatory::Guardian(1), About::Notice(second.id), at(21));
    refused(
        fixture.store.write(move |tx| mails::insert(tx, &wrong)).await,
        "a mail goes to whom its notice is for",
    );
    let twice = Mail::new(person, Signatory::Guardian(1), About::Notice(first.id), at(21));
    let twice = fixture.store.write(move |tx| mails::insert(tx, &twice)).await;
    assert!(matches!(twice, Err(crate::StoreError::Duplicate { .. })), "{twice:?}");
    refused(
        fixture.by_hand("UPDATE notices SET addressee = 'user'"),
        "a notice stays what it says, and to whom",
    );
    assert_eq!(first.kind, NoticeKind::Reminder);
}
