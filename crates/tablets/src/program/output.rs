//! What the program prints: JSON for programs, words for people; never both on standard output.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints an answer: the document on one line, or what `human` makes of it.
    pub(crate) fn show<T: Serialize>(
        self,
        document: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            let line = serde_json::to_string(document).map_err(|error| Failure::Output(error.into()))?;
            print(&line)
        } else {
            print(human(document).trim_end())
        }
    }

    /// Says something on the way, on standard error, to people only.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            // A closed standard error hides no answer.
            let _closed = writeln!(io::stderr(), "{}", printable(text));
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
        spinner.enable_steady_tick(Duration::from_millis(120));
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
        let text = if self.json {
            failure.to_json().to_string()
        } else {
            format!("error: {}", printable(&failure.to_string()))
        };
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

/// Prints a line on standard output.
fn print(line: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{line}").and_then(|()| output.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Failure::Output),
    }
}

/// `text` without what would move the cursor: a server's answer is shown on somebody's terminal.
pub(crate) fn printable(text: &str) -> String {
    let harmless =
        |character: char| if character.is_control() && character != '\n' { '\u{fffd}' } else { character };
    text.chars().map(harmless).collect()
}

/// Lines of a name and a value, aligned.
pub(crate) fn sheet(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _value)| name.chars().count() + 1).max().unwrap_or(0);
    let line =
        |(name, value): &(&str, String)| format!("{:<width$}  {}", format!("{name}:"), printable(value));
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_aligned_and_never_moves_the_cursor() {
        let rows = [("rate", "12.0/s".to_owned()), ("first error", "\u{1b}[2Jboo".to_owned())];
        assert_eq!(sheet(&rows), "rate:         12.0/s\nfirst error:  \u{fffd}[2Jboo");
    }
}
