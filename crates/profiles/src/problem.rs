//! What is wrong with a layer's text: which file, which line, what, and what would be right.

use std::fmt;

use types::RuleId;

/// Whether a problem stops a layer, or only deserves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The layer cannot be used.
    Error,
    /// It can, and somebody should know.
    Advice,
}

/// Something wrong in a layer's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether the layer can be used all the same.
    pub severity: Severity,
    /// The path of the key or table, such as `wifi.2.ssid`; empty for the whole of the text.
    pub path: String,
    /// What is there.
    pub what: String,
    /// What would be right.
    pub right: String,
    /// The rule of the programme behind it.
    pub rule: Option<RuleId>,
}

/// `profiles/socle.toml:12: error: passcode.minLength: is 40; expected a whole number from 0 to 16`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Advice => "advice",
        };
        write!(f, "{}:{}: {severity}: ", self.file, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)?;
        if !self.right.is_empty() {
            write!(f, "; {}", self.right)?;
        }
        match self.rule {
            Some(rule) => write!(f, " ({rule})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
