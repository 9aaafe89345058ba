//! What is known of one tablet: what it told us, and how often it was asked in vain.

use std::collections::{BTreeMap, BTreeSet};

use apple::OsVersion;
use serde::{Deserialize, Serialize};
use types::{Duration, Instant};

use super::app::AppItem;
use super::plan::Plan;

/// The first wait after something was asked for and is not there.
const FIRST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// The most characters of a reason that are kept.
const REASON: usize = 300;
/// The most reasons that are kept of one declaration.
const REASONS: usize = 4;

/// What is known of one tablet. Bounded by what the tablet is given, whatever it says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Our profiles on it, by name, with the UUID of their content; `None` after anything that may have changed them.
    pub profiles: Option<Listed>,
    /// The token of the declarations it was told of, once it said that it heard.
    pub declared: Option<String>,
    /// What it said of each of its declarations.
    pub declarations: BTreeMap<String, Declaring>,
    /// When it last reported on its declarations.
    pub declarations_at: Option<Instant>,
    /// The token of the settings that it carried out, and when.
    pub settings: Option<(String, Instant)>,
    /// The apps that were installed by a command, and when it took that on.
    pub apps: BTreeMap<String, Instant>,
    /// What was installed of each of these apps, where that is more than its name: another content is installed anew.
    pub app_contents: BTreeMap<String, String>,
    /// The apps that it is not given now although they were decided, and why: what is given out is not what was decided.
    pub withheld: BTreeMap<String, String>,
    /// What it says of managed apps of ours, if apps may be listed (C3.1.6).
    pub app_list: Option<Listed>,
    /// What it was told to update to, in words of ours, and when it took that on.
    pub update: Option<(String, Instant)>,
    /// When it last said what it is.
    pub device_at: Option<Instant>,
    /// Our profiles that it listed, and should still have.
    pub confirmed: BTreeSet<String>,
    /// What was asked for in vain so far.
    pub tries: BTreeMap<String, Try>,
}

/// A list that the tablet gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// When.
    pub at: Instant,
    /// What stands in it, by name.
    pub items: BTreeMap<String, String>,
}

/// What a tablet says of one declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaring {
    /// The content it speaks of.
    pub token: String,
    /// Whether it is in force.
    pub active: bool,
    /// `valid`, `invalid` or `unknown`.
    pub valid: String,
    /// Why not.
    pub reasons: Vec<String>,
}

/// Something that was asked for and is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// The content that was asked for: another content begins anew.
    pub token: String,
    /// How often.
    pub times: u32,
    /// Not again before.
    pub again_at: Instant,
    /// What the tablet said, if it refused.
    pub why: Option<String>,
}

/// What a step is about. Its text is the key under which its command stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// What is on the tablet: its profiles.
    Profiles,
    /// What it is.
    Device,
    /// Its managed apps.
    Apps,
    /// The profile of its segment.
    Profile,
    /// The small profile of its own.
    TabletProfile,
    /// A profile that is to go.
    Stale(String),
    /// Its declarations.
    Declarations,
    /// Settings.
    Settings,
    /// An app that is to come.
    App(String),
    /// An app that is to go.
    StaleApp(String),
    /// An update of iPadOS.
    Update,
}

/// What every key of ours begins with.
const KEY: &str = "segment:";

impl Item {
    /// The key of its commands in the queue.
    #[must_use]
    pub fn key(&self) -> String {
        let name = match self {
            Self::Profiles => "profiles",
            Self::Device => "device",
            Self::Apps => "apps",
            Self::Profile => "profile",
            Self::TabletProfile => "tablet-profile",
            Self::Stale(name) => return format!("{KEY}stale:{name}"),
            Self::Declarations => "declarations",
            Self::Settings => "settings",
            Self::App(bundle) => return format!("{KEY}app:{bundle}"),
            Self::StaleApp(bundle) => return format!("{KEY}stale-app:{bundle}"),
            Self::Update => "update",
        };
        format!("{KEY}{name}")
    }

    /// The item of a key; `None` for other commands.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let name = key.strip_prefix(KEY)?;
        Some(match name.split_once(':') {
            Some(("stale", name)) => Self::Stale(name.to_owned()),
            Some(("app", bundle)) => Self::App(bundle.to_owned()),
            Some(("stale-app", bundle)) => Self::StaleApp(bundle.to_owned()),
            Some(_) => return None,
            None => match name {
                "profiles" => Self::Profiles,
                "device" => Self::Device,
                "apps" => Self::Apps,
                "profile" => Self::Profile,
                "tablet-profile" => Self::TabletProfile,
                "declarations" => Self::Declarations,
                "settings" => Self::Settings,
                "update" => Self::Update,
                _ => return None,
            },
        })
    }
}

