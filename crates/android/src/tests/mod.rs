//! Tests of the room as a whole.

mod conversation;
mod hostile;
mod taken;
