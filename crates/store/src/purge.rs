//! Forgetting what was kept for long enough (C3.1.6): for each class of retention that has a term, one
//! bounded batch, and the oldest row that is left.
//!
//! A batch is a function of a transaction: `purge::commands(tx, before, limit)` forgets at most `limit` rows
//! whose term began before `before` and says how many; whoever calls it repeats it until it says fewer, each
//! time in a transaction of its own. Batches find their rows by an index, so that a night without work costs
//! nothing.
//!
//! No batch touches what a rule still needs: a command that a tablet may still get; a dangerous one at all,
//! but for what the tablet answered; an alarm that nobody settled; the link of an invitation that nobody has
//! used; a second person's answer that is still waited for. Certificates, and what dangerous commands rest on, are never deleted: the tables forbid it. The
//! oldest row is looked for among what a batch could forget, so that what is needed is not taken for late.

mod people;
mod tablets;

use privacy::RetentionClass;
use types::Instant;

use crate::connection::AnyConnection;
use crate::{StoreError, Tx};

pub use people::{accounts, api_tokens, audit, countersignatures, person, persons, sessions};
pub use tablets::{alarms, challenges, commands, links, observations, orphans, takeovers};

/// The most that one batch forgets, whatever it is asked for: SQLite binds each row's key.
pub const MOST: u32 = 5_000;

/// How a class is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Purge {
    /// Forgets at most so many rows whose term began before an instant; says how many.
    pub batch: fn(&mut Tx<'_>, Instant, u32) -> Result<usize, StoreError>,
    /// When the term of the oldest row that could be forgotten began.
    pub oldest: fn(&mut Tx<'_>) -> Result<Option<Instant>, StoreError>,
}

/// How a class is forgotten; `None` for one that has no term.
#[must_use]
pub fn of(class: RetentionClass) -> Option<Purge> {
    use RetentionClass as Class;
    let purge = |batch, oldest| Some(Purge { batch, oldest });
    match class {
        Class::Observations => purge(observations, tablets::oldest_observation),
        Class::Commands => purge(commands, tablets::oldest_command),
        Class::Challenges => purge(challenges, tablets::oldest_challenge),
        Class::Links => purge(links, tablets::oldest_link),
        Class::Takeovers => purge(takeovers, tablets::oldest_takeover),
        Class::Orphans => purge(orphans, tablets::oldest_orphan),
        Class::Alarms => purge(alarms, tablets::oldest_alarm),
        Class::ApiTokens => purge(api_tokens, people::oldest_api_token),
        Class::Audit => purge(audit, people::oldest_body),
        Class::Sessions => purge(sessions, people::oldest_session),
        Class::Accounts => purge(accounts, people::oldest_closed_account),
        Class::Holders => purge(persons, people::oldest_person),
        Class::Countersignatures => purge(countersignatures, people::oldest_countersignature),
        Class::Equipment
        | Class::Configuration
        | Class::Organisations
        | Class::Work
        | Class::Evidence
        | Class::Loans
        | Class::Orders => None,
    }
}

/// What the queries of the batches are written for: both engines.
type Backend = <AnyConnection as diesel::Connection>::Backend;

fn most(limit: u32) -> i64 {
    i64::from(limit.min(MOST))
}

/// The smallest id that a row made at `instant` could have (UUIDv7). What was made earlier sorts before it,
/// so that the primary key finds what is old; a row that is old only because its id says so is not: each
/// query looks at the row's own instant too.
fn first_id_at(instant: Instant) -> String {
    const LAST: u64 = (1 << 48) - 1;
    let millis = u64::try_from(instant.as_millis()).unwrap_or(0).min(LAST);
    format!("{:08x}-{:04x}-7000-8000-000000000000", millis >> 16, millis & 0xffff)
}

fn instant(millis: Option<i64>) -> Option<Instant> {
    millis.map(Instant::from_millis)
}

#[cfg(test)]
mod tests {
    use types::CommandId;

    use super::*;

    #[test]
    fn the_first_id_of_an_instant_stands_between_the_ids_before_it_and_its_own() {
        for millis in [0, 1, 65_535, 65_536, 1_790_000_000_123] {
            let own = CommandId::new(Instant::from_millis(millis)).to_string();
            assert!(first_id_at(Instant::from_millis(millis)) <= own, "{millis}");
            assert!(own < first_id_at(Instant::from_millis(millis + 1)), "{millis}");
        }
        assert_eq!(first_id_at(Instant::from_millis(-1)), first_id_at(Instant::from_millis(0)));
        assert_eq!(first_id_at(Instant::from_millis(i64::MAX)), "ffffffff-ffff-7000-8000-000000000000");
    }
}
