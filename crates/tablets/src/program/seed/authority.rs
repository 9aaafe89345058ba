//! The authority that issues seeded tablets' certificates, as files.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tablets::{Authority, Identity, Validity};

use crate::program::failure::Failure;

/// The file of the certificate.
pub(super) const CERTIFICATE: &str = "authority.pem";
/// The file of the key.
const KEY: &str = "authority-key.pem";
/// How long an authority is valid, in days.
const DAYS: i64 = 3_650;

/// Reads the authority of a folder.
pub(super) fn open(folder: &Path) -> Result<Authority, Failure> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(Failure::reading(&path))
    };
    let pem = read(CERTIFICATE)? + &read(KEY)?;
    let identity = Identity::from_pem(&pem)
        .map_err(|error| Failure::BadFile { path: folder.to_path_buf(), problem: error.to_string() })?;
    let matches = identity.certificate().public_key().is_ok_and(|key| key.public_eq(identity.key()));
    if !matches {
        let problem = format!("{KEY} is not the key of {CERTIFICATE}");
        return Err(Failure::BadFile { path: folder.to_path_buf(), problem });
    }
    Ok(Authority::from_identity(identity))
}

/// Reads the authority of a folder, or makes one there.
pub(super) fn open_or_make(folder: &Path, now: i64) -> Result<Authority, Failure> {
    if folder.join(CERTIFICATE).exists() {
        return open(folder);
    }
    let authority = Authority::new(
        &[("O", "Simulated tablets"), ("CN", "Simulated device authority")],
        Validity::days(now, DAYS),
    )?;
    fs::create_dir_all(folder).map_err(Failure::writing(folder))?;
    let key = folder.join(KEY);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&key)
        .and_then(|mut file| file.write_all(authority.identity().key_pem().unwrap_or_default().as_bytes()))
        .map_err(Failure::writing(&key))?;
    let certificate = folder.join(CERTIFICATE);
    fs::write(&certificate, authority.certificate_pem()?).map_err(Failure::writing(&certificate))?;
    Ok(authority)
}
