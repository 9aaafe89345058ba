//! What follows from incidents stays as it was written, whatever program sends the statement: looks at positions, notices of
//! warrants, delays, confirmations after a restore, verdicts and replacements (M1, M5, C5.4.4, C5.4.5).

use ::incidents::papers::AuthorityReference;
use ::incidents::{AuthorityDelay, Counterpart, Finding, NoticeDue, NoticeOccasion, WarrantyVerdict};
use types::{CommandId, Day, IncidentId, IncidentKind, PositionLookId, WarrantId};

use super::fixture::{Enrolled, Fixture, at, command, delivery};
use super::missing::{People, granted, locate_by_hand};
use crate::position_looks::PositionLook;
use crate::replacements::Replacement;
use crate::tests::on_both_engines;
use crate::warranty_verdicts::Verdict;
use crate::{
    ConnectWrite, StoreError, commands, incident_confirmations, notice_delays, position_looks,
    position_requests, replacements, restore, warrant_grants, warrant_notices, warrants, warranty_verdicts,
};

on_both_engines! {
    a_look_at_a_position_stays_recorded,
    a_notice_of_a_warrant_is_written_once_put_off_and_told_once,
    only_an_authority_delays_a_notice_in_the_tables_too,
    m5_after_a_restore_the_tables_let_nothing_rest_on_an_incident_that_nobody_confirmed,
    a_restore_gives_up_what_awaits_an_answer,
    a_verdict_and_a_decision_on_a_replacement_stay_what_they_are,
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, StoreError>, by: &str) {
    match outcome {
        Err(StoreError::Refused { rule }) => assert!(rule.contains(by), "{by}: {rule}"),
        other => panic!("{by}: {other:?}"),
    }
}

/// A request for a position at `at(seconds)`, with who asked.
async fn asked(
    fixture: &Fixture,
    one: Enrolled,
    (warrant, people): (WarrantId, People),
    seconds: i64,
) -> CommandId {
    let row = commands::Command {
        gate: orders::Gate::Locate,
        request_type: "DeviceLocation".to_owned(),
        warrant_id: Some(warrant),
        ..command(one, seconds)
    };
    let id = fixture.write(move |tx| Ok(commands::queue(tx, row.clone(), None)?.command())).await;
    fixture.recorded_request(id, people).await.unwrap();
    id
}

async fn a_look_at_a_position_stays_recorded(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 100_000).await;
    let request = asked(&fixture, one, (warrant, people), 200).await;
    let write =
        ConnectWrite { deliver: Some(delivery(request)), ..ConnectWrite::new(one.enrolment, at(201)) };
    fixture.store.connect_write(write).await.unwrap();
    fixture.write(move |tx| position_requests::keep(tx, request, incident, b"sealed", at(210))).await;
    let kept = fixture.read(move |tx| position_requests::kept_for(tx, request)).await.unwrap();
    assert_eq!((kept.incident, &*kept.sealed, kept.kept_at), (incident, &b"sealed"[..], at(210)));
    assert_eq!(fixture.read(move |tx| position_requests::last_kept(tx, incident)).await, Some(at(210)));
    let all = fixture.read(|tx| position_requests::sealed_after(tx, None, 10)).await;
    assert_eq!(all, [(request, kept)]);
    let after = fixture.read(move |tx| position_requests::sealed_after(tx, Some(request), 10)).await;
    assert_eq!(after, []);

    let look = PositionLook {
        id: PositionLookId::new(at(300)),
        command_id: request,
        looked_by: people.second,
        reason: "for the police".to_owned(),
        looked_at: at(300),
    };
    let written = look.clone();
    fixture.write(move |tx| position_looks::insert(tx, &written)).await;
    assert_eq!(fixture.read(move |tx| position_looks::of(tx, request)).await, [look]);
    for edit in ["UPDATE position_looks SET reason = 'none'", "DELETE FROM position_looks"] {
        refused(fixture.by_hand(edit), "stays recorded");
    }
}

