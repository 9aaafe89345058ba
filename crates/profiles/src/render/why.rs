//! What was written where, and what was left out and why.

use apple::OsVersion;

use crate::catalogue::{Language, Words};

/// A part of an intent that was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The part, as a layer speaks of it: `restrictions.allowCamera`, `wifi "Collège"`.
    pub what: String,
    /// Where it stands now, such as `com.apple.applicationaccess allowCamera`.
    pub place: String,
}

/// A part of an intent that this tablet is not given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The part, as a layer speaks of it.
    pub what: String,
    /// Why not.
    pub why: Why,
}

/// Why a part of an intent is not given to a tablet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its iPadOS does not know it yet.
    NotYet {
        /// The first version that does.
        since: OsVersion,
    },
    /// Its iPadOS no longer knows it.
    Gone {
        /// The first version that does not.
        since: OsVersion,
    },
    /// It works on supervised tablets only.
    NeedsSupervision,
    /// It is done by a command and not by configuration.
    ByCommand {
        /// The command.
        command: &'static str,
        /// The version from which configuration does it.
        until: OsVersion,
    },
    /// It is done by a command, which alone takes the settings of an app along.
    WithSettings {
        /// The command.
        command: &'static str,
    },
    /// Its Android does not know it yet.
    AndroidTooOld {
        /// The first API level that does.
        since: u16,
    },
    /// It is for the other platform.
    OtherPlatform,
    /// Nothing on this platform does the same.
    NothingAlike {
        /// Why.
        reason: Words,
    },
}

impl Why {
    /// A clause that can follow a colon.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        match (language, self) {
            (Language::English, Self::NotYet { since }) => format!("known from iPadOS {since} on"),
            (Language::French, Self::NotYet { since }) => format!("connu à partir d’iPadOS {since}"),
            (Language::English, Self::Gone { since }) => format!("iPadOS {since} removed it"),
            (Language::French, Self::Gone { since }) => format!("retiré par iPadOS {since}"),
            (Language::English, Self::NeedsSupervision) => "works on supervised tablets only".to_owned(),
            (Language::French, Self::NeedsSupervision) => {
                "n’a d’effet que sur une tablette supervisée".to_owned()
            }
            (Language::English, Self::ByCommand { command, until }) => {
                format!("done by the command {command} before iPadOS {until}")
            }
            (Language::French, Self::ByCommand { command, until }) => {
                format!("fait par la commande {command} avant iPadOS {until}")
            }
            (Language::English, Self::WithSettings { command }) => {
                format!("done by the command {command}, which takes its settings along")
            }
            (Language::French, Self::WithSettings { command }) => {
                format!("fait par la commande {command}, qui apporte aussi ses réglages")
            }
            (Language::English, Self::AndroidTooOld { since }) => format!("known from API level {since} on"),
            (Language::French, Self::AndroidTooOld { since }) => {
                format!("connu à partir du niveau d’API {since}")
            }
            (Language::English, Self::OtherPlatform) => "is for the other platform".to_owned(),
            (Language::French, Self::OtherPlatform) => "concerne l’autre plateforme".to_owned(),
            (_, Self::NothingAlike { reason }) => reason.of(language).to_owned(),
        }
    }

    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotYet { .. } => "not-yet",
            Self::Gone { .. } => "gone",
            Self::NeedsSupervision => "needs-supervision",
            Self::ByCommand { .. } | Self::WithSettings { .. } => "by-command",
            Self::AndroidTooOld { .. } => "android-too-old",
            Self::OtherPlatform => "other-platform",
            Self::NothingAlike { .. } => "nothing-alike",
        }
    }
}
