//! RefreshCellularPlans: fetch the mobile plan.

use crate::wire::message;

message! {
    /// Fetch the mobile plan.
    ///
    /// Of an eSIM, from the carrier's server.
    pub struct RefreshCellularPlans {
        required {
            /// The carrier's server.
            esim_server_url: String = "eSIMServerURL",
        }
    }
}
