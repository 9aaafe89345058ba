//! Floor 2: who holds a tablet, when it is erased, and when it leaves management (art. 5, M3, M4).
//!
//! The two proofs of this room have private fields. [`EraseOrder`] has no constructor yet: until the rules that
//! grant it are written, nothing in the program can erase a tablet, and the compiler says so. [`EnrolmentEnd`]
//! is only read back from the record of an end, which a person decides and the brake counts.

mod enrolment_end;
mod erase_order;

pub use enrolment_end::{EnrolmentEnd, NotEnded, RecordedEnd};
pub use erase_order::EraseOrder;
