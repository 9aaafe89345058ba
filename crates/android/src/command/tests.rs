//! What becomes of commands, case by case and for random lives of a tablet.

use proptest::prelude::*;
use types::{CommandId, EnrolmentId, Instant};

use super::*;

const QUEUED: Instant = Instant::from_millis(1_795_471_200_000);
const END: Instant = Instant::from_millis(1_795_471_200_000 + 86_400_000);

fn at(seconds: u64) -> Instant {
    QUEUED.plus(std::time::Duration::from_secs(seconds))
}

fn command(kind: Kind, state: State) -> Command {
    let (id, enrolment) = (CommandId::new(QUEUED), EnrolmentId::new(QUEUED));
    Command { id, enrolment, kind, queued_at: QUEUED, not_after: END, state }
}

const FETCHED: State = State::Fetched { at: QUEUED, times: 1 };

fn confirms(command: &Command) -> Confirmation {
    Confirmation { from: command.enrolment, kind: command.kind, can_wipe: Some(true) }
}

#[test]
fn a_command_goes_from_the_queue_over_the_configuration_to_its_confirmation() {
    for kind in Kind::ALL {
        let queued = command(*kind, State::Queued);
        let fetched = queued.fetched(Standing::Stands, at(1));
        assert_eq!(fetched, State::Fetched { at: at(1), times: 1 });
        let fetched = Command { state: fetched, ..queued };
        let settled = fetched.confirmed(confirms(&fetched), Standing::Stands, at(2));
        assert_eq!(settled, Settled { state: State::Confirmed { at: at(2) }, reply: Reply::Taken });
        let done = Command { state: settled.state, ..queued };
        // The flag is gone: the next configuration does not hold it.
        assert_eq!(done.fetched(Standing::Stands, at(3)), settled.state);
        assert_eq!(next(&[done]), None);
    }
}

#[test]
fn m3_m5_the_confirmation_of_a_wipe_is_its_delivery_and_looks_at_everything_again() {
    let wipe = command(Kind::Wipe, FETCHED);
    let late = END;
    let cases = [
        (Standing::Held(Held::Switch), at(2), State::Queued),
        (Standing::Held(Held::Brake), at(2), State::Queued),
        (Standing::Held(Held::Order), at(2), State::Queued),
        (Standing::Gone(Gone::Order), at(2), State::Void { at: at(2), why: Voided::OrderGone }),
        (Standing::Gone(Gone::Withdrawn), at(2), State::Void { at: at(2), why: Voided::Withdrawn }),
        (Standing::Stands, late, State::Void { at: late, why: Voided::TooLate }),
    ];
    for (standing, now, state) in cases {
        let settled = wipe.confirmed(confirms(&wipe), standing, now);
        assert_eq!(settled, Settled { state, reply: Reply::ComeBack }, "{standing:?}");
        assert_eq!(wipe.fetched(standing, now), state, "{standing:?}");
    }
    let last_moment = Instant::from_millis(END.as_millis() - 1);
    assert_eq!(wipe.confirmed(confirms(&wipe), Standing::Stands, last_moment).reply, Reply::Taken);
}

#[test]
fn t_a18_a_confirmation_of_what_was_not_fetched_is_not_taken_and_changes_nothing() {
    let states = [
        State::Queued,
        State::Confirmed { at: QUEUED },
        State::Failed { at: QUEUED, why: Failure::SpokeAgain },
        State::Void { at: QUEUED, why: Voided::Withdrawn },
    ];
    for state in states {
        for kind in [Kind::Wipe, Kind::Reboot] {
            let command = command(kind, state);
            let settled = command.confirmed(confirms(&command), Standing::Stands, at(1));
            assert_eq!(settled, Settled { state, reply: Reply::ComeBack }, "{kind} {state:?}");
        }
        // A code is set before it is confirmed: there is nothing to hold back, and nothing to learn.
        let code = command(Kind::ClearCode, state);
        let settled = code.confirmed(confirms(&code), Standing::Stands, at(1));
        assert_eq!(settled, Settled { state, reply: Reply::Taken });
    }
}

