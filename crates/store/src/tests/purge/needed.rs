//! What a rule still needs stays, however old.

use privacy::RetentionClass;
use types::IncidentId;

use super::BEFORE;
use super::rows::{ORDINARY, insert, insert_command, insert_link, ms, sql, text};
use crate::commands::CommandState;
use crate::enrolments::EnrolmentState;
use crate::purge;
use crate::tests::fixture::{Fixture, at, enrolment, tablet};
use crate::tests::on_both_engines;
use crate::{Tx, alarms, enrolments, links, observations, tablets};

on_both_engines! {
    a_command_that_a_tablet_may_still_get_is_not_forgotten,
    a_dangerous_command_stays_to_be_read_emptied_of_the_answer,
    m4_the_profiles_of_a_tablet_that_was_taken_over_are_kept,
    an_alarm_that_nobody_settled_is_kept,
    the_link_of_an_invitation_that_may_be_used_is_kept,
}

/// Nothing is forgotten, and nothing is taken for late either.
async fn assert_all_kept(fixture: &Fixture, class: RetentionClass) {
    let purge = purge::of(class).unwrap();
    assert_eq!(fixture.write(move |tx| (purge.batch)(tx, at(BEFORE), 100)).await, 0);
    assert_eq!(fixture.read(move |tx| (purge.oldest)(tx)).await, None);
}

async fn a_command_that_a_tablet_may_still_get_is_not_forgotten(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for (queued, state) in [(1, "queued"), (2, "sent"), (3, "not-now")] {
        insert_command(&fixture, enrolled, queued, state, ORDINARY);
    }
    assert_all_kept(&fixture, RetentionClass::Commands).await;
    assert!(fixture.offered(enrolled, BEFORE).await.is_some());
}

/// The acknowledgement of an erasure is part of its proof (M3): it outlives the answer that brought it.
async fn a_dangerous_command_stays_to_be_read_emptied_of_the_answer(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let incident = IncidentId::new(at(1));
    let cells = [
        ("id", text(incident)),
        ("tablet_id", text(enrolled.tablet)),
        ("kind", text("theft")),
        ("state", text("open")),
        ("opened_at", ms(1)),
    ];
    insert(&fixture, "incidents", &cells);
    let lost_mode = ("lost-mode", "EnableLostMode", Some(("incident_id", incident.to_string())));
    let id = insert_command(&fixture, enrolled, 2, "acknowledged", lost_mode);
    let before = fixture.command(id).await;
    assert!(before.error.is_some());
    assert_eq!(fixture.write(|tx| purge::commands(tx, at(BEFORE), 100)).await, 1);
    let after = fixture.command(id).await;
    assert_eq!((after.state, after.incident_id), (CommandState::Acknowledged, Some(incident)));
    assert_eq!(after, crate::commands::Command { error: None, ..before });
    assert_all_kept(&fixture, RetentionClass::Commands).await;
}

async fn m4_the_profiles_of_a_tablet_that_was_taken_over_are_kept(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let enrolment = enrolled.enrolment;
    sql(&fixture, &format!("UPDATE enrolments SET kind = 'taken-over' WHERE id = '{enrolment}'"));
    let report = |kind: &'static str| {
        move |tx: &mut Tx<'_>| observations::put(tx, enrolment, kind, &serde_json::json!({}), at(1))
    };
    fixture.write(report("profile-list")).await;
    assert_all_kept(&fixture, RetentionClass::Observations).await;
    // Only that report, and only while the tablet is managed.
    fixture.write(report("security-info")).await;
    assert_eq!(fixture.write(|tx| purge::observations(tx, at(BEFORE), 100)).await, 1);
    sql(&fixture, &format!("UPDATE enrolments SET state = 'ended' WHERE id = '{enrolment}'"));
    assert_eq!(fixture.write(|tx| purge::observations(tx, at(BEFORE), 100)).await, 1);
}

async fn an_alarm_that_nobody_settled_is_kept(fixture: Fixture) {
    let alarm = alarms::NewAlarm {
        kind: "unknown-serial".to_owned(),
        about: Some("DMPX00000001".to_owned()),
        tablet: None,
        enrolment: None,
        detail: serde_json::json!({}),
    };
    fixture.write(move |tx| alarms::raise(tx, &alarm, at(1))).await;
    assert_all_kept(&fixture, RetentionClass::Alarms).await;
    assert_eq!(fixture.read(|tx| alarms::open(tx, &crate::Within::Everything, 10)).await.len(), 1);
}

async fn the_link_of_an_invitation_that_may_be_used_is_kept(fixture: Fixture) {
    let link = insert_link(&fixture, 1, 20);
    let tablet = tablet(1);
    let mut invited = enrolment(&tablet, EnrolmentState::Invited);
    invited.link_id = Some(link);
    let stored = invited.clone();
    fixture
        .write(move |tx| {
            tablets::insert(tx, &tablet)?;
            enrolments::insert(tx, &stored)
        })
        .await;
    assert_all_kept(&fixture, RetentionClass::Links).await;
    invited.state = EnrolmentState::Lapsed;
    fixture.write(move |tx| enrolments::update(tx, &invited).map(drop)).await;
    assert_eq!(fixture.write(|tx| purge::links(tx, at(BEFORE), 100)).await, 1);
    assert_eq!(fixture.read(move |tx| links::get(tx, &link)).await, None);
}
