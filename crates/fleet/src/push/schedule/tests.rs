//! When a tablet is pushed, decided from its row.

use types::{EnrolmentId, QuietHours, Secret};

use super::*;
use crate::push::{Trouble, trouble};

fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_790_000_000_000 + seconds * 1_000)
}

fn due() -> Due {
    Due {
        enrolment: EnrolmentId::new(at(0)),
        token: Secret::new(vec![1]),
        magic: Secret::new("magic".into()),
        claimed_at: at(10),
    }
}

/// A tablet that was claimed at 10 for something queued at 9.
fn claimed(attempts: i32) -> PushState {
    PushState {
        wanted_at: Some(at(9)),
        due_at: Some(at(9)),
        attempts,
        unanswered: attempts,
        lease_until: Some(at(130)),
        ..PushState::new(EnrolmentId::new(at(0)))
    }
}

fn judged(state: &PushState, token_updated_at: Instant, outcome: &PushOutcome) -> PushAttempt {
    attempt(&due(), state, Some(token_updated_at), outcome, at(11))
}

fn accepted() -> PushOutcome {
    PushOutcome::Accepted { apns_id: None }
}

fn refused(since: Option<Instant>) -> PushOutcome {
    PushOutcome::TokenInvalid { reason: "Unregistered".into(), since }
}

#[test]
fn a_silent_tablet_is_pushed_ever_less_often() {
    let waits: Vec<_> = (0..9)
        .map(|attempts| {
            let next = judged(&claimed(attempts), at(1), &accepted()).next_due_at.unwrap();
            next.since(at(11)).as_secs()
        })
        .collect();
    assert_eq!(waits.first(), Some(&1_800));
    assert_eq!(waits.last(), Some(&86_400));
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
}

#[test]
fn t_b2_a_refused_token_is_marked_and_not_pushed_again() {
    for since in [None, Some(at(5))] {
        let attempt = judged(&claimed(0), at(1), &refused(since));
        assert!(attempt.token_invalid && attempt.next_due_at.is_none());
        assert_eq!(attempt.outcome, "token invalid: Unregistered");
    }
}

#[test]
fn t_b2_a_token_that_was_replaced_meanwhile_is_not_marked() {
    let replaced = judged(&claimed(0), at(11), &refused(Some(at(11))));
    assert_eq!((replaced.token_invalid, replaced.next_due_at), (false, Some(at(11))));
    // Apple speaks of something older than the last TokenUpdate.
    let doubtful = judged(&claimed(0), at(8), &refused(Some(at(5))));
    assert!(!doubtful.token_invalid && doubtful.next_due_at.unwrap() > at(11));
}

#[test]
fn what_was_queued_while_a_push_was_on_its_way_wakes_the_tablet_soon_and_once() {
    let state = PushState { wanted_at: Some(at(11)), ..claimed(0) };
    assert_eq!(judged(&state, at(1), &accepted()).next_due_at, Some(at(26)));
    // A pause that Apple asked for is not cut short by it.
    let throttled = PushOutcome::Throttled { retry_after: Some(Duration::from_secs(120)) };
    assert!(judged(&state, at(1), &throttled).next_due_at.unwrap() > at(130));
}

#[test]
fn a_tablet_that_came_while_it_was_pushed_is_not_pushed_for_it_again() {
    let came = PushState { wanted_at: None, due_at: None, lease_until: None, ..claimed(0) };
    let attempt = judged(&came, at(1), &accepted());
    assert_eq!((attempt.attempts, attempt.next_due_at), (0, None));
    // What is put off until tomorrow stays due tomorrow.
    let put_off =
        PushState { wanted_at: Some(at(9)), due_at: Some(at(86_400)), lease_until: None, ..claimed(0) };
    assert_eq!(judged(&put_off, at(1), &accepted()).next_due_at, Some(at(86_400)));
}

#[test]
fn many_commands_are_one_push_and_a_pause_is_a_pause() {
    let asleep = PushState::new(EnrolmentId::new(at(0)));
    assert_eq!(wake_at(&asleep, at(20)), Some(at(20)));
    let waiting = PushState { wanted_at: Some(at(9)), due_at: Some(at(9)), ..asleep.clone() };
    assert_eq!(wake_at(&waiting, at(20)), None, "the push that is due stands for both");
    let later = PushState { wanted_at: Some(at(9)), due_at: Some(at(86_400)), ..asleep.clone() };
    assert_eq!(wake_at(&later, at(20)), Some(at(20)), "what is due sooner wakes sooner");

    let pushed = PushState {
        wanted_at: Some(at(9)),
        due_at: Some(at(1_811)),
        pushed_at: Some(at(11)),
        attempts: 1,
        outcome: Some("sent".into()),
        ..asleep.clone()
    };
    assert_eq!(wake_at(&pushed, at(12)), Some(at(26)), "a tablet on its way takes what was queued since");
    assert_eq!(wake_at(&pushed, at(600)), Some(at(600)));
    let came_since = PushState { wanted_at: None, due_at: None, ..pushed.clone() };
    assert_eq!(wake_at(&came_since, at(12)), Some(at(12)));

    let throttled = PushState { outcome: Some("throttled".into()), ..pushed.clone() };
    assert_eq!(wake_at(&throttled, at(12)), None, "Apple's pause is kept however much is queued");
    let rejected =
        PushState { outcome: Some("rejected: 413 PayloadTooLarge".into()), due_at: None, ..pushed };
    assert_eq!(
        wake_at(&rejected, at(12)),
        Some(at(12)),
        "what nobody would try again is tried for a new reason"
    );
}

