//! The proof that a text was decided by those who decide it.

use types::{AccountId, Day, Digest, Instant, OrganisationKind, ProfileVersionId, RuleId, Secret, Uai};

use super::in_force::OrderInForce;
use super::key::LayerKey;
use crate::combine::combine;
use crate::intent::Intent;
use crate::layer::Layer;
use crate::parse::parse;
use crate::refusal::Refusal;

/// Proof that what it holds was decided by those who decide it: jointly by the département and the académie (C3.1.1,
/// C3.1.2), or by the collège whose additions they are (C3.1.3).
///
/// Nothing is written for a real tablet without it. Made only from checked facts, also when they are read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved<T> {
    versions: Vec<ProfileVersionId>,
    value: T,
}

impl<T> Approved<T> {
    /// What was decided.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The versions it is made of, in the order of their layers' names: one for a layer.
    #[must_use]
    pub fn versions(&self) -> &[ProfileVersionId] {
        &self.versions
    }
}

/// What a row says of a version.
#[derive(Debug, Clone)]
pub struct VersionFacts {
    /// Its id.
    pub id: ProfileVersionId,
    /// The layer it is one of.
    pub layer: LayerKey,
    /// What it says.
    pub content: Secret<String>,
    /// SHA-256 of that.
    pub content_sha256: Digest,
    /// Who wrote it.
    pub author: AccountId,
}

/// One organisation's approval of exactly one content, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    organisation: OrganisationKind,
    uai: Option<Uai>,
    account: AccountId,
    content_sha256: Digest,
    at: Instant,
}

impl Approval {
    /// The approval of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub const fn from_row(
        organisation: OrganisationKind,
        uai: Option<Uai>,
        account: AccountId,
        content_sha256: Digest,
        at: Instant,
    ) -> Self {
        Self { organisation, uai, account, content_sha256, at }
    }

    /// The kind of organisation that approved.
    #[must_use]
    pub const fn organisation(&self) -> OrganisationKind {
        self.organisation
    }

    /// The collège, if it is one.
    #[must_use]
    pub const fn uai(&self) -> Option<&Uai> {
        self.uai.as_ref()
    }

    /// Who approved.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// When.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }
}

/// Why a text is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// Its text is not the one that was decided.
    #[error("version {version} is not the text that was decided: its digest differs; it was edited (C3.1.1)")]
    Edited {
        /// The version.
        version: ProfileVersionId,
    },
    /// It says another layer than its row.
    #[error("version {version} is a text of {found}, and stands as one of {layer} (C3.1.1)")]
    AnotherLayer {
        /// The version.
        version: ProfileVersionId,
        /// The layer of its row.
        layer: LayerKey,
        /// The layer of its text.
        found: LayerKey,
    },
    /// This program does not understand it any more.
    #[error("version {version} cannot be read by this program: {problem}")]
    Unreadable {
        /// The version.
        version: ProfileVersionId,
        /// The first thing that is wrong.
        problem: String,
    },
    /// Somebody has not approved exactly this.
    #[error("version {version} lacks the approval of the {lacks} for exactly this text (C3.1.1)")]
    Lacks {
        /// The version.
        version: ProfileVersionId,
        /// Whose.
        lacks: OrganisationKind,
    },
    /// Fewer persons than the law asks for.
    #[error(
        "version {version} was approved by its author, or twice by one person: two others decide it (C3.1.1, C3.1.7)"
    )]
    OnePerson {
        /// The version.
        version: ProfileVersionId,
    },
}

impl NotApproved {
    /// The rule that decided.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::OnePerson { .. } => RuleId::C3_1_7,
            Self::Lacks { lacks: OrganisationKind::College, .. } => RuleId::C3_1_3,
            _ => RuleId::C3_1_1,
        }
    }
}

impl Approved<Layer> {
    /// Passes a text that those approved who decide it, exactly as it stands. Approvals of any other text count for
    /// nothing.
    ///
    /// # Errors
    /// [`NotApproved`].
    pub fn check(facts: &VersionFacts, approvals: &[Approval]) -> Result<Self, NotApproved> {
        let version = facts.id;
        if Digest::of(facts.content.expose().as_bytes()) != facts.content_sha256 {
            return Err(NotApproved::Edited { version });
        }
        let exactly = || approvals.iter().filter(|it| it.content_sha256 == facts.content_sha256);
        match &facts.layer {
            LayerKey::College(uai) => {
                if !exactly().any(|it| it.uai.as_ref() == Some(uai)) {
                    return Err(NotApproved::Lacks { version, lacks: OrganisationKind::College });
                }
            }
            _ => jointly(version, facts.author, exactly)?,
        }
        let layer = parse("version", facts.content.expose()).map_err(|problems| NotApproved::Unreadable {
            version,
            problem: problems.first().map(ToString::to_string).unwrap_or_default(),
        })?;
        let found = LayerKey::of(&layer);
        if found != facts.layer {
            return Err(NotApproved::AnotherLayer { version, layer: facts.layer.clone(), found });
        }
        Ok(Self { versions: vec![version], value: layer })
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> Option<ProfileVersionId> {
        self.versions.first().copied()
    }
}

/// Passes what one person of the département and another of the académie approved, neither of them the author.
fn jointly<'a, I: Iterator<Item = &'a Approval>>(
    version: ProfileVersionId,
    author: AccountId,
    approvals: impl Fn() -> I,
) -> Result<(), NotApproved> {
    let of = |kind: OrganisationKind| approvals().filter(move |it| it.organisation == kind);
    for lacks in [OrganisationKind::Departement, OrganisationKind::Academie] {
        if of(lacks).next().is_none() {
            return Err(NotApproved::Lacks { version, lacks });
        }
    }
    let two = of(OrganisationKind::Departement).any(|one| {
        of(OrganisationKind::Academie)
            .any(|other| one.account != other.account && one.account != author && other.account != author)
    });
    if two { Ok(()) } else { Err(NotApproved::OnePerson { version }) }
}

/// Combines the layers of one real tablet as they apply today, as [`combine`] does, from what was decided only.
///
/// # Errors
/// As [`combine`].
pub fn combine_approved(
    layers: &[&Approved<Layer>],
    emergency: Option<&OrderInForce>,
    today: Day,
) -> Result<Approved<Intent>, Vec<Refusal>> {
    let order = emergency.map(OrderInForce::order);
    let intent = combine(layers.iter().map(|layer| layer.value()), order, today)?;
    // The order in which layers are given does not matter.
    let mut versions: Vec<(&Layer, ProfileVersionId)> = layers
        .iter()
        .flat_map(|layer| layer.versions.iter().map(|version| (layer.value(), *version)))
        .chain(
            emergency.filter(|it| it.order().is_in_force(today)).map(|it| (it.order().base(), it.version())),
        )
        .filter(|(layer, _version)| intent.layers().contains(layer.name()))
        .collect();
    versions.sort_by(|(one, a), (other, b)| (one.name(), a).cmp(&(other.name(), b)));
    versions.dedup();
    Ok(Approved { versions: versions.into_iter().map(|(_layer, version)| version).collect(), value: intent })
}
