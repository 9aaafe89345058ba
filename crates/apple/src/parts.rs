//! Dictionaries that several messages share.

use types::Secret;

use crate::plist::{Dictionary, Value};
use crate::wire::{Kind, Raw, Wire, WireError, message};

message! {
    /// How a tablet comes back after it erased itself.
    pub struct ReturnToServiceSettings {
        required {
            /// Whether it comes back by itself.
            enabled: bool = "Enabled",
        }
        optional {
            /// A profile with the Wi-Fi to join; needed without Ethernet or a mobile network.
            wifi_profile_data: Secret<Vec<u8>> = "WiFiProfileData",
            /// The enrolment profile; required unless automated enrolment provides it.
            mdm_profile_data: Secret<Vec<u8>> = "MDMProfileData",
            /// Keeps apps (26.0).
            bootstrap_token: Secret<Vec<u8>> = "BootstrapToken",
            /// Try again when the enrolment fails (27.0).
            should_retry_enrollment: bool = "ShouldRetryEnrollment",
        }
    }
}

message! {
    /// What an app may and may not do on the tablet.
    pub struct ApplicationAttributes {
        optional {
            /// The VPN it goes through.
            vpn_uuid: String = "VPNUUID",
            /// The content filter it goes through (16.0).
            content_filter_uuid: String = "ContentFilterUUID",
            /// The DNS proxy it uses (16.0).
            dns_proxy_uuid: String = "DNSProxyUUID",
            /// The relay it goes through (17.0).
            relay_uuid: String = "RelayUUID",
            /// Domains tied to the app (13.0).
            associated_domains: Vec<String> = "AssociatedDomains",
            /// Whether those domains are fetched directly (14.0).
            associated_domains_enable_direct_downloads: bool = "AssociatedDomainsEnableDirectDownloads",
            /// Whether the user can remove it (14.0).
            removable: bool = "Removable",
            /// Whether a payment locks the screen (16.4).
            tap_to_pay_screen_lock: bool = "TapToPayScreenLock",
            /// The slice of a mobile network it uses (17.0).
            cellular_slice_uuid: String = "CellularSliceUUID",
            /// Whether the user can hide it (18.1).
            hideable: bool = "Hideable",
            /// Whether the user can lock it (18.1).
            lockable: bool = "Lockable",
        }
    }
}

message! {
    /// The accessibility switches that can be managed.
    pub struct AccessibilitySettings {
        optional {
            /// Bold text.
            bold_text_enabled: bool = "BoldTextEnabled",
            /// More contrast.
            increase_contrast_enabled: bool = "IncreaseContrastEnabled",
            /// Less motion.
            reduce_motion_enabled: bool = "ReduceMotionEnabled",
            /// Less transparency.
            reduce_transparency_enabled: bool = "ReduceTransparencyEnabled",
            /// From 0 to 11; 4 is usual.
            text_size: i64 = "TextSize",
            /// Help with touch.
            touch_accommodations_enabled: bool = "TouchAccommodationsEnabled",
            /// The screen reader.
            voice_over_enabled: bool = "VoiceOverEnabled",
            /// The magnifier.
            zoom_enabled: bool = "ZoomEnabled",
        }
    }
}

/// One error of the chain that a tablet reports, outermost first.
#[derive(Debug, Clone)]
pub struct ErrorLink {
    /// The number, meaningful within its domain.
    pub code: i64,
    /// Such as `MCMDMErrorDomain`.
    pub domain: String,
    /// The text in the tablet's language.
    pub localized: Option<String>,
    /// The text in English.
    pub us_english: Option<String>,
    /// The keys that this version does not know.
    pub extra: Raw,
}

/// The schema leaves the links of a chain open; these are the keys that tablets send.
const LINK_KEYS: [&str; 4] = ["ErrorCode", "ErrorDomain", "LocalizedDescription", "USEnglishDescription"];

impl Wire for ErrorLink {
    const KIND: Kind = Kind::Open;

    fn read(value: &Value) -> Result<Self, WireError> {
        let mut extra = Raw::read(value)?;
        let [code, domain, localized, us_english] = LINK_KEYS;
        let link = Self {
            code: message::optional(&extra, code)?.unwrap_or_default(),
            domain: message::optional(&extra, domain)?.unwrap_or_default(),
            localized: message::optional(&extra, localized)?,
            us_english: message::optional(&extra, us_english)?,
            extra: Raw::default(),
        };
        for key in LINK_KEYS {
            extra.forget(key);
        }
        Ok(Self { extra, ..link })
    }

    fn write(&self) -> Value {
        let [code, domain, localized, us_english] = LINK_KEYS;
        let known: [(&str, Option<Value>); 4] = [
            (code, Some(self.code.write())),
            (domain, Some(self.domain.write())),
            (localized, self.localized.as_ref().map(Wire::write)),
            (us_english, self.us_english.as_ref().map(Wire::write)),
        ];
        let dictionary: Dictionary = message::join(known, &self.extra);
        Value::Dictionary(dictionary)
    }
}
