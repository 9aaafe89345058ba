//! Servers whose way to queue a command is known.

use clap::ValueEnum;
use hyper::Method;
use serde::Serialize;

/// A server whose way to queue a command is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dialect {
    /// Ardoise: its API, with a token that may act.
    Ardoise,
    /// NanoMDM: its API, with its key; no push is sent.
    Nanomdm,
}

/// The command that NanoMDM is given, ready for the tablet.
const DEVICE_INFORMATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>CommandUUID</key><string>{uuid}</string>
  <key>Command</key><dict>
    <key>RequestType</key><string>DeviceInformation</string>
    <key>Queries</key><array>
      <string>DeviceName</string><string>OSVersion</string><string>BuildVersion</string>
      <string>ModelName</string><string>SerialNumber</string><string>BatteryLevel</string>
    </array>
  </dict>
</dict></plist>
"#;

impl Dialect {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Ardoise => "/api/v1/tablets/{serial}/commands",
            Self::Nanomdm => "/v1/enqueue/{udid}?nopush=1",
        }
    }

    pub(super) const fn method(self) -> Method {
        match self {
            Self::Ardoise => Method::POST,
            Self::Nanomdm => Method::PUT,
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Ardoise => "application/json",
            Self::Nanomdm => "application/xml",
        }
    }

    pub(super) const fn authorization(self) -> &'static str {
        match self {
            Self::Ardoise => "Authorization: Bearer {secret}",
            Self::Nanomdm => "Authorization: Basic {basic:nanomdm}",
        }
    }

    pub(super) const fn body(self) -> &'static str {
        match self {
            Self::Ardoise => r#"{"request_type":"DeviceInformation"}"#,
            Self::Nanomdm => DEVICE_INFORMATION,
        }
    }

    /// Where the answer names the command; none when the command is named by whoever queues it.
    pub(super) const fn uuid_at(self) -> Option<&'static str> {
        match self {
            Self::Ardoise => Some("/id"),
            Self::Nanomdm => None,
        }
    }
}
