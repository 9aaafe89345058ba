//! What a warrant would rest on, in words, for whoever is to sign it: when it was noticed and whether that was put right, which
//! papers there are, whether it would be firm, and what it goes on from (M1, C5.4.2). Told as it stands while the request waits:
//! a yes grants on the facts of its own moment.

use std::time::Duration;

use governance::countersignature::Purpose;
use incidents::papers::{self, PaperKind};
use incidents::{Asked, Bearing, Footing, Grant, Hands, Incident};
use serde_json::json;
use store::countersignatures::{self as rows, Countersignature};
use store::{Digest, Tx};
use types::{AccountId, Instant};

use super::shown::{Sentence, sentence, somebody};
use crate::Refusal;
use crate::incidents::warrants::{self, Ground, Line};

/// When it was said to have been noticed, and who put that right when.
#[derive(Debug)]
struct Formerly {
    said: Instant,
    corrected_at: Instant,
    by: Sentence,
}

/// A paper that was put right last, or taken back, and by whom.
#[derive(Debug)]
struct PutRight {
    paper: PaperKind,
    at: Instant,
    by: Sentence,
}

/// What the request for a warrant rests on now; nothing, for any other.
pub(super) fn of(tx: &mut Tx<'_>, row: &Countersignature, now: Instant) -> Result<Vec<Sentence>, Refusal> {
    let Some(ground) = ground(tx, row, now)? else { return Ok(Vec::new()) };
    let declared_by = named(tx, ground.incident.declarant.0)?;
    let mut formerly = Vec::new();
    for former in &ground.formerly_noticed {
        let by = named(tx, former.corrected_by)?;
        formerly.push(Formerly { said: former.noticed_at, corrected_at: former.corrected_at, by });
    }
    let mut put_right: Vec<PutRight> = Vec::new();
    for row in &ground.corrected {
        let by = named(tx, row.corrected_by)?;
        put_right.retain(|before| before.paper != row.paper);
        put_right.push(PutRight { paper: row.paper, at: row.corrected_at, by });
    }
    let mut words = noticed(&ground.incident, &declared_by, &formerly);
    words.extend(before_it_was_here(&ground));
    words.extend(handed_in(&ground.incident, &put_right));
    // What stands in the way of each who would sign is told by itself.
    words.extend(ground.granted.as_ref().ok().map(|grant| footing(&ground.incident, &ground.hands, grant)));
    words.push(numbers(&ground));
    Ok(words)
}

/// What an answer names: the content, and of a warrant that waits what it rests on. The clock is no part of it.
pub(super) fn digest(tx: &mut Tx<'_>, row: &Countersignature, now: Instant) -> Result<Digest, Refusal> {
    let Some(ground) = ground(tx, row, now)? else { return Ok(row.content_sha256) };
    let Ground { incident, hands, formerly_noticed, corrected, granted, last, .. } = &ground;
    let papers::Papers { letter, complaint, authority } = &incident.papers;
    let letter = letter.as_ref().map(|paper| (&paper.reference, paper.dated.to_string(), paper.recorded_at));
    let complaint = complaint
        .as_ref()
        .map(|paper| (&paper.number, paper.dated.to_string(), &paper.station, paper.recorded_at));
    let read = json!({
        "content": row.content_sha256,
        "noticed_at": incident.noticed_at, "declared_at": incident.declared_at, "state": incident.state.as_str(),
        "formerly": formerly_noticed.iter().map(|said| (said.noticed_at, said.corrected_at)).collect::<Vec<_>>(),
        "letter": letter, "complaint": complaint, "authority": authority.as_ref().map(papers::AuthorityReference::as_str),
        "corrected": corrected.iter().map(|row| (row.paper.as_str(), row.number)).collect::<Vec<_>>(),
        "hands": [hands.then.map(|held| held.loan), hands.now.map(|held| held.loan)], "home": hands.home.as_str(),
        "footing": granted.as_ref().ok().map(|grant| grant.footing.as_str()), "last": last,
    });
    Ok(Digest::of(read.to_string().as_bytes()))
}

