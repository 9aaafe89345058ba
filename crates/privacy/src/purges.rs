//! The account of purges: what was forgotten, what is due, what is late. What `ardoise privacy prove` shows.

use types::{Duration, Instant};

use crate::{Keeps, RetentionClass, TableDeclaration, cut_off};

/// What is due less than this long is not late: purges run once a day, and a night may be missed.
const GRACE: Duration = Duration::from_secs(2 * 86_400);

/// A purge that was done, as its row tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgeDone {
    /// The class.
    pub class: RetentionClass,
    /// When it ran.
    pub ran_at: Instant,
    /// It forgot what was older than this.
    pub older_than: Instant,
    /// How many rows it deleted or emptied.
    pub removed: u64,
}

/// The oldest row of a class that a purge could forget: the instant from which its term runs. Rows that a
/// rule still needs are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The class.
    pub class: RetentionClass,
    /// The instant of the oldest; `None`: there is none.
    pub oldest: Option<Instant>,
}

/// Where a class stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has no term: it goes with its reason.
    NoTerm,
    /// Nothing is older than its term allows.
    WithinTerm,
    /// Something is due, and the next purge will forget it.
    Due {
        /// For how long it has been due.
        since: Duration,
    },
    /// Something should have been forgotten.
    Overdue {
        /// How long it has been due.
        by: Duration,
    },
    /// Nobody looked: nothing is claimed.
    NotLookedAt,
}

impl Verdict {
    /// The code that programs know it by.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoTerm => "no-term",
            Self::WithinTerm => "within-term",
            Self::Due { .. } => "due",
            Self::Overdue { .. } => "overdue",
            Self::NotLookedAt => "not-looked-at",
        }
    }
}

/// One class in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The class.
    pub class: RetentionClass,
    /// The last purge.
    pub last: Option<PurgeDone>,
    /// How many rows all recorded purges forgot.
    pub removed: u64,
    /// The oldest row that is left.
    pub oldest: Option<Instant>,
    /// Where it stands.
    pub verdict: Verdict,
}

/// A dated account of purges done and due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeAccount {
    /// When it was drawn up.
    pub at: Instant,
    /// One line for each class that a table belongs to.
    pub lines: Vec<Line>,
}

impl PurgeAccount {
    /// Whether every class was looked at and none is overdue.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        let late = |line: &Line| matches!(line.verdict, Verdict::Overdue { .. } | Verdict::NotLookedAt);
        !self.lines.iter().any(late)
    }
}

/// Draws up the account: for each class that a declared table belongs to, from the purges that were recorded
/// and the oldest rows that are left. A class that has a term and is missing in `left` is shown as not looked
/// at.
#[must_use]
pub fn prove(
    declared: &[TableDeclaration],
    recorded: &[PurgeDone],
    left: &[Left],
    now: Instant,
) -> PurgeAccount {
    let in_use = |class: &&RetentionClass| declared.iter().any(|table| table.class == **class);
    let line = |class: &RetentionClass| {
        let class = *class;
        let purges = || recorded.iter().filter(move |purge| purge.class == class);
        let looked = left.iter().find(|left| left.class == class);
        let oldest = looked.and_then(|left| left.oldest);
        let verdict = match (class.rule().keeps, looked) {
            (Keeps::While(_), _) => Verdict::NoTerm,
            (Keeps::For { .. }, None) => Verdict::NotLookedAt,
            (Keeps::For { .. }, Some(_)) => verdict(class, oldest, now),
        };
        Line {
            class,
            last: purges().max_by_key(|purge| purge.ran_at).copied(),
            removed: purges().fold(0, |sum, purge| sum.saturating_add(purge.removed)),
            oldest,
            verdict,
        }
    };
    PurgeAccount { at: now, lines: RetentionClass::ALL.iter().filter(in_use).map(line).collect() }
}

fn verdict(class: RetentionClass, oldest: Option<Instant>, now: Instant) -> Verdict {
    let due_since = oldest.zip(cut_off(class, now)).map(|(oldest, cut_off)| cut_off.since(oldest));
    match due_since {
        None | Some(Duration::ZERO) => Verdict::WithinTerm,
        Some(since) if since <= GRACE => Verdict::Due { since },
        Some(by) => Verdict::Overdue { by },
    }
}
