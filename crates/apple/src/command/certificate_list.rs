//! CertificateList: list the certificates.

use crate::wire::message;

message! {
    /// List the certificates.
    ///
    /// All of them, or those of profiles of ours.
    pub struct CertificateList {
        optional {
            /// Leaves out what the user brought (13.0).
            managed_only: bool = "ManagedOnly",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct CertificateListAnswer {
        required {
            /// The certificates.
            certificate_list: Vec<InstalledCertificate> = "CertificateList",
        }
    }
}

message! {
    /// A certificate.
    pub struct InstalledCertificate {
        required {
            /// The certificate, DER.
            data: Vec<u8> = "Data",
        }
        expected {
            /// The subject's common name.
            common_name: String = "CommonName",
            /// The private key is there too.
            is_identity: bool = "IsIdentity",
        }
    }
}
