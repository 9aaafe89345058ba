//! Two school years, with a leap day, the changes of the clocks, and departures on awkward days.

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::{Day, Duration, Instant, LoanId, PersonId, TabletId, UserKind};

use super::{day, noon, year};
use crate::calendar::{
    LateMeasure, NewList, PROPOSE_AFTER, ReminderDays, Summer, Turn, deposit_due, deposits_begin, due_back,
    ends_by_itself, late, summer, turn,
};
use crate::loan::{Ending, Loan, LoanState, Suspension};

fn lent() -> Loan {
    let now = noon("2027-09-10");
    Loan::from_row(LoanId::new(now), TabletId::new(now), PersonId::new(now), UserKind::Pupil, LoanState::Lent)
}

#[test]
fn c5_2_3_a_loan_ends_by_itself_when_the_last_day_of_attendance_is_over_in_paris() {
    let tick = Duration::from_millis(1);
    // A leap day, both changes of the clocks, the summer's first day, the year's last.
    for last in ["2028-02-29", "2028-03-26", "2027-10-31", "2028-07-08", "2027-12-31"] {
        let midnight = day(last).ends_at();
        assert_eq!(ends_by_itself(&lent(), Some(day(last)), midnight.minus(tick)), None, "{last}");
        let (because, at) = ends_by_itself(&lent(), Some(day(last)), midnight).unwrap();
        assert_eq!((because.clone(), at), (Ending::Left(day(last)), midnight), "{last}");
        let ended = lent().end(because, at).unwrap();
        assert_eq!(
            due_back(ended.state(), Some(day(last))),
            Some(day(last)),
            "due on the last day at the latest"
        );
        assert_eq!(ends_by_itself(&ended, Some(day(last)), midnight), None, "once");
    }
    assert_eq!(ends_by_itself(&lent(), None, noon("2099-01-01")), None);
}

#[test]
fn c5_2_3_a_departure_on_the_summers_first_day_ends_the_loan_and_not_the_summer() {
    let (leaves, year) = (Some(day("2028-07-08")), year());
    let kept = lent().deposit(&year, noon("2028-07-07")).unwrap();
    assert_eq!(summer(UserKind::Pupil, &kept, Some(&year), leaves, day("2028-07-08")), Summer::Kept);
    assert_eq!(summer(UserKind::Pupil, &kept, Some(&year), leaves, day("2028-07-09")), Summer::Nothing);
    let (because, _) = ends_by_itself(&kept, leaves, noon("2028-07-09")).unwrap();
    assert_eq!(because, Ending::Left(day("2028-07-08")));
}

#[test]
fn c5_3_5_reminders_reach_back_to_the_earliest_of_their_days() {
    assert_eq!(ReminderDays::default().longest(), 21);
    assert_eq!(ReminderDays::new([3, 30, 7]).unwrap().longest(), 30);
}

#[test]
fn c5_2_2_a_summer_is_handed_in_kept_and_handed_out_again() {
    let (year, next) = (
        year(),
        crate::SchoolYear::new(
            "2028-2029",
            day("2028-09-01"),
            day("2029-08-31"),
            (day("2029-07-07"), day("2029-08-31")),
        )
        .unwrap(),
    );
    let asks = |loan: &Loan, year, on| summer(UserKind::Pupil, loan, year, None, day(on));
    assert_eq!(asks(&lent(), Some(&year), "2028-07-07"), Summer::Nothing);
    assert_eq!(asks(&lent(), Some(&year), "2028-07-08"), Summer::HandIn);
    let kept = lent().deposit(&year, noon("2028-07-01")).unwrap();
    assert_eq!(asks(&kept, Some(&year), "2028-07-02"), Summer::Kept, "handed in early, not to go out again");
    assert_eq!(asks(&kept, Some(&year), "2028-06-24"), Summer::Kept, "from a fortnight before the break on");
    assert_eq!(asks(&kept, Some(&year), "2028-08-31"), Summer::Kept);
    assert_eq!(asks(&kept, None, "2028-09-01"), Summer::Kept, "as long as no new year was dated");
    assert_eq!(asks(&kept, Some(&next), "2028-09-01"), Summer::HandOut);
    assert_eq!(summer(UserKind::Teacher, &lent(), Some(&year), None, day("2028-07-08")), Summer::Nothing);
}

