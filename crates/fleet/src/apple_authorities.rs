//! Apple's authorities of device certificates: until all three are here, no automated enrolment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use governance::Permission;
use pki::{AdmittedAuthority, AppleAuthority};
use serde_json::json;
use store::{Tx, settings};
use types::Instant;

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// One of Apple's authorities, and whether it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// The SHA-256 of its certificate, by which a file is admitted.
    pub sha256: String,
    /// Whether it was added.
    pub present: bool,
}

/// The three authorities, and which of them are here.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn list(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Vec<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may_everywhere(tx, Permission::ViewTablets, now)?;
            Ok(shown(&admitted(tx)?))
        })
        .await
}

/// Adds a file, PEM or DER, that is one of Apple's authorities. Adding one again changes nothing.
///
/// # Errors
/// [`Refusal::Invalid`] for any other file, with its fingerprint and what is expected.
pub async fn add(
    fleet: &Fleet,
    principal: &Principal,
    file: &[u8],
    now: Instant,
) -> Result<Vec<Shown>, Refusal> {
    let fresh = pki::admit(file).map_err(|error| Refusal::invalid("file", error))?;
    let principal = principal.clone();
    let shown = fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::TrustAppleAuthority, now)?;
            let mut here = admitted(tx)?;
            if here.iter().any(|known| known.authority() == fresh.authority()) {
                return Ok(shown(&here));
            }
            let authority = fresh.authority();
            settings::set(tx, &name(authority), &STANDARD.encode(fresh.certificate_der()))?;
            let detail = json!({ "name": authority.name(), "sha256": authority.fingerprint().to_string() });
            audit::record(tx, &principal, Change::new("apple-authority.add").detail(detail), now)?;
            here.push(fresh.clone());
            Ok::<_, Refusal>(shown(&here))
        })
        .await?;
    fleet.reload_authorities().await?;
    Ok(shown)
}

/// The authorities that were added. Each is admitted anew: a row that was changed by hand proves nothing.
pub(crate) fn admitted(tx: &mut Tx<'_>) -> Result<Vec<AdmittedAuthority>, Refusal> {
    let mut admitted = Vec::new();
    for authority in AppleAuthority::ALL {
        if let Some(stored) = settings::get(tx, &name(authority))? {
            let read = STANDARD.decode(&stored).map_err(|error| changed(authority, &error.to_string()))?;
            let one = pki::admit(&read).map_err(|error| changed(authority, &error.to_string()))?;
            admitted.push(one);
        }
    }
    Ok(admitted)
}

fn changed(authority: AppleAuthority, why: &str) -> Refusal {
    Refusal::Internal(format!(
        "the stored certificate of {} is not Apple’s any more: {why}",
        authority.name()
    ))
}

/// The name of the setting that holds its certificate, as base64 of the DER.
fn name(authority: AppleAuthority) -> String {
    format!("apple-authority.{}", authority.fingerprint())
}

fn shown(admitted: &[AdmittedAuthority]) -> Vec<Shown> {
    AppleAuthority::ALL
        .into_iter()
        .map(|authority| Shown {
            name: authority.name(),
            sha256: authority.fingerprint().to_string(),
            present: admitted.iter().any(|one| one.authority() == authority),
        })
        .collect()
}
