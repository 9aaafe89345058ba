//! Floor 2: who holds a tablet, when it is erased, and when it leaves management (art. 4, 5 and 9, M3, M4).
//!
//! Everything here is a decision: facts and an instant in, a new state or a refusal with its rule out. It is read in the
//! order of a loan's life:
//!
//! | file | what it decides |
//! |---|---|
//! | [`roster`] | who is who in an export of the school's register |
//! | [`list`] | who may be lent a tablet: settled by the head, validated by the académie (C4.2) |
//! | [`agreement`], [`mode`] | whether it may leave the collège (C5.2.1) |
//! | [`readiness`] | whether it can be handed over, and because of what not (C5.3.4) |
//! | [`loan`], [`calendar`] | what becomes of the loan: suspension, summer, ends, reminders, lateness (C5.2, C9.1) |
//! | [`notice`], [`restitution`] | what comes between a receipt and the proof that a tablet is empty (C5.3.5) |
//! | [`repair`], [`transfer`] | a stay at the supplier's, and the way to another collège (C5.4.5) |
//! | [`last_decision`], [`departure`] | donation, retirement, and what was stolen; the way out (C5.1.2) |
//!
//! The two proofs of this room have private fields. [`EraseOrder`] is only read back from a row that a receipt or a
//! decision stands behind, against the tablet as it is now; [`EnrolmentEnd`] from the record of an end.

pub mod agreement;
pub mod calendar;
pub mod departure;
mod enrolment_end;
mod erase_order;
pub mod last_decision;
pub mod letter;
pub mod list;
pub mod loan;
pub mod mail;
pub mod mode;
pub mod notice;
pub mod readiness;
mod refused;
pub mod repair;
pub mod restitution;
pub mod roster;
mod school_year;
mod texts;
pub mod transfer;

pub use enrolment_end::{EnrolmentEnd, NotEnded, RecordedEnd};
pub use erase_order::{
    Cause, EraseOrder, EraseTerms, Grounds, NewOrder, NotErased, Present, RecordedOrder, grant,
};
pub use refused::Refused;
pub use school_year::SchoolYear;
pub use texts::{ClassName, Condition, InvalidText, PersonName, Reason, Reference, SchoolNumber};

#[cfg(test)]
mod tests;
