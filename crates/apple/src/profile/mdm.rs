//! com.apple.mdm: the management itself.

use crate::wire::message;

/// Its `PayloadType`.
pub(crate) const TYPE: &str = "com.apple.mdm";

/// Every access right: the sum of the bits 1 to 4096. Rights can only shrink later.
pub const ACCESS_RIGHTS_ALL: i64 = 8191;

message! {
    /// The management. An update that changes topic, addresses or enrolment mode, or asks for more rights,
    /// is refused by the tablet.
    pub struct MdmPayload {
        required {
            /// The `PayloadUUID` of the payload that brings the tablet's certificate.
            identity_certificate_uuid: String = "IdentityCertificateUUID",
            /// The push topic, `com.apple.mgmt.…`: the subject UID of the push certificate.
            topic: String = "Topic",
            /// Where reports go; https.
            server_url: String = "ServerURL",
        }
        optional {
            /// Where check-ins go; `ServerURL` if absent.
            check_in_url: String = "CheckInURL",
            /// Sign each request in an `Mdm-Signature` header.
            sign_message: bool = "SignMessage",
            /// The sum of what we may do.
            access_rights: i64 = "AccessRights",
            /// Push through Apple's sandbox.
            use_development_apns: bool = "UseDevelopmentAPNS",
            /// The account of a user enrolment, old form.
            managed_apple_id: String = "ManagedAppleID",
            /// The account of an account-driven enrolment.
            assigned_managed_apple_id: String = "AssignedManagedAppleID",
            /// `BYOD` or `ADDE`, in an account-driven enrolment.
            enrollment_mode: String = "EnrollmentMode",
            /// The payloads whose certificates `ServerURL` must show.
            server_url_pinning_certificate_uuids: Vec<String> = "ServerURLPinningCertificateUUIDs",
            /// The payloads whose certificates `CheckInURL` must show.
            check_in_url_pinning_certificate_uuids: Vec<String> = "CheckInURLPinningCertificateUUIDs",
            /// Whether those certificates must be known not to be revoked.
            pinning_revocation_check_required: bool = "PinningRevocationCheckRequired",
            /// What the server can do beyond the basics.
            server_capabilities: Vec<String> = "ServerCapabilities",
            /// Say so when the profile is removed.
            check_out_when_removed: bool = "CheckOutWhenRemoved",
            /// An app that a user enrolment needs.
            required_app_id_for_mdm: i64 = "RequiredAppIDForMDM",
        }
    }
}
