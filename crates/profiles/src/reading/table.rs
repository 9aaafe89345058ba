//! One table being read: each key is asked for once, and what is left over nobody knows.

use std::collections::BTreeSet;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use types::Secret;

use super::{At, Notes};
use crate::value::shortened;

/// A table whose keys are taken out one by one.
pub(crate) struct Table<'t> {
    path: String,
    line: usize,
    left: Vec<Slot<'t>>,
    asked: Vec<&'static str>,
}

struct Slot<'t> {
    key: String,
    line: usize,
    value: DeValue<'t>,
}

/// A key that was taken out: its value, and where it stood.
pub(crate) struct Taken<'t> {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) value: DeValue<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn root(document: Spanned<DeTable<'t>>, notes: &Notes<'_>) -> Self {
        Self::new(String::new(), 1, document.into_inner(), notes)
    }

    fn new(path: String, line: usize, table: DeTable<'t>, notes: &Notes<'_>) -> Self {
        let left = table
            .into_iter()
            .map(|(key, value)| {
                let line = notes.line_of(&key.span());
                Slot { key: key.into_inner().into_owned(), line, value: value.into_inner() }
            })
            .collect();
        Self { path, line, left, asked: Vec::new() }
    }

    /// The line it begins on.
    pub(crate) const fn line(&self) -> usize {
        self.line
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of one of its keys.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { shortened(key) } else { format!("{}.{}", self.path, shortened(key)) }
    }

    /// Takes a key out, whatever it holds.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Taken<'t>> {
        self.asked.push(key);
        let position = self.left.iter().position(|slot| slot.key == key)?;
        let slot = self.left.swap_remove(position);
        Some(Taken { path: self.path_of(key), line: slot.line, value: slot.value })
    }

    /// Takes out every key that is left, with its name.
    pub(crate) fn take_all(&mut self) -> Vec<(String, Taken<'t>)> {
        let left = std::mem::take(&mut self.left);
        left.into_iter()
            .map(|slot| {
                let path = self.path_of(&slot.key);
                (slot.key, Taken { path, line: slot.line, value: slot.value })
            })
            .collect()
    }

    /// Takes out a table.
    pub(crate) fn table(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<Self> {
        let taken = self.take(key)?;
        taken.into_table(notes)
    }

    /// Takes out a list of tables, `[[key]]`.
    pub(crate) fn tables(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Vec<Self> {
        let Some(taken) = self.take(key) else { return Vec::new() };
        let DeValue::Array(items) = taken.value else {
            let right = format!("expected tables, each under `[[{key}]]`");
            notes.error(taken.line, taken.path, described(&taken.value), right);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (number, item) in items.into_iter().enumerate() {
            let line = notes.line_of(&item.span());
            let path = format!("{}.{}", taken.path, number + 1);
            match item.into_inner() {
                DeValue::Table(table) => tables.push(Self::new(path, line, table, notes)),
                other => notes.error(line, path, described(&other), format!("expected a table `[[{key}]]`")),
            }
        }
        tables
    }

    /// Takes out a boolean.
    pub(crate) fn boolean(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<At<bool>> {
        let taken = self.take(key)?;
        match taken.value {
            DeValue::Boolean(value) => Some(At { value, line: taken.line }),
            ref other => {
                notes.error(taken.line, taken.path, described(other), "expected true or false");
                None
            }
        }
    }

    /// Takes out a whole number within these bounds.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        smallest: i64,
        largest: i64,
        notes: &mut Notes<'_>,
    ) -> Option<At<i64>> {
        let taken = self.take(key)?;
        match whole_number(&taken.value).filter(|number| (smallest..=largest).contains(number)) {
            Some(value) => Some(At { value, line: taken.line }),
            None => {
                let right = format!("expected a whole number from {smallest} to {largest}");
                notes.error(taken.line, taken.path, described(&taken.value), right);
                None
            }
        }
    }

    /// Takes out a text of up to `longest` printable characters.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        longest: usize,
        notes: &mut Notes<'_>,
    ) -> Option<At<String>> {
        let taken = self.take(key)?;
        taken.into_text(longest, notes)
    }

    /// Takes out a text that has a shape of its own.
    pub(crate) fn parsed<T>(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<At<T>>
    where
        T: FromStr<Err: ToString>,
    {
        let taken = self.take(key)?;
        taken.into_parsed(notes)
    }

    /// Takes out a list of texts, each with a shape of its own.
    pub(crate) fn list<T>(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<At<Vec<At<T>>>>
    where
        T: FromStr<Err: ToString>,
    {
        let taken = self.take(key)?;
        let line = taken.line;
        let items = taken.into_items(notes)?;
        let value = items.into_iter().filter_map(|item| item.into_parsed(notes)).collect();
        Some(At { value, line })
    }

    /// Takes out a list of texts without order or repetition.
    pub(crate) fn set<T>(&mut self, key: &'static str, notes: &mut Notes<'_>) -> Option<At<BTreeSet<T>>>
    where
        T: FromStr<Err: ToString> + Ord,
    {
        let list = self.list(key, notes)?;
        Some(At { value: list.value.into_iter().map(|item| item.value).collect(), line: list.line })
    }

    /// Takes out something that must not be shown.
    pub(crate) fn secret(
        &mut self,
        key: &'static str,
        lengths: std::ops::RangeInclusive<usize>,
        notes: &mut Notes<'_>,
    ) -> Option<At<Secret<String>>> {
        let taken = self.take(key)?;
        match taken.value {
            DeValue::String(text) if lengths.contains(&text.chars().count()) => {
                Some(At { value: Secret::new(text.into_owned()), line: taken.line })
            }
            // The text itself is not repeated.
            _ => {
                let right = format!("expected {} to {} characters", lengths.start(), lengths.end());
                notes.error(taken.line, taken.path, "is not a password of the right length", right);
                None
            }
        }
    }

    /// Says that a key is missing.
    pub(crate) fn missing(&self, key: &str, right: impl Into<String>, notes: &mut Notes<'_>) {
        notes.error(self.line, self.path_of(key), "is missing", right);
    }

    /// Ends the reading: whatever was not asked for is unknown.
    pub(crate) fn finish(self, notes: &mut Notes<'_>) {
        for slot in &self.left {
            let right = match nearest(&slot.key, self.asked.iter().copied()) {
                Some(key) => format!("did you mean `{key}`?"),
                None => format!("known here: {}", self.asked.join(", ")),
            };
            notes.error(slot.line, self.path_of(&slot.key), "there is no such key", right);
        }
    }
}

impl<'t> Taken<'t> {
    /// As a table.
    pub(crate) fn into_table(self, notes: &mut Notes<'_>) -> Option<Table<'t>> {
        match self.value {
            DeValue::Table(table) => Some(Table::new(self.path, self.line, table, notes)),
            other => {
                notes.error(self.line, self.path, described(&other), "expected a table");
                None
            }
        }
    }

    /// As the items of a list, each with its own path and line.
    pub(crate) fn into_items(self, notes: &mut Notes<'_>) -> Option<Vec<Self>> {
        match self.value {
            DeValue::Array(items) => {
                let numbered = items.into_iter().enumerate().map(|(number, item)| {
                    let line = notes.line_of(&item.span());
                    Taken { path: format!("{}.{}", self.path, number + 1), line, value: item.into_inner() }
                });
                Some(numbered.collect())
            }
            other => {
                notes.error(self.line, self.path, described(&other), "expected a list");
                None
            }
        }
    }

    /// As a text of up to `longest` printable characters (T-C9: what is shown somewhere moves no cursor).
    pub(crate) fn into_text(self, longest: usize, notes: &mut Notes<'_>) -> Option<At<String>> {
        match self.value {
            DeValue::String(text)
                if !text.trim().is_empty()
                    && text.chars().count() <= longest
                    && !text.chars().any(char::is_control) =>
            {
                Some(At { value: text.into_owned(), line: self.line })
            }
            ref other => {
                let right = format!("expected a text of 1 to {longest} printable characters");
                notes.error(self.line, self.path, described(other), right);
                None
            }
        }
    }

    /// As a text that has a shape of its own.
    pub(crate) fn into_parsed<T>(self, notes: &mut Notes<'_>) -> Option<At<T>>
    where
        T: FromStr<Err: ToString>,
    {
        match &self.value {
            DeValue::String(text) => match text.parse() {
                Ok(value) => Some(At { value, line: self.line }),
                Err(error) => {
                    notes.error(self.line, self.path, error.to_string(), "");
                    None
                }
            },
            other => {
                notes.error(self.line, self.path, described(other), "expected a text");
                None
            }
        }
    }
}

/// A whole number, if that is what stands there.
pub(crate) fn whole_number(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

/// What stands there instead, as in *is a list*.
pub(crate) fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("is \"{}\"", shortened(text)),
        DeValue::Integer(number) => format!("is {}", shortened(number.as_str())),
        DeValue::Float(number) => format!("is {}", shortened(number.as_str())),
        DeValue::Boolean(value) => format!("is {value}"),
        DeValue::Datetime(value) => format!("is the date {value}"),
        DeValue::Array(_) => "is a list".to_owned(),
        DeValue::Table(_) => "is a table".to_owned(),
    }
}

/// The name that was probably meant: the same but for case, or one or two letters away.
pub(crate) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase();
    let near = names.map(|name| (distance(&lower, &name.to_lowercase()), name));
    near.filter(|(distance, name)| *distance <= 2 && *distance < name.len()).min().map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (down, left) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), down + 1);
        let mut before = down + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(other.chars()) {
            let best = (diagonal + usize::from(left != right)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            before = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let names = ["allowCamera", "allowChat", "ssid"];
        let near = |written| nearest(written, names.into_iter());
        assert_eq!(near("allowcamera"), Some("allowCamera"));
        assert_eq!(near("alowCamra"), Some("allowCamera"));
        assert_eq!(near("allowScreenShot"), None);
        assert_eq!(near("x"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