fn ground(tx: &mut Tx<'_>, row: &Countersignature, now: Instant) -> Result<Option<Ground>, Refusal> {
    let purpose = row.purpose.parse::<Purpose>();
    if !matches!(purpose, Ok(Purpose::GrantWarrant | Purpose::ExtendWarrant)) {
        return Ok(None);
    }
    let Some(asked) = rows::asked(tx, row.id)? else { return Ok(None) };
    warrants::ground(tx, &asked, now).map(Some)
}

/// The name of a person, or that they were forgotten.
fn named(tx: &mut Tx<'_>, account: AccountId) -> Result<Sentence, Refusal> {
    Ok(or_forgotten(&somebody(tx, account)?.name))
}

fn or_forgotten(name: &str) -> Sentence {
    if name.is_empty() {
        sentence("somebody who was forgotten since", "une personne effacée depuis")
    } else {
        sentence(name, name)
    }
}

fn noticed(incident: &Incident, declared_by: &Sentence, formerly: &[Formerly]) -> Vec<Sentence> {
    let (noticed, declared) = (to_the_second(incident.noticed_at), to_the_second(incident.declared_at));
    let stands = sentence(
        format!("it was noticed at {noticed}, and declared at {declared} by {}", declared_by.english),
        format!("il a été constaté le {noticed}, et déclaré le {declared} par {}", declared_by.french),
    );
    let before = formerly.iter().map(|Formerly { said, corrected_at, by }| {
        let (said, corrected) = (to_the_second(*said), to_the_second(*corrected_at));
        sentence(
            format!(
                "until {} put that right at {corrected}, it was said to have been noticed at {said}",
                by.english
            ),
            format!(
                "jusqu’à la rectification du {corrected} par {}, il était dit qu’il avait été constaté le {said}",
                by.french
            ),
        )
    });
    std::iter::once(stands).chain(before).collect()
}

/// Of what was noticed before the tablet was entered, or before the loan that stands.
fn before_it_was_here(ground: &Ground) -> Vec<Sentence> {
    let noticed_at = ground.incident.noticed_at;
    let mut words = Vec::new();
    if let Some(entered) = ground.entered_at.filter(|entered| noticed_at < *entered) {
        let entered = to_the_second(entered);
        words.push(sentence(
            format!("it was noticed before the tablet was entered in the inventory ({entered})"),
            format!("il a été constaté avant l’entrée de la tablette dans l’inventaire ({entered})"),
        ));
    }
    if let Some(lent) = ground.hands.now.filter(|lent| noticed_at < lent.began_at) {
        let began = to_the_second(lent.began_at);
        words.push(sentence(
            format!("it was noticed before the loan that stands began ({began})"),
            format!("il a été constaté avant le début du prêt en cours ({began})"),
        ));
    }
    words
}

fn handed_in(incident: &Incident, put_right: &[PutRight]) -> Vec<Sentence> {
    let papers = &incident.papers;
    let paper = |kind: &PaperKind| {
        let corrected = put_right.iter().find(|row| row.paper == *kind);
        let with = |words: Sentence, english: &str, french: &str| {
            let Some(PutRight { at, by, .. }) = corrected else { return words };
            let at = to_the_second(*at);
            sentence(
                format!("{}; {english} by {} at {at}", words.english, by.english),
                format!("{} ; {french} par {} le {at}", words.french, by.french),
            )
        };
        let there = match kind {
            PaperKind::Letter => papers.letter.as_ref().map(|letter| {
                let (reference, dated) = (&letter.reference, letter.dated);
                sentence(
                    format!("the letter is there: reference {reference}, dated {dated}"),
                    format!("la déclaration écrite est là : référence {reference}, datée du {dated}"),
                )
            }),
            PaperKind::Complaint => papers.complaint.as_ref().map(|complaint| {
                let (number, dated, station) = (&complaint.number, complaint.dated, &complaint.station);
                sentence(
                    format!("the complaint is there: number {number}, dated {dated}, filed at {station}"),
                    format!("la plainte est là : numéro {number}, datée du {dated}, déposée à {station}"),
                )
            }),
        };
        match there {
            Some(there) => with(there, "it was put right", "elle a été rectifiée"),
            None => {
                let none = sentence(
                    format!("there is no {kind} yet"),
                    format!("{} manque encore", kind.in_french()),
                );
                with(none, "what was recorded was taken back", "ce qui était enregistré a été retiré")
            }
        }
    };
    let authority = papers.authority.as_ref().map(|reference| {
        let reference = reference.as_str();
        sentence(
            format!("the authority names its request {reference}"),
            format!("l’autorité nomme sa demande {reference}"),
        )
    });
    papers::needed(incident.kind).iter().map(paper).chain(authority).collect()
}

