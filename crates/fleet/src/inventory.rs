//! The inventory: which tablets may enrol at all (C3.3.4).

use std::collections::HashMap;

use governance::Permission;
use serde_json::json;
use store::tablets::{self, Tablet};
use store::{Tx, Within, enrolments, loans, repairs};
use types::{Instant, SerialNumber, TabletId};

use crate::audit::{self, Change};
use crate::csv_import::{self, InventoryLine};
use crate::lending::transfers;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal, segments};

/// Above this many lines the whole inventory is read at once, instead of a row for each line.
const READ_ALL_ABOVE: usize = 500;
/// Rows in one read of the whole inventory.
const BATCH: u32 = 1_000;

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Tablets that were not in the inventory.
    pub created: u64,
    /// Tablets whose row changed.
    pub updated: u64,
    /// Tablets that were there just so.
    pub unchanged: u64,
}

/// Imports a CSV of tablets. A serial number that is known keeps its tablet, with its enrolments and its
/// history; an empty asset tag or model keeps what was known.
///
/// # Errors
/// [`Refusal::BadInventory`] names every bad line; [`Refusal::Conflict`] names an enrolled tablet that would
/// change its platform. Nothing is half done.
pub async fn import(
    fleet: &Fleet,
    principal: &Principal,
    csv: &[u8],
    now: Instant,
) -> Result<Imported, Refusal> {
    let lines = csv_import::read(csv).map_err(Refusal::BadInventory)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ImportInventory, now)?;
            let mut known = known(tx, &lines)?;
            let mut imported = Imported::default();
            for line in &lines {
                match known.remove(&line.serial) {
                    None => {
                        tablets::insert(tx, &tablet(line, now))?;
                        imported.created += 1;
                    }
                    Some(before) => match merged(&before, line, now) {
                        None => imported.unchanged += 1,
                        Some(after) => {
                            keeps_its_platform(tx, &before, &after)?;
                            stays_while_it_is_lent(tx, &before, &after)?;
                            tablets::update(tx, &after)?;
                            if before.uai != after.uai {
                                transfers::moved(tx, &principal, after.id, now)?;
                            }
                            segments::changed(tx, &before, &after, now)?;
                            imported.updated += 1;
                        }
                    },
                }
            }
            let Imported { created, updated, unchanged } = imported;
            let detail = json!({ "created": created, "updated": updated, "unchanged": unchanged });
            audit::record(tx, &principal, Change::new("inventory.import").detail(detail), now)?;
            Ok(imported)
        })
        .await
}

/// The inventory, in the order of the tablets' ids.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<TabletId>,
    now: Instant,
) -> Result<Listed<Tablet>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            let rows = tablets::list(tx, &within, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |tablet| tablet.id.to_string()))
        })
        .await
}

/// The tablets of these lines that are in the inventory.
fn known(tx: &mut Tx<'_>, lines: &[InventoryLine]) -> Result<HashMap<SerialNumber, Tablet>, Refusal> {
    let mut known = HashMap::new();
    if lines.len() <= READ_ALL_ABOVE {
        for line in lines {
            if let Some(tablet) = tablets::by_serial(tx, &line.serial)? {
                known.insert(tablet.serial.clone(), tablet);
            }
        }
        return Ok(known);
    }
    let mut after = None;
    loop {
        let rows = tablets::list(tx, &Within::Everything, after, BATCH)?;
        match rows.last() {
            None => return Ok(known),
            Some(last) => after = Some(last.id),
        }
        known.extend(rows.into_iter().map(|tablet| (tablet.serial.clone(), tablet)));
    }
}

fn tablet(line: &InventoryLine, now: Instant) -> Tablet {
    Tablet {
        id: TabletId::new(now),
        serial: line.serial.clone(),
        asset_tag: filled(&line.asset_tag),
        model: filled(&line.model),
        platform: line.platform,
        uai: Some(line.uai.clone()),
        created_at: now,
        updated_at: now,
    }
}

/// The row as the line changes it; `None` if it does not.
fn merged(before: &Tablet, line: &InventoryLine, now: Instant) -> Option<Tablet> {
    let mut after = before.clone();
    after.asset_tag = filled(&line.asset_tag).or(after.asset_tag);
    after.model = filled(&line.model).or(after.model);
    after.platform = line.platform;
    after.uai = Some(line.uai.clone());
    (after != *before).then_some(Tablet { updated_at: now, ..after })
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A loan is of the collège that made it, and so is what is at the supplier's: no file moves either.
fn stays_while_it_is_lent(tx: &mut Tx<'_>, before: &Tablet, after: &Tablet) -> Result<(), Refusal> {
    if before.uai == after.uai || before.uai.is_none() {
        return Ok(());
    }
    let serial = &before.serial;
    if let Some(loan) = loans::live_of_tablet(tx, before.id)? {
        return Err(Refusal::Conflict(format!(
            "tablet {serial} is lent by its collège (loan {}): receive it first, and have it transferred",
            loan.id
        )));
    }
    if repairs::standing_of_tablet(tx, before.id)?.is_some_and(|repair| repair.closed_at.is_none()) {
        return Err(Refusal::Conflict(format!(
            "tablet {serial} is at its supplier’s: record that it is back"
        )));
    }
    Ok(())
}

/// What an enrolled tablet runs is known better by itself than by a file.
fn keeps_its_platform(tx: &mut Tx<'_>, before: &Tablet, after: &Tablet) -> Result<(), Refusal> {
    if before.platform == after.platform || enrolments::live_of_tablet(tx, before.id)?.is_none() {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "tablet {} is enrolled as `{}`, the file says `{}`; correct the file; nothing was changed",
        before.serial, before.platform, after.platform
    )))
}
