//! The configuration file that `ardoise init` writes: every key with its meaning, and values where some are
//! known.

use std::fmt::Write as _;

use super::key::{KEYS, Key};

/// The text of a configuration file in which the keys of `values` have these values (as text, lists separated
/// by commas) and every other key stands as a comment with its default. Names that are no keys are left out.
#[must_use]
pub fn template(values: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "# Ardoise. Every key can also be said in the environment (ARDOISE_TABLETS_LISTEN) or by a flag\n\
         # (--set tablets.listen=…). `ardoise config check` reads this file without starting anything.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section() != section {
            section = key.section();
            let _ = writeln!(text, "\n[{section}]");
        }
        for line in wrapped(key.meaning) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "{}", line(key, values));
    }
    text
}

fn line(key: &Key, values: &[(&str, &str)]) -> String {
    match values.iter().find(|(name, _value)| *name == key.name) {
        Some((_name, value)) => key.written(value),
        None if key.default.is_empty() => format!("#{}", key.written(key.example)),
        None => format!("#{}", key.written(key.default)),
    }
}

/// `text` in lines of at most 100 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < 100 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
