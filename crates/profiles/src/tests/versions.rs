//! Approvals, and the waves by which a version comes to tablets.

#![expect(clippy::disallowed_methods, reason = "tests make the facts that `store` reads")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::{
    AccountId, Day, Digest, Duration, EmergencyOrderId, Instant, OrganisationKind, ProfileVersionId, RuleId,
    Secret, TabletId, Uai,
};

use crate::versions::*;
use crate::{OrderedDays, Refusal, follows};

const BASE: &str = include_str!("../../../../profiles/socle.toml");
const MODE: &str = "layer = \"mode\"\nmode = \"deposit\"\ntitle = \"Dépôt\"\npurpose = \"x\"\n";

fn now() -> Instant {
    Instant::from_millis(1_790_000_000_000)
}

fn facts(layer: LayerKey, content: &str, author: AccountId) -> VersionFacts {
    VersionFacts {
        id: ProfileVersionId::new(now()),
        layer,
        content: Secret::new(content.to_owned()),
        content_sha256: Digest::of(content.as_bytes()),
        author,
    }
}

fn approval(kind: OrganisationKind, account: AccountId, content: &str) -> Approval {
    Approval::from_row(kind, None, account, Digest::of(content.as_bytes()), now())
}

#[test]
fn c3_1_1_exactly_this_text_is_approved_by_one_of_each_and_neither_wrote_it() {
    use OrganisationKind::{Academie, Departement};
    let [author, one, other] = [(); 3].map(|()| AccountId::new(now()));
    let facts = facts(LayerKey::Base, BASE, author);
    let check = |approvals: &[Approval]| Approved::<crate::Layer>::check(&facts, approvals);
    let right = [approval(Departement, one, BASE), approval(Academie, other, BASE)];
    assert_eq!(check(&right).unwrap().version(), Some(facts.id));
    assert!(matches!(check(&right[..1]), Err(NotApproved::Lacks { lacks: Academie, .. })));
    assert!(matches!(check(&right[1..]), Err(NotApproved::Lacks { lacks: Departement, .. })));
    let of_another = [approval(Departement, one, MODE), approval(Academie, other, BASE)];
    assert!(matches!(check(&of_another), Err(NotApproved::Lacks { .. })), "approval is bound to the text");
    for (a, b) in [(author, other), (one, author), (one, one)] {
        let alone = [approval(Departement, a, BASE), approval(Academie, b, BASE)];
        assert!(matches!(check(&alone), Err(NotApproved::OnePerson { .. })));
    }
    let edited = VersionFacts { content: Secret::new(format!("{BASE}#")), ..facts.clone() };
    assert!(matches!(Approved::<crate::Layer>::check(&edited, &right), Err(NotApproved::Edited { .. })));
    let elsewhere = VersionFacts { layer: LayerKey::Tablet("Socle".into()), ..facts.clone() };
    assert!(matches!(
        Approved::<crate::Layer>::check(&elsewhere, &right),
        Err(NotApproved::AnotherLayer { .. })
    ));
}

#[test]
fn c3_1_3_a_college_approves_its_own_additions_and_no_others() {
    let text = "layer = \"college\"\nuai = \"0761234A\"\ntitle = \"C\"\npurpose = \"x\"\n";
    let [here, there]: [Uai; 2] = ["0761234A", "0765678B"].map(|uai| uai.parse().unwrap());
    let head = AccountId::new(now());
    let facts = facts(LayerKey::College(here.clone()), text, head);
    let by = |uai: &Uai| {
        Approval::from_row(OrganisationKind::College, Some(uai.clone()), head, facts.content_sha256, now())
    };
    assert!(Approved::<crate::Layer>::check(&facts, &[by(&here)]).is_ok());
    let lacking = Approved::<crate::Layer>::check(&facts, &[by(&there)]).unwrap_err();
    assert_eq!(lacking.rule(), types::RuleId::C3_1_3);
    assert_eq!(NotApproved::OnePerson { version: facts.id }.rule(), types::RuleId::C3_1_7);
    assert_eq!(NotApproved::Edited { version: facts.id }.rule(), types::RuleId::C3_1_1);
    let approval = by(&here);
    assert_eq!((approval.organisation(), approval.uai()), (OrganisationKind::College, Some(&here)));
    assert_eq!((approval.account(), approval.at()), (head, now()));
    let another = Digest::of(b"another text");
    let of_another = Approval::from_row(OrganisationKind::College, Some(here), head, another, now());
    assert!(Approved::<crate::Layer>::check(&facts, &[of_another]).is_err(), "bound to the text");
}

