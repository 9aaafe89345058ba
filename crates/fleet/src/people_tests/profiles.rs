//! What is on tablets: nobody alone, exactly what was approved, and in the open.

#![expect(clippy::disallowed_methods, reason = "tests act as the calendar, too")]

use std::collections::BTreeSet;

use ::profiles::{LayerKey, RolloutPlan, RolloutState, Wave};
use governance::countersignature::NotCountersigned;
use store::account_makers::{self, Deed};
use store::profile_versions::{self as rows, VersionState as State};
use testkit::people::Employer;
use types::{
    AccountId, Actor, Day, Duration, Instant, ProfileVersionId, Role, RuleId, Secret, TabletId, Uai,
};

use super::fixture::{People, SERIAL, days, engines, now};
use crate::page::Page;
use crate::profiles::{self, Shown, Wanted, When};
use crate::{Principal, Refusal, accounts};

pub(super) const BASE: &str = include_str!("../../../../profiles/socle.toml");
pub(super) const EMERGENCY: &str = include_str!("../../../../profiles/urgence.toml");
pub(super) const PUPIL: &str = include_str!("../../../../profiles/eleve.toml");
pub(super) const HERE: &str = "0761234A";

/// A base that says the same and has another digest.
pub(super) fn base(number: u32) -> Secret<String> {
    Secret::new(format!("{BASE}\n# {number}\n"))
}

pub(super) fn college(uai: &str, rest: &str) -> Secret<String> {
    Secret::new(format!(
        "layer = \"college\"\nuai = \"{uai}\"\ntitle = \"Collège\"\npurpose = \"Ce que nous ajoutons.\"\n{rest}"
    ))
}

/// An author, somebody who approves for the département, somebody who does for the académie, and a head.
pub(super) struct Cast {
    pub(super) people: People,
    pub(super) author: Principal,
    pub(super) departement: (AccountId, Principal),
    pub(super) academie: (AccountId, Principal),
    pub(super) head: (AccountId, Principal),
}

impl Cast {
    pub(super) async fn new(engine: store::Engine) -> Self {
        let people = People::stocked(engine).await;
        let departement = people.someone(Employer::Departement, "denis", &[Role::Approver]).await;
        let academie = people.someone(Employer::Academie, "anne", &[Role::Approver]).await;
        let of = Employer::College(HERE.parse().unwrap());
        let head = people.someone(of, "helene", &[Role::Head]).await;
        let author = people.operator.clone();
        people.offers(BASE).await;
        Self { people, author, departement, academie, head }
    }

    pub(super) async fn draft(&self, text: Secret<String>) -> Shown {
        profiles::draft(&self.people.fleet, &self.author, text, now()).await.unwrap()
    }

    pub(super) async fn submitted(&self, text: Secret<String>) -> Shown {
        let id = id(&self.draft(text).await);
        profiles::submit(&self.people.fleet, &self.author, id, "september", now()).await.unwrap()
    }

    pub(super) async fn approves(&self, by: &Principal, shown: &Shown) -> Result<Shown, Refusal> {
        let sha256 = shown.line.version.content_sha256;
        profiles::approve(&self.people.fleet, by, id(shown), sha256, now()).await
    }

    pub(super) async fn approved(&self, text: Secret<String>) -> Shown {
        let shown = self.submitted(text).await;
        self.approves(&self.departement.1, &shown).await.unwrap();
        self.approves(&self.academie.1, &shown).await.unwrap()
    }

    pub(super) async fn publishes(&self, shown: &Shown, when: When) -> Result<Shown, Refusal> {
        profiles::publish(&self.people.fleet, &self.author, id(shown), when, now()).await
    }

    pub(super) async fn published(&self, text: Secret<String>) -> Shown {
        let shown = self.approved(text).await;
        self.publishes(&shown, When::default()).await.unwrap()
    }

    pub(super) async fn state(&self, id: ProfileVersionId) -> State {
        self.people.fleet.store().read(move |tx| rows::get(tx, &id)).await.unwrap().unwrap().state
    }

    /// The versions in force, read back and checked as whatever writes for a tablet does.
    pub(super) async fn in_force(&self) -> Vec<ProfileVersionId> {
        let found = self.people.fleet.store().read(rows::in_force).await.unwrap();
        found.iter().filter_map(|it| it.current().version()).collect()
    }
}