async fn a_notice_of_a_warrant_is_written_once_put_off_and_told_once(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, _people) = fixture.sought(one.tablet, 100_000).await;
    let write = |occasion, seconds| {
        let due = NoticeDue { occasion, due_at: at(seconds) };
        fixture.write(move |tx| warrant_notices::write(tx, warrant, None, due, at(seconds)))
    };
    assert!(write(NoticeOccasion::Opened, 100).await);
    assert!(!write(NoticeOccasion::Opened, 150).await, "once");
    assert!(write(NoticeOccasion::Over, 200).await);
    let to_tell = async |seconds| {
        let all = fixture.read(move |tx| warrant_notices::of_incident(tx, incident)).await;
        all.into_iter().filter(|one| one.told_at.is_none() && one.due_at <= at(seconds)).collect::<Vec<_>>()
    };
    assert_eq!((to_tell(99).await.len(), to_tell(100).await.len(), to_tell(200).await.len()), (0, 1, 2));
    assert_eq!(fixture.write(move |tx| warrant_notices::put_off(tx, incident, at(900))).await, 2);
    assert_eq!((to_tell(899).await.len(), to_tell(900).await.len()), (0, 2));
    let told =
        || fixture.write(move |tx| warrant_notices::told(tx, warrant, NoticeOccasion::Opened, None, at(950)));
    assert!(told().await);
    assert!(!told().await, "told once");
    assert_eq!(to_tell(950).await.len(), 1);
    for edit in [
        "UPDATE warrant_notices SET told_at = NULL, due_at = 0",
        "UPDATE warrant_notices SET written_at = 0",
        "DELETE FROM warrant_notices",
    ] {
        assert!(fixture.by_hand(edit).is_err(), "{edit}");
    }
}

async fn only_an_authority_delays_a_notice_in_the_tables_too(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (theft, _warrant, people) = fixture.sought(one.tablet, 100_000).await;
    let reference = AuthorityReference::new("PV 7").unwrap();
    let until = Day::of(at(86_400 * 30));
    let delay =
        AuthorityDelay::new(IncidentKind::AuthorityRequest, until, reference.clone(), at(200)).unwrap();
    let record = |incident: IncidentId| {
        let delay = delay.clone();
        fixture.store.write(move |tx| notice_delays::record(tx, incident, &delay, people.author, at(200)))
    };
    refused(record(theft).await, "only an authority");
    let two = fixture.enrolled(2).await;
    let asked = super::missing::incident(two.tablet, IncidentKind::AuthorityRequest, people.author);
    let asked = ::incidents::Incident {
        papers: ::incidents::papers::Papers { authority: Some(reference.clone()), ..asked.papers },
        ..asked
    };
    let id = asked.id;
    fixture.write(move |tx| crate::incident_declarations::record(tx, &asked, None)).await;
    record(id).await.unwrap();
    let last = fixture.read(move |tx| notice_delays::last(tx, id)).await.unwrap();
    assert_eq!((last.until, last.authority()), (until, Some(reference)));
    assert_eq!(last.due(NoticeOccasion::Over, at(300)).due_at, until.starts_at());
    for edit in ["UPDATE notice_delays SET until = '2020-01-01'", "DELETE FROM notice_delays"] {
        refused(fixture.by_hand(edit), "stays recorded");
    }
}

async fn m5_after_a_restore_the_tables_let_nothing_rest_on_an_incident_that_nobody_confirmed(
    fixture: Fixture,
) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 100_000).await;
    let awaited = || fixture.read(move |tx| incident_confirmations::awaited(tx, incident, at(100)));
    assert_eq!(awaited().await, None, "nothing was restored");
    fixture.write(|tx| restore::void_after_restore(tx, at(500))).await;
    assert_eq!(awaited().await, Some(at(500)));
    refused(fixture.by_hand(&locate_by_hand("x", one, warrant, at(600))), "(M");
    let extension =
        ::incidents::Grant { extends: Some(warrant), ..granted(incident, one.tablet, people, 100_000) };
    let extend = || {
        let (extension, id) = (extension.clone(), WarrantId::new(at(600)));
        fixture.store.write(move |tx| warrant_grants::record(tx, id, &extension))
    };
    refused(extend().await, "is confirmed before anything rests on it");
    let confirm = |restored| {
        fixture.store.write(move |tx| {
            incident_confirmations::record(tx, incident, at(restored), people.second, at(700))
        })
    };
    refused(confirm(400).await, "once after a restore");
    confirm(500).await.unwrap();
    assert!(confirm(500).await.is_err(), "once");
    assert_eq!(awaited().await, None);
    let id = WarrantId::new(at(600));
    fixture.write(move |tx| warrant_grants::record(tx, id, &extension)).await;
    fixture.by_hand(&locate_by_hand("y", one, id, at(800))).unwrap();
    for edit in ["UPDATE incident_confirmations SET confirmed_at = 0", "DELETE FROM incident_confirmations"] {
        refused(fixture.by_hand(edit), "stays recorded");
    }
    // Another restore puts it in doubt again.
    fixture.write(|tx| restore::void_after_restore(tx, at(900))).await;
    assert_eq!(awaited().await, Some(at(900)));
}

