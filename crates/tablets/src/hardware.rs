//! What a simulated tablet is: serial number, identifier, model and system.

use serde::{Deserialize, Serialize};

/// What a tablet is, and stays through an erase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// The serial number.
    pub serial: String,
    /// The identifier of the device.
    pub udid: String,
    /// The model identifier, such as `iPad13,18`.
    pub product_name: String,
    /// The model's name for people.
    pub model_name: String,
    /// The order number, such as `MPQ03NF/A`.
    pub model: String,
    /// The system's version.
    pub os_version: String,
    /// The system's build.
    pub build_version: String,
    /// Whether it is supervised.
    pub supervised: bool,
    /// Where automated enrolment would send it, if the maker knows its owner.
    pub automated_enrolment_url: Option<String>,
}

impl Hardware {
    /// An iPad of the tenth generation with iPadOS 27.0, supervised. Its identifier follows from its serial number.
    #[must_use]
    pub fn ipad(serial: &str) -> Self {
        Self {
            serial: serial.to_owned(),
            udid: made_up_udid(serial),
            product_name: "iPad13,18".to_owned(),
            model_name: "iPad".to_owned(),
            model: "MPQ03NF/A".to_owned(),
            os_version: "27.0".to_owned(),
            build_version: "25A340".to_owned(),
            supervised: true,
            automated_enrolment_url: None,
        }
    }

    /// A number that is the tablet's own, the same in every run.
    pub(crate) fn own_number(&self) -> u64 {
        digest(&self.serial).iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

/// `00008120-` and 16 hexadecimal digits, as recent iPads have it.
pub(crate) fn made_up_udid(serial: &str) -> String {
    let digits: String = digest(serial).iter().take(8).map(|byte| format!("{byte:02X}")).collect();
    format!("00008120-{digits}")
}

fn digest(serial: &str) -> [u8; 32] {
    openssl::sha::sha256(serial.as_bytes())
}
