//! The walk that puts tablets into segments, and what changes while it walks.

#![expect(clippy::disallowed_methods, reason = "the test is the calendar")]

use store::segments as rows;
use types::{EnrolmentId, SegmentId};

use super::fixture::{SERIAL, engines, now};
use super::profiles::{Cast, base};
use crate::segments::{self, move_into};
use crate::{Fleet, Principal};

async fn segment(fleet: &Fleet, enrolment: EnrolmentId) -> Option<SegmentId> {
    let members = fleet.store().read(move |tx| rows::members_among(tx, &[enrolment])).await.unwrap();
    members.first().unwrap().segment
}

#[tokio::test]
async fn a_tablet_that_changes_while_the_walk_chooses_is_not_given_what_it_was_before() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let enrolment = cast.people.enrol(SERIAL).await;
        segments::follow(fleet, &Principal::calendar(), now()).await.unwrap();
        let chosen = segment(fleet, enrolment).await.unwrap();
        // A walk read it, and chose. Then it goes to another collège.
        let read = fleet.store().read(move |tx| rows::members_among(tx, &[enrolment])).await.unwrap();
        let tablet = read[0].tablet;
        let moves = move |tx: &mut store::Tx<'_>| {
            let before = store::tablets::get(tx, &tablet)?.unwrap();
            let after = store::tablets::Tablet { uai: None, ..before.clone() };
            store::tablets::update(tx, &after)?;
            segments::changed(tx, &before, &after, now())
        };
        fleet.store().write(moves).await.unwrap();
        let moved = fleet.store().write(move |tx| move_into(tx, &read, chosen, now())).await.unwrap();
        assert_eq!((moved, segment(fleet, enrolment).await), (0, None), "the next walk finds it");
        segments::follow(fleet, &Principal::calendar(), now()).await.unwrap();
        assert!(segment(fleet, enrolment).await.is_some());
    }
}
