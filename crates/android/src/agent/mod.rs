//! The open agent's wire, byte for byte as the published agent speaks and hears it.
//!
//! | what the agent asks | here |
//! |---|---|
//! | which request it is, under whose key, and what that opens | [`call`], [`key`], [`admission`] |
//! | its first configuration | [`EnrolOptions`] |
//! | its configuration, with what it is told to do once | [`configuration`] |
//! | to tell of itself, and to confirm | [`DeviceInfo`] |
//! | whether something is waiting (the long poll) | [`push`], [`waking`] |
//! | which log rows are wanted, and to send them | [`log`] |
//! | every answer's frame, and those that carry nothing | [`answer`] |
//! | headers that sign | [`signature`] |
//! | the code that sets a tablet up | [`provisioning`] |
//!
//! The agent's own secret is public, and most of its requests carry none: what a request may read or write follows from the
//! key in its path, and from nothing that it says of itself (T-C6, T-C7).

pub mod admission;
pub mod answer;
pub mod call;
pub mod configuration;
mod device_info;
mod enrol_options;
pub mod key;
pub mod log;
mod panel_password;
pub mod provisioning;
pub mod push;
pub mod signature;
pub mod waking;

pub use device_info::{DeviceInfo, Locating, Permissions, Position, ReportedApp, ReportedFile, Volunteered};
pub use enrol_options::EnrolOptions;
pub use panel_password::PanelPassword;
