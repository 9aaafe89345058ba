//! Each rule, case by case.

use types::{Day, Duration, IncidentKind, Platform, RuleId, Supervision, TabletId};

use super::{asked, asks, college, declared, head, hours, operator, person, tablet, validated};
use crate::life::{Next, step};
use crate::lost_mode::{next_act, possible};
use crate::notice::notice_due;
use crate::papers::{AuthorityReference, Complaint, Letter, PaperKind};
use crate::*;

pub(super) fn complaint(at: u64) -> Option<Complaint> {
    let recorded_at = hours(at);
    Some(Complaint {
        number: "2026/0042".to_owned(),
        dated: Day::of(recorded_at),
        station: "Rouen".to_owned(),
        recorded_at,
    })
}

pub(super) fn letter(at: u64) -> Option<Letter> {
    Some(Letter { reference: "C-17".to_owned(), dated: Day::of(hours(at)), recorded_at: hours(at) })
}

fn petition<'a>(
    incident: &'a Incident,
    request: &'a Request,
    second: &'a SecondPerson,
    limits: &'a Limits,
) -> Petition<'a> {
    let hands = &Hands::NOBODYS;
    Petition { incident, hands, request, second, validation: validated(), last: None, limits }
}

/// The grant that person 2 asks for and the head, person 3, gives.
fn granted(incident: &Incident, at: u64) -> Result<Grant, Refusal> {
    petition(incident, &asks(2), &head(3), &Limits::default()).grant(hours(at))
}

fn theft_with_its_papers() -> Incident {
    let mut incident = declared(IncidentKind::Theft);
    incident.papers.complaint = complaint(2);
    incident
}

#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn recorded(incident: &Incident) -> RecordedIncident {
    RecordedIncident::from_row(
        incident.id,
        incident.tablet,
        incident.kind,
        incident.state,
        incident.opened_at,
        Hands::NOBODYS,
    )
}

#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn warrant_of(grant: &Grant) -> RecordedWarrant {
    RecordedWarrant::from_row(types::WarrantId::new(grant.opens_at), grant, None)
}

#[test]
fn m1_a_paper_from_before_it_was_noticed_makes_no_warrant_firm() {
    let before = Day::of(hours(0)).plus(-1);
    let mut theft = declared(IncidentKind::Theft);
    theft.papers.complaint = complaint(2).map(|complaint| Complaint { dated: before, ..complaint });
    let mut loss = declared(IncidentKind::Loss);
    loss.papers.letter = letter(2).map(|letter| Letter { dated: before, ..letter });
    for incident in [theft, loss] {
        let early = granted(&incident, 2).unwrap();
        assert_eq!(early.footing, Footing::Provisional, "{}", incident.kind);
        assert!(matches!(granted(&incident, 49), Err(Refusal::PaperMissing { .. })), "{}", incident.kind);
    }
}

#[test]
fn an_incident_is_not_noticed_tomorrow_and_an_authority_gives_its_reference() {
    let declare = |kind, noticed, authority: &str| {
        let declaration = Declaration {
            tablet: tablet(),
            college: college(),
            kind,
            noticed_at: hours(noticed),
            declarant: Declarant(person(1)),
            authority: AuthorityReference::new(authority),
        };
        Incident::declare(types::IncidentId::new(hours(1)), declaration, hours(1))
    };
    assert!(matches!(declare(IncidentKind::Loss, 2, ""), Err(Refusal::NoticedLater { .. })));
    assert_eq!(declare(IncidentKind::AuthorityRequest, 0, "  "), Err(Refusal::NoReference));
    assert!(declare(IncidentKind::AuthorityRequest, 0, "TJ Rouen 2026/112").is_ok());
    assert!(declare(IncidentKind::Loss, 0, "").is_ok());
    assert!(declare(IncidentKind::Loss, 1, "").is_ok(), "whoever declares at once noticed it now");
}

#[test]
fn an_authoritys_reference_is_one_line_and_kept_as_it_is() {
    let kept = |text: &str| AuthorityReference::new(text).map(|reference| reference.as_str().to_owned());
    assert_eq!(kept(" TJ Rouen 2026/112 ").as_deref(), Some("TJ Rouen 2026/112"));
    let longest = "x".repeat(AuthorityReference::LONGEST);
    assert_eq!(kept(&longest), Some(longest.clone()));
    for none in [" ", "two\nlines", &format!("{longest}x")] {
        assert_eq!(kept(none), None, "{none:?}");
    }
}

