//! The teller of a story: steps, and checks with what was expected and what was seen.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Instant;

use crate::output::Output;
use crate::table::printable;

/// Tells steps and checks, and counts the latter. Tells on standard error when programs read the output.
#[derive(Debug)]
pub(crate) struct Teller {
    output: Output,
    began: Instant,
    checks: usize,
    failed: usize,
}

impl Teller {
    pub(crate) fn new(output: Output) -> Self {
        Self { output, began: Instant::now(), checks: 0, failed: 0 }
    }

    /// Where it is told.
    pub(crate) const fn output(&self) -> Output {
        self.output
    }

    /// Something begins.
    pub(crate) fn step(&self, text: &str) {
        self.say(&format!("\n[{:5.1} s] {text}", self.began.elapsed().as_secs_f64()));
    }

    /// Something happened on the way.
    pub(crate) fn tell(&self, text: &str) {
        self.say(&format!("          {}", printable(text)));
    }

    /// What should be, and what is. Returns whether they are the same.
    pub(crate) fn check<T: PartialEq + Display>(&mut self, what: &str, expected: T, seen: T) -> bool {
        let right = expected == seen;
        self.checks += 1;
        if !right {
            self.failed += 1;
        }
        let mark = if right { "ok  " } else { "FAIL" };
        let seen = printable(&seen.to_string());
        self.say(&format!("    {mark}  {what}: expected {expected}, seen {seen}"));
        right
    }

    /// The last line.
    pub(crate) fn end(&self, text: &str) {
        self.say(&format!("\n{text}"));
    }

    /// How many checks there were, and how many failed.
    pub(crate) const fn counts(&self) -> (usize, usize) {
        (self.checks, self.failed)
    }

    fn say(&self, text: &str) {
        // A reader who went away does not change what is true.
        let _gone = if self.output.is_json() {
            writeln!(std::io::stderr(), "{text}")
        } else {
            writeln!(std::io::stdout(), "{text}")
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_does_not_hold_is_counted() {
        let mut teller = Teller::new(Output::new(true));
        assert!(teller.check("tablets", 3, 3));
        assert!(!teller.check("state", "enrolled", "enrolling"));
        assert_eq!(teller.counts(), (2, 1));
    }
}
