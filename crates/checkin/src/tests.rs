//! Requests through the whole door.
