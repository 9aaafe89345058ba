//! What the program prints: one JSON document for programs, tables for people; never both.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::failure::{Failure, with_causes};
use crate::table;

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read what is printed.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints an answer: the document itself, or what `human` makes of it.
    pub(crate) fn show(self, document: &Value, human: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { print(&document.to_string()) } else { print(human().trim_end()) }
    }

    /// Whether what is printed is drawn on a terminal, which a document that is no text would garble.
    pub(crate) fn is_on_a_terminal() -> bool {
        io::stdout().is_terminal()
    }

    /// Says something on the way, to people only.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            // A closed standard error hides no answer.
            let _closed = writeln!(io::stderr(), "{text}");
        }
    }

    /// A bar for work of `length` steps: drawn on a terminal, and a single line elsewhere.
    pub(crate) fn bar(self, length: u64, what: &'static str) -> ProgressBar {
        let bar = self.progress(Some(length), what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar
    }

    /// A sign of life during work whose length nobody knows.
    pub(crate) fn spinner(self, what: &'static str) -> ProgressBar {
        let spinner = self.progress(None, what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(std::time::Duration::from_millis(120));
        spinner
    }

    fn progress(self, length: Option<u64>, what: &'static str) -> ProgressBar {
        let terminal = io::stderr().is_terminal();
        if !terminal {
            self.note(what);
        }
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        ProgressBar::with_draw_target(length, target).with_message(what)
    }

    /// Prints why the command failed, on standard error.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = if self.json { failure.to_json().to_string() } else { told(failure) };
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

/// A new file for what names people: nobody else may read it, and no other file is written over.
pub(crate) fn private_file(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(Failure::writing(path))
}

/// Prints a line on standard output.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// Writes a document that is no text on standard output, and nothing else.
pub(crate) fn print_bytes(document: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(document).and_then(|()| output.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Failure::Output),
    }
}

fn told(failure: &Failure) -> String {
    let mut lines = vec![format!("error: {}", table::printable(&with_causes(failure)))];
    if let Failure::Problem(problem) = failure {
        lines.extend(
            problem
                .lines
                .iter()
                .map(|line| format!("  line {}: {}", line.line, table::printable(&line.problem))),
        );
        lines.extend(problem.rule.iter().map(|rule| format!("  rule: {rule}")));
    }
    lines.extend(failure.next_step().map(|next| format!("  next: {}", table::printable(&next))));
    if let Failure::Problem(problem) = failure
        && problem.status >= 500
    {
        lines.extend(problem.request_id.iter().map(|id| format!("  request: {id}")));
    }
    lines.join("\n")
}
