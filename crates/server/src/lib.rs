//! Floor 7: configuration, assembly, TLS, shutdown.
