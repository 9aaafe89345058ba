//! Requests through the whole door, as actix serves it, over real use cases and a real database.

mod bodies;
mod harness;
mod identities;
mod logs;
mod paths;
mod strangers;
