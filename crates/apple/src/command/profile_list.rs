//! ProfileList: list the configuration profiles.

use crate::wire::message;

message! {
    /// List the configuration profiles.
    ///
    /// All of them, or ours.
    pub struct ProfileList {
        optional {
            /// Leaves out what the user installed (13.0).
            managed_only: bool = "ManagedOnly",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ProfileListAnswer {
        required {
            /// The profiles.
            profile_list: Vec<InstalledProfile> = "ProfileList",
        }
    }
}

message! {
    /// A profile.
    pub struct InstalledProfile {
        required {
            /// The name; a profile of the same name replaces it.
            payload_identifier: String = "PayloadIdentifier",
        }
        expected {
            /// Changes with the content.
            payload_uuid: String = "PayloadUUID",
        }
        optional {
            /// The version of the format.
            payload_version: i64 = "PayloadVersion",
            /// What people see.
            payload_display_name: String = "PayloadDisplayName",
            /// Who made it.
            payload_organization: String = "PayloadOrganization",
            /// What it is for.
            payload_description: String = "PayloadDescription",
            /// The user cannot remove it.
            payload_removal_disallowed: bool = "PayloadRemovalDisallowed",
            /// A password removes it.
            has_removal_passcode: bool = "HasRemovalPasscode",
            /// It came encrypted.
            is_encrypted: bool = "IsEncrypted",
            /// Who signed it, DER.
            signer_certificates: Vec<Vec<u8>> = "SignerCertificates",
            /// It is ours.
            is_managed: bool = "IsManaged",
            /// What installed it, such as declarations.
            source: String = "Source",
            /// Its payloads.
            payload_content: Vec<InstalledPayload> = "PayloadContent",
        }
    }
}

message! {
    /// A payload of a profile.
    pub struct InstalledPayload {
        required {
            /// The name; a profile of the same name replaces it.
            payload_identifier: String = "PayloadIdentifier",
        }
        expected {
            /// The kind.
            payload_type: String = "PayloadType",
            /// The version of the format.
            payload_version: i64 = "PayloadVersion",
            /// Changes with the content.
            payload_uuid: String = "PayloadUUID",
        }
        optional {
            /// What people see.
            payload_display_name: String = "PayloadDisplayName",
            /// What it is for.
            payload_description: String = "PayloadDescription",
            /// Who made it.
            payload_organization: String = "PayloadOrganization",
        }
    }
}
