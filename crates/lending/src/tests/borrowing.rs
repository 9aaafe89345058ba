//! Who may be lent a tablet, where it may go, and what stands in the way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use types::{
    AccountId, AgreementTextId, Digest, Instant, LoanId, LoanMode, PersonId, RuleId, TabletId, UserKind,
};

use super::{DAY, day, noon, year};
use crate::agreement::{Evidence, GuardiansNeeded, NotAgreed, Signatory, Signature, Stance, agreed};
use crate::list::{Change, Entry, Progress, Signed, delta, validated};
use crate::loan::{Ending, LetterWriter, Loan, LoanState, Suspension};
use crate::mode::{AtHome, Restriction, Standing, mode};
use crate::readiness::{Held, HolderFacts, Obstacle, OverTheCounter, Reported, TabletFacts, light};
use crate::{Refused, SchoolYear};

fn signed(by: AccountId, text: &str) -> Signed {
    Signed { by, at: noon(text) }
}

fn pupil(class: &str) -> Entry {
    Entry {
        kind: UserKind::Pupil,
        name: "Zoé".parse().unwrap(),
        class: Some(class.parse().unwrap()),
        number: None,
        arrives_on: None,
        leaves_on: None,
        guardians: 2,
        contacts: BTreeMap::new(),
    }
}

#[test]
fn c4_2_a_change_counts_only_when_the_head_settled_it_and_the_academie_validated_it() {
    let (head, academie) = (AccountId::new(noon("2027-09-01")), AccountId::new(noon("2027-09-01")));
    let zoe = Change::Set(PersonId::new(noon("2027-09-01")), pupil("6e A"));
    let counts = |progress: Progress| !validated([(&zoe, &progress)]).is_empty();

    let proposed = Progress::Proposed;
    assert!(!counts(proposed));
    assert_eq!(
        proposed.validate(signed(academie, "2027-09-02")).unwrap_err().rule(),
        RuleId::C4_2,
        "the académie does not validate what no head settled"
    );
    let settled = proposed.settle(signed(head, "2027-09-02")).unwrap();
    assert!(!counts(settled));
    assert_eq!(settled.validate(signed(head, "2027-09-03")), Err(Refused::SamePerson));
    let whole = settled.validate(signed(academie, "2027-09-03")).unwrap();
    assert!(counts(whole));
    assert!(whole.withdraw().is_err() && whole.settle(signed(head, "2027-09-04")).is_err());
    assert!(!counts(settled.withdraw().unwrap()));
}

#[test]
fn c4_2_whoever_stood_on_the_list_stays_on_it_until_a_change_took_both_steps() {
    let (head, academie) = (AccountId::new(noon("2027-09-01")), AccountId::new(noon("2027-09-01")));
    let both = |text| {
        Progress::Proposed.settle(signed(head, text)).unwrap().validate(signed(academie, text)).unwrap()
    };
    let zoe = PersonId::new(noon("2027-09-01"));
    let (comes, moves, leaves) =
        (Change::Set(zoe, pupil("6e A")), Change::Set(zoe, pupil("6e B")), Change::Remove(zoe));
    let half = Progress::Proposed.settle(signed(head, "2027-11-02")).unwrap();

    let list = validated([(&comes, &both("2027-09-02")), (&leaves, &half)]);
    assert_eq!(list.get(&zoe), Some(&pupil("6e A")), "a removal that is half signed removes nobody");
    let list = validated([
        (&leaves, &both("2028-01-10")),
        (&comes, &both("2027-09-02")),
        (&moves, &both("2027-12-01")),
    ]);
    assert!(list.is_empty(), "what was validated last counts, in whatever order the rows come");
}

#[test]
fn c4_2_a_delta_names_those_who_change_and_nobody_else() {
    let [stays, moves, leaves, comes] =
        [1, 2, 3, 4].map(|millis| PersonId::new(Instant::from_millis(millis)));
    let list = BTreeMap::from([(stays, pupil("6e A")), (moves, pupil("6e A")), (leaves, pupil("6e A"))]);
    let wanted = BTreeMap::from([(stays, pupil("6e A")), (moves, pupil("6e B")), (comes, pupil("6e C"))]);
    assert_eq!(
        delta(&list, &wanted),
        [Change::Remove(leaves), Change::Set(moves, pupil("6e B")), Change::Set(comes, pupil("6e C")),]
    );
}

