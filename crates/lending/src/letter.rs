//! What a notice says, in French and in English: to be printed and handed over, or to be sent (C5.2.6, C5.3.5).
//!
//! Both languages stand in every one of them, so that nothing is kept of what a family speaks (C3.1.6). No subject names
//! anybody: it is read on the screen of a telephone that lies on a table.

use types::{Day, MailAddress, UserKind};

use crate::agreement::Signatory;
use crate::list::Entry;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The subject, in both; without any name.
    pub subject: String,
    /// In French.
    pub french: String,
    /// In English.
    pub english: String,
}

impl Text {
    /// The whole text, French first.
    #[must_use]
    pub fn both(&self) -> String {
        format!("{}\n\n-- English --\n\n{}", self.french.trim_end(), self.english)
    }
}

/// Who writes, to whom, about which tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About<'a> {
    /// Who lends.
    pub organisation: &'a str,
    /// Where the tablet is brought.
    pub college: &'a str,
    /// What the holder is called; empty once that was forgotten.
    pub holder: &'a str,
    /// Whether guardians are meant, too.
    pub minor: bool,
    /// The tablet's serial number.
    pub serial: &'a str,
    /// The day of the letter.
    pub dated: Day,
}

/// How it goes: the time that a holder has begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Somebody hands it over.
    Letter,
    /// It is sent.
    Mail,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says<'a> {
    /// The tablet is due back on this day.
    Due(Day),
    /// The loan ended on this day, and the tablet is not back.
    Over(Day),
    /// The tablet came back on this day, and is erased at the earliest so many days after this notice.
    Received {
        /// The day.
        on: Day,
        /// How many days.
        days: i64,
    },
    /// The rules changed; so they are called.
    RulesChanged(&'a str),
    /// The tablet is handed in for the summer, from one day until another.
    Deposit {
        /// The first day.
        from: Day,
        /// The last day.
        until: Day,
    },
}

/// Writes it.
#[must_use]
pub fn write(about: &About<'_>, says: Says<'_>, way: Way) -> Text {
    let serial = about.serial;
    let (subject, french, english) = match says {
        Says::Due(day) => (
            "Tablette prêtée : à rendre bientôt / Lent tablet: due back soon".to_owned(),
            format!(
                "La tablette {serial} est à rendre au plus tard le {day}, au collège : {college}.\n\nÀ la restitution, toutes \
                 les données qu’elle contient seront effacées. Il n’existe aucune sauvegarde automatique : enregistrez ailleurs, \
                 avant cette date, ce que vous souhaitez garder. Rapportez aussi les accessoires.\n",
                college = about.college
            ),
            format!(
                "Tablet {serial} is due back on {day} at the latest, at the collège: {college}.\n\nOnce it is given back, all data \
                 on it will be erased. There is no automatic backup: save elsewhere, before that day, what you want to keep. \
                 Bring the accessories, too.\n",
                college = about.college
            ),
        ),
        Says::Over(day) => (
            "Tablette prêtée : le prêt a pris fin / Lent tablet: the loan is over".to_owned(),
            format!(
                "Le prêt de la tablette {serial} a pris fin le {day}. Rapportez-la au collège : {college}, avec ses \
                 accessoires.\n\nToutes les données qu’elle contient seront effacées. Il n’existe aucune sauvegarde automatique : \
                 enregistrez ailleurs ce que vous souhaitez garder.\n",
                college = about.college
            ),
            format!(
                "The loan of tablet {serial} ended on {day}. Bring it back to the collège: {college}, with its \
                 accessories.\n\nAll data on it will be erased. There is no automatic backup: save elsewhere what you want to \
                 keep.\n",
                college = about.college
            ),
        ),
        Says::Received { on, days } => {
            let (since_french, since_english) = match way {
                Way::Letter => ("la remise de cette lettre", "this letter was handed over"),
                Way::Mail => ("l’envoi de ce message", "this message was sent"),
            };
            (
                "Tablette rendue : ses données seront effacées / Tablet given back: its data will be erased"
                    .to_owned(),
                format!(
                    "La tablette {serial} a été rendue le {on}. Toutes les données qu’elle contient seront effacées, au plus tôt \
                     {days} jours après {since_french}. Il n’existe aucune sauvegarde automatique.\n\nSi vous souhaitez garder \
                     des données, demandez-les au collège avant cette date. Si elles sont déjà sauvegardées, dites-le : \
                     l’effacement n’attendra pas.\n"
                ),
                format!(
                    "Tablet {serial} was given back on {on}. All data on it will be erased, at the earliest {days} days after \
                     {since_english}. There is no automatic backup.\n\nIf you want to keep data, ask the collège for it before \
                     then. If it is saved already, say so: the erasure will not wait.\n"
                ),
            )
        }
        Says::RulesChanged(title) => (
            "Tablette prêtée : les règles ont changé / Lent tablet: the rules have changed".to_owned(),
            format!(
                "Les règles qui s’appliquent à la tablette {serial} ont changé : {title}.\n\nLe collège vous dira ce que cela \
                 change pour vous : {college}.\n",
                college = about.college
            ),
            format!(
                "The rules that apply to tablet {serial} have changed: {title}.\n\nThe collège will tell you what that changes for \
                 you: {college}.\n",
                college = about.college
            ),
        ),
        Says::Deposit { from, until } => (
            "Tablette prêtée : à déposer avant l’été / Lent tablet: hand it in for the summer".to_owned(),
            format!(
                "Pendant les vacances d’été, la tablette {serial} reste au collège : {college}. Remettez-la, avec ses \
                 accessoires, entre le {from} et le {until}.\n\nLe prêt continue : rien n’est effacé, et la même tablette est \
                 rendue à la rentrée avec ses données. Il n’existe toutefois aucune sauvegarde automatique.\n",
                college = about.college
            ),
            format!(
                "During the summer break tablet {serial} stays in the collège: {college}. Hand it in, with its accessories, \
                 between {from} and {until}.\n\nThe loan goes on: nothing is erased, and the same tablet is handed out again in \
                 September with its data. There is no automatic backup, though.\n",
                college = about.college
            ),
        ),
    };
    Text { subject, french: headed(about, &french, true), english: headed(about, &english, false) }
}

