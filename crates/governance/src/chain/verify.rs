//! Reads the chain again, and says in words where it is not whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use types::{Digest, Duration, Instant};

use super::row::{Body, Row, body_digest};
use super::seal::{Anchor, Seal, in_order, nothing_before, root};

/// How long a row may stand without a seal, and how far dates may stand out of order. A sealer works every
/// second; transactions are short.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Where the chain is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A seal is missing, or the first is not number 1.
    SealMissing {
        /// Its number.
        number: i64,
    },
    /// A seal does not continue the one before it.
    Unlinked {
        /// Its number.
        number: i64,
    },
    /// A seal's own fields are not those it was set with.
    SealEdited {
        /// Its number.
        number: i64,
    },
    /// A seal binds another number of rows than there are.
    RowCount {
        /// Its number.
        number: i64,
        /// How many it binds.
        bound: u32,
        /// How many there are.
        found: usize,
    },
    /// The rows of a seal are not those it was set over.
    RowsEdited {
        /// Its number.
        number: i64,
        /// The lowest number of its rows.
        first_seq: i64,
        /// The highest.
        last_seq: i64,
    },
    /// The reason or detail of a row is not what was written.
    BodyEdited {
        /// Its number.
        seq: i64,
    },
    /// A row was emptied in part.
    HalfPurged {
        /// Its number.
        seq: i64,
    },
    /// A row names a seal that there is not.
    UnknownSeal {
        /// Its number.
        seq: i64,
        /// The seal it names.
        number: i64,
    },
    /// A row is dated at a time when rows of higher numbers had been sealed, or when what was written then
    /// had been sealed without it.
    PutIn {
        /// Its number.
        seq: i64,
        /// When it says it happened.
        at: Instant,
        /// When that was sealed.
        sealed: Instant,
    },
    /// A row has no seal, long after it was written.
    Unsealed {
        /// Its number.
        seq: i64,
        /// When it says it happened.
        at: Instant,
    },
    /// Two rows have one number.
    Twice {
        /// The number.
        seq: i64,
    },
    /// The seal that was anchored is not there any more: the end was cut off.
    AnchorMissing {
        /// The anchor.
        anchor: Anchor,
    },
    /// The seal that was anchored is another one now: the chain was computed anew.
    AnchorDiffers {
        /// The anchor.
        anchor: Anchor,
        /// What stands there now.
        found: Digest,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SealMissing { number } => write!(f, "seal {number} is missing"),
            Self::Unlinked { number } => {
                write!(f, "seal {number} does not continue the seal before it: one of the two was replaced")
            }
            Self::SealEdited { number } => {
                write!(f, "seal {number} was edited: its digest is not that of its fields")
            }
            Self::RowCount { number, bound, found } => {
                write!(
                    f,
                    "seal {number} binds {bound} rows, and there are {found}: rows were removed or put in"
                )
            }
            Self::RowsEdited { number, first_seq, last_seq } => write!(
                f,
                "a row between {first_seq} and {last_seq}, under seal {number}, was edited, removed or put in"
            ),
            Self::BodyEdited { seq } => write!(f, "the reason or detail of row {seq} was edited"),
            Self::HalfPurged { seq } => {
                write!(f, "row {seq} was emptied in part, which no purge does: it can no longer be checked")
            }
            Self::UnknownSeal { seq, number } => {
                write!(f, "row {seq} names seal {number}, which there is not")
            }
            Self::PutIn { seq, at, sealed } => write!(
                f,
                "row {seq}, dated {at}, does not fit what was sealed at {sealed}: it was put in afterwards"
            ),
            Self::Unsealed { seq, at } => write!(
                f,
                "row {seq}, dated {at}, has no seal: it was put in afterwards, or nothing has sealed since; see \
                 that `ardoise serve` runs, and verify again"
            ),
            Self::Twice { seq } => write!(f, "two rows have the number {seq}"),
            Self::AnchorMissing { anchor } => write!(
                f,
                "seal {} was anchored, and is not there: the end of the log was cut off, or an older backup \
                 restored",
                anchor.number
            ),
            Self::AnchorDiffers { anchor, found } => write!(
                f,
                "seal {} was anchored as {} and is now {found}: the chain was computed anew",
                anchor.number, anchor.digest
            ),
        }
    }
}

