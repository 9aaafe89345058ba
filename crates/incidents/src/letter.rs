//! What the holder, or the guardians of a minor, are told of a warrant, in French and in English (M1, C7.1). Where the tablet
//! was is never in it, nor who asked.

use types::{Day, IncidentKind};

use crate::NoticeOccasion;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// Whether the warrant opened, or is over.
    pub occasion: NoticeOccasion,
    /// What the incident is.
    pub kind: IncidentKind,
    /// The tablet's serial number.
    pub serial: &'a str,
    /// The day on which the warrant opened.
    pub opened_on: Day,
    /// How many positions were asked for under it.
    pub asked: u32,
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The subject, in both; without any name.
    pub subject: String,
    /// In French.
    pub french: String,
    /// In English.
    pub english: String,
}

/// Writes it.
#[must_use]
pub fn write(told: &Told<'_>) -> Words {
    let Told { serial, opened_on, asked, .. } = told;
    let (because_french, because_english) = match told.kind {
        IncidentKind::Theft => ("d’un vol déclaré", "a theft that was declared"),
        IncidentKind::Loss => ("d’une perte déclarée", "a loss that was declared"),
        _ => ("d’une demande des autorités compétentes", "a request of the competent authorities"),
    };
    match told.occasion {
        NoticeOccasion::Opened => Words {
            subject: "Tablette prêtée : géolocalisation autorisée / Lent tablet: location permitted"
                .to_owned(),
            french: format!(
                "À la suite {because_french}, la géolocalisation de la tablette {serial} a été autorisée le {opened_on}. Elle est \
                 exceptionnelle et limitée : chaque demande de position est enregistrée, avec son auteur et son motif.\n\nVous \
                 serez avertis quand elle aura pris fin. Les positions sont détruites ensuite. Pour exercer vos droits, \
                 adressez-vous au délégué à la protection des données du département.\n"
            ),
            english: format!(
                "After {because_english}, locating tablet {serial} was permitted on {opened_on}. It is exceptional and limited: \
                 each request for a position is recorded, with who asked and why.\n\nYou will be told when it is over. \
                 Positions are destroyed afterwards. To exercise your rights, write to the département’s data protection \
                 officer.\n"
            ),
        },
        NoticeOccasion::Over => Words {
            subject: "Tablette prêtée : géolocalisation terminée / Lent tablet: location over".to_owned(),
            french: format!(
                "La géolocalisation de la tablette {serial}, autorisée le {opened_on} à la suite {because_french}, a pris fin. \
                 Nombre de positions demandées : {asked}. Elles sont détruites au plus tard 90 jours après la dernière.\n\nPour \
                 exercer vos droits, adressez-vous au délégué à la protection des données du département.\n"
            ),
            english: format!(
                "Locating tablet {serial}, which was permitted on {opened_on} after {because_english}, is over. Positions that \
                 were asked for: {asked}. They are destroyed at the latest 90 days after the last of them.\n\nTo exercise your \
                 rights, write to the département’s data protection officer.\n"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_c7_1_both_notices_say_why_and_since_when_and_the_last_one_what_was_done() {
        let told = |occasion| Told {
            occasion,
            kind: IncidentKind::Theft,
            serial: "DMPX00000001",
            opened_on: "2027-02-03".parse().unwrap(),
            asked: 3,
        };
        let (opened, over) = (write(&told(NoticeOccasion::Opened)), write(&told(NoticeOccasion::Over)));
        for words in [&opened, &over] {
            for text in [&words.french, &words.english] {
                assert!(text.contains("DMPX00000001") && text.contains("2027-02-03"), "{text}");
            }
            assert!(!words.subject.contains("DMPX"), "{}", words.subject);
        }
        for (kind, french, english) in [
            (IncidentKind::Theft, "à la suite d’un vol déclaré", "after a theft that was declared"),
            (IncidentKind::Loss, "à la suite d’une perte déclarée", "after a loss that was declared"),
            (
                IncidentKind::AuthorityRequest,
                "à la suite d’une demande des autorités compétentes",
                "after a request of the competent authorities",
            ),
        ] {
            for occasion in [NoticeOccasion::Opened, NoticeOccasion::Over] {
                let words = write(&Told { kind, ..told(occasion) });
                let (said, in_english) = (words.french.to_lowercase(), words.english.to_lowercase());
                assert!(said.contains(french) && in_english.contains(english), "{words:?}");
            }
        }
        assert!(over.french.contains("demandées : 3") && over.english.contains("asked for: 3"), "{over:?}");
    }
}
