//! Second persons: whose word counts, for what, and until when.

use proptest::prelude::*;
use serde_json::json;
use types::{CountersignatureId, Digest, Role, RuleId, TabletId, WarrantId};

use super::world::*;
use crate::countersignature::{
    Asked, Content, CountersignatureState, Countersigned, NotAsked, NotCountersigned, Parties, Purpose,
    Question, SecondPerson, Subject, Verdict,
};
use crate::{Access, AccountState, Deed, GrantReach, Hands, Maker, NotAllowed, Permission, Scope, Standing};

/// Somebody who opens campaigns, and somebody else.
struct Two {
    asker: Person,
    second: Person,
    hands: Hands,
}

impl Two {
    fn new() -> Self {
        let ours = departement();
        let of = |role| Person::of(&ours).with(role);
        Self { asker: of(Role::Operator), second: of(Role::Administrator), hands: nobody_made_anybody() }
    }

    fn ask(&self) -> Asked {
        let id = CountersignatureId::new(now());
        Asked::ask(id, campaign(), &self.asker.standing(), &session(now()), now()).unwrap()
    }

    fn given(&self, at: types::Instant) -> Result<Asked, NotCountersigned> {
        let (asker, second) = (self.asker.standing(), self.second.standing());
        given(&self.ask(), Parties { asker: &asker, second: &second, hands: &self.hands }, at)
    }

    fn use_it(&self, asked: &Asked, at: types::Instant) -> Result<Countersigned, NotCountersigned> {
        let Question { purpose, subject, content, .. } = campaign();
        self.use_for(asked, (purpose, &subject, &content), at)
    }

    fn use_for(
        &self,
        asked: &Asked,
        (purpose, subject, content): (Purpose, &Subject, &Content),
        at: types::Instant,
    ) -> Result<Countersigned, NotCountersigned> {
        let (asker, second) = (self.asker.standing(), self.second.standing());
        let parties = Parties { asker: &asker, second: &second, hands: &self.hands };
        Countersigned::read_back(asked, purpose, subject, content, parties, at)
    }
}

fn content(ceiling: u32) -> Content {
    Content::new(&json!({ "ceiling": ceiling })).unwrap()
}

fn campaign() -> Question {
    question(Purpose::OpenCampaign, (Subject::Campaign, content(1_000)), SecondPerson::Departement)
}

#[test]
fn what_a_second_person_signed_is_used_for_exactly_that() {
    let two = Two::new();
    let asked = two.given(now()).unwrap();
    let proof = two.use_it(&asked, now().plus(MINUTE)).unwrap();
    assert!(proof.is_for(Purpose::OpenCampaign, &Subject::Campaign, &content(1_000)));
    assert_eq!((proof.asked_by(), proof.answered_by()), (two.asker.id, two.second.id));
    assert_eq!((proof.id(), proof.answered_at()), (asked.id(), now()));

    for (purpose, subject, ceiling, what) in [
        (Purpose::OpenCampaign, Subject::Campaign, 100_000, "content"),
        (Purpose::OpenCampaign, Subject::Held, 1_000, "subject"),
        (Purpose::ExceedBudget, Subject::Campaign, 1_000, "purpose"),
    ] {
        let outcome = two.use_for(&asked, (purpose, &subject, &content(ceiling)), now());
        assert_eq!(outcome, Err(NotCountersigned::ForAnother { what }));
    }
    assert!(!proof.is_for(Purpose::OpenCampaign, &Subject::Campaign, &content(1_001)));
}

#[test]
fn a_signature_serves_once() {
    let two = Two::new();
    let mut row = two.given(now()).unwrap().to_row();
    (row.used_at, row.used_for) = (Some(now()), Some("campaign".to_owned()));
    let used = two.use_it(&read(row), now().plus(MINUTE));
    assert_eq!(used, Err(NotCountersigned::Used { at: now() }));
}

#[test]
fn nobody_signs_for_themselves() {
    let two = Two::new();
    let alone = Two { second: two.asker.clone().with(Role::Administrator), ..two };
    assert_eq!(alone.given(now()), Err(NotCountersigned::Oneself));
}