async fn a_restore_gives_up_what_awaits_an_answer(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 100_000).await;
    let request = asked(&fixture, one, (warrant, people), 200).await;
    let waiting = fixture.read(move |tx| position_requests::awaited(tx, warrant)).await;
    assert_eq!(waiting.iter().map(|row| row.command_id).collect::<Vec<_>>(), [request]);
    fixture.write(|tx| restore::void_after_restore(tx, at(500))).await;
    let row = fixture.read(move |tx| position_requests::get(tx, &request)).await.unwrap();
    assert_eq!(row.outcome, position_requests::Outcome::Cancelled);
    assert_eq!(row.why.as_deref(), Some("a restore made it void"));
    let rows = fixture.read(move |tx| warrants::of_incident(tx, incident)).await;
    let ended = (warrants::OrderState::Ended, Some(at(500)));
    assert_eq!(rows.iter().map(|row| (row.state, row.ended_at)).collect::<Vec<_>>(), [ended]);
    assert_eq!(fixture.read(|tx| warrants::run_out(tx, at(900_000), 10)).await, []);
}

async fn a_verdict_and_a_decision_on_a_replacement_stay_what_they_are(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let incident = fixture.declared(one.tablet, IncidentKind::Breakage, people.author).await;
    let verdict = Verdict {
        incident_id: incident,
        finding: Finding::ShockOrScratch,
        verdict: WarrantyVerdict::NotCovered,
        judged_at: at(200),
        judged_by: people.author,
    };
    let written = verdict.clone();
    fixture.write(move |tx| warranty_verdicts::insert(tx, &written)).await;
    assert_eq!(fixture.read(move |tx| warranty_verdicts::get(tx, &incident)).await, Some(verdict));
    for edit in ["UPDATE warranty_verdicts SET verdict = 'covered'", "DELETE FROM warranty_verdicts"] {
        refused(fixture.by_hand(edit), "judged once");
    }
    let fixed_on = Day::of(at(0));
    let sum = Counterpart::Sum { cents: 12_000, fixed_on, paid_on: None };
    let row = Replacement::decided(incident, true, Some(sum), people.second, at(300));
    assert_eq!(row.attached().unwrap(), Some(sum));
    let written = row.clone();
    fixture.write(move |tx| replacements::insert(tx, &written)).await;
    refused(fixture.by_hand("UPDATE replacements SET sum_cents = 1"), "frozen");
    refused(fixture.by_hand("UPDATE replacements SET counterpart = NULL, sum_cents = NULL"), "frozen");
    let pay = || fixture.write(move |tx| replacements::pay(tx, incident, Day::of(at(86_400))));
    assert!(pay().await);
    assert!(!pay().await, "paid once");
    refused(fixture.by_hand("UPDATE replacements SET paid_on = NULL"), "frozen");
    refused(fixture.by_hand("DELETE FROM replacements"), "stays recorded");
    let read = fixture.read(move |tx| replacements::get(tx, &incident)).await.unwrap();
    assert!(matches!(read.attached().unwrap(), Some(Counterpart::Sum { paid_on: Some(_), .. })));
    for other in [None, Some(Counterpart::NoDonation), Some(Counterpart::StaysAtSchool)] {
        let row = Replacement::decided(incident, true, other, people.second, at(300));
        assert_eq!(row.attached().unwrap(), other);
    }
}
