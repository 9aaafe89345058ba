//! Tablets as people see them: the inventory row, the enrolment, what the tablet can do, what it reported.

use std::collections::HashMap;
use std::str::FromStr;

use governance::{Permission, Place, Reach};
use store::alarms::Alarm;
use store::enrolments::{Enrolment, EnrolmentState};
use store::observations::Observation;
use store::tablets::Tablet;
use store::{Tx, Within, alarms, enrolments, observations, presence, tablets};
use types::{Instant, Platform, SerialNumber, TabletId, Uai};

use crate::capability::{self, Capability};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// Rows that are looked through for one part of a filtered list. A part may thus hold less than was asked,
/// or nothing, and still have a next one: a search in 100,000 tablets never holds a connection for long.
const LOOKED_THROUGH: usize = 5_000;
/// Rows in one read while looking through.
const BATCH: u32 = 500;
/// Open alarms among which those of one tablet are looked for, the latest first.
const ALARMS: u32 = 1_000;
/// The longest text that is searched for, in characters.
const LONGEST_TEXT: usize = 100;
/// The longest label of the owner's, in characters.
const LONGEST_LABEL: usize = 100;
/// Tablets of one label that are looked at: more than one is a mistake.
const ONE_LABEL: u32 = 100;

/// A tablet as a person names it: by its id, by its serial number, or by the owner's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Its id.
    Id(TabletId),
    /// Its maker's serial number.
    Serial(SerialNumber),
    /// The owner's label, which may look like a serial number.
    Label(String),
}

impl FromStr for Named {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        if let Ok(serial) = text.parse() {
            return Ok(Self::Serial(serial));
        }
        let label = text.trim();
        let fits =
            (1..=LONGEST_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control);
        if fits {
            Ok(Self::Label(label.to_owned()))
        } else {
            Err(Refusal::not_found("tablet", text.chars().take(LONGEST_LABEL).collect::<String>()))
        }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Serial(serial) => serial.fmt(f),
            Self::Label(label) => label.fmt(f),
        }
    }
}

/// Whether a tablet is managed, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has no enrolment in force.
    NotEnrolled,
    /// It is enrolling: it said Authenticate and has not sent its push token.
    Enrolling,
    /// It is managed.
    Enrolled,
}

impl Standing {
    /// Every value, in order.
    pub const ALL: &'static [Self] = &[Self::NotEnrolled, Self::Enrolling, Self::Enrolled];

    /// The text that the API shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotEnrolled => "not-enrolled",
            Self::Enrolling => "enrolling",
            Self::Enrolled => "enrolled",
        }
    }

    fn of(live: Option<&Enrolment>) -> Self {
        match live.map(|enrolment| enrolment.state) {
            Some(EnrolmentState::Active) => Self::Enrolled,
            Some(EnrolmentState::Authenticated) => Self::Enrolling,
            _ => Self::NotEnrolled,
        }
    }
}

impl FromStr for Standing {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::ALL
            .iter()
            .copied()
            .find(|standing| standing.as_str() == text)
            .ok_or_else(|| Refusal::invalid("state", "must be `not-enrolled`, `enrolling` or `enrolled`"))
    }
}

/// Which tablets a list shows; what is `None` admits all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those for this collège.
    pub uai: Option<Uai>,
    /// Those that run this.
    pub platform: Option<Platform>,
    /// Those that stand so.
    pub standing: Option<Standing>,
    /// Those whose serial number, asset tag or model holds this text, whatever the case.
    pub text: Option<String>,
}

/// A tablet in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its row in the inventory.
    pub tablet: Tablet,
    /// Its enrolment in force.
    pub enrolment: Option<Enrolment>,
    /// When it last spoke to us, in that enrolment.
    pub last_seen: Option<Instant>,
}

impl Line {
    /// Whether it is managed.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing::of(self.enrolment.as_ref())
    }
}

/// All that is known of one tablet.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Its row in the inventory, its enrolment, when it last spoke.
    pub line: Line,
    /// What it can do, and why not.
    pub capabilities: Vec<Capability>,
    /// What it last reported about itself, by kind.
    pub observations: Vec<Observation>,
    /// What is open about it.
    pub alarms: Vec<Alarm>,
}

