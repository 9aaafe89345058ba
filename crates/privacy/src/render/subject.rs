//! The copy of a person's data as one page, for whoever asked for it (GDPR, art. 15).

use serde_json::Value;

use super::html::{Page, begun};
use crate::{Language, SubjectData, SubjectPart};

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
            page.markup("<tr><th scope=\"row\">").text(out.table).markup("</th><td>");
            page.text(out.why.read(language)).markup("</td></tr>\n");
        }
        page.markup("</tbody>\n</table>\n");
        page.ended()
    }
}

fn held(page: &mut Page, part: &SubjectPart, language: Language) {
    page.markup("<h2>").text(part.table).markup("</h2>\n<table>\n<caption>");
    for activity in &part.activities {
        page.text(activity.text().read(language)).markup(" · ");
    }
    page.text(part.class.text().read(language)).markup("</caption>\n<tbody>\n");
    for row in &part.rows {
        for (column, value) in row {
            page.markup("<tr><th scope=\"row\">").text(column).markup("</th><td>");
            match value {
                Value::Null => page.markup("—"),
                Value::String(text) => page.text(text),
                other => page.text(&other.to_string()),
            };
            page.markup("</td></tr>\n");
        }
        page.markup("<tr><td colspan=\"2\"></td></tr>\n");
    }
    page.markup("</tbody>\n</table>\n");
}
