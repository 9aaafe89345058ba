//! What a tablet would be given, from the texts of its layers.

use apple::OsVersion;
use apple::plist::Value as Plist;
use serde_json::{Value as Json, json};
use types::Day;

use super::Source;
use super::lint::as_ordinary;
use crate::combine::combine;
use crate::emergency::EmergencyOrder;
use crate::intent::Intent;
use crate::layer::{Layer, LayerKind};
use crate::parse::parse;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::render::{
    AgentRendering, ApiLevel, Frame, IpadRendering, IpadTarget, LeftOut, TooOld, Written, sketch_agent,
    sketch_ipad,
};

/// Which tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// An iPad.
    Ipad(IpadTarget),
    /// A tablet with the open Android agent.
    Agent(ApiLevel),
}

/// What a tablet would be given.
#[derive(Debug, Clone)]
pub enum Preview {
    /// An iPad.
    Ipad {
        /// Its iPadOS.
        version: OsVersion,
        /// Whether it is supervised.
        supervised: bool,
        /// What all layers ask for together.
        intent: Box<Intent>,
        /// What it is given.
        rendering: Box<IpadRendering>,
    },
    /// A tablet with the open Android agent.
    Agent {
        /// Its API level.
        level: ApiLevel,
        /// What all layers ask for together.
        intent: Box<Intent>,
        /// What it is given.
        rendering: Box<AgentRendering>,
    },
}

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPreview {
    /// A text is wrong.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
    /// The layers do not go together.
    #[error("{}", lines(.0))]
    Refusals(Vec<Refusal>),
    /// The tablet is too old.
    #[error(transparent)]
    TooOld(#[from] TooOld),
}

fn lines<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Writes layers for a tablet. An emergency base among them stands in the ordinary one's place, as its order would put
/// it there; it may stand alone.
///
/// # Errors
/// A text is wrong, the layers do not go together, or the tablet's system is older than any that is managed.
pub fn preview(
    sources: &[Source<'_>],
    platform: Platform,
    frame: &Frame,
    today: Day,
) -> Result<Preview, NoPreview> {
    let intent = Box::new(intent(sources, today)?);
    match platform {
        Platform::Ipad(target) => {
            let rendering = Box::new(sketch_ipad(&intent, target, frame)?);
            let IpadTarget { version, supervised } = target;
            Ok(Preview::Ipad { version, supervised, intent, rendering })
        }
        Platform::Agent(level) => {
            let rendering = Box::new(sketch_agent(&intent, level));
            Ok(Preview::Agent { level, intent, rendering })
        }
    }
}

fn intent(sources: &[Source<'_>], today: Day) -> Result<Intent, NoPreview> {
    let (mut layers, mut problems) = (Vec::new(), Vec::new());
    for source in sources {
        match parse(source.file, source.text) {
            Ok(layer) => layers.push(layer),
            Err(mut found) => problems.append(&mut found),
        }
    }
    if !problems.is_empty() {
        return Err(NoPreview::Problems(problems));
    }
    let (emergencies, mut others): (Vec<Layer>, Vec<Layer>) =
        layers.into_iter().partition(|layer| *layer.kind() == LayerKind::Emergency);
    let mut order = None;
    if let [emergency] = emergencies.as_slice() {
        if !others.iter().any(|layer| *layer.kind() == LayerKind::Base) {
            others.push(as_ordinary(emergency));
        }
        let ordered = EmergencyOrder::new(emergency.clone(), "essai", today, today);
        order = Some(ordered.map_err(|refusal| NoPreview::Refusals(vec![refusal]))?);
    } else {
        // Two of them contradict each other; `combine` says that neither takes effect by itself.
        others.extend(emergencies);
    }
    combine(&others, order.as_ref(), today).map_err(NoPreview::Refusals)
}

impl Preview {
    /// What all layers ask for together.
    #[must_use]
    pub const fn intent(&self) -> &Intent {
        match self {
            Self::Ipad { intent, .. } | Self::Agent { intent, .. } => intent,
        }
    }

    /// What was written, and where.
    #[must_use]
    pub fn written(&self) -> &[Written] {
        match self {
            Self::Ipad { rendering, .. } => &rendering.written,
            Self::Agent { rendering, .. } => &rendering.written,
        }
    }

    /// What was left out, and why.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        match self {
            Self::Ipad { rendering, .. } => &rendering.left_out,
            Self::Agent { rendering, .. } => &rendering.left_out,
        }
    }

    /// For programs. Passwords of networks are in it: they are in the texts it was made from.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let layers: Vec<String> = self.intent().layers().iter().map(ToString::to_string).collect();
        let written: Vec<Json> = self
            .written()
            .iter()
            .map(|written| json!({ "what": written.what, "place": written.place }))
            .collect();
        let left_out: Vec<Json> = self
            .left_out()
            .iter()
            .map(|left| {
                let (en, fr) = (crate::catalogue::Language::English, crate::catalogue::Language::French);
                json!({
                    "what": left.what,
                    "code": left.why.code(),
                    "english": left.why.sentence(en),
                    "french": left.why.sentence(fr),
                })
            })
            .collect();
        let withheld: Vec<Json> = self
            .intent()
            .withheld()
            .iter()
            .map(|(bundle, withheld)| {
                let names = |layers: &[crate::LayerName]| -> Vec<String> {
                    layers.iter().map(ToString::to_string).collect()
                };
                json!({
                    "app": bundle.as_str(),
                    "given_by": names(&withheld.given_by),
                    "blocked_by": names(&withheld.blocked_by),
                })
            })
            .collect();
        match self {
            Self::Ipad { version, supervised, rendering, .. } => json!({
                "platform": "ipados",
                "os": version.to_string(),
                "supervised": supervised,
                "layers": layers,
                "profile": String::from_utf8_lossy(&rendering.profile.to_xml()),
                "declarations":
                    rendering.declarations.iter().map(apple::ddm::Declaration::to_value).collect::<Vec<_>>(),
                "settings": settings(&rendering.settings),
                "written": written,
                "left_out": left_out,
                "withheld": withheld,
            }),
            Self::Agent { level, rendering, .. } => json!({
                "platform": "android-agent",
                "api_level": level.to_string(),
                "layers": layers,
                "configuration": rendering.fields,
                "written": written,
                "left_out": left_out,
                "withheld": withheld,
            }),
        }
    }
}

/// Items of the Settings command, as its property list has them.
fn settings(items: &[apple::command::Setting]) -> Json {
    let command = apple::command::Settings::new(items.to_vec()).to_dictionary();
    command.get("Settings").map_or(Json::Null, json_of)
}

fn json_of(value: &Plist) -> Json {
    match value {
        Plist::Boolean(value) => Json::from(*value),
        Plist::Integer(value) => value.as_signed().map_or(Json::Null, Json::from),
        Plist::Real(value) => Json::from(*value),
        Plist::String(value) => Json::from(value.as_str()),
        Plist::Array(items) => items.iter().map(json_of).collect(),
        Plist::Dictionary(keys) => {
            Json::Object(keys.iter().map(|(key, value)| (key.clone(), json_of(value))).collect())
        }
        // No setting that is written here holds bytes or dates.
        _ => Json::Null,
    }
}
