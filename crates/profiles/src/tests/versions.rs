//! Approvals, and the waves by which a version comes to tablets.

#![expect(clippy::disallowed_methods, reason = "tests make the facts that `store` reads")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::{
    AccountId, Day, Digest, Duration, Instant, OrganisationKind, ProfileVersionId, Secret, TabletId, Uai,
};

use crate::versions::*;

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
    assert!(Approved::<crate::Layer>::check(&facts, &[by(&there)]).is_err());
}

#[test]
fn what_is_combined_names_its_versions_whatever_the_order() {
    let [author, one, other] = [(); 3].map(|()| AccountId::new(now()));
    let approved = |layer, text: &str| {
        let both = [(OrganisationKind::Departement, one), (OrganisationKind::Academie, other)]
            .map(|(kind, account)| approval(kind, account, text));
        Approved::<crate::Layer>::check(&facts(layer, text, author), &both).unwrap()
    };
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
    for text in ["", "base:x", "user:", "user:teacher+pupil", "mode:beach", "college:0761234a"] {
        assert!(text.parse::<LayerKey>().is_err(), "{text}");
    }
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
    let tally = |applied, failed| Tally { applied, failed };
    assert_eq!(turn(&at, tally(0, 0), now()), Turn::Wait);
    assert_eq!(turn(&at, tally(90, 10), day), Turn::Advance, "ten in a hundred are not above the threshold");
    assert_eq!(turn(&at, tally(89, 11), now()), Turn::Pause(tally(89, 11)));
    assert_eq!(turn(&at, tally(0, 9), now()), Turn::Wait, "nine reports say nothing yet");
    assert_eq!(turn(&Rollout { wave: 3, ..at.clone() }, tally(0, 0), day), Turn::Finish);
    for state in [RolloutState::Paused, RolloutState::Done, RolloutState::RolledBack] {
        assert_eq!(turn(&Rollout { state, ..at.clone() }, tally(0, 100), day), Turn::Wait);
    }
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
    assert_eq!(plan(percents(&[10]), 0, 50, 20), Err(NotAPlan::Hours));
    assert_eq!(plan(percents(&[10]), 24, 0, 20), Err(NotAPlan::Threshold));
    let good = plan(percents(&[10]), 24, 50, 20).unwrap();
    assert_eq!(RolloutPlan::from_json(&good.to_json()), Ok(good));
    assert!(RolloutPlan::from_json("{\"waves\":[]}").is_err());
}