#[test]
fn c3_1_7_nobodys_own_creature_signs_for_them_nor_the_other_way_round() {
    for deed in Deed::ALL {
        let mut two = Two::new();
        let (asker, second) = (two.asker.standing(), two.second.standing());
        for (made_one, by) in [(&second, &asker), (&asker, &second)] {
            two.hands = Hands::of(&[made(made_one, by, *deed, now().minus(DAY * 30))], now());
            assert_eq!(two.given(now()), Err(NotCountersigned::OneHand), "{deed}");
            two.hands = Hands::of(&[made(made_one, by, *deed, now().minus(DAY * 31))], now());
            assert!(two.given(now()).is_ok());
        }
    }
    assert_eq!(NotCountersigned::OneHand.rule(Purpose::OpenCampaign), RuleId::C3_1_7);
    assert_eq!(NotCountersigned::Oneself.rule(Purpose::OpenCampaign), RuleId::M5);
}

#[test]
fn c3_1_7_a_role_given_by_whoever_asks_does_not_make_a_second_person() {
    let mut two = Two::new();
    let old = now().minus(DAY * 31);
    let asker = two.asker.standing();
    let promoted = |at| Person::of(&departement()).with(Role::Administrator).given(&asker, at);
    // An account of old that nobody made of late, promoted for the purpose.
    two.second = Person { organisation: two.asker.organisation.clone(), ..promoted(now().minus(DAY)) };
    assert_eq!(two.given(now()), Err(NotCountersigned::RoleFromTheAsker));
    two.second = Person { organisation: two.asker.organisation.clone(), ..promoted(old) };
    assert!(two.given(now()).is_ok());

    // By somebody who stands behind whoever asks.
    let maker = someone(&two.asker.organisation, Role::Administrator);
    two.second = Person::of(&two.asker.organisation).with(Role::Administrator).given(&maker, now());
    assert!(two.given(now()).is_ok());
    two.hands = Hands::of(&[made(&asker, &maker, Deed::PasswordReset, now())], now());
    assert_eq!(two.given(now()), Err(NotCountersigned::RoleFromTheAsker));
    // By a creature of whoever asks.
    two.hands = Hands::of(&[made(&maker, &asker, Deed::Created, now())], now());
    assert_eq!(two.given(now()), Err(NotCountersigned::RoleFromTheAsker));
    // Another role, from somebody else, is enough.
    two.second = two.second.clone().with(Role::Operator);
    assert!(two.given(now()).is_ok());
}

#[test]
fn c3_1_7_an_approver_whose_password_the_author_reset_yesterday_does_not_approve() {
    let (ours, theirs) = (departement(), academie());
    let author = someone(&ours, Role::Administrator);
    let version = Digest::of(b"profile");
    let approve = |of: &Standing, hands: &Hands| {
        let who = SecondPerson::Approver { organisation: of.organisation().id() };
        let question = question(Purpose::Approve, (Subject::Version(version), content(1)), who);
        countersigned(question, Parties { asker: &author, second: of, hands }, now()).map(drop)
    };
    let (own, their) = (someone(&ours, Role::Approver), someone(&theirs, Role::Approver));
    assert_eq!(approve(&own, &nobody_made_anybody()), Ok(()));
    assert_eq!(approve(&their, &nobody_made_anybody()), Ok(()));
    for deed in Deed::ALL {
        let reset = Hands::of(&[made(&own, &author, *deed, now().minus(DAY))], now());
        assert_eq!(approve(&own, &reset), Err(NotCountersigned::OneHand), "{deed}");
    }
    // Whoever reset the approver's account reset the author's, too: one person may be both.
    let third = someone(&ours, Role::Administrator);
    let both = [&own, &author].map(|account| made(account, &third, Deed::PasswordReset, now()));
    assert_eq!(approve(&own, &Hands::of(&both, now())), Err(NotCountersigned::OneHand));
    // Administrators manage accounts; that is no right to approve.
    let refused = approve(&someone(&ours, Role::Administrator), &nobody_made_anybody());
    assert!(matches!(refused, Err(NotCountersigned::NotTheSecond { .. } | NotCountersigned::NotAllowed(_))));
}

#[test]
fn c3_1_7_whoever_signs_for_the_departement_stands_behind_nobody_who_signs_for_the_academie() {
    let (ours, theirs) = (departement(), academie());
    let author = someone(&ours, Role::Operator);
    let (own, their, other) = (
        someone(&ours, Role::Approver),
        someone(&theirs, Role::Approver),
        someone(&theirs, Role::Administrator),
    );
    let approve = |second: &Standing, hands: &Hands| {
        let who = SecondPerson::Approver { organisation: second.organisation().id() };
        let question = question(Purpose::Approve, (Subject::Version(Digest::of(b"x")), content(1)), who);
        countersigned(question, Parties { asker: &author, second, hands }, now()).unwrap()
    };
    let independent = |hands: &Hands| approve(&own, hands).is_independent_of(&approve(&their, hands), hands);
    assert!(independent(&nobody_made_anybody()));
    // The département's approver invited whoever invited the académie's.
    let invited = [
        made(&other, &own, Deed::Created, now().minus(DAY * 20)),
        made(&their, &other, Deed::Created, now().minus(DAY * 10)),
    ];
    assert!(!independent(&Hands::of(&invited, now())));
}