/// The tablets that pass the filter, in the order of their ids.
///
/// # Errors
/// [`Refusal::Invalid`] for a text that is too long.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    filter: Filter,
    page: Page<TabletId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    if filter.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(Refusal::invalid("text", format!("must have at most {LONGEST_TEXT} characters")));
    }
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            search(tx, &within, &filter, &page)
        })
        .await
}

/// One tablet, with everything that is known of it.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<Detail, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let tablet = reached(tx, &principal, Permission::ViewTablets, &named, now)?;
            // Not everyone who sees a tablet sees its alarms.
            let mut alarms = match principal.may_list(tx, Permission::ViewAlarms, now) {
                Ok(within) => alarms::open(tx, &within, ALARMS)?,
                Err(Refusal::NotAllowed(_)) => Vec::new(),
                Err(failed) => return Err(failed),
            };
            alarms.retain(|alarm| alarm.tablet_id == Some(tablet.id));
            let line = line(tx, tablet)?;
            let observations = match &line.enrolment {
                Some(enrolment) => observations::of_enrolment(tx, enrolment.id)?,
                None => Vec::new(),
            };
            let capabilities = line.enrolment.as_ref().map(capability::of).unwrap_or_default();
            Ok(Detail { line, capabilities, observations, alarms })
        })
        .await
}

/// The tablet that someone names, if it is within reach; to others it does not exist (T-C1).
pub(crate) fn within(tx: &mut Tx<'_>, named: &Named, reach: &Reach) -> Result<Tablet, Refusal> {
    find(tx, named, |tablet| reach.covers(&place(tablet)))
}

/// The tablet that someone names, if `is_shown`. A label names one tablet of those that are, or none for sure.
pub(crate) fn find(
    tx: &mut Tx<'_>,
    named: &Named,
    is_shown: impl Fn(&Tablet) -> bool,
) -> Result<Tablet, Refusal> {
    let not_found = || Refusal::not_found("tablet", named);
    let label = match named {
        Named::Id(id) => return tablets::get(tx, id)?.filter(is_shown).ok_or_else(not_found),
        Named::Serial(serial) => match tablets::by_serial(tx, serial)? {
            Some(tablet) => return Some(tablet).filter(is_shown).ok_or_else(not_found),
            None => serial.as_str(),
        },
        Named::Label(label) => label.as_str(),
    };
    let mut labelled = tablets::by_asset_tag(tx, label, ONE_LABEL)?;
    labelled.retain(is_shown);
    the_only_one(label, labelled, not_found)
}

/// As [`within`], of many: a handful of statements, however many they are.
pub(crate) fn all_within(
    tx: &mut Tx<'_>,
    named: &[Named],
    reach: &Reach,
) -> Result<Vec<Result<Tablet, Refusal>>, Refusal> {
    let ids = named.iter().filter_map(|one| if let Named::Id(id) = one { Some(*id) } else { None });
    let by_id = all(tx, ids.collect::<Vec<_>>())?;
    let serials =
        named.iter().filter_map(|one| if let Named::Serial(of) = one { Some(of.clone()) } else { None });
    let rows = tablets::by_serials(tx, serials.collect::<Vec<_>>())?;
    let by_serial: HashMap<SerialNumber, Tablet> =
        rows.into_iter().map(|tablet| (tablet.serial.clone(), tablet)).collect();
    let labels = named.iter().filter_map(|one| match one {
        Named::Id(_) => None,
        // What looks like a serial number may be a label.
        Named::Serial(serial) if by_serial.contains_key(serial) => None,
        Named::Serial(serial) => Some(serial.as_str().to_owned()),
        Named::Label(label) => Some(label.clone()),
    });
    let mut by_label: HashMap<String, Vec<Tablet>> = HashMap::new();
    for tablet in tablets::by_asset_tags(tx, labels.collect::<Vec<_>>())? {
        if let Some(label) = tablet.asset_tag.clone() {
            by_label.entry(label).or_default().push(tablet);
        }
    }
    let is_shown = |tablet: &Tablet| reach.covers(&place(tablet));
    let one = |named: &Named| {
        let not_found = || Refusal::not_found("tablet", named);
        let label = match named {
            Named::Id(id) => return by_id.get(id).filter(|it| is_shown(it)).cloned().ok_or_else(not_found),
            Named::Serial(serial) => match by_serial.get(serial) {
                Some(tablet) => {
                    return Some(tablet).filter(|it| is_shown(it)).cloned().ok_or_else(not_found);
                }
                None => serial.as_str(),
            },
            Named::Label(label) => label.as_str(),
        };
        let labelled = by_label.get(label).into_iter().flatten().filter(|tablet| is_shown(tablet)).cloned();
        the_only_one(label, labelled.collect(), not_found)
    };
    Ok(named.iter().map(one).collect())
}