fn footing(incident: &Incident, hands: &Hands, grant: &Grant) -> Sentence {
    let until = to_the_second(grant.expires_at);
    let provisional = |why: &str, pourquoi: &str| {
        sentence(
            format!(
                "signed now, the warrant is provisional, because {why}: it ends at {until}, and 48 hours after the declaration at \
                 the latest"
            ),
            format!(
                "signée maintenant, l’autorisation est provisoire, car {pourquoi} : elle prend fin le {until}, et 48 heures après \
                 la déclaration au plus tard"
            ),
        )
    };
    match (grant.footing, hands.bearing(), papers::wanting(incident)) {
        (Footing::Provisional, Bearing::LentAnew { .. }, _) => provisional(
            "it was noticed before the loan that stands began",
            "il a été constaté avant le début du prêt en cours",
        ),
        (Footing::Provisional, _, Some(paper)) => {
            provisional(&format!("the {paper} is wanting"), &format!("il manque {}", paper.in_french()))
        }
        (Footing::Firm | Footing::Provisional, _, _) => sentence(
            format!("signed now, the warrant is firm, and ends at {until}"),
            format!("signée maintenant, l’autorisation est ferme, et prend fin le {until}"),
        ),
    }
}

/// What it goes on from, and what it adds. What was granted after it was asked for leaves it nothing to grant.
fn numbers(ground: &Ground) -> Sentence {
    let Asked { fixes, interval, .. } = ground.asked;
    let minutes = interval.as_secs() / Duration::from_secs(60).as_secs();
    match (&ground.extends, ground.last) {
        (extends, Some(last)) if extends.as_ref().map(|before| before.id) != Some(last) => sentence(
            format!(
                "since it was asked for, warrant {last} was granted: this one cannot be granted any more"
            ),
            format!("depuis la demande, l’autorisation {last} a été accordée : celle-ci ne peut plus l’être"),
        ),
        (None, _) if ground.warrants_before > 0 => {
            let before = ground.warrants_before;
            sentence(
                format!(
                    "the incident goes on from one that was closed, under which {before} warrants were granted; this one lets at \
                     most {fixes} positions be asked for, at least {minutes} minutes apart"
                ),
                format!(
                    "ce sinistre continue un sinistre clos, qui a eu {before} autorisations ; celle-ci permet {fixes} positions au \
                     plus, à {minutes} minutes d’intervalle au moins"
                ),
            )
        }
        (None, _) => sentence(
            format!(
                "it is the first warrant of the incident: at most {fixes} positions, at least {minutes} minutes apart"
            ),
            format!(
                "c’est la première autorisation de ce sinistre : {fixes} positions au plus, à {minutes} minutes d’intervalle au \
                 moins"
            ),
        ),
        (Some(Line { id, grant, asked, .. }), _) => {
            let (most, opened) = (grant.fixes, to_the_second(grant.opens_at));
            sentence(
                format!(
                    "it goes on from warrant {id}, granted at {opened}, under which {asked} of {most} positions were asked for: \
                     at most {fixes} more, at least {minutes} minutes apart"
                ),
                format!(
                    "elle fait suite à l’autorisation {id}, accordée le {opened}, qui a servi à demander {asked} positions sur \
                     {most} : {fixes} de plus au plus, à {minutes} minutes d’intervalle au moins"
                ),
            )
        }
    }
}

/// An instant as people read it.
fn to_the_second(at: Instant) -> Instant {
    Instant::from_millis(at.as_millis().div_euclid(1_000) * 1_000)
}

#[cfg(test)]
mod tests {
    use incidents::papers::{AuthorityReference, Complaint, Letter, Papers};
    use incidents::{Declarant, IncidentState};
    use store::warrants::OrderState;
    use types::{AccountId, Day, IncidentId, IncidentKind, TabletId, ValidationId, WarrantId};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn declared_at() -> Instant {
        Instant::from_millis(1_795_000_000_123)
    }

