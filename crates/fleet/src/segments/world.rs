//! What is in force, and which of it applies to a tablet.

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
    /// Published versions that cannot be read: tablets that they are for stay as they are.
    pub(crate) unreadable: Vec<Unreadable>,
}

/// A published version that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its id, as it stands in its row.
    pub(crate) version: String,
    /// Its layer; `None` if not even that can be read.
    pub(crate) layer: Option<LayerKey>,
    /// What is wrong.
    pub(crate) why: String,
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
    /// Of each layer the version that it has by now; the base is not among them before its first version reached it.
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
                    let why = one.error.to_string();
                    unreadable.push(Unreadable { version: one.version, layer: one.layer, why });
                }
            }
        }
        Ok(Self { in_force, unreadable, orders: emergency_orders::in_force(tx, now)?, today: Day::of(now) })
    }

    /// A world of these layers.
    #[must_use]
    pub const fn of(in_force: Vec<InForce>, orders: Vec<OrderInForce>, today: Day) -> Self {
        Self { in_force, orders, today, unreadable: Vec::new() }
    }
}

/// Changes whenever something comes into force, or goes, or reaches other tablets. With it, whether a base is in force, or an
/// emergency order in its place.
pub(crate) fn fingerprint(tx: &mut Tx<'_>, now: Instant) -> Result<(String, bool), store::StoreError> {
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
    for order in emergency_orders::not_past(tx, today)? {
        text.push_str(&format!("\norder {}", order.id));
        has_a_base |= order.starts_on <= today;
    }
    for version in layer_suspensions::standing(tx)?.keys() {
        text.push_str(&format!("\nsuspended {version}"));
    }
    Ok((Digest::of(text.as_bytes()).to_string(), has_a_base))
}

/// The layers that apply to a tablet today: the base, what its collège adds, and, where a loan is known, those of its
/// holder's kind and of its mode; an emergency order for its collège in the base's place.
pub(crate) fn of_tablet<'w>(world: &'w World, facts: &TabletFacts) -> Layers<'w> {
    let applies = |layer: &LayerKey| match layer {
        LayerKey::Base => true,
        LayerKey::College(uai) => facts.uai.as_ref() == Some(uai),
        LayerKey::User(kinds) => facts.loan.is_some_and(|loan| kinds.contains(&loan.user)),
        LayerKey::Mode(mode) => facts.loan.is_some_and(|loan| loan.mode == *mode),
        LayerKey::Emergency(_) | LayerKey::Tablet(_) => false,
    };
    let layers = world.in_force.iter().filter(|one| applies(one.layer()));
    let layers = layers.filter_map(|one| one.for_tablet(facts.tablet, facts.uai.as_ref())).collect();
    // The latest order for it, if there are several.
    let order = world
        .orders
        .iter()
        .filter(|one| one.is_for(facts.uai.as_ref(), world.today))
        .max_by_key(|one| one.id());
    // Of which nothing can be read may be for anybody.
    let unreadable = world.unreadable.iter().find(|one| one.layer.as_ref().is_none_or(applies));
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

    /// Whether a base reached the tablet, or an emergency order for it stands in its place. Without one it is given nothing: no
    /// other layer stands alone.
    pub(crate) fn have_a_base(&self) -> bool {
        self.order.is_some() || self.layers.iter().any(|layer| *layer.value().kind() == LayerKind::Base)
    }

    /// The versions, in the order of their layers: what tells one combination from another without combining it.
    pub(crate) fn versions(&self) -> Vec<ProfileVersionId> {
        let layers = self.layers.iter().flat_map(|layer| layer.versions().iter().copied());
        layers.chain(self.order.map(OrderInForce::version)).collect()
    }
}
