//! What is said of a tablet, intent by intent.

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::Instant;

use super::*;
use crate::command::{Failure, Voided};

const AT: Instant = Instant::from_millis(1_795_471_200_000);

fn facts() -> Facts {
    let permissions = Permissions { administrator: true, overlay: false, usage: true, accessibility: false };
    let told = Told { device_owner: true, permissions, launcher: true };
    Facts { told: Some(told) }
}

fn changed(change: impl Fn(&mut Told)) -> Facts {
    let mut facts = facts();
    facts.told.iter_mut().for_each(change);
    facts
}

/// One line for each intent: what a tablet that was set up by a code does of it.
const TABLE: &str = "\
management partly recovery-menu
restrictions partly lifted-during-updates
apps partly one-try
suspended-apps partly named-only
permitted-apps cannot opens-everything
single-app cannot paid-agent-only
app-list partly own-apps-only
code-rule does
code partly after-one-unlock
code-change cannot no-forced-change
networks cannot no-networks
web-filter cannot no-filter
system-updates partly thirty-days
restart does
message partly own-screen-only
lost-mode cannot no-lost-mode
sound cannot no-sound
location partly last-known
erasure partly card-stays
erasure-proof cannot no-proof
return-to-service cannot no-return
";

fn table(facts: &Facts) -> String {
    let line = |intent: &Intent| match ability(*intent, facts) {
        Ability::Does => format!("{intent} does\n"),
        Ability::DoesPartly(reason) => format!("{intent} partly {}\n", reason.code),
        Ability::Cannot(reason) => format!("{intent} cannot {}\n", reason.code),
    };
    Intent::ALL.iter().map(line).collect()
}

#[test]
fn the_table_of_a_tablet_that_was_set_up_by_a_code() {
    assert_eq!(table(&facts()), TABLE);
}

#[test]
fn a_tablet_that_the_agent_does_not_own_does_nothing_and_says_what_to_do() {
    let facts = changed(|told| told.device_owner = false);
    for intent in Intent::ALL.iter().filter(|intent| **intent != Intent::AppList) {
        let Ability::Cannot(reason) = ability(*intent, &facts) else { panic!("{intent}") };
        assert!(reason == reasons::NOT_OWNER || intent.never() == Some(reason), "{intent}");
    }
}

#[test]
fn what_the_agent_may_do_changes_what_it_can() {
    let of = |intent, facts: &Facts| ability(intent, facts);
    let draws = changed(|told| told.permissions.overlay = true);
    assert_eq!(of(Intent::Message, &draws), Ability::Does);
    let background = changed(|told| told.launcher = false);
    assert_eq!(of(Intent::Message, &background), Ability::Cannot(reasons::BACKGROUND));
    let powerless = changed(|told| told.permissions.administrator = false);
    assert_eq!(of(Intent::Erasure, &powerless), Ability::Cannot(reasons::NOT_ADMINISTRATOR));
    assert_eq!(of(Intent::Restart, &powerless), Ability::Does);
    // Nothing was told yet: as it will be once it is set up.
    assert_eq!(of(Intent::Erasure, &Facts::default()), Ability::DoesPartly(reasons::CARD_STAYS));
}

#[test]
fn lost_mode_is_never_shown_and_what_is_done_instead_is_possible() {
    let stood = stand(Intent::LostMode, &facts(), Seen::Reported(AT));
    assert_eq!(stood, Stand::Unsupported(reasons::NO_LOST_MODE));
    for intent in Intent::ALL.iter().filter(|intent| !intent.instead().is_empty()) {
        assert!(matches!(ability(*intent, &facts()), Ability::Cannot(_)), "{intent}");
        for other in intent.instead() {
            assert!(!matches!(ability(*other, &facts()), Ability::Cannot(_)), "{intent}: {other}");
        }
    }
}

