//! What a segment is given, on every wire, and which part carries which rule.

use std::collections::{BTreeMap, BTreeSet};

use apple::OsVersion;
use apple::command::{Setting, Settings};
use apple::ddm::{Declaration, DeclarationItem, DeclarationItems, DeclarationKind};
use apple::plist::{self, Dictionary, Value};
use apple::profile::Profile;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use types::{Day, Digest, Instant};

use super::app::AppItem;
use super::class::IpadClass;
use crate::catalogue::{Language, SUBSCRIPTIONS};
use crate::intent::Intent;
use crate::names::BundleId;
use crate::parts::{App, Install};
use crate::render::{DECLARATIONS_SINCE, Frame, IpadRendering, TooOld, Why, render_ipad, server_token};
use crate::versions::Approved;

/// What is asked of every tablet that has declarations to tell about itself: nothing about its user (C3.1.6).
const STATUS_ITEMS: [&str; 3] =
    ["management.declarations", "management.client-capabilities", "device.operating-system.version"];

/// What the tablets of a segment are given. The same content gives the same token, and another content another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Changes if and only if something in here does.
    pub token: String,
    /// The names of ours begin with this: what has such a name and is not in the plan is stale.
    pub prefix: String,
    /// The `PayloadIdentifier` of the profile; empty where nothing is given.
    pub profile: String,
    /// Its `PayloadUUID`, which follows from its content.
    pub profile_uuid: String,
    /// The declarations; none for versions that have none.
    pub declarations: Vec<Declared>,
    /// Changes if and only if the set of declarations does; `None` for versions that have none.
    pub declarations_token: Option<String>,
    /// What the Settings command sets.
    pub settings: Option<SettingsItem>,
    /// The apps that a command installs.
    pub apps: Vec<AppItem>,
    /// The apps that declarations install, by the names of their declarations.
    #[serde(default)]
    pub declared_apps: BTreeMap<String, AppItem>,
    /// The version of iPadOS that a command, or a declaration, demands.
    pub update: Option<UpdateItem>,
    /// Every rule, and what carries it.
    pub rules: Vec<Rule>,
}

/// A declaration, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// `activation`, `configuration`, `asset` or `management`.
    pub kind: String,
    /// Its type.
    pub declaration_type: String,
    /// Its name.
    pub identifier: String,
    /// Changes with its content.
    pub server_token: String,
    /// The keys of its type.
    pub payload: Json,
}

/// What the Settings command sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsItem {
    /// Changes with its content.
    pub token: String,
    /// The command's dictionary, as a property list.
    pub command: String,
}

/// A version of iPadOS that is demanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateItem {
    /// The version.
    pub version: String,
    /// The day, at 18:00 where the tablet is.
    pub deadline: Day,
    /// Whether a command asks for it; a declaration does otherwise.
    pub by_command: bool,
}

impl UpdateItem {
    /// 18:00 of its day, in the department's time. The clock changes at night, so that six hours are six hours.
    #[must_use]
    pub fn due_at(&self) -> Instant {
        self.deadline.ends_at().minus(types::Duration::from_secs(6 * 3_600))
    }

    /// Whether a tablet has it already.
    #[must_use]
    pub fn is_met_by(&self, version: Option<OsVersion>) -> bool {
        let wanted = self.version.parse::<OsVersion>().ok();
        matches!((version, wanted), (Some(has), Some(wanted)) if has >= wanted)
    }
}

/// A rule, and what carries it to the tablet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule, as a layer speaks of it: `restrictions.allowCamera`, `wifi "Collège"`.
    pub what: String,
    /// What carries it.
    pub carrier: Carrier,
}

/// What carries a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// The profile.
    Profile,
    /// The declaration of that name.
    Declaration(String),
    /// The Settings command.
    Settings,
    /// A command that installs the app of that identifier.
    App(String),
    /// A command that updates iPadOS.
    Update,
    /// The tablet came with it.
    Present,
    /// Nothing: this class of tablets does not do it.
    Unsupported {
        /// A word for programs.
        code: String,
        /// Why, in English.
        english: String,
        /// Why, in French.
        french: String,
    },
}

