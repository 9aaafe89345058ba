//! What the open Android agent is given: the fields of its configuration that follow from the layers.
//!
//! The server adds what belongs to one tablet (its password, its names) and what it must always send. The agent cannot
//! set up networks, filter, or restrict which apps open: that is said, rule by rule, and never shown as done.

use android::ApiLevel;
use serde_json::{Map, Value as Json, json};

use crate::catalogue::{Agent, Entry, Kind, Section, Stricter, Words, user_restrictions, words};
use crate::intent::Intent;
use crate::parts::ProxyRoute;
use crate::render::why::{LeftOut, Why, Written};
use crate::value::Value;
use crate::versions::Approved;

/// What the agent is given, and what it cannot do.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRendering {
    /// Fields of its configuration, by name.
    pub fields: Map<String, Json>,
    /// What was written, and where.
    pub written: Vec<Written>,
    /// What was left out, and why.
    pub left_out: Vec<LeftOut>,
}

/// Writes what was decided for the open Android agent.
#[must_use]
pub fn render_agent(intent: &Approved<Intent>, level: ApiLevel) -> AgentRendering {
    sketch_agent(intent.value(), level)
}

/// Writes what nobody decided yet: to be looked at, never for a tablet.
pub(crate) fn sketch_agent(intent: &Intent, level: ApiLevel) -> AgentRendering {
    let mut writer = Writer { level, restrictions: Vec::new(), rendering: empty() };
    for (entry, kept) in intent.settings() {
        writer.entry(entry, &kept.value);
    }
    writer.password_mode(intent);
    writer.applications(intent);
    writer.agent_settings(intent);
    writer.left_to_nobody(intent);
    writer.finish()
}

fn empty() -> AgentRendering {
    AgentRendering { fields: Map::new(), written: Vec::new(), left_out: Vec::new() }
}

struct Writer {
    level: ApiLevel,
    restrictions: Vec<&'static str>,
    rendering: AgentRendering,
}

const APPS: Words =
    words("the open agent opens whatever is installed", "l’agent libre ouvre tout ce qui est installé");
const NETWORK: Words =
    words("the open agent cannot set up networks", "l’agent libre ne peut pas configurer de réseau");
const FILTER: Words = words(
    "the open agent does not filter the web: the network must",
    "l’agent libre ne filtre pas le web : le réseau doit le faire",
);
const SCREEN: Words = words(
    "the open agent's screen shows what it installed",
    "l’écran de l’agent libre montre ce qu’il a installé",
);
const SINGLE: Words = words(
    "only the paid agent locks a tablet into one app",
    "seul l’agent payant enferme la tablette dans une app",
);
const SCRIPT: Words = words(
    "the open agent knows a proxy by host and port only",
    "l’agent libre ne connaît un proxy que par son adresse et son port",
);
const CODES: Words = words(
    "the open agent asks for eight characters with one sign at most",
    "l’agent libre demande au plus huit caractères dont un signe",
);

impl Writer {
    fn field(&mut self, what: impl Into<String>, field: &str, value: Json) {
        self.rendering.fields.insert(field.to_owned(), value);
        self.rendering.written.push(Written { what: what.into(), place: field.to_owned() });
    }

    fn leave_out(&mut self, what: impl Into<String>, why: Why) {
        self.rendering.left_out.push(LeftOut { what: what.into(), why });
    }

    fn entry(&mut self, entry: &'static Entry, value: &Value) {
        let strict = is_strict(entry, value);
        match entry.agent {
            Agent::Restrictions(names) => self.user_restrictions(entry, names, strict),
            Agent::Field(field) => self.field(entry.to_string(), field, json(value)),
            Agent::Switch(field) if strict => self.field(entry.to_string(), field, Json::Bool(true)),
            Agent::Switch(field) => {
                let place = format!("{field}, left to the user");
                self.rendering.written.push(Written { what: entry.to_string(), place });
            }
            // Written once for all of them, below.
            Agent::PasswordMode => {}
            Agent::Nothing(_) if is_apples(entry.section) => {
                self.leave_out(entry.to_string(), Why::OtherPlatform);
            }
            Agent::Nothing(reason) => self.leave_out(entry.to_string(), Why::NothingAlike { reason }),
        }
    }

