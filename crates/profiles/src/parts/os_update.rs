//! A version of iPadOS that tablets must have by a day; they install it that day at 18:00, after school.

use apple::OsVersion;
use types::Day;

use crate::names::WebAddress;
use crate::reading::{At, Notes, Table};

/// An update that is demanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsUpdate {
    /// The version.
    pub version: OsVersion,
    /// The build, if the version has several.
    pub build: Option<String>,
    /// The day, at 18:00 where the tablet is.
    pub deadline: Day,
    /// Where the user reads about it.
    pub details: Option<WebAddress>,
}

/// Reads `[os-update]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<OsUpdate>> {
    let line = table.line();
    let version = table.parsed::<OsVersion>("version", notes);
    let build = table.text("build", 16, notes);
    let deadline = table.parsed::<Day>("deadline", notes);
    let details = table.parsed::<WebAddress>("details", notes);
    if version.is_none() {
        table.missing("version", "expected a version, such as \"26.4\"", notes);
    }
    if deadline.is_none() {
        table.missing("deadline", "expected a day, such as \"2026-12-01\"", notes);
    }
    table.finish(notes);
    let update = OsUpdate {
        version: version?.value,
        build: build.map(|build| build.value),
        deadline: deadline?.value,
        details: details.map(|details| details.value),
    };
    Some(At { value: update, line })
}