/// Writes what was decided for a class of tablets: the plan, and the profile, to be signed.
///
/// # Errors
/// [`TooOld`] for a class below the oldest iPadOS that is managed; there is none.
pub fn plan(intent: &Approved<Intent>, class: IpadClass, frame: &Frame) -> Result<(Plan, Profile), TooOld> {
    let rendering = render_ipad(intent, class.target(), frame)?;
    Ok(assemble(intent.value(), class, frame, rendering))
}

/// The plan of tablets that no base has reached, or none any more: of ours they have nothing, and what they had goes.
/// Nobody decides that there is nothing: what sets tablets up is written from what was decided only.
#[must_use]
pub fn nothing(class: IpadClass, frame: &Frame) -> (Plan, Profile) {
    let declares = class.version() >= DECLARATIONS_SINCE;
    let mut plan = Plan {
        token: String::new(),
        prefix: frame.identifier(""),
        profile: String::new(),
        profile_uuid: String::new(),
        declarations: Vec::new(),
        declarations_token: declares.then(|| token_of(&[])),
        settings: None,
        apps: Vec::new(),
        declared_apps: BTreeMap::new(),
        update: None,
        rules: Vec::new(),
    };
    plan.token = plan.token_of_what_is_given();
    // A segment has a profile; this one is installed nowhere.
    (plan, frame.named_profile("profile", "–", Vec::new()))
}

/// The plan of a rendering.
pub(crate) fn assemble(
    intent: &Intent,
    class: IpadClass,
    frame: &Frame,
    rendering: IpadRendering,
) -> (Plan, Profile) {
    let IpadRendering { profile, declarations, settings, written, left_out } = rendering;
    let declarations = with_subscriptions(declarations, class, frame);
    let mut apps = Vec::new();
    let mut update = intent.os_update.as_ref().map(|kept| UpdateItem {
        version: kept.value.version.to_string(),
        deadline: kept.value.deadline,
        by_command: false,
    });
    let mut rules: Vec<Rule> = written
        .into_iter()
        .map(|written| Rule {
            carrier: carrier(&written.what, &written.place, frame, &declarations),
            what: written.what,
        })
        .collect();
    // What is for tablets of another maker is no rule of an iPad's, and no loss.
    for left in left_out.into_iter().filter(|left| left.why != Why::OtherPlatform) {
        let carrier = match &left.why {
            Why::ByCommand { command: "InstallApplication", .. } | Why::WithSettings { .. } => {
                by_command(intent, &left.what, &mut apps)
            }
            Why::ByCommand { command: "ScheduleOSUpdate", .. } if class.supervised() => {
                if let Some(update) = &mut update {
                    update.by_command = true;
                }
                Some(Carrier::Update)
            }
            Why::ByCommand { command: "ScheduleOSUpdate", .. } => Some(unsupported(&Why::NeedsSupervision)),
            _ => None,
        };
        rules.push(Rule { carrier: carrier.unwrap_or_else(|| unsupported(&left.why)), what: left.what });
    }
    rules.sort_by(|one, other| one.what.cmp(&other.what));
    if update.is_some() && rules.iter().any(|rule| rule.what == "os-update" && is_unsupported(rule)) {
        update = None;
    }
    let declared_apps = rules.iter().filter_map(|rule| match &rule.carrier {
        Carrier::Declaration(name) => {
            let (bundle, app) = app_of(intent, &rule.what)?;
            Some((name.clone(), AppItem::of(bundle, app)?))
        }
        _ => None,
    });
    let mut plan = Plan {
        declared_apps: declared_apps.collect(),
        token: String::new(),
        prefix: frame.identifier(""),
        profile: profile.identifier.clone(),
        profile_uuid: profile.uuid.clone(),
        declarations_token: None,
        declarations: declarations.iter().map(Declared::of).collect(),
        settings: settings_item(settings),
        apps,
        update,
        rules,
    };
    plan.declarations_token = (class.version() >= DECLARATIONS_SINCE).then(|| token_of(&plan.declarations));
    plan.token = plan.token_of_what_is_given();
    (plan, profile)
}

