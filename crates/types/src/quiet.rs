//! Quiet hours: when tablets are left alone unless something is urgent.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Time;

use crate::day::{instant_of, paris};
use crate::{Instant, InvalidName};

/// The part of every day, in Europe/Paris, in which tablets are woken only for what is urgent. Written
/// `22:00-06:30`: the last minute before it is 21:59, the first after it 06:30.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

impl QuietHours {
    /// When the quiet hours end in which this instant lies; `None` if it lies in none. Always later than the instant.
    #[must_use]
    pub fn end_after(self, instant: Instant) -> Option<Instant> {
        let local = paris(instant);
        let (date, time) = (local.date(), local.time());
        let overnight = self.from > self.to;
        let ends_on = match (overnight, time >= self.from, time < self.to) {
            (false, true, true) | (true, false, true) => date,
            (true, true, _) => date.saturating_add(1.day()),
            _ => return None,
        };
        // The hour that comes twice in autumn ends the first time.
        Some(instant_of(ends_on.to_datetime(self.to))).filter(|end| *end > instant)
    }
}

impl FromStr for QuietHours {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let expected = "two different times of day, such as `22:00-06:30`";
        let refused = || InvalidName::new("part of a day", expected, text);
        let (from, to) = text.split_once('-').ok_or_else(refused)?;
        let (from, to) = (time(from).ok_or_else(refused)?, time(to).ok_or_else(refused)?);
        if from == to { Err(refused()) } else { Ok(Self { from, to }) }
    }
}

/// `06:30`, and nothing shorter or longer.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let written = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        written.then(|| text.parse().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        let timestamp: jiff::Timestamp = text.parse().unwrap();
        Instant::from_millis(timestamp.as_millisecond())
    }

    #[test]
    fn quiet_hours_end_when_they_say_in_summer_in_winter_and_when_the_clocks_change() {
        // Quiet hours, the instant, and when they end; Paris is two hours before UTC in summer, one in winter.
        for (quiet, now, end) in [
            ("22:00-06:30", "2026-11-25T20:59:59Z", None),
            ("22:00-06:30", "2026-11-25T21:00:00Z", Some("2026-11-26T05:30:00Z")),
            ("22:00-06:30", "2026-11-26T05:29:59Z", Some("2026-11-26T05:30:00Z")),
            ("22:00-06:30", "2026-11-26T05:30:00Z", None),
            ("22:00-06:30", "2026-07-01T20:00:00Z", Some("2026-07-02T04:30:00Z")),
            ("12:00-14:00", "2026-11-25T11:00:00Z", Some("2026-11-25T13:00:00Z")),
            ("12:00-14:00", "2026-11-25T10:59:00Z", None),
            ("12:00-14:00", "2026-11-25T13:00:00Z", None),
            ("00:00-06:00", "2026-11-25T23:00:00Z", Some("2026-11-26T05:00:00Z")),
            // The night that lacks 02:00 to 03:00 ends an hour sooner.
            ("22:00-06:30", "2026-03-28T21:00:00Z", Some("2026-03-29T04:30:00Z")),
            ("22:00-02:30", "2026-03-29T00:30:00Z", Some("2026-03-29T01:30:00Z")),
            // The one that has it twice ends the first time.
            ("22:00-02:30", "2026-10-25T00:15:00Z", Some("2026-10-25T00:30:00Z")),
            ("22:00-02:30", "2026-10-25T01:15:00Z", None),
        ] {
            let hours: QuietHours = quiet.parse().unwrap();
            assert_eq!(hours.to_string(), quiet);
            assert_eq!(hours.end_after(at(now)), end.map(at), "{quiet} at {now}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_day_is_refused() {
        for text in
            ["", "22:00", "22:00-22:00", "24:00-06:00", "22:60-06:00", "9:00-10:00", "-", "22:00 - 06:30"]
        {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
    }
}