proptest! {
    #[test]
    fn c4_2_a_delta_that_took_both_steps_makes_the_list_the_wanted_one(
        now in proptest::collection::btree_map(0_u8..20, 0_u8..3, 0..15),
        then in proptest::collection::btree_map(0_u8..20, 0_u8..3, 0..15),
    ) {
        let ids: Vec<PersonId> = (0..20).map(|millis| PersonId::new(Instant::from_millis(millis))).collect();
        let list = |of: &BTreeMap<u8, u8>| -> BTreeMap<PersonId, Entry> {
            of.iter().map(|(id, class)| (ids[usize::from(*id)], pupil(&format!("6e {class}")))).collect()
        };
        let (head, academie) = (AccountId::new(Instant::from_millis(1)), AccountId::new(Instant::from_millis(2)));
        let both = |millis| {
            let step = |by| Signed { by, at: Instant::from_millis(millis) };
            Progress::Validated { head: step(head), academie: step(academie) }
        };
        let mut changes: Vec<(Change, Progress)> =
            delta(&BTreeMap::new(), &list(&now)).into_iter().map(|change| (change, both(1))).collect();
        changes.extend(delta(&list(&now), &list(&then)).into_iter().map(|change| (change, both(2))));
        let result = validated(changes.iter().map(|(change, progress)| (change, progress)));
        prop_assert_eq!(result, list(&then));
    }
}

fn word(text: AgreementTextId, signatory: Signatory, stance: Stance, on: &str) -> Signature {
    Signature { text, signatory, stance, on: day(on), evidence: Evidence::Scan(Digest::of(on.as_bytes())) }
}

#[test]
fn c5_2_1_a_pupils_agreement_is_signed_by_the_guardians_as_the_setting_says() {
    use GuardiansNeeded::{All, OneWithoutOpposition as One};
    use Signatory::{Guardian, User};
    use Stance::{Opposed, Signed};
    let now = noon("2027-09-01");
    let (text, old) = (AgreementTextId::new(now), AgreementTextId::new(now));
    let said = |words: &[(Signatory, Stance, &str)]| -> Vec<Signature> {
        words.iter().map(|(who, stance, on)| word(text, *who, *stance, on)).collect()
    };
    let pupil = |guardians, needed, words: &[(Signatory, Stance, &str)]| {
        agreed(UserKind::Pupil, guardians, needed, Some(text), &said(words), day("2027-10-01"))
    };
    let (one, two) = ((Guardian(1), Signed, "2027-09-10"), (Guardian(2), Signed, "2027-09-10"));

    assert_eq!(pupil(2, One, &[one]), Ok(()));
    assert_eq!(pupil(2, All, &[one]), Err(NotAgreed::Unsigned { signed: 1, needed: 2 }));
    assert_eq!(pupil(2, All, &[one, two]), Ok(()));
    assert_eq!(pupil(2, One, &[one, (Guardian(2), Opposed, "2027-09-12")]), Err(NotAgreed::Opposed));
    assert_eq!(pupil(2, One, &[one, (Guardian(1), Opposed, "2027-09-11")]), Err(NotAgreed::Opposed));
    assert_eq!(
        pupil(2, One, &[(Guardian(1), Opposed, "2027-09-09"), one]),
        Ok(()),
        "they changed their mind"
    );
    assert_eq!(
        pupil(2, One, &[(Guardian(1), Opposed, "2027-09-10"), one]),
        Err(NotAgreed::Opposed),
        "in doubt, no"
    );
    // Words come in whatever order they were typed: the day tells which is the latest.
    assert_eq!(pupil(2, One, &[one, (Guardian(1), Opposed, "2027-09-10")]), Err(NotAgreed::Opposed));
    assert_eq!(pupil(2, One, &[one, (Guardian(1), Opposed, "2027-09-09")]), Ok(()));
    assert_eq!(
        pupil(2, One, &[(User, Signed, "2027-09-10")]),
        Err(NotAgreed::Unsigned { signed: 0, needed: 1 }),
        "for every pupil the guardians sign, whatever the pupil’s age"
    );
    assert_eq!(
        pupil(1, One, &[two]),
        Err(NotAgreed::Unsigned { signed: 0, needed: 1 }),
        "there is no second one"
    );
    assert_eq!(pupil(0, One, &[one]), Err(NotAgreed::NoGuardian));
    assert_eq!(
        pupil(2, One, &[(Guardian(1), Signed, "2027-10-02")]),
        Err(NotAgreed::Unsigned { signed: 0, needed: 1 })
    );

    let teacher =
        |words: &[Signature], text| agreed(UserKind::Teacher, 0, All, text, words, day("2027-10-01"));
    let hers = [word(text, User, Signed, "2027-09-10")];
    assert_eq!(teacher(&hers, Some(text)), Ok(()));
    assert_eq!(teacher(&hers, None), Err(NotAgreed::NoText));
    assert_eq!(
        teacher(&[word(old, User, Signed, "2026-09-10")], Some(text)),
        Err(NotAgreed::Unsigned { signed: 0, needed: 1 }),
        "C9.1: last year’s signature is worth nothing this year"
    );
}

