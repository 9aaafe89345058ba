//! Classes of iPads that are given the same by the same layers.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use apple::OsVersion;
use types::{Digest, ProfileVersionId, Supervision};

use crate::catalogue::holders;
use crate::render::{DECLARATIONS_SINCE, IpadTarget, OLDEST_IPADOS};

/// Every version of iPadOS at which something that can be set comes or goes.
static THRESHOLDS: LazyLock<BTreeSet<OsVersion>> = LazyLock::new(|| {
    let of_keys = holders().iter().flat_map(|holder| {
        let keys = holder.keys.iter().flat_map(|key| [Some(key.since), key.removed]);
        keys.chain([Some(holder.since)])
    });
    let known = of_keys.flatten().chain([OLDEST_IPADOS, DECLARATIONS_SINCE]);
    known.filter(|version| *version >= OLDEST_IPADOS).collect()
});

/// A class of iPads. Versions between which nothing comes or goes are one class: there are few, whatever version a
/// tablet claims to have (T-A17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpadClass {
    version: OsVersion,
    supervised: bool,
}

impl IpadClass {
    /// The class of a tablet. `None` if it has not said yet whether it is supervised, or its iPadOS is older than any
    /// that is managed.
    #[must_use]
    pub fn of(version: OsVersion, supervision: Supervision) -> Option<Self> {
        let supervised = match supervision {
            Supervision::Supervised => true,
            Supervision::Unsupervised => false,
            Supervision::Unknown => return None,
        };
        let version = *THRESHOLDS.range(..=version).next_back()?;
        Some(Self { version, supervised })
    }

    /// What is written for it.
    #[must_use]
    pub const fn target(self) -> IpadTarget {
        IpadTarget { version: self.version, supervised: self.supervised }
    }

    /// The first version of the class.
    #[must_use]
    pub const fn version(self) -> OsVersion {
        self.version
    }

    /// Whether its tablets are supervised.
    #[must_use]
    pub const fn supervised(self) -> bool {
        self.supervised
    }

    /// Every class.
    pub fn all() -> impl Iterator<Item = Self> {
        THRESHOLDS
            .iter()
            .flat_map(|version| [true, false].map(|supervised| Self { version: *version, supervised }))
    }
}

impl fmt::Display for IpadClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.supervised { "supervised" } else { "unsupervised" };
        write!(f, "ipad {} {how}", self.version)
    }
}

/// The key of a segment: the versions of its layers, in their order, and the class of its tablets.
#[must_use]
pub fn segment_key(versions: &[ProfileVersionId], class: IpadClass) -> Digest {
    let mut text = class.to_string();
    for version in versions {
        text.push('\n');
        text.push_str(&version.to_string());
    }
    Digest::of(text.as_bytes())
}
