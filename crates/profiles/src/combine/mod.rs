//! From layers to one intent.
//!
//! What has an order goes the stricter way; what is blocked by one layer is blocked; what is allowed is what all allow
//! that say so. What has no order adds up, and two layers that say different things of the same are refused, both
//! named: nobody guesses who meant what. The order in which layers are given does not matter, and one given twice is
//! one.

mod added;
mod join;
mod whole;

use types::Day;

use crate::emergency::EmergencyOrder;
use crate::intent::Intent;
use crate::layer::{Contents, Layer, LayerKind, LayerName};
use crate::mode::stays_at_school;
use crate::refusal::Refusal;

pub use added::added_in_vain;

/// Combines the layers of one tablet as they apply today. An emergency order that is in force puts its base in the
/// ordinary one's place (C5.3.7): it alone may loosen.
///
/// # Errors
/// Every reason for which the layers do not go together, in a stable order.
pub fn combine<'l>(
    layers: impl IntoIterator<Item = &'l Layer>,
    emergency: Option<&'l EmergencyOrder>,
    today: Day,
) -> Result<Intent, Vec<Refusal>> {
    let stack = Stack::new(layers, emergency, today)?;
    let mut refusals = Vec::new();
    let intent = stack.join(&mut refusals);
    match intent {
        Some(intent) => {
            whole::check(&stack, &intent, &mut refusals);
            if refusals.is_empty() { Ok(intent) } else { Err(sorted(refusals)) }
        }
        None => Err(sorted(refusals)),
    }
}

fn sorted(mut refusals: Vec<Refusal>) -> Vec<Refusal> {
    refusals.sort();
    refusals.dedup();
    refusals
}

/// The layers of one tablet: one base, then the others in the order of their names, each once.
struct Stack<'l> {
    layers: Vec<&'l Layer>,
}

impl<'l> Stack<'l> {
    fn new(
        given: impl IntoIterator<Item = &'l Layer>,
        emergency: Option<&'l EmergencyOrder>,
        today: Day,
    ) -> Result<Self, Vec<Refusal>> {
        let mut layers: Vec<&Layer> = Vec::new();
        let mut refusals = Vec::new();
        for layer in given {
            if *layer.kind() == LayerKind::Emergency {
                refusals.push(Refusal::EmergencyWithoutOrder { layer: layer.name().clone() });
            } else if !layers.contains(&layer) {
                layers.push(layer);
            }
        }
        layers.sort_by(|one, other| one.name.cmp(&other.name));
        for pair in layers.windows(2) {
            if let [one, other] = pair
                && excludes(one.name(), other.name())
            {
                refusals.push(Refusal::TwoOfAKind { one: one.name().clone(), other: other.name().clone() });
            }
        }
        // In force, the order's base stands where the ordinary one stood, or where none has come yet.
        if let Some(order) = emergency.filter(|order| order.is_in_force(today)) {
            layers.retain(|layer| *layer.kind() != LayerKind::Base);
            layers.insert(0, order.base());
        } else if !layers.iter().any(|layer| *layer.kind() == LayerKind::Base) {
            refusals.push(Refusal::NoBase);
        }
        if refusals.is_empty() { Ok(Self { layers }) } else { Err(sorted(refusals)) }
    }

    /// Each layer's part that `get` names, if it has one.
    fn each<'s, T: 's>(
        &'s self,
        get: impl Fn(&'l Contents) -> Option<T> + 's,
    ) -> impl Iterator<Item = (&'l LayerName, T)> + 's {
        self.layers.iter().filter_map(move |layer| Some((&layer.name, get(&layer.contents)?)))
    }

    /// Whether the tablet stays in the collège; if nothing says so, it does not.
    fn stays_at_school(&self) -> bool {
        self.layers.iter().any(|layer| match layer.kind() {
            LayerKind::Mode(mode) => stays_at_school(*mode),
            _ => false,
        })
    }
}

/// Whether a tablet has one of the two only: of all kinds but its own layers, of which two differ by their title. Those
/// of a kind stand side by side when they are sorted by name.
fn excludes(one: &LayerName, other: &LayerName) -> bool {
    one == other
        || matches!(
            (&one.kind, &other.kind),
            (LayerKind::Base, LayerKind::Base)
                | (LayerKind::User(_), LayerKind::User(_))
                | (LayerKind::College(_), LayerKind::College(_))
                | (LayerKind::Mode(_), LayerKind::Mode(_))
        )
}
