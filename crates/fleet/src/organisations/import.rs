//! All collèges at once, from a list: every bad line is named, and nothing is half done.

use governance::{OrganisationState, Permission};
use serde_json::json;
use store::organisations::{self as rows, Organisation};
use types::{Instant, OrganisationKind};

use super::{colleges_csv, new_row};
use crate::audit::{self, Change};
use crate::csv_import::bad;
use crate::{Fleet, Principal, Refusal};

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Collèges that there were not.
    pub created: u64,
    /// Collèges that have another name now.
    pub renamed: u64,
    /// Collèges that were there just so.
    pub unchanged: u64,
}

/// Imports a CSV with the columns `uai` and `name`. A collège that is known keeps what it decided.
///
/// # Errors
/// [`Refusal::BadInventory`] names every bad line, and those of closed collèges.
pub async fn import(
    fleet: &Fleet,
    principal: &Principal,
    csv: &[u8],
    now: Instant,
) -> Result<Imported, Refusal> {
    let lines = colleges_csv::read(csv).map_err(Refusal::BadInventory)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageOrganisations, now)?;
            let (mut imported, mut mistakes) = (Imported::default(), Vec::new());
            for line in &lines {
                match rows::by_uai(tx, &line.uai)? {
                    None => {
                        let kind = OrganisationKind::College;
                        rows::insert(tx, &new_row(kind, &line.name, Some(line.uai.clone()), now))?;
                        imported.created += 1;
                    }
                    Some(closed) if closed.state == OrganisationState::Closed => {
                        let problem = format!("{} is closed; reopen it, or leave it out", line.uai);
                        mistakes.push(bad(line.line, problem));
                    }
                    Some(same) if same.name == line.name => imported.unchanged += 1,
                    Some(before) => {
                        let name = line.name.clone();
                        rows::update(tx, &Organisation { name, updated_at: now, ..before })?;
                        imported.renamed += 1;
                    }
                }
            }
            if !mistakes.is_empty() {
                return Err(Refusal::BadInventory(mistakes));
            }
            let Imported { created, renamed, unchanged } = imported;
            let detail = json!({ "created": created, "renamed": renamed, "unchanged": unchanged });
            audit::record(tx, &principal, Change::new("organisation.import").detail(detail), now)?;
            Ok(imported)
        })
        .await
}
