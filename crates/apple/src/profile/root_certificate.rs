//! com.apple.security.root: an authority to trust.

use crate::wire::message;

/// Its `PayloadType`.
pub(crate) const TYPE: &str = "com.apple.security.root";

message! {
    /// An authority to trust.
    pub struct RootCertificatePayload {
        required {
            /// The certificate, DER.
            certificate: Vec<u8> = "PayloadContent",
        }
        optional {
            /// The file it came from.
            file_name: String = "PayloadCertificateFileName",
        }
    }
}
