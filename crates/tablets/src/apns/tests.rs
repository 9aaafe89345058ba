//! Apple's refusals, over real TLS and HTTP/2.
