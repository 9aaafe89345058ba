//! The copy of a person's data as one page, for whoever asked for it (GDPR, art. 15). It speaks the words of the
//! [glossary], and not those of the database.

use serde_json::Value;

use super::html::{Page, begun};
use crate::{Language, SubjectData, SubjectPart, Text, glossary};

impl SubjectData {
    /// The copy as one page, in one language. It is whole: what is in the JSON is on the page.
    #[must_use]
    pub fn to_html(&self, language: Language) -> String {
        let title = language.choose("Copie de vos données", "A copy of your data");
        let mut page = begun(title, language);
        page.markup("<table>\n<tbody>\n");
        page.line(language.choose("Votre numéro", "Your number"), &self.person.to_string());
        page.line(language.choose("Établie le", "Drawn up at"), &self.at.to_string());
        page.markup("</tbody>\n</table>\n");
        for part in &self.parts {
            held(&mut page, part, language);
        }
        page.markup("<h2>")
            .text(language.choose("Ce qui n’est pas dans cette copie", "What is not in this copy"))
            .markup("</h2>\n<table>\n<tbody>\n");
        for out in self.left_out {
            page.markup("<tr><th scope=\"row\">").text(said(glossary::table(out.table), out.table, language));
            page.markup("</th><td>").text(out.why.read(language)).markup("</td></tr>\n");
        }
        page.markup("</tbody>\n</table>\n");
        page.ended()
    }
}

/// A word of the glossary; what has none there is better read by our name than not at all.
fn said(word: Option<Text>, name: &str, language: Language) -> &str {
    word.map_or(name, |word| word.read(language))
}

fn held(page: &mut Page, part: &SubjectPart, language: Language) {
    page.markup("<h2>").text(said(glossary::table(part.table), part.table, language));
    page.markup("</h2>\n<table>\n<caption>");
    for activity in &part.activities {
        page.text(activity.text().read(language)).markup(" · ");
    }
    page.text(part.class.text().read(language)).markup("</caption>\n<tbody>\n");
    for row in &part.rows {
        for (column, value) in row {
            page.markup("<tr><th scope=\"row\">").text(said(glossary::column(column), column, language));
            page.markup("</th><td>").text(&in_words(column, value, language)).markup("</td></tr>\n");
        }
        page.markup("<tr><td colspan=\"2\"></td></tr>\n");
    }
    page.markup("</tbody>\n</table>\n");
}

/// A value as people read it: a name of ours in words, yes or no, and of what has several parts each with its name.
fn in_words(column: &str, value: &Value, language: Language) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::Bool(true) => language.choose("oui", "yes").to_owned(),
        Value::Bool(false) => language.choose("non", "no").to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => said(glossary::value(column, text), text, language).to_owned(),
        Value::Array(items) => {
            items.iter().map(|item| in_words(column, item, language)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(parts) => {
            let colon = language.choose(" : ", ": ");
            let part = |(name, value): (&String, &Value)| {
                // Addresses stand under whom they are of.
                let word = glossary::column(name).or_else(|| glossary::value("addressee", name));
                format!("{}{colon}{}", said(word, name, language), in_words(name, value, language))
            };
            parts.iter().map(part).collect::<Vec<_>>().join(" ; ")
        }
    }
}
