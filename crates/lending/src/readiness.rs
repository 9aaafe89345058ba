//! The light of a loan: ready, or not because of exactly what (C5.3.4 and what stands before it).

use types::{Day, Duration, Instant, LoanId, RuleId, SerialNumber};

use crate::{Condition, Refused};

/// How old the report of profile and apps may be at a handover (C5.3.4).
const FRESH: Duration = Duration::from_secs(7 * 86_400);

/// What a tablet reported of something that must be on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// Never.
    Never,
    /// It was there, at the latest at this instant.
    Present(Instant),
    /// It was missing, at this instant.
    Missing(Instant),
    /// It does not come to the tablet yet: no base has reached it.
    NotGiven,
}

/// The tablet, as the inventory, its enrolment and its last loan show it.
#[derive(Debug, Clone)]
pub struct TabletFacts {
    /// Whether the inventory has it, for this collège (C3.3.4).
    pub of_the_college: bool,
    /// The loan that goes on with it, if one does.
    pub lent: Option<LoanId>,
    /// Whether nobody held it since it was last proven erased.
    pub clean: bool,
    /// Whether an incident about it is open.
    pub incident_open: bool,
    /// Whether it is retired, given away, in repair, or kept for a check (C5.4.1).
    pub set_aside: bool,
    /// Whether it is enrolled.
    pub enrolled: bool,
    /// Whether it is supervised, or the département recorded an exception for it.
    pub supervised_or_excepted: bool,
    /// The base profile.
    pub base_profile: Reported,
    /// Each required app of the base.
    pub base_apps: Vec<(String, Reported)>,
    /// Each complementary app of the collège.
    pub complementary_apps: Vec<(String, Reported)>,
}

/// A loan by which somebody holds a tablet, and the tablet by its maker's number: nobody finds a tablet by the id of a loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The loan.
    pub loan: LoanId,
    /// The tablet's serial number.
    pub serial: SerialNumber,
}

/// Who would hold it, and where.
#[derive(Debug, Clone)]
pub struct HolderFacts {
    /// Whether the DPO validated lending (C3.1.6).
    pub lending_validated: bool,
    /// Whether a school year holds this day (C9.1).
    pub in_a_school_year: bool,
    /// Whether they stand on the validated list of this year and collège (C4.2).
    pub listed: bool,
    /// Their last day in the collège, if it is known (C5.2.3).
    pub leaves_on: Option<Day>,
    /// A loan of theirs that counts: neither over nor suspended by an open incident or a repair (C5.3.1).
    pub holds: Option<Held>,
    /// Since when the collège has its IT charter (C3.3.5).
    pub charter_adopted_on: Option<Day>,
}

/// One thing that stands in the way of a loan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The DPO has not validated lending.
    #[error("the DPO has not validated the lending of tablets as it stands: nothing is lent before they do")]
    LendingOff,
    /// No school year was dated for today.
    #[error("today belongs to no school year: the département dates it first")]
    NoSchoolYear,
    /// The person is on no validated list.
    #[error(
        "the person is not on this year’s validated list: the head settles it, then the académie validates it"
    )]
    NotListed,
    /// The person has left.
    #[error("the person left the collège on {0}: if that is not so, a change of the list says it")]
    HasLeft(Day),
    /// The person has a tablet.
    #[error(
        "the person holds tablet {serial} already (loan {loan}): receive that one first, or swap the two",
        serial = .0.serial, loan = .0.loan
    )]
    HoldsOne(Held),
    /// The collège has no charter.
    #[error("the collège has not adopted its IT charter: once it has, its head records the day")]
    NoCharter,
    /// It is not a tablet of this collège.
    #[error("the tablet does not belong to this collège’s inventory: transfer it first")]
    OfAnotherCollege,
    /// It is lent.
    #[error("the tablet is lent (loan {0}): receive it first")]
    Lent(LoanId),
    /// It may hold somebody’s data.
    #[error("the tablet is not proven erased since it was last held: finish its restitution")]
    NotErased,
    /// Something happened to it.
    #[error("an incident about the tablet is open: close it first, or hand over another tablet")]
    IncidentOpen,
    /// It is not in stock.
    #[error("the tablet is in repair, kept for a check, retired or given away: hand over another tablet")]
    SetAside,
    /// It is not managed.
    #[error("the tablet is not enrolled: enrol it first")]
    NotEnrolled,
    /// Its user could end the management.
    #[error("the tablet is not supervised, and the département recorded no exception for it: ask it for one")]
    NotSupervised,
    /// No base comes to it: the filter is part of it (C3.1.5).
    #[error(
        "no base profile comes to the tablet yet, and nothing filters it: wait until the roll-out of the first base reaches \
         it, or ask the département to go on with it"
    )]
    NoBase,
    /// The base profile is not on it.
    #[error("the base profile is not on the tablet ({})", words(.0))]
    BaseProfile(Reported),
    /// A required app is not on it.
    #[error("the required app {app} is not on the tablet ({})", words(.reported))]
    BaseApp {
        /// The app.
        app: String,
        /// What was reported of it.
        reported: Reported,
    },
}

fn words(reported: &Reported) -> String {
    match reported {
        Reported::Never => "never reported".to_owned(),
        Reported::Present(at) => format!("last reported at {at}, more than 7 days ago"),
        Reported::Missing(at) => format!("reported missing at {at}"),
        Reported::NotGiven => "not given to it yet".to_owned(),
    }
}

