//! Which layer a version is one of.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use types::{LoanMode, Uai, UserKind};

use crate::layer::{Layer, LayerKind};

/// A layer through all its versions: what a new version of it replaces.
///
/// Of emergency bases and of tablets' own layers there may be several, each known by its title; of the others there is
/// one for each kind of user, mode or collège.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKey {
    /// The base.
    Base,
    /// An emergency base, by its title.
    Emergency(String),
    /// What these kinds of users have.
    User(BTreeSet<UserKind>),
    /// What this mode asks for.
    Mode(LoanMode),
    /// What this collège adds.
    College(Uai),
    /// What some tablets have for a time, by its title.
    Tablet(String),
}

/// Two words of a row that name no layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names no layer: expected base, user:KINDS, mode:MODE, college:UAI, emergency:TITLE or tablet:TITLE"
)]
pub struct NotAKey {
    text: String,
}

impl LayerKey {
    /// Which layer this text is a version of.
    #[must_use]
    pub fn of(layer: &Layer) -> Self {
        let title = || layer.name().title.clone();
        match layer.kind() {
            LayerKind::Base => Self::Base,
            LayerKind::Emergency => Self::Emergency(title()),
            LayerKind::User(kinds) => Self::User(kinds.clone()),
            LayerKind::Mode(mode) => Self::Mode(*mode),
            LayerKind::College(uai) => Self::College(uai.clone()),
            LayerKind::Tablet => Self::Tablet(title()),
        }
    }

    /// The layer that two columns name.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn from_columns(kind: &str, name: &str) -> Result<Self, NotAKey> {
        let wrong = || NotAKey { text: format!("{kind}:{name}").chars().take(120).collect() };
        let key = match kind {
            "base" => Self::Base,
            "emergency" => Self::Emergency(name.to_owned()),
            "user" => Self::User(
                name.split('+').map(str::parse).collect::<Result<_, _>>().map_err(|_unknown| wrong())?,
            ),
            "mode" => Self::Mode(name.parse().map_err(|_unknown| wrong())?),
            "college" => Self::College(name.parse().map_err(|_unknown| wrong())?),
            "tablet" => Self::Tablet(name.to_owned()),
            _ => return Err(wrong()),
        };
        if key.kind() == kind && key.name() == name { Ok(key) } else { Err(wrong()) }
    }

    /// The word of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Emergency(_) => "emergency",
            Self::User(_) => "user",
            Self::Mode(_) => "mode",
            Self::College(_) => "college",
            Self::Tablet(_) => "tablet",
        }
    }

    /// What it is called among those of its kind; empty for the base, of which there is one.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Base => String::new(),
            Self::Emergency(title) | Self::Tablet(title) => title.clone(),
            Self::User(kinds) => kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join("+"),
            Self::Mode(mode) => mode.as_str().to_owned(),
            Self::College(uai) => uai.to_string(),
        }
    }

    /// The collège that decides it alone (C3.1.3); `None` for what the département and the académie decide.
    #[must_use]
    pub const fn college(&self) -> Option<&Uai> {
        match self {
            Self::College(uai) => Some(uai),
            _ => None,
        }
    }

    /// Whether both can be layers of one tablet although they are not the same: two layers of overlapping kinds of users
    /// cannot.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::User(one), Self::User(other)) => one != other && !one.is_disjoint(other),
            _ => false,
        }
    }
}

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("base"),
            other => write!(f, "{}:{}", other.kind(), other.name()),
        }
    }
}

impl FromStr for LayerKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        Self::from_columns(kind, name)
    }
}
