//! The whole log, read part by part: to verify it here, or to take it away and verify it elsewhere.

use governance::Permission;
use governance::chain::{Anchor, Row, Seal, Verifier};
use serde_json::json;
use store::Tx;
use store::audit::{self, Link};
use types::Instant;

use super::may_check;
use super::report::{Account, Tail};
use crate::audit::Change;
use crate::{Fleet, Principal, Refusal};

/// How many seals one transaction reads, with their entries.
const SEALS: u32 = 100;
/// How many entries without a seal.
const ROWS: u32 = 1_000;

/// Where a reading has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The seals after this one.
    Seals(i64),
    /// The entries without a seal after this one.
    Rest(i64),
    /// The end.
    End,
}

/// One part of the log.
enum Part {
    Links(Vec<Link>),
    Rest(Vec<Row>),
}

/// The next part, and where to go on; `None` at the end.
fn part(tx: &mut Tx<'_>, place: Place) -> Result<(Option<Part>, Place), Refusal> {
    if let Place::Seals(after) = place {
        let links = audit::links(tx, after, SEALS)?;
        if let Some(last) = links.last() {
            let after = last.seal.number;
            return Ok((Some(Part::Links(links)), Place::Seals(after)));
        }
    }
    let after = match place {
        // In the transaction that found no more seals, so that nothing is sealed in between.
        Place::Seals(_) => i64::MIN,
        Place::Rest(after) => after,
        Place::End => return Ok((None, Place::End)),
    };
    let rows = audit::without_a_seal(tx, after, ROWS)?;
    Ok(match rows.last() {
        Some(last) => {
            let after = last.seq;
            (Some(Part::Rest(rows)), Place::Rest(after))
        }
        None => (None, Place::End),
    })
}

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many seals were read.
    pub seals: u64,
    /// Of how many.
    pub of: u64,
    /// How many entries.
    pub entries: u64,
}

/// What a step of a verification gave.
#[derive(Debug)]
pub enum Verified {
    /// It goes on.
    SoFar(Progress),
    /// It is over.
    Account(Box<Account>),
}

/// A verification under way.
#[derive(Debug)]
pub struct Verification {
    fleet: Fleet,
    principal: Principal,
    verifier: Verifier,
    place: Place,
    progress: Progress,
    tail: Option<Tail>,
}

impl Verification {
    /// Begins to verify the log, and holds it against these anchors.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub async fn begin(
        fleet: &Fleet,
        principal: &Principal,
        anchors: &[Anchor],
        now: Instant,
    ) -> Result<Self, Refusal> {
        let asking = principal.clone();
        let of = fleet
            .store()
            .read(move |tx| {
                may_check(tx, &asking, now)?;
                Ok::<_, Refusal>(audit::count_seals(tx)?)
            })
            .await?;
        Ok(Self {
            fleet: fleet.clone(),
            principal: principal.clone(),
            verifier: Verifier::new(anchors),
            place: Place::Seals(i64::MIN),
            progress: Progress { seals: 0, of, entries: 0 },
            tail: None,
        })
    }

    /// Reads the next part. Call it until it gives the account; `now` is the present of each call.
    ///
    /// # Errors
    /// [`Refusal::Store`]; [`Refusal::NotAllowed`] when the right was taken back meanwhile.
    pub async fn step(mut self, now: Instant) -> Result<(Verified, Option<Self>), Refusal> {
        let (place, principal) = (self.place, self.principal.clone());
        let (found, next) = self
            .fleet
            .store()
            .read(move |tx| {
                may_check(tx, &principal, now)?;
                part(tx, place)
            })
            .await?;
        self.place = next;
        match found {
            Some(Part::Links(links)) => {
                for Link { seal, rows } in &links {
                    self.verifier.seal(seal, rows);
                    self.progress.seals += 1;
                    self.progress.entries += count(rows);
                }
            }
            Some(Part::Rest(rows)) => {
                for row in &rows {
                    self.verifier.without_a_seal(row, now);
                    Tail::grow(&mut self.tail, row);
                }
                self.progress.entries += count(&rows);
            }
            None => {
                let account = Account { at: now, report: self.verifier.finish(), tail: self.tail };
                return Ok((Verified::Account(Box::new(account)), None));
            }
        }
        self.progress.of = self.progress.of.max(self.progress.seals);
        Ok((Verified::SoFar(self.progress), Some(self)))
    }

    /// To the end, telling on the way how far it is.
    ///
    /// # Errors
    /// As [`Verification::step`].
    pub async fn run(
        self,
        clock: impl Fn() -> Instant,
        mut told: impl FnMut(Progress),
    ) -> Result<Account, Refusal> {
        let mut going = self;
        loop {
            match going.step(clock()).await? {
                (Verified::Account(account), _) => return Ok(*account),
                (Verified::SoFar(progress), Some(on)) => {
                    told(progress);
                    going = on;
                }
                (Verified::SoFar(_), None) => {
                    return Err(Refusal::Internal("a verification stopped half-way".into()));
                }
            }
        }
    }
}