/// What an auditor should know, and what breaks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// A seal is dated long before what it continues or binds.
    ClockSetBack {
        /// The number of the seal.
        number: i64,
        /// When it says it was set.
        at: Instant,
        /// The later date before it.
        after: Instant,
    },
    /// A row was sealed long after it was written, and nothing was sealed between the two.
    SealedLate {
        /// The number of the seal.
        number: i64,
        /// The oldest of its rows.
        oldest: Instant,
        /// When it was set.
        at: Instant,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClockSetBack { number, at, after } => {
                write!(
                    f,
                    "seal {number} is dated {at}, and follows something of {after}: the clock was set back"
                )
            }
            Self::SealedLate { number, oldest, at } => {
                write!(f, "seal {number} of {at} binds a row of {oldest}: nothing was sealed between the two")
            }
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Where the chain is not whole, in the order of reading.
    pub findings: Vec<Finding>,
    /// What else an auditor should know.
    pub remarks: Vec<Remark>,
    /// How many seals were read.
    pub seals: u64,
    /// How many rows, sealed or not.
    pub rows: u64,
    /// How many of them are purged.
    pub purged: u64,
    /// How many have no seal yet.
    pub unsealed: u64,
    /// The last seal, to be anchored elsewhere.
    pub last: Option<Anchor>,
}

impl Report {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Reads a chain seal by seal, so that a log of any length is verified in little memory: first each seal with
/// its rows, then the rows that belong to no seal.
#[derive(Debug)]
pub struct Verifier {
    anchors: BTreeMap<i64, Vec<Digest>>,
    previous: Option<Seal>,
    /// The highest number of a row sealed so far, each time it rose, and when.
    progress: Vec<(i64, Instant)>,
    report: Report,
}

impl Verifier {
    /// A verifier that holds the chain against these anchors.
    #[must_use]
    pub fn new(anchors: &[Anchor]) -> Self {
        let mut by_number: BTreeMap<i64, Vec<Digest>> = BTreeMap::new();
        for anchor in anchors {
            by_number.entry(anchor.number).or_default().push(anchor.digest);
        }
        Self { anchors: by_number, previous: None, progress: Vec::new(), report: Report::default() }
    }

    /// The next seal, and every row whose `seal_number` is its number.
    pub fn seal(&mut self, seal: &Seal, rows: &[Row]) {
        let number = seal.number;
        self.report.seals += 1;
        let expected = self.previous.as_ref().map_or(1, |previous| previous.number.saturating_add(1));
        if number != expected {
            self.find(Finding::SealMissing { number: expected });
        } else if seal.previous
            != self.previous.as_ref().map_or_else(nothing_before, |previous| previous.digest)
        {
            self.find(Finding::Unlinked { number });
        }
        if seal.computed() != seal.digest {
            self.find(Finding::SealEdited { number });
        }
        for digest in self.anchors.remove(&number).unwrap_or_default() {
            if digest != seal.digest {
                let anchor = Anchor { number, digest };
                self.find(Finding::AnchorDiffers { anchor, found: seal.digest });
            }
        }
        self.rows_of(seal, rows);
        self.previous = Some(seal.clone());
    }

    fn rows_of(&mut self, seal: &Seal, rows: &[Row]) {
        let rows = in_order(rows);
        let range = rows.first().zip(rows.last()).map(|(first, last)| (first.seq, last.seq));
        if usize::try_from(seal.row_count) != Ok(rows.len()) {
            self.find(Finding::RowCount { number: seal.number, bound: seal.row_count, found: rows.len() });
        } else if root(&rows) != seal.root || range != Some((seal.first_seq, seal.last_seq)) {
            let (first_seq, last_seq) = (seal.first_seq, seal.last_seq);
            self.find(Finding::RowsEdited { number: seal.number, first_seq, last_seq });
        }
        let before = self.previous.as_ref().map(|previous| previous.at);
        for row in &rows {
            self.row(row);
            // Whoever sealed before would have seen it, unless the clock was set back since.
            if let Some(before) = before.map(|before| before.min(seal.at))
                && row.at.plus(PATIENCE) < before
            {
                self.find(Finding::PutIn { seq: row.seq, at: row.at, sealed: before });
            }
        }
        self.times_of(seal, before, &rows);
        if self.progress.last().is_none_or(|(highest, _at)| *highest < seal.last_seq) {
            self.progress.push((seal.last_seq, seal.at));
        }
    }

