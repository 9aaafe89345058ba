//! Requests through the whole door, as actix serves it, over real use cases and a real database.

mod automated;
mod bodies;
mod deliveries;
mod enrolled;
mod enrolling;
mod harness;
mod identities;
mod links;
mod logs;
mod paths;
mod strangers;
mod wire;
