//! One thing that can be set: how it is written in a layer, what it may be, which way is stricter, and the wires
//! that carry it.

use std::cmp::Ordering;
use std::fmt;

use types::RuleId;

use super::fact::{Fact, Holder};
use super::texts::{Words, words};

/// The table of a layer in which an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What a tablet allows its user.
    Restrictions,
    /// The access code (C5.3.3).
    Passcode,
    /// Siri, beyond what restrictions say.
    Siri,
    /// The keyboard, beyond what restrictions say.
    Keyboard,
    /// Apple Intelligence, beyond what restrictions say.
    Intelligence,
    /// How iPadOS updates itself.
    SoftwareUpdate,
    /// Options of the management and of the tablet itself.
    Device,
    /// Fields of the open Android agent's configuration.
    Android,
    /// Android's user restrictions.
    AndroidRestrictions,
}

impl Section {
    /// Every section.
    pub const ALL: &'static [Self] = &[
        Self::Restrictions,
        Self::Passcode,
        Self::Siri,
        Self::Keyboard,
        Self::Intelligence,
        Self::SoftwareUpdate,
        Self::Device,
        Self::Android,
        Self::AndroidRestrictions,
    ];

    /// The name of the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restrictions => "restrictions",
            Self::Passcode => "passcode",
            Self::Siri => "siri",
            Self::Keyboard => "keyboard",
            Self::Intelligence => "intelligence",
            Self::SoftwareUpdate => "software-update",
            Self::Device => "device",
            Self::Android => "android",
            Self::AndroidRestrictions => "android-restrictions",
        }
    }
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number.
    Number {
        /// The smallest.
        smallest: i64,
        /// The largest.
        largest: i64,
    },
    /// One of these words; loosest first where they have an order.
    Choice(&'static [&'static str]),
    /// A text.
    Text(Shape),
    /// A list without order or repetition.
    Names {
        /// What each item is.
        of: Shape,
        /// How many there may be.
        most: usize,
    },
}

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The identifier of an app, such as `com.apple.Pages`.
    BundleId,
    /// The number of a SIM card: 18 to 22 digits.
    SimNumber,
    /// A name of the IANA time zone database, such as `Europe/Paris`.
    TimeZone,
    /// An hour and minutes, such as `01:30`.
    Hour,
    /// A colour, such as `#1F4E79`.
    Colour,
    /// A word of somebody else's, of up to 128 printable characters.
    Word,
}

/// Which way is stricter: protects the tablet and its user more or, where nothing is protected, allows less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stricter {
    /// `true` is.
    True,
    /// `false` is.
    False,
    /// A larger number is.
    Higher,
    /// A smaller number is.
    Lower,
    /// A later word of the entry's choices is.
    OrderedList,
    /// A longer list is: what it names is forbidden.
    BlockList,
    /// A shorter list is: only what it names is allowed.
    AllowList,
    /// A shorter list is: it names exceptions to another entry of the same section, and a layer that sets that
    /// entry without naming an exception admits none.
    ExceptionsTo(&'static str),
    /// Neither: two layers that differ contradict each other.
    Unordered,
}

/// How a value is written on a wire of Apple's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Writing {
    /// As it is.
    Same,
    /// A boolean, turned round.
    Negated,
    /// Another word for each choice, in the order of the choices.
    Words(&'static [&'static str]),
    /// A number for each choice, in the order of the choices.
    Reals(&'static [f64]),
}

/// A key of Apple's that carries an entry.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    /// What holds the key.
    pub holder: &'static Holder,
    /// What is published of the key.
    pub fact: &'static Fact,
    /// How the value is written there.
    pub writing: Writing,
}

/// What the open Android agent does with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// It applies these user restrictions when the value is the stricter one.
    Restrictions(&'static [&'static str]),
    /// It reads this field of its configuration, written as the value is.
    Field(&'static str),
    /// It reads this field, `true` when the value is the stricter one.
    Switch(&'static str),
    /// The entry takes part in the choice of its `passwordMode`.
    PasswordMode,
    /// Nothing, and why.
    Nothing(Words),
}

/// Why an entry cannot be set, and what to do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Never {
    /// Why, as in *it cannot be set: …*.
    pub why: &'static str,
    /// The rule behind it, if it is a rule of the programme.
    pub rule: Option<RuleId>,
}

