//! The audit chain: rows that cannot be edited, removed or put in without a trace.
//!
//! A row is appended plain, in the transaction of what it tells. A sealer chains what was committed in
//! batches: a [`Seal`] binds the digests of its rows, in the order of their numbers, and the seal before it.
//! Which rows a seal binds stands on the rows, and is not a range of numbers: a transaction may commit late.
//!
//! The body of a row, its reason and detail, enters its digest through a salted digest of its own. Both body
//! and salt may be emptied when retention says so: the chain still verifies, and nobody can find out what
//! stood there by trying.
//!
//! Whoever owns the database can compute a whole new chain. An [`Anchor`], kept elsewhere, shows it, as it
//! shows that seals were cut off the end.

mod place;
mod row;
mod seal;
mod verify;

pub use row::{Body, Row, body_digest};
pub use seal::{Anchor, Seal};
pub use verify::{Finding, PATIENCE, Remark, Report, Verifier, verify};