const fn is_unsupported(rule: &Rule) -> bool {
    matches!(rule.carrier, Carrier::Unsupported { .. })
}

impl Plan {
    /// The sentences about what is left out are no part of what is given.
    fn token_of_what_is_given(&self) -> String {
        let given = (&self.profile_uuid, &self.declarations_token, &self.settings, &self.apps, &self.update);
        short(&serde_json::to_vec(&given).unwrap_or_default())
    }

    /// Whether it is the one of [`nothing`].
    #[must_use]
    pub const fn gives_nothing(&self) -> bool {
        self.profile.is_empty()
    }

    /// The plan as a tablet has it that is not given these apps now: neither their declarations, nor an activation that
    /// would wait for them and keep everything else from being in force.
    #[must_use]
    pub fn without(mut self, withheld: &BTreeMap<String, String>) -> Self {
        let is_withheld =
            |name: &str| self.declared_apps.get(name).is_some_and(|app| withheld.contains_key(&app.bundle));
        let names: BTreeSet<String> =
            self.declared_apps.keys().filter(|name| is_withheld(name)).cloned().collect();
        if names.is_empty() {
            return self;
        }
        self.declarations.retain(|one| !names.contains(&one.identifier));
        for one in &mut self.declarations {
            let listed = one.payload.get_mut("StandardConfigurations").and_then(Json::as_array_mut);
            if let Some(listed) = listed {
                listed.retain(|name| name.as_str().is_none_or(|name| !names.contains(name)));
                one.server_token = server_token(&one.declaration_type, &one.payload);
            }
        }
        self.declarations_token = self.declarations_token.map(|_token| token_of(&self.declarations));
        self
    }

    /// The declarations as a tablet lists them; empty for versions that have none.
    #[must_use]
    pub fn items(&self) -> DeclarationItems {
        let of = |kind: DeclarationKind| -> Vec<DeclarationItem> {
            let of_kind = self.declarations.iter().filter(|one| one.kind == kind.as_str());
            of_kind
                .map(|one| DeclarationItem {
                    identifier: one.identifier.clone(),
                    server_token: one.server_token.clone(),
                })
                .collect()
        };
        DeclarationItems {
            activations: of(DeclarationKind::Activation),
            configurations: of(DeclarationKind::Configuration),
            assets: of(DeclarationKind::Asset),
            management: of(DeclarationKind::Management),
            declarations_token: self.declarations_token.clone().unwrap_or_else(|| "empty".to_owned()),
        }
    }

    /// The declaration of that kind and name, as it is answered.
    #[must_use]
    pub fn declaration(&self, kind: DeclarationKind, identifier: &str) -> Option<Vec<u8>> {
        let found =
            self.declarations.iter().find(|one| one.kind == kind.as_str() && one.identifier == identifier)?;
        let declaration = Declaration {
            kind,
            declaration_type: found.declaration_type.clone(),
            identifier: found.identifier.clone(),
            server_token: found.server_token.clone(),
            payload: found.payload.clone(),
        };
        Some(declaration.to_json())
    }
}

impl Declared {
    fn of(one: &Declaration) -> Self {
        Self {
            kind: one.kind.as_str().to_owned(),
            declaration_type: one.declaration_type.clone(),
            identifier: one.identifier.clone(),
            server_token: one.server_token.clone(),
            payload: one.payload.clone(),
        }
    }
}

/// Where declarations are used, the tablet is also asked to report on them, and one activation puts all in force.
fn with_subscriptions(
    mut declarations: Vec<Declaration>,
    class: IpadClass,
    frame: &Frame,
) -> Vec<Declaration> {
    if class.version() < DECLARATIONS_SINCE {
        return declarations;
    }
    declarations.retain(|one| one.kind != DeclarationKind::Activation);
    let items: Vec<Json> = STATUS_ITEMS.iter().map(|name| json!({ "Name": name })).collect();
    let suffix = "management.status-subscriptions";
    declarations.push(frame.configuration(suffix, SUBSCRIPTIONS.name, json!({ "StatusItems": items })));
    declarations.push(frame.activation(&declarations));
    declarations
}