/// What a tablet told.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It did what was asked.
    Done,
    /// It refused, and why.
    Refused(String),
    /// Its profiles: name and UUID of each.
    Profiles(BTreeMap<String, String>),
    /// Its managed apps: name and state of each.
    Apps(BTreeMap<String, String>),
}

impl Known {
    /// Takes note of an answer. `token` is the content that the command carried; `plan` bounds what is kept.
    pub fn hear(&mut self, item: Option<&Item>, heard: Heard, token: &str, plan: &Plan, now: Instant) {
        match heard {
            Heard::Profiles(items) => {
                let ours = items.into_iter().filter(|(name, _uuid)| name.starts_with(&plan.prefix)).take(64);
                self.profiles = Some(Listed { at: now, items: ours.collect() });
                self.tries.remove(&Item::Profiles.key());
            }
            Heard::Apps(items) => {
                let ours = |name: &String| {
                    plan.apps.iter().any(|app| app.bundle == *name) || self.apps.contains_key(name)
                };
                let items = items.into_iter().filter(|(name, _state)| ours(name));
                let items = items.map(|(name, state)| (name, clip(&state))).collect();
                self.app_list = Some(Listed { at: now, items });
                self.tries.remove(&Item::Apps.key());
            }
            Heard::Refused(why) => {
                if let Some(item) = item
                    && let Some(one) = self.tries.get_mut(&item.key())
                {
                    one.why = Some(clip(&why));
                }
            }
            Heard::Done => self.done(item, token, now),
        }
    }

    fn done(&mut self, item: Option<&Item>, token: &str, now: Instant) {
        match item {
            // Whether it is there, its list says.
            Some(Item::Profile | Item::TabletProfile | Item::Stale(_)) => self.profiles = None,
            Some(Item::Declarations) => {
                self.declared = Some(token.to_owned());
                self.tries.remove(&Item::Declarations.key());
            }
            Some(Item::Settings) => {
                self.settings = Some((token.to_owned(), now));
                self.tries.remove(&Item::Settings.key());
            }
            Some(Item::App(bundle)) => {
                self.apps.insert(bundle.clone(), now);
                if token.is_empty() {
                    self.app_contents.remove(bundle);
                } else {
                    self.app_contents.insert(bundle.clone(), token.to_owned());
                }
                self.app_list = None;
                // Whether it comes, its list says; until then it is not asked for again and again.
                if let Some(one) = self.tries.get_mut(&Item::App(bundle.clone()).key()) {
                    one.why = None;
                }
            }
            Some(Item::StaleApp(bundle)) => {
                self.apps.remove(bundle);
                self.app_contents.remove(bundle);
                self.app_list = None;
                self.tries.remove(&Item::StaleApp(bundle.clone()).key());
            }
            Some(Item::Update) => self.update = Some((token.to_owned(), now)),
            Some(Item::Device) => {
                self.device_at = Some(now);
                self.tries.remove(&Item::Device.key());
            }
            Some(Item::Profiles | Item::Apps) | None => {}
        }
    }

    /// Whether what was installed of an app is what it is given now.
    #[must_use]
    pub fn has_content(&self, app: &AppItem) -> bool {
        self.app_contents.get(&app.bundle).map_or("", String::as_str) == app.content()
    }

    /// The apps of a plan that the tablet has not told that it has: what is given out of them must be what was decided.
    pub fn lacks<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p AppItem> {
        let is_there = |app: &AppItem| {
            let listed = self.app_list.as_ref().is_none_or(|listed| listed.items.contains_key(&app.bundle));
            listed && self.apps.contains_key(&app.bundle) && self.has_content(app)
        };
        let by_command = plan.apps.iter().filter(|app| !is_there(app));
        let declared = plan.declared_apps.iter().filter(|(name, _app)| {
            let token =
                plan.declarations.iter().find(|one| one.identifier == **name).map(|one| &one.server_token);
            let said = self.declarations.get(*name);
            !said.is_some_and(|said| Some(&said.token) == token && said.valid == "valid")
        });
        let lacks: Vec<&AppItem> = by_command.chain(declared.map(|(_name, app)| app)).collect();
        lacks.into_iter()
    }

    /// Takes note of the apps that are withheld now, and why. Says which are for a reason that was not known before.
    pub fn withhold(&mut self, withheld: BTreeMap<String, String>) -> Vec<String> {
        let is_new = |(bundle, why): &(&String, &String)| self.withheld.get(*bundle) != Some(*why);
        let new = withheld.iter().filter(is_new).map(|(bundle, _why)| bundle.clone()).collect();
        self.withheld = withheld;
        new
    }

