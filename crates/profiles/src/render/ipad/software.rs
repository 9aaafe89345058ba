//! Apps, which of them may be opened, and the version of iPadOS that is demanded.

use apple::OsVersion;
use types::Digest;

use super::writer::Writer;
use crate::catalogue::{APP_MANAGED, APP_SETTINGS, APPLICATION_ACCESS, Holder, UPDATE_ENFORCEMENT};
use crate::intent::Intent;
use crate::names::BundleId;
use crate::parts::{App, AppOrigin, Install, Updates};
use crate::render::node::Node;
use crate::render::why::{Why, Written};

pub(super) fn write(intent: &Intent, writer: &mut Writer) {
    match intent.permitted_apps() {
        Some(permitted) => {
            let list = Node::texts(permitted);
            one_list(
                "the apps that may be opened",
                "Allowed.AllowedApps",
                "allowListedAppBundleIDs",
                list,
                writer,
            );
        }
        None if intent.blocked().is_empty() => {}
        None => {
            let list = Node::texts(intent.blocked().keys());
            one_list("the apps that are blocked", "Allowed.DeniedApps", "blockedAppBundleIDs", list, writer);
        }
    }
    for (bundle, kept) in intent.apps() {
        app(bundle, &kept.value, writer);
    }
    os_update(intent, writer);
}

/// A list of apps: in a declaration from 27.0 on, in the restrictions before.
fn one_list(what: &str, declared: &str, restricted: &str, list: Node, writer: &mut Writer) {
    let places: [(&'static Holder, &str); 2] = [(&APP_SETTINGS, declared), (&APPLICATION_ACCESS, restricted)];
    let mut why = None;
    for (holder, path) in places {
        match writer.has_path(holder, path) {
            Ok(()) => {
                writer.sheet(holder, None, "Apps").put(path, list);
                return writer.wrote(what, holder, path);
            }
            Err(reason) => why = Some(reason),
        }
    }
    if let Some(why) = why {
        writer.leave_out(what, why);
    }
}

fn app(bundle: &BundleId, app: &App, writer: &mut Writer) {
    let what = format!("app {bundle}");
    let Some(origin) = &app.origin else {
        return writer.note(Written { what, place: "comes with the tablet".to_owned() });
    };
    if app.settings.is_some() {
        return writer.leave_out(what, Why::WithSettings { command: "InstallApplication" });
    }
    if let Err(why) = writer.has(&APP_MANAGED) {
        let by_command = Why::ByCommand { command: "InstallApplication", until: OsVersion::new(17, 2) };
        let why = if why == Why::NeedsSupervision { why } else { by_command };
        return writer.leave_out(what, why);
    }
    let updates = match app.updates {
        Updates::User => "StoreSettings",
        Updates::Automatic => "AlwaysOn",
        Updates::Held => "AlwaysOff",
    };
    let install = if app.install == Install::Required { "Required" } else { "Optional" };
    let mut values = vec![
        ("InstallBehavior.Install", Node::text(install)),
        ("IncludeInBackup", Node::Boolean(app.backup)),
    ];
    match origin {
        AppOrigin::Store(number) => {
            values.push(("AppStoreID", Node::text(number)));
            // The licence is the tablet's, so that no account is needed; whether there is one left is for whoever assigns.
            values.push(("InstallBehavior.License.Assignment", Node::text("Device")));
            let path = "UpdateBehavior.AutomaticAppUpdates";
            match writer.has_path(&APP_MANAGED, path) {
                Ok(()) => values.push((path, Node::text(updates))),
                Err(why) => writer.leave_out(format!("updates of app {bundle}"), why),
            }
        }
        // Each tablet fetches the file from an address of its own; here stands the file that was decided.
        AppOrigin::File(digest) => values.push(("ManifestURL", Node::text(file_name(*digest)))),
    }
    let sheet = writer.sheet(&APP_MANAGED, Some(bundle.as_str()), &app.name);
    for (path, value) in values {
        sheet.put(path, value);
    }
    writer.wrote(what, &APP_MANAGED, "");
}

/// What stands for the address of a file until a tablet is given one of its own.
fn file_name(digest: Digest) -> String {
    format!("urn:sha256:{digest}")
}

fn os_update(intent: &Intent, writer: &mut Writer) {
    let Some(update) = intent.os_update.as_ref().map(|kept| &kept.value) else { return };
    let what = "os-update";
    if writer.has(&UPDATE_ENFORCEMENT).is_err() {
        let until = UPDATE_ENFORCEMENT.since;
        return writer.leave_out(what, Why::ByCommand { command: "ScheduleOSUpdate", until });
    }
    let sheet = writer.sheet(&UPDATE_ENFORCEMENT, None, "Mise à jour demandée");
    sheet.put("TargetOSVersion", Node::text(update.version));
    // After school, where the tablet is.
    sheet.put("TargetLocalDateTime", Node::text(format!("{}T18:00:00", update.deadline)));
    if let Some(build) = &update.build {
        sheet.put("TargetBuildVersion", Node::text(build));
    }
    if let Some(details) = &update.details {
        sheet.put("DetailsURL", Node::text(details));
    }
    writer.wrote(what, &UPDATE_ENFORCEMENT, "");
}