impl Obstacle {
    /// The rule that puts it there.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::LendingOff => RuleId::C3_1_6,
            Self::NoSchoolYear => RuleId::C9_1,
            Self::NotListed => RuleId::C4_2,
            Self::HasLeft(_) => RuleId::C5_2_3,
            Self::HoldsOne(_) | Self::Lent(_) => RuleId::C5_3_1,
            Self::NoCharter => RuleId::C3_3_5,
            Self::OfAnotherCollege => RuleId::C3_3_4,
            Self::NotErased => RuleId::C5_3_5,
            Self::IncidentOpen => RuleId::C5_4_2,
            Self::SetAside => RuleId::C3_3_2,
            Self::NotEnrolled => RuleId::C3_1_4,
            Self::NotSupervised => RuleId::C5_3_2,
            Self::NoBase => RuleId::C3_1_5,
            Self::BaseProfile(_) | Self::BaseApp { .. } => RuleId::C5_3_4,
        }
    }

    /// Whether a head may sign over it: what is not on the tablet yet, and nothing else (C5.3.4).
    #[must_use]
    pub const fn may_be_signed_over(&self) -> bool {
        matches!(self, Self::BaseProfile(_) | Self::BaseApp { .. })
    }
}

/// What stands in the way, each with its rule, on one line.
#[must_use]
pub fn in_words(obstacles: &[Obstacle]) -> String {
    let each = obstacles.iter().map(|obstacle| format!("{obstacle} ({})", obstacle.rule()));
    each.collect::<Vec<_>>().join("; ")
}

/// What the light shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Light {
    obstacles: Vec<Obstacle>,
    warnings: Vec<String>,
}

/// Looks at everything, so that a person is told of all that is missing at once.
#[must_use]
pub fn light(holder: &HolderFacts, tablet: &TabletFacts, now: Instant) -> Light {
    let today = Day::of(now);
    let there = |reported: &Reported| matches!(reported, Reported::Present(at) if now.since(*at) <= FRESH);
    let mut obstacles = Vec::new();
    let mut unless = |holds: bool, obstacle: Obstacle| {
        if !holds {
            obstacles.push(obstacle);
        }
    };
    unless(holder.lending_validated, Obstacle::LendingOff);
    unless(holder.in_a_school_year, Obstacle::NoSchoolYear);
    unless(holder.listed, Obstacle::NotListed);
    if let Some(left) = holder.leaves_on.filter(|last| *last < today) {
        unless(false, Obstacle::HasLeft(left));
    }
    if let Some(held) = &holder.holds {
        unless(false, Obstacle::HoldsOne(held.clone()));
    }
    unless(holder.charter_adopted_on.is_some_and(|day| day <= today), Obstacle::NoCharter);
    unless(tablet.of_the_college, Obstacle::OfAnotherCollege);
    match tablet.lent {
        // While it is lent, that it is not erased goes without saying.
        Some(loan) => unless(false, Obstacle::Lent(loan)),
        None => unless(tablet.clean, Obstacle::NotErased),
    }
    unless(!tablet.incident_open, Obstacle::IncidentOpen);
    unless(!tablet.set_aside, Obstacle::SetAside);
    unless(tablet.enrolled, Obstacle::NotEnrolled);
    unless(tablet.supervised_or_excepted, Obstacle::NotSupervised);
    match tablet.base_profile {
        // Nobody signs over that a tablet goes out unfiltered.
        Reported::NotGiven => unless(false, Obstacle::NoBase),
        reported => unless(there(&reported), Obstacle::BaseProfile(reported)),
    }
    for (app, reported) in &tablet.base_apps {
        unless(there(reported), Obstacle::BaseApp { app: app.clone(), reported: *reported });
    }
    let warnings = tablet.complementary_apps.iter().filter(|(_, reported)| !there(reported));
    let warnings = warnings.map(|(app, _)| app.clone()).collect();
    Light { obstacles, warnings }
}

/// A handover that may take place. Only [`Light::hand_over`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    reserve: Vec<Obstacle>,
}

impl Ready {
    /// What the head signed over, to be listed until it is in order (C5.3.4).
    #[must_use]
    pub fn reserve(&self) -> &[Obstacle] {
        &self.reserve
    }
}

impl Light {
    /// What stands in the way, all of it.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// Complementary apps that are not there yet: they only warn (C5.3.4).
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether nothing stands in the way.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.obstacles.is_empty()
    }

    /// Lets a handover take place: where nothing stands in the way, or where the head signs over what may be.
    ///
    /// # Errors
    /// [`Refused::NotReady`] with what stands in the way.
    pub fn hand_over(self, signed_by_the_head: bool) -> Result<Ready, Refused> {
        let (reserve, rest): (Vec<_>, Vec<_>) = self
            .obstacles
            .into_iter()
            .partition(|obstacle| signed_by_the_head && obstacle.may_be_signed_over());
        if rest.is_empty() { Ok(Ready { reserve }) } else { Err(Refused::NotReady(rest)) }
    }
}

/// What goes over the counter with a tablet, at a handover and at a restitution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverTheCounter {
    /// The accessories, each by its name.
    pub accessories: std::collections::BTreeSet<String>,
    /// The state of the tablet.
    pub condition: Condition,
}

impl OverTheCounter {
    /// The accessories that were handed over and did not come back.
    pub fn missing_from<'a>(&'a self, handed_over: &'a Self) -> impl Iterator<Item = &'a str> {
        handed_over.accessories.difference(&self.accessories).map(String::as_str)
    }
}
