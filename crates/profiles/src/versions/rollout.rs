//! Roll-outs: which tablets have a new version already, when the next wave begins, and when it stops by itself.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use types::{Digest, Duration, Instant, ProfileVersionId, TabletId, Uai};

/// The most waves of a plan.
const MOST_WAVES: usize = 10;
/// The longest a wave lasts before the next, in hours.
const LONGEST_WAVE: u32 = 30 * 24;
/// All permille there are.
const ALL: u32 = 1_000;

/// Whom a version comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wave {
    /// All tablets of these collèges, which agreed to be the first.
    Colleges(BTreeSet<Uai>),
    /// That many tablets in a hundred, wherever they are.
    Percent(u8),
    /// Every tablet.
    Everyone,
}

/// The waves of a roll-out, and what stops it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutPlan {
    waves: Vec<Wave>,
    hours_between: u32,
    pause_above_permille: u32,
    pause_from: u32,
}

/// Why a plan makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlan {
    /// Too few or too many waves.
    #[error("a roll-out has 1 to {MOST_WAVES} waves")]
    Waves,
    /// It would never reach everyone, or only after everyone.
    #[error("the last wave, and no other, is everyone")]
    LastIsNotEveryone,
    /// A wave without collèges.
    #[error("a wave of collèges names at least one")]
    NoCollege,
    /// Percentages that do not grow.
    #[error("percentages are from 1 to 99, each more than the one before")]
    Percentages,
    /// Waves that last too long.
    #[error("a wave lasts 1 to {LONGEST_WAVE} hours before the next")]
    Hours,
    /// A threshold that never pauses, or always.
    #[error("it pauses above a part of 1 to 999 failures in a thousand, counted from 1 report on")]
    Threshold,
}

impl RolloutPlan {
    /// A plan: its waves, how many hours each lasts before the next, and above how many failures in a thousand it pauses,
    /// once `pause_from` tablets have reported.
    ///
    /// # Errors
    /// [`NotAPlan`].
    pub fn new(
        waves: Vec<Wave>,
        hours_between: u32,
        pause_above_permille: u32,
        pause_from: u32,
    ) -> Result<Self, NotAPlan> {
        if !(1..=MOST_WAVES).contains(&waves.len()) {
            return Err(NotAPlan::Waves);
        }
        let everyone = waves.iter().position(|wave| *wave == Wave::Everyone);
        if everyone.map(|at| at.saturating_add(1)) != Some(waves.len()) {
            return Err(NotAPlan::LastIsNotEveryone);
        }
        if waves.iter().any(|wave| matches!(wave, Wave::Colleges(colleges) if colleges.is_empty())) {
            return Err(NotAPlan::NoCollege);
        }
        let mut most = 0;
        for wave in &waves {
            if let Wave::Percent(percent) = wave {
                if !(1..100).contains(percent) || *percent <= most {
                    return Err(NotAPlan::Percentages);
                }
                most = *percent;
            }
        }
        if waves.len() > 1 && !(1..=LONGEST_WAVE).contains(&hours_between) {
            return Err(NotAPlan::Hours);
        }
        if !(1..ALL).contains(&pause_above_permille) || pause_from == 0 {
            return Err(NotAPlan::Threshold);
        }
        Ok(Self { waves, hours_between, pause_above_permille, pause_from })
    }

    /// The waves, in order.
    #[must_use]
    pub fn waves(&self) -> &[Wave] {
        &self.waves
    }

    /// Reads a plan that was stored, checking it again.
    ///
    /// # Errors
    /// A sentence for whoever repairs the row.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let plan: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Self::new(plan.waves, plan.hours_between, plan.pause_above_permille, plan.pause_from)
            .map_err(|error| error.to_string())
    }

    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Words and numbers alone: writing them as JSON does not fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it has but one wave, which is everyone: there is nothing to roll out.
    #[must_use]
    pub fn is_at_once(&self) -> bool {
        self.waves.len() == 1
    }
}

/// How far a roll-out has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutState {
    /// Its waves follow one another.
    Running,
    /// No further wave begins; those reached keep the new version.
    Paused,
    /// It reached everyone.
    Done,
    /// Everyone has the version before again; or none, where its version was taken away.
    RolledBack,
    /// It was of a first version, and a corrected one took its place everywhere before it had reached everyone.
    Replaced,
}

