//! What is in force: for each layer the published version, the one before it while it is rolled out, if there is one, and
//! emergency orders.

use std::collections::BTreeSet;

use types::{Day, EmergencyOrderId, ProfileVersionId, TabletId, Uai};

use super::approved::Approved;
use super::key::LayerKey;
use super::rollout::Rollout;
use crate::emergency::EmergencyOrder;
use crate::layer::Layer;
use crate::refusal::Refusal;

/// What is published of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct InForce {
    layer: LayerKey,
    current: Approved<Layer>,
    on_its_way: Option<(Option<Approved<Layer>>, Rollout)>,
}

impl InForce {
    /// A layer whose published version every tablet has.
    #[must_use]
    pub const fn everywhere(layer: LayerKey, current: Approved<Layer>) -> Self {
        Self { layer, current, on_its_way: None }
    }

    /// A layer whose published version is on its way: tablets that are not in a wave yet keep the one before, and have
    /// nothing of the layer where there is none.
    #[must_use]
    pub const fn rolling_out(
        layer: LayerKey,
        current: Approved<Layer>,
        before: Option<Approved<Layer>>,
        rollout: Rollout,
    ) -> Self {
        Self { layer, current, on_its_way: Some((before, rollout)) }
    }

    /// The layer.
    #[must_use]
    pub const fn layer(&self) -> &LayerKey {
        &self.layer
    }

    /// The published version.
    #[must_use]
    pub const fn current(&self) -> &Approved<Layer> {
        &self.current
    }

    /// How it is rolled out, while it is.
    #[must_use]
    pub fn rollout(&self) -> Option<&Rollout> {
        self.on_its_way.as_ref().map(|(_before, rollout)| rollout)
    }

    /// The version that this tablet, of this collège, has now: the published one if a wave reached it, and the one before
    /// otherwise; `None` if there was none.
    #[must_use]
    pub fn for_tablet(&self, tablet: TabletId, uai: Option<&Uai>) -> Option<&Approved<Layer>> {
        match &self.on_its_way {
            Some((before, rollout)) if !rollout.reaches(tablet, uai) => before.as_ref(),
            _ => Some(&self.current),
        }
    }

    /// As [`InForce::for_tablet`], for a tablet that had these versions elsewhere: where nothing was before, it keeps the first
    /// one that it had, for without it it would be less restricted (C3.1.1).
    #[must_use]
    pub fn for_tablet_that_had(
        &self,
        tablet: TabletId,
        uai: Option<&Uai>,
        had: &BTreeSet<ProfileVersionId>,
    ) -> Option<&Approved<Layer>> {
        let kept = || self.current.version().is_some_and(|version| had.contains(&version));
        self.for_tablet(tablet, uai).or_else(|| kept().then_some(&self.current))
    }
}

/// An emergency order over a base that both organisations approved (C5.3.7), and for which collèges.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderInForce {
    id: EmergencyOrderId,
    version: ProfileVersionId,
    colleges: BTreeSet<Uai>,
    order: EmergencyOrder,
}

impl OrderInForce {
    /// An order for these collèges, or for all if none is named.
    ///
    /// # Errors
    /// As [`EmergencyOrder::new`].
    pub fn new(
        id: EmergencyOrderId,
        base: &Approved<Layer>,
        colleges: BTreeSet<Uai>,
        reason: &str,
        days: (Day, Day),
    ) -> Result<Self, Refusal> {
        let (first, last) = days;
        let order = EmergencyOrder::new(base.value().clone(), reason, first, last)?;
        let not_one = || Refusal::NotAnEmergencyBase { layer: base.value().name().clone() };
        let version = base.version().ok_or_else(not_one)?;
        Ok(Self { id, version, colleges, order })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EmergencyOrderId {
        self.id
    }

    /// The version of the emergency base.
    #[must_use]
    pub const fn version(&self) -> ProfileVersionId {
        self.version
    }

    /// The collèges it is for; all, if none is named.
    #[must_use]
    pub const fn colleges(&self) -> &BTreeSet<Uai> {
        &self.colleges
    }

    /// The order itself.
    #[must_use]
    pub const fn order(&self) -> &EmergencyOrder {
        &self.order
    }

    /// Whether it is for the tablets of this collège today.
    #[must_use]
    pub fn is_for(&self, uai: Option<&Uai>, today: Day) -> bool {
        self.order.is_in_force(today)
            && (self.colleges.is_empty() || uai.is_some_and(|uai| self.colleges.contains(uai)))
    }
}
