//! The account of purges in plain words, one paragraph a class.

use super::said;
use crate::{Language, Line, PurgeAccount, Verdict};

impl PurgeAccount {
    /// The account in one language, as plain text.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let title = language.choose("Purges faites et dues, au", "Purges done and due, at");
        let verdict = if self.is_in_order() {
            language.choose("Aucune classe n'est en retard.", "No class is overdue.")
        } else {
            language.choose(
                "Au moins une classe est en retard ou n'a pas été examinée.",
                "At least one class is overdue or was not looked at.",
            )
        };
        let lines = self.lines.iter().map(|line| paragraph(line, language));
        let head = [format!("{title} {}", self.at), verdict.to_owned()];
        head.into_iter().chain(lines).fold(String::new(), |text, paragraph| text + &paragraph + "\n")
    }
}

fn paragraph(line: &Line, language: Language) -> String {
    let retention = said::retention(line.class, language);
    let verdict = verdict(line, language);
    let mut text = format!("\n{retention}.\n  {verdict}");
    if line.verdict == Verdict::NoTerm {
        return text;
    }
    if let Some(oldest) = line.oldest {
        let oldest = said::date(oldest);
        text +=
            &language.choose(format!("\n  Le plus ancien : {oldest}."), format!("\n  The oldest: {oldest}."));
    }
    text += &match line.last {
        None => language.choose("\n  Aucune purge enregistrée.", "\n  No purge recorded.").to_owned(),
        Some(last) => {
            let (ran, older_than) = (said::date(last.ran_at), said::date(last.older_than));
            let (removed, all) = (last.removed, line.removed);
            language.choose(
                format!(
                    "\n  Dernière purge : {ran}, pour ce qui est antérieur au {older_than} : {removed} oubliés ({all} en tout)."
                ),
                format!("\n  Last purge: {ran}, of what is older than {older_than}: {removed} forgotten ({all} in all)."),
            )
        }
    };
    text
}

fn verdict(line: &Line, language: Language) -> String {
    match line.verdict {
        Verdict::NoTerm => language.choose("Sans terme.", "No term.").to_owned(),
        Verdict::WithinTerm => language.choose("Dans les délais.", "Within its term.").to_owned(),
        Verdict::Due { since } => {
            let since = said::elapsed(since, language);
            language.choose(
                format!("Échu depuis {since} : la prochaine purge l'oubliera."),
                format!("Due for {since}: the next purge will forget it."),
            )
        }
        Verdict::Overdue { by } => {
            let by = said::elapsed(by, language);
            language.choose(
                format!("EN RETARD de {by} : vérifiez que le calendrier tourne (`ardoise serve`)."),
                format!("OVERDUE by {by}: see that the calendar runs (`ardoise serve`)."),
            )
        }
        Verdict::NotLookedAt => language.choose("Non examinée.", "Not looked at.").to_owned(),
    }
}