#[test]
fn a_text_that_this_program_does_not_understand_says_what_is_wrong_first() {
    let text = "layer = \"base\"\n";
    let [author, one, other] = [(); 3].map(|()| AccountId::new(now()));
    let both = [
        approval(OrganisationKind::Departement, one, text),
        approval(OrganisationKind::Academie, other, text),
    ];
    let refused = Approved::<crate::Layer>::check(&facts(LayerKey::Base, text, author), &both).unwrap_err();
    let first = crate::parse("version", text).unwrap_err()[0].to_string();
    assert!(matches!(&refused, NotApproved::Unreadable { problem, .. } if *problem == first), "{refused}");
}

/// A text that two others than its author approved.
fn approved(layer: LayerKey, text: &str) -> Approved<crate::Layer> {
    let [author, one, other] = [(); 3].map(|()| AccountId::new(now()));
    let both = [(OrganisationKind::Departement, one), (OrganisationKind::Academie, other)]
        .map(|(kind, account)| approval(kind, account, text));
    Approved::<crate::Layer>::check(&facts(layer, text, author), &both).unwrap()
}

/// An order over an emergency base, from today to the day after tomorrow.
fn order(colleges: BTreeSet<Uai>) -> OrderInForce {
    let text = BASE.replace("layer = \"base\"", "layer = \"emergency\"");
    let title = text.lines().find_map(|line| line.strip_prefix("title = \"")).unwrap().trim_end_matches('"');
    let base = approved(LayerKey::Emergency(title.to_owned()), &text);
    let today = Day::of(now());
    let id = types::EmergencyOrderId::new(now());
    let order = OrderInForce::new(id, &base, colleges, "Crue", (today, today.plus(2))).unwrap();
    assert_eq!((order.id(), order.version()), (id, base.version().unwrap()));
    order
}

#[test]
fn c5_3_7_an_emergency_order_is_for_the_colleges_it_names_in_its_days() {
    let today = Day::of(now());
    let (all, one) = (order(BTreeSet::new()), order(BTreeSet::from([college(1)])));
    assert_eq!(one.colleges(), &BTreeSet::from([college(1)]));
    for (days, in_force) in [(-1, false), (0, true), (2, true), (3, false)] {
        let day = today.plus(days);
        assert_eq!(all.is_for(None, day), in_force, "{day}");
        assert_eq!(all.is_for(Some(&college(2)), day), in_force, "{day}");
        assert_eq!(one.is_for(Some(&college(1)), day), in_force, "{day}");
        assert!(!one.is_for(Some(&college(2)), day) && !one.is_for(None, day), "{day}");
    }
}

