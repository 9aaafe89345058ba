//! The push client and the egress guards against a small push service over real TLS and HTTP/2.
