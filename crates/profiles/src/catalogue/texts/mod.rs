//! What entries are called, and what they do, in French and in English: for the head who decides and the technician
//! who explains.
//!
//! A label names what is allowed or demanded, so that *allowed*, *forbidden*, *demanded* can follow it. The help says
//! in one sentence what changes for the user.

mod others;
mod restrictions;
mod restrictions_more;

use super::entry::Section;

/// A language that people read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

/// The same in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Words {
    /// In French.
    pub french: &'static str,
    /// In English.
    pub english: &'static str,
}

/// Both, as tables write them.
pub(crate) const fn words(english: &'static str, french: &'static str) -> Words {
    Words { french, english }
}

impl Words {
    /// In this language.
    #[must_use]
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::French => self.french,
        }
    }
}

/// What an entry is called, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// A few words.
    pub label: Words,
    /// One sentence.
    pub help: Words,
}

/// A row of the tables: key, French label, French help, English label, English help.
type Row = (&'static str, [&'static str; 4]);

pub(super) fn text(section: Section, key: &str) -> Option<Text> {
    tables(section).iter().flat_map(|table| table.iter()).find(|(of, _)| *of == key).map(|(_, words)| {
        let [french, french_help, english, english_help] = *words;
        Text { label: Words { french, english }, help: Words { french: french_help, english: english_help } }
    })
}

/// The keys that have a text, so that a test can hold them to the catalogue.
#[cfg(test)]
pub(crate) fn keys() -> impl Iterator<Item = (Section, &'static str)> {
    let of = |section: &Section| tables(*section).iter().flat_map(|table| table.iter().map(|(key, _)| *key));
    Section::ALL.iter().flat_map(move |section| of(section).map(|key| (*section, key)))
}

fn tables(section: Section) -> &'static [&'static [Row]] {
    match section {
        Section::Restrictions => &[restrictions::ROWS, restrictions_more::ROWS],
        Section::Passcode => &[others::PASSCODE],
        Section::SoftwareUpdate => &[others::SOFTWARE_UPDATE],
        Section::Device => &[others::DEVICE],
        Section::Siri
        | Section::Keyboard
        | Section::Intelligence
        | Section::Android
        | Section::AndroidRestrictions => &[],
    }
}