#[test]
fn c5_3_7_orders_of_one_college_neither_meet_nor_go_on_for_more_than_thirty_days_without_a_renewal() {
    let today = Day::of(now());
    let days = |colleges: &[u32], first: i32, last: i32| OrderedDays {
        id: EmergencyOrderId::new(now()),
        colleges: colleges.iter().map(|number| college(*number)).collect(),
        first: today.plus(first),
        last: today.plus(last),
        stands: true,
    };
    let ended = |order: OrderedDays| OrderedDays { stands: false, ..order };
    let one = days(&[1], 0, 29);
    let of = |new: &OrderedDays, before: &[&OrderedDays]| {
        let before: Vec<OrderedDays> = before.iter().map(|it| (*it).clone()).collect();
        follows(new, None, &before)
    };
    // It meets what is for one of its collèges, on any of its days; and a renewal meets what it renews.
    for new in [days(&[1, 2], 29, 40), days(&[], 10, 12), days(&[1], -5, 0)] {
        let refused = of(&new, &[&one]).unwrap_err();
        assert!(
            matches!(&refused, Refusal::EmergencyMeets { met, .. } if met[0].order == one.id),
            "{refused:?}"
        );
        assert_eq!(refused.rule(), Some(RuleId::C5_3_7));
        assert!(!refused.to_string().contains("--renews"), "for others, or before it: {refused}");
        assert_eq!(follows(&new, Some(one.id), std::slice::from_ref(&one)), Ok(()));
    }
    // Renewing is named where it is possible: for its collèges or some of them, and where no third one stands.
    let (two, all) = (days(&[1, 2], 0, 29), days(&[], 0, 29));
    let (third, gone) = (days(&[2], 35, 40), ended(days(&[1], 0, 29)));
    for (new, before, renewable) in [
        (days(&[1], 20, 40), vec![&one], true),
        (days(&[2], 20, 40), vec![&two], true),
        (days(&[2], 20, 40), vec![&all], true),
        (days(&[], 20, 40), vec![&all], true),
        (days(&[], 20, 40), vec![&two], false),
        (days(&[1, 2], 20, 40), vec![&two, &third], false),
        (days(&[1], 30, 40), vec![&one], true),
        (days(&[1], 30, 40), vec![&two], true),
        (days(&[1, 3], 30, 40), vec![&two], false),
        (days(&[1], 30, 40), vec![&gone], false),
    ] {
        let refused = of(&new, &before).unwrap_err().to_string();
        assert_eq!(refused.contains(&format!("--renews {}", before[0].id)), renewable, "{new:?}: {refused}");
    }
    let (renewal, again) = (days(&[1], 25, 54), days(&[1], 28, 57));
    let twice = follows(&again, Some(one.id), &[one.clone(), renewal]);
    assert!(matches!(twice, Err(Refusal::EmergencyMeets { .. })), "renewed once: {twice:?}");
    for elsewhere in [days(&[2], 0, 29), days(&[1], 31, 60)] {
        assert_eq!(of(&elsewhere, &[&one]), Ok(()), "{elsewhere:?}");
    }
    // Without a day between them they are one: thirty days are the most, however many orders.
    let short = days(&[1], 0, 9);
    assert_eq!(of(&days(&[1], 10, 29), &[&short]), Ok(()));
    let (second, third) = (days(&[1, 2], 10, 19), days(&[2], 20, 30));
    assert_eq!(of(&days(&[1], 20, 29), &[&short, &second, &third]), Ok(()));
    // Of each collège the days are counted apart, and of those that no order names.
    for (new, before, refused) in [
        (days(&[1, 2], 31, 45), vec![days(&[1], 1, 15), days(&[2], 16, 30)], None),
        (days(&[1, 2], 31, 46), vec![days(&[1], 1, 15), days(&[2], 16, 30)], Some(31)),
        (days(&[1, 2], 31, 45), vec![days(&[1], 1, 15), days(&[2], 15, 30)], Some(31)),
        (days(&[], 31, 45), vec![days(&[1], 1, 15), days(&[2], 16, 30)], None),
        (days(&[], 31, 46), vec![days(&[1], 1, 15), days(&[2], 16, 30)], Some(31)),
        (days(&[], 31, 45), vec![days(&[], 15, 30), days(&[2], 0, 10)], Some(31)),
        (days(&[3], 31, 45), vec![days(&[], 16, 30), days(&[2], 0, 15)], None),
        (days(&[2], 31, 45), vec![days(&[], 16, 30), days(&[2], 0, 15)], Some(46)),
    ] {
        let found = of(&new, &before.iter().collect::<Vec<_>>());
        let on_end = match &found {
            Err(Refusal::EmergencyGoesOn { days, .. }) => Some(*days),
            _ => None,
        };
        assert_eq!((on_end, found.is_ok()), (refused, refused.is_none()), "{new:?}: {found:?}");
    }
    // That it ends earlier is not said where another begins after it.
    let after = days(&[1], 25, 35);
    let between = of(&days(&[1], 10, 24), &[&short, &after]).unwrap_err();
    assert!(matches!(between, Refusal::EmergencyGoesOn { days: 36, until: None, .. }), "{between:?}");
    let refused = of(&days(&[1], 20, 30), &[&short, &second, &third]).unwrap_err();
    match refused {
        Refusal::EmergencyGoesOn { first, last, days: 31, until: Some(until), .. } => {
            assert_eq!((first, last, until), (today, today.plus(30), today.plus(29)));
        }
        other => panic!("{other:?}"),
    }
    // One that was ended counts for the days that it was in force.
    let cut = ended(days(&[1], 0, 19));
    assert_eq!(of(&days(&[1], 15, 29), &[&cut]), Ok(()));
    assert!(matches!(of(&days(&[1], 20, 30), &[&cut]), Err(Refusal::EmergencyGoesOn { days: 31, .. })));
    assert_eq!(of(&days(&[1], 21, 50), &[&cut]), Ok(()));
    let late = of(&days(&[1], 30, 40), &[&one]).unwrap_err();
    assert!(matches!(late, Refusal::EmergencyGoesOn { until: None, .. }), "{late:?}");
}

