//! A text for people, in both languages.

/// The same in French and in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