#[test]
fn c5_2_1_a_tablet_goes_home_only_with_the_colleges_decision_and_the_signatures() {
    let today = day("2027-11-02");
    let (yes, no) = (Ok(()), Err(NotAgreed::Opposed));
    for at_home in AtHome::ALL {
        for agreed in [&yes, &no] {
            for kept_at_school in [false, true] {
                let standing = Standing {
                    at_home: *at_home,
                    agreed,
                    kept_at_school,
                    deposited: false,
                    lost: false,
                    restrictions: &[],
                    overdue: false,
                };
                let home = *at_home == AtHome::Allowed && agreed.is_ok() && !kept_at_school;
                let expected = if home { LoanMode::TakeHome } else { LoanMode::InSchool };
                assert_eq!(mode(&standing, today), expected, "{standing:?}");
            }
        }
    }
}

#[test]
fn c5_2_5_a_restriction_changes_the_mode_until_its_last_day_and_what_is_lost_or_deposited_goes_before() {
    let restrictions = [Restriction { from: day("2028-02-28"), until: day("2028-02-29") }];
    let agreed = Ok(());
    let standing = |deposited, lost, overdue| Standing {
        at_home: AtHome::Allowed,
        agreed: &agreed,
        kept_at_school: false,
        deposited,
        lost,
        restrictions: &restrictions,
        overdue,
    };
    let on = |text| mode(&standing(false, false, false), day(text));
    assert_eq!(on("2028-02-27"), LoanMode::TakeHome);
    assert_eq!(on("2028-02-28"), LoanMode::Restricted);
    assert_eq!(on("2028-02-29"), LoanMode::Restricted);
    assert_eq!(on("2028-03-01"), LoanMode::TakeHome);
    assert_eq!(mode(&standing(false, false, true), day("2028-03-01")), LoanMode::Restricted);
    assert_eq!(mode(&standing(true, false, true), day("2028-02-29")), LoanMode::Deposit);
    assert_eq!(mode(&standing(true, true, true), day("2028-02-29")), LoanMode::Lost);
}

fn held(loan: LoanId) -> Held {
    Held { loan, serial: "DMPX00000002".parse().unwrap() }
}

fn ready() -> (HolderFacts, TabletFacts) {
    let seen = Reported::Present(noon("2027-10-31"));
    let holder = HolderFacts {
        lending_validated: true,
        in_a_school_year: true,
        listed: true,
        leaves_on: None,
        holds: None,
        charter_adopted_on: Some(day("2027-09-01")),
    };
    let tablet = TabletFacts {
        of_the_college: true,
        lent: None,
        clean: true,
        incident_open: false,
        set_aside: false,
        enrolled: true,
        supervised_or_excepted: true,
        base_profile: seen,
        base_apps: vec![("Capytale".into(), seen)],
        complementary_apps: vec![("GeoGebra".into(), Reported::Never)],
    };
    (holder, tablet)
}