#[test]
fn c5_3_7_what_is_combined_under_an_order_names_the_orders_version_while_it_is_in_force() {
    let (base, order) = (approved(LayerKey::Base, BASE), order(BTreeSet::new()));
    let today = Day::of(now());
    let of = |day| combine_approved(&[&base], Some(&order), day).unwrap().versions().to_vec();
    assert_eq!(of(today), [order.version()]);
    assert_eq!(of(today.plus(3)), [base.version().unwrap()]);
    // Its base is one for tablets that have none yet, while it is in force.
    let alone = |day| combine_approved(&[], Some(&order), day);
    assert_eq!(alone(today).unwrap().versions(), [order.version()]);
    assert_eq!(alone(today.plus(3)), Err(vec![Refusal::NoBase]));
}

#[test]
fn a_tablet_keeps_the_version_before_until_a_wave_reaches_it() {
    let [before, current] = [BASE.to_owned(), format!("{BASE}#")].map(|text| approved(LayerKey::Base, &text));
    let everywhere = InForce::everywhere(LayerKey::Base, current.clone());
    assert_eq!(everywhere.rollout(), None);
    let canary = rollout(0, (10, 50));
    let coming = InForce::rolling_out(LayerKey::Base, current.clone(), Some(before.clone()), canary.clone());
    assert_eq!((coming.layer(), coming.current()), (&LayerKey::Base, &current));
    assert_eq!(coming.rollout(), Some(&canary));
    let tablet = TabletId::new(now());
    for (uai, has) in [(Some(college(1)), &current), (Some(college(2)), &before), (None, &before)] {
        assert_eq!(coming.for_tablet(tablet, uai.as_ref()), Some(has), "{uai:?}");
        assert_eq!(everywhere.for_tablet(tablet, uai.as_ref()), Some(&current), "{uai:?}");
    }
}

#[test]
fn a_tablet_has_nothing_of_a_layers_first_version_until_a_wave_reaches_it() {
    let current = approved(LayerKey::Base, BASE);
    let first = InForce::rolling_out(LayerKey::Base, current.clone(), None, rollout(0, (10, 50)));
    let tablet = TabletId::new(now());
    for (uai, has) in [(Some(college(1)), Some(&current)), (Some(college(2)), None), (None, None)] {
        assert_eq!(first.for_tablet(tablet, uai.as_ref()), has, "{uai:?}");
    }
}

#[test]
fn what_is_combined_names_its_versions_whatever_the_order() {
    let (base, mode) =
        (approved(LayerKey::Base, BASE), approved(LayerKey::Mode(types::LoanMode::Deposit), MODE));
    let today = Day::of(now());
    let one = combine_approved(&[&base, &mode], None, today).unwrap();
    let other = combine_approved(&[&mode, &base], None, today).unwrap();
    assert_eq!((one.versions(), one.versions().len()), (other.versions(), 2));
}

