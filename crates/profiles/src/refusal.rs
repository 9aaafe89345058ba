//! Why layers do not go together.

use std::collections::BTreeSet;

use types::{Day, EmergencyOrderId, RuleId, Uai};

use crate::layer::LayerName;

/// Why a tablet's layers are refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// There is no base.
    #[error("no base is among the layers: every tablet has the département's and académie's base")]
    NoBase,
    /// Two layers stand where one may.
    #[error("{one} and {other} cannot both apply: a tablet has one of them")]
    TwoOfAKind {
        /// One of them.
        one: LayerName,
        /// The other.
        other: LayerName,
    },
    /// An emergency base without its order.
    #[error("{layer} takes effect by an emergency order only, which names a reason and its last day")]
    EmergencyWithoutOrder {
        /// The layer.
        layer: LayerName,
    },
    /// Two layers say different things where neither is stricter.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// A network names an authority that no layer has.
    #[error(
        "{layer} (line {line}) trusts the authority `{name}` for network \"{ssid}\", which no layer has: add a [[certificate]] of that name to the base"
    )]
    NoSuchAuthority {
        /// The layer of the network.
        layer: LayerName,
        /// Its line.
        line: usize,
        /// The network.
        ssid: String,
        /// The authority.
        name: String,
    },
    /// Home traffic would be logged (C3.1.5).
    #[error(
        "{layer} (line {line}) would log what a tablet does outside the school, by {by}: traffic is traced from the school only"
    )]
    LogsHomeTraffic {
        /// The layer.
        layer: LayerName,
        /// Its line.
        line: usize,
        /// By what.
        by: &'static str,
    },
    /// The tablet could join no network, and never be managed again (C3.1.4).
    #[error(
        "{layer} (line {line}) lets the tablet join its own networks only, and no layer has one: it could never be reached again"
    )]
    CutOff {
        /// The layer.
        layer: LayerName,
        /// Its line.
        line: usize,
    },
    /// The only app that may open may not be opened.
    #[error(
        "{layer} (line {line}) locks the tablet into {bundle}, which is not among the permitted apps: it would show nothing"
    )]
    SingleAppNotPermitted {
        /// The layer.
        layer: LayerName,
        /// Its line.
        line: usize,
        /// The app.
        bundle: String,
    },
    /// No app may be opened at all.
    #[error("no app is permitted: the lists of {} have none in common", names(.layers))]
    NoAppPermitted {
        /// The layers that name the permitted apps.
        layers: Vec<LayerName>,
    },
    /// An app is not given out as the layer decides it (C3.1.2).
    #[error("{layer} (line {line}): {why}")]
    App {
        /// The layer.
        layer: LayerName,
        /// Its line.
        line: usize,
        /// Why not, and what to do.
        why: String,
    },
    /// What is published cannot be read.
    #[error("the published version {version} cannot be read: what was given before stays")]
    Unreadable {
        /// The version.
        version: String,
    },
    /// Not a layer for an emergency order.
    #[error("{layer} is no emergency base: an emergency order replaces the base by a prepared one")]
    NotAnEmergencyBase {
        /// The layer.
        layer: LayerName,
    },
    /// An emergency order names its reason.
    #[error("an emergency order names its reason")]
    EmergencyWithoutReason,
    /// An emergency order lasts 1 to 30 days.
    #[error(
        "an emergency order from {first} to {last} would last {days} days: 1 to 30 are possible, and it can be renewed"
    )]
    EmergencyTooLong {
        /// Its first day.
        first: Day,
        /// Its last.
        last: Day,
        /// How many days that is.
        days: i32,
    },
    /// Other orders stand for the same collèges.
    #[error("{}", meets(.met, *.renewable))]
    EmergencyMeets {
        /// The others, all of them.
        met: Vec<OrderMet>,
        /// Whether the new one may be the renewal of the only one.
        renewable: bool,
    },
    /// Orders that follow one another without a renewal last more than 30 days together.
    #[error(
        "with emergency order {order}, one of these collèges would be under orders from {first} to {last}, {days} days on end: 30 are possible without a renewal; {}",
        goes_on_otherwise(*.order, *.until, *.renewable)
    )]
    EmergencyGoesOn {
        /// One of the others; the one that the new one may renew, if there is one.
        order: EmergencyOrderId,
        /// The first day of all.
        first: Day,
        /// The last.
        last: Day,
        /// How many days that is.
        days: i32,
        /// The thirtieth, on which the new one may end; `None` if it would begin later, or that is not enough.
        until: Option<Day>,
        /// Whether the new one may be given as the renewal of `order`.
        renewable: bool,
    },
    /// A collège adds an app that the base blocks: it would be on no tablet (C3.1.3).
    #[error(transparent)]
    InVain(Box<InVain>),
}

