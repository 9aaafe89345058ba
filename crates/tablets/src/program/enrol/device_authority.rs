//! The authority of the tablets' maker, as files: who checks a MachineInfo must be told of it.

use std::fs;
use std::path::Path;

use tablets::{AppleDeviceAuthority, Clock};

use crate::program::failure::Failure;

/// Reads the authority of a folder, or makes one there: `root.pem` and `intermediate.pem` are for the server, the
/// files that begin with a point hold the keys.
pub(super) fn open_or_make(folder: &Path) -> Result<AppleDeviceAuthority, Failure> {
    let now = Clock::system().now();
    let (root, intermediate) = (folder.join(".root-key.pem"), folder.join(".intermediate-key.pem"));
    let read = |path: &Path| fs::read_to_string(path).map_err(Failure::reading(path));
    if root.exists() {
        return AppleDeviceAuthority::from_pem(&read(&root)?, &read(&intermediate)?, now)
            .map_err(|error| Failure::BadFile { path: folder.to_path_buf(), problem: error.to_string() });
    }
    fs::create_dir_all(folder).map_err(Failure::writing(folder))?;
    let authority = AppleDeviceAuthority::new(now)?;
    let (root_pem, intermediate_pem) = authority.to_pem()?;
    for (path, text) in [
        (folder.join("root.pem"), authority.root_pem()?),
        (folder.join("intermediate.pem"), authority.intermediate_pem()?),
        (intermediate, intermediate_pem),
        // The last one says that all are there.
        (root, root_pem),
    ] {
        fs::write(&path, text).map_err(Failure::writing(&path))?;
    }
    Ok(authority)
}
