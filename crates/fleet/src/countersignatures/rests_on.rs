//! What a warrant would rest on, in words, for whoever is to sign it: when it was noticed and whether that was put right, which
//! papers there are, whether it would be firm, and what it goes on from (M1, C5.4.2). Told as it stands while the request waits:
//! a yes grants on the facts of its own moment.

use std::time::Duration;

use governance::countersignature::Purpose;
use incidents::papers::{self, PaperKind};
use incidents::{Asked, Footing, Grant, Incident};
use store::Tx;
use store::countersignatures::{self as rows, Countersignature};
use types::Instant;

use super::shown::{Sentence, sentence, somebody};
use crate::Refusal;
use crate::incidents::warrants::{self, Line};

/// When it was said to have been noticed, and who put that right when.
#[derive(Debug)]
struct Formerly {
    said: Instant,
    corrected_at: Instant,
    by: String,
}

/// What the request for a warrant rests on now; nothing, for any other.
pub(super) fn of(tx: &mut Tx<'_>, row: &Countersignature, now: Instant) -> Result<Vec<Sentence>, Refusal> {
    let purpose = row.purpose.parse::<Purpose>();
    if !matches!(purpose, Ok(Purpose::GrantWarrant | Purpose::ExtendWarrant)) {
        return Ok(Vec::new());
    }
    let Some(asked) = rows::asked(tx, row.id)? else { return Ok(Vec::new()) };
    let ground = warrants::ground(tx, &asked, now)?;
    let declared_by = somebody(tx, ground.incident.declarant.0)?.name;
    let mut formerly = Vec::new();
    for former in ground.formerly_noticed {
        let by = somebody(tx, former.corrected_by)?.name;
        formerly.push(Formerly { said: former.noticed_at, corrected_at: former.corrected_at, by });
    }
    let mut words = noticed(&ground.incident, &declared_by, &formerly);
    words.extend(handed_in(&ground.incident));
    // What stands in the way of each who would sign is told by itself.
    words.extend(ground.granted.ok().map(|grant| footing(&ground.incident, &grant)));
    words.push(numbers(ground.asked, ground.extends.as_ref()));
    Ok(words)
}

fn noticed(incident: &Incident, declared_by: &str, formerly: &[Formerly]) -> Vec<Sentence> {
    let (noticed, declared) = (to_the_second(incident.noticed_at), to_the_second(incident.declared_at));
    let stands = sentence(
        format!("it was noticed at {noticed}, and declared at {declared} by {declared_by}"),
        format!("il a été constaté le {noticed}, et déclaré le {declared} par {declared_by}"),
    );
    let before = formerly.iter().map(|Formerly { said, corrected_at, by }| {
        let (said, corrected) = (to_the_second(*said), to_the_second(*corrected_at));
        sentence(
            format!("until {by} put that right at {corrected}, it was said to have been noticed at {said}"),
            format!(
                "jusqu’à la rectification du {corrected} par {by}, il était dit qu’il avait été constaté le {said}"
            ),
        )
    });
    std::iter::once(stands).chain(before).collect()
}

fn handed_in(incident: &Incident) -> Vec<Sentence> {
    let papers = &incident.papers;
    let paper = |kind: &PaperKind| {
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
        there.unwrap_or_else(|| {
            sentence(format!("there is no {kind} yet"), format!("{} manque encore", kind.in_french()))
        })
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

fn footing(incident: &Incident, grant: &Grant) -> Sentence {
    let until = to_the_second(grant.expires_at);
    match (grant.footing, papers::wanting(incident)) {
        (Footing::Provisional, Some(paper)) => sentence(
            format!(
                "signed now, the warrant is provisional, because the {paper} is wanting: it ends at {until}, and 48 hours after \
                 the declaration at the latest"
            ),
            format!(
                "signée maintenant, l’autorisation est provisoire, car il manque {} : elle prend fin le {until}, et 48 heures \
                 après la déclaration au plus tard",
                paper.in_french()
            ),
        ),
        (Footing::Firm | Footing::Provisional, _) => sentence(
            format!("signed now, the warrant is firm, and ends at {until}"),
            format!("signée maintenant, l’autorisation est ferme, et prend fin le {until}"),
        ),
    }
}

fn numbers(asked: Asked, extends: Option<&Line>) -> Sentence {
    let (fixes, minutes) = (asked.fixes, asked.interval.as_secs() / Duration::from_secs(60).as_secs());
    match extends {
        None => sentence(
            format!(
                "it is the first warrant of the incident: at most {fixes} positions, at least {minutes} minutes apart"
            ),
            format!(
                "c’est la première autorisation de ce sinistre : {fixes} positions au plus, à {minutes} minutes d’intervalle au \
                 moins"
            ),
        ),
        Some(Line { id, grant, asked, .. }) => {
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
        assert_eq!(noticed(&theft, "Léa Petit", &[]).len(), 1);
        let said = declared_at().minus(HOUR * 3);
        let former = Formerly { said, corrected_at: declared_at().plus(HOUR), by: "Mina Roy".to_owned() };
        let words = noticed(&theft, "Léa Petit", &[former]);
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
        let there = handed_in(&incident(IncidentKind::Theft, Papers { complaint, ..Papers::default() }));
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
        let loss = handed_in(&incident(IncidentKind::Loss, Papers { letter, ..Papers::default() }));
        assert_eq!(loss.len(), 1);
        assert!(both(&loss[0]).iter().all(|text| text.contains("Courrier 7") && text.contains("2026-11-18")));
        let authority = AuthorityReference::new("PV 7");
        let asked =
            handed_in(&incident(IncidentKind::AuthorityRequest, Papers { authority, ..Papers::default() }));
        assert!(asked.len() == 1 && both(&asked[0]).iter().all(|text| text.contains("PV 7")), "{asked:?}");
    }

    #[test]
    fn m1_whoever_signs_reads_whether_it_is_firm_until_when_and_what_it_extends() {
        let theft = incident(IncidentKind::Theft, Papers::default());
        let provisional = footing(&theft, &grant(Footing::Provisional));
        assert!(provisional.english.contains("provisional") && provisional.english.contains("the complaint"));
        assert!(provisional.french.contains("provisoire") && provisional.french.contains("la plainte"));
        let firm = footing(&theft, &grant(Footing::Firm));
        assert!(firm.english.contains("firm") && firm.french.contains("ferme"));
        for words in [&provisional, &firm] {
            assert!(both(words).iter().all(|text| text.contains("2026-11-20T11:06:40Z")), "{words:?}");
        }
        let asked = Asked { lasts: HOUR, fixes: 8, interval: Duration::from_secs(600) };
        let first = numbers(asked, None);
        assert!(first.english.contains("first warrant") && first.french.contains("première autorisation"));
        let id = WarrantId::new(declared_at());
        let line = Line {
            id,
            grant: grant(Footing::Firm),
            state: OrderState::Open,
            asked: 5,
            kept: 4,
            ended_at: None,
            names: std::collections::BTreeMap::new(),
        };
        let extension = numbers(asked, Some(&line));
        assert!(extension.english.contains("5 of 12") && extension.french.contains("5 positions sur 12"));
        for words in [&first, &extension] {
            assert!(
                both(words).iter().all(|text| text.contains('8') && text.contains("10 minutes")),
                "{words:?}"
            );
        }
        assert!(both(&extension).iter().all(|text| text.contains(&id.to_string())), "{extension:?}");
    }
}
