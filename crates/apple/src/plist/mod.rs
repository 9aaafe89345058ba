//! The bounded property list: the only door by which bytes of a tablet become values.
//!
//! Tablets speak XML property lists. A body is read in one pass that refuses, before it allocates
//! anything in proportion to it, what has hurt servers of this kind: entity bombs, 100,000 nested
//! arrays, binary property lists, duplicate keys (two readers that disagree about which one counts),
//! text that one reader takes for a key and another for a value. The pass that checks is the pass that
//! builds, so nothing can be read differently from how it was checked.

mod reader;
mod writer;

pub use ::plist::{Date, Dictionary, Integer, Value};

/// How much a document may hold before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest document, in bytes.
    pub max_bytes: usize,
    /// The deepest nesting of arrays and dictionaries; the root dictionary is 1.
    pub max_depth: usize,
    /// The most elements, keys included.
    pub max_elements: usize,
}

impl Limits {
    /// Check-in messages: 64 KiB. The longest that tablets send is a TokenUpdate with its unlock token,
    /// about 5 KiB.
    pub const CHECK_IN: Self = Self { max_bytes: 64 << 10, max_depth: 32, max_elements: 4_096 };

    /// Reports to the connect URL: 8 MiB. A ProfileList with signer certificates reaches 2 MB.
    pub const CONNECT: Self = Self { max_bytes: 8 << 20, max_depth: 32, max_elements: 262_144 };

    /// Configuration profiles that people upload or that we wrote ourselves: 4 MiB (fonts, wallpapers).
    pub const PROFILE: Self = Self { max_bytes: 4 << 20, max_depth: 32, max_elements: 65_536 };

    /// The `Info.plist` of an app that somebody uploads: 1 MiB.
    pub const INFO: Self = Self { max_bytes: 1 << 20, max_depth: 32, max_elements: 16_384 };

    /// A MachineInfo, before anything about its sender is known: 16 KiB.
    pub const MACHINE_INFO: Self = Self { max_bytes: 16 << 10, max_depth: 8, max_elements: 256 };
}

/// Why a property list was refused. Offsets are in bytes from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlistError {
    /// The document is longer than the limit.
    #[error("the document has {length} bytes, more than the {limit} allowed here")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A binary property list.
    #[error("a binary property list is not accepted here: send XML")]
    Binary,
    /// Not UTF-8, or marked as another encoding.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// Arrays and dictionaries nested deeper than the limit.
    #[error("nested deeper than {limit} levels at byte {at}")]
    TooDeep {
        /// The limit.
        limit: usize,
        /// Where.
        at: u64,
    },
    /// More elements than the limit.
    #[error("more than {limit} elements at byte {at}")]
    TooManyElements {
        /// The limit.
        limit: usize,
        /// Where.
        at: u64,
    },
    /// The same key twice in one dictionary.
    #[error("the key `{key}` appears twice in one dictionary, at byte {at}")]
    DuplicateKey {
        /// The key, cut to 64 characters.
        key: String,
        /// Where the second one is.
        at: u64,
    },
    /// XML that has no place in a property list: CDATA, an internal DTD subset, an unknown entity, an
    /// unknown or misplaced element.
    #[error("{what} at byte {at}")]
    Forbidden {
        /// What was met.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// Not well-formed XML.
    #[error("not well-formed XML at byte {at}: {message}")]
    Malformed {
        /// What the XML reader says.
        message: String,
        /// Where.
        at: u64,
    },
    /// An integer, real, date or data element whose text is not one.
    #[error("not a valid {kind} at byte {at}")]
    InvalidValue {
        /// The element's name.
        kind: &'static str,
        /// Where.
        at: u64,
    },
}

/// Reads a document whose root is a dictionary.
///
/// # Errors
/// Says what was refused and where, see [`PlistError`].
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Dictionary, PlistError> {
    reader::parse(bytes, limits)
}

/// Writes a document as XML, keys in their order of insertion.
///
/// Characters that XML cannot carry (control characters, save tab and line ends) become U+FFFD, so
/// that what we send can always be read.
#[must_use]
pub fn to_xml(dictionary: &Dictionary) -> Vec<u8> {
    writer::to_xml(dictionary)
}
