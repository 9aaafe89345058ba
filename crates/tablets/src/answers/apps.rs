//! Apps: listed, installed, removed. The store always delivers at once.

use plist::{Dictionary, Value};

use super::{Answer, INVALID_COMMAND, NO_SUCH_APP, array};
use crate::state::{App, State};
use crate::wire::{self, Entries as _};

/// Whether a command names an app, or names none and means all.
fn named(command: &Dictionary, identifier: &str) -> bool {
    let identifiers = command.texts("Identifiers");
    identifiers.is_empty() || identifiers.contains(&identifier)
}

pub(super) fn installed(state: &State, command: &Dictionary) -> Answer {
    let managed_only = command.flag("ManagedAppsOnly").unwrap_or(false);
    let wanted = command.texts("Items");
    let apps = state
        .apps
        .iter()
        .filter(|(identifier, app)| (app.managed || !managed_only) && named(command, identifier))
        .map(|(identifier, app)| {
            let mut told = wire::dictionary([
                ("Identifier", identifier.as_str().into()),
                ("Name", app.name.as_str().into()),
                ("Version", app.version.as_str().into()),
                ("ShortVersion", app.version.as_str().into()),
                ("Installing", false.into()),
                ("AppStoreVendable", true.into()),
                ("IsValidated", true.into()),
            ]);
            told.retain(|key, _value| wanted.is_empty() || wanted.contains(&key.as_str()));
            told
        });
    Answer::with(wire::dictionary([("InstalledApplicationList", array(apps))]))
}

pub(super) fn managed(state: &State, command: &Dictionary) -> Answer {
    let apps: Dictionary = state
        .apps
        .iter()
        .filter(|(identifier, app)| app.managed && named(command, identifier))
        .map(|(identifier, app)| {
            let told = wire::dictionary([
                ("Status", "Managed".into()),
                ("ManagementFlags", app.management_flags.into()),
                ("HasConfiguration", app.has_configuration.into()),
                ("HasFeedback", false.into()),
                ("IsValidated", true.into()),
            ]);
            (identifier.clone(), Value::Dictionary(told))
        })
        .collect();
    Answer::with(wire::dictionary([("ManagedApplicationList", Value::Dictionary(apps))]))
}

pub(super) fn install(state: &mut State, command: &Dictionary) -> Answer {
    let store = command.number("iTunesStoreID").map(|number| format!("app.store.id{number}"));
    // A manifest is not fetched; the app is called after its address.
    let manifest = || command.text("ManifestURL").map(|url| format!("app.manifest.{}", hex::encode(url)));
    let named = command.text("Identifier").map(str::to_owned);
    let Some(identifier) = named.or(store).or_else(manifest) else {
        return Answer::error(INVALID_COMMAND, "Identifier, iTunesStoreID or ManifestURL is needed.");
    };
    let app = App {
        name: identifier.rsplit('.').next().unwrap_or_default().to_owned(),
        version: "1.0".to_owned(),
        managed: true,
        management_flags: command.number("ManagementFlags").unwrap_or_default(),
        has_configuration: command.inner("Configuration").is_some(),
    };
    state.apps.insert(identifier.clone(), app);
    Answer::with(wire::dictionary([("Identifier", identifier.into()), ("State", "Managed".into())]))
}

pub(super) fn remove(state: &mut State, command: &Dictionary) -> Answer {
    let Some(identifier) = command.text("Identifier") else {
        return Answer::error(INVALID_COMMAND, "Identifier is missing.");
    };
    // 26.0: a supervised tablet also removes apps that are not managed.
    let may_remove_all =
        state.hardware.supervised && super::inventory::major(&state.hardware.os_version) >= 26;
    match state.apps.get(identifier) {
        Some(app) if app.managed || may_remove_all => {
            state.apps.remove(identifier);
            Answer::with(wire::dictionary([("Identifier", identifier.into())]))
        }
        _ => Answer::error(NO_SUCH_APP, &format!("The app “{identifier}” is not managed.")),
    }
}
