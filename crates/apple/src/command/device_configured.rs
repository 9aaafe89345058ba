//! DeviceConfigured: let the Setup Assistant go on.

use crate::wire::message;

message! {
    /// Let the Setup Assistant go on.
    ///
    /// Without it, a tablet that awaits configuration stays there.
    pub struct DeviceConfigured {}
}
