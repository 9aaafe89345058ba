//! com.apple.security.scep: ask for a certificate (RFC 8894).

use types::Secret;

use crate::wire::message;

/// Its `PayloadType`.
pub(crate) const TYPE: &str = "com.apple.security.scep";

message! {
    /// Ask for a certificate.
    pub struct ScepPayload {
        required {
            /// What to ask for and where.
            content: ScepContent = "PayloadContent",
        }
    }
}

message! {
    /// What to ask for and where.
    pub struct ScepContent {
        required {
            /// The authority's address.
            url: String = "URL",
        }
        optional {
            /// Which of the authority's certificates, if it has several.
            name: String = "Name",
            /// The subject asked for: relative names, each a list of pairs of type and value. Our authority
            /// ignores it.
            subject: Vec<Vec<Vec<String>>> = "Subject",
            /// The word that lets a tablet in, once.
            challenge: Secret<String> = "Challenge",
            /// 1024, 2048 or 4096 bits.
            keysize: i64 = "Keysize",
            /// `RSA`.
            key_type: String = "Key Type",
            /// 1 signs, 4 decrypts, 5 both.
            key_usage: i64 = "Key Usage",
            /// The authority's fingerprint, so that the tablet knows whom to trust.
            ca_fingerprint: Vec<u8> = "CAFingerprint",
            /// How often to ask again while the authority says "pending".
            retries: i64 = "Retries",
            /// How long to wait in between, in seconds.
            retry_delay: i64 = "RetryDelay",
            /// Other names asked for. Our authority ignores them.
            subject_alt_name: SubjectAltName = "SubjectAltName",
            /// Whether the key can leave the tablet.
            key_is_extractable: bool = "KeyIsExtractable",
            /// Whether every app may use the key.
            allow_all_apps_access: bool = "AllowAllAppsAccess",
        }
    }
}

message! {
    /// Other names of a subject.
    pub struct SubjectAltName {
        optional {
            /// An address for mail.
            rfc822_name: String = "rfc822Name",
            /// A host.
            dns_name: String = "dNSName",
            /// An address.
            uniform_resource_identifier: String = "uniformResourceIdentifier",
            /// A name in a Windows domain.
            nt_principal_name: String = "ntPrincipalName",
        }
    }
}
