//! Turns given values into typed ones, and keeps every refusal with the key, its value and its place.

use std::path::{Path, PathBuf};

use super::key::Key;
use super::problem::{Origin, Problem};
use super::source::{Given, GivenValues, default_of};

/// The value cannot be used, and the reader holds the problem already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported;

/// What is wrong with a value, in words that follow "`key` = `value`:".
pub(super) type Fault = String;

pub(super) struct Reader<'a> {
    home: &'a Path,
    given: &'a GivenValues,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(home: &'a Path, given: &'a GivenValues, problems: &'a mut Vec<Problem>) -> Self {
        Self { home, given, problems }
    }

    /// The value of a key that must have one.
    pub(super) fn one<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Result<T, Reported> {
        match self.optional(name, parse)? {
            Some(value) => Ok(value),
            None => Err(self.refuse(name, "it has no value, and there is no default".to_owned())),
        }
    }

    /// The value of a key that may have none; an empty text is none.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Result<Option<T>, Reported> {
        let given = self.given(name);
        match given.members.first().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match parse(text) {
                Ok(value) => Ok(Some(value)),
                Err(fault) => Err(self.refuse(name, fault)),
            },
        }
    }

    /// The members of a list; each bad one is a problem of its own.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Reported> {
        let given = self.given(name);
        let mut values = Vec::new();
        let mut outcome = Ok(());
        for member in &given.members {
            match parse(member) {
                Ok(value) => values.push(value),
                Err(fault) => outcome = Err(self.refuse_value(name, Some(member), fault)),
            }
        }
        outcome.map(|()| values)
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, name: &'static str) -> Result<bool, Reported> {
        self.one(name, |text| text.parse().map_err(|_other| "expected `true` or `false`".to_owned()))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&mut self, name: &'static str, least: u32, most: u32) -> Result<u32, Reported> {
        self.one(name, |text| {
            text.replace('_', "")
                .parse()
                .ok()
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("expected a whole number from {least} to {most}"))
        })
    }

    /// A path; a relative one starts from the home folder.
    pub(super) fn path(&mut self, name: &'static str) -> Result<Option<PathBuf>, Reported> {
        let home = self.home;
        self.optional(name, |text| Ok(home.join(text)))
    }

    /// Records that the value of `name` cannot be used.
    pub(super) fn refuse(&mut self, name: &'static str, fault: Fault) -> Reported {
        let given = self.given(name);
        let shown = (!given.members.is_empty()).then(|| given.members.join(", "));
        self.refuse_value(name, shown.as_deref(), fault)
    }

    /// Records that the value of `name` cannot be used, and says what would help.
    pub(super) fn refuse_with(&mut self, name: &'static str, fault: Fault, next: String) -> Reported {
        let reported = self.refuse(name, fault);
        if let Some(problem) = self.problems.last_mut() {
            problem.next = next;
        }
        reported
    }

    fn refuse_value(&mut self, name: &'static str, value: Option<&str>, fault: Fault) -> Reported {
        let given = self.given(name);
        let key = Key::named(name);
        let secret = key.is_some_and(|key| key.secret);
        self.problems.push(Problem {
            subject: name.to_owned(),
            value: value.filter(|_| !secret).map(|value| value.chars().take(200).collect()),
            origin: given.origin,
            fault,
            next: key.map_or_else(String::new, |key| {
                format!("write for example `{}` under `[{}]`", key.written(key.example), key.section())
            }),
        });
        Reported
    }

    /// `path`, starting from the home folder if it is relative.
    pub(super) fn within_home(&self, path: &Path) -> PathBuf {
        self.home.join(path)
    }

    fn given(&self, name: &'static str) -> Given {
        self.given.get(name).cloned().unwrap_or_else(|| {
            Key::named(name)
                .map_or_else(|| Given { members: Vec::new(), origin: Origin::Default }, default_of)
        })
    }
}
