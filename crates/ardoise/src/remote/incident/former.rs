//! An incident as people read it: what was said before is told in sentences.

use serde_json::Value;

use super::{FIELDS, FORMER};
use crate::table::{sheet_and_lists_in, text_at};
use crate::words::Language;

/// In the terminal's language.
pub(super) fn incident(shown: &Value) -> String {
    incident_in(Language::here(), shown)
}

/// How a former time is said.
type Sentence = fn(Language, &Value) -> String;

fn incident_in(language: Language, shown: &Value) -> String {
    let mut readable = shown.clone();
    let sentences: [(&str, Sentence); 2] = [("formerly_noticed", noticed), ("former_papers", paper)];
    for (list, sentence) in sentences {
        if let Some(former) = readable.get_mut(list).and_then(Value::as_array_mut) {
            former.iter_mut().for_each(|one| *one = Value::String(sentence(language, one)));
        }
    }
    sheet_and_lists_in(language, &readable, FIELDS, FORMER)
}

fn noticed(language: Language, former: &Value) -> String {
    format!("{}; {}", text_at(former, "/noticed_at"), put_right(language, former))
}

fn paper(language: Language, former: &Value) -> String {
    let kind = text_at(former, "/paper");
    let kind = language.value("/paper", &kind).unwrap_or(&kind).to_owned();
    let before = match former.get("reference") {
        Some(Value::String(_)) => {
            let (reference, dated) = (text_at(former, "/reference"), text_at(former, "/dated"));
            let station = former.get("station").filter(|station| station.is_string());
            let station =
                station.map_or_else(String::new, |_there| format!(", {}", text_at(former, "/station")));
            let of = language.choose("of", "du");
            format!("{kind} {reference} {of} {dated}{station}")
        }
        _ => format!("{kind}: {}", language.choose("none", "aucune")),
    };
    let taken_back = former.get("taken_back").and_then(Value::as_bool) == Some(true);
    let now = if taken_back { language.choose("; there is none", " ; il n’y en a pas") } else { "" };
    format!("{before}; {}{now}", put_right(language, former))
}

/// Who put it right, when and why.
fn put_right(language: Language, former: &Value) -> String {
    let at = text_at(former, "/corrected_at");
    let by = match former.get("corrected_by_name") {
        Some(Value::String(_)) => text_at(former, "/corrected_by_name"),
        _ => language
            .choose("somebody whose name was forgotten", "une personne dont le nom a été effacé")
            .to_owned(),
    };
    let why = match former.get("reason") {
        Some(Value::String(_)) => format!(" ({})", text_at(former, "/reason")),
        _ => String::new(),
    };
    language.choose(format!("put right at {at} by {by}{why}"), format!("rectifié le {at} par {by}{why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn c5_4_2_what_was_said_before_is_read_in_sentences_and_not_as_json() {
        let shown = json!({
            "formerly_noticed": [{
                "noticed_at": "2026-11-26T07:30:00.5Z", "reason": "the day before", "corrected_at": "2026-11-27T08:00:00Z",
                "corrected_by": "0190", "corrected_by_name": "Mina Roy",
            }],
            "former_papers": [
                {
                    "paper": "complaint", "reference": "2026/1", "dated": "2026-11-26", "station": "Rouen",
                    "taken_back": false, "corrected_at": "2026-11-27T09:00:00Z", "corrected_by": "0190",
                },
                {
                    "paper": "letter", "reference": null, "dated": null, "station": null, "taken_back": true,
                    "corrected_at": "2026-11-27T10:00:00Z", "corrected_by": "0190", "corrected_by_name": "Mina Roy",
                },
            ],
        });
        let english = incident_in(Language::English, &shown);
        for line in [
            "2026-11-26T07:30:00Z; put right at 2026-11-27T08:00:00Z by Mina Roy (the day before)",
            "complaint 2026/1 of 2026-11-26, Rouen; put right at 2026-11-27T09:00:00Z by somebody whose name was forgotten",
            "letter: none; put right at 2026-11-27T10:00:00Z by Mina Roy; there is none",
        ] {
            assert!(english.contains(line), "{line}: {english}");
        }
        let french = incident_in(Language::French, &shown);
        assert!(
            french.contains("rectifié le 2026-11-27T08:00:00Z par Mina Roy (the day before)"),
            "{french}"
        );
        for text in [english, french] {
            assert!(!text.contains('{') && !text.contains("0190"), "{text}");
        }
    }
}