#[test]
fn what_apple_said_is_read_back_from_its_words() {
    for (outcome, expected) in [
        (accepted(), None),
        (refused(None), None),
        (PushOutcome::Throttled { retry_after: None }, Some(Trouble::Throttled)),
        (
            PushOutcome::CertificateRefused { reason: "BadCertificate".into() },
            Some(Trouble::CertificateRefused("BadCertificate".into())),
        ),
        (
            PushOutcome::Unavailable { reason: "no answer in time: x".into() },
            Some(Trouble::Unavailable("no answer in time: x".into())),
        ),
        (
            PushOutcome::Rejected { status: 413, reason: "PayloadTooLarge".into() },
            Some(Trouble::Rejected("413 PayloadTooLarge".into())),
        ),
    ] {
        let state = PushState { attempts: 1, outcome: Some(words(&outcome)), ..claimed(1) };
        assert_eq!(trouble(&state), expected, "{outcome:?}");
        assert_eq!(trouble(&PushState { attempts: 0, ..state }), None, "it came since");
    }
}

#[test]
fn t_b3_a_tablet_out_of_reach_is_not_pushed_for_each_command_that_is_queued() {
    // How many pushes it has not come for, and how long the last of them stands for what is queued after it.
    for (unanswered, seconds) in [(1, 15), (2, 60), (3, 300), (4, 900), (5, 900), (i32::MAX, 900)] {
        let state = PushState {
            wanted_at: Some(at(9)),
            due_at: Some(at(90_000)),
            pushed_at: Some(at(11)),
            attempts: unanswered,
            outcome: Some("sent".into()),
            unanswered,
            ..PushState::new(EnrolmentId::new(at(0)))
        };
        assert_eq!(wake_at(&state, at(12)), Some(at(11 + seconds)), "{unanswered}");
    }
}

#[test]
fn t_b3_only_pushes_that_apple_took_make_a_tablet_silent() {
    let count = |outcome: &PushOutcome, state: &PushState| judged(state, at(1), outcome).unanswered;
    let silent = PushState { unanswered: 2, ..claimed(2) };
    assert_eq!(count(&accepted(), &claimed(0)), 1);
    assert_eq!(count(&accepted(), &silent), 3);
    for failed in [
        PushOutcome::Throttled { retry_after: None },
        PushOutcome::Unavailable { reason: "x".into() },
        PushOutcome::CertificateRefused { reason: "x".into() },
        PushOutcome::Rejected { status: 413, reason: "x".into() },
        refused(None),
    ] {
        assert_eq!((count(&failed, &claimed(0)), count(&failed, &silent)), (0, 2), "{failed:?}");
    }
    // It came while the push was on its way.
    let came = PushState { wanted_at: None, due_at: None, lease_until: None, ..claimed(0) };
    assert_eq!(count(&accepted(), &came), 0);
}

#[test]
fn quiet_hours_hold_back_what_can_wait_and_nothing_that_is_urgent() {
    // 16:13 and 00:13 in Paris.
    let quiet: QuietHours = "16:00-23:00".parse().unwrap();
    let (night, day) = (at(0), at(8 * 3_600));
    let end = quiet.end_after(night).unwrap();
    assert_eq!(quiet.end_after(day), None);
    let offer = |first, urgent| Some(NextOffer { first, urgent });
    let (soon, later) = (at(60), at(7_200));
    for (what, offer, now, expected) in [
        ("nothing waits", None, night, Fate::Nothing),
        ("by day", offer(day, None), day, Fate::Push),
        ("by night", offer(night, None), night, Fate::Quiet(end)),
        ("urgent, by night", offer(night, Some(night)), night, Fate::Push),
        ("put off", offer(soon, None), night, Fate::PutOff(soon)),
        ("an urgent one is put off", offer(night, Some(later)), night, Fate::Quiet(later)),
    ] {
        assert_eq!(fate(offer, quiet.end_after(now), 0, now), expected, "{what}");
    }
    // They do not all come in the same second.
    let mornings: std::collections::BTreeSet<_> = (0..100_u64)
        .map(|seed| match fate(offer(night, None), Some(end), seed * 7_919, night) {
            Fate::Quiet(at) => at,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(mornings.len() > 90 && mornings.iter().all(|at| *at >= end && *at < end.plus(SPREAD)));
}

#[test]
fn quiet_hours_are_not_for_a_tablet_that_somebody_holds() {
    assert!(is_in_hand(true, None, at(9)), "Setup Assistant waits");
    assert!(is_in_hand(false, Some(at(0)), at(3_599)));
    assert!(!is_in_hand(false, Some(at(0)), at(3_600)) && !is_in_hand(false, None, at(9)));
}
