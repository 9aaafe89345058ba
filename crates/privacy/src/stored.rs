//! What an entry stored when it was validated, kept beside the validation so that one can say what changed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The columns of an entry, each with what it holds and how long: `table.column` and `kinds; class`. As JSON,
/// an object: the form in which a validation's row keeps it.
///
/// It explains, it does not decide: whether a validation stands is a matter of its digest alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredColumns(BTreeMap<String, String>);

impl StoredColumns {
    pub(crate) fn new(columns: BTreeMap<String, String>) -> Self {
        Self(columns)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What changed from `earlier` to this.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Change {
        let missing_in = |other: &Self, this: &Self| -> Vec<String> {
            this.0.keys().filter(|column| !other.0.contains_key(*column)).cloned().collect()
        };
        let held_otherwise = |(column, held): &(&String, &String)| {
            earlier.0.get(*column).is_some_and(|before| before != *held)
        };
        Change {
            added: missing_in(earlier, self),
            removed: missing_in(self, earlier),
            held_otherwise: self
                .0
                .iter()
                .filter(held_otherwise)
                .map(|(column, _held)| column.clone())
                .collect(),
        }
    }
}

/// How what is stored differs from what was validated; columns as `table.column`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Columns that are stored now and were not.
    pub added: Vec<String>,
    /// Columns that were stored and are not any more.
    pub removed: Vec<String>,
    /// Columns that hold another kind of data now, or for another time.
    pub held_otherwise: Vec<String>,
}

impl Change {
    /// Whether the same columns are stored: then it is the wording of the entry that changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.held_otherwise.is_empty()
    }

    /// The change in French, as the end of a sentence.
    #[must_use]
    pub fn in_french(&self) -> String {
        self.sentence(
            ["nouvellement conservé : ", "plus conservé : ", "conservé autrement : "],
            "le texte de l'entrée a changé",
        )
    }

    fn sentence(&self, [added, removed, otherwise]: [&str; 3], wording: &str) -> String {
        if self.is_empty() {
            return wording.to_owned();
        }
        [(added, &self.added), (removed, &self.removed), (otherwise, &self.held_otherwise)]
            .into_iter()
            .filter(|(_what, columns)| !columns.is_empty())
            .map(|(what, columns)| format!("{what}{}", columns.join(", ")))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// In English, as the end of a sentence.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(
            ["newly stored: ", "no longer stored: ", "stored otherwise: "],
            "the wording of the entry changed",
        ))
    }
}
