//! Floor 2: who holds a tablet, when it is erased, and when it leaves management (art. 5, M3, M4).
//!
//! The two proofs of this room, [`EraseOrder`] and [`EnrolmentEnd`], have private fields and no constructor
//! yet: until the rules that grant them are written, nothing in the program can erase a tablet or unenrol it,
//! and the compiler says so.

mod enrolment_end;
mod erase_order;

pub use enrolment_end::EnrolmentEnd;
pub use erase_order::EraseOrder;