#[test]
fn c5_3_4_the_light_names_exactly_what_stands_in_the_way_with_its_rule() {
    let now = noon("2027-11-02");
    let loan = LoanId::new(now);
    let stale = Reported::Present(now.minus(DAY * 7 + types::Duration::from_millis(1)));
    assert!(light(&ready().0, &ready().1, now).is_ready());
    assert_eq!(light(&ready().0, &ready().1, now).warnings(), ["GeoGebra"], "complementary apps only warn");

    type Spoil = fn(&mut HolderFacts, &mut TabletFacts, LoanId, Reported);
    let cases: [(Obstacle, RuleId, Spoil); 17] = [
        (Obstacle::LendingOff, RuleId::C3_1_6, |holder, _, _, _| holder.lending_validated = false),
        (Obstacle::NoSchoolYear, RuleId::C9_1, |holder, _, _, _| holder.in_a_school_year = false),
        (Obstacle::NotListed, RuleId::C4_2, |holder, _, _, _| holder.listed = false),
        (Obstacle::HasLeft(day("2027-11-01")), RuleId::C5_2_3, |holder, _, _, _| {
            holder.leaves_on = Some(day("2027-11-01"));
        }),
        (Obstacle::HoldsOne(held(loan)), RuleId::C5_3_1, |holder, _, loan, _| {
            holder.holds = Some(held(loan))
        }),
        (Obstacle::NoCharter, RuleId::C3_3_5, |holder, _, _, _| holder.charter_adopted_on = None),
        (Obstacle::NoCharter, RuleId::C3_3_5, |holder, _, _, _| {
            holder.charter_adopted_on = Some(day("2027-11-03"));
        }),
        (Obstacle::OfAnotherCollege, RuleId::C3_3_4, |_, tablet, _, _| tablet.of_the_college = false),
        (Obstacle::Lent(loan), RuleId::C5_3_1, |_, tablet, loan, _| tablet.lent = Some(loan)),
        (Obstacle::NotErased, RuleId::C5_3_5, |_, tablet, _, _| tablet.clean = false),
        (Obstacle::IncidentOpen, RuleId::C5_4_2, |_, tablet, _, _| tablet.incident_open = true),
        (Obstacle::SetAside, RuleId::C3_3_2, |_, tablet, _, _| tablet.set_aside = true),
        (Obstacle::NotEnrolled, RuleId::C3_1_4, |_, tablet, _, _| tablet.enrolled = false),
        (Obstacle::NotSupervised, RuleId::C5_3_2, |_, tablet, _, _| tablet.supervised_or_excepted = false),
        (Obstacle::NoBase, RuleId::C3_1_5, |_, tablet, _, _| tablet.base_profile = Reported::NotGiven),
        (Obstacle::BaseProfile(stale), RuleId::C5_3_4, |_, tablet, _, stale| tablet.base_profile = stale),
        (
            Obstacle::BaseApp { app: "Capytale".into(), reported: stale },
            RuleId::C5_3_4,
            |_, tablet, _, stale| tablet.base_apps = vec![("Capytale".into(), stale)],
        ),
    ];
    for (obstacle, rule, spoil) in cases {
        let (mut holder, mut tablet) = ready();
        spoil(&mut holder, &mut tablet, loan, stale);
        let shown = light(&holder, &tablet, now);
        assert_eq!(shown.obstacles(), std::slice::from_ref(&obstacle));
        assert_eq!(obstacle.rule(), rule);
        assert!(!shown.is_ready());
        let refused = shown.clone().hand_over(false).unwrap_err();
        assert_eq!(refused.to_string(), format!("the tablet cannot be handed over: {obstacle} ({rule})"));
        assert_eq!(refused.rule(), rule);
        // A head signs over what is not on the tablet yet, and over nothing else.
        match shown.hand_over(true) {
            Ok(ready) => {
                assert_eq!(ready.reserve(), std::slice::from_ref(&obstacle));
                assert_eq!(rule, RuleId::C5_3_4);
            }
            Err(still) => assert_eq!((still.rule() == rule, obstacle.may_be_signed_over()), (true, false)),
        }
    }
}

#[test]
fn c5_3_4_a_head_who_signs_a_reserve_does_not_sign_over_what_else_stands_in_the_way() {
    let (mut holder, mut tablet) = ready();
    tablet.base_profile = Reported::Never;
    holder.listed = false;
    let refused = light(&holder, &tablet, noon("2027-11-02")).hand_over(true).unwrap_err();
    assert_eq!(refused, Refused::NotReady(vec![Obstacle::NotListed]));
}

#[test]
fn c5_2_3_whoever_leaves_today_is_here_today() {
    let (mut holder, tablet) = ready();
    holder.leaves_on = Some(day("2027-11-02"));
    assert!(light(&holder, &tablet, noon("2027-11-02")).is_ready());
}

#[test]
fn what_did_not_come_back_is_named() {
    let counter = |names: &[&str]| OverTheCounter {
        accessories: names.iter().map(|name| (*name).to_owned()).collect(),
        condition: "bon état".parse().unwrap(),
    };
    let out = counter(&["charger", "cover"]);
    assert_eq!(counter(&["cover", "pen"]).missing_from(&out).collect::<Vec<_>>(), ["charger"]);
}