#[test]
fn t_a1_t_a5_another_enrolment_or_another_kind_confirms_nothing() {
    let wipe = command(Kind::Wipe, FETCHED);
    let stays = Settled { state: FETCHED, reply: Reply::ComeBack };
    let other = Confirmation { from: EnrolmentId::new(at(9)), ..confirms(&wipe) };
    assert_eq!(wipe.confirmed(other, Standing::Stands, at(1)), stays);
    let reboot = Confirmation { kind: Kind::Reboot, ..confirms(&wipe) };
    assert_eq!(wipe.confirmed(reboot, Standing::Stands, at(1)), stays);
}

#[test]
fn an_agent_that_is_not_administrator_is_told_nothing_and_the_wipe_failed() {
    for can_wipe in [None, Some(false)] {
        let wipe = command(Kind::Wipe, FETCHED);
        let settled = wipe.confirmed(Confirmation { can_wipe, ..confirms(&wipe) }, Standing::Stands, at(1));
        let state = State::Failed { at: at(1), why: Failure::NotAdministrator };
        assert_eq!(settled, Settled { state, reply: Reply::ComeBack });
    }
    let reboot = command(Kind::Reboot, FETCHED);
    let said = Confirmation { can_wipe: None, ..confirms(&reboot) };
    assert_eq!(reboot.confirmed(said, Standing::Stands, at(1)).reply, Reply::Taken);
}

#[test]
fn a_tablet_that_speaks_after_it_was_told_to_wipe_itself_did_not() {
    let wipe = command(Kind::Wipe, State::Confirmed { at: QUEUED });
    assert_eq!(wipe.spoke(QUEUED.plus(GRACE)), wipe.state);
    let late = QUEUED.plus(GRACE).plus(std::time::Duration::from_millis(1));
    assert_eq!(wipe.spoke(late), State::Failed { at: late, why: Failure::SpokeAgain });
    for other in [command(Kind::Reboot, State::Confirmed { at: QUEUED }), command(Kind::Wipe, FETCHED)] {
        assert_eq!(other.spoke(late), other.state);
    }
}

#[test]
fn a_code_that_is_never_confirmed_is_not_set_for_ever_and_a_wipe_waits_for_its_order() {
    let lives = |kind| {
        let mut command = command(kind, State::Queued);
        let mut told = 0;
        for second in 0..10 {
            command.state = command.fetched(Standing::Stands, at(second));
            told += u8::from(matches!(command.state, State::Fetched { .. }));
        }
        (told, command.state)
    };
    for kind in [Kind::ClearCode, Kind::Reboot] {
        let (told, state) = lives(kind);
        let why = Failure::NeverConfirmed;
        assert_eq!((told, state), (MOST_FETCHES, State::Failed { at: at(u64::from(MOST_FETCHES)), why }));
    }
    assert_eq!(lives(Kind::Wipe), (10, State::Fetched { at: at(9), times: 10 }));
}

#[test]
fn t_a19_what_waited_for_a_former_enrolment_is_void_and_what_ended_stays_ended() {
    for state in [State::Queued, FETCHED] {
        let void = State::Void { at: at(1), why: Voided::EnrolledAgain };
        assert_eq!(command(Kind::Wipe, state).enrolled_again(at(1)), void);
    }
    let done = State::Confirmed { at: QUEUED };
    assert_eq!(command(Kind::Wipe, done).enrolled_again(at(1)), done);
}

