//! RequestMirroring: show the screen elsewhere.

use types::Secret;

use crate::wire::message;

message! {
    /// Show the screen elsewhere.
    ///
    /// Named by its name or its address.
    pub struct RequestMirroring {
        optional {
            /// The screen's name.
            destination_name: String = "DestinationName",
            /// The screen's address.
            destination_device_id: String = "DestinationDeviceID",
            /// How long to look for it, in seconds.
            scan_time: i64 = "ScanTime",
            /// The screen's password.
            password: Secret<String> = "Password",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct RequestMirroringAnswer {
        optional {
            /// `Prompting`, `DestinationNotFound`, `Cancelled` or `Unknown`.
            mirroring_result: String = "MirroringResult",
        }
    }
}
