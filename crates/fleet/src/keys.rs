//! The keys that seal secrets in the database: which of them are in use, and moving everything to the current one.

use std::collections::BTreeMap;

use serde_json::json;
use store::Store;
use store::rotation::{self, Progress};
use types::Instant;

use crate::audit::{self, Change};
use crate::{Principal, Refusal};

/// Values in one transaction: few, so that tablets hardly notice.
const BATCH: u32 = 200;

/// How many values each key seals, by the key's id.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn in_use(store: &Store, principal: &Principal) -> Result<BTreeMap<String, u64>, Refusal> {
    principal.must_be_host()?;
    store.read(|tx| Ok(rotation::sealed_by(tx)?)).await
}

/// Seals again, with the current key, everything that an older key sealed. `told` hears how many values that were
/// so far. May be interrupted and run again.
///
/// # Errors
/// [`Refusal::Store`] if a value opens with no key of the file.
pub async fn reseal(
    store: &Store,
    principal: &Principal,
    now: Instant,
    mut told: impl FnMut(usize),
) -> Result<usize, Refusal> {
    principal.must_be_host()?;
    let mut progress = Progress::default();
    while !progress.complete {
        let from = progress.clone();
        progress = store.write(move |tx| Ok::<_, Refusal>(rotation::reseal(tx, &from, BATCH)?)).await?;
        told(progress.resealed);
    }
    let (resealed, principal) = (progress.resealed, principal.clone());
    if resealed > 0 {
        let detail = json!({ "values": resealed });
        let change = move |tx: &mut store::Tx<'_>| {
            audit::record(tx, &principal, Change::new("key.reseal").detail(detail.clone()), now)
        };
        store.write(change).await?;
    }
    Ok(resealed)
}
