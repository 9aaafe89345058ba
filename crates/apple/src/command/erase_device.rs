//! EraseDevice: erase the tablet.

use crate::parts::ReturnToServiceSettings;
use crate::wire::message;

message! {
    /// Erase the tablet.
    ///
    /// Acknowledged is not erased: it answers before, and does not try again.
    pub struct EraseDevice {
        optional {
            /// Keep the data plan (11.0).
            preserve_data_plan: bool = "PreserveDataPlan",
            /// No setup from a nearby device (11.3).
            disallow_proximity_setup: bool = "DisallowProximitySetup",
            /// How the tablet comes back.
            return_to_service: ReturnToServiceSettings = "ReturnToService",
        }
    }
}