#[test]
fn m1_an_incident_carries_lost_mode_from_the_instant_it_is_open_and_for_its_tablet_only() {
    let incident = declared(IncidentKind::Theft);
    let read = |tablet, at| OpenIncident::read_back(&recorded(&incident), tablet, at);
    let open = read(tablet(), hours(1)).unwrap();
    assert_eq!((open.incident(), open.tablet(), open.opened_at()), (incident.id, tablet(), hours(1)));
    let before = hours(1).minus(Duration::from_millis(1));
    assert!(matches!(read(tablet(), before), Err(NotOpen::InTheFuture { .. })));
    assert!(matches!(read(TabletId::new(hours(9)), hours(1)), Err(NotOpen::OfAnother { .. })));
}

#[test]
fn c5_4_3_nobody_is_located_because_a_screen_broke() {
    for kind in IncidentKind::ALL {
        let incident = Incident { papers: theft_with_its_papers().papers, ..declared(*kind) };
        let missing =
            matches!(kind, IncidentKind::Loss | IncidentKind::Theft | IncidentKind::AuthorityRequest);
        assert_eq!(granted(&incident, 2).is_ok(), missing, "{kind}");
        assert_eq!(
            OpenIncident::read_back(&recorded(&incident), tablet(), hours(2)).is_ok(),
            missing,
            "{kind}"
        );
    }
}

#[test]
fn m1_a_warrant_takes_a_second_person_who_is_neither_author_nor_declarant() {
    let incident = theft_with_its_papers();
    let limits = Limits::default();
    let grant =
        |author, second: &SecondPerson| petition(&incident, &asks(author), second, &limits).grant(hours(2));
    assert_eq!(grant(2, &head(2)), Err(Refusal::GrantsToThemselves));
    assert_eq!(grant(2, &operator(2)), Err(Refusal::GrantsToThemselves));
    assert_eq!(grant(2, &head(1)), Err(Refusal::GrantsAsDeclarant));
    assert_eq!(grant(1, &operator(1)), Err(Refusal::GrantsToThemselves));
    let elsewhere = SecondPerson::Head { account: person(3), uai: "0761235B".parse().unwrap() };
    assert_eq!(grant(2, &elsewhere), Err(Refusal::HeadOfAnother));
    assert!(grant(2, &head(3)).is_ok());
    assert!(grant(1, &operator(3)).is_ok(), "who declared may ask");
}

#[test]
fn m1_a_warrant_takes_a_reason_and_the_dpos_validation() {
    let incident = theft_with_its_papers();
    let limits = Limits::default();
    let (blank, second) = (Request { reason: " \n".to_owned(), ..asks(2) }, head(3));
    assert_eq!(petition(&incident, &blank, &second, &limits).grant(hours(2)), Err(Refusal::NoReason));
    let request = asks(2);
    let off = Petition { validation: None, ..petition(&incident, &request, &second, &limits) };
    let refused = off.grant(hours(2)).unwrap_err();
    assert_eq!((&refused, refused.rule()), (&Refusal::NotValidated, RuleId::C3_1_6));
}

#[test]
fn m1_without_its_paper_a_warrant_ends_48_hours_after_the_declaration() {
    for (kind, paper) in
        [(IncidentKind::Theft, PaperKind::Complaint), (IncidentKind::Loss, PaperKind::Letter)]
    {
        let mut incident = declared(kind);
        let early = granted(&incident, 2).unwrap();
        assert_eq!((early.footing, early.expires_at), (Footing::Provisional, hours(49)), "{kind}");
        assert_eq!(
            granted(&incident, 49),
            Err(Refusal::PaperMissing { paper, since: hours(49) }),
            "{kind}: the 48 hours are over"
        );
        assert!(granted(&incident, 48).is_ok(), "{kind}");
        // The other paper does not help: a letter is no complaint.
        match paper {
            PaperKind::Complaint => incident.papers.letter = letter(3),
            PaperKind::Letter => incident.papers.complaint = complaint(3),
        }
        assert!(granted(&incident, 49).is_err(), "{kind}");
        (incident.papers.letter, incident.papers.complaint) = (letter(60), complaint(60));
        let firm = granted(&incident, 60).unwrap();
        assert_eq!(
            (firm.footing, firm.expires_at),
            (Footing::Firm, hours(60 + 72)),
            "{kind}: late is not refused"
        );
    }
    let authority = granted(&declared(IncidentKind::AuthorityRequest), 100).unwrap();
    assert_eq!(authority.footing, Footing::Firm, "its reference came with it");
}

