//! Tablets that lie on the counter: which they are, and what becomes of all of them in one transaction (C5.3.5, M5).
//!
//! A class is scanned at once. What is known of its tablets is read together and written together, so that the statements do
//! not grow with their number.

use std::collections::{BTreeMap, BTreeSet};

use governance::Reach;
use governance::brake::What;
use lending::loan::Ending;
use serde_json::json;
use store::loans::{self, Loan};
use store::restitutions::{self as rows, Restitution};
use store::tablets::Tablet;
use store::{Tx, repairs};
use types::{AccountId, CountersignatureId, EraseOrderId, Instant, LoanId, RestitutionId, TabletId};

use super::modes;
use super::refusals::refused;
use super::restitutions::Scanned;
use crate::audit::{self, Change};
use crate::brake::{Deed, Judged, judge};
use crate::coming_in::Person;
use crate::csv_import::{self, clip};
use crate::{Principal, Refusal};

/// What a second person is told that the acts are for.
const REASON: &str = "restitution";

/// Tablets that were taken back.
pub(super) struct Taken {
    /// Their restitutions, and whether each had been received before.
    pub(super) receipts: Vec<(Restitution, bool)>,
    /// The answer of a second person that their erasures wait for.
    pub(super) held: Option<CountersignatureId>,
    /// Whether the brake has counted them.
    pub(super) counted: bool,
}

/// Takes tablets back: their loans end, and the brake counts their erasures against whoever receives them (M5). `found` says
/// which tablet each is that was scanned, in the same order. What is known of them is read at once, and what becomes of them
/// is written at once: the statements do not grow with their number.
pub(super) fn take(
    tx: &mut Tx<'_>,
    principal: &Principal,
    person: &Person,
    (scanned, found): (&[Scanned], Vec<Result<Tablet, Refusal>>),
    now: Instant,
) -> Result<Taken, Refusal> {
    let by = person.standing.account();
    let mut counter = Counter::of(tx, found.iter().filter_map(|found| found.as_ref().ok()))?;
    let (mut deeds, mut changes) = (Vec::new(), Vec::new());
    let mut found = found.into_iter();
    let receipts = each(
        scanned,
        |one| one.tablet.as_str(),
        |one| {
            let none = || Err(Refusal::Internal("a tablet was scanned and not looked for".into()));
            let tablet = found.next().unwrap_or_else(none)?;
            let (row, already) = counter.received(&tablet, one, by, now)?;
            if !already {
                deeds.push(Deed {
                    what: What::Restitution,
                    tablet: tablet.id,
                    college: tablet.uai,
                    reference: row.counted_order_id.to_string(),
                });
                let detail = json!({ "restitution": row.id, "loan": row.loan_id, "saved": one.saved });
                changes.push(Change::new("restitution.receive").tablet(Some(tablet.id)).detail(detail));
            }
            Ok((row, already))
        },
    )?;
    counter.write(tx)?;
    audit::record_all(tx, principal, changes, now)?;
    let (held, counted) = match deeds.as_slice() {
        [] => (None, true),
        deeds => match judge(tx, person, deeds, REASON, now) {
            Ok(Judged::Go) => (None, true),
            Ok(Judged::Held(asked)) => (Some(asked), true),
            Err(Refusal::Stopped(_)) => (None, false),
            Err(other) => return Err(other),
        },
    };
    Ok(Taken { receipts, held, counted })
}

/// What is known of the tablets that lie on the counter, and what is to be written of them.
struct Counter {
    last_loans: BTreeMap<TabletId, Loan>,
    receipts: BTreeMap<LoanId, Restitution>,
    at_supplier: BTreeSet<LoanId>,
    new: Vec<Restitution>,
    over: Vec<Loan>,
}