/// A text with who writes, when, and to whom above it.
#[must_use]
pub fn headed(about: &About<'_>, text: &str, french: bool) -> String {
    let About { organisation, holder, minor, dated, .. } = about;
    let to = match (french, minor) {
        (true, true) => format!("À l’attention de {holder}, et de ses représentants légaux"),
        (true, false) => format!("À l’attention de {holder}"),
        (false, true) => format!("To {holder}, and their guardians"),
        (false, false) => format!("To {holder}"),
    };
    format!("{organisation}\n{dated}\n\n{to}\n\n{text}")
}

/// Whom a notice about this person goes to: the guardians of a pupil, an adult themselves. Each of them gets one.
#[must_use]
pub fn addressees(entry: &Entry) -> Vec<(Signatory, MailAddress)> {
    let pupil = entry.kind == UserKind::Pupil;
    let told = |who: &Signatory| match who {
        Signatory::User => !pupil,
        Signatory::Guardian(_) => pupil,
    };
    entry.contacts.iter().filter(|(who, _)| told(who)).map(|(who, address)| (*who, address.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "2027-06-12";

    fn about<'a>(holder: &'a str, minor: bool) -> About<'a> {
        About {
            organisation: "Département de l’Exemple",
            college: "Collège des Tilleuls",
            holder,
            minor,
            serial: "DMPX00000001",
            dated: DAY.parse().unwrap(),
        }
    }

    #[test]
    fn t_c9_no_subject_names_anybody_and_each_is_one_line() {
        let day = DAY.parse().unwrap();
        let all = [
            Says::Due(day),
            Says::Over(day),
            Says::Received { on: day, days: 14 },
            Says::RulesChanged("socle 4\r\nBcc: x@y.fr"),
            Says::Deposit { from: day, until: day },
        ];
        for says in all {
            let text = write(&about("Zoé\r\nBcc: voleur@exemple.fr", true), says, Way::Mail);
            assert!(!text.subject.contains("Zoé") && !text.subject.contains(char::is_control), "{text:?}");
            assert!(!text.subject.contains("socle"), "{text:?}");
        }
    }

    #[test]
    fn c5_3_5_whatever_counts_before_an_erasure_says_that_data_goes_and_in_both_languages() {
        let day = DAY.parse().unwrap();
        for says in [Says::Due(day), Says::Over(day), Says::Received { on: day, days: 14 }] {
            let both = write(&about("Zoé", true), says, Way::Letter).both();
            for said in ["seront effacées", "aucune sauvegarde", "will be erased", "no automatic backup", DAY]
            {
                assert!(both.contains(said), "{said}: {both}");
            }
        }
    }

    #[test]
    fn c5_2_2_a_reminder_of_the_deposit_says_that_nothing_is_erased() {
        let says =
            Says::Deposit { from: "2027-06-20".parse().unwrap(), until: "2027-07-03".parse().unwrap() };
        let both = write(&about("Zoé", true), says, Way::Mail).both();
        for said in
            ["2027-06-20", "2027-07-03", "rien n’est effacé", "nothing is erased", "Collège des Tilleuls"]
        {
            assert!(both.contains(said), "{said}: {both}");
        }
        assert!(!both.contains("effacées") && !both.contains("will be erased"), "{both}");
    }

    #[test]
    fn c7_1_a_pupils_notice_goes_to_the_guardians_and_an_adults_to_themselves() {
        let contacts = [
            (Signatory::User, "eleve@exemple.fr".parse().unwrap()),
            (Signatory::Guardian(1), "a@exemple.fr".parse().unwrap()),
            (Signatory::Guardian(2), "b@exemple.fr".parse().unwrap()),
        ];
        let entry = |kind| Entry {
            kind,
            name: "Zoé".parse().unwrap(),
            class: None,
            number: None,
            arrives_on: None,
            leaves_on: None,
            guardians: 2,
            contacts: contacts.clone().into(),
        };
        let who = |kind| addressees(&entry(kind)).into_iter().map(|(who, _)| who).collect::<Vec<_>>();
        assert_eq!(who(UserKind::Pupil), [Signatory::Guardian(1), Signatory::Guardian(2)]);
        assert_eq!(who(UserKind::Teacher), [Signatory::User]);
    }
}