/// The tablet that bears a label alone, of those that are shown.
fn the_only_one(
    label: &str,
    mut labelled: Vec<Tablet>,
    not_found: impl Fn() -> Refusal,
) -> Result<Tablet, Refusal> {
    match (labelled.pop(), labelled.is_empty()) {
        (Some(tablet), true) => Ok(tablet),
        (Some(_), false) => Err(Refusal::Conflict(format!(
            "several tablets bear the label `{label}`: name the maker’s serial number"
        ))),
        (None, _) => Err(not_found()),
    }
}

/// These tablets, by their ids: one statement, or none for no tablet.
pub(crate) fn all(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = TabletId>,
) -> Result<HashMap<TabletId, Tablet>, Refusal> {
    let rows = tablets::get_all(tx, ids)?;
    Ok(rows.into_iter().map(|tablet| (tablet.id, tablet)).collect())
}

/// A tablet of those that were gathered.
pub(crate) fn of(all: &HashMap<TabletId, Tablet>, id: TabletId) -> Result<&Tablet, Refusal> {
    all.get(&id).ok_or_else(|| Refusal::Internal(format!("tablet {id} is not in the inventory")))
}

/// The tablet that someone names, if they may do this to it; to others it does not exist (T-C1).
pub(crate) fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    named: &Named,
    now: Instant,
) -> Result<Tablet, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    within(tx, named, &reach)
}

/// Whether a tablet, or what concerns none, is within reach.
pub(crate) fn is_reached(tx: &mut Tx<'_>, reach: &Reach, id: Option<TabletId>) -> Result<bool, Refusal> {
    let tablet = match id {
        Some(id) => tablets::get(tx, &id)?,
        None => None,
    };
    Ok(reach.covers(&tablet.as_ref().map_or(Place::College(None), place)))
}

/// Where a tablet is, for whoever asks about rights.
pub(crate) fn place(tablet: &Tablet) -> Place {
    Place::College(tablet.uai.clone())
}

fn search(
    tx: &mut Tx<'_>,
    within: &Within,
    filter: &Filter,
    page: &Page<TabletId>,
) -> Result<Listed<Line>, Refusal> {
    let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let text = filter.text.as_deref().map(str::to_lowercase);
    let mut items = Vec::new();
    let mut looked_through = 0;
    let mut after = page.after;
    loop {
        let rows = tablets::list(tx, within, after, BATCH)?;
        if rows.is_empty() {
            return Ok(Listed { items, next: None });
        }
        for tablet in rows {
            if items.len() == wanted || looked_through == LOOKED_THROUGH {
                return Ok(Listed { items, next: after.map(|id| id.to_string()) });
            }
            looked_through += 1;
            after = Some(tablet.id);
            if admits(filter, text.as_deref(), &tablet) {
                let line = line(tx, tablet)?;
                if filter.standing.is_none_or(|standing| standing == line.standing()) {
                    items.push(line);
                }
            }
        }
    }
}

fn admits(filter: &Filter, text: Option<&str>, tablet: &Tablet) -> bool {
    let holds =
        |field: Option<&str>, text: &str| field.is_some_and(|field| field.to_lowercase().contains(text));
    filter.uai.as_ref().is_none_or(|uai| tablet.uai.as_ref() == Some(uai))
        && filter.platform.is_none_or(|platform| tablet.platform == platform)
        && text.is_none_or(|text| {
            holds(Some(tablet.serial.as_str()), text)
                || holds(tablet.asset_tag.as_deref(), text)
                || holds(tablet.model.as_deref(), text)
        })
}

fn line(tx: &mut Tx<'_>, tablet: Tablet) -> Result<Line, Refusal> {
    let enrolment = enrolments::live_of_tablet(tx, tablet.id)?;
    let last_seen = match &enrolment {
        Some(enrolment) => presence::last_seen(tx, enrolment.id)?,
        None => None,
    };
    Ok(Line { tablet, enrolment, last_seen })
}