#[test]
fn c5_2_2_a_pupil_who_stays_is_asked_to_hand_in_by_the_eve_of_the_break() {
    let year = year();
    let due =
        |kind, state: &LoanState, leaves: Option<&str>| deposit_due(kind, state, &year, leaves.map(day));
    let (pupil, out) = (UserKind::Pupil, LoanState::Lent);
    let eve = day("2028-07-07");
    assert_eq!(due(pupil, &out, None), Some(eve));
    assert_eq!(due(pupil, &out, Some("2028-07-08")), Some(eve), "they are there when the break begins");
    assert_eq!(due(pupil, &out, Some("2028-07-07")), None, "they give it back, and are told that");
    assert_eq!(due(UserKind::Teacher, &out, None), None);
    let kept = lent().deposit(&year, noon("2028-07-01")).unwrap();
    assert_eq!(due(pupil, kept.state(), None), None, "it is handed in");
    let rests = LoanState::Suspended { why: Suspension::Confiscated, deposited: None };
    assert_eq!(due(pupil, &rests, None), None);
    // On the first day that is named it is taken in, and not before.
    let first = deposits_begin(eve);
    assert!(lent().deposit(&year, noon(&first.to_string())).is_ok());
    assert!(lent().deposit(&year, noon(&first.plus(-1).to_string())).is_err());
}

#[test]
fn c5_3_5_reminders_go_out_at_their_days_once_and_never_in_a_heap() {
    let (days, due) = (ReminderDays::default(), day("2028-03-20"));
    let mut sent = BTreeSet::new();
    let mut told = Vec::new();
    for before in (-3..40).rev() {
        let today = due.plus(-before);
        if let Some(step) = days.due(due, &sent, today) {
            told.push((before, step));
            sent.insert(step);
        }
    }
    assert_eq!(told, [(21, 21), (14, 14), (7, 7), (1, 1)]);
    // The calendar stood still for two weeks.
    assert_eq!(days.due(due, &[21].into(), due.plus(-5)), Some(7));
    assert_eq!(days.due(due, &[21, 7].into(), due.plus(-5)), None);
    assert_eq!(days.due(due, &BTreeSet::new(), due), Some(1), "on the day itself");
    assert_eq!(
        days.due(due, &BTreeSet::new(), due.plus(1)),
        None,
        "then it is late, which is another notice"
    );
    for wrong in [vec![], vec![0], vec![91]] {
        assert!(ReminderDays::new(wrong).is_err());
    }
    assert_eq!(ReminderDays::new([3]).unwrap().due(due, &BTreeSet::new(), due.plus(-3)), Some(3));
}

#[test]
fn c5_2_3_a_late_tablet_is_listed_restricted_and_proposed_as_an_incident_and_nothing_more() {
    use LateMeasure::{LockScreenNote, OnTheHeadsList, ProposeIncident, RestrictedProfile};
    let due = day("2028-07-07");
    assert!(late(due, true, due).is_empty());
    assert_eq!(late(due, true, due.plus(1)), [OnTheHeadsList, RestrictedProfile, LockScreenNote].into());
    assert_eq!(late(due, false, due.plus(1)), [OnTheHeadsList, RestrictedProfile].into());
    assert!(!late(due, true, due.plus(PROPOSE_AFTER - 1)).contains(&ProposeIncident));
    assert!(late(due, true, due.plus(PROPOSE_AFTER)).contains(&ProposeIncident));
}

#[test]
fn c9_1_a_loan_lasts_while_its_holder_stays_listed_and_a_late_list_ends_nobodys() {
    let list = |speaks_of_their_kind, a_change_waits, names_them| {
        turn(NewList { speaks_of_their_kind, a_change_waits, names_them })
    };
    for (speaks, waits) in [(true, true), (true, false), (false, true), (false, false)] {
        assert_eq!(list(speaks, waits, true), Turn::GoesOn);
    }
    assert_eq!(list(true, false, false), Turn::Ends(Ending::NoLongerListed));
    // None yet, one of the teachers for a pupil, or one whose other half waits for the académie.
    for (speaks, waits) in [(false, false), (false, true), (true, true)] {
        assert_eq!(list(speaks, waits, false), Turn::AwaitsTheList, "{speaks} {waits}");
    }
}

#[test]
fn c5_2_3_a_loan_that_was_ended_earlier_is_due_earlier() {
    let at = noon("2028-01-10");
    let ended = lent().end(Ending::Breach, at).unwrap();
    assert_eq!(due_back(ended.state(), Some(day("2028-07-08"))), Some(day("2028-01-10")));
    assert_eq!(due_back(lent().state(), Some(day("2028-07-08"))), Some(day("2028-07-08")));
    assert_eq!(due_back(lent().state(), None), None);
}

proptest! {
    #[test]
    fn c5_3_5_however_often_and_whenever_the_calendar_runs_no_reminder_goes_twice_or_late(
        due in 20_000_i64..30_000,
        runs in proptest::collection::vec(-5_i32..40, 0..60),
    ) {
        let due = Day::of(Instant::from_millis(due * 86_400_000));
        let days = ReminderDays::default();
        let mut order = runs;
        order.sort_unstable_by(|one, other| other.cmp(one));
        let mut sent = BTreeSet::new();
        for before in order {
            if let Some(step) = days.due(due, &sent, due.plus(-before)) {
                prop_assert!(before >= 0 && before <= i32::from(step));
                prop_assert!(sent.insert(step));
                prop_assert!(sent.iter().all(|earlier| *earlier >= step));
            }
        }
    }
}
