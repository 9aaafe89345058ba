//! After a database was put back from a backup: what destroys and is older is void (M5).

use serde_json::json;
use store::Store;
use store::restore::Voided;
use types::Instant;

use crate::audit::{self, Change};
use crate::{Principal, Refusal};

/// Makes void every destructive command, order, warrant and end of enrolment that the backup brought back, and
/// records the restore. Run once, before the database is served.
///
/// # Errors
/// [`Refusal::Store`]; the database must not be served then.
pub async fn void(store: &Store, principal: &Principal, now: Instant) -> Result<Voided, Refusal> {
    let principal = principal.clone();
    store
        .write(move |tx| {
            let voided = store::restore::void_after_restore(tx, now)?;
            audit::record(
                tx,
                &principal,
                Change::new("database.restore").detail(json!({ "void": voided.as_json() })),
                now,
            )?;
            Ok(voided)
        })
        .await
}
