//! Floor 1: certificates. The house's authority, the identities it issues, CMS signatures, SCEP.
//!
//! Bytes in, bytes out: no network, no file, no clock, no database. What a certificate proves is decided
//! here; whose it is (bound to which enrolment, revoked or not) is for those who have the database.
//!
//! - [`Authority`] issues, [`Authorities`] remembers those that a rotation or a move replaced.
//! - [`TrustedAuthorities`] makes a [`DeviceIdentity`] out of evidence that a key was used: a TLS handshake, an
//!   [`mdm_signature`], the word of a proxy ([`TrustedProxies`]).
//! - [`scep`] opens requests and makes the answers.
//! - [`verify_machine_info`] believes a device of Apple's; [`sign_attached`] signs profiles.
//! - [`to_der`] comes before every parser: tablets send BER.

mod apple_authorities;
mod asn1;
mod authorities;
mod authority;
mod ber;
mod certificate;
mod cms_sign;
mod cms_verify;
mod digest;
mod envelope;
mod fingerprint;
mod forwarded;
mod identity;
mod machine_info;
pub mod mdm_signature;
mod oids;
mod push_certificate;
pub mod scep;
mod server_certificate;
mod signed_data;
mod vetted;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use apple_authorities::{
    AdmittedAuthority, AppleAuthority, DeviceCertificateAuthorities, NotAdmitted, admit,
};
pub use asn1::UnexpectedStructure;
pub use authorities::Authorities;
pub use authority::{Authority, AuthorityError, AuthorityKey, IssueError, IssuedCertificate, LeafRequest};
pub use ber::{BerError, Limits, to_der};
pub use certificate::MalformedCertificate;
pub use cms_sign::{SigningError, SigningKey, sign_attached, sign_detached};
pub use cms_verify::{SignatureError, VerifiedMessage, open_signed_profile, verify_attached};
pub use digest::Digest;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use forwarded::{
    ForwardedCertificate, ForwardedError, InvalidProxyNetwork, ProxyNetwork, TrustedProxies, TrustedProxy,
};
pub use identity::{
    AuthorityKind, DeviceIdentity, ExpiryPolicy, HandshakeCertificate, IdentityError, Proof, SignedBody,
    TrustedAuthorities, UntrustworthyAuthority, Validity,
};
pub use machine_info::{LONGEST_MACHINE_INFO, MachineInfoError, SignedMachineInfo, verify_machine_info};
pub use push_certificate::{PushCertificate, PushCertificateError};
pub use server_certificate::ServerCertificate;