    fn incident(kind: IncidentKind, papers: Papers) -> Incident {
        let at = declared_at();
        Incident {
            id: IncidentId::new(at),
            tablet: TabletId::new(at),
            college: "0761234A".parse().unwrap(),
            kind,
            noticed_at: at.minus(HOUR),
            opened_at: at,
            reopens: None,
            declared_at: at,
            declarant: Declarant(AccountId::new(at)),
            state: IncidentState::Declared,
            papers,
        }
    }

    fn grant(footing: Footing) -> Grant {
        let at = declared_at();
        Grant {
            incident: IncidentId::new(at),
            tablet: TabletId::new(at),
            author: AccountId::new(at),
            second: AccountId::new(at),
            reason: "seen at the station".to_owned(),
            validation: ValidationId::new(at),
            footing,
            extends: None,
            opens_at: at,
            expires_at: at.plus(HOUR * 48),
            fixes: 12,
            interval: Duration::from_secs(900),
        }
    }

    fn both(words: &Sentence) -> [&str; 2] {
        [&words.english, &words.french]
    }

    #[test]
    fn m1_whoever_signs_reads_when_it_was_noticed_and_what_was_said_before() {
        let theft = incident(IncidentKind::Theft, Papers::default());
        let lea = or_forgotten("Léa Petit");
        assert_eq!(noticed(&theft, &lea, &[]).len(), 1);
        let said = declared_at().minus(HOUR * 3);
        let former = Formerly { said, corrected_at: declared_at().plus(HOUR), by: or_forgotten("Mina Roy") };
        let words = noticed(&theft, &lea, &[former]);
        assert_eq!(words.len(), 2);
        for text in both(&words[0]) {
            for part in ["2026-11-18T10:06:40Z", "2026-11-18T11:06:40Z", "Léa Petit"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        for text in both(&words[1]) {
            for part in ["2026-11-18T08:06:40Z", "2026-11-18T12:06:40Z", "Mina Roy"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn m1_whoever_signs_reads_which_papers_there_are_and_which_are_wanting() {
        let dated: Day = "2026-11-18".parse().unwrap();
        let recorded_at = declared_at();
        let (number, station) = ("2026/42".to_owned(), "Rouen".to_owned());
        let complaint = Some(Complaint { number, dated, station, recorded_at });
        let there = handed_in(&incident(IncidentKind::Theft, Papers { complaint, ..Papers::default() }), &[]);
        assert_eq!(there.len(), 2);
        assert!(
            there[0].english.contains("no letter") && there[0].french.contains("déclaration écrite manque")
        );
        for text in both(&there[1]) {
            for part in ["2026/42", "2026-11-18", "Rouen"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        let letter = Some(Letter { reference: "Courrier 7".to_owned(), dated, recorded_at });
        let loss = handed_in(&incident(IncidentKind::Loss, Papers { letter, ..Papers::default() }), &[]);
        assert_eq!(loss.len(), 1);
        assert!(both(&loss[0]).iter().all(|text| text.contains("Courrier 7") && text.contains("2026-11-18")));
        let authority = AuthorityReference::new("PV 7");
        let asked = handed_in(
            &incident(IncidentKind::AuthorityRequest, Papers { authority, ..Papers::default() }),
            &[],
        );
        assert!(asked.len() == 1 && both(&asked[0]).iter().all(|text| text.contains("PV 7")), "{asked:?}");
    }

    #[test]
    fn m1_whoever_signs_reads_that_a_paper_was_put_right_or_taken_back_and_by_whom() {
        let dated: Day = "2026-11-18".parse().unwrap();
        let letter = Some(Letter { reference: "C7".to_owned(), dated, recorded_at: declared_at() });
        let right = |by: &str| {
            [PutRight { paper: PaperKind::Letter, at: declared_at().plus(HOUR), by: or_forgotten(by) }]
        };
        let there = incident(IncidentKind::Loss, Papers { letter, ..Papers::default() });
        let words = &handed_in(&there, &right("Mina Roy"))[0];
        assert!(words.english.contains("put right by Mina Roy at 2026-11-18T12:06:40Z"), "{words:?}");
        assert!(words.french.contains("rectifiée par Mina Roy le 2026-11-18T12:06:40Z"), "{words:?}");
        let words = &handed_in(&incident(IncidentKind::Loss, Papers::default()), &right(""))[0];
        assert!(words.english.contains("taken back by somebody who was forgotten"), "{words:?}");
        assert!(words.french.contains("retiré par une personne effacée"), "{words:?}");
    }

    fn ground(extends: Option<Line>, last: Option<WarrantId>) -> Ground {
        Ground {
            incident: incident(IncidentKind::Theft, Papers::default()),
            hands: Hands::NOBODYS,
            entered_at: None,
            formerly_noticed: Vec::new(),
            corrected: Vec::new(),
            granted: Ok(grant(Footing::Firm)),
            last,
            warrants_before: 0,
            extends,
            asked: Asked { lasts: HOUR, fixes: 8, interval: Duration::from_secs(600) },
        }
    }

    fn line(id: WarrantId) -> Line {
        Line {
            id,
            grant: grant(Footing::Firm),
            state: OrderState::Open,
            asked: 5,
            kept: 4,
            ended_at: None,
            names: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn m1_whoever_signs_reads_that_it_was_noticed_before_the_tablet_was_entered_or_lent() {
        use incidents::{Holding, Home};
        assert_eq!(before_it_was_here(&ground(None, None)), []);
        let (entered_at, began_at) = (declared_at(), declared_at().plus(HOUR));
        let person = types::PersonId::new(entered_at);
        let lent = |began_at| Holding { loan: types::LoanId::new(began_at), person, began_at };
        let hands = Hands { then: Some(lent(entered_at)), now: Some(lent(began_at)), home: Home::Same };
        let ground = Ground { hands, entered_at: Some(entered_at), ..ground(None, None) };
        let words = before_it_was_here(&ground);
        assert_eq!(words.len(), 2);
        assert!(both(&words[0]).iter().all(|text| text.contains("2026-11-18T11:06:40Z")), "{words:?}");
        assert!(both(&words[1]).iter().all(|text| text.contains("2026-11-18T12:06:40Z")), "{words:?}");
        let provisional = footing(&ground.incident, &hands, &grant(Footing::Provisional));
        assert!(provisional.english.contains("before the loan that stands"), "{provisional:?}");
        assert!(provisional.french.contains("avant le début du prêt"), "{provisional:?}");
    }

    #[test]
    fn m1_whoever_signs_reads_whether_it_is_firm_until_when_and_what_it_extends() {
        let theft = incident(IncidentKind::Theft, Papers::default());
        let provisional = footing(&theft, &Hands::NOBODYS, &grant(Footing::Provisional));
        assert!(provisional.english.contains("provisional") && provisional.english.contains("the complaint"));
        assert!(provisional.french.contains("provisoire") && provisional.french.contains("la plainte"));
        let firm = footing(&theft, &Hands::NOBODYS, &grant(Footing::Firm));
        assert!(firm.english.contains("firm") && firm.french.contains("ferme"));
        for words in [&provisional, &firm] {
            assert!(both(words).iter().all(|text| text.contains("2026-11-20T11:06:40Z")), "{words:?}");
        }
        let first = numbers(&ground(None, None));
        assert!(first.english.contains("first warrant") && first.french.contains("première autorisation"));
        let id = WarrantId::new(declared_at());
        let extension = numbers(&ground(Some(line(id)), Some(id)));
        assert!(extension.english.contains("5 of 12") && extension.french.contains("5 positions sur 12"));
        let reopened = numbers(&Ground { warrants_before: 2, ..ground(None, None) });
        assert!(reopened.english.contains("2 warrants") && reopened.french.contains("2 autorisations"));
        for words in [&first, &extension, &reopened] {
            assert!(
                both(words).iter().all(|text| text.contains('8') && text.contains("10 minutes")),
                "{words:?}"
            );
        }
        assert!(both(&extension).iter().all(|text| text.contains(&id.to_string())), "{extension:?}");
        // What was granted meanwhile, be it a first one or an extension, leaves nothing to grant.
        let later = WarrantId::new(declared_at().plus(HOUR));
        for extends in [None, Some(line(id))] {
            let over = numbers(&ground(extends, Some(later)));
            assert!(both(&over).iter().all(|text| text.contains(&later.to_string())), "{over:?}");
            assert!(over.english.contains("cannot be granted") && over.french.contains("ne peut plus"));
        }
    }
}
