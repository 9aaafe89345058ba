//! The register as CSV (RFC 4180, UTF-8): one row an activity, for the spreadsheet that the DPO keeps.

use std::borrow::Cow;

use super::said;
use crate::{Entry, Language, Register, Status};

/// The register could not be written. Its cells are ordinary texts, so that this means a mistake of the
/// program.
#[derive(Debug, thiserror::Error)]
#[error("the register could not be written as CSV: {0}; report this, with the version of the program")]
pub struct Unrenderable(String);

impl Register {
    /// The register as CSV, in one language.
    ///
    /// # Errors
    /// [`Unrenderable`], which only a mistake of the program can cause.
    pub fn to_csv(&self, language: Language) -> Result<String, Unrenderable> {
        let failed = |error: &dyn std::fmt::Display| Unrenderable(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header(language)).map_err(|error| failed(&error))?;
        for (entry, status) in self.rows() {
            let row = self.csv_row(entry, status, language);
            writer
                .write_record(row.iter().map(|cell| harmless(cell).into_owned()))
                .map_err(|error| failed(&error))?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(&error))?;
        String::from_utf8(bytes).map_err(|error| failed(&error))
    }

    fn csv_row(&self, entry: &Entry, status: &Status, language: Language) -> [String; 17] {
        let wording = entry.wording();
        let read = |text: crate::Text| text.read(language).to_owned();
        [
            entry.activity().code().to_owned(),
            read(entry.activity().text()),
            said::status(self, status, language),
            read(wording.purpose),
            format!("{}. {}", wording.basis.text().read(language), wording.because.read(language)),
            many(wording.parties.iter().map(|it| read(it.text()))),
            many(wording.people.iter().map(|it| read(it.text()))),
            many(wording.categories.iter().map(|it| read(it.text()))),
            many(said::columns(entry).into_iter()),
            many(wording.recipients.iter().map(|it| read(it.text()))),
            read(wording.outside_the_union),
            many(entry.classes().into_iter().map(|class| said::retention(class, language))),
            many(wording.measures.iter().map(|it| read(it.text()))),
            said::given(self.masthead.controller.as_ref(), language),
            said::given(self.masthead.dpo.as_ref(), language),
            entry.digest().to_string(),
            self.at.to_string(),
        ]
    }
}

fn header(language: Language) -> [&'static str; 17] {
    language.choose(
        [
            "code",
            "activité",
            "état",
            "finalité",
            "base légale",
            "responsables",
            "personnes concernées",
            "catégories de données",
            "données conservées",
            "destinataires",
            "transferts hors de l'Union",
            "durées de conservation",
            "mesures de sécurité",
            "responsable du traitement",
            "délégué à la protection des données",
            "empreinte de l'entrée",
            "établi le",
        ],
        [
            "code",
            "activity",
            "status",
            "purpose",
            "legal basis",
            "who answers",
            "people concerned",
            "categories of data",
            "data stored",
            "recipients",
            "transfers outside the Union",
            "retention",
            "security measures",
            "controller",
            "data protection officer",
            "digest of the entry",
            "drawn up at",
        ],
    )
}

/// Several values in one cell.
fn many(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(" | ")
}

/// What a spreadsheet would take for a formula is shown as text (T-C10). Spaces before it do not hide it.
fn harmless(cell: &str) -> Cow<'_, str> {
    let control = cell.starts_with(['\t', '\r', '\n']);
    let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if control || formula { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c10_no_cell_of_the_register_is_a_formula() {
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "  =1", "＝1+1"]
        {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(harmless("Prêt des tablettes - 2026"), "Prêt des tablettes - 2026");
    }
}
