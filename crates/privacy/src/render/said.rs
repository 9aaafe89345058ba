//! What the printed forms say in the same words.

use types::{Duration, Instant};

use crate::{Entry, Forget, Keeps, Language, Register, RetentionClass, Status, Term};

/// A length of time.
pub(super) fn term(term: Term, language: Language) -> String {
    let (count, one, many) = match term {
        Term::Days(count) => (count, language.choose("jour", "day"), language.choose("jours", "days")),
        Term::Years(count) => (count, language.choose("an", "year"), language.choose("ans", "years")),
    };
    format!("{count} {}", if count < 2 { one } else { many })
}

/// A length of time that was measured, to the day or to the hour.
pub(super) fn elapsed(span: Duration, language: Language) -> String {
    let hours = span.as_secs() / 3_600;
    let (count, one, many) = match hours {
        0 => return language.choose("moins d'une heure", "less than an hour").to_owned(),
        1..48 => (hours, language.choose("heure", "hour"), language.choose("heures", "hours")),
        _ => (hours / 24, language.choose("jour", "day"), language.choose("jours", "days")),
    };
    format!("{count} {}", if count < 2 { one } else { many })
}

/// How long a class is kept, from when on, and what becomes of it.
pub(super) fn keeps(class: RetentionClass, language: Language) -> String {
    match class.rule().keeps {
        Keeps::While(reason) => reason.read(language).to_owned(),
        Keeps::For { term: length, from, forget } => {
            let length = term(length, language);
            let from = from.read(language);
            let forget = match forget {
                Forget::Row => language.choose("puis supprimé", "then deleted"),
                Forget::Body => language.choose("puis vidé de son contenu", "then emptied of its content"),
            };
            language.choose(
                format!("{length} à compter {from}, {forget}"),
                format!("{length} from {from}, {forget}"),
            )
        }
    }
}

/// A class, how long it is kept and why.
pub(super) fn retention(class: RetentionClass, language: Language) -> String {
    let colon = language.choose(" : ", ": ");
    format!("{}{colon}{}", class.text().read(language), keeps(class, language))
}

/// Where an activity stands.
pub(super) fn status(register: &Register, status: &Status, language: Language) -> String {
    let validated = status.validated().map(|validated| {
        let (at, by) = (date(validated.at()), register.name_of(validated.by()));
        language.choose(format!("validée le {at} par {by}"), format!("validated on {at} by {by}"))
    });
    let reason = status.not_validated().map(|reason| reason.in_words(language));
    let said = validated.or(reason).unwrap_or_default();
    match status {
        Status::NothingStored => language.choose("rien n'est conservé", "nothing stored").to_owned(),
        Status::On(_) => language.choose(format!("en service ; {said}"), format!("on; {said}")),
        Status::Off(_) => language.choose(format!("arrêtée ; {said}"), format!("off; {said}")),
        Status::FromTheStart(_) => language
            .choose(format!("en service dès l'installation ; {said}"), format!("on from the start; {said}")),
    }
}

/// The columns of an entry, as `table.column`.
pub(super) fn columns(entry: &Entry) -> Vec<String> {
    let mut names: Vec<String> =
        entry.columns().map(|column| format!("{}.{}", column.table, column.column)).collect();
    names.dedup();
    names
}

/// The day of an instant, in UTC.
pub(super) fn date(at: Instant) -> String {
    at.to_string().chars().take_while(|letter| *letter != 'T').collect()
}

/// What stands for a value that nobody gave.
pub(super) fn given(value: Option<&String>, language: Language) -> String {
    value.cloned().unwrap_or_else(|| language.choose("non renseigné", "not given").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_said_as_people_say_them() {
        assert_eq!(term(Term::Years(1), Language::French), "1 an");
        assert_eq!(term(Term::Days(180), Language::English), "180 days");
        assert_eq!(elapsed(Duration::from_secs(1_800), Language::English), "less than an hour");
        assert_eq!(elapsed(Duration::from_secs(47 * 3_600), Language::French), "47 heures");
        assert_eq!(elapsed(Duration::from_secs(86_400 * 9), Language::English), "9 days");
    }
}
