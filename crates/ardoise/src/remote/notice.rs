//! `ardoise notice`: what holders and guardians were told, what reached nobody, and what somebody tells by hand.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, printable, text_at};
use crate::words::{Language, sheet, table};

const EXAMPLES: &str = "\
  ardoise notice list
  ardoise notice list --unreached
  ardoise notice list --loan LOAN
  ardoise notice to-tell
  ardoise notice letter WARRANT:opened > letter.txt
  ardoise notice told WARRANT:opened --how letter

Whoever is not reached by mail is given the letter. Before an erasure: `ardoise restitution letter`, then `handed-over`. Of a
warrant to locate a tablet: `notice to-tell` lists whom somebody must tell, `letter` and `told` do it.";

/// What is asked of notices.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, the newest first.
    List {
        /// Only those that count for nothing: they wait, were refused, or came back.
        #[arg(long)]
        unreached: bool,
        /// Only those of this loan.
        #[arg(long, value_name = "LOAN")]
        loan: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// List the warrants that holders or guardians must still be told of, and why no mail does.
    ToTell {
        /// At most so many.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Print the letter that tells of a warrant.
    Letter {
        /// The notice, as `to-tell` names it: a warrant's id, a colon, and `opened` or `over`.
        notice: String,
        /// In English; it is French unless told.
        #[arg(long)]
        english: bool,
    },
    /// Record that the letter was handed over, or that they were told in person.
    Told {
        /// The notice, as `to-tell` names it.
        notice: String,
        /// How they were told.
        #[arg(long)]
        how: How,
    },
}

/// How somebody tells a notice.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    /// The letter was handed over.
    Letter,
    /// They were told in person.
    InPerson,
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("tablet", "/serial"),
    ("says", "/kind"),
    ("to", "/addressee"),
    ("by", "/channel"),
    ("stands", "/state"),
    ("written", "/written_at"),
    ("counts since", "/counted_at"),
    ("mail", "/mail/state"),
    ("why", "/mail/why"),
];

const TO_TELL: &[Column] = &[
    ("notice", "/id"),
    ("tablet", "/serial"),
    ("collège", "/uai"),
    ("due since", "/due_at"),
    ("why", "/why"),
    ("by hand", "/you_may_tell"),
    ("you may not, because", "/you_may_not"),
];

const TOLD: &[Column] = &[("notice", "/notice"), ("told", "/handed_over_at")];

/// Does it.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let (unreached, loan, limit) = match arguments.action {
        Action::List { unreached, loan, limit } => (unreached, loan, limit),
        Action::ToTell { limit } => {
            let listed = Value::Array(api.list(&["warrant-notices"], &[], limit).await?);
            return output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), TO_TELL));
        }
        Action::Letter { notice, english } => {
            let letter = api.get(&["warrant-notices", &notice, "letter"]).await?;
            let text = if english { "/english" } else { "/french" };
            return output.show(&letter, || text_at(&letter, text));
        }
        Action::Told { notice, how } => {
            let how = match how {
                How::Letter => "letter",
                How::InPerson => "in-person",
            };
            let body = Body::Json(json!({ "how": how }));
            let letter = api.post(&["warrant-notices", &notice, "told"], body).await?;
            note_what_was_told_before(&letter, output);
            return output.show(&letter, || sheet(&letter, TOLD));
        }
    };
    let mut wanted = Vec::new();
    if unreached {
        wanted.push(("unreached", "true"));
    }
    if let Some(loan) = &loan {
        wanted.push(("loan", loan.as_str()));
    }
    let listed = Value::Array(api.list(&["notices"], &wanted, limit).await?);
    output.show(&listed, || table(listed.as_array().map_or(&[], Vec::as_slice), COLUMNS))
}

/// Says so if it was told before: that stays as it was told.
fn note_what_was_told_before(letter: &Value, output: Output) {
    if let Some(note) = told_before(Language::here(), letter) {
        output.note(&note);
    }
}

fn told_before(language: Language, letter: &Value) -> Option<String> {
    letter.get("told_before")?;
    let at = text_at(letter, "/told_before/at");
    let how = text_at(letter, "/told_before/how");
    let how = language.value("/told_how", &how).unwrap_or(&how);
    Some(match letter.pointer("/told_before/by/name").and_then(Value::as_str) {
        Some(name) => {
            let name = printable(name);
            language.choose(
                format!("{name} told it before, at {at} ({how}): that stands, and nothing was changed"),
                format!("{name} l’a déjà fait savoir le {at} ({how}) : cela reste, et rien n’a été modifié"),
            )
        }
        None => language.choose(
            format!("a mail told it before, at {at}: that stands, and nothing was changed"),
            format!("un courriel l’a déjà fait savoir le {at} : cela reste, et rien n’a été modifié"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_what_was_told_before_is_said_by_whom_and_when_in_both_languages() {
        let by_hand = json!({ "told_before": {
            "at": "2026-11-26T07:30:00.123Z", "how": "letter", "by": { "name": "Mina Moreau" },
        } });
        let english = told_before(Language::English, &by_hand).unwrap();
        assert!(
            english.starts_with("Mina Moreau told it before, at 2026-11-26T07:30:00Z (letter)"),
            "{english}"
        );
        let french = told_before(Language::French, &by_hand).unwrap();
        assert!(
            french.contains("Mina Moreau l’a déjà fait savoir") && french.contains("(lettre)"),
            "{french}"
        );
        let by_mail = json!({ "told_before": { "at": "2026-11-26T07:30:00Z" } });
        assert!(told_before(Language::English, &by_mail).unwrap().contains("a mail told it before"));
        assert_eq!(told_before(Language::English, &json!({ "notice": "x" })), None);
    }
}