#[test]
fn c3_1_7_a_right_to_approve_that_is_not_in_force_yet_signs_nothing() {
    let theirs = academie();
    let author = someone(&departement(), Role::Operator);
    let mut approver = Person::of(&theirs).with(Role::Approver);
    let approve = |approver: &Person| {
        let who = SecondPerson::Approver { organisation: theirs.id() };
        let question = question(Purpose::Approve, (Subject::Version(Digest::of(b"x")), content(1)), who);
        let second = approver.standing();
        let parties = Parties { asker: &author, second: &second, hands: &nobody_made_anybody() };
        countersigned(question, parties, now()).map(drop)
    };
    let grant = &mut approver.grants[0];
    (grant.confirmed_at, grant.effective_at) = (Some(now().minus(HOUR * 23)), Some(now().plus(HOUR)));
    let no_role = NotAllowed::NoRole { permission: Permission::AnswerCountersignature };
    assert_eq!(approve(&approver), Err(NotCountersigned::NotAllowed(no_role)));
    let grant = &mut approver.grants[0];
    (grant.confirmed_at, grant.effective_at) = (Some(now().minus(DAY)), Some(now()));
    assert_eq!(approve(&approver), Ok(()));
}

/// Lets time pass and things happen between asking, answering and using.
#[test]
fn t_c14_an_account_that_is_demoted_or_suspended_while_its_request_waits_gets_nothing() {
    let suspended = |person: &mut Person| person.state = AccountState::Suspended;
    let demoted = |person: &mut Person| {
        (person.grants[0].revoked_at, person.grants[0].revoked_by) = (Some(now()), Some(Maker::Host));
    };
    let ways: [fn(&mut Person); 2] = [suspended, demoted];
    for lose in ways {
        // Between asking and answering.
        let mut two = Two::new();
        let asked = two.ask();
        lose(&mut two.asker);
        let (asker, second) = (two.asker.standing(), two.second.standing());
        let parties = Parties { asker: &asker, second: &second, hands: &two.hands };
        assert_eq!(given(&asked, parties, now()), Err(NotCountersigned::AskerLeft));
        // Refusing is still possible.
        let seen = asked.question().content.digest();
        let refused = asked.answer(Verdict::Refuse, seen, parties, &session(now()), now()).unwrap();
        assert_eq!(refused.state(), CountersignatureState::Refused);

        // Between answering and using: whoever asked.
        let mut two = Two::new();
        let asked = two.given(now()).unwrap();
        lose(&mut two.asker);
        assert_eq!(two.use_it(&asked, now()), Err(NotCountersigned::AskerLeft));

        // Between answering and using: whoever signed no longer stands by it.
        let mut two = Two::new();
        let asked = two.given(now()).unwrap();
        lose(&mut two.second);
        assert!(two.use_it(&asked, now()).is_err());
    }
}

#[test]
fn c3_1_7_a_reset_between_the_answer_and_its_use_unties_the_two_persons() {
    let mut two = Two::new();
    let asked = two.given(now()).unwrap();
    let (asker, second) = (two.asker.standing(), two.second.standing());
    two.hands = Hands::of(&[made(&second, &asker, Deed::PasswordReset, now().plus(MINUTE))], now());
    assert_eq!(two.use_it(&asked, now().plus(HOUR)), Err(NotCountersigned::OneHand));
}

#[test]
fn an_answer_is_never_late_and_never_early_even_with_the_clock_set_back() {
    let two = Two::new();
    let wait = Purpose::OpenCampaign.waits_for();
    let expired = Err(NotCountersigned::Ended { state: CountersignatureState::Expired });
    assert!(two.given(now().plus(wait).minus(MILLISECOND)).is_ok());
    assert_eq!(two.given(now().plus(wait)), expired);
    assert_eq!(two.ask().state(now().plus(wait)), CountersignatureState::Expired);
    assert_eq!(two.given(now().minus(MILLISECOND)), Err(NotCountersigned::InTheFuture { at: now() }));
}

