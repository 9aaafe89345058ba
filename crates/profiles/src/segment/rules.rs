//! How each rule stands on one tablet, from what the tablet told and nothing else: a handover rests on it (C5.3.4).

use apple::OsVersion;
use types::Instant;

use super::app::AppItem;
use super::known::{Item, Known};
use super::plan::{Carrier, Plan, Rule};
use super::reconcile::{UpdateAction, update_token};

/// How a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleState {
    /// The tablet reported it.
    Applied,
    /// It was, or will be, asked for.
    Requested,
    /// The tablet refused it, in its words.
    Failed(String),
    /// This tablet does not do it.
    Unsupported {
        /// A word for programs.
        code: String,
        /// Why, in English.
        english: String,
        /// Why, in French.
        french: String,
    },
}

impl RuleState {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Requested => "requested",
            Self::Failed(_) => "failed",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

/// A rule, how it stands, and since when that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReport {
    /// The rule, as a layer speaks of it.
    pub what: String,
    /// How it stands.
    pub state: RuleState,
    /// When the tablet told what this rests on.
    pub observed_at: Option<Instant>,
}

/// How each rule of a plan stands.
#[must_use]
pub fn rules(plan: &Plan, known: &Known, version: Option<OsVersion>) -> Vec<RuleReport> {
    plan.rules
        .iter()
        .map(|rule| {
            let (state, observed_at) = one(rule, plan, known, version);
            RuleReport { what: rule.what.clone(), state, observed_at }
        })
        .collect()
}

fn one(rule: &Rule, plan: &Plan, known: &Known, version: Option<OsVersion>) -> (RuleState, Option<Instant>) {
    let waits = |item: Item, token: &str| {
        let failed = known.refusal(&item, token).map(|why| RuleState::Failed(why.to_owned()));
        (failed.unwrap_or(RuleState::Requested), None)
    };
    if rule.what == "os-update" && plan.update.as_ref().is_some_and(|update| update.is_met_by(version)) {
        return (RuleState::Applied, known.device_at);
    }
    match &rule.carrier {
        // It comes with iPadOS: that the tablet has it is known once it told what it runs.
        Carrier::Present => match known.device_at {
            Some(at) => (RuleState::Applied, Some(at)),
            None => (RuleState::Requested, None),
        },
        Carrier::Unsupported { code, english, french } => {
            let (code, english, french) = (code.clone(), english.clone(), french.clone());
            (RuleState::Unsupported { code, english, french }, None)
        }
        Carrier::Profile => {
            let listed = known.profiles.as_ref();
            let uuid = listed.and_then(|listed| listed.items.get(&plan.profile));
            if uuid.is_some_and(|uuid| *uuid == plan.profile_uuid) {
                return (RuleState::Applied, listed.map(|listed| listed.at));
            }
            waits(Item::Profile, &plan.profile_uuid)
        }
        Carrier::Declaration(name) => {
            let (state, at) = declared(name, rule, plan, known);
            let app = plan.declared_apps.get(name).filter(|_app| state != RuleState::Applied);
            match app.and_then(|app| known.withheld.get(&app.bundle)) {
                Some(why) => (RuleState::Failed(why.clone()), None),
                None => (state, at),
            }
        }
        Carrier::Settings => match (&plan.settings, &known.settings) {
            (Some(settings), Some((token, at))) if *token == settings.token => {
                (RuleState::Applied, Some(*at))
            }
            (Some(settings), _) => waits(Item::Settings, &settings.token),
            (None, _) => (RuleState::Requested, None),
        },
        Carrier::App(bundle) => {
            let app = plan.apps.iter().find(|app| app.bundle == *bundle);
            let is_given = app.is_some_and(|app| known.has_content(app));
            let listed = known.app_list.as_ref().filter(|_listed| is_given);
            if let Some(why) = known.withheld.get(bundle) {
                return (RuleState::Failed(why.clone()), None);
            }
            match listed.and_then(|listed| Some((listed.items.get(bundle)?, listed.at))) {
                Some((state, at)) if state == "Managed" => (RuleState::Applied, Some(at)),
                Some((state, at)) if REFUSED.contains(&state.as_str()) => {
                    (RuleState::Failed(state.clone()), Some(at))
                }
                _ => waits(Item::App(bundle.clone()), &app.map(AppItem::content).unwrap_or_default()),
            }
        }
        Carrier::Update => {
            let token = plan.update.as_ref().map(|update| {
                let install = update_token(&update.version, UpdateAction::Install);
                let refused = known.refusal(&Item::Update, &install).is_some();
                if refused { install } else { update_token(&update.version, UpdateAction::Download) }
            });
            waits(Item::Update, &token.unwrap_or_default())
        }
    }
}

/// States of a managed app that are no success and no progress.
const REFUSED: [&str; 5] =
    ["Failed", "UserRejected", "UpdateRejected", "ManagementRejected", "UserInstalledApp"];

fn declared(name: &str, rule: &Rule, plan: &Plan, known: &Known) -> (RuleState, Option<Instant>) {
    let token = plan.declarations.iter().find(|one| one.identifier == name).map(|one| &one.server_token);
    let said = known.declarations.get(name).filter(|said| Some(&said.token) == token);
    match said {
        Some(said) if said.valid == "invalid" => {
            let why = if said.reasons.is_empty() {
                "the tablet says: invalid".to_owned()
            } else {
                said.reasons.join("; ")
            };
            (RuleState::Failed(why), known.declarations_at)
        }
        // An app that is to be installed, or an update that is to be made, is not there because its declaration holds.
        Some(said) if said.valid == "valid" && said.active && rule.what != "os-update" => {
            (RuleState::Applied, known.declarations_at)
        }
        Some(_) => (RuleState::Requested, known.declarations_at),
        None => {
            let refusal = plan
                .declarations_token
                .as_deref()
                .and_then(|token| known.refusal(&Item::Declarations, token));
            (refusal.map_or(RuleState::Requested, |why| RuleState::Failed(why.to_owned())), None)
        }
    }
}
