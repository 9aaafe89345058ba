//! Civil days. All dates of the lending programme are days in Europe/Paris; an instant belongs to one of
//! them.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::{Instant, InvalidName};

/// The zone of every civil rule.
///
/// Its rules come with the program, so that looking them up does not fail: a test says so. Winter time stands
/// in for them, rather than a panic.
static PARIS: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Europe/Paris").unwrap_or_else(|_missing| TimeZone::fixed(Offset::constant(1)))
});

/// The days of 19,998 years, which is more than any two days of the calendar are apart.
const WHOLE_CALENDAR: i32 = 7_304_483;

/// What clocks in Paris show at an instant.
pub(crate) fn paris(instant: Instant) -> DateTime {
    let timestamp = Timestamp::from_millisecond(instant.as_millis()).unwrap_or(if instant.as_millis() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    PARIS.to_datetime(timestamp)
}

/// The first instant at which clocks in Paris show this or, where they pass it over, what comes as long after.
pub(crate) fn instant_of(shown: DateTime) -> Instant {
    // The calendar ends a day later than its instants do, and in Paris begins earlier.
    let beyond = if shown.date() < Date::ZERO { Timestamp::MIN } else { Timestamp::MAX };
    Instant::from_millis(PARIS.to_timestamp(shown).unwrap_or(beyond).as_millisecond())
}

/// A civil day in Europe/Paris, stored and shown as `2026-11-25`. It has 23 or 25 hours when the clocks
/// change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

impl Day {
    /// The day that this instant belongs to. Instants beyond the calendar belong to its last or first day.
    #[must_use]
    pub fn of(instant: Instant) -> Self {
        Self(paris(instant).date())
    }

    /// Its first instant.
    #[must_use]
    pub fn starts_at(self) -> Instant {
        instant_of(self.0.to_datetime(Time::midnight()))
    }

    /// The first instant that is no longer of this day.
    #[must_use]
    pub fn ends_at(self) -> Instant {
        self.plus(1).starts_at()
    }

    /// The day that many days later, or earlier for a negative number; stays within the calendar.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        // A span of more days than the calendar has is refused by a panic.
        Self(self.0.saturating_add(days.clamp(-WHOLE_CALENDAR, WHOLE_CALENDAR).days()))
    }

    /// How many days there are from this one to `later`: 1 from one day to the next, negative if it is
    /// earlier.
    #[must_use]
    pub fn until(self, later: Self) -> i32 {
        self.0.until(later.0).map_or(0, |span| span.get_days())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Day {
    type Err = InvalidName;

    /// Reads `2026-11-25` and no other spelling: what is stored is compared as text, too.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.map(Self).ok_or_else(|| InvalidName::new("day", "a date such as 2026-11-25", text))
    }
}

impl TryFrom<String> for Day {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Duration;

    fn at(text: &str) -> Instant {
        Instant::from_millis(text.parse::<Timestamp>().unwrap().as_millisecond())
    }

    fn hours(day: &str) -> u64 {
        let day: Day = day.parse().unwrap();
        day.ends_at().since(day.starts_at()).as_secs() / 3600
    }

    #[test]
    fn a_day_begins_at_midnight_in_paris() {
        assert_eq!(Day::of(at("2026-11-24T22:59:59.999Z")).to_string(), "2026-11-24");
        assert_eq!(Day::of(at("2026-11-24T23:00:00Z")).to_string(), "2026-11-25");
        assert_eq!(Day::of(at("2026-07-13T21:59:59.999Z")).to_string(), "2026-07-13");
        assert_eq!(Day::of(at("2026-07-13T22:00:00Z")).to_string(), "2026-07-14");
    }

    #[test]
    fn a_day_has_23_or_25_hours_when_the_clocks_change() {
        assert_eq!([hours("2026-03-28"), hours("2026-03-29"), hours("2026-03-30")], [24, 23, 24]);
        assert_eq!([hours("2026-10-24"), hours("2026-10-25"), hours("2026-10-26")], [24, 25, 24]);
        // Both hours between 2 and 3 that night are of the same day.
        assert_eq!(Day::of(at("2026-10-25T00:30:00Z")), Day::of(at("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn days_are_counted_over_a_change_of_the_clocks_and_of_the_year() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(day("2026-10-24").until(day("2026-10-27")), 3);
        assert_eq!(day("2026-03-01").until(day("2026-02-28")), -1);
        assert_eq!(day("2026-12-31").plus(1), day("2027-01-01"));
        assert_eq!(day("2026-09-01").until(day("2027-07-04")), 306);
    }

    #[test]
    fn a_day_has_one_spelling() {
        for bad in ["", "2026-02-30", "20261125", "2026-11-25T00:00:00", "25/11/2026", " 2026-11-25"] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_still_has_a_day() {
        assert!(Day::of(Instant::from_millis(i64::MIN)) < Day::of(Instant::from_millis(i64::MAX)));
        let (first, last) = (
            Day::of(at("2026-01-01T00:00:00Z")).plus(i32::MIN),
            Day::of(at("2026-01-01T00:00:00Z")).plus(i32::MAX),
        );
        assert_eq!((first.plus(-1), last.plus(1)), (first, last));
        assert!(first.starts_at() < last.ends_at());
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_day_and_the_days_join(millis in 0_i64..4_102_444_800_000) {
            let now = Instant::from_millis(millis);
            let day = Day::of(now);
            prop_assert!(day.starts_at() <= now && now < day.ends_at());
            prop_assert_eq!(day.ends_at(), day.plus(1).starts_at());
            prop_assert_eq!(day.to_string().parse::<Day>(), Ok(day));
            prop_assert_eq!(Day::of(day.ends_at().minus(Duration::from_millis(1))), day);
        }
    }
}
