//! Updates of the system by command, as Apple describes them: downloaded first, installed when that is asked for.
//!
//! The simulated tablet's line is fast: what it is told to download is there before it speaks again. It knows every version
//! that is newer than its own.

use plist::{Dictionary, Value};

use super::{Answer, Code, ErrorLink, INVALID_COMMAND, array};
use crate::state::State;
use crate::wire::{self, Entries as _};

/// The declaration that takes precedence over the command.
const ENFORCED: &str = "com.apple.configuration.softwareupdate.enforcement.specific";
/// Nothing can be updated so. Apple documents that there is an error, not its number.
const CANNOT_UPDATE: Code = ("MCMDMErrorDomain", 12_078);

pub(super) fn schedule(state: &mut State, command: &Dictionary) -> Answer {
    if command.get("Updates").and_then(Value::as_array).is_none() {
        return Answer::error(INVALID_COMMAND, "Updates is missing.");
    }
    let results: Vec<Dictionary> = command
        .list("Updates")
        .iter()
        .map(|update| {
            let nothing = Dictionary::new();
            one(state, update.as_dictionary().unwrap_or(&nothing))
        })
        .collect();
    Answer::with(wire::dictionary([("UpdateResults", array(results))]))
}

pub(super) fn status(state: &State) -> Answer {
    let downloaded = state.downloaded_update.as_ref().map(|version| {
        wire::dictionary([
            ("ProductKey", product_key(version).into()),
            ("IsDownloaded", true.into()),
            ("DownloadPercentComplete", Value::Real(1.0)),
            ("Status", "Idle".into()),
        ])
    });
    Answer::with(wire::dictionary([("OSUpdateStatus", array(downloaded))]))
}

/// Follows one order, and tells how far it has come.
fn one(state: &mut State, update: &Dictionary) -> Dictionary {
    let version = update.text("ProductVersion").unwrap_or_default().to_owned();
    match follow(state, &version, update.text("InstallAction").unwrap_or_default()) {
        Ok((action, status)) => wire::dictionary([
            ("ProductKey", product_key(&version).into()),
            ("InstallAction", action.into()),
            ("Status", status.into()),
        ]),
        Err(why) => wire::dictionary([
            ("ProductKey", product_key(&version).into()),
            ("InstallAction", "Error".into()),
            ("Status", "Idle".into()),
            ("ErrorChain", array([ErrorLink { code: CANNOT_UPDATE, text: why }.told()])),
        ]),
    }
}

/// Downloads or installs; what it did, and how that stands.
fn follow(state: &mut State, version: &str, action: &str) -> Result<(&'static str, &'static str), String> {
    if state.declarations.values().any(|one| one.content.get("Type").is_some_and(|kind| kind == ENFORCED)) {
        return Err("A declaration manages the software update.".to_owned());
    }
    if numbers(version) <= numbers(&state.hardware.os_version) {
        return Err(format!("There is no update “{version}” for this device."));
    }
    let is_there = state.downloaded_update.as_deref() == Some(version);
    match (action, is_there) {
        ("DownloadOnly", true) => Ok(("DownloadOnly", "Idle")),
        ("DownloadOnly" | "Default", false) => {
            state.downloaded_update = Some(version.to_owned());
            Ok(("DownloadOnly", "Downloading"))
        }
        ("InstallASAP" | "Default", true) => {
            install(state, version);
            Ok(("InstallASAP", "Installing"))
        }
        ("InstallASAP", false) => Err("The update was not downloaded.".to_owned()),
        (other, _) => Err(format!("“{other}” is not an action of this device.")),
    }
}

/// The next time it speaks, it has the new system; it restarted for it.
fn install(state: &mut State, version: &str) {
    state.downloaded_update = None;
    version.clone_into(&mut state.hardware.os_version);
    // Made up, as every build here: another version has another one.
    let [major, minor, patch] = numbers(version);
    state.hardware.build_version = format!("{major}A{minor}{patch:02}");
    state.restarts += 1;
    state.locked = state.passcode.is_some();
}

fn product_key(version: &str) -> String {
    format!("iPadOS-{version}")
}

/// The three numbers of a version, so that 17.0 and 17.0.0 are the same.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_place| numbers.next().unwrap_or_default())
}