#[test]
fn a_tablet_is_told_of_an_erasure_first_then_of_a_code_and_the_older_of_two() {
    let old = command(Kind::Reboot, State::Queued);
    let young = Command { queued_at: at(5), ..command(Kind::Reboot, State::Queued) };
    let code = Command { queued_at: at(7), ..command(Kind::ClearCode, FETCHED) };
    let wipe = Command { queued_at: at(9), ..command(Kind::Wipe, State::Queued) };
    let void = State::Void { at: QUEUED, why: Voided::Withdrawn };
    assert_eq!(next(&[young, old]), Some(&old));
    assert_eq!(next(&[young, old, code]), Some(&code));
    assert_eq!(next(&[young, code, wipe, old]), Some(&wipe));
    assert_eq!(next(&[Command { state: void, ..wipe }, young]), Some(&young));
    assert_eq!(next(&[]), None);
}

#[test]
fn every_end_says_what_happened_in_both_languages() {
    let failures = Failure::ALL.iter().map(|why| why.words());
    for words in failures.chain(Voided::ALL.iter().map(|why| why.words())) {
        assert!(!words.french.is_empty() && !words.english.is_empty() && words.french != words.english);
    }
    let codes = [State::Queued, FETCHED, State::Confirmed { at: QUEUED }].map(State::code);
    assert_eq!(codes, ["queued", "fetched", "confirmed"]);
}

/// Something that happens to a tablet with one command.
#[derive(Debug, Clone, Copy)]
enum Event {
    Fetches(Standing),
    Confirms { standing: Standing, own: bool, kind: Kind, can_wipe: Option<bool> },
    Speaks,
    EnrolsAgain,
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        6 => Just(Standing::Stands),
        1 => Just(Standing::Held(Held::Switch)),
        1 => Just(Standing::Held(Held::Brake)),
        1 => Just(Standing::Gone(Gone::Order)),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let confirms = (standing(), prop::bool::weighted(0.8), kind(), any::<Option<bool>>());
    prop_oneof![
        4 => standing().prop_map(Event::Fetches),
        4 => confirms.prop_map(|(standing, own, kind, can_wipe)| Event::Confirms { standing, own, kind, can_wipe }),
        2 => Just(Event::Speaks),
        1 => Just(Event::EnrolsAgain),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn m3_t_a19_in_no_random_life_is_a_command_taken_twice_or_without_what_it_rests_on(
        kind in kind(),
        life in prop::collection::vec((event(), 0_u64..40_000), 0..30),
    ) {
        let mut command = command(kind, State::Queued);
        let stranger = EnrolmentId::new(at(1));
        let (mut now, mut taken, mut enrolled_again) = (QUEUED, 0_u32, false);
        for (event, seconds) in life {
            now = now.plus(std::time::Duration::from_secs(seconds));
            let before = command.state;
            match event {
                Event::Fetches(standing) => {
                    command.state = command.fetched(standing, now);
                    let told = matches!(command.state, State::Fetched { at, .. } if at == now);
                    let may = before.is_open() && standing == Standing::Stands && now < END;
                    prop_assert!(!told || may, "told of {before:?} under {standing:?}");
                }
                Event::Confirms { standing, own, kind: said, can_wipe } => {
                    let from = if own { command.enrolment } else { stranger };
                    let settled = command.confirmed(Confirmation { from, kind: said, can_wipe }, standing, now);
                    command.state = settled.state;
                    if settled.reply == Reply::Taken && kind != Kind::ClearCode {
                        taken += 1;
                        prop_assert!(own && said == kind && standing == Standing::Stands && now < END);
                        let fetched = matches!(before, State::Fetched { .. });
                        prop_assert!(fetched && !enrolled_again);
                        prop_assert!(kind != Kind::Wipe || can_wipe == Some(true));
                    }
                }
                Event::Speaks => command.state = command.spoke(now),
                Event::EnrolsAgain => {
                    command.state = command.enrolled_again(now);
                    enrolled_again = true;
                }
            }
            // What ended does not begin again.
            prop_assert!(before.is_open() || !command.state.is_open(), "{before:?} became {:?}", command.state);
        }
        prop_assert!(taken <= 1);
    }
}