pub(super) fn id(shown: &Shown) -> ProfileVersionId {
    shown.line.version.id
}

/// Why a second person's word did not count.
fn why<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> NotCountersigned {
    match refused {
        Err(Refusal::NotCountersigned { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

fn rule<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> Option<RuleId> {
    refused.unwrap_err().rule()
}

#[tokio::test]
async fn c3_1_1_a_base_takes_effect_by_one_person_of_each_organisation_and_not_before() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let shown = cast.submitted(base(1)).await;
        assert_eq!(shown.line.waits_for, ["academie", "departement"]);
        assert!(matches!(cast.publishes(&shown, When::default()).await, Err(Refusal::Conflict(_))));
        let once = cast.approves(&cast.departement.1, &shown).await.unwrap();
        assert_eq!((once.line.version.state, once.line.waits_for.len()), (State::Submitted, 1));
        assert!(matches!(cast.publishes(&shown, When::default()).await, Err(Refusal::Conflict(_))));
        assert_eq!(cast.in_force().await, []);
        let twice = cast.approves(&cast.academie.1, &shown).await.unwrap();
        assert_eq!((twice.line.version.state, twice.line.approvals.len()), (State::Approved, 2));
        assert_eq!(cast.in_force().await, []);
        cast.publishes(&shown, When::default()).await.unwrap();
        assert_eq!(cast.in_force().await, [id(&shown)]);
        let told = cast.people.audit().await;
        let told: Vec<&str> =
            told.iter().map(String::as_str).filter(|it| it.starts_with("profile")).collect();
        let each_once =
            ["profile.draft", "profile.submit", "profile.approve", "profile.approve", "profile.publish"];
        assert_eq!(told, each_once);
        assert!(!cast.people.audit().await.iter().any(|it| it.starts_with("countersignature")));
        // The next one takes its place, and people of the collège are to be told of each (C5.2.6).
        let next = cast.published(base(2)).await;
        assert_eq!(cast.in_force().await, [id(&next)]);
        assert_eq!(cast.state(id(&shown)).await, State::Superseded);
        let subject = format!("profile-version:{}", id(&next));
        let due =
            cast.people.fleet.store().read(move |tx| store::notices_due::about(tx, &subject)).await.unwrap();
        assert_eq!(due.iter().map(|it| it.uai.clone()).collect::<Vec<_>>(), [Some(HERE.parse().unwrap())]);
    }
}

#[tokio::test]
async fn c3_1_7_nobody_approves_their_own_text_or_with_an_account_of_its_authors_making() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        // The author may approve, for other people's texts.
        let both = [Role::Operator, Role::Approver];
        let (_, writer) = cast.people.someone(Employer::Departement, "wilfried", &both).await;
        let fleet = &cast.people.fleet;
        let draft = profiles::draft(fleet, &writer, base(1), now()).await.unwrap();
        let own = profiles::submit(fleet, &writer, id(&draft), "september", now()).await.unwrap();
        assert_eq!(why(cast.approves(&writer, &own).await), NotCountersigned::Oneself);
        // Nor does the account that its author made yesterday.
        let shown = cast.submitted(base(2)).await;
        let (made, author) = (cast.departement.0, cast.people.camille);
        let yesterday = now().minus(days(1));
        fleet
            .store()
            .write(move |tx| {
                account_makers::record(tx, made, Deed::Created, &Actor::Account(author), yesterday)
            })
            .await
            .unwrap();
        let refused = cast.approves(&cast.departement.1, &shown).await;
        assert_eq!(refused.as_ref().unwrap_err().rule(), Some(RuleId::C3_1_7));
        assert_eq!(why(refused), NotCountersigned::OneHand);
        // Nor do a head, or an operator who has no right to approve.
        assert!(matches!(cast.approves(&cast.head.1, &shown).await, Err(Refusal::Forbidden { .. })));
        let (_, other) = cast.people.someone(Employer::Departement, "oscar", &[Role::Operator]).await;
        assert!(matches!(why(cast.approves(&other, &shown).await), NotCountersigned::NotTheSecond { .. }));
        assert_eq!(cast.state(id(&shown)).await, State::Submitted);
    }
}