#[test]
fn a_signature_is_no_stock_and_a_clock_set_back_makes_it_none() {
    let two = Two::new();
    let signed_at = now().plus(HOUR);
    let asked = two.given(signed_at).unwrap();
    let good = Purpose::OpenCampaign.good_for();
    assert!(two.use_it(&asked, signed_at.plus(good).minus(MILLISECOND)).is_ok());
    let stale = Err(NotCountersigned::Stale { at: signed_at });
    assert_eq!(two.use_it(&asked, signed_at.plus(good)), stale);
    let early = Err(NotCountersigned::InTheFuture { at: signed_at });
    assert_eq!(two.use_it(&asked, signed_at.minus(MILLISECOND)), early);
}

#[test]
fn only_what_waits_is_answered_and_only_what_was_given_is_used() {
    let two = Two::new();
    for state in CountersignatureState::ALL {
        let mut row = two.ask().to_row();
        row.state = *state;
        if matches!(state, CountersignatureState::Given | CountersignatureState::Refused) {
            (row.answered_by, row.answered_at) = (Some(two.second.id), Some(now()));
        }
        let asked = read(row);
        let (asker, second) = (two.asker.standing(), two.second.standing());
        let parties = Parties { asker: &asker, second: &second, hands: &two.hands };
        let answerable = given(&asked, parties, now()).is_ok();
        assert_eq!(answerable, *state == CountersignatureState::Waiting, "{state}");
        assert_eq!(asked.withdraw(&asker, now()).is_ok(), answerable, "{state}");
        assert_eq!(two.use_it(&asked, now()).is_ok(), *state == CountersignatureState::Given, "{state}");
    }
    let stranger = someone(&departement(), Role::Operator);
    assert_eq!(two.ask().withdraw(&stranger, now()), Err(NotCountersigned::OtherParties));
}

#[test]
fn whoever_answers_names_what_they_saw() {
    let two = Two::new();
    let (asker, second) = (two.asker.standing(), two.second.standing());
    let parties = Parties { asker: &asker, second: &second, hands: &two.hands };
    for verdict in [Verdict::Give, Verdict::Refuse] {
        let answer = two.ask().answer(verdict, content(10).digest(), parties, &session(now()), now());
        assert_eq!(answer, Err(NotCountersigned::NotSeen));
    }
}

#[test]
fn t_c14_a_stolen_token_or_an_old_session_signs_nothing() {
    let two = Two::new();
    let (asker, second) = (two.asker.standing(), two.second.standing());
    let parties = Parties { asker: &asker, second: &second, hands: &two.hands };
    let token = Access::Token { scope: Scope::Operate, colleges: None, stepped_up_at: None };
    let old = session(now().minus(MINUTE * 5));
    for access in [token, old] {
        let seen = content(1_000).digest();
        let answer = two.ask().answer(Verdict::Give, seen, parties, &access, now());
        assert!(matches!(answer, Err(NotCountersigned::NotAllowed(NotAllowed::StepUp { .. }))));
    }
}

#[test]
fn t_c1_a_token_that_is_limited_to_colleges_signs_for_nothing_beyond_them() {
    let (asker, second) = (someone(&departement(), Role::Operator), someone(&departement(), Role::Operator));
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    let warrant = |number| {
        let about = (Subject::Warrant(WarrantId::new(now())), content(1));
        question(Purpose::ExtendWarrant, about, SecondPerson::HeadOrDepartement { uai: uai(number) })
    };
    let answer = |question: Question| {
        let (id, seen) = (CountersignatureId::new(now()), question.content.digest());
        let asked = Asked::ask(id, question, &asker, &session(now()), now()).unwrap();
        let colleges = Some(uais(&[1]));
        let token = Access::Token { scope: Scope::Operate, colleges, stepped_up_at: Some(now()) };
        asked.answer(Verdict::Give, seen, parties, &token, now()).map(|_given| ())
    };
    assert_eq!(answer(warrant(1)), Ok(()));
    assert_eq!(answer(warrant(2)), Err(NotCountersigned::BeyondTheToken));
    assert_eq!(answer(campaign()), Err(NotCountersigned::BeyondTheToken));
}

