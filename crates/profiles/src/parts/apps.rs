//! Apps: which are given, which are permitted, which are blocked.

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

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// What people call it.
    pub name: String,
    /// Its number in the App Store; none for what came with the tablet.
    pub store: Option<StoreNumber>,
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
    if install == Install::Present {
        if let Some(store) = &store {
            let right = "leave it out, or install the app";
            notes.error(store.line, table.path_of("store"), "is for apps that are installed", right);
        }
    } else if store.is_none() {
        table.missing("store", "expected its number in the App Store, or install = \"present\"", notes);
    }
    table.finish(notes);
    let app = App {
        name: name?.value,
        store: store.map(|store| store.value),
        install,
        updates: updates.map_or(Updates::Automatic, |updates| updates.value),
        backup: backup.is_none_or(|backup| backup.value),
    };
    Some((bundle?.value, At { value: app, line }))
}
