//! Floor 7: configuration, assembly, TLS, shutdown.

pub mod config;
pub mod tls;