#[test]
fn m1_numbers_lie_between_a_floor_and_a_ceiling_that_no_configuration_moves() {
    let usual = Limits::default().usual();
    assert_eq!(usual, asked(72, 12, 15));
    for (most, admitted) in [
        (asked(168, 24, 5), true),
        (asked(169, 24, 5), false),
        (asked(168, 25, 5), false),
        (asked(168, 24, 4), false),
    ] {
        assert_eq!(Limits::new(usual, most).is_ok(), admitted, "{most:?}");
    }
    assert!(Limits::new(usual, asked(24, 24, 5)).is_err(), "what is usual lies within what is possible");
    let strict = Limits::new(asked(12, 3, 30), asked(24, 6, 20)).unwrap();
    for (request, admitted) in [
        (asked(24, 6, 20), true),
        (asked(25, 6, 20), false),
        (asked(24, 7, 20), false),
        (asked(24, 6, 19), false),
        (asked(0, 6, 20), false),
        (asked(24, 0, 20), false),
    ] {
        assert_eq!(strict.admit(request).is_ok(), admitted, "{request:?}");
    }
    for (request, said) in [
        (asked(25, 6, 20), "a warrant lasts from 1 to 24 hours, not 25"),
        (asked(24, 7, 20), "a warrant lets from 1 to 6 positions be asked for, not 7"),
        (asked(24, 6, 19), "two requests for a position lie at least 20 minutes apart, not 19"),
    ] {
        assert_eq!(strict.admit(request).unwrap_err().to_string(), said);
    }
    let incident = theft_with_its_papers();
    let greedy = Request { asked: asked(168, 25, 5), ..asks(2) };
    let refused = petition(&incident, &greedy, &head(3), &Limits::default()).grant(hours(2));
    assert!(matches!(refused, Err(Refusal::OutOfBounds(OutOfBounds::Fixes { asked: 25, most: 24 }))));
}

#[test]
fn m1_an_extension_is_asked_for_and_granted_anew() {
    let incident = theft_with_its_papers();
    let (limits, request) = (Limits::default(), asks(2));
    let (second, himself) = (head(3), head(2));
    let first = petition(&incident, &request, &second, &limits);
    let last = Some(types::WarrantId::new(hours(2)));
    assert_eq!(first.extend(hours(2)), Err(Refusal::NothingToExtend));
    let again = Petition { last, ..first };
    assert_eq!(again.grant(hours(3)), Err(Refusal::HadOne));
    let extended = again.extend(hours(100)).unwrap();
    assert_eq!((extended.extends, extended.opens_at, extended.expires_at), (last, hours(100), hours(172)));
    assert_eq!(Petition { second: &himself, ..again }.extend(hours(100)), Err(Refusal::GrantsToThemselves));
    let blank = Request { reason: String::new(), ..asks(2) };
    assert_eq!(Petition { request: &blank, ..again }.extend(hours(100)), Err(Refusal::NoReason));
}