#[test]
fn a_layer_is_read_back_from_its_name() {
    for text in
        ["base", "user:pupil", "user:pupil+teacher", "mode:take-home", "college:0761234A", "tablet:Examen"]
    {
        assert_eq!(text.parse::<LayerKey>().unwrap().to_string(), text);
    }
    for (text, kind, name) in [
        ("base", "base", ""),
        ("user:pupil+teacher", "user", "pupil+teacher"),
        ("mode:take-home", "mode", "take-home"),
        ("college:0761234A", "college", "0761234A"),
        ("emergency:Crue", "emergency", "Crue"),
        ("tablet:Examen", "tablet", "Examen"),
    ] {
        let key: LayerKey = text.parse().unwrap();
        assert_eq!((key.kind(), key.name().as_str(), key.to_string().as_str()), (kind, name, text));
        assert_eq!(key.college().map(ToString::to_string), (kind == "college").then(|| name.to_owned()));
    }
    for text in ["", "base:x", "user:", "user:teacher+pupil", "mode:beach", "college:0761234a"] {
        assert!(text.parse::<LayerKey>().is_err(), "{text}");
    }
}

#[test]
fn layers_of_kinds_of_users_that_overlap_are_not_of_one_tablet() {
    let excludes = |one: &str, other: &str| {
        one.parse::<LayerKey>().unwrap().excludes(&other.parse::<LayerKey>().unwrap())
    };
    assert!(excludes("user:pupil", "user:pupil+teacher") && excludes("user:pupil+teacher", "user:pupil"));
    assert!(!excludes("user:pupil", "user:pupil"), "that is the same layer");
    assert!(!excludes("user:pupil", "user:teacher"));
    assert!(!excludes("mode:take-home", "mode:deposit"));
}

fn college(number: u32) -> Uai {
    format!("{:07}A", 760_000 + number).parse().unwrap()
}

fn rollout(wave: usize, percents: (u8, u8)) -> Rollout {
    let canary = Wave::Colleges(BTreeSet::from([college(1)]));
    let waves = vec![canary, Wave::Percent(percents.0), Wave::Percent(percents.1), Wave::Everyone];
    Rollout {
        version: ProfileVersionId::new(now()),
        plan: RolloutPlan::new(waves, 24, 100, 10).unwrap(),
        state: RolloutState::Running,
        wave,
        wave_since: now(),
    }
}

proptest! {
    /// Whom a wave reached, the next one reaches too; the last reaches all; rolled back, none.
    #[test]
    fn waves_only_grow(first in 1_u8..50, more in 1_u8..50, tablets in prop::collection::vec(0_u32..5, 1..40)) {
        let at = rollout(0, (first, first + more));
        for of in tablets {
            let (tablet, uai) = (TabletId::new(now()), college(of));
            let mut before = false;
            for wave in 0..4 {
                let reached = Rollout { wave, ..at.clone() }.reaches(tablet, Some(&uai));
                prop_assert!(reached || !before);
                prop_assert_eq!(reached, Rollout { wave, ..at.clone() }.reaches(tablet, Some(&uai)));
                before = reached;
            }
            prop_assert!(before);
            let back = Rollout { state: RolloutState::RolledBack, ..at.clone() };
            prop_assert!(!back.reaches(tablet, Some(&uai)));
        }
    }
}

#[test]
fn each_wave_reaches_whom_it_names_and_whom_those_before_it_named() {
    let at = rollout(0, (1, 99));
    let tablet = TabletId::new(now());
    let reaches = |wave, uai: Option<&Uai>| Rollout { wave, ..at.clone() }.reaches(tablet, uai);
    for wave in 0..4 {
        assert!(reaches(wave, Some(&college(1))), "{wave}");
    }
    assert!(!reaches(0, Some(&college(2))) && !reaches(0, None));
    assert!(reaches(3, Some(&college(2))) && reaches(3, None), "everyone");
    for (state, reached) in
        [(RolloutState::Paused, true), (RolloutState::Done, true), (RolloutState::RolledBack, false)]
    {
        let rollout = Rollout { state, ..at.clone() };
        assert_eq!(rollout.reaches(tablet, Some(&college(1))), reached, "{state}");
        assert_eq!(rollout.reaches(tablet, None), state == RolloutState::Done, "{state}");
    }
}

