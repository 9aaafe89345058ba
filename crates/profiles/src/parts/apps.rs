//! Apps: which are given, which are permitted, which are blocked.
//!
//! A layer says from where an app comes, and with which settings, so that whoever signs the layer signs that too: a file of
//! the département's own, and settings, by the digest of their bytes.

use types::Digest;

use crate::names::{BundleId, StoreNumber};
use crate::parts::words;
use crate::reading::{At, Notes, Table};

words! {
    /// Whether an app is put on the tablet.
    Install {
        /// It came with the tablet: nothing to install.
        Present = "present",
        /// Its user may install it.
        Optional = "optional",
        /// It is installed, and installed again if it goes missing.
        Required = "required",
    }

    /// Whether an app updates itself.
    Updates {
        /// As its user chose in the settings.
        User = "user",
        /// Always.
        Automatic = "automatic",
        /// Never: the version stays until somebody lets it go.
        Held = "held",
    }

    /// Which apps may be opened.
    Permitted {
        /// All, except those that are blocked.
        All = "all",
        /// Only those that layers name.
        Listed = "listed",
    }
}

/// Where an app that is installed comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppOrigin {
    /// The App Store, which knows it by that number.
    Store(StoreNumber),
    /// A file of the département's own, with that SHA-256.
    File(Digest),
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// What people call it.
    pub name: String,
    /// Where it comes from; none for what came with the tablet.
    pub origin: Option<AppOrigin>,
    /// The SHA-256 of the settings that it is installed with, as the catalogue of apps keeps them.
    pub settings: Option<Digest>,
    /// Whether it is put on the tablet.
    pub install: Install,
    /// Whether it updates itself.
    pub updates: Updates,
    /// Whether its data go into backups.
    pub backup: bool,
}

/// Reads one `[[app]]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(BundleId, At<App>)> {
    let line = table.line();
    let bundle = table.parsed::<BundleId>("bundle", notes);
    let name = table.text("name", 64, notes);
    let store = table.parsed::<StoreNumber>("store", notes);
    let file = table.parsed::<Digest>("file", notes);
    let settings = table.parsed::<Digest>("settings", notes);
    let install = table.parsed::<Install>("install", notes);
    let updates = table.parsed::<Updates>("updates", notes);
    let backup = table.boolean("backup", notes);
    if bundle.is_none() {
        table.missing("bundle", "expected the identifier of the app, such as \"com.apple.Pages\"", notes);
    }
    if name.is_none() {
        table.missing("name", "expected what people call the app", notes);
    }
    let install = install.map_or(Install::Required, |install| install.value);
    let lines = [
        ("store", store.as_ref().map(|store| store.line)),
        ("file", file.as_ref().map(|file| file.line)),
        ("settings", settings.as_ref().map(|settings| settings.line)),
    ];
    if install == Install::Present {
        for (key, line) in lines {
            let Some(line) = line else { continue };
            let right = "leave it out, or install the app";
            notes.error(line, table.path_of(key), "is for apps that are installed", right);
        }
    } else if store.is_none() && file.is_none() {
        let right = "expected its number in the App Store, or `file` with the SHA-256 of its package, or install = \
                     \"present\"";
        table.missing("store", right, notes);
    }
    if let (Some(_store), Some(file)) = (&store, &file) {
        let right = "leave one of the two out";
        notes.error(
            file.line,
            table.path_of("file"),
            "is there beside `store`: an app comes from one place",
            right,
        );
    }
    if let (Some(_file), Some(updates)) = (&file, &updates) {
        let right = "leave it out";
        let what = "is for apps of the App Store: what updates this one is a version of the layer that names another file";
        notes.error(updates.line, table.path_of("updates"), what, right);
    }
    if let Some(settings) = settings.as_ref().filter(|_settings| install == Install::Optional) {
        let right = "install = \"required\", or leave it out";
        let what = "is for apps that are installed by themselves: a tablet takes settings with the app";
        notes.error(settings.line, table.path_of("settings"), what, right);
    }
    table.finish(notes);
    let origin = match (store, file) {
        (Some(store), _) => Some(AppOrigin::Store(store.value)),
        (None, file) => file.map(|file| AppOrigin::File(file.value)),
    };
    let app = App {
        name: name?.value,
        origin,
        settings: settings.map(|settings| settings.value),
        install,
        updates: updates.map_or(Updates::Automatic, |updates| updates.value),
        backup: backup.is_none_or(|backup| backup.value),
    };
    Some((bundle?.value, At { value: app, line }))
}