impl Counter {
    fn of<'t>(tx: &mut Tx<'_>, tablets: impl Iterator<Item = &'t Tablet> + Clone) -> Result<Self, Refusal> {
        let last_loans = loans::last_of_tablets(tx, tablets.clone().map(|tablet| tablet.id))?;
        let receipts = rows::of_loans(tx, last_loans.values().map(|loan| loan.id))?;
        let away = repairs::standing_of_tablets(tx, tablets.map(|tablet| tablet.id))?;
        Ok(Self {
            last_loans,
            receipts: receipts.into_iter().map(|row| (row.loan_id, row)).collect(),
            at_supplier: away.into_iter().filter_map(|repair| repair.loan_id).collect(),
            new: Vec::new(),
            over: Vec::new(),
        })
    }

    /// The receipt of a tablet, new or as it stands.
    fn received(
        &mut self,
        tablet: &Tablet,
        scanned: &Scanned,
        by: AccountId,
        now: Instant,
    ) -> Result<(Restitution, bool), Refusal> {
        let serial = &tablet.serial;
        let lent_to_nobody =
            || Refusal::Conflict(format!("tablet {serial} was lent to nobody: there is nothing to receive"));
        let loan = self.last_loans.get(&tablet.id).ok_or_else(lent_to_nobody)?;
        if let Some(row) = self.receipts.get(&loan.id) {
            return Ok((row.clone(), true));
        }
        if self.at_supplier.contains(&loan.id) {
            return Err(Refusal::Conflict(format!(
                "tablet {serial} is at its supplier’s: record that it is back, or that another came in its place"
            )));
        }
        let row = receipt(tablet, loan, scanned, by, now);
        let decided = loan.decided()?;
        if decided.goes_on() {
            let over = decided.end(Ending::GivenBack, now).map_err(|why| refused(&why))?;
            self.over.push(loan.standing(&over, now));
        }
        self.new.push(row.clone());
        self.receipts.insert(loan.id, row.clone());
        Ok((row, false))
    }

    /// Writes it: a receipt is of a loan that is over.
    fn write(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        loans::stand_all(tx, &self.over)?;
        rows::insert_all(tx, &self.new)?;
        let tablets: Vec<TabletId> = self.new.iter().map(|row| row.tablet_id).collect();
        modes::all_came_back(tx, &tablets)
    }
}

/// The tablet that was scanned, if it is within reach; to others it does not exist (T-C1).
pub(super) fn find(tx: &mut Tx<'_>, scanned: &str, reach: &Reach) -> Result<Tablet, Refusal> {
    crate::tablets::within(tx, &scanned.trim().parse()?, reach)
}

/// As [`find`], each of those that were scanned: a handful of statements, however many they are.
pub(super) fn find_all<'s>(
    tx: &mut Tx<'_>,
    scanned: impl Iterator<Item = &'s str>,
    reach: &Reach,
) -> Result<Vec<Result<Tablet, Refusal>>, Refusal> {
    let (mut named, mut found) = (Vec::new(), Vec::new());
    for one in scanned {
        match one.trim().parse() {
            Ok(name) => {
                named.push(name);
                found.push(None);
            }
            Err(unreadable) => found.push(Some(Err(unreadable))),
        }
    }
    let mut looked_up = crate::tablets::all_within(tx, &named, reach)?.into_iter();
    let none = || Err(Refusal::Internal("a tablet was scanned and not looked for".into()));
    Ok(found.into_iter().map(|it| it.unwrap_or_else(|| looked_up.next().unwrap_or_else(none))).collect())
}

/// Does something with each tablet of a row that was scanned. If it cannot be done with some, each is told by its place in the
/// row and by what was scanned, and the transaction is not to be committed; one that was scanned alone is told as such.
pub(super) fn each<T, D>(
    row: &[T],
    scanned: impl Fn(&T) -> &str,
    mut done: impl FnMut(&T) -> Result<D, Refusal>,
) -> Result<Vec<D>, Refusal> {
    let (mut all, mut bad) = (Vec::with_capacity(row.len()), Vec::new());
    for (line, one) in (1..).zip(row) {
        match done(one) {
            Ok(it) => all.push(it),
            Err(
                of_this @ (Refusal::NotFound { .. }
                | Refusal::Worded(_)
                | Refusal::Conflict(_)
                | Refusal::Forbidden { .. }),
            ) if row.len() > 1 => {
                let (scanned, why) = (clip(scanned(one).trim()), of_this.to_string());
                let named = why.contains(&scanned);
                bad.push(csv_import::bad(line, if named { why } else { format!("`{scanned}`: {why}") }));
            }
            Err(other) => return Err(other),
        }
    }
    if bad.is_empty() { Ok(all) } else { Err(Refusal::BadScans(bad)) }
}

/// What is written of a tablet that is received.
fn receipt(tablet: &Tablet, loan: &Loan, scanned: &Scanned, by: AccountId, now: Instant) -> Restitution {
    let row = Restitution {
        id: RestitutionId::new(now),
        tablet_id: tablet.id,
        loan_id: loan.id,
        uai: tablet.uai.clone().unwrap_or_else(|| loan.uai.clone()),
        received_at: now,
        received_by: by,
        accessories: scanned.accessories.iter().map(|name| name.trim().to_owned()).collect(),
        condition: scanned.condition.clone(),
        counted_order_id: EraseOrderId::new(now),
        saved_at: scanned.saved.then_some(now),
        saved_by: scanned.saved.then_some(by),
        held_for_check: false,
        stage: rows::StageName::Received,
        order_id: None,
        acknowledged_at: None,
        proof: None,
        proof_ref: None,
        changed_at: now,
        loan_stood: None,
        loan_suspension: None,
        loan_since: None,
        loan_deposited_since: None,
    };
    row.ending(loan)
}