#[test]
fn the_number_that_a_tablet_draws_is_the_same_everywhere_and_for_ever() {
    let version: ProfileVersionId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
    let drawn: Vec<u16> = (1..=6)
        .map(|number| {
            let tablet: TabletId = format!("01890000-0000-7000-8000-{number:012}").parse().unwrap();
            let reached = |percent: u8| {
                let waves = vec![Wave::Percent(percent), Wave::Everyone];
                let plan = RolloutPlan::new(waves, 24, 100, 10).unwrap();
                let (state, wave_since) = (RolloutState::Running, now());
                Rollout { version, plan, state, wave: 0, wave_since }.reaches(tablet, None)
            };
            (1..100).find(|percent| reached(*percent)).map_or(99, |percent| u16::from(percent) - 1)
        })
        .collect();
    assert_eq!(drawn, [84, 30, 99, 91, 89, 50]);
}

#[test]
fn a_state_of_a_roll_out_is_read_back_from_its_word() {
    for (state, word) in [
        (RolloutState::Running, "running"),
        (RolloutState::Paused, "paused"),
        (RolloutState::Done, "done"),
        (RolloutState::RolledBack, "rolled-back"),
        (RolloutState::Replaced, "replaced"),
    ] {
        assert_eq!((state.as_str(), word.parse()), (word, Ok(state)));
    }
    assert!("".parse::<RolloutState>().is_err());
}

#[test]
fn a_percentage_is_about_that_many_tablets_and_not_always_the_same() {
    let tablets: Vec<TabletId> = (0..4_000).map(|_| TabletId::new(now())).collect();
    let of = |rollout: &Rollout| -> BTreeSet<TabletId> {
        tablets.iter().copied().filter(|tablet| rollout.reaches(*tablet, None)).collect()
    };
    let (one, other) = (of(&rollout(1, (20, 50))), of(&rollout(1, (20, 50))));
    assert!((640..960).contains(&one.len()), "{} of 4000", one.len());
    assert!(one.intersection(&other).count() < 400, "another version begins with others");
}

#[test]
fn a_roll_out_goes_on_in_time_and_stops_by_itself() {
    let at = rollout(0, (10, 50));
    let day = now().plus(Duration::from_secs(86_400));
    let next = |at: &Rollout, tally, now| turn(at, tally, Tried::Reported, now);
    let tally = |applied, failed| Tally { applied, failed };
    assert_eq!(next(&at, tally(0, 0), now()), Turn::Wait);
    let tick = Duration::from_millis(1);
    assert_eq!(next(&at, tally(0, 0), day.minus(tick)), Turn::Wait, "a day is a day");
    assert_eq!(next(&at, tally(8, 2), now()), Turn::Pause(tally(8, 2)), "ten reports say something");
    assert_eq!(next(&Rollout { wave: 2, ..at.clone() }, tally(0, 0), day), Turn::Advance, "one is left");
    assert_eq!(next(&at, tally(90, 10), day), Turn::Advance, "ten in a hundred are not above the threshold");
    assert_eq!(next(&at, tally(89, 11), now()), Turn::Pause(tally(89, 11)));
    assert_eq!(next(&at, tally(0, 9), now()), Turn::Wait, "nine reports say nothing yet");
    assert_eq!(next(&Rollout { wave: 3, ..at.clone() }, tally(0, 0), day), Turn::Finish);
    for state in [RolloutState::Paused, RolloutState::Done, RolloutState::RolledBack, RolloutState::Replaced]
    {
        assert_eq!(next(&Rollout { state, ..at.clone() }, tally(0, 100), day), Turn::Wait);
    }
}

