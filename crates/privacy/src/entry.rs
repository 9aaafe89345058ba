//! An entry of the register: what the law wants to know of an activity (GDPR, art. 30(1)), in words that are
//! written here, and in columns that are declared beside the tables.

use std::collections::{BTreeMap, BTreeSet};

use types::Digest;

use crate::digest::Canonical;
use crate::{
    Activity, Category, Holds, LegalBasis, Measure, Party, People, Recipient, RetentionClass, StoredColumns,
    TableDeclaration, Text, entries,
};

/// Whether an activity waits for the DPO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It runs from the first start, for this reason. It stands in the register all the same, and the DPO
    /// validates it as soon as there is one.
    FromTheStart(Text),
    /// It is off until its entry is validated, and again when what it stores changes (C3.1.6).
    OffUntilValidated,
}

impl Gate {
    /// The code that programs know it by.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FromTheStart(_) => "from-the-start",
            Self::OffUntilValidated => "off-until-validated",
        }
    }
}

/// What is written in an entry. What it stores, and for how long, is not written but declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The activity.
    pub activity: Activity,
    /// Whether it waits for the DPO.
    pub gate: Gate,
    /// What it is for.
    pub purpose: Text,
    /// Why it is lawful.
    pub basis: LegalBasis,
    /// What that basis rests on.
    pub because: Text,
    /// Who answers for it.
    pub parties: &'static [Party],
    /// Whom the data are about.
    pub people: &'static [People],
    /// Every kind of data that it may come to store; a declared column of another kind is a mistake.
    pub categories: &'static [Category],
    /// Who is given the data.
    pub recipients: &'static [Recipient],
    /// What leaves the European Union.
    pub outside_the_union: Text,
    /// What protects the data.
    pub measures: &'static [Measure],
}

/// A column that an activity stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What kind of data it holds, for this activity.
    pub category: Category,
    /// How long its row is kept.
    pub class: RetentionClass,
}

/// An entry of the register: its wording, and what is stored for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    wording: &'static Wording,
    columns: BTreeSet<StoredColumn>,
}

impl Entry {
    /// The entry of an activity, with the columns that the declarations hold for it.
    #[must_use]
    pub fn of(activity: Activity, declared: &[TableDeclaration]) -> Self {
        Self::worded(entries::wording(activity), declared)
    }

    /// The entries of all activities, in the order of the register.
    #[must_use]
    pub fn all(declared: &[TableDeclaration]) -> Vec<Self> {
        Activity::ALL.iter().map(|activity| Self::of(*activity, declared)).collect()
    }

    pub(crate) fn worded(wording: &'static Wording, declared: &[TableDeclaration]) -> Self {
        let mut columns = BTreeSet::new();
        for table in declared {
            for column in table.columns {
                let Holds::Personal(data) = column.holds else { continue };
                let ours = data.iter().filter(|datum| datum.activity == wording.activity);
                columns.extend(ours.map(|datum| StoredColumn {
                    table: table.table,
                    column: column.name,
                    category: datum.category,
                    class: table.class,
                }));
            }
        }
        Self { wording, columns }
    }

    /// The activity.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.wording.activity
    }

    /// What is written in it.
    #[must_use]
    pub fn wording(&self) -> &'static Wording {
        self.wording
    }

    /// The columns it stores, by table; none: nothing is stored.
    pub fn columns(&self) -> impl Iterator<Item = &StoredColumn> {
        self.columns.iter()
    }

    /// Whether no column is declared for it.
    #[must_use]
    pub fn stores_nothing(&self) -> bool {
        self.columns.is_empty()
    }

    /// The classes of retention of its tables, each once.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<RetentionClass> {
        self.columns.iter().map(|column| column.class).collect()
    }

    /// The columns of kinds that its wording does not name: each is a mistake of a declaration or of the
    /// wording, and a reader of the register would be misled.
    #[must_use]
    pub fn unworded(&self) -> Vec<StoredColumn> {
        let unworded = |column: &&StoredColumn| !self.wording.categories.contains(&column.category);
        self.columns.iter().filter(unworded).copied().collect()
    }

    /// The columns as a validation keeps them.
    #[must_use]
    pub fn stored(&self) -> StoredColumns {
        let mut stored: BTreeMap<String, String> = BTreeMap::new();
        for column in &self.columns {
            let name = format!("{}.{}", column.table, column.column);
            let held = stored.entry(name).or_insert_with(|| column.class.code().to_owned());
            held.push_str("; ");
            held.push_str(column.category.code());
        }
        StoredColumns::new(stored)
    }

    /// The digest that a validation is bound to. It covers every word of the entry in both languages, every
    /// column declared for it with what it holds, and the term for which each is kept: whoever changes any of
    /// them asks the DPO again (C3.1.6).
    #[must_use]
    pub fn digest(&self) -> Digest {
        let Wording {
            activity,
            gate,
            purpose,
            basis,
            because,
            parties,
            people,
            categories,
            recipients,
            outside_the_union,
            measures,
        } = self.wording;
        let mut canonical = Canonical::new("ardoise register entry 1");
        canonical.text(activity.code());
        canonical.text(gate.code());
        if let Gate::FromTheStart(why) = gate {
            canonical.list([why.fr, why.en].into_iter());
        }
        for text in [purpose, because, outside_the_union] {
            canonical.list([text.fr, text.en].into_iter());
        }
        let mut words = |words: Vec<(&'static str, Text)>| {
            canonical.list(words.iter().map(|(code, _text)| *code));
            canonical.list(words.iter().map(|(_code, text)| text.fr));
            canonical.list(words.iter().map(|(_code, text)| text.en));
        };
        words(vec![(basis.code(), basis.text())]);
        words(parties.iter().map(|it| (it.code(), it.text())).collect());
        words(people.iter().map(|it| (it.code(), it.text())).collect());
        words(categories.iter().map(|it| (it.code(), it.text())).collect());
        words(recipients.iter().map(|it| (it.code(), it.text())).collect());
        words(measures.iter().map(|it| (it.code(), it.text())).collect());
        let columns: Vec<String> = self
            .columns
            .iter()
            .flat_map(|StoredColumn { table, column, category, class }| {
                [*table, *column, category.code(), class.code()]
                    .map(str::to_owned)
                    .into_iter()
                    .chain([class.rule().canonical()])
            })
            .collect();
        canonical.list(columns.iter().map(String::as_str));
        canonical.digest()
    }
}