#[tokio::test]
async fn c3_1_7_two_approvers_whom_one_hand_made_are_one_person() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let shown = cast.submitted(base(1)).await;
        let (one, other, yesterday) = (cast.departement.0, cast.academie.0, now().minus(days(1)));
        let fleet = &cast.people.fleet;
        fleet
            .store()
            .write(move |tx| {
                account_makers::record(tx, other, Deed::PasswordReset, &Actor::Account(one), yesterday)
            })
            .await
            .unwrap();
        cast.approves(&cast.departement.1, &shown).await.unwrap();
        assert_eq!(why(cast.approves(&cast.academie.1, &shown).await), NotCountersigned::OneHand);
    }
}

#[tokio::test]
async fn c3_1_1_an_edit_voids_every_approval_and_what_was_looked_at_is_what_is_approved() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let shown = cast.approved(base(1)).await;
        let edited = profiles::edit(fleet, &cast.author, id(&shown), base(2), now()).await.unwrap();
        assert_eq!((edited.line.version.number, edited.line.version.state), (2, State::Draft));
        assert_eq!((edited.line.approvals.len(), edited.line.version.based_on), (0, Some(id(&shown))));
        assert_eq!(cast.state(id(&shown)).await, State::Withdrawn);
        assert!(matches!(cast.publishes(&shown, When::default()).await, Err(Refusal::Conflict(_))));
        assert!(matches!(cast.publishes(&edited, When::default()).await, Err(Refusal::Conflict(_))));
        // Whoever looked at the text before approves nothing.
        let waits = profiles::submit(fleet, &cast.author, id(&edited), "again", now()).await.unwrap();
        let before = shown.line.version.content_sha256;
        let stale = profiles::approve(fleet, &cast.departement.1, id(&waits), before, now()).await;
        assert_eq!(why(stale), NotCountersigned::NotSeen);
        assert!(cast.approves(&cast.departement.1, &shown).await.is_err());
        // The very same text as before takes new approvals, too.
        let back = profiles::edit(fleet, &cast.author, id(&waits), base(1), now()).await.unwrap();
        assert_eq!(back.line.approvals, []);
        assert!(matches!(cast.publishes(&back, When::default()).await, Err(Refusal::Conflict(_))));
        assert_eq!(cast.in_force().await, []);
    }
}

#[tokio::test]
async fn c3_1_1_a_refusal_ends_a_version_and_says_why() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let shown = cast.submitted(base(1)).await;
        cast.approves(&cast.departement.1, &shown).await.unwrap();
        let no =
            profiles::reject(fleet, &cast.academie.1, id(&shown), "AirDrop is needed", now()).await.unwrap();
        let row = no.line.version;
        assert_eq!((row.state, row.ended_reason.as_deref()), (State::Rejected, Some("AirDrop is needed")));
        assert!(cast.publishes(&shown, When::default()).await.is_err());
        let history =
            profiles::history(fleet, &cast.author, id(&shown), Page::default(), now()).await.unwrap();
        assert_eq!(history.items.len(), 1);
    }
}

#[tokio::test]
async fn c3_1_1_the_calendar_publishes_on_the_day_and_not_what_a_suspended_person_signed() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let (first, second) = (cast.approved(base(1)).await, cast.approved(base(2)).await);
        let day = now().plus(days(10));
        let when = |at: Instant| When { at: Some(at), plan: None };
        for shown in [&first, &second] {
            let far = cast.publishes(shown, when(now().plus(days(31)))).await;
            assert!(
                matches!(far, Err(Refusal::Invalid { field: "at", .. })),
                "signatures are no stock: {far:?}"
            );
        }
        cast.publishes(&first, when(day)).await.unwrap();
        cast.publishes(&second, when(day.plus(days(1)))).await.unwrap();
        let calendar = Principal::calendar();
        assert_eq!(profiles::publish_due(fleet, &calendar, now()).await.unwrap(), 0);
        assert!(profiles::publish_due(fleet, &cast.author, day).await.is_err(), "only the calendar");
        assert_eq!(profiles::publish_due(fleet, &calendar, day).await.unwrap(), 1);
        assert_eq!(profiles::publish_due(fleet, &calendar, day).await.unwrap(), 0);
        assert_eq!(cast.in_force().await, [id(&first)]);
        // A stolen account is found out by what it signed: suspending it stops what was not done yet.
        let administrator = cast.people.session(cast.people.camille, day).await;
        let named = cast.departement.0.to_string().parse().unwrap();
        accounts::suspend(fleet, &administrator, named, Some("stolen".into()), day).await.unwrap();
        assert_eq!(cast.state(id(&second)).await, State::Withdrawn);
        assert_eq!(profiles::publish_due(fleet, &calendar, day.plus(days(2))).await.unwrap(), 0);
        assert_eq!(cast.in_force().await, [id(&first)]);
    }
}