/// An app that a collège adds and the base blocks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error(
    "{layer} (line {line}) adds {bundle}, which {by} (line {by_line}) blocks: no tablet would have it; leave it out, or ask that the base permits it"
)]
pub struct InVain {
    /// The collège's layer.
    pub layer: LayerName,
    /// Its line.
    pub line: usize,
    /// The app.
    pub bundle: String,
    /// The base.
    pub by: LayerName,
    /// Its line.
    pub by_line: usize,
}

impl From<InVain> for Refusal {
    fn from(in_vain: InVain) -> Self {
        Self::InVain(Box::new(in_vain))
    }
}

/// Two layers that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{one} (line {one_line}) and {other} (line {other_line}) contradict each other about {what}: {how}")]
pub struct Conflict {
    /// What they contradict each other about, such as `wifi "Collège"`.
    pub what: String,
    /// What each says, or what would settle it.
    pub how: String,
    /// One of them.
    pub one: LayerName,
    /// Its line.
    pub one_line: usize,
    /// The other.
    pub other: LayerName,
    /// Its line.
    pub other_line: usize,
}

impl From<Conflict> for Refusal {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(Box::new(conflict))
    }
}

/// An emergency order that stands in the way of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderMet {
    /// The order.
    pub order: EmergencyOrderId,
    /// The collèges it is for; all, if none is named.
    pub colleges: BTreeSet<Uai>,
    /// Its first day.
    pub first: Day,
    /// Its last.
    pub last: Day,
}

fn meets(met: &[OrderMet], renewable: bool) -> String {
    let ids = met.iter().map(|met| met.order.to_string()).collect::<Vec<_>>().join(",");
    if let [OrderMet { order, first, last, .. }] = met {
        let renew = if renewable {
            format!("renew it in its last seven days (`--renews {order}`), ")
        } else {
            String::new()
        };
        return format!(
            "emergency order {order} stands from {first} to {last} for one of these collèges: {renew}end it first (`ardoise \
             profile emergency end {order}`) or by this one (`--instead-of {order}`), or choose other days"
        );
    }
    let each = met.iter().map(|OrderMet { order, colleges, first, last }| {
        let whose = colleges.iter().map(Uai::to_string).collect::<Vec<_>>().join(" ");
        let whose = if whose.is_empty() { "all".to_owned() } else { whose };
        format!("{order} ({whose}, from {first} to {last})")
    });
    format!(
        "{} emergency orders stand for some of these collèges: {}; end all of them by this one (`--instead-of {ids}`), or choose \
         other days",
        met.len(),
        each.collect::<Vec<_>>().join("; ")
    )
}

fn goes_on_otherwise(order: EmergencyOrderId, until: Option<Day>, renewable: bool) -> String {
    let end = until.map(|until| format!("let it end on {until} and renew it in its last seven days"));
    let renew = renewable.then(|| format!("renew that one (`--renews {order}`)"));
    let apart = until.is_none().then(|| "leave a day between them".to_owned());
    end.into_iter().chain(renew).chain(apart).collect::<Vec<_>>().join(", or ")
}

fn names(layers: &[LayerName]) -> String {
    layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// The rule of the programme behind it, if it is one.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        match self {
            Self::NoBase => Some(RuleId::C3_1_1),
            Self::App { .. } => Some(RuleId::C3_1_2),
            Self::LogsHomeTraffic { .. } => Some(RuleId::C3_1_5),
            Self::CutOff { .. } => Some(RuleId::C3_1_4),
            Self::InVain(_) => Some(RuleId::C3_1_3),
            Self::EmergencyWithoutOrder { .. }
            | Self::NotAnEmergencyBase { .. }
            | Self::EmergencyWithoutReason
            | Self::EmergencyTooLong { .. }
            | Self::EmergencyMeets { .. }
            | Self::EmergencyGoesOn { .. } => Some(RuleId::C5_3_7),
            Self::Unreadable { .. }
            | Self::TwoOfAKind { .. }
            | Self::Conflict(_)
            | Self::NoSuchAuthority { .. }
            | Self::SingleAppNotPermitted { .. }
            | Self::NoAppPermitted { .. } => None,
        }
    }
}
