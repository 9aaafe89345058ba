//! Web clips: a place on the web with an icon on the home screen.

use crate::names::WebAddress;
use crate::reading::{At, Notes, Table};

/// A web clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebClip {
    /// What stands under the icon.
    pub label: String,
    /// Whether it opens without the browser's bar.
    pub full_screen: bool,
    /// Whether its user may remove it.
    pub removable: bool,
}

/// Reads one `[[web-clip]]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(WebAddress, At<WebClip>)> {
    let line = table.line();
    let label = table.text("label", 40, notes);
    let url = table.parsed::<WebAddress>("url", notes);
    let full_screen = table.boolean("full-screen", notes);
    let removable = table.boolean("removable", notes);
    if label.is_none() {
        table.missing("label", "expected what stands under the icon", notes);
    }
    if url.is_none() {
        table.missing("url", "expected where it leads, such as \"https://ent.example.fr/\"", notes);
    }
    table.finish(notes);
    let clip = WebClip {
        label: label?.value,
        full_screen: full_screen.is_some_and(|value| value.value),
        removable: removable.is_some_and(|value| value.value),
    };
    Some((url?.value, At { value: clip, line }))
}