#[tokio::test]
async fn c3_1_3_a_college_decides_what_it_adds_alone_and_loosens_nothing() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let looser = college(HERE, "\n[restrictions]\nallowAirDrop = true\n");
        match profiles::draft(fleet, &cast.head.1, looser, now()).await {
            Err(refusal @ Refusal::BadLayer(_)) => {
                assert_eq!(refusal.rule(), Some(RuleId::C3_1_3));
                let Refusal::BadLayer(problems) = refusal else { unreachable!() };
                assert_eq!(problems[0].line, 6, "{problems:?}");
            }
            other => panic!("{other:?}"),
        }
        let text = || {
            college(HERE, "\n[[wifi]]\nssid = \"Salle\"\nsecurity = \"wpa2\"\npassword = \"quatre-vingts\"\n")
        };
        assert_eq!(rule(profiles::draft(fleet, &cast.author, text(), now()).await), Some(RuleId::C3_1_3));
        let others = college("0767777B", "");
        assert!(profiles::draft(fleet, &cast.head.1, others, now()).await.is_err());
        assert!(
            profiles::draft(fleet, &cast.head.1, base(3), now()).await.is_err(),
            "the base is not theirs"
        );
        let draft = profiles::draft(fleet, &cast.head.1, text(), now()).await.unwrap();
        let decided = profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        assert_eq!((decided.line.version.state, decided.line.approvals.len()), (State::Approved, 1));
        let shown = profiles::publish(fleet, &cast.head.1, id(&draft), When::default(), now()).await.unwrap();
        assert_eq!(cast.in_force().await.len(), 2);
        // Passwords are for those who write the layer. Other collèges do not see it at all (T-C1).
        assert!(shown.text.expose().contains("quatre-vingts"));
        let seen = profiles::show(fleet, &cast.author, id(&draft), now()).await.unwrap();
        assert!(seen.masked && !seen.text.expose().contains("quatre-vingts"));
        let of = Employer::College("0767777B".parse().unwrap());
        let (_, neighbour) = cast.people.someone(of, "nora", &[Role::Head]).await;
        let hidden = profiles::show(fleet, &neighbour, id(&draft), now()).await;
        assert!(matches!(hidden, Err(Refusal::NotFound { .. })));
        let listed = profiles::list(fleet, &neighbour, (None, None), Page::default(), now()).await.unwrap();
        assert!(listed.items.iter().all(|line| line.layer == LayerKey::Base));
        // What it added, it may take away.
        profiles::withdraw(fleet, &cast.head.1, id(&draft), "room 4 is closed", now()).await.unwrap();
        assert_eq!(cast.in_force().await.len(), 1);
    }
}

#[tokio::test]
async fn c3_1_1_what_is_in_force_jointly_is_taken_away_by_nobody_alone() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let base = cast.published(base(1)).await;
        let pupil = cast.published(Secret::new(PUPIL.to_owned())).await;
        for shown in [base, pupil] {
            let taken = profiles::withdraw(&cast.people.fleet, &cast.author, id(&shown), "x", now()).await;
            assert_eq!(rule(taken), Some(RuleId::C3_1_1));
        }
        assert_eq!(cast.in_force().await.len(), 2);
    }
}

