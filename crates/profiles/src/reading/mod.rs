//! From text to values: TOML with its lines kept, read strictly. What nobody asked for is an error (T-C15), and all
//! that is wrong is told at once.

mod table;

pub(crate) use table::{Table, Taken, described, nearest, whole_number};

use std::ops::Range;

use toml::de::{DeTable, Error};
use types::RuleId;

use crate::problem::{Problem, Severity};

/// The longest text of a layer, in bytes.
const LONGEST: usize = 512 << 10;

/// A value with the line it was said on. Two are equal if their values are.
#[derive(Debug, Clone, Copy)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The line, from 1.
    pub line: usize,
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

/// A text being read, and what was found wrong with it.
pub(crate) struct Notes<'t> {
    file: &'t str,
    text: &'t str,
    problems: Vec<Problem>,
}

impl<'t> Notes<'t> {
    /// Begins to read.
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, problems: Vec::new() }
    }

    /// The whole document as a table; what TOML itself refuses is noted.
    pub(crate) fn document(&mut self) -> Option<Table<'t>> {
        if self.text.len() > LONGEST {
            let what = format!("the text has {} bytes", self.text.len());
            self.error(1, "", what, format!("expected at most {LONGEST}"));
            return None;
        }
        let (document, errors) = DeTable::parse_recoverable(self.text);
        if errors.is_empty() {
            Some(Table::root(document, self))
        } else {
            for error in errors {
                self.not_toml(&error);
            }
            None
        }
    }

    fn not_toml(&mut self, error: &Error) {
        let line = self.line_of(&error.span().unwrap_or_default());
        let what = format!("not TOML: {}", error.message());
        self.error(line, "", what, String::new());
    }

    /// The line on which a span begins.
    pub(crate) fn line_of(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Notes an error.
    pub(crate) fn error(
        &mut self,
        line: usize,
        path: impl Into<String>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        self.note(Severity::Error, line, path.into(), what.into(), right.into(), None);
    }

    /// Notes a breach of a rule of the programme.
    pub(crate) fn breach(
        &mut self,
        rule: RuleId,
        line: usize,
        path: impl Into<String>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        self.note(Severity::Error, line, path.into(), what.into(), right.into(), Some(rule));
    }

    /// Notes something that deserves a look.
    pub(crate) fn advice(
        &mut self,
        line: usize,
        path: impl Into<String>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        self.note(Severity::Advice, line, path.into(), what.into(), right.into(), None);
    }

    fn note(
        &mut self,
        severity: Severity,
        line: usize,
        path: String,
        what: String,
        right: String,
        rule: Option<RuleId>,
    ) {
        self.problems.push(Problem { file: self.file.to_owned(), line, severity, path, what, right, rule });
    }

    /// Everything noted, in the order of the lines.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.severity));
        self.problems.dedup();
        self.problems
    }
}
