//! Files that nobody gives out any more: forgotten 30 days after they were let go, then taken off the disk. Whatever
//! else lies in the folder without a row, left by a server that died, goes the same way after a day.

use store::app_files;
use types::{Duration, Instant};

use crate::{Fleet, Principal, Refusal};

/// How long a file is kept after the last app let it go: tablets may be downloading it, and people may be wrong.
pub const KEPT_AFTER_RELEASE: Duration = Duration::from_secs(30 * 86_400);
/// How many rows share a transaction.
const BATCH: u32 = 100;

/// Forgets what is due and sweeps the folder. Says how many files went.
///
/// # Errors
/// [`Refusal::Store`]; [`Refusal::Internal`] if the folder refuses. What was left is found again in the next round.
pub async fn run(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let folder = fleet.shared_folder()?.clone();
    loop {
        let before = now.minus(KEPT_AFTER_RELEASE);
        let forgotten = fleet.store().write(move |tx| app_files::forget_released(tx, before, BATCH)).await?;
        if forgotten.is_empty() {
            break;
        }
    }
    let looking = folder.clone();
    let (mut gone, names) =
        blocking(move || Ok((looking.sweep_incoming(now)?, looking.old_names(now)?))).await?;
    for name in names {
        if is_known(fleet, name).await? {
            continue;
        }
        // Aside first, then a second look: the same bytes may be uploaded at this very moment.
        let aside = folder.clone();
        blocking(move || aside.put_aside(&name)).await?;
        let wanted_again = is_known(fleet, name).await?;
        let leaving = folder.clone();
        blocking(move || leaving.let_go(&name, wanted_again, now)).await?;
        gone += usize::from(!wanted_again);
    }
    Ok(gone)
}

async fn is_known(fleet: &Fleet, name: types::Digest) -> Result<bool, Refusal> {
    Ok(fleet.store().read(move |tx| app_files::get(tx, &name)).await?.is_some())
}

/// Works in the shared folder, on a thread that may wait for a disk.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::shared_folder::FolderError> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |error: &dyn std::fmt::Display| Refusal::Internal(error.to_string());
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}
