//! How the memory is doing: what waits, what is slow, what failed, since the store was opened.
//!
//! A slow statement is logged with the enrolment or the certificate it is about, and without any of its values: these
//! may be about people.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::InstrumentationEvent;
use types::EnrolmentId;
use types::meter::{Counter, Timer, Times};

use crate::Digest;

/// What is counted while the store is open.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) statements: Counter,
    pub(crate) slow_statements: Counter,
    pub(crate) turns: Timer,
    pub(crate) busy: Counter,
    pub(crate) lost_links: Counter,
    pub(crate) contended: Counter,
    pub(crate) batches: Counter,
    pub(crate) batches_retried: Counter,
    pub(crate) panics: Counter,
    pub(crate) looks: Timer,
    pub(crate) look_batches: Counter,
    pub(crate) taken_in: Counter,
    pub(crate) answered: Counter,
    pub(crate) commits: Timer,
}

/// How the memory is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Statements that were sent, `BEGIN` and `COMMIT` included.
    pub statements: u64,
    /// Statements that took longer than [`StoreOptions::slow`](crate::StoreOptions::slow).
    pub slow_statements: u64,
    /// How long requests waited for their turn.
    pub turns: Times,
    /// Batches of what is looked up together (connects, tokens of the API).
    pub look_batches: u64,
    /// How long that took, from being asked to being answered.
    pub looks: Times,
    /// Requests that were told to come back because too many waited.
    pub busy: u64,
    /// Connections to the database that were lost and replaced.
    pub lost_links: u64,
    /// Transactions that met others on their rows, and were run again.
    pub contended: u64,
    /// Batches that share a commit (tablets' answers and check-ins, people's commands), committed or tried.
    pub batches: u64,
    /// Batches that failed, and were written one by one.
    pub batches_retried: u64,
    /// Transactions of theirs that panicked: defects.
    pub panics: u64,
    /// What waits for its commit now.
    pub answers_waiting: u64,
    /// How long it waited for its commit.
    pub commits: Times,
}

impl Meters {
    pub(crate) fn read(&self) -> Vitals {
        Vitals {
            statements: self.statements.get(),
            slow_statements: self.slow_statements.get(),
            turns: self.turns.read(),
            look_batches: self.look_batches.get(),
            looks: self.looks.read(),
            busy: self.busy.get(),
            lost_links: self.lost_links.get(),
            contended: self.contended.get(),
            batches: self.batches.get(),
            batches_retried: self.batches_retried.get(),
            panics: self.panics.get(),
            answers_waiting: self.taken_in.get().saturating_sub(self.answered.get()),
            commits: self.commits.read(),
        }
    }
}

/// Whom the statements of this thread are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Nobody,
    /// Several tablets that connect, of which this is the first.
    Certificates(Digest, usize),
    Enrolment(EnrolmentId),
    /// Several tablets, of which this is the first.
    Batch(EnrolmentId, usize),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("no tablet in particular"),
            Self::Certificates(first, 0) => write!(f, "certificate {first}"),
            Self::Certificates(first, others) => write!(f, "certificate {first} and {others} others"),
            Self::Enrolment(id) => write!(f, "enrolment {id}"),
            Self::Batch(first, others) => write!(f, "enrolment {first} and {others} others"),
        }
    }
}

thread_local! {
    static ABOUT: Cell<About> = const { Cell::new(About::Nobody) };
}

/// Says whom the statements of this thread are about from now on.
pub(crate) fn about(whom: About) {
    ABOUT.set(whom);
}

/// What listens to a connection: counts its statements, and logs those that are slow.
pub(crate) fn listener(
    meters: Arc<Meters>,
    slow: Duration,
) -> impl FnMut(InstrumentationEvent<'_>) + Send + 'static {
    let mut began: Option<Instant> = None;
    move |event| match event {
        InstrumentationEvent::StartQuery { .. } => {
            meters.statements.one();
            began = Some(Instant::now());
        }
        InstrumentationEvent::FinishQuery { query, .. } => {
            let Some(took) = began.take().map(|began| began.elapsed()).filter(|took| *took >= slow) else {
                return;
            };
            meters.slow_statements.one();
            let statement = query.to_string();
            tracing::warn!(
                about = %ABOUT.get(),
                millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                statement = without_values(&statement),
                "a slow statement"
            );
        }
        _ => {}
    }
}

/// The text of a statement as diesel shows it, without the values that follow.
fn without_values(shown: &str) -> &str {
    shown.split_once(" -- binds:").map_or(shown, |(statement, _values)| statement)
}

#[cfg(test)]
mod tests {
    use diesel::{ExpressionMethods as _, QueryDsl as _};

    use super::*;
    use crate::schema::tablets;

    #[test]
    fn a_slow_statement_is_shown_without_its_values() {
        let query = tablets::table.filter(tablets::serial.eq("DMPXSECRET01")).select(tablets::id);
        let shown = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
        assert!(shown.contains("DMPXSECRET01"), "{shown}");
        let told = without_values(&shown);
        assert!(told.contains("FROM `tablets`") && !told.contains("DMPXSECRET01"), "{told}");
    }
}
