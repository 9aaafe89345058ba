//! Extensions of Safari.

use crate::names::ExtensionId;
use crate::parts::words;
use crate::reading::{At, Notes, Table};

words! {
    /// Whether something is on, and who decides.
    ExtensionState {
        /// The user decides.
        Allowed = "allowed",
        /// It is on.
        AlwaysOn = "always-on",
        /// It is off.
        AlwaysOff = "always-off",
    }
}

/// An extension, or all that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafariExtension {
    /// Whether it is on.
    pub state: ExtensionState,
    /// Whether it is on in private windows.
    pub private_browsing: ExtensionState,
}

/// Reads one `[[safari-extension]]`.
pub(crate) fn read(
    mut table: Table<'_>,
    notes: &mut Notes<'_>,
) -> Option<(ExtensionId, At<SafariExtension>)> {
    let line = table.line();
    let id = table.parsed::<ExtensionId>("id", notes);
    let state = table.parsed::<ExtensionState>("state", notes);
    let private_browsing = table.parsed::<ExtensionState>("private-browsing", notes);
    if id.is_none() {
        table.missing("id", "expected the identifier of an extension, or \"*\" for all others", notes);
    }
    if state.is_none() {
        table.missing("state", "expected allowed, always-on or always-off", notes);
    }
    table.finish(notes);
    let state = state?.value;
    let extension =
        SafariExtension { state, private_browsing: private_browsing.map_or(state, |value| value.value) };
    Some((id?.value, At { value: extension, line }))
}