    /// Restrictions that this Android does not know are ignored by it without a word: they are left out here.
    fn user_restrictions(&mut self, entry: &Entry, names: &[&'static str], strict: bool) {
        let what = entry.to_string();
        if !strict {
            let place = "no restriction".to_owned();
            return self.rendering.written.push(Written { what, place });
        }
        let since = |name: &str| {
            let known = user_restrictions().iter().find(|restriction| restriction.name == name);
            known.map_or(u16::MAX, |restriction| restriction.since)
        };
        let (known, unknown): (Vec<&&'static str>, Vec<&&'static str>) =
            names.iter().partition(|name| since(name) <= self.level.number());
        if let Some(newest) = unknown.iter().map(|name| since(name)).max() {
            return self.leave_out(what, Why::AndroidTooOld { since: newest });
        }
        self.restrictions.extend(known.into_iter().copied());
        let place = format!("restrictions {}", names.join(","));
        self.rendering.written.push(Written { what, place });
    }

    /// The weakest of the agent's rules for codes that asks for no less than the layers do.
    fn password_mode(&mut self, intent: &Intent) {
        let wishes: Vec<(&&'static Entry, &Value)> = intent
            .settings()
            .iter()
            .filter(|(entry, _)| entry.agent == Agent::PasswordMode)
            .map(|(entry, kept)| (entry, &kept.value))
            .collect();
        if wishes.is_empty() {
            return;
        }
        let number = |key: &str| {
            wishes.iter().find_map(|(entry, value)| match value {
                Value::Number(number) if entry.key == key => Some(*number),
                _ => None,
            })
        };
        let demanded = |key: &str| {
            wishes.iter().any(|(entry, value)| entry.key == key && **value == Value::Boolean(true))
        };
        let (length, signs) = (number("minLength").unwrap_or(0), number("minComplexChars").unwrap_or(0));
        let mode = match (length, signs, demanded("requireAlphanumeric")) {
            (9.., _, _) | (_, 2.., _) => "strong",
            (_, 1, _) => "strong",
            (7.., _, _) | (_, _, true) => "moderate",
            (2.., _, _) => "easy",
            _ if demanded("forcePIN") => "present",
            _ => {
                for (entry, _) in wishes {
                    let place = "no passwordMode".to_owned();
                    self.rendering.written.push(Written { what: entry.to_string(), place });
                }
                return;
            }
        };
        for (entry, value) in &wishes {
            let too_much = match value {
                // Eight characters, one sign: the most that the agent can ask for.
                Value::Number(number) => {
                    (entry.key == "minLength" && *number > 8)
                        || (entry.key == "minComplexChars" && *number > 1)
                }
                _ => false,
            };
            if too_much {
                self.leave_out(entry.to_string(), Why::NothingAlike { reason: CODES });
            } else {
                let place = format!("passwordMode {mode}");
                self.rendering.written.push(Written { what: entry.to_string(), place });
            }
        }
        self.rendering.fields.insert("passwordMode".to_owned(), Json::from(mode));
    }

    /// Web clips; apps of the App Store are for iPads.
    fn applications(&mut self, intent: &Intent) {
        let mut applications = Vec::new();
        for (url, kept) in intent.web_clips() {
            applications.push(json!({
                "type": "web",
                "name": kept.value.label,
                "pkg": url.as_str(),
                "version": "0",
                "url": url.as_str(),
                "showIcon": true,
                "iconText": kept.value.label,
            }));
            let place = "applications".to_owned();
            self.rendering.written.push(Written { what: format!("web clip {url}"), place });
        }
        for bundle in intent.apps().keys() {
            self.leave_out(format!("app {bundle}"), Why::OtherPlatform);
        }
        if intent.permitted_apps().is_some() {
            self.leave_out("the apps that may be opened", Why::NothingAlike { reason: APPS });
        }
        if !intent.blocked().is_empty() {
            self.leave_out("the apps that are blocked", Why::OtherPlatform);
        }
        self.rendering.fields.insert("applications".to_owned(), Json::Array(applications));
    }

    /// What steers the agent itself.
    fn agent_settings(&mut self, intent: &Intent) {
        let mut settings = Vec::new();
        let mut setting = |name: &str, value: String| {
            settings.push(json!({
                "packageId": "com.hmdm.launcher",
                "name": name,
                "type": 1,
                "value": value,
                "readOnly": true,
                "lastUpdate": 0,
                "variable": false,
            }));
        };
        let (mut written, mut left_out) = (Vec::new(), Vec::new());
        if !intent.blocked_packages.is_empty() {
            let packages: Vec<&str> = intent.blocked_packages.keys().map(crate::BundleId::as_str).collect();
            setting("locked_packages", packages.join(","));
            let place = "applicationSettings locked_packages".to_owned();
            written.push(Written { what: "the packages that are blocked".to_owned(), place });
        }
        match intent.proxy.as_ref().map(|kept| &kept.value.route) {
            Some(ProxyRoute::Server { host, port }) => {
                setting("proxy", format!("{host}:{port}"));
                let place = "applicationSettings proxy".to_owned();
                written.push(Written { what: "proxy".to_owned(), place });
            }
            Some(ProxyRoute::Script { .. }) => {
                let why = Why::NothingAlike { reason: SCRIPT };
                left_out.push(LeftOut { what: "proxy".to_owned(), why });
            }
            // "0" clears one that was set before.
            None => setting("proxy", "0".to_owned()),
        }
        self.rendering.fields.insert("applicationSettings".to_owned(), Json::Array(settings));
        self.rendering.written.append(&mut written);
        self.rendering.left_out.append(&mut left_out);
    }

    /// What the agent has nothing for.
    fn left_to_nobody(&mut self, intent: &Intent) {
        let mut left = Vec::new();
        left.push(("filter".to_owned(), FILTER));
        left.extend(intent.filter().value.plugin.iter().map(|_| ("filter.plugin".to_owned(), FILTER)));
        left.extend(intent.wifi().keys().map(|ssid| (format!("wifi \"{ssid}\""), NETWORK)));
        left.extend(intent.certificates.keys().map(|name| (format!("certificate {name}"), NETWORK)));
        left.extend(intent.dns.iter().map(|_| ("dns".to_owned(), NETWORK)));
        left.extend(intent.home_screen.iter().map(|_| ("home-screen".to_owned(), SCREEN)));
        left.extend(intent.single_app().iter().map(|_| ("single-app".to_owned(), SINGLE)));
        for (what, reason) in left {
            self.leave_out(what, Why::NothingAlike { reason });
        }
        let apples = [
            (!intent.printers.is_empty(), "the printers"),
            (!intent.notifications.is_empty(), "the notifications"),
            (!intent.bookmarks.is_empty(), "the bookmarks"),
            (!intent.extensions.is_empty(), "the extensions of Safari"),
            (intent.home_page.is_some(), "safari.home-page"),
            (intent.os_update.is_some(), "os-update"),
        ];
        for (_, what) in apples.into_iter().filter(|(there, _)| *there) {
            self.leave_out(what, Why::OtherPlatform);
        }
    }

    fn finish(mut self) -> AgentRendering {
        self.restrictions.sort_unstable();
        self.restrictions.dedup();
        self.rendering.fields.insert("restrictions".to_owned(), Json::from(self.restrictions.join(",")));
        // The agent fails on lists that are not there.
        for list in ["files", "actions"] {
            self.rendering.fields.insert(list.to_owned(), Json::Array(Vec::new()));
        }
        self.rendering.written.sort();
        self.rendering.left_out.sort();
        self.rendering
    }
}

/// Whether a value is the stricter of a boolean's two.
fn is_strict(entry: &Entry, value: &Value) -> bool {
    match (entry.kind, entry.stricter) {
        (Kind::Boolean, Stricter::True | Stricter::False) => !value.is_loosest(entry),
        _ => *value == Value::Boolean(true),
    }
}

const fn is_apples(section: Section) -> bool {
    matches!(section, Section::Siri | Section::Keyboard | Section::Intelligence | Section::SoftwareUpdate)
}

fn json(value: &Value) -> Json {
    match value {
        Value::Boolean(value) => Json::from(*value),
        Value::Number(value) => Json::from(*value),
        Value::Choice(value) => Json::from(*value),
        Value::Text(value) => Json::from(value.as_str()),
        Value::Names(names) => names.iter().map(String::as_str).collect(),
    }
}
