//! The next step between what a tablet should have and what it told that it has.

use apple::OsVersion;
use types::{Duration, Instant};

use super::app::AppItem;
use super::known::{Item, Known};
use super::plan::Plan;

/// How long what a tablet told of itself counts as known.
const FRESH: Duration = Duration::from_secs(24 * 3_600);

/// What else decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The tablet's iPadOS, as it said.
    pub version: Option<OsVersion>,
    /// The name of the profile that enrols it, which is never removed here (M4).
    pub enrolment_profile: Option<String>,
    /// The small profile of its own: its name and the UUID of its content.
    pub tablet_profile: Option<(String, String)>,
    /// Whether its managed apps may be listed: the DPO's switch (C3.1.6).
    pub apps_may_be_listed: bool,
    /// Whether a command of an earlier step still waits for its answer.
    pub in_flight: bool,
    /// The present instant.
    pub now: Instant,
}

/// A question to the tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// Which of our profiles it has.
    Profiles,
    /// What it is.
    Device,
    /// How its managed apps stand.
    Apps,
}

/// What an update of iPadOS is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateAction {
    /// Before the deadline: be ready.
    Download,
    /// From the deadline on.
    Install,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask.
    Ask(Query),
    /// Install the segment's profile.
    InstallProfile,
    /// Install the tablet's own small profile.
    InstallTabletProfile,
    /// Remove a stale profile of ours.
    RemoveProfile(String),
    /// Tell it of its declarations.
    Declare,
    /// Set what the Settings command sets.
    Set,
    /// Install an app.
    InstallApp(String),
    /// Remove an app that was installed by a command and is no longer given.
    RemoveApp(String),
    /// Update iPadOS.
    Update(UpdateAction),
    /// Wait for the answer to an earlier step.
    Wait,
    /// Nothing now; look again at that instant.
    Rest {
        /// When.
        until: Instant,
        /// Whether everything was delivered; otherwise something was refused, and is tried again then.
        delivered: bool,
    },
}

impl Step {
    /// What it is about, and the content it carries; `None` if nothing is asked of the tablet.
    #[must_use]
    pub fn item(&self, plan: &Plan, facts: &Facts) -> Option<(Item, String)> {
        let plain = |item| Some((item, String::new()));
        match self {
            Self::Ask(Query::Profiles) => plain(Item::Profiles),
            Self::Ask(Query::Device) => plain(Item::Device),
            Self::Ask(Query::Apps) => plain(Item::Apps),
            Self::InstallProfile => Some((Item::Profile, plan.profile_uuid.clone())),
            Self::InstallTabletProfile => {
                facts.tablet_profile.clone().map(|(_name, uuid)| (Item::TabletProfile, uuid))
            }
            Self::RemoveProfile(name) => plain(Item::Stale(name.clone())),
            Self::Declare => plan.declarations_token.clone().map(|token| (Item::Declarations, token)),
            Self::Set => plan.settings.as_ref().map(|settings| (Item::Settings, settings.token.clone())),
            Self::InstallApp(bundle) => {
                let app = plan.apps.iter().find(|app| app.bundle == *bundle)?;
                Some((Item::App(bundle.clone()), app.content()))
            }
            Self::RemoveApp(bundle) => plain(Item::StaleApp(bundle.clone())),
            Self::Update(action) => {
                plan.update.as_ref().map(|update| (Item::Update, update_token(&update.version, *action)))
            }
            Self::Wait | Self::Rest { .. } => None,
        }
    }
}

pub(super) fn update_token(version: &str, action: UpdateAction) -> String {
    match action {
        UpdateAction::Download => format!("{version} download"),
        UpdateAction::Install => format!("{version} install"),
    }
}

/// Looks for the next step. The order is that of what protects first: the profile, the declarations, then the rest.
/// What was asked for in vain is passed over until its wait is over, so that nothing keeps the others from a tablet.
#[must_use]
pub fn next(plan: &Plan, known: &Known, facts: &Facts) -> Step {
    if facts.in_flight {
        return Step::Wait;
    }
    let now = facts.now;
    let mut until = now.plus(FRESH);
    let mut delivered = known.withheld.is_empty();
    for step in wanted(plan, known, facts, &mut until) {
        let Some((item, token)) = step.item(plan, facts) else { continue };
        if matches!(&item, Item::App(bundle) if known.withheld.contains_key(bundle)) {
            continue;
        }
        match known.waits(&item, &token, now) {
            None => return step,
            Some(again) => {
                until = until.min(again);
                delivered = false;
            }
        }
    }
    Step::Rest { until, delivered }
}

