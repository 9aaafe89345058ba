//! The home screen: which icon stands where.

use crate::names::{BundleId, WebAddress};
use crate::reading::{At, Notes, Table};

/// The most icons in the dock.
const DOCK: usize = 18;
/// The most icons on a page or in a folder's page.
const PAGE: usize = 30;
/// The most pages.
const PAGES: usize = 11;

/// The home screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeScreen {
    /// The row at the bottom, from the left.
    pub dock: Vec<Icon>,
    /// The pages, from the left.
    pub pages: Vec<Vec<Icon>>,
}

/// What stands in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Icon {
    /// An app.
    App(BundleId),
    /// A web clip, by its address.
    WebClip(WebAddress),
    /// A folder of apps and web clips, one page.
    Folder {
        /// What it is called.
        name: String,
        /// What is in it; no folders.
        icons: Vec<Icon>,
    },
}

/// Reads `[home-screen]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<HomeScreen>> {
    let line = table.line();
    let dock = table.take("dock").and_then(|taken| icons(taken, DOCK, true, notes));
    let mut pages = Vec::new();
    match table.take("pages") {
        None => table.missing("pages", "expected a list of pages, each a list of icons", notes),
        Some(taken) => {
            let (line, path) = (taken.line, taken.path.clone());
            let found = taken.into_items(notes).unwrap_or_default();
            if found.is_empty() || found.len() > PAGES {
                notes.error(
                    line,
                    path,
                    format!("has {} pages", found.len()),
                    format!("expected 1 to {PAGES}"),
                );
            }
            pages = found.into_iter().filter_map(|page| icons(page, PAGE, true, notes)).collect();
        }
    }
    table.finish(notes);
    Some(At { value: HomeScreen { dock: dock.unwrap_or_default(), pages }, line })
}

fn icons(
    taken: crate::reading::Taken<'_>,
    most: usize,
    folders: bool,
    notes: &mut Notes<'_>,
) -> Option<Vec<Icon>> {
    let (line, path) = (taken.line, taken.path.clone());
    let items = taken.into_items(notes)?;
    if items.len() > most {
        notes.error(line, path, format!("holds {} icons", items.len()), format!("expected at most {most}"));
    }
    Some(items.into_iter().filter_map(|item| icon(item, folders, notes)).collect())
}

fn icon(taken: crate::reading::Taken<'_>, folders: bool, notes: &mut Notes<'_>) -> Option<Icon> {
    if !matches!(taken.value, toml::de::DeValue::Table(_)) {
        return taken.into_parsed::<BundleId>(notes).map(|bundle| Icon::App(bundle.value));
    }
    let mut table = taken.into_table(notes)?;
    let (line, path) = (table.line(), table.path().to_owned());
    let clip = table.parsed::<WebAddress>("web-clip", notes);
    let folder = table.text("folder", 40, notes);
    let inside = table.take("icons").and_then(|taken| icons(taken, PAGE, false, notes));
    table.finish(notes);
    match (clip, folder, inside) {
        (Some(clip), None, None) => Some(Icon::WebClip(clip.value)),
        (None, Some(name), Some(icons)) if folders => Some(Icon::Folder { name: name.value, icons }),
        _ => {
            let right = if folders {
                "expected { web-clip = \"…\" } or { folder = \"…\", icons = […] }"
            } else {
                "expected an app or { web-clip = \"…\" }: a folder holds no folder"
            };
            notes.error(line, path, "is no icon", right);
            None
        }
    }
}