/// One thing that can be set, or that never can.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The table of a layer in which it is written.
    pub section: Section,
    /// Its key there: Apple's or the agent's own, so that their documentation can be consulted.
    pub key: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Which way is stricter.
    pub stricter: Stricter,
    /// The key of a profile that carries it.
    pub profile: Option<Wire>,
    /// The key of a declaration that carries it, preferred where it works.
    pub declaration: Option<Wire>,
    /// The key of an item of the Settings command that carries it.
    pub setting: Option<Wire>,
    /// What the open Android agent does with it.
    pub agent: Agent,
    /// Why it cannot be set, if it cannot.
    pub never: Option<Never>,
}

impl Entry {
    /// Apple's wires, the preferred one first.
    pub fn wires(&self) -> impl Iterator<Item = &Wire> {
        [&self.declaration, &self.profile, &self.setting].into_iter().flatten()
    }

    /// Whether two values can contradict each other instead of one being stricter.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        !matches!(self.stricter, Stricter::Unordered)
    }
}

/// An entry is known by its section and key.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.section, self.key).cmp(&(other.section, other.key))
    }
}

/// As it is written in a layer: `restrictions.allowCamera`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.section.as_str(), self.key)
    }
}

/// The beginning of an entry of the catalogue's tables: a key of a profile, boolean, of no interest to Android.
pub(super) const fn in_profile(
    section: Section,
    holder: &'static Holder,
    key: &'static str,
    kind: Kind,
    stricter: Stricter,
) -> Entry {
    let wire = Wire { holder, fact: holder.key(key), writing: Writing::Same };
    Entry { profile: Some(wire), ..bare(section, key, kind, stricter) }
}

/// The same, of a key that only a declaration has.
pub(super) const fn declared(
    section: Section,
    key: &'static str,
    holder: &'static Holder,
    path: &'static str,
    kind: Kind,
    stricter: Stricter,
) -> Entry {
    let wire = Wire { holder, fact: holder.key(path), writing: Writing::Same };
    Entry { declaration: Some(wire), ..bare(section, key, kind, stricter) }
}

/// The same, of an item of the Settings command.
pub(super) const fn in_settings(
    key: &'static str,
    holder: &'static Holder,
    path: &'static str,
    kind: Kind,
    stricter: Stricter,
) -> Entry {
    let wire = Wire { holder, fact: holder.key(path), writing: Writing::Same };
    Entry { setting: Some(wire), ..bare(Section::Device, key, kind, stricter) }
}

/// The same, of something that iPads do not have.
pub(super) const fn bare(section: Section, key: &'static str, kind: Kind, stricter: Stricter) -> Entry {
    Entry {
        section,
        key,
        kind,
        stricter,
        profile: None,
        declaration: None,
        setting: None,
        agent: Agent::Nothing(words(
            "the open agent has nothing like it",
            "l’agent libre n’a rien de semblable",
        )),
        never: None,
    }
}

impl Entry {
    /// It has other words in a layer than on the wire.
    pub(super) const fn written(mut self, writing: Writing) -> Self {
        if let Some(mut wire) = self.profile {
            wire.writing = writing;
            self.profile = Some(wire);
        }
        self
    }

    /// A declaration carries it too, and is preferred.
    pub(super) const fn also(self, holder: &'static Holder, path: &str) -> Self {
        self.also_written(holder, path, Writing::Same)
    }

    /// A declaration carries it too, written otherwise.
    pub(super) const fn also_written(
        mut self,
        holder: &'static Holder,
        path: &str,
        writing: Writing,
    ) -> Self {
        self.declaration = Some(Wire { holder, fact: holder.key(path), writing });
        self
    }

    /// The agent applies these user restrictions.
    pub(super) const fn android(mut self, restrictions: &'static [&'static str]) -> Self {
        self.agent = Agent::Restrictions(restrictions);
        self
    }

    /// The agent does that with it.
    pub(super) const fn agent(mut self, agent: Agent) -> Self {
        self.agent = agent;
        self
    }

    /// It cannot be set.
    pub(super) const fn never(mut self, why: &'static str) -> Self {
        self.never = Some(Never { why, rule: None });
        self
    }

    /// It cannot be set, by a rule of the programme.
    pub(super) const fn never_by(mut self, rule: RuleId, why: &'static str) -> Self {
        self.never = Some(Never { why, rule: Some(rule) });
        self
    }
}
