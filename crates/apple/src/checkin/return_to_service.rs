//! ReturnToService: a tablet is about to erase itself and asks how it should come back.

use types::Udid;

use crate::parts::ReturnToServiceSettings;
use crate::wire::message;

message! {
    /// Sent on a user's action or an idle timeout, when the automated enrolment's profile has put the
    /// tablet in that mode (iPadOS 26 and later). Without an erase order the answer is
    /// [`ReturnToServiceResponse::not_enabled`].
    pub struct ReturnToService {
        required {
            /// The tablet.
            udid: Udid = "UDID",
        }
    }
}

message! {
    /// The answer.
    pub struct ReturnToServiceResponse {
        required {
            /// Whether it erases itself, and with which profiles it comes back.
            return_to_service: ReturnToServiceSettings = "ReturnToService",
        }
        optional {
            /// Keep the data plan (26.4).
            preserve_data_plan: bool = "PreserveDataPlan",
        }
    }
}

impl ReturnToServiceResponse {
    /// The answer that erases nothing.
    #[must_use]
    pub fn not_enabled() -> Self {
        Self::new(ReturnToServiceSettings::new(false))
    }
}
