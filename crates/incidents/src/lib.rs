//! Floor 2: whether a tablet may be put in lost mode or located (C5.4.3, M1).
//!
//! The two proofs of this room, [`OpenIncident`] and [`Warrant`], have private fields and no constructor yet:
//! until the rules that grant them are written, nothing in the program can put a tablet in lost mode or ask
//! where it is, and the compiler says so.

mod open_incident;
mod warrant;

pub use open_incident::OpenIncident;
pub use warrant::Warrant;
