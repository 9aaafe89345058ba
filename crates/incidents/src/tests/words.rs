//! Refusals in both languages, each with the command that helps.

use std::collections::BTreeSet;

use types::{Day, Duration, IncidentId, IncidentKind, WarrantId};

use super::{hours, tablet};
use crate::papers::PaperKind;
use crate::*;

fn day() -> Day {
    "2026-11-26".parse().unwrap()
}

/// One of each, with what its words must name.
fn all() -> Vec<(Refusal, String)> {
    let incident = IncidentId::new(hours(7));
    let at = hours(3).to_string();
    let kind = IncidentKind::Damage;
    let letter = PaperKind::Letter;
    vec![
        (Refusal::NoticedLater { noticed_at: hours(3), now: hours(2) }, at.clone()),
        (Refusal::NoticedAfterDeclared { noticed_at: hours(4), declared_at: hours(3) }, at.clone()),
        (Refusal::ConcernsAnother { noticed_at: hours(3) }, at.clone()),
        (Refusal::HeldByAnother { began_at: hours(3) }, at.clone()),
        (Refusal::OfAnotherCollege, "autre établissement".to_owned()),
        (
            Refusal::NoticedBeforeTheLoan { noticed_at: hours(2), began_at: hours(3), since: hours(4) },
            at.clone(),
        ),
        (Refusal::WentOn { since: Since::Received }, "restituée".to_owned()),
        (Refusal::WentOn { since: Since::Lent }, "prêtée de nouveau".to_owned()),
        (Refusal::WentOn { since: Since::Moved }, "d’un autre établissement".to_owned()),
        (Refusal::NoReference, "référence".to_owned()),
        (Refusal::NotNow { step: "close", state: IncidentState::InProgress, kind }, "clore".to_owned()),
        (
            Refusal::NotNow { step: "take up", state: IncidentState::Closed, kind },
            "prendre en charge".to_owned(),
        ),
        (Refusal::NotNow { step: "find", state: IncidentState::Found, kind }, "dire retrouvée".to_owned()),
        (Refusal::NotNow { step: "give up", state: IncidentState::NotFound, kind }, "abandonner".to_owned()),
        (Refusal::NotNow { step: "reopen", state: IncidentState::Declared, kind }, "rouvrir".to_owned()),
        (Refusal::NoReason, "motif".to_owned()),
        (Refusal::WrongKind { kind: IncidentKind::Fault }, "panne".to_owned()),
        (Refusal::Closed, "clos".to_owned()),
        (Refusal::NotSought { state: IncidentState::Found }, "retrouvée".to_owned()),
        (Refusal::NotValidated, "délégué".to_owned()),
        (Refusal::GrantsToThemselves, "demande une autorisation".to_owned()),
        (Refusal::GrantsAsDeclarant, "a déclaré".to_owned()),
        (Refusal::HeadOfAnother, "autre établissement".to_owned()),
        (OutOfBounds::Lasts { asked: 169, most: 168 }.into(), "1 à 168 heures, et non 169".to_owned()),
        (OutOfBounds::Fixes { asked: 25, most: 24 }.into(), "1 à 24 positions, et non 25".to_owned()),
        (OutOfBounds::Interval { asked: 4, least: 5 }.into(), "5 minutes".to_owned()),
        (
            Refusal::PaperNotAsked { paper: PaperKind::Complaint, kind: IncidentKind::Loss },
            "perte".to_owned(),
        ),
        (
            Refusal::PaperNotAsked { paper: letter, kind: IncidentKind::CompromisedCode },
            "ne demande aucune pièce".to_owned(),
        ),
        (Refusal::PaperBefore { paper: letter, dated: day(), noticed_on: day().plus(1) }, day().to_string()),
        (Refusal::PaperMissing { paper: PaperKind::Complaint, since: hours(3) }, at.clone()),
        (Refusal::HadOne, "prolongation".to_owned()),
        (Refusal::NothingToExtend, "à prolonger".to_owned()),
        (Refusal::UsedUp { fixes: 12 }, "12 positions".to_owned()),
        (Refusal::TooSoon { next_at: hours(3) }, at),
        (
            Refusal::NoLostMode { instead: Instead::ALL },
            "verrouiller l’écran avec un message, lui donner".to_owned(),
        ),
        (Refusal::LostModeStays { incident }, incident.to_string()),
        (Refusal::BadMessage { most: 200 }, "200 caractères".to_owned()),
        (Refusal::NotStolen { kind: IncidentKind::Breakage }, "casse".to_owned()),
        (Refusal::NotAway { state: IncidentState::Closed }, "clos".to_owned()),
        (Refusal::NoDelay { most: Duration::from_secs(366 * 86_400) }, "366 jours".to_owned()),
    ]
}

