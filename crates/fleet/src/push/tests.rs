//! When a tablet is pushed, decided from its row.

use types::EnrolmentKind;

use super::*;
use crate::enrol::invitation;

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
        lease_until: Some(at(130)),
        ..PushState::new(EnrolmentId::new(at(0)))
    }
}

fn enrolment(token_updated_at: Instant) -> Enrolment {
    Enrolment { token_updated_at: Some(token_updated_at), ..invitation(EnrolmentKind::Link, at(0)) }
}

fn judged(state: &PushState, enrolment: &Enrolment, outcome: &PushOutcome) -> PushAttempt {
    attempt(&due(), state, enrolment, outcome, at(11))
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
            let next = judged(&claimed(attempts), &enrolment(at(1)), &accepted()).next_due_at.unwrap();
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
        let attempt = judged(&claimed(0), &enrolment(at(1)), &refused(since));
        assert!(attempt.token_invalid && attempt.next_due_at.is_none());
        assert_eq!(attempt.outcome, "token invalid: Unregistered");
    }
}

#[test]
fn t_b2_a_token_that_was_replaced_meanwhile_is_not_marked() {
    let replaced = judged(&claimed(0), &enrolment(at(11)), &refused(Some(at(11))));
    assert_eq!((replaced.token_invalid, replaced.next_due_at), (false, Some(at(11))));
    // Apple speaks of something older than the last TokenUpdate.
    let doubtful = judged(&claimed(0), &enrolment(at(8)), &refused(Some(at(5))));
    assert!(!doubtful.token_invalid && doubtful.next_due_at.unwrap() > at(11));
}

#[test]
fn what_was_queued_while_a_push_was_on_its_way_wakes_the_tablet_soon_and_once() {
    let state = PushState { wanted_at: Some(at(11)), ..claimed(0) };
    assert_eq!(judged(&state, &enrolment(at(1)), &accepted()).next_due_at, Some(at(26)));
    // A pause that Apple asked for is not cut short by it.
    let throttled = PushOutcome::Throttled { retry_after: Some(Duration::from_secs(120)) };
    assert!(judged(&state, &enrolment(at(1)), &throttled).next_due_at.unwrap() > at(130));
}

#[test]
fn a_tablet_that_came_while_it_was_pushed_is_not_pushed_for_it_again() {
    let came = PushState { wanted_at: None, due_at: None, lease_until: None, ..claimed(0) };
    let attempt = judged(&came, &enrolment(at(1)), &accepted());
    assert_eq!((attempt.attempts, attempt.next_due_at), (0, None));
    // What is put off until tomorrow stays due tomorrow.
    let put_off =
        PushState { wanted_at: Some(at(9)), due_at: Some(at(86_400)), lease_until: None, ..claimed(0) };
    assert_eq!(judged(&put_off, &enrolment(at(1)), &accepted()).next_due_at, Some(at(86_400)));
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