fn lent(kind: UserKind) -> Loan {
    let now = noon("2027-09-10");
    Loan::from_row(LoanId::new(now), TabletId::new(now), PersonId::new(now), kind, LoanState::Lent)
}

#[test]
fn c5_3_1_a_loan_suspended_by_an_incident_or_a_repair_does_not_count_and_a_confiscation_does() {
    let loan = lent(UserKind::Pupil);
    assert!(loan.counts());
    for why in Suspension::ALL {
        let rests = loan.suspend(*why).unwrap();
        assert!(rests.goes_on());
        assert_eq!(rests.counts(), *why == Suspension::Confiscated, "{why}");
        assert!(rests.suspend(*why).is_err());
        let another = LoanId::new(noon("2027-10-10"));
        assert_eq!(rests.resume(Some(another)), Err(Refused::HoldsAnother(another)));
        assert_eq!(rests.resume(None).unwrap(), loan);
    }
}

#[test]
fn c5_2_2_what_was_confiscated_in_deposit_lies_in_deposit_again() {
    let kept = lent(UserKind::Pupil).deposit(&year(), noon("2028-06-24")).unwrap();
    for why in Suspension::ALL {
        let rests = kept.suspend(*why).unwrap();
        assert_eq!(rests.resume(None).unwrap(), kept, "{why}");
    }
    // What broke goes to its supplier; what was confiscated is given back first.
    let broken = kept.suspend(Suspension::Incident).unwrap();
    assert_eq!(broken.suspend(Suspension::Repair).unwrap().resume(None).unwrap(), kept);
    assert!(broken.suspend(Suspension::Confiscated).is_err());
    for why in Suspension::ALL {
        assert!(kept.suspend(Suspension::Confiscated).unwrap().suspend(*why).is_err(), "{why}");
        assert!(kept.suspend(Suspension::Repair).unwrap().suspend(*why).is_err(), "{why}");
    }
}

#[test]
fn c5_2_5_a_restriction_ends_with_the_year_and_with_attendance_at_the_latest() {
    let (loan, year) = (lent(UserKind::Pupil), year());
    let last = year.last_day();
    assert_eq!(loan.may_be_restricted(last, &year, None), Ok(()));
    let late = loan.may_be_restricted(last.plus(1), &year, None);
    assert_eq!(late, Err(Refused::RestrictedTooLong { last }));
    let leaves = day("2028-03-31");
    assert_eq!(loan.may_be_restricted(leaves, &year, Some(leaves)), Ok(()));
    let late = loan.may_be_restricted(leaves.plus(1), &year, Some(leaves));
    assert_eq!(late, Err(Refused::RestrictedTooLong { last: leaves }));
    assert!(loan.may_be_restricted(last.plus(1), &year, Some(last.plus(30))).is_err(), "the year ends first");
    let over = loan.end(Ending::Breach, noon("2028-01-10")).unwrap();
    assert!(over.may_be_restricted(leaves, &year, None).is_err());
}

#[test]
fn c5_2_2_a_pupils_deposit_keeps_the_loan_and_ends_with_the_summer() {
    let (loan, year) = (lent(UserKind::Pupil), year());
    assert_eq!(lent(UserKind::Teacher).deposit(&year, noon("2028-07-08")), Err(Refused::NotAPupil));
    assert!(loan.deposit(&year, noon("2028-06-23")).is_err(), "a fortnight before the break, not earlier");
    let kept = loan.deposit(&year, noon("2028-06-24")).unwrap();
    assert!(kept.goes_on() && kept.counts());
    assert_eq!((kept.loan(), kept.tablet(), kept.holder()), (loan.loan(), loan.tablet(), loan.holder()));
    assert_eq!(kept.hand_out_again(Some(&year), noon("2028-08-31")), Err(Refused::StillSummer));
    assert_eq!(kept.hand_out_again(None, noon("2028-09-01")).unwrap(), loan);
    assert!(loan.deposit(&year, noon("2028-08-31")).is_ok(), "until the year’s last day");
    assert!(loan.deposit(&year, noon("2028-09-01")).is_err(), "and not in the next");
    assert!(loan.deposit(&year, noon("2028-11-02")).is_err());
}

