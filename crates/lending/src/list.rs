//! The named list of users: settled by the head, then validated by the académie, name by name (C4.2).
//!
//! A list is nothing but its changes. Each change takes both steps, and only the changed names do: whoever stood on the
//! validated list stays on it meanwhile. The list of a school year begins empty (C9.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::{AccountId, Day, Digest, Instant, ListId, MailAddress, PersonId, Uai, UserKind, text_enum};

use crate::agreement::Signatory;
use crate::{ClassName, PersonName, Refused, SchoolNumber};

text_enum! {
    /// What a change does to a list.
    ListStep: "change of a list" {
        /// The person is put on it, or what it says of them changes.
        Set = "set",
        /// The person is taken off it.
        Remove = "remove",
    }
}

text_enum! {
    /// How much of a collège's list a change speaks of.
    Scope: "scope of a change" {
        /// Everybody of the kinds of people that it names: whom the list does not name then has left (C9.1).
        Whole = "whole",
        /// Some of them, such as a class: nobody has left because it does not name them.
        Part = "part",
    }
}

/// What a list says of a person: nothing that a loan does not need (C3.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who they are to the programme (C4.1).
    pub kind: UserKind,
    /// What they are called.
    pub name: PersonName,
    /// A pupil's class.
    pub class: Option<ClassName>,
    /// The number by which the school's register tells them from others of that name.
    pub number: Option<SchoolNumber>,
    /// Their first day in the collège, if it is to come.
    pub arrives_on: Option<Day>,
    /// Their last day of attendance, if it is known (C5.2.3).
    pub leaves_on: Option<Day>,
    /// How many guardians a pupil has: each may sign, or object (C5.2.1).
    pub guardians: u8,
    /// How they, or their guardians, are reached; empty unless notices may be sent.
    pub contacts: BTreeMap<Signatory, MailAddress>,
}

/// What both sign: the digest of exactly these names, of what the list says of each, and of how much it speaks of. The number of the proposal is
/// part of it, so that nobody guesses a name from it, and no signature serves for another proposal.
#[must_use]
pub fn digest(
    proposal: ListId,
    (college, school_year): (&Uai, &str),
    scope: Scope,
    changes: &[Change],
) -> Digest {
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| change.person());
    let mut hashed = Hashed(format!("ardoise list 2\n{proposal}\n{college}\n{school_year}\n{scope}\n"));
    for change in sorted {
        hashed.field("person", Some(&change.person().to_string()));
        let Change::Set(_, entry) = change else {
            hashed.field("remove", None);
            continue;
        };
        hashed.field("kind", Some(entry.kind.as_str()));
        hashed.field("name", Some(entry.name.as_str()));
        hashed.field("class", entry.class.as_ref().map(ClassName::as_str));
        hashed.field("number", entry.number.as_ref().map(SchoolNumber::as_str));
        hashed.field("arrives", entry.arrives_on.map(|day| day.to_string()).as_deref());
        hashed.field("leaves", entry.leaves_on.map(|day| day.to_string()).as_deref());
        hashed.field("guardians", Some(&entry.guardians.to_string()));
        for (who, address) in &entry.contacts {
            hashed.field(&who.to_string(), Some(address.as_str()));
        }
    }
    Digest::of(hashed.0.as_bytes())
}

/// Fields, each on a line of its own: no text of a list holds a line break.
struct Hashed(String);

impl Hashed {
    fn field(&mut self, name: &str, value: Option<&str>) {
        self.0.push_str(name);
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(value);
        }
        self.0.push('\n');
    }
}

/// A person's signature under one step, with its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// Who signed.
    pub by: AccountId,
    /// When.
    pub at: Instant,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was proposed: it changes nothing.
    Proposed,
    /// The head settled it (arrêtée): it still changes nothing.
    Settled {
        /// The head's signature.
        head: Signed,
    },
    /// The académie validated it (validée): it counts.
    Validated {
        /// The head's signature.
        head: Signed,
        /// The académie's.
        academie: Signed,
    },
    /// It was taken back before it counted.
    Withdrawn,
}

