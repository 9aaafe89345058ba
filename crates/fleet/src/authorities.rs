//! The authorities that vouch for tablets: ours, those taken over, and Apple's.

use pki::{Authority, DeviceCertificateAuthorities};
use serde_json::json;
use store::authorities::{self, AuthorityKind, AuthorityState};
use store::{Digest, Store, Tx};
use types::{AuthorityId, Duration, Instant};

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, apple_authorities};

/// How long an authority of ours lasts: ten years. Rotate it long before.
pub const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The authorities, ready to use.
#[derive(Debug)]
pub struct Authorities {
    issuing: pki::Authorities,
    apple: DeviceCertificateAuthorities,
}

impl Authorities {
    /// Ours and those taken over: they issue, and say who a tablet is.
    #[must_use]
    pub fn issuing(&self) -> &pki::Authorities {
        &self.issuing
    }

    /// Apple's: they say that a device is one of Apple's.
    #[must_use]
    pub fn apple(&self) -> &DeviceCertificateAuthorities {
        &self.apple
    }

    /// The same, with an authority of simulated devices in place of Apple's: for tests and the demo.
    #[must_use]
    pub(crate) fn with_simulated_apple(&self, apple: DeviceCertificateAuthorities) -> Self {
        Self { issuing: self.issuing.clone(), apple }
    }
}

/// Makes the first authority of a new database. `false` if there is one already.
///
/// # Errors
/// [`Refusal::Internal`] if no key can be made.
pub async fn init(
    store: &Store,
    principal: &Principal,
    organisation: &str,
    now: Instant,
) -> Result<bool, Refusal> {
    let organisation = organisation.to_owned();
    let exists = store.read(|tx| Ok::<_, Refusal>(authorities::current(tx)?.is_some())).await?;
    if exists {
        return Ok(false);
    }
    replace(store, principal, organisation, "authority.create", now).await?;
    Ok(true)
}

/// Makes a new authority that issues from now on; certificates of the former ones still prove who a tablet is
/// until they expire, and every renewal moves a tablet over.
///
/// # Errors
/// [`Refusal::Internal`] if no key can be made.
pub async fn rotate(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<(), Refusal> {
    principal.must_be_host()?;
    let organisation = fleet.settings().organisation.clone();
    replace(fleet.store(), principal, organisation, "authority.rotate", now).await?;
    fleet.reload_authorities().await
}

async fn replace(
    store: &Store,
    principal: &Principal,
    organisation: String,
    action: &'static str,
    now: Instant,
) -> Result<(), Refusal> {
    let authority = Authority::generate(&common_name(&organisation), now, AUTHORITY_LIFETIME)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    let key = authority.key_der().map_err(|error| Refusal::Internal(error.to_string()))?;
    let row = authorities::Authority {
        id: AuthorityId::new(now),
        kind: AuthorityKind::Own,
        state: AuthorityState::Current,
        certificate: authority.certificate_der().to_vec(),
        fingerprint: Digest::from(*authority.fingerprint().as_bytes()),
        created_at: now,
    };
    let principal = principal.clone();
    store
        .write(move |tx| {
            if let Some(former) = authorities::current(tx)? {
                authorities::set_state(tx, former.id, AuthorityState::Previous)?;
            }
            authorities::insert(tx, &row, Some(&key))?;
            let detail = json!({ "fingerprint": row.fingerprint.to_string() });
            audit::record(tx, &principal, Change::new(action).detail(detail), now)
        })
        .await
}

/// The authority's name: the organisation's, cut where a certificate has no room for more (X.520).
fn common_name(organisation: &str) -> String {
    const LONGEST: usize = 64;
    const OURS: &str = " — Ardoise";
    let room = LONGEST - OURS.chars().count();
    let organisation: String = organisation.chars().take(room).collect();
    format!("{}{OURS}", organisation.trim_end())
}

/// Loads every authority.
pub(crate) async fn load(store: &Store) -> Result<Authorities, Refusal> {
    store.read(read).await
}

fn read(tx: &mut Tx<'_>) -> Result<Authorities, Refusal> {
    let unusable =
        |error: &dyn std::fmt::Display| Refusal::Internal(format!("an authority cannot be used: {error}"));
    let mut current = None;
    let mut previous = Vec::new();
    let mut further = Vec::new();
    for row in authorities::trusted(tx)? {
        match (row.kind, row.state) {
            (AuthorityKind::Further, _) => further.push(row.certificate),
            (AuthorityKind::Own, state) => {
                let key = authorities::key(tx, row.id)?
                    .ok_or_else(|| unusable(&format!("authority {} has no key", row.fingerprint)))?;
                let ours = Authority::from_parts(&row.certificate, &key).map_err(|error| unusable(&error))?;
                match state {
                    AuthorityState::Current => current = Some(ours),
                    AuthorityState::Previous | AuthorityState::Retired => previous.push(ours),
                }
            }
        }
    }
    let current = current.ok_or_else(|| {
        Refusal::Conflict("there is no certificate authority yet; type `ardoise init`".into())
    })?;
    let mut issuing = pki::Authorities::new(current).map_err(|error| unusable(&error))?;
    for authority in previous {
        issuing = issuing.with_previous(authority).map_err(|error| unusable(&error))?;
    }
    for certificate in further {
        issuing = issuing.with_taken_over(&certificate).map_err(|error| unusable(&error))?;
    }
    let apple = DeviceCertificateAuthorities::from_admitted(&apple_authorities::admitted(tx)?);
    Ok(Authorities { issuing, apple })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_of_the_longest_name_can_be_made() {
        // The configuration admits 64 characters.
        for name in ["É".repeat(64), format!("{} {}", "é".repeat(53), "x".repeat(10)), "76".to_owned()] {
            let common_name = common_name(&name);
            assert!(
                common_name.chars().count() <= 64 && common_name.ends_with(" — Ardoise"),
                "{common_name}"
            );
            let key = pki::AuthorityKey::Rsa2048;
            Authority::generate_with(&common_name, Instant::from_millis(0), AUTHORITY_LIFETIME, key).unwrap();
        }
    }
}