#[tokio::test]
async fn c5_3_7_an_emergency_base_is_prepared_jointly_and_ordered_for_a_group_and_thirty_days() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let ordinary = cast.published(base(1)).await;
        let prepared = cast.approved(Secret::new(EMERGENCY.to_owned())).await;
        let today = Day::of(now());
        let wanted = |base: &Shown, last: i32, colleges: &[&str]| Wanted {
            base: id(base),
            colleges: colleges.iter().map(|uai| uai.parse().unwrap()).collect(),
            reason: "the schools are closed".into(),
            starts_on: today,
            ends_on: today.plus(last),
            renews: None,
            instead_of: [].into(),
        };
        let order = |by: Principal, wanted: Wanted| async move {
            profiles::order_emergency(fleet, &by, wanted, now()).await
        };
        let academie = || cast.academie.1.clone();
        assert!(order(academie(), wanted(&prepared, 29, &[])).await.is_err(), "not published");
        let prepared = cast.publishes(&prepared, When::default()).await.unwrap();
        assert_eq!(rule(order(academie(), wanted(&ordinary, 1, &[])).await), Some(RuleId::C5_3_7));
        assert_eq!(rule(order(academie(), wanted(&prepared, 30, &[])).await), Some(RuleId::C5_3_7));
        assert!(order(cast.author.clone(), wanted(&prepared, 1, &[])).await.is_err(), "not the département");
        let far = order(cast.head.1.clone(), wanted(&prepared, 1, &["0767777B"])).await;
        assert_eq!(rule(far), Some(RuleId::C5_3_7));
        let given = order(cast.head.1.clone(), wanted(&prepared, 29, &[])).await.unwrap();
        let here: Uai = HERE.parse().unwrap();
        assert_eq!(given.order.uais, BTreeSet::from([here.clone()]));
        let in_force = |at: Instant| {
            let store = fleet.store().clone();
            async move { store.read(move |tx| store::emergency_orders::in_force(tx, at)).await.unwrap() }
        };
        let found = in_force(now()).await;
        assert!(found[0].is_for(Some(&here), today) && !found[0].is_for(None, today));
        assert!(in_force(now().plus(days(31))).await.is_empty());
        // Its base is not taken away under it; renewed, it is another order; ended, it is over.
        let taken = profiles::withdraw(fleet, &cast.departement.1, id(&prepared), "x", now()).await;
        assert_eq!(rule(taken), Some(RuleId::C5_3_7));
        // Nobody decides months at once: neither far ahead, nor a renewal long before the end, nor for others.
        let ahead = Wanted { starts_on: today.plus(8), ..wanted(&prepared, 20, &[HERE]) };
        assert!(matches!(order(academie(), ahead).await, Err(Refusal::Invalid { field: "starts_on", .. })));
        let renewed = Wanted { renews: Some(given.order.id), ..wanted(&prepared, 20, &[HERE]) };
        assert!(matches!(order(academie(), renewed).await, Err(Refusal::Invalid { field: "renews", .. })));
        let late = now().plus(days(25));
        let chief = cast.people.session(cast.academie.0, late).await;
        let again = |colleges: &[&str], starts: i32| Wanted {
            renews: Some(given.order.id),
            instead_of: [].into(),
            starts_on: today.plus(starts),
            ends_on: today.plus(starts + 20),
            ..wanted(&prepared, 0, colleges)
        };
        let others = profiles::order_emergency(fleet, &chief, again(&["0767777B"], 30), late).await;
        assert!(matches!(others, Err(Refusal::Invalid { field: "colleges", .. })), "{others:?}");
        let gap = profiles::order_emergency(fleet, &chief, again(&[HERE], 31), late).await;
        assert!(matches!(gap, Err(Refusal::Invalid { field: "starts_on", .. })), "{gap:?}");
        profiles::order_emergency(fleet, &chief, again(&[HERE], 25), late).await.unwrap();
        assert_eq!(in_force(late).await.len(), 2);
        let head = cast.people.session(cast.head.0, late).await;
        profiles::end_emergency(fleet, &head, given.order.id, "open again", late).await.unwrap();
        assert_eq!(in_force(late).await.len(), 1);
    }
}

#[tokio::test]
async fn c5_3_7_an_emergency_base_that_is_in_force_is_not_rolled_back_under_its_order() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let second = cast.approved(Secret::new(format!("{EMERGENCY}\n# the second\n"))).await;
        cast.came_in_waves(&second).await;
        let today = Day::of(now());
        let wanted = Wanted {
            base: id(&second),
            colleges: BTreeSet::new(),
            reason: "the schools are closed".into(),
            starts_on: today,
            ends_on: today.plus(9),
            renews: None,
            instead_of: [].into(),
        };
        profiles::order_emergency(fleet, &cast.academie.1, wanted, now()).await.unwrap();
        let back = profiles::roll_back(fleet, &cast.author, id(&second), "a mistake", now()).await;
        assert_eq!(rule(back), Some(RuleId::C5_3_7));
        assert_eq!(cast.state(id(&second)).await, State::Published);
    }
}

