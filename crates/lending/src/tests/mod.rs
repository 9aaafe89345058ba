//! Tests of the room: tables of cases, properties, and a ledger that judges what random years did.
#![expect(clippy::disallowed_methods, reason = "tests make up the facts of rows")]

mod borrowing;
mod calendar;
mod decisions;
mod erasing;
mod ledger;
mod moving;
mod roster;
mod words;

use types::{Day, Duration, Instant};

const DAY: Duration = Duration::from_secs(86_400);

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Noon in Paris, whatever the clocks do that day.
fn noon(text: &str) -> Instant {
    day(text).starts_at().plus(Duration::from_secs(12 * 3_600))
}

fn year() -> crate::SchoolYear {
    crate::SchoolYear::new(
        "2027-2028",
        day("2027-09-01"),
        day("2028-08-31"),
        (day("2028-07-08"), day("2028-08-31")),
    )
    .unwrap()
}