/// Everything that is still to be done, the most important first.
fn wanted(plan: &Plan, known: &Known, facts: &Facts, until: &mut Instant) -> Vec<Step> {
    let now = facts.now;
    let is_stale = |at: Instant| now.since(at) >= FRESH || at > now.plus(FRESH);
    let mut steps = Vec::new();
    match known.profiles.as_ref().filter(|listed| !is_stale(listed.at)) {
        None => steps.push(Step::Ask(Query::Profiles)),
        Some(listed) => {
            *until = (*until).min(listed.at.plus(FRESH));
            let has = |name: &str, uuid: &str| listed.items.get(name).is_some_and(|is| is == uuid);
            if !plan.gives_nothing() && !has(&plan.profile, &plan.profile_uuid) {
                steps.push(Step::InstallProfile);
            }
            let own = facts.tablet_profile.as_ref();
            if own.is_some_and(|(name, uuid)| !has(name, uuid)) {
                steps.push(Step::InstallTabletProfile);
            }
            let stays = |name: &String| {
                *name == plan.profile
                    || own.is_some_and(|(its, _uuid)| its == name)
                    || facts.enrolment_profile.as_ref().is_some_and(|its| its.eq_ignore_ascii_case(name))
            };
            let stale = listed.items.keys().filter(|name| name.starts_with(&plan.prefix) && !stays(name));
            steps.extend(stale.map(|name| Step::RemoveProfile(name.clone())));
        }
    }
    // A tablet that was told of no declarations need not be told that there are none.
    let never_told = plan.gives_nothing() && known.declared.is_none();
    if plan.declarations_token.is_some() && known.declared != plan.declarations_token && !never_told {
        steps.push(Step::Declare);
    }
    if let Some(settings) = &plan.settings
        && known.settings.as_ref().is_none_or(|(token, _at)| *token != settings.token)
    {
        steps.push(Step::Set);
    }
    apps(plan, known, facts, &mut steps);
    if let Some(update) =
        plan.update.as_ref().filter(|update| update.by_command && !update.is_met_by(facts.version))
    {
        let due = update.due_at();
        let told = |action| {
            known.update.as_ref().is_some_and(|(token, _at)| *token == update_token(&update.version, action))
        };
        // What was not downloaded cannot be installed: a tablet that slept through its deadline downloads first.
        let is_there = told(UpdateAction::Download) || told(UpdateAction::Install);
        let action = if due <= now && is_there { UpdateAction::Install } else { UpdateAction::Download };
        if !told(action) {
            steps.push(Step::Update(action));
        }
        if due > now {
            *until = (*until).min(due);
        }
    }
    if known.device_at.is_none_or(is_stale) {
        steps.push(Step::Ask(Query::Device));
    }
    steps
}

fn apps(plan: &Plan, known: &Known, facts: &Facts, steps: &mut Vec<Step>) {
    let is_there = |app: &AppItem| {
        // Where apps may be listed, the list decides; elsewhere that it was taken on.
        let listed = match known.app_list.as_ref().filter(|_listed| facts.apps_may_be_listed) {
            Some(listed) => listed.items.contains_key(&app.bundle),
            None => known.apps.contains_key(&app.bundle),
        };
        listed && known.has_content(app)
    };
    let missing = plan.apps.iter().filter(|app| !is_there(app));
    steps.extend(missing.map(|app| Step::InstallApp(app.bundle.clone())));
    let stale = known.apps.keys().filter(|bundle| !plan.apps.iter().any(|app| app.bundle == **bundle));
    // What declarations took over stays: removing it by a command would remove it from under them.
    let declared = |bundle: &str| plan.declared_apps.values().any(|app| app.bundle == bundle);
    steps.extend(stale.filter(|bundle| !declared(bundle)).map(|bundle| Step::RemoveApp(bundle.clone())));
    let listed_lately = known.app_list.as_ref().is_some_and(|listed| facts.now.since(listed.at) < FRESH);
    if facts.apps_may_be_listed && !known.apps.is_empty() && !listed_lately {
        steps.push(Step::Ask(Query::Apps));
    }
}