impl RolloutState {
    /// Every state.
    pub const ALL: &'static [Self] =
        &[Self::Running, Self::Paused, Self::Done, Self::RolledBack, Self::Replaced];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::RolledBack => "rolled-back",
            Self::Replaced => "replaced",
        }
    }
}

impl fmt::Display for RolloutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RolloutState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|state| state.as_str() == text);
        found.ok_or_else(|| "expected running, paused, done, rolled-back or replaced".to_owned())
    }
}

/// A roll-out as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// The version that comes.
    pub version: ProfileVersionId,
    /// Its plan.
    pub plan: RolloutPlan,
    /// How far it has come.
    pub state: RolloutState,
    /// The wave that runs, the first being 0.
    pub wave: usize,
    /// Since when.
    pub wave_since: Instant,
}

impl Rollout {
    /// Whether the new version is on that tablet, of that collège, now.
    #[must_use]
    pub fn reaches(&self, tablet: TabletId, uai: Option<&Uai>) -> bool {
        match self.state {
            RolloutState::Done => true,
            RolloutState::RolledBack | RolloutState::Replaced => false,
            RolloutState::Running | RolloutState::Paused => {
                self.is_in_the_first(self.wave.saturating_add(1), tablet, uai)
            }
        }
    }

    /// Whether the wave that runs brings it the new version, and none before did.
    #[must_use]
    pub fn reaches_first_now(&self, tablet: TabletId, uai: Option<&Uai>) -> bool {
        self.reaches(tablet, uai) && !self.is_in_the_first(self.wave, tablet, uai)
    }

    fn is_in_the_first(&self, waves: usize, tablet: TabletId, uai: Option<&Uai>) -> bool {
        self.plan.waves.iter().take(waves).any(|wave| match wave {
            Wave::Colleges(colleges) => uai.is_some_and(|uai| colleges.contains(uai)),
            Wave::Percent(percent) => draw(self.version, tablet) < u16::from(*percent),
            Wave::Everyone => true,
        })
    }
}

/// A number below 100 that is the tablet's for this version, whoever asks and whenever. For another version it is another
/// one, so that not always the same pupils are the first.
fn draw(version: ProfileVersionId, tablet: TabletId) -> u16 {
    let digest = Digest::of(format!("{version} {tablet}").as_bytes());
    let number = digest.as_bytes().iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    u16::try_from(number % 100).unwrap_or(0)
}

/// What the tablets of a roll-out reported since its wave began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many did what they were told.
    pub applied: u32,
    /// How many refused or failed.
    pub failed: u32,
}

/// Whether the wave that runs was tried: by the tablets that it was the first to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Some of them reported.
    Reported,
    /// There are some, and none reported.
    NoReport,
    /// It reaches none that another did not: there is nobody to wait for.
    NoTablet,
}

/// What a roll-out does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It goes on as it is.
    Wait,
    /// The next wave begins.
    Advance,
    /// Everyone was reached: it is over.
    Finish,
    /// Too many failed: it pauses, and somebody looks.
    Pause(Tally),
    /// The wave’s time is over, and nobody knows what it does to tablets: it pauses, and somebody looks.
    PauseUntried,
}

/// Decides what a roll-out does now. One that pauses, or is over, does nothing by itself.
#[must_use]
pub fn turn(rollout: &Rollout, tally: Tally, tried: Tried, now: Instant) -> Turn {
    if rollout.state != RolloutState::Running {
        return Turn::Wait;
    }
    let plan = &rollout.plan;
    let reports = tally.applied.saturating_add(tally.failed);
    let above =
        u64::from(tally.failed) * u64::from(ALL) > u64::from(reports) * u64::from(plan.pause_above_permille);
    if reports >= plan.pause_from && above {
        return Turn::Pause(tally);
    }
    let lasts = Duration::from_secs(u64::from(plan.hours_between) * 3_600);
    if now < rollout.wave_since.plus(lasts) {
        return Turn::Wait;
    }
    if tried == Tried::NoReport {
        return Turn::PauseUntried;
    }
    if rollout.wave.saturating_add(1) < plan.waves.len() { Turn::Advance } else { Turn::Finish }
}