fn token_of(declarations: &[Declared]) -> String {
    let mut each: Vec<String> = declarations
        .iter()
        .map(|one| format!("{}\n{}\n{}", one.kind, one.identifier, one.server_token))
        .collect();
    each.sort();
    short(each.join("\n\n").as_bytes())
}

pub(super) fn short(content: &[u8]) -> String {
    Digest::of(content).to_string().chars().take(32).collect()
}

fn settings_item(settings: Vec<Setting>) -> Option<SettingsItem> {
    if settings.is_empty() {
        return None;
    }
    let mut command = Settings::new(settings).to_dictionary();
    command.insert("RequestType".into(), Value::String("Settings".into()));
    let xml = plist::to_xml(&command);
    Some(SettingsItem { token: short(&xml), command: String::from_utf8_lossy(&xml).into_owned() })
}

/// The app that a command installs in place of a declaration. One that its user may choose is offered by declarations
/// only: a command would put it there.
fn by_command(intent: &Intent, what: &str, apps: &mut Vec<AppItem>) -> Option<Carrier> {
    let (bundle, app) = app_of(intent, what)?;
    if app.install != Install::Required {
        let reason = Why::NotYet { since: crate::catalogue::APP_MANAGED.since };
        return Some(unsupported(&reason));
    }
    apps.push(AppItem::of(bundle, app)?);
    Some(Carrier::App(bundle.to_string()))
}

/// The app that a rule is about, if it is about one.
fn app_of<'i>(intent: &'i Intent, what: &str) -> Option<(&'i BundleId, &'i App)> {
    let bundle = what.strip_prefix("app ")?;
    let (bundle, kept) = intent.apps().iter().find(|(known, _kept)| known.as_str() == bundle)?;
    Some((bundle, &kept.value))
}

fn unsupported(why: &Why) -> Carrier {
    Carrier::Unsupported {
        code: why.code().to_owned(),
        english: why.sentence(Language::English),
        french: why.sentence(Language::French),
    }
}

/// What carries a part that was written at `place`.
fn carrier(what: &str, place: &str, frame: &Frame, declarations: &[Declaration]) -> Carrier {
    let holder = place.split(' ').next().unwrap_or_default();
    if let Some(own) = holder.strip_prefix("com.apple.configuration.") {
        let whole = frame.identifier(own);
        let named = what.rsplit(' ').next().map(|name| format!("{whole}.{name}"));
        let is_there = |name: &String| declarations.iter().any(|one| one.identifier == *name);
        let found = named.filter(is_there).unwrap_or(whole);
        return Carrier::Declaration(found);
    }
    match holder {
        "MDMOptions" | "TimeZone" => Carrier::Settings,
        "comes" => Carrier::Present,
        _ => Carrier::Profile,
    }
}

/// The small profile of one tablet: what varies from one to the next, so that a change of the base is signed once for
/// all. One that should have come back says on its lock screen where it belongs: `belongs` (C5.2.3). `None` if there is
/// nothing to show.
#[must_use]
pub fn tablet_payload(
    asset_tag: Option<&str>,
    serial: &str,
    belongs: Option<&str>,
    class: IpadClass,
    frame: &Frame,
) -> Option<Profile> {
    if !class.supervised() {
        return None;
    }
    let mut content = Dictionary::new();
    if let Some(tag) = asset_tag.filter(|tag| !tag.trim().is_empty()) {
        content.insert("AssetTagInformation".into(), Value::String(tag.trim().to_owned()));
    }
    let footnote = match belongs {
        Some(place) => format!("À rapporter : {} – {} – {serial}", place.trim(), frame.organisation()),
        None => format!("{} – {serial}", frame.organisation()),
    };
    content.insert("LockScreenFootnote".into(), Value::String(footnote));
    let payload = frame.payload(
        "tablet.device",
        "com.apple.shareddeviceconfiguration",
        "Étiquette de la tablette",
        content,
    );
    Some(frame.named_profile("profile.tablet", "Étiquette de la tablette", vec![payload]))
}