pub(super) fn waves() -> RolloutPlan {
    let canary = Wave::Colleges(BTreeSet::from([HERE.parse().unwrap()]));
    RolloutPlan::new(vec![canary, Wave::Percent(50), Wave::Everyone], 24, 100, 1).unwrap()
}

#[tokio::test]
async fn a_version_comes_in_waves_and_goes_back_to_the_approved_one_before() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let enrolled = cast.people.enrol(SERIAL).await;
        let before = cast.published(base(1)).await;
        let shown = cast.approved(base(2)).await;
        cast.publishes(&shown, When { at: None, plan: Some(waves()) }).await.unwrap();
        let version_of = |tablet: TabletId, uai: Option<Uai>| {
            let store = fleet.store().clone();
            async move {
                let found = store.read(move |tx| rows::in_force_for(tx, tablet, uai.as_ref())).await;
                found.unwrap()[0].1.version().unwrap()
            }
        };
        let tablet = cast.people.tablet(SERIAL).await;
        let elsewhere: Option<Uai> = Some("0767777B".parse().unwrap());
        assert_eq!(version_of(tablet, Some(HERE.parse().unwrap())).await, id(&shown));
        assert_eq!(version_of(tablet, elsewhere.clone()).await, id(&before));
        let progress = profiles::progress(fleet, &cast.author, id(&shown), now()).await.unwrap().unwrap();
        assert_eq!((progress.reached, progress.waiting, progress.rollout.wave), (1, 0, 0));
        // No other version is published over it; halted, it stands still whatever the clock says.
        let third = cast.approved(base(3)).await;
        assert!(matches!(cast.publishes(&third, When::default()).await, Err(Refusal::Conflict(_))));
        let calendar = Principal::calendar();
        profiles::halt(fleet, &cast.author, id(&shown), "a call from the school", now()).await.unwrap();
        assert_eq!(profiles::advance_due(fleet, &calendar, now().plus(days(9))).await.unwrap(), 0);
        profiles::resume(fleet, &cast.author, id(&shown), "all is well", now()).await.unwrap();
        assert_eq!(
            profiles::advance_due(fleet, &calendar, now().plus(Duration::from_secs(3_600))).await.unwrap(),
            0
        );
        cast.follow(now()).await;
        cast.reports(enrolled).await;
        assert_eq!(profiles::advance_due(fleet, &calendar, now().plus(days(1))).await.unwrap(), 1);
        assert_eq!(profiles::advance_due(fleet, &calendar, now().plus(days(2))).await.unwrap(), 1);
        let progress = profiles::progress(fleet, &cast.author, id(&shown), now()).await.unwrap().unwrap();
        assert_eq!(progress.rollout.state, RolloutState::Done);
        assert_eq!(version_of(tablet, elsewhere.clone()).await, id(&shown));
        let back =
            profiles::roll_back(fleet, &cast.author, id(&shown), "the reader closes", now()).await.unwrap();
        assert_eq!(back.rollout.state, RolloutState::RolledBack);
        assert_eq!(version_of(tablet, elsewhere).await, id(&before));
        assert_eq!(cast.state(id(&shown)).await, State::Withdrawn);
        assert_eq!(cast.in_force().await, [id(&before)]);
    }
}

#[tokio::test]
async fn t_c22_pages_of_versions_neither_lose_nor_repeat_any() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        // All at the same instant: nothing but their ids tells them apart.
        let mut written = Vec::new();
        for number in 0..7 {
            written.push(id(&cast.draft(base(number)).await));
        }
        written.sort();
        let (mut of_list, mut of_history, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = Page::read(after.as_deref(), Some(3)).unwrap();
            let listed = profiles::list(fleet, &cast.author, (None, None), page, now()).await.unwrap();
            of_list.extend(listed.items.iter().map(|line| line.version.id));
            let page = Page::read(after.as_deref(), Some(3)).unwrap();
            let history = profiles::history(fleet, &cast.author, written[0], page, now()).await.unwrap();
            of_history.extend(history.items.iter().map(|line| line.version.id));
            assert_eq!(listed.next, history.next);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert!(of_list.is_sorted_by(|one, next| one > next), "the newest first, each once");
        of_list.reverse();
        of_history.reverse();
        assert_eq!((of_list, of_history), (written.clone(), written));
    }
}
