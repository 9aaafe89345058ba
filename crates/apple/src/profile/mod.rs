//! Configuration profiles: the documents that set up a tablet.
//!
//! A profile is read to know what it would do before it is approved or sent (which payloads, whether it
//! touches the management, whether it can erase), and written to enrol a tablet. Signatures are opened
//! before it comes here.

mod enrolment;
mod erasing;
mod mdm;
mod payload;
mod root_certificate;
mod scep;

pub use enrolment::{EnrolmentProfile, EnrolmentUuids};
pub use erasing::{
    ERASING_KEYS, ErasingFind, ErasingKey, ErasingWire, command_erasing_keys, declaration_erasing_keys,
};
pub use mdm::{ACCESS_RIGHTS_ALL, MdmPayload};
pub use payload::{Payload, PayloadContent, PayloadHeader};
pub use root_certificate::RootCertificatePayload;
pub use scep::{ScepContent, ScepPayload, SubjectAltName};

use types::{Instant, Secret};

use crate::plist::{self, Limits};
use crate::wire::{Raw, WireError, message};

/// The `PayloadType` of every profile.
pub(crate) const CONFIGURATION: &str = "Configuration";

message! {
    /// A profile.
    pub struct Profile {
        required {
            /// The name; a profile of the same name replaces it.
            identifier: String = "PayloadIdentifier",
            /// Changes with the content.
            uuid: String = "PayloadUUID",
            /// `Configuration`.
            payload_type: String = "PayloadType",
            /// 1.
            version: i64 = "PayloadVersion",
        }
        expected {
            /// The payloads; absent from an encrypted profile.
            payloads: Vec<Payload> = "PayloadContent",
        }
        optional {
            /// The payloads of an encrypted profile, which nobody but the tablet can read.
            encrypted_payloads: Secret<Vec<u8>> = "EncryptedPayloadContent",
            /// What it is for.
            description: String = "PayloadDescription",
            /// What people see.
            display_name: String = "PayloadDisplayName",
            /// Who made it.
            organization: String = "PayloadOrganization",
            /// The user cannot remove it; works on supervised tablets.
            removal_disallowed: bool = "PayloadRemovalDisallowed",
            /// `System` or `User`.
            scope: String = "PayloadScope",
            /// It removes itself then.
            removal_date: Instant = "RemovalDate",
            /// It removes itself after that many seconds.
            duration_until_removal: f64 = "DurationUntilRemoval",
            /// It can be renewed until then.
            expiration_date: Instant = "PayloadExpirationDate",
            /// 0 any device, 2 iPad.
            target_device_type: i64 = "TargetDeviceType",
            /// What the user agrees to, by language.
            consent_text: Raw = "ConsentText",
        }
    }
}

impl Profile {
    /// Reads an unsigned profile.
    ///
    /// # Errors
    /// It is not an acceptable property list or not a profile, or a key is missing or has the wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let profile = Self::from_dictionary(&plist::parse(bytes, Limits::PROFILE)?)?;
        if profile.payload_type == CONFIGURATION {
            Ok(profile)
        } else {
            Err(WireError::invalid("`Configuration`").within("PayloadType"))
        }
    }

    /// Writes it, unsigned.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        plist::to_xml(&self.to_dictionary())
    }

    /// Its payloads, none if it is encrypted.
    #[must_use]
    pub fn payloads(&self) -> &[Payload] {
        self.payloads.as_deref().unwrap_or_default()
    }

    /// The kinds of its payloads, in their order.
    #[must_use]
    pub fn payload_types(&self) -> Vec<&str> {
        self.payloads().iter().map(|payload| payload.header.payload_type.as_str()).collect()
    }

    /// Whether its payloads are hidden from us, so that nothing can be said about them.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted_payloads.is_some()
    }

    /// Whether it carries the management itself: removing it unenrols the tablet, installing it changes the
    /// enrolment.
    #[must_use]
    pub fn contains_mdm_payload(&self) -> bool {
        self.payload_types().iter().any(|kind| kind.trim().eq_ignore_ascii_case(mdm::TYPE))
    }

    /// The paths in it that can erase a tablet without an order, with the reason; empty if none.
    #[must_use]
    pub fn erasing_keys(&self) -> Vec<ErasingFind> {
        erasing::profile_erasing_keys(self)
    }
}
