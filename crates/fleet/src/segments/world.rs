//! What is in force, and which of it applies to a tablet.

use std::collections::BTreeSet;

use profiles::{
    Approved, InForce, Intent, Layer, LayerKey, LayerKind, OrderInForce, Refusal, combine_approved,
};
use store::{Tx, emergency_orders, layer_suspensions, profile_versions, rollouts};
use types::{Day, Digest, Instant, LoanMode, ProfileVersionId, TabletId, Uai, UserKind};

/// Everything that is in force on one day.
#[derive(Debug, Clone)]
pub struct World {
    /// Layer by layer.
    pub(crate) in_force: Vec<InForce>,
    /// Emergency orders (C5.3.7).
    pub(crate) orders: Vec<OrderInForce>,
    /// The day.
    pub(crate) today: Day,
    /// Published versions, and orders, that cannot be read: tablets that they are for stay as they are.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A published version, or an emergency order, that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The id of the version, or of the order, as it stands in its row.
    pub(crate) version: String,
    /// The tablets that it may be for.
    pub(crate) concerns: Concerned,
    /// What is wrong.
    pub(crate) why: String,
}

/// Whom something that cannot be read may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concerned {
    /// Anybody: not even that can be read.
    Anybody,
    /// Those that have the layer.
    Layer(LayerKey),
    /// Those of the collèges of an order; all, if none is named.
    Ordered(BTreeSet<Uai>),
}

/// Whether a base is in force, or an emergency order in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// One of them is.
    Stands,
    /// Neither.
    None,
}

/// What decides which layers a tablet has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletFacts {
    /// The tablet: roll-outs draw by it.
    pub tablet: TabletId,
    /// The collège it is assigned to.
    pub uai: Option<Uai>,
    /// Its loan, where one is known.
    pub loan: Option<LoanFacts>,
    /// The first versions that it had in another collège, and keeps.
    pub kept: BTreeSet<ProfileVersionId>,
}

/// What decides it about a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoanFacts {
    /// What its holder is.
    pub user: UserKind,
    /// Where it may be used.
    pub mode: LoanMode,
}

/// The layers of one tablet.
#[derive(Debug, Clone)]
pub(crate) struct Layers<'w> {
    /// Of each layer the version that it has by now; the base is not among them before its first version reached it, nor while
    /// an order stands in its place.
    pub(crate) layers: Vec<&'w Approved<Layer>>,
    pub(crate) order: Option<&'w OrderInForce>,
    /// A layer for it that cannot be read; what was given before stays then.
    pub(crate) unreadable: Option<&'w Unreadable>,
}

impl World {
    /// Loads what is in force.
    ///
    /// # Errors
    /// When the memory fails. A version that cannot be read, or was not approved, is passed over: see `unreadable`.
    pub(crate) fn load(tx: &mut Tx<'_>, now: Instant) -> Result<Self, store::StoreError> {
        let (mut in_force, mut unreadable) = (Vec::new(), Vec::new());
        for each in profile_versions::each_in_force(tx)? {
            match each {
                Ok(one) => in_force.push(one),
                Err(one) => {
                    let (why, concerns) = (one.error.to_string(), one.layer.map(Concerned::Layer));
                    let concerns = concerns.unwrap_or(Concerned::Anybody);
                    unreadable.push(Unreadable { version: one.version, concerns, why });
                }
            }
        }
        let mut orders = Vec::new();
        for each in emergency_orders::each_in_force(tx, now)? {
            match each {
                Ok(one) => orders.push(one),
                Err(one) => {
                    let (why, concerns) = (one.error.to_string(), one.colleges.map(Concerned::Ordered));
                    let concerns = concerns.unwrap_or(Concerned::Anybody);
                    unreadable.push(Unreadable { version: one.order, concerns, why });
                }
            }
        }
        Ok(Self { in_force, unreadable, orders, today: Day::of(now) })
    }

    /// As if there were an order for these collèges that cannot be read.
    #[cfg(test)]
    pub(crate) fn orders_unread(&mut self, colleges: &[&str]) {
        let concerns = Concerned::Ordered(colleges.iter().filter_map(|uai| uai.parse().ok()).collect());
        self.unreadable = vec![Unreadable { version: "an order".into(), concerns, why: "sealed".into() }];
    }

    /// A world of these layers.
    #[must_use]
    pub const fn of(in_force: Vec<InForce>, orders: Vec<OrderInForce>, today: Day) -> Self {
        Self { in_force, orders, today, unreadable: Vec::new() }
    }
}

