//! What the makers publish of one key: its type and range, when it came and went, whether it needs supervision.

use apple::OsVersion;

/// How a key travels to an iPad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// In a payload of a configuration profile.
    Profile,
    /// In a declaration.
    Declaration,
    /// In an item of the Settings command.
    Setting,
}

/// What holds keys: a kind of payload, a kind of declaration, or an item of the Settings command.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// How it travels.
    pub form: Form,
    /// Its `PayloadType`, `Type` or `Item`.
    pub name: &'static str,
    /// The first version of iPadOS that knows it.
    pub since: OsVersion,
    /// The version that deprecated it: it still works.
    pub deprecated: Option<OsVersion>,
    /// Whether it works on supervised tablets only.
    pub supervised: bool,
    /// Its keys, by path.
    pub keys: &'static [Fact],
}

/// The type of a key on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Real,
    /// A text.
    String,
    /// Bytes.
    Data,
    /// An instant.
    Date,
    /// A list; its items are the key below it.
    Array,
    /// A dictionary; its keys are those below it.
    Dictionary,
    /// Whatever the holder's user wants.
    Any,
    /// Not published yet.
    Unknown,
}

/// One key of a holder.
#[derive(Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its path, such as `Apps.Mail.AllowSummary`.
    pub key: &'static str,
    /// Its type.
    pub kind: FactKind,
    /// The first version of iPadOS that knows it, the holder's if it names none of its own.
    pub since: OsVersion,
    /// The version that deprecated it: it still works.
    pub deprecated: Option<OsVersion>,
    /// The version from which it does nothing.
    pub removed: Option<OsVersion>,
    /// Whether it works on supervised tablets only.
    pub supervised: bool,
    /// Whether the holder is refused without it.
    pub required: bool,
    /// The smallest and largest number.
    pub range: (Option<i64>, Option<i64>),
    /// The only values admitted, if they are listed; as text, numbers too.
    pub choices: &'static [&'static str],
}

/// A version, as the table of facts writes it.
pub(super) const fn v(major: u16, minor: u16, patch: u16) -> OsVersion {
    OsVersion { major, minor, patch }
}

/// A key, as the table of facts writes it.
pub(super) const fn f(key: &'static str, kind: FactKind, since: OsVersion) -> Fact {
    Fact {
        key,
        kind,
        since,
        deprecated: None,
        removed: None,
        supervised: false,
        required: false,
        range: (None, None),
        choices: &[],
    }
}

impl Fact {
    pub(super) const fn deprecated(mut self, version: OsVersion) -> Self {
        self.deprecated = Some(version);
        self
    }

    pub(super) const fn removed(mut self, version: OsVersion) -> Self {
        self.removed = Some(version);
        self
    }

    pub(super) const fn supervised(mut self) -> Self {
        self.supervised = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn range(mut self, smallest: Option<i64>, largest: Option<i64>) -> Self {
        self.range = (smallest, largest);
        self
    }

    pub(super) const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }
}

impl Holder {
    /// The key of this path. A path that is not there does not compile: tables of this room are constants.
    #[expect(clippy::indexing_slicing, clippy::panic, reason = "evaluated while compiling")]
    pub(super) const fn key(&'static self, path: &str) -> &'static Fact {
        let mut position = 0;
        while position < self.keys.len() {
            if same(self.keys[position].key.as_bytes(), path.as_bytes()) {
                return &self.keys[position];
            }
            position += 1;
        }
        panic!("the table of facts has no such key")
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated while compiling")]
const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut position = 0;
    while position < one.len() {
        if one[position] != other[position] {
            return false;
        }
        position += 1;
    }
    true
}