    /// The profiles of ours that the tablet listed once, should still have, and lists no more: somebody removed them
    /// (C5.3.2). Each is said once.
    pub fn went_missing(&mut self, plan: &Plan, own: Option<&(String, String)>) -> Vec<String> {
        let Some(listed) = &self.profiles else { return Vec::new() };
        let wanted = |name: &String| *name == plan.profile || own.is_some_and(|(its, _uuid)| its == name);
        let gone = |name: &&String| !listed.items.contains_key(*name) && wanted(name);
        let missing: Vec<String> = self.confirmed.iter().filter(gone).cloned().collect();
        self.confirmed = listed.items.keys().filter(|name| wanted(name)).cloned().collect();
        missing
    }

    /// Takes note of a report on declarations: those of the plan only, so that no report grows what is kept (T-A17). A
    /// full report replaces what was known; `removed` ones are forgotten.
    pub fn report(
        &mut self,
        full: bool,
        reported: impl IntoIterator<Item = (String, Declaring)>,
        removed: &[String],
        plan: &Plan,
        now: Instant,
    ) {
        if full {
            self.declarations.clear();
        }
        for name in removed {
            self.declarations.remove(name);
        }
        let is_ours = |name: &str| plan.declarations.iter().any(|one| one.identifier == name);
        for (name, mut declaring) in reported {
            if is_ours(&name) {
                declaring.token = clip(&declaring.token);
                declaring.valid = clip(&declaring.valid);
                declaring.reasons = declaring.reasons.iter().take(REASONS).map(|why| clip(why)).collect();
                self.declarations.insert(name, declaring);
            }
        }
        self.declarations.retain(|name, _declaring| is_ours(name));
        self.declarations_at = Some(now);
    }

    /// Takes note that `item` is being asked for with this content, and until when it is not asked again.
    pub fn ask(&mut self, item: &Item, token: &str, now: Instant) {
        let before = self.tries.get(&item.key()).filter(|one| one.token == token);
        let times = before.map_or(0, |one| one.times).saturating_add(1);
        let doublings = times.saturating_sub(1).min(7);
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_WAIT);
        let why = before.and_then(|one| one.why.clone());
        self.tries.insert(item.key(), Try { token: token.to_owned(), times, again_at: now.plus(wait), why });
    }

    /// The instant before which `item` is not asked for again with this content; `None` if it may be now.
    #[must_use]
    pub fn waits(&self, item: &Item, token: &str, now: Instant) -> Option<Instant> {
        let one = self.tries.get(&item.key()).filter(|one| one.token == token)?;
        (one.again_at > now).then_some(one.again_at)
    }

    /// What the tablet refused this content with.
    #[must_use]
    pub fn refusal(&self, item: &Item, token: &str) -> Option<&str> {
        self.tries.get(&item.key()).filter(|one| one.token == token)?.why.as_deref()
    }

    /// Forgets what was asked for in vain and is no longer asked for, or is there.
    pub fn tidy(
        &mut self,
        plan: &Plan,
        tablet_profile: Option<&(String, String)>,
        version: Option<OsVersion>,
    ) {
        let has = |name: &str, uuid: &str| {
            self.profiles.as_ref().is_some_and(|listed| listed.items.get(name).is_some_and(|is| is == uuid))
        };
        let profile_is_there = has(&plan.profile, &plan.profile_uuid);
        let own_is_there = tablet_profile.is_none_or(|(name, uuid)| has(name, uuid));
        let listed: Vec<String> =
            self.profiles.as_ref().map(|listed| listed.items.keys().cloned().collect()).unwrap_or_default();
        let apps = &self.apps;
        let app_list = self.app_list.as_ref();
        let contents = self.app_contents.clone();
        let is_there = |app: &AppItem| {
            app_list.is_some_and(|listed| listed.items.contains_key(&app.bundle))
                && contents.get(&app.bundle).map_or("", String::as_str) == app.content()
        };
        self.tries.retain(|key, _one| match Item::of_key(key) {
            None => false,
            Some(Item::Profile) => !profile_is_there,
            Some(Item::TabletProfile) => !own_is_there,
            Some(Item::Stale(name)) => listed.contains(&name),
            Some(Item::App(bundle)) => plan.apps.iter().any(|app| app.bundle == bundle && !is_there(app)),
            Some(Item::StaleApp(bundle)) => apps.contains_key(&bundle),
            Some(Item::Settings) => plan.settings.is_some(),
            Some(Item::Update) => plan.update.as_ref().is_some_and(|update| !update.is_met_by(version)),
            Some(_) => true,
        });
    }
}

fn clip(text: &str) -> String {
    text.chars().take(REASON).collect()
}