#[test]
fn c5_2_4_who_ends_a_loan_by_letter_is_the_user_or_a_pupils_guardians() {
    let letter =
        |from, dated| Ending::Letter { from, dated: day(dated), reference: "RAR 1A 001".parse().unwrap() };
    let at = noon("2028-01-10");
    let ended = lent(UserKind::Pupil).end(letter(LetterWriter::Guardians, "2028-01-08"), at).unwrap();
    assert!(!ended.goes_on() && !ended.counts());
    assert!(ended.end(Ending::Breach, at).is_err(), "it ends once");
    assert_eq!(
        lent(UserKind::Teacher).end(letter(LetterWriter::Guardians, "2028-01-08"), at),
        Err(Refused::NotTheirs)
    );
    assert_eq!(
        lent(UserKind::Pupil).end(letter(LetterWriter::User, "2028-01-11"), at),
        Err(Refused::LetterFromTheFuture(day("2028-01-11")))
    );
    for kind in [UserKind::Pupil, UserKind::Teacher] {
        let today = lent(kind).end(letter(LetterWriter::User, "2028-01-10"), at);
        assert!(today.is_ok(), "{kind}: one who writes for themselves, today");
    }
}

#[test]
fn c5_3_1_a_loan_that_a_slip_ended_goes_on_unless_its_holder_has_another() {
    let (loan, at) = (lent(UserKind::Pupil), noon("2028-01-10"));
    let ended = loan.end(Ending::GivenBack, at).unwrap();
    let (another, stood) = (LoanId::new(at), LoanState::Lent);
    assert_eq!(ended.goes_on_after_a_slip(&stood, false, None), Ok(loan.clone()));
    let two = ended.goes_on_after_a_slip(&stood, false, Some(another));
    assert_eq!(two, Err(Refused::HoldsAnother(another)));
    let breach = loan.end(Ending::Breach, at).unwrap();
    for other in [loan.clone(), breach.clone()] {
        let again = other.goes_on_after_a_slip(&stood, false, None);
        assert!(again.is_err(), "no receipt ended it: {:?}", other.state());
    }
    assert!(ended.goes_on_after_a_slip(breach.state(), false, None).is_err(), "it was over before");
}

#[test]
fn c5_2_2_c5_3_6_a_loan_that_a_slip_ended_stands_as_it_stood() {
    let lent = lent(UserKind::Pupil);
    let kept = lent.deposit(&year(), noon("2028-06-24")).unwrap();
    let (at, another) = (noon("2028-06-30"), LoanId::new(noon("2028-06-29")));
    let slip = |stood: &Loan, open, other| {
        stood.end(Ending::GivenBack, at).unwrap().goes_on_after_a_slip(stood.state(), open, other)
    };
    for before in [&lent, &kept] {
        assert_eq!(slip(before, false, None).as_ref(), Ok(before));
        for why in Suspension::ALL {
            let rests = before.suspend(*why).unwrap();
            assert_eq!(slip(&rests, true, None).as_ref(), Ok(&rests), "{why}");
            // What does not count keeps nobody from holding another (C5.3.1).
            let beside = slip(&rests, true, Some(another));
            assert_eq!(beside.is_ok(), !why.counts(), "{why}");
        }
        // An incident that was closed meanwhile keeps nothing from going on, unless they hold another by it.
        let rests = before.suspend(Suspension::Incident).unwrap();
        assert_eq!(slip(&rests, false, None).as_ref(), Ok(before));
        assert_eq!(slip(&rests, false, Some(another)).as_ref(), Ok(&rests));
    }
}

#[test]
fn a_school_year_has_its_break_within_it_or_right_after() {
    let make = |summer: (&str, &str)| {
        SchoolYear::new("y", day("2027-09-01"), day("2028-07-07"), (day(summer.0), day(summer.1)))
    };
    let year = make(("2028-07-08", "2028-08-31")).unwrap();
    assert!(
        year.holds(day("2028-08-31")) && !year.holds(day("2028-09-01")) && year.is_summer(day("2028-07-08"))
    );
    assert!(make(("2028-07-10", "2028-08-31")).is_err() && make(("2028-07-08", "2028-07-01")).is_err());
    assert!(make(("2027-09-01", "2028-07-01")).is_err());
    let (only, next) = (day("2027-09-01"), day("2027-09-02"));
    assert!(SchoolYear::new("y", only, only, (next, next)).is_err(), "a year of one day is none");
}
