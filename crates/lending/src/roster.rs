//! Who is who in an export of the school's register: the same person keeps their number, homonyms are kept apart, and
//! what changed since is a delta (C4.2).
//!
//! Two people may bear one name. Whoever cannot be told apart is named as a bad line, and never guessed: a wrong guess
//! lends a tablet with somebody else's agreement.

use std::collections::{BTreeMap, BTreeSet};

use types::{PersonId, UserKind};

use crate::list::Entry;

/// A line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What it says.
    pub entry: Entry,
}

/// Why a line says of nobody for sure whom it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Two lines have one number of the school's register.
    #[error("the number stands on line {0} already: one person, one line")]
    SameNumber(u64),
    /// Two lines name the same person, as far as can be told.
    #[error(
        "line {0} has the same name, kind and class, and no number tells them apart: map a column with the numbers of \
         the school’s register"
    )]
    SamePerson(u64),
    /// Several people of that name are known.
    #[error(
        "several people of this name are known here, and neither number nor class tells which one this is: map a \
         column with the numbers of the school’s register"
    )]
    Homonyms,
}

/// What an export asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The list as it should be.
    pub list: BTreeMap<PersonId, Entry>,
    /// Those whom nobody knew before.
    pub new: BTreeSet<PersonId>,
}

/// Finds who each line means among the people that are `known` in the collège, whatever year knew them, and says what the
/// validated `list` should become. New people get the numbers that `number` gives.
///
/// In a `complete` export, whoever is on the list, is of a kind that the export speaks of, and stands in no line, is
/// taken off: an export of the pupils takes off no teacher.
///
/// # Errors
/// Every line that is not clear, with why; then nothing is wanted.
pub fn read(
    known: &BTreeMap<PersonId, Entry>,
    list: &BTreeMap<PersonId, Entry>,
    lines: &[Line],
    complete: bool,
    number: &mut dyn FnMut() -> PersonId,
) -> Result<Wanted, Vec<(u64, Unclear)>> {
    let mut unclear = twice(lines);
    let names = Names::of(known);
    let mut found: BTreeMap<PersonId, (u64, &Entry)> = BTreeMap::new();
    let mut new = BTreeSet::new();
    for line in lines {
        let person = match names.find(known, lines, &line.entry) {
            Ok(Some(person)) => person,
            Ok(None) => {
                let person = number();
                new.insert(person);
                person
            }
            Err(why) => {
                unclear.push((line.line, why));
                continue;
            }
        };
        if let Some((other, _)) = found.insert(person, (line.line, &line.entry)) {
            unclear.push((line.line, Unclear::SamePerson(other)));
        }
    }
    if !unclear.is_empty() {
        unclear.sort_by_key(|(line, _)| *line);
        unclear.dedup_by_key(|(line, _)| *line);
        return Err(unclear);
    }
    let spoken_of: BTreeSet<UserKind> = lines.iter().map(|line| line.entry.kind).collect();
    let stays = |entry: &Entry| !(complete && spoken_of.contains(&entry.kind));
    let mut wanted: BTreeMap<PersonId, Entry> =
        list.iter().filter(|(_, entry)| stays(entry)).map(|(id, entry)| (*id, entry.clone())).collect();
    wanted.extend(found.into_iter().map(|(person, (_, entry))| (person, entry.clone())));
    Ok(Wanted { list: wanted, new })
}

/// Lines that say the same number, or the same person without one.
fn twice(lines: &[Line]) -> Vec<(u64, Unclear)> {
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let mut persons: BTreeMap<(UserKind, String, Option<&str>), u64> = BTreeMap::new();
    let mut unclear = Vec::new();
    for Line { line, entry } in lines {
        match &entry.number {
            Some(number) => {
                if let Some(first) = numbers.insert(number.as_str(), *line) {
                    unclear.push((*line, Unclear::SameNumber(first)));
                }
            }
            None => {
                let class = entry.class.as_ref().map(|class| class.as_str());
                if let Some(first) = persons.insert((entry.kind, folded(entry), class), *line) {
                    unclear.push((*line, Unclear::SamePerson(first)));
                }
            }
        }
    }
    unclear
}

/// A name as it is compared: case and the number of spaces tell nobody apart.
fn folded(entry: &Entry) -> String {
    entry.name.as_str().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// People by their name, kind by kind: a pupil is no teacher of that name (C4.1).
struct Names(BTreeMap<(UserKind, String), Vec<PersonId>>);

impl Names {
    fn of(known: &BTreeMap<PersonId, Entry>) -> Self {
        let mut names: BTreeMap<(UserKind, String), Vec<PersonId>> = BTreeMap::new();
        for (person, entry) in known {
            names.entry((entry.kind, folded(entry))).or_default().push(*person);
        }
        Self(names)
    }

    /// Whom an entry means: by number; else by a name that only one person and one line have; else by name and class.
    fn find(
        &self,
        known: &BTreeMap<PersonId, Entry>,
        lines: &[Line],
        entry: &Entry,
    ) -> Result<Option<PersonId>, Unclear> {
        if let Some(number) = &entry.number {
            let by_number = known
                .iter()
                .find(|(_, one)| one.kind == entry.kind && one.number.as_ref() == Some(number))
                .map(|(person, _)| *person);
            if by_number.is_some() {
                return Ok(by_number);
            }
        }
        let named = self.0.get(&(entry.kind, folded(entry))).map_or(&[][..], Vec::as_slice);
        // Who has another number is somebody else.
        let may_be = |person: &&PersonId| {
            known.get(*person).is_some_and(|one| one.number.is_none() || entry.number.is_none())
        };
        let candidates: Vec<PersonId> = named.iter().filter(may_be).copied().collect();
        let bear_it = lines
            .iter()
            .filter(|line| line.entry.kind == entry.kind && folded(&line.entry) == folded(entry))
            .count();
        match candidates.as_slice() {
            [] => Ok(None),
            [only] if bear_it == 1 => Ok(Some(*only)),
            several => {
                let mut same_class = several.iter().filter(|person| {
                    entry.class.is_some() && known.get(*person).is_some_and(|one| one.class == entry.class)
                });
                match (same_class.next(), same_class.next()) {
                    (Some(only), None) => Ok(Some(*only)),
                    _ => Err(Unclear::Homonyms),
                }
            }
        }
    }
}
