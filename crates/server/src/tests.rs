//! The assembled server, started and stopped.
