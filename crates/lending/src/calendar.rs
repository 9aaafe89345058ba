//! What the calendar does to loans: ends, reminders, lateness, the summer and the turn of the year (C5.2.2, C5.2.3,
//! C5.3.5, C9.1).
//!
//! Days are days in Paris. Nothing here can erase a tablet: no value of this file is an order.

use std::collections::BTreeSet;

use types::{Day, Instant, UserKind};

use crate::loan::{Ending, Loan, LoanState};
use crate::{InvalidText, SchoolYear};

/// How many days before a tablet is due its holder is reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderDays(BTreeSet<u16>);

impl Default for ReminderDays {
    fn default() -> Self {
        Self([21, 14, 7, 1].into())
    }
}

impl ReminderDays {
    /// Other days than 21, 14, 7 and 1.
    ///
    /// # Errors
    /// [`InvalidText`] for none, or one that is not from 1 to 90.
    pub fn new(days: impl IntoIterator<Item = u16>) -> Result<Self, InvalidText> {
        let days: BTreeSet<u16> = days.into_iter().collect();
        if days.is_empty() || !days.iter().all(|day| (1..=90).contains(day)) {
            return Err(InvalidText::new("list of reminders", "days before the due day, from 1 to 90"));
        }
        Ok(Self(days))
    }

    /// The day that lies farthest before the due day.
    #[must_use]
    pub fn longest(&self) -> u16 {
        self.0.last().copied().unwrap_or_default()
    }

    /// The reminder that is due today, of a tablet that is due back on `due`, if it was not sent. After days on which
    /// nothing was sent only the latest is, so that nobody gets three at once.
    #[must_use]
    pub fn due(&self, due: Day, sent: &BTreeSet<u16>, today: Day) -> Option<u16> {
        let left = u16::try_from(today.until(due)).ok()?;
        let step = self.0.range(left..).next().copied()?;
        // A day before, or that very day, one that was sent later than this one says the same.
        let said = sent.range(..=step).next().is_some();
        (!said).then_some(step)
    }
}

/// The day on which a loan's tablet is due back, if the loan is over or about to be (C5.2.3): at the latest the last day
/// of attendance.
#[must_use]
pub fn due_back(state: &LoanState, leaves_on: Option<Day>) -> Option<Day> {
    let over = match state {
        LoanState::Ended { at, because: Ending::Left(_) } => leaves_on.or(Some(Day::of(*at))),
        LoanState::Ended { at, .. } => Some(Day::of(*at)),
        LoanState::Lent | LoanState::Deposited { .. } | LoanState::Suspended { .. } => None,
    };
    match (over, leaves_on) {
        (Some(over), Some(leaves)) => Some(over.min(leaves)),
        (over, leaves) => over.or(leaves),
    }
}

/// Whether a loan ends by itself now, because its holder has left: from the first instant after the last day of
/// attendance on, whatever state it is in, the summer's deposit included (C5.2.3).
#[must_use]
pub fn ends_by_itself(loan: &Loan, leaves_on: Option<Day>, now: Instant) -> Option<(Ending, Instant)> {
    let leaves = leaves_on.filter(|last| loan.goes_on() && last.ends_at() <= now)?;
    Some((Ending::Left(leaves), leaves.ends_at()))
}

/// What follows from a tablet that should be back and was not scanned in. An erasure is not among it, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LateMeasure {
    /// It stands on the head's list.
    OnTheHeadsList,
    /// It gets the restricted profile.
    RestrictedProfile,
    /// A supervised iPad says on its lock screen where it belongs.
    LockScreenNote,
    /// The head is asked whether to declare an incident: a person decides.
    ProposeIncident,
}

/// How many days before the break tablets are taken in for the summer.
pub(crate) const DEPOSITS_BEFORE: i32 = 14;

/// From how many days of lateness on an incident is proposed.
pub const PROPOSE_AFTER: i32 = 15;