impl Progress {
    /// The head settles it.
    ///
    /// # Errors
    /// [`Refused::ListStep`] if it is further than proposed.
    pub fn settle(self, head: Signed) -> Result<Self, Refused> {
        match self {
            Self::Proposed => Ok(Self::Settled { head }),
            Self::Settled { .. } | Self::Validated { .. } | Self::Withdrawn => {
                Err(Refused::ListStep { to: "settled", is: self.in_words() })
            }
        }
    }

    /// The académie validates what the head settled.
    ///
    /// # Errors
    /// [`Refused::ListStep`] if it was not settled, or validated before; [`Refused::SamePerson`] if the head would
    /// validate what they settled.
    pub fn validate(self, academie: Signed) -> Result<Self, Refused> {
        match self {
            Self::Settled { head } if head.by == academie.by => Err(Refused::SamePerson),
            Self::Settled { head } => Ok(Self::Validated { head, academie }),
            Self::Proposed | Self::Validated { .. } | Self::Withdrawn => {
                Err(Refused::ListStep { to: "validated", is: self.in_words() })
            }
        }
    }

    /// It is taken back. What was validated is changed only by another change.
    ///
    /// # Errors
    /// [`Refused::ListStep`] if it counts already, or was taken back.
    pub fn withdraw(self) -> Result<Self, Refused> {
        match self {
            Self::Proposed | Self::Settled { .. } => Ok(Self::Withdrawn),
            Self::Validated { .. } | Self::Withdrawn => {
                Err(Refused::ListStep { to: "withdrawn", is: self.in_words() })
            }
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Proposed => "proposed: the head settles it first",
            Self::Settled { .. } => "settled: the académie validates it next",
            Self::Validated { .. } => "validated: it counts, and another change would change it",
            Self::Withdrawn => "withdrawn: propose it again",
        }
    }
}

/// A change of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The person is put on the list, or what it says of them changes.
    Set(PersonId, Entry),
    /// The person is taken off it.
    Remove(PersonId),
}

impl Change {
    /// Whose name changes.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        match self {
            Self::Set(person, _) | Self::Remove(person) => *person,
        }
    }
}

/// The list that counts: changes that were validated, in the order they were. Others change nothing (C4.2).
#[must_use]
pub fn validated<'a>(
    changes: impl IntoIterator<Item = (&'a Change, &'a Progress)>,
) -> BTreeMap<PersonId, Entry> {
    let mut counted: Vec<(Instant, &Change)> = changes
        .into_iter()
        .filter_map(|(change, progress)| match progress {
            Progress::Validated { academie, .. } => Some((academie.at, change)),
            Progress::Proposed | Progress::Settled { .. } | Progress::Withdrawn => None,
        })
        .collect();
    // Stable: changes that were validated in one act keep the order they were given in.
    counted.sort_by_key(|(at, _)| *at);
    let mut list = BTreeMap::new();
    for (_, change) in counted {
        match change {
            Change::Set(person, entry) => {
                list.insert(*person, entry.clone());
            }
            Change::Remove(person) => {
                list.remove(person);
            }
        }
    }
    list
}

/// What must change for a validated list to become the wanted one: the changed names only, each of which takes both
/// steps (C4.2).
#[must_use]
pub fn delta(list: &BTreeMap<PersonId, Entry>, wanted: &BTreeMap<PersonId, Entry>) -> Vec<Change> {
    let gone =
        list.keys().filter(|person| !wanted.contains_key(person)).map(|person| Change::Remove(*person));
    let set = wanted
        .iter()
        .filter(|(person, entry)| list.get(person) != Some(entry))
        .map(|(person, entry)| Change::Set(*person, entry.clone()));
    gone.chain(set).collect()
}
