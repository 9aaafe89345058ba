//! Floor 2: what is kept about people, why and for how long; and the DPO's switch (C3.1.6, C8.1).
//!
//! Every [`Activity`] has an [`Entry`] in the register of processing activities (GDPR, art. 30): its
//! [`Wording`] is written here, in French and in English; the columns it stores are declared beside each
//! table, as [`TableDeclaration`]s, so that the register cannot say less than what is stored. An entry's
//! digest covers both: whoever stores more voids the DPO's validation.
//!
//! [`check`] is the switch: out of the recorded [`Validation`]s and the present entry it makes a
//! [`Validated`], the proof that a feature which processes personal data asks for, or says why there is none.
//! [`RetentionClass`] says in numbers how long each kind of row is kept, and [`prove`] what is overdue. [`SubjectData`] is
//! the copy that a person asks for, and [`may_forget`] says whether they may be forgotten before that.
//!
//! No database and no clock: declarations, validations and purges come in as values, and so does the instant.

mod activity;
mod declaration;
mod digest;
mod entries;
mod entry;
pub mod glossary;
mod purges;
mod register;
mod render;
mod retention;
mod status;
mod stored;
mod subject;
#[cfg(test)]
mod tests;
mod text;
mod validation;
mod vocabulary;
mod withdrawn;
mod words;

pub use activity::Activity;
pub use declaration::{ColumnDeclaration, Datum, Holds, TableDeclaration};
pub use entry::{Entry, Gate, StoredColumn, Wording};
pub use purges::{Left, Line, PurgeAccount, PurgeDone, Verdict, prove};
pub use register::{Masthead, Register};
pub use render::{Unrenderable, content_security_policy};
pub use retention::{Forget, Keeps, RetentionClass, Rule, Term, cut_off};
pub use status::{NotValidated, Status, Validated, check};
pub use stored::{Change, StoredColumns};
pub use subject::{LeftOut, NotForgotten, SubjectData, SubjectPart, Ties, may_forget};
pub use text::{Language, Text};
pub use validation::{NotGiven, NotWithdrawn, Validation, Withdrawal};
pub use vocabulary::{Category, LegalBasis, Measure, Party, People, Recipient};
pub use words::UnknownCode;
