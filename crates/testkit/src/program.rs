//! The programs of this workspace, as a test starts them: beside the test, and never older than their sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::TestkitError;

/// The top of the workspace.
const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Where a program is: `name`, of the package of that name. It is built if a source below one of the folders
/// `sources` (from the top of the workspace) is newer: Cargo builds a program for its own package's tests only.
///
/// # Errors
/// [`TestkitError::File`] when the sources cannot be read; [`TestkitError::Other`] when it does not build.
pub fn program(name: &str, sources: &[&str]) -> Result<PathBuf, TestkitError> {
    let here = std::env::current_exe().map_err(TestkitError::file("looking for this test's own file"))?;
    // A test is `target/PROFILE/deps/NAME-HASH`; programs lie one folder up.
    let Some(folder) = here.ancestors().nth(2) else {
        return Err(TestkitError::other(format!("{} is not where Cargo puts tests", here.display())));
    };
    let program = folder.join(name);
    let built = std::fs::metadata(&program).and_then(|file| file.modified()).ok();
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in sources {
        newest = newest.max(newest_below(&Path::new(TOP).join(source))?);
    }
    if built.is_none_or(|built| built < newest) {
        build(name, folder)?;
    }
    Ok(program)
}

fn build(name: &str, folder: &Path) -> Result<(), TestkitError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--package", name, "--bin", name]).current_dir(TOP);
    build.args(folder.ends_with("release").then_some("--release"));
    if let Some(target) = folder.parent() {
        build.env("CARGO_TARGET_DIR", target);
    }
    let status = build.status().map_err(TestkitError::file("starting cargo"))?;
    if status.success() { Ok(()) } else { Err(TestkitError::other(format!("`{name}` does not build"))) }
}

/// When the newest file below a folder was written.
fn newest_below(folder: &Path) -> Result<SystemTime, TestkitError> {
    let what = || format!("reading {}", folder.display());
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder).map_err(TestkitError::file(what()))? {
        let entry = entry.map_err(TestkitError::file(what()))?;
        let kind = entry.file_type().map_err(TestkitError::file(what()))?;
        let written = if kind.is_dir() {
            newest_below(&entry.path())?
        } else {
            entry.metadata().and_then(|file| file.modified()).map_err(TestkitError::file(what()))?
        };
        newest = newest.max(written);
    }
    Ok(newest)
}
