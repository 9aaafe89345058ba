//! What a collège adds and the base blocks: no contradiction, since what is blocked is blocked, but nothing that a collège
//! means.

use crate::layer::{Layer, LayerKind};
use crate::refusal::{InVain, Refusal};

/// The apps that a collège's layer adds although that base blocks them: no tablet would have them (C3.1.3). Nothing for
/// an emergency base: what it blocks comes back with the ordinary one.
#[must_use]
pub fn added_in_vain(college: &Layer, base: &Layer) -> Vec<Refusal> {
    let is_of_both = matches!(college.kind(), LayerKind::College(_)) && *base.kind() == LayerKind::Base;
    let added = college.apps().iter().filter(|_app| is_of_both);
    let refused = added.filter_map(|(bundle, app)| {
        let blocked = base.blocked().get(bundle)?;
        Some(Refusal::from(InVain {
            layer: college.name().clone(),
            line: app.line,
            bundle: bundle.to_string(),
            by: base.name().clone(),
            by_line: blocked.line,
        }))
    });
    refused.collect()
}
