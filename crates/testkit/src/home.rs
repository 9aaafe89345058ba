//! The home folder of a test server: what `ardoise init` makes, made quickly.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use pki::{Authority, AuthorityKey};
use server::config::{Config, Sources};
use store::authorities::{self, AuthorityKind, AuthorityState};
use store::{Store, StoreOptions, Vault};
use types::{AuthorityId, Instant};

use crate::TestkitError;

/// Writes a new key file, readable by its owner only.
pub(crate) fn make_key_file(path: &Path) -> Result<(), TestkitError> {
    use std::io::Write as _;
    let line = Vault::generate_key_line("test");
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(line.expose().as_bytes()))
        .map_err(TestkitError::file("writing the key file"))
}

/// The configuration that these flags make. The environment is left out: it belongs to whoever runs the test.
pub(crate) fn config(home: &Path, flags: &[String]) -> Result<Config, TestkitError> {
    Ok(Config::load(&Sources::read(home, [], flags.iter().cloned())?)?)
}

/// Makes the authority, with a key that is quick to make.
pub(crate) async fn make_authority(config: &Config, now: Instant) -> Result<(), TestkitError> {
    let vault = config.open_vault().map_err(TestkitError::other)?;
    let store = Store::open(StoreOptions::new(config.database.url.clone()), vault).await?;
    if store.read(authorities::current).await?.is_some() {
        return Ok(());
    }
    let organisation = config.enrolment.organisation_name.clone();
    let (row, key) = tokio::task::spawn_blocking(move || {
        let lifetime = fleet::authorities::AUTHORITY_LIFETIME;
        let name = format!("{organisation} — Ardoise");
        let authority = Authority::generate_with(&name, now, lifetime, AuthorityKey::Rsa2048)
            .map_err(TestkitError::other)?;
        let row = authorities::Authority {
            id: AuthorityId::new(now),
            kind: AuthorityKind::Own,
            state: AuthorityState::Current,
            certificate: authority.certificate_der().to_vec(),
            fingerprint: store::Digest::from(*authority.fingerprint().as_bytes()),
            created_at: now,
        };
        Ok::<_, TestkitError>((row, authority.key_der().map_err(TestkitError::other)?))
    })
    .await
    .map_err(TestkitError::other)??;
    store.write(move |tx| authorities::insert(tx, &row, Some(&key))).await?;
    Ok(())
}
