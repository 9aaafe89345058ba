//! The one mechanism for every second person: who asked, what exactly, who may answer, until when.
//!
//! What is asked is [`Asked`]; it never changes. A second person answers, once. What they signed becomes a
//! [`Countersigned`] when it is used: checked again against both persons as they are then, for the very
//! purpose, subject and content, and once. Nothing that needs a second person can be written without that
//! value.

mod answer;
mod asked;
mod content;
mod proof;
mod purpose;

pub use answer::{Answer, NotCountersigned, Parties, Verdict};
pub use asked::{Asked, CountersignatureRow, CountersignatureState, NotAsked, Question};
pub use content::{Content, NotPlain};
pub use proof::Countersigned;
pub use purpose::{Purpose, SecondPerson, Subject};