#[test]
fn what_was_only_asked_for_is_requested_however_often_it_was_fetched_or_confirmed() {
    let confirmed = Seen::Command(State::Confirmed { at: AT });
    let cases = [
        (Intent::Restrictions, Seen::Fetched, "requested"),
        // No report of the agent's says anything about restrictions: whoever claims so is not believed.
        (Intent::Restrictions, Seen::Reported(AT), "requested"),
        (Intent::Apps, Seen::Fetched, "requested"),
        (Intent::Apps, Seen::Reported(AT), "applied"),
        (Intent::Apps, Seen::Refused(AT), "failed"),
        (Intent::Code, confirmed, "requested"),
        (Intent::Code, Seen::Reported(AT), "applied"),
        (Intent::Code, Seen::Refused(AT), "failed"),
        (Intent::Erasure, Seen::Command(State::Queued), "requested"),
        (Intent::Erasure, confirmed, "requested"),
        (Intent::Erasure, Seen::Reported(AT), "requested"),
        (Intent::Erasure, Seen::Attested(AT), "applied"),
        (Intent::Restart, confirmed, "requested"),
        (Intent::Erasure, Seen::Command(State::Failed { at: AT, why: Failure::SpokeAgain }), "failed"),
        (Intent::Erasure, Seen::Command(State::Void { at: AT, why: Voided::OrderGone }), "failed"),
    ];
    for (intent, seen, code) in cases {
        assert_eq!(stand(intent, &facts(), seen).code(), code, "{intent} {seen:?}");
    }
}

#[test]
fn every_reason_is_said_once_in_both_languages_and_in_full() {
    let mut codes = BTreeSet::new();
    let of = |intent: &Intent| intent.never().or_else(|| intent.limit());
    let own = [reasons::NOT_OWNER, reasons::NOT_ADMINISTRATOR, reasons::BACKGROUND];
    for reason in Intent::ALL.iter().filter_map(of).chain(own) {
        assert!(codes.insert(reason.code), "{} stands for two reasons", reason.code);
        for text in [reason.words.french, reason.words.english] {
            assert!(text.len() > 40 && !text.ends_with('.'), "{text}");
        }
        assert!(reason.words.french.chars().all(|letter| letter != '\''), "{}", reason.words.french);
    }
    for intent in Intent::ALL {
        let (label, refused) = (intent.label(), intent.refused());
        assert!(!label.french.is_empty() && !label.english.is_empty());
        assert!(refused.french != refused.english);
    }
}

#[test]
fn a_report_says_what_decides() {
    let body = br#"{"mdmMode":true,"permissions":[1,0,1,0],"defaultLauncher":true}"#;
    let info = DeviceInfo::parse(body, crate::agent::Locating::Never).unwrap();
    assert_eq!(Facts::of(&info), facts());
}

fn seen() -> impl Strategy<Value = Seen> {
    prop::sample::select(vec![
        Seen::Fetched,
        Seen::Reported(AT),
        Seen::Refused(AT),
        Seen::Attested(AT),
        Seen::Command(State::Queued),
        Seen::Command(State::Fetched { at: AT, times: 2 }),
        Seen::Command(State::Confirmed { at: AT }),
        Seen::Command(State::Failed { at: AT, why: Failure::NeverConfirmed }),
        Seen::Command(State::Void { at: AT, why: Voided::TooLate }),
    ])
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let told = any::<[bool; 6]>().prop_map(
        |[device_owner, administrator, overlay, usage, accessibility, launcher]| {
            let permissions = Permissions { administrator, overlay, usage, accessibility };
            Told { device_owner, permissions, launcher }
        },
    );
    proptest::option::of(told).prop_map(|told| Facts { told })
}

proptest! {
    #[test]
    fn nothing_is_applied_that_nobody_saw_and_nothing_unsupported_is_shown_as_asked(
        intent in prop::sample::select(Intent::ALL),
        facts in any_facts(),
        seen in seen(),
    ) {
        let stood = stand(intent, &facts, seen);
        if let Stand::Applied { .. } = stood {
            let saw = matches!(seen, Seen::Attested(_)) || (matches!(seen, Seen::Reported(_)) && intent.is_reported());
            prop_assert!(saw, "{intent} {seen:?}");
        }
        let cannot = matches!(ability(intent, &facts), Ability::Cannot(_));
        let said = matches!(stood, Stand::Unsupported(_));
        prop_assert_eq!(said, cannot && !matches!(seen, Seen::Attested(_)));
    }
}
