//! The Settings command: each item is answered by itself.

use plist::{Dictionary, Value};

use super::{Answer, ErrorLink, INVALID_COMMAND, NOT_SUPERVISED, array};
use crate::state::State;
use crate::wire::{self, Entries as _};

/// Items that are a name and `Enabled`.
const SWITCHES: [&str; 6] =
    ["Bluetooth", "DataRoaming", "VoiceRoaming", "PersonalHotspot", "DiagnosticSubmission", "AppAnalytics"];
/// Items that only supervised tablets take.
const SUPERVISED_ONLY: [&str; 5] =
    ["Wallpaper", "Bluetooth", "DeviceName", "TimeZone", "AccessibilitySettings"];

pub(super) fn apply(state: &mut State, command: &Dictionary) -> Answer {
    if command.get("Settings").and_then(Value::as_array).is_none() {
        return Answer::error(INVALID_COMMAND, "Settings is missing.");
    }
    let items: Vec<Dictionary> = command
        .list("Settings")
        .iter()
        .map(|item| {
            let nothing = Dictionary::new();
            one(state, item.as_dictionary().unwrap_or(&nothing))
        })
        .collect();
    Answer::with(wire::dictionary([("Settings", array(items))]))
}

/// Applies one item and tells how it went.
fn one(state: &mut State, item: &Dictionary) -> Dictionary {
    let name = item.text("Item").unwrap_or_default();
    let applied = if SUPERVISED_ONLY.contains(&name) && !state.hardware.supervised {
        Err((NOT_SUPERVISED, "The device must be supervised.".to_owned()))
    } else {
        change(state, name, item).ok_or_else(|| (INVALID_COMMAND, format!("“{name}” cannot be applied.")))
    };
    let mut told = wire::dictionary([("Item", name.into())]);
    match applied {
        Ok(()) => {
            told.insert("Status".to_owned(), "Acknowledged".into());
        }
        Err((code, text)) => {
            told.insert("Status".to_owned(), "Error".into());
            told.insert("ErrorChain".to_owned(), array([ErrorLink { code, text }.told()]));
        }
    }
    if let Some(identifier) = item.text("Identifier") {
        told.insert("Identifier".to_owned(), identifier.into());
    }
    told
}

/// Applies one item; none when it lacks something or is unknown.
fn change(state: &mut State, name: &str, item: &Dictionary) -> Option<()> {
    match name {
        "DeviceName" => item.text("DeviceName")?.clone_into(&mut state.device_name),
        "TimeZone" => state.settings.time_zone = Some(item.text("TimeZone")?.to_owned()),
        "OrganizationInfo" => {
            state.settings.organization = match item.inner("OrganizationInfo") {
                Some(organization) => organization
                    .iter()
                    .filter_map(|(key, text)| Some((key.clone(), text.as_string()?.to_owned())))
                    .collect(),
                // Without a dictionary, what was there goes.
                None => std::collections::BTreeMap::new(),
            };
        }
        "MDMOptions" => {
            for (key, set) in item.inner("MDMOptions")? {
                state.settings.options.insert(key.clone(), set.as_boolean()?);
            }
        }
        "Wallpaper" => {
            item.bytes("Image")?;
            item.number("Where")?;
        }
        "ApplicationConfiguration" => {
            let app = state.apps.get_mut(item.text("Identifier")?).filter(|app| app.managed)?;
            app.has_configuration = item.inner("Configuration").is_some();
        }
        "ApplicationAttributes" => {
            state.apps.get(item.text("Identifier")?).filter(|app| app.managed)?;
        }
        "AccessibilitySettings" | "DefaultApplications" => {}
        switch if SWITCHES.contains(&switch) => {
            state.settings.switches.insert(switch.to_owned(), item.flag("Enabled")?);
        }
        _ => return None,
    }
    Some(())
}
