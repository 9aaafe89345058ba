//! Which tablets have a segment, and which have none: nobody is in one that is not there.

use types::{EnrolmentId, SegmentId};

use super::fixture::{Fixture, at, digest};
use crate::segments::{self, Segment};
use crate::tests::on_both_engines;
use crate::{Tx, enrolments};

on_both_engines! {
    a_segment_that_was_pruned_takes_nobody_in,
}

fn with_a_segment(fixture_number: u8) -> Segment {
    Segment {
        id: SegmentId::new(at(i64::from(fixture_number))),
        key_sha256: digest(fixture_number),
        token: "a".repeat(32),
        class: "iPadOS 27, supervised".to_owned(),
        plan: serde_json::json!({}),
        payload_sha256: digest(fixture_number),
        created_at: at(0),
        changed_at: at(0),
    }
}

fn without(tx: &mut Tx<'_>) -> Result<Vec<EnrolmentId>, crate::StoreError> {
    let members = segments::members(tx, None, true, 10)?;
    Ok(members.into_iter().map(|member| member.enrolment).collect())
}

/// A walk looks segments up, and moves tablets into them a moment later; another walk prunes between the two.
async fn a_segment_that_was_pruned_takes_nobody_in(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let (stays, goes) = (with_a_segment(1), with_a_segment(2));
    let (into, gone) = (stays.id, goes.id);
    fixture
        .write(move |tx| {
            for segment in [&stays, &goes] {
                segments::keep_signed(tx, &segment.payload_sha256, b"signed", at(0))?;
                segments::insert(tx, segment)?;
            }
            let row = enrolments::get(tx, &tablet.enrolment)?.unwrap();
            enrolments::update(tx, &enrolments::Enrolment { os_version: Some("27.0".to_owned()), ..row })
        })
        .await;
    let moved = move |tx: &mut Tx<'_>| segments::assign(tx, &[tablet.enrolment], Some(into));
    assert_eq!(fixture.write(moved).await, 1);
    assert_eq!(fixture.write(move |tx| segments::prune(tx, at(1), 10)).await, 1, "one has tablets");
    let moved = move |tx: &mut Tx<'_>| segments::assign(tx, &[tablet.enrolment], Some(gone));
    assert_eq!(fixture.write(moved).await, 0);
    assert_eq!(fixture.read(without).await, vec![tablet.enrolment], "the next walk finds it");
    let moved = move |tx: &mut Tx<'_>| segments::assign(tx, &[tablet.enrolment], Some(into));
    assert_eq!(fixture.write(moved).await, 1);
    assert_eq!(fixture.read(without).await, Vec::new());
}