#[test]
fn a_wave_that_nobody_reported_from_does_not_lead_to_the_next_one() {
    let at = rollout(0, (10, 50));
    let (day, tick) = (now().plus(Duration::from_secs(86_400)), Duration::from_millis(1));
    let tally = |applied, failed| Tally { applied, failed };
    let turned = |tally, tried, now| turn(&at, tally, tried, now);
    assert_eq!(turned(tally(0, 0), Tried::NoReport, day.minus(tick)), Turn::Wait);
    assert_eq!(turned(tally(0, 0), Tried::NoReport, day), Turn::PauseUntried);
    assert_eq!(
        turned(tally(40, 0), Tried::NoReport, day),
        Turn::PauseUntried,
        "what others reported says nothing of it"
    );
    assert_eq!(turned(tally(0, 10), Tried::NoReport, day), Turn::Pause(tally(0, 10)), "failures come first");
    assert_eq!(turned(tally(0, 0), Tried::NoTablet, day), Turn::Advance, "there is nobody to wait for");
    assert_eq!(turned(tally(1, 0), Tried::Reported, day), Turn::Advance);
    let paused = Rollout { state: RolloutState::Paused, ..at.clone() };
    assert_eq!(turn(&paused, tally(0, 0), Tried::NoReport, day), Turn::Wait);
}

#[test]
fn a_wave_is_the_first_to_reach_whom_none_before_it_named() {
    let at = rollout(0, (1, 99));
    let tablet = TabletId::new(now());
    let first = |wave, uai: Option<&Uai>| Rollout { wave, ..at.clone() }.reaches_first_now(tablet, uai);
    assert!(first(0, Some(&college(1))));
    for wave in 1..4 {
        assert!(!first(wave, Some(&college(1))), "{wave}");
    }
    let elsewhere: Vec<bool> = (0..4).map(|wave| first(wave, Some(&college(2)))).collect();
    assert_eq!(elsewhere.iter().filter(|first| **first).count(), 1, "{elsewhere:?}");
    assert!(!Rollout { state: RolloutState::RolledBack, ..at }.reaches_first_now(tablet, Some(&college(1))));
}

#[test]
fn a_plan_that_makes_no_sense_is_refused() {
    let plan = |waves: Vec<Wave>, hours, permille, from| RolloutPlan::new(waves, hours, permille, from);
    let percents = |list: &[u8]| list.iter().copied().map(Wave::Percent).chain([Wave::Everyone]).collect();
    for (waves, expected) in [
        (vec![], NotAPlan::Waves),
        (vec![Wave::Percent(10)], NotAPlan::LastIsNotEveryone),
        (vec![Wave::Everyone, Wave::Percent(10)], NotAPlan::LastIsNotEveryone),
        (vec![Wave::Colleges(BTreeSet::new()), Wave::Everyone], NotAPlan::NoCollege),
        (percents(&[50, 10]), NotAPlan::Percentages),
        (percents(&[0]), NotAPlan::Percentages),
        (percents(&[100]), NotAPlan::Percentages),
    ] {
        assert_eq!(plan(waves, 24, 50, 20), Err(expected));
    }
    assert_eq!(plan(percents(&[10, 10]), 24, 50, 20), Err(NotAPlan::Percentages), "each more than before");
    let many: Vec<u8> = (1..=10).collect();
    assert_eq!(plan(percents(&many), 24, 50, 20), Err(NotAPlan::Waves));
    assert!(plan(percents(&many[1..]), 24, 50, 20).is_ok());
    for (hours, right) in [(0, false), (1, true), (30 * 24, true), (30 * 24 + 1, false)] {
        let made = plan(percents(&[10]), hours, 50, 20);
        assert_eq!(made.err(), (!right).then_some(NotAPlan::Hours), "{hours}");
    }
    assert!(plan(percents(&[]), 0, 50, 20).unwrap().is_at_once(), "nothing comes after the only wave");
    for (permille, from, right) in
        [(0, 20, false), (1, 20, true), (999, 20, true), (1_000, 20, false), (50, 0, false), (50, 1, true)]
    {
        let made = plan(percents(&[10]), 24, permille, from);
        assert_eq!(made.err(), (!right).then_some(NotAPlan::Threshold), "{permille}, {from}");
    }
    let good = plan(percents(&[10]), 24, 50, 20).unwrap();
    assert!(!good.is_at_once());
    assert_eq!(good.waves(), [Wave::Percent(10), Wave::Everyone]);
    assert_eq!(RolloutPlan::from_json(&good.to_json()), Ok(good));
    assert!(RolloutPlan::from_json("{\"waves\":[]}").is_err());
}
