//! DeviceLocation: ask where the tablet is.

use types::Secret;

use crate::wire::message;

message! {
    /// Ask where the tablet is.
    ///
    /// Works in lost mode only.
    pub struct DeviceLocation {}
}

message! {
    /// What the tablet answers.
    pub struct DeviceLocationAnswer {
        required {
            /// Degrees, north positive.
            latitude: Secret<f64> = "Latitude",
            /// Degrees, east positive.
            longitude: Secret<f64> = "Longitude",
            /// Metres; negative if unknown.
            horizontal_accuracy: Secret<f64> = "HorizontalAccuracy",
            /// When it was measured, RFC 3339.
            timestamp: String = "Timestamp",
        }
        expected {
            /// Metres; negative if unknown.
            vertical_accuracy: Secret<f64> = "VerticalAccuracy",
            /// Metres.
            altitude: Secret<f64> = "Altitude",
            /// Metres per second; negative if unknown.
            speed: Secret<f64> = "Speed",
            /// Degrees from north; negative if unknown.
            course: Secret<f64> = "Course",
        }
    }
}