#[test]
fn m1_three_requests_pass_and_the_fourth_comes_too_soon() {
    let incident = theft_with_its_papers();
    let warrant = warrant_of(&granted(&incident, 2).unwrap());
    let incident = recorded(&incident);
    let basis = Basis { warrant: &warrant, incident: &incident, validation: validated(), tablet: tablet() };
    let minutes = |count: u64| hours(2).plus(Duration::from_secs(count * 60));
    let mut asking = Asking::default();
    for at in [0, 15, 30] {
        assert!(basis.to_ask(asking, minutes(at)).is_ok(), "{at}");
        asking = Asking { under_this_warrant: asking.under_this_warrant + 1, last_at: Some(minutes(at)) };
    }
    assert_eq!(
        basis.to_ask(asking, minutes(44)),
        Err(NotInForce::NotYet(Refusal::TooSoon { next_at: minutes(45) }))
    );
    let used_up = Asking { under_this_warrant: 12, last_at: None };
    assert_eq!(basis.to_ask(used_up, minutes(45)), Err(NotInForce::NotYet(Refusal::UsedUp { fixes: 12 })));
    assert!(basis.at_delivery(minutes(44)).is_ok(), "what was asked for is delivered");
}

#[test]
fn m1_a_warrant_lets_nobody_locate_another_tablet_or_at_another_time() {
    let incident = theft_with_its_papers();
    let grant = granted(&incident, 2).unwrap();
    let (warrant, open) = (warrant_of(&grant), recorded(&incident));
    let basis = Basis { warrant: &warrant, incident: &open, validation: validated(), tablet: tablet() };
    let ask = |basis: Basis<'_>, at| basis.to_ask(Asking::default(), hours(at)).map(drop);
    assert_eq!(ask(basis, 2), Ok(()));
    assert_eq!(ask(basis, 73), Ok(()));
    assert!(matches!(ask(basis, 74), Err(NotInForce::Over { .. })));
    assert!(matches!(ask(basis, 1), Err(NotInForce::InTheFuture { .. })));
    let other = TabletId::new(hours(9));
    assert!(matches!(ask(Basis { tablet: other, ..basis }, 3), Err(NotInForce::OfAnother { .. })));
    assert!(matches!(ask(Basis { validation: None, ..basis }, 3), Err(NotInForce::NotValidated { .. })));
    let elsewhere = recorded(&Incident { id: types::IncidentId::new(hours(9)), ..incident.clone() });
    assert!(matches!(ask(Basis { incident: &elsewhere, ..basis }, 3), Err(NotInForce::OfAnother { .. })));
    for (state, says) in [(IncidentState::Closed, "closed"), (IncidentState::Found, "no longer looked for")] {
        let after = recorded(&Incident { state, ..incident.clone() });
        let refused = ask(Basis { incident: &after, ..basis }, 3).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    #[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
    let ended = RecordedWarrant::from_row(types::WarrantId::new(hours(2)), &grant, Some(hours(5)));
    // Over is over, on a machine whose clock is behind, too; and it says when that was.
    for at in [4, 5, 6] {
        let asked = ask(Basis { warrant: &ended, ..basis }, at).unwrap_err();
        assert!(matches!(asked, NotInForce::Over { at, .. } if at == hours(5)), "{asked:?}");
    }
}

#[test]
fn t_a23_a_position_that_cannot_be_is_dropped_and_never_shown() {
    let incident = theft_with_its_papers();
    let (warrant, open) = (warrant_of(&granted(&incident, 2).unwrap()), recorded(&incident));
    let basis = Basis { warrant: &warrant, incident: &open, validation: validated(), tablet: tablet() };
    let rouen = Fix { latitude: 49.44, longitude: 1.09, accuracy: Some(12.0), measured_at: Some(hours(3)) };
    let accept = |fix: Fix| basis.accept(&fix, Kept::default(), hours(3)).map(|position| *position.expose());
    assert_eq!(accept(rouen), Ok(rouen));
    for (fix, why) in [
        (Fix { latitude: 91.0, ..rouen }, Dropped::Implausible(Implausible::Latitude)),
        (Fix { latitude: f64::NAN, ..rouen }, Dropped::Implausible(Implausible::Latitude)),
        (Fix { longitude: f64::INFINITY, ..rouen }, Dropped::Implausible(Implausible::Longitude)),
        (Fix { longitude: -180.1, ..rouen }, Dropped::Implausible(Implausible::Longitude)),
        (Fix { accuracy: Some(-1.0), ..rouen }, Dropped::Implausible(Implausible::Accuracy)),
        (Fix { accuracy: Some(f64::INFINITY), ..rouen }, Dropped::Implausible(Implausible::Accuracy)),
        (Fix { measured_at: Some(hours(27)), ..rouen }, Dropped::FromTheFuture),
        (Fix { measured_at: Some(hours(1)), ..rouen }, Dropped::FromBefore),
    ] {
        assert_eq!(accept(fix), Err(why));
    }
    // A tablet's clock may run five minutes ahead of ours, and no more.
    let ahead = hours(3).plus(Duration::from_secs(5 * 60));
    assert!(accept(Fix { measured_at: Some(ahead), ..rouen }).is_ok());
    let more = Some(ahead.plus(Duration::from_millis(1)));
    assert_eq!(accept(Fix { measured_at: more, ..rouen }), Err(Dropped::FromTheFuture));
    let position = basis.accept(&rouen, Kept::default(), hours(3)).unwrap();
    assert!(!format!("{rouen:?} {position:?}").contains("49"), "a position shows itself nowhere");
}

#[test]
fn a_position_of_the_second_in_which_the_warrant_opened_is_not_of_before() {
    let incident = theft_with_its_papers();
    let opens_at = hours(2).plus(Duration::from_millis(900));
    let grant = Grant { opens_at, ..granted(&incident, 2).unwrap() };
    let (warrant, open) = (warrant_of(&grant), recorded(&incident));
    let basis = Basis { warrant: &warrant, incident: &open, validation: validated(), tablet: tablet() };
    let accept = |at| {
        let fix = Fix { latitude: 49.44, longitude: 1.09, accuracy: None, measured_at: Some(at) };
        basis.accept(&fix, Kept::default(), hours(3)).map(drop)
    };
    assert_eq!(accept(hours(2)), Ok(()), "tablets write whole seconds");
    assert_eq!(accept(hours(2).minus(Duration::from_millis(1))), Err(Dropped::FromBefore));
}

#[test]
fn m1_positions_beyond_number_or_interval_or_after_the_end_are_dropped() {
    let incident = theft_with_its_papers();
    let (warrant, open) = (warrant_of(&granted(&incident, 2).unwrap()), recorded(&incident));
    let basis = Basis { warrant: &warrant, incident: &open, validation: validated(), tablet: tablet() };
    let fix = Fix { latitude: 49.44, longitude: 1.09, accuracy: None, measured_at: None };
    let accept = |count, last, at| {
        let kept = Kept { under_this_warrant: count, last_at: last };
        basis.accept(&fix, kept, hours(at)).map(drop)
    };
    assert_eq!(accept(11, Some(hours(2)), 3), Ok(()));
    assert_eq!(accept(12, Some(hours(2)), 3), Err(Dropped::BeyondTheNumber));
    assert_eq!(accept(1, Some(hours(3)), 3), Err(Dropped::BeyondTheInterval));
    let quarter = Duration::from_secs(15 * 60);
    assert_eq!(accept(1, Some(hours(3).minus(quarter)), 3), Ok(()), "fifteen minutes are fifteen minutes");
    assert!(matches!(accept(0, None, 74), Err(Dropped::NotInForce(NotInForce::Over { .. }))));
}

#[test]
fn an_incident_lives_from_its_declaration_to_its_closing() {
    use IncidentState::{Closed, Declared, Found, InProgress, NotFound};
    let steps = [Step::TakeUp, Step::Find, Step::GiveUp, Step::Close];
    let leads = |kind, state| {
        let incident = Incident { state, ..declared(kind) };
        steps.map(|taken| step(&incident, taken).ok().map(|next| next.state))
    };
    for (state, expected) in [
        (Declared, [Some(InProgress), Some(Found), Some(NotFound), None]),
        (InProgress, [None, Some(Found), Some(NotFound), None]),
        (Found, [None, None, None, Some(Closed)]),
        (NotFound, [None, Some(Found), None, Some(Closed)]),
        (Closed, [None; 4]),
    ] {
        for kind in [IncidentKind::Loss, IncidentKind::Theft, IncidentKind::AuthorityRequest] {
            assert_eq!(leads(kind, state), expected, "{kind}, {state}");
        }
    }
    for (state, expected) in [
        (Declared, [Some(InProgress), None, None, Some(Closed)]),
        (InProgress, [None, None, None, Some(Closed)]),
        (Closed, [None; 4]),
    ] {
        assert_eq!(leads(IncidentKind::Breakage, state), expected, "{state}");
    }
}

#[test]
fn a_step_that_does_not_follow_is_refused_by_its_name() {
    let closed = Incident { state: IncidentState::Closed, ..declared(IncidentKind::Loss) };
    for (taken, name) in
        [(Step::TakeUp, "take up"), (Step::Find, "find"), (Step::GiveUp, "give up"), (Step::Close, "close")]
    {
        let refused = step(&closed, taken).unwrap_err().to_string();
        assert_eq!(refused, format!("one cannot {name} an incident (loss) that is closed"));
    }
}

#[test]
fn an_incident_that_was_closed_too_soon_goes_on_in_another_whose_clocks_do_not_start_again() {
    let closed = Incident { state: IncidentState::Closed, ..declared(IncidentKind::Theft) };
    let next = types::IncidentId::new(hours(60));
    let reopened =
        closed.reopen(next, "it was another tablet that turned up", Since::Nothing, hours(60)).unwrap();
    assert_eq!((reopened.reopens, reopened.state), (Some(closed.id), IncidentState::InProgress));
    assert_eq!((reopened.id, reopened.opened_at), (next, hours(60)));
    assert!(
        matches!(granted(&reopened, 60), Err(Refusal::PaperMissing { .. })),
        "48 hours since the declaration"
    );
    let before = OpenIncident::read_back(&recorded(&reopened), tablet(), hours(59));
    assert!(matches!(before, Err(NotOpen::InTheFuture { .. })), "what was queued before does not rest on it");
    assert_eq!(closed.reopen(next, " ", Since::Nothing, hours(60)), Err(Refusal::NoReason));
    assert!(matches!(reopened.reopen(next, "again", Since::Nothing, hours(60)), Err(Refusal::NotNow { .. })));
}

#[test]
fn t_c17_closing_ends_the_warrant_cancels_the_requests_and_turns_lost_mode_off() {
    for kind in IncidentKind::ALL {
        for state in IncidentState::ALL {
            let incident = Incident { state: *state, ..declared(*kind) };
            let Ok(Next { consequences, .. }) = step(&incident, Step::Close) else { continue };
            for needed in [
                Consequence::EndWarrants,
                Consequence::CancelRequests,
                Consequence::TurnLostModeOff,
                Consequence::TellWhatWasDone,
                Consequence::StartTheClockOfItsKey,
                Consequence::CallOffErasure,
            ] {
                assert!(consequences.contains(&needed), "{kind}, {state}: {needed:?}");
            }
        }
    }
}

#[test]
fn t_c17_lost_mode_follows_the_incident_whatever_the_tablet_did() {
    use LostModeState::{Asked, Ending, Off, On, Refused};
    for (state, wanted_on, wanted_off) in [
        (Off, Some(LostModeAct::Enable), None),
        (Asked, None, Some(LostModeAct::Disable)),
        (On, None, Some(LostModeAct::Disable)),
        (Refused, None, None),
        (Ending, Some(LostModeAct::Enable), None),
    ] {
        assert_eq!(next_act(LostModeWish::On, state), wanted_on, "{state}");
        assert_eq!(next_act(LostModeWish::Off, state), wanted_off, "{state}");
    }
}

#[test]
fn m1_only_supervised_ipads_have_lost_mode_and_the_others_are_told_what_else_can_be_done() {
    assert_eq!(possible(Platform::Ipad, Supervision::Supervised), Ok(()));
    for supervision in Supervision::ALL.iter().filter(|kind| **kind != Supervision::Supervised) {
        let refused = possible(Platform::Ipad, *supervision).unwrap_err();
        assert!(refused.to_string().contains("lock the screen"), "{refused}");
    }
    for platform in Platform::ALL.iter().filter(|platform| **platform != Platform::Ipad) {
        assert!(possible(*platform, Supervision::Supervised).is_err(), "{platform}");
    }
}

#[test]
fn lost_mode_shows_a_message_or_a_number() {
    assert!(Message::new("Appartient au département", "", "").is_ok());
    assert!(Message::new("", "02 35 00 00 00", "").is_ok());
    let full = Message::new(" Perdue ", "02 35 00 00 00", "Collège Jean-Moulin").unwrap();
    assert_eq!(full.text(), Some("Perdue"));
    assert_eq!((full.phone(), full.footnote()), (Some("02 35 00 00 00"), Some("Collège Jean-Moulin")));
    let only = Message::new("Perdue\nMerci", "", " ").unwrap();
    assert_eq!((only.text(), only.phone(), only.footnote()), (Some("Perdue\nMerci"), None, None));
    assert!(Message::new(&"a".repeat(Message::LONGEST), "", "").is_ok());
    for (text, phone) in [(" ", " "), ("a".repeat(401).as_str(), ""), ("bell \u{7}", "")] {
        assert!(Message::new(text, phone, "note").is_err(), "{text}");
    }
}

#[test]
fn m2_a_key_dies_30_days_after_closing_and_90_days_after_the_last_position() {
    let day = |count: u64| hours(count * 24);
    for (closed, last_fix, dies) in [
        (None, None, None),
        (Some(10), None, Some(40)),
        (None, Some(5), Some(95)),
        (Some(10), Some(5), Some(40)),
        (Some(80), Some(5), Some(95)),
    ] {
        assert_eq!(key_dies_at(closed.map(day), last_fix.map(day)), dies.map(day), "{closed:?} {last_fix:?}");
    }
}

#[test]
fn m1_only_an_authority_delays_a_notice_and_only_until_a_day_to_come() {
    let reference = AuthorityReference::new("TJ Rouen 2026/112").unwrap();
    let delay =
        |kind, days| AuthorityDelay::new(kind, Day::of(hours(24)).plus(days), reference.clone(), hours(24));
    assert!(delay(IncidentKind::Theft, 10).is_err());
    assert!(delay(IncidentKind::AuthorityRequest, 0).is_err());
    assert!(delay(IncidentKind::AuthorityRequest, 400).is_err());
    let begins = Day::of(hours(24)).starts_at();
    let at_once =
        AuthorityDelay::new(IncidentKind::AuthorityRequest, Day::of(begins), reference.clone(), begins);
    assert!(at_once.is_err(), "a day that begins now is not to come");
    let delayed = delay(IncidentKind::AuthorityRequest, 10).unwrap();
    let (opened, over) = (NoticeOccasion::Opened, NoticeOccasion::Over);
    assert_eq!(notice_due(opened, hours(24), None).due_at, hours(24));
    assert_eq!(notice_due(opened, hours(24), Some(&delayed)).due_at, delayed.until().starts_at());
    let late = hours(24 * 60);
    assert_eq!(notice_due(over, late, Some(&delayed)).due_at, late, "never before it happened");
}

#[test]
fn c5_4_4_a_counterpart_speaks_against_a_donation_until_it_is_paid() {
    let sum = |paid_on| Counterpart::Sum { cents: 8_000, fixed_on: Day::of(hours(1)), paid_on };
    assert_eq!(Counterpart::NoDonation.effect(), Some(Effect::SpeaksAgainstDonation));
    assert_eq!(sum(None).effect(), Some(Effect::SpeaksAgainstDonation));
    assert_eq!(sum(Some(Day::of(hours(9)))).effect(), None);
    assert_eq!(Counterpart::StaysAtSchool.effect(), Some(Effect::InSchoolOnly));
}

#[test]
fn c5_4_5_the_warranty_covers_the_makers_defects_only() {
    use WarrantyVerdict::{Covered, DoesNotArise, NotCovered};
    for (kind, nothing, shock, repair) in [
        (IncidentKind::Fault, Covered, NotCovered, NotCovered),
        (IncidentKind::Breakage, Covered, NotCovered, NotCovered),
        (IncidentKind::Damage, NotCovered, NotCovered, NotCovered),
        (IncidentKind::Theft, DoesNotArise, DoesNotArise, DoesNotArise),
    ] {
        let verdict = |finding| WarrantyVerdict::of(kind, finding);
        assert_eq!(verdict(Finding::NothingOfTheUser), nothing, "{kind}");
        assert_eq!(verdict(Finding::ShockOrScratch), shock, "{kind}");
        assert_eq!(verdict(Finding::RepairByTheUser), repair, "{kind}");
    }
}