    fn times_of(&mut self, seal: &Seal, before: Option<Instant>, rows: &[&Row]) {
        let (number, at) = (seal.number, seal.at);
        let times = || rows.iter().map(|row| row.at);
        if let Some(after) = times().chain(before).max()
            && at.plus(PATIENCE) < after
        {
            self.report.remarks.push(Remark::ClockSetBack { number, at, after });
        }
        if let Some(oldest) = times().min()
            && oldest.plus(PATIENCE) < at
        {
            self.report.remarks.push(Remark::SealedLate { number, oldest, at });
        }
    }

    /// A row whose body is looked at, sealed or not.
    fn row(&mut self, row: &Row) {
        self.report.rows += 1;
        // A transaction that commits late has a number among those that are sealed, and is of their time.
        let later = self.progress.partition_point(|(highest, _at)| *highest <= row.seq);
        if let Some((_highest, sealed)) = self.progress.get(later)
            && sealed.plus(PATIENCE) < row.at
        {
            self.find(Finding::PutIn { seq: row.seq, at: row.at, sealed: *sealed });
        }
        match (&row.body, row.body_digest) {
            // A row of a program that knew no digests: it gets its own when it is sealed.
            (_, None) if row.seal_number.is_none() => {}
            (Body::Purged, _) => self.report.purged += 1,
            (Body::HalfPurged, _) => self.find(Finding::HalfPurged { seq: row.seq }),
            (Body::Kept { salt, reason, detail }, digest) => {
                if Some(body_digest(salt, reason.as_deref(), detail.as_deref())) != digest {
                    self.find(Finding::BodyEdited { seq: row.seq });
                }
            }
        }
    }

    /// A row that names no seal, or a seal that there is not; after all seals.
    pub fn without_a_seal(&mut self, row: &Row, now: Instant) {
        self.row(row);
        self.report.unsealed += 1;
        if let Some(number) = row.seal_number {
            self.find(Finding::UnknownSeal { seq: row.seq, number });
            return;
        }
        if row.at.plus(PATIENCE) < now {
            self.find(Finding::Unsealed { seq: row.seq, at: row.at });
        }
    }

    /// What was found, once everything was read.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let missing: Vec<_> = std::mem::take(&mut self.anchors)
            .into_iter()
            .flat_map(|(number, digests)| digests.into_iter().map(move |digest| Anchor { number, digest }))
            .collect();
        for anchor in missing {
            self.find(Finding::AnchorMissing { anchor });
        }
        self.report.last = self.previous.as_ref().map(Seal::anchor);
        self.report
    }

    fn find(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }
}

/// Verifies a chain that is all in memory, in whatever order its rows come.
#[must_use]
pub fn verify(seals: &[Seal], rows: &[Row], anchors: &[Anchor], now: Instant) -> Report {
    let mut verifier = Verifier::new(anchors);
    let mut seals: Vec<_> = seals.iter().collect();
    seals.sort_by_key(|seal| seal.number);
    let numbers: BTreeSet<_> = seals.iter().map(|seal| seal.number).collect();
    let mut by_seal: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    let mut rest = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        if !seen.insert(row.seq) {
            verifier.find(Finding::Twice { seq: row.seq });
        }
        match row.seal_number {
            Some(number) if numbers.contains(&number) => by_seal.entry(number).or_default().push(row.clone()),
            _ => rest.push(row),
        }
    }
    for seal in seals {
        verifier.seal(seal, &by_seal.remove(&seal.number).unwrap_or_default());
    }
    for row in rest {
        verifier.without_a_seal(row, now);
    }
    verifier.finish()
}