#[test]
fn m5_the_departements_second_person_is_one_for_the_whole_of_it() {
    let ours = departement();
    let with = |second: Person| Two { second, ..Two::new() }.given(now()).is_ok();
    assert!(with(Person::of(&ours).with(Role::Operator)));
    assert!(with(Person::of(&ours).with(Role::Administrator)));
    assert!(!with(Person::of(&ours).reaching(Role::Operator, GrantReach::Colleges(uais(&[1])))));
    assert!(!with(Person::of(&ours).with(Role::Approver)));
    assert!(!with(Person::of(&ours).with(Role::Ati)));
    assert!(!with(Person::of(&ours).with(Role::Auditor)));
    assert!(!with(Person::of(&academie()).with(Role::Administrator)));
    assert!(!with(Person::of(&college(1)).with(Role::Head)));
}

#[test]
fn m1_a_warrant_is_extended_by_the_head_of_that_college_or_by_the_departement() {
    let head_of = |number| someone(&college(number), Role::Head);
    let asker = someone(&departement(), Role::Operator);
    let extend = |second: &Standing| {
        let about = (Subject::Warrant(WarrantId::new(now())), content(1));
        let question =
            question(Purpose::ExtendWarrant, about, SecondPerson::HeadOrDepartement { uai: uai(1) });
        countersigned(question, Parties { asker: &asker, second, hands: &nobody_made_anybody() }, now())
            .is_ok()
    };
    assert!(extend(&head_of(1)) && !extend(&head_of(2)));
    assert!(extend(&someone(&departement(), Role::Operator)));
    let scoped = |number| {
        let reach = GrantReach::Colleges(uais(&[number]));
        Person::of(&departement()).reaching(Role::Operator, reach).standing()
    };
    assert!(extend(&scoped(1)) && !extend(&scoped(2)));
    assert!(!extend(&someone(&college(1), Role::Referent)));
}

#[test]
fn a_question_is_about_what_its_purpose_is_about_and_says_why() {
    let two = Two::new();
    let ask = |question: Question| {
        Asked::ask(CountersignatureId::new(now()), question, &two.asker.standing(), &session(now()), now())
    };
    let strange = Question { subject: Subject::Tablet(TabletId::new(now())), ..campaign() };
    assert!(matches!(ask(strange), Err(NotAsked::AnotherSubject { .. })));
    let anyone = Question { second: SecondPerson::Manager { organisation: academie().id() }, ..campaign() };
    assert!(matches!(ask(anyone), Err(NotAsked::AnotherSecond { .. })));
    for reason in ["", "  ", "a\u{7}b", "x".repeat(501).as_str()] {
        assert_eq!(ask(Question { reason: reason.to_owned(), ..campaign() }), Err(NotAsked::NoReason));
    }
    let approver = someone(&academie(), Role::Approver);
    let refused = Asked::ask(CountersignatureId::new(now()), campaign(), &approver, &session(now()), now())
        .unwrap_err();
    let no_role = NotAllowed::NoRole { permission: Permission::OpenCampaign };
    assert_eq!(refused, NotAsked::NotAllowed(no_role), "who may not open campaigns asks for none");
}

proptest! {
    /// Whenever it is asked, answered and used, a signature counts exactly inside its two windows.
    #[test]
    fn a_signature_counts_within_its_windows_and_nowhere_else(
        answered in -2_000_000_i64..3_000_000_000, used in -2_000_000_i64..6_000_000_000_i64,
        purpose in 0_usize..3,
    ) {
        let purpose = [Purpose::OpenCampaign, Purpose::ExceedBudget, Purpose::ReleaseBrake][purpose];
        let subject = match purpose {
            Purpose::ExceedBudget => Subject::Held,
            Purpose::ReleaseBrake => Subject::Switch,
            _ => Subject::Campaign,
        };
        let ours = departement();
        let (asker, second) = (someone(&ours, Role::Operator), someone(&ours, Role::Operator));
        let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
        let question = question(purpose, (subject.clone(), content(1)), SecondPerson::Departement);
        let id = CountersignatureId::new(now());
        let asked = Asked::ask(id, question, &asker, &session(now()), now()).unwrap();
        let at = |millis: i64| types::Instant::from_millis(now().as_millis() + millis);

        let outcome = given(&asked, parties, at(answered));
        let in_time = answered >= 0 && at(answered) < now().plus(purpose.waits_for());
        prop_assert_eq!(outcome.is_ok(), in_time);
        if let Ok(asked) = outcome {
            let proof = Countersigned::read_back(&asked, purpose, &subject, &content(1), parties, at(used));
            let fresh = used >= answered && at(used) < at(answered).plus(purpose.good_for());
            prop_assert_eq!(proof.is_ok(), fresh);
        }
    }
}