/// What is done about a tablet that was due on `due` and is not back today.
#[must_use]
pub fn late(due: Day, supervised_ipad: bool, today: Day) -> BTreeSet<LateMeasure> {
    let days = due.until(today);
    let mut measures = BTreeSet::new();
    if days >= 1 {
        measures.extend([LateMeasure::OnTheHeadsList, LateMeasure::RestrictedProfile]);
        if supervised_ipad {
            measures.insert(LateMeasure::LockScreenNote);
        }
    }
    if days >= PROPOSE_AFTER {
        measures.insert(LateMeasure::ProposeIncident);
    }
    measures
}

/// What the summer asks of a loan on a day (C5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summer {
    /// Nothing.
    Nothing,
    /// The pupil's tablet is to be handed in, and is not.
    HandIn,
    /// It is kept.
    Kept,
    /// It may be handed out again to the same pupil.
    HandOut,
}

/// What the summer asks of a loan today. A holder whose last day of attendance is over is no matter of the summer: that
/// loan ends.
#[must_use]
pub fn summer(
    kind: UserKind,
    loan: &Loan,
    year: Option<&SchoolYear>,
    leaves_on: Option<Day>,
    today: Day,
) -> Summer {
    let is_summer = year.is_some_and(|year| year.is_summer(today));
    if kind != UserKind::Pupil || leaves_on.is_some_and(|last| last < today) {
        return Summer::Nothing;
    }
    match (loan.state(), is_summer) {
        (LoanState::Lent, true) => Summer::HandIn,
        (LoanState::Deposited { .. }, true) => Summer::Kept,
        (LoanState::Deposited { .. }, false)
            if year.is_some_and(|year| today < year.summer_starts_on().plus(-DEPOSITS_BEFORE)) =>
        {
            Summer::HandOut
        }
        (LoanState::Deposited { .. }, false) => Summer::Kept,
        (LoanState::Lent | LoanState::Suspended { .. } | LoanState::Ended { .. }, _) => Summer::Nothing,
    }
}

/// Until which day a tablet is to be handed in for the summer, if it is: the last one before the break. Whoever leaves by then
/// gives it back, and is told that instead (C5.2.2, C5.2.3).
#[must_use]
pub fn deposit_due(
    kind: UserKind,
    state: &LoanState,
    year: &SchoolYear,
    leaves_on: Option<Day>,
) -> Option<Day> {
    let last = year.summer_starts_on().plus(-1);
    let is_asked = kind == UserKind::Pupil && *state == LoanState::Lent;
    (is_asked && leaves_on.is_none_or(|leaves| leaves > last)).then_some(last)
}

/// The first day on which a tablet is taken in that is to be handed in until `last`.
#[must_use]
pub fn deposits_begin(last: Day) -> Day {
    last.plus(1 - DEPOSITS_BEFORE)
}

/// What the turn of the school year does to a loan (C9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    GoesOn,
    /// The collège has no validated list of the new year yet: it goes on, and the head is told.
    AwaitsTheList,
    /// Its holder is not on the new list: it ends.
    Ends(Ending),
}

/// What the validated list of a new school year says of people like somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewList {
    /// Whether a change of it that speaks of everybody names somebody of their kind: a list of the teachers says nothing of
    /// the pupils, nor that of one class of another.
    pub speaks_of_their_kind: bool,
    /// Whether a change of it waits for a signature: it may name them.
    pub a_change_waits: bool,
    /// Whether they stand on it.
    pub names_them: bool,
}

/// Looks at somebody, and what they hold, in a new school year: a loan lasts while its holder stays listed, and whoever the
/// list does not name has left. A collège whose new list is late, or half signed, ends nobody's loan by that.
#[must_use]
pub fn turn(list: NewList) -> Turn {
    match list {
        NewList { names_them: true, .. } => Turn::GoesOn,
        NewList { speaks_of_their_kind: true, a_change_waits: false, .. } => {
            Turn::Ends(Ending::NoLongerListed)
        }
        NewList { .. } => Turn::AwaitsTheList,
    }
}
