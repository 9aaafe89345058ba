//! The promises of this room, proof by proof.

mod authority;
mod identity;
mod machine_info;
mod mdm_signature;
mod push_certificate;
mod signing;