#[test]
fn m1_each_refusal_has_french_words_of_its_own_that_name_what_it_is_about() {
    let french: BTreeSet<String> = all().iter().map(|(refusal, _)| refusal.in_french()).collect();
    assert_eq!(french.len(), all().len(), "{french:?}");
    for (refusal, names) in all() {
        let said = refusal.in_french();
        assert!(said.contains(&names), "{names}: {said}");
        assert_ne!(said, refusal.to_string());
    }
}

#[test]
fn m1_each_refusal_names_the_command_that_helps_in_both_languages() {
    for (refusal, _) in all() {
        let next = refusal.next_step();
        let commands = |text: &str| -> Vec<String> {
            text.split('`').skip(1).step_by(2).map(|command| command.replace("TABLETTE", "TABLET")).collect()
        };
        let (english, french) = (commands(next.english), commands(next.french));
        assert!(!english.is_empty() && english == french, "{refusal}: {next:?}");
        assert_ne!(next.english, next.french);
    }
}

#[test]
fn m1_each_kind_of_incident_and_each_state_has_a_french_name_in_a_refusal() {
    let kinds: BTreeSet<String> =
        IncidentKind::ALL.iter().map(|kind| Refusal::WrongKind { kind: *kind }.in_french()).collect();
    let states: BTreeSet<String> =
        IncidentState::ALL.iter().map(|state| Refusal::NotAway { state: *state }.in_french()).collect();
    assert_eq!((kinds.len(), states.len()), (IncidentKind::ALL.len(), IncidentState::ALL.len()));
}

#[test]
fn m1_what_is_not_in_force_says_why_in_french() {
    let (incident, warrant, now) = (IncidentId::new(hours(7)), WarrantId::new(hours(8)), hours(9));
    let not_open = [
        NotOpen::OfAnother { incident, recorded: tablet(), asked: tablet() },
        NotOpen::WrongKind { incident, kind: IncidentKind::Breakage },
        NotOpen::Closed { incident },
        NotOpen::InTheFuture { incident, opened_at: hours(10), now },
        NotOpen::HeldByAnother { incident, began_at: hours(10) },
        NotOpen::OfAnotherCollege { incident },
    ];
    for why in &not_open {
        assert!(why.in_french().contains(&incident.to_string()), "{why}");
        assert_eq!(NotInForce::NotOpen(why.clone()).in_french(), why.in_french());
    }
    let of_warrants = [
        NotInForce::OfAnother { warrant },
        NotInForce::NotSought { warrant },
        NotInForce::NotValidated { warrant },
        NotInForce::NotFirm { warrant, began_at: hours(10) },
        NotInForce::InTheFuture { warrant, opens_at: hours(10), now },
        NotInForce::Over { warrant, at: hours(6) },
    ];
    assert!(of_warrants.iter().all(|why| why.in_french().contains(&warrant.to_string())));
    let french: BTreeSet<String> = not_open
        .iter()
        .map(NotOpen::in_french)
        .chain(of_warrants.iter().map(NotInForce::in_french))
        .collect();
    assert_eq!(french.len(), not_open.len() + of_warrants.len());
    assert_eq!(NotInForce::NotYet(Refusal::HadOne).in_french(), Refusal::HadOne.in_french());
    for (paper, name) in [(PaperKind::Letter, "la déclaration écrite"), (PaperKind::Complaint, "la plainte")]
    {
        assert_eq!(paper.in_french(), name);
    }
}
