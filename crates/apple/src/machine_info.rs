//! MachineInfo: what a tablet says of itself when it enrols automatically, inside a signature that is
//! opened and chain-checked before this.

use types::{Secret, SerialNumber, Udid};

use crate::plist::{self, Limits};
use crate::wire::{WireError, message};

message! {
    /// A tablet in its Setup Assistant.
    pub struct MachineInfo {
        required {
            /// The tablet.
            udid: Udid = "UDID",
            /// Compared with the inventory.
            serial: SerialNumber = "SERIAL",
            /// The model, such as `iPad13,18`.
            product: String = "PRODUCT",
            /// The build, such as `24A335`.
            version: String = "VERSION",
        }
        expected {
            /// Such as `27.0`; absent before 17.0.
            os_version: String = "OS_VERSION",
        }
        optional {
            /// The build of a security response.
            supplemental_build_version: String = "SUPPLEMENTAL_BUILD_VERSION",
            /// The letter of a security response.
            supplemental_os_version_extra: String = "SUPPLEMENTAL_OS_VERSION_EXTRA",
            /// The modem's number.
            imei: Secret<String> = "IMEI",
            /// The modem's number, older networks.
            meid: Secret<String> = "MEID",
            /// The user's language.
            language: String = "LANGUAGE",
            /// Whether a refusal may ask for a newer system first, see [`crate::refusal`].
            can_request_software_update: bool = "MDM_CAN_REQUEST_SOFTWARE_UPDATE",
            /// Its name in Apple's list of versions.
            software_update_device_id: String = "SOFTWARE_UPDATE_DEVICE_ID",
        }
    }
}

impl MachineInfo {
    /// Reads the signed content.
    ///
    /// # Errors
    /// It is not an acceptable property list, or a key is missing or has the wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        Self::from_dictionary(&plist::parse(bytes, Limits::MACHINE_INFO)?)
    }
}