/// What an export holds, in this order: each seal before its entries, then the entries without a seal, then the end.
#[derive(Debug)]
pub enum Exported {
    /// A seal; the entries it binds follow.
    Seal(Seal),
    /// An entry.
    Entry(Row),
    /// All is said: a file without this was cut short.
    End {
        /// How many seals.
        seals: u64,
        /// How many entries.
        entries: u64,
        /// The last seal.
        anchor: Option<Anchor>,
    },
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    fleet: Fleet,
    principal: Principal,
    place: Place,
    seals: u64,
    entries: u64,
    anchor: Option<Anchor>,
}

impl Export {
    /// Begins an export, and has the log say so: what leaves the house is known to have left.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`]; this needs a code of the second factor.
    pub async fn begin(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Self, Refusal> {
        let asking = principal.clone();
        fleet
            .store()
            .write(move |tx| {
                asking.may_everywhere(tx, Permission::ExportAudit, now)?;
                let anchor = audit::last_seal(tx)?.map(|seal| seal.anchor().to_string());
                let change = Change::new("audit.export").detail(json!({ "anchor": anchor }));
                crate::audit::record(tx, &asking, change, now)
            })
            .await?;
        Ok(Self {
            fleet: fleet.clone(),
            principal: principal.clone(),
            place: Place::Seals(i64::MIN),
            seals: 0,
            entries: 0,
            anchor: None,
        })
    }

    /// The next lines; `None` after the last. The right to read is looked at again for each part; the code of the
    /// second factor was shown at the beginning, and a long log outlasts it.
    ///
    /// # Errors
    /// As [`Verification::step`].
    pub async fn step(mut self, now: Instant) -> Result<(Vec<Exported>, Option<Self>), Refusal> {
        let (place, principal) = (self.place, self.principal.clone());
        let (found, next) = self
            .fleet
            .store()
            .read(move |tx| {
                may_check(tx, &principal, now)?;
                part(tx, place)
            })
            .await?;
        self.place = next;
        let mut lines = Vec::new();
        match found {
            Some(Part::Links(links)) => {
                for Link { seal, rows } in links {
                    self.seals += 1;
                    self.entries += count(&rows);
                    self.anchor = Some(seal.anchor());
                    lines.push(Exported::Seal(seal));
                    lines.extend(rows.into_iter().map(Exported::Entry));
                }
            }
            Some(Part::Rest(rows)) => {
                self.entries += count(&rows);
                lines.extend(rows.into_iter().map(Exported::Entry));
            }
            None => {
                let end = Exported::End { seals: self.seals, entries: self.entries, anchor: self.anchor };
                return Ok((vec![end], None));
            }
        }
        Ok((lines, Some(self)))
    }
}

fn count(rows: &[Row]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}
