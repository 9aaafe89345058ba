//! Floor 2: what happened to a tablet, and whether it may be put in lost mode or located (C5.4.*, M1, M2).
//!
//! An [`Incident`] is declared for one tablet. Its papers have clocks ([`papers`]); it lives from its declaration to
//! its closing ([`life`]), and what each step brings with it is told as [`Consequence`]s, that whoever saves the step
//! carries out.
//!
//! Two proofs come from it, whose fields are private. [`OpenIncident`] carries lost mode; [`Warrant`] carries one
//! request for a position. Both are read back from their rows against the clock, when the command is queued and again
//! when it is delivered: a row that was true yesterday proves nothing today.
//!
//! Values in, decisions out: no database, no clock. A position passes through here once, as it comes in
//! ([`Position`]), and shows itself nowhere.

mod counterpart;
mod hands;
mod incident;
mod keys;
pub mod letter;
pub mod life;
mod limits;
pub mod lost_mode;
mod notice;
mod open_incident;
pub mod papers;
mod people;
mod position;
mod refusal;
#[cfg(test)]
mod tests;
mod theft;
mod warrant;

pub use counterpart::{Counterpart, Effect, Finding, WarrantyVerdict};
pub use hands::{Bearing, Hands, Holding, Home, Since};
pub use incident::{Declaration, Incident, IncidentState};
pub use keys::{AFTER_CLOSING, AFTER_THE_LAST_FIX, key_dies_at};
pub use life::{Consequence, Step};
pub use limits::{Asked, Limits, OutOfBounds};
pub use lost_mode::{Instead, LostModeAct, LostModeState, LostModeWish, Message};
pub use notice::{AuthorityDelay, NoticeDue, NoticeOccasion, notice_due};
pub use open_incident::{NotOpen, OpenIncident, RecordedIncident};
pub use people::{Declarant, SecondPerson};
pub use position::{Dropped, Fix, Implausible, Kept, Position};
pub use refusal::{NextStep, Refusal};
pub use theft::lets_erase;
pub use warrant::{Asking, Basis, Footing, Grant, NotInForce, Petition, RecordedWarrant, Request, Warrant};
