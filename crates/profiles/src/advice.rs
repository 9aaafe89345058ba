//! What is no mistake in a layer, and no use.

use crate::layer::Layer;
use crate::reading::Notes;

/// Points out what changes nothing.
pub(crate) fn give(layer: &Layer, notes: &mut Notes<'_>) {
    for (entry, at) in &layer.contents.settings {
        // Only a base can allow: elsewhere, the loosest value asks for nothing.
        if !layer.is_base() && at.value.is_loosest(entry) {
            notes.advice(
                at.line,
                entry.to_string(),
                format!("{} changes nothing here", at.value),
                "a layer beside the base can only tighten: change the base, or leave it out",
            );
        }
    }
}
