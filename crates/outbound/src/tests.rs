//! The push client and the egress guards against a small push service over real TLS and HTTP/2.

mod authority;
mod egress;
mod push;
mod push_service;