/// Changes whenever something comes into force, or goes, or reaches other tablets. With it, whether there is a base.
pub(crate) fn fingerprint(tx: &mut Tx<'_>, now: Instant) -> Result<(String, Base), store::StoreError> {
    let today = Day::of(now);
    let mut text = format!("{} {today}", env!("CARGO_PKG_VERSION"));
    let published = profile_versions::ids_published(tx)?;
    let mut has_a_base = published.iter().any(|(_id, kind)| kind == "base");
    for (id, _kind) in &published {
        text.push_str(&format!("\nversion {id}"));
    }
    for rollout in rollouts::under_way(tx)? {
        text.push_str(&format!("\nrollout {} {} {}", rollout.id, rollout.state, rollout.wave));
    }
    // Read as they stand: one that cannot be read does not keep the others from tablets.
    for (order, starts_on) in emergency_orders::ids_not_past(tx, today)? {
        text.push_str(&format!("\norder {order}"));
        has_a_base |= starts_on <= today.to_string();
    }
    for version in layer_suspensions::standing(tx)?.keys() {
        text.push_str(&format!("\nsuspended {version}"));
    }
    let base = if has_a_base { Base::Stands } else { Base::None };
    Ok((Digest::of(text.as_bytes()).to_string(), base))
}

/// The layers that apply to a tablet today: the base, what its collège adds, and, where a loan is known, those of its
/// holder's kind and of its mode; an emergency order for its collège in the base's place.
pub(crate) fn of_tablet<'w>(world: &'w World, facts: &TabletFacts) -> Layers<'w> {
    // The latest order for it, if there are several.
    let order = world
        .orders
        .iter()
        .filter(|one| one.is_for(facts.uai.as_ref(), world.today))
        .max_by_key(|one| one.id());
    let applies = |layer: &LayerKey| match layer {
        // What a tablet is not given, it is not counted for, nor woken for.
        LayerKey::Base => order.is_none(),
        LayerKey::College(uai) => facts.uai.as_ref() == Some(uai),
        LayerKey::User(kinds) => facts.loan.is_some_and(|loan| kinds.contains(&loan.user)),
        LayerKey::Mode(mode) => facts.loan.is_some_and(|loan| loan.mode == *mode),
        LayerKey::Emergency(_) | LayerKey::Tablet(_) => false,
    };
    let layers = world.in_force.iter().filter(|one| applies(one.layer()));
    let layers =
        layers.filter_map(|one| one.for_tablet_that_had(facts.tablet, facts.uai.as_ref(), &facts.kept));
    let layers = layers.collect();
    let unreadable = world.unreadable.iter().find(|one| match &one.concerns {
        Concerned::Anybody => true,
        Concerned::Layer(layer) => applies(layer),
        Concerned::Ordered(colleges) => {
            colleges.is_empty() || facts.uai.as_ref().is_some_and(|uai| colleges.contains(uai))
        }
    });
    Layers { layers, order, unreadable }
}

/// What applies to a tablet today, as one intent; the versions it is made of stand with it.
///
/// # Errors
/// Every reason for which the layers do not go together.
pub fn layers_of(world: &World, facts: &TabletFacts) -> Result<Approved<Intent>, Vec<Refusal>> {
    of_tablet(world, facts).combined(world)
}

impl Layers<'_> {
    pub(crate) fn combined(&self, world: &World) -> Result<Approved<Intent>, Vec<Refusal>> {
        if let Some(unreadable) = self.unreadable {
            return Err(vec![Refusal::Unreadable { version: unreadable.version.clone() }]);
        }
        combine_approved(&self.layers, self.order, world.today)
    }

    /// The base that the tablet is given: the order's first.
    pub(crate) fn base(&self) -> Option<&Layer> {
        let ordinary =
            || self.layers.iter().map(|layer| layer.value()).find(|it| *it.kind() == LayerKind::Base);
        self.order.map(|order| order.order().base()).or_else(ordinary)
    }

    /// Whether a base reached the tablet, or an emergency order for it stands in its place. Without one it is given nothing: no
    /// other layer stands alone.
    pub(crate) fn have_a_base(&self) -> bool {
        self.base().is_some()
    }

    /// The versions, in the order of their layers: what tells one combination from another without combining it.
    pub(crate) fn versions(&self) -> Vec<ProfileVersionId> {
        let layers = self.layers.iter().flat_map(|layer| layer.versions().iter().copied());
        layers.chain(self.order.map(OrderInForce::version)).collect()
    }
}
