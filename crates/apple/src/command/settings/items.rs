//! The settings that can be set, one struct each. Their `Item` is their name.

use types::Secret;

use crate::parts::ApplicationAttributes;
use crate::wire::{Raw, message};

message! {
    /// The picture behind the icons. Supervised (8.0).
    pub struct WallpaperSetting {
        required {
            /// PNG or JPEG.
            image: Vec<u8> = "Image",
            /// 1 the lock screen, 2 the home screen, 3 both.
            placement: i64 = "Where",
        }
    }
}

message! {
    /// Data abroad.
    pub struct DataRoamingSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// Voice abroad. Deprecated in 16.0.
    pub struct VoiceRoamingSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// Sharing of the network.
    pub struct PersonalHotspotSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// Bluetooth. Supervised (11.3).
    pub struct BluetoothSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// The settings a managed app reads. Without them the app has none.
    pub struct ApplicationConfigurationSetting {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
        optional {
            /// The settings the app reads.
            configuration: Raw = "Configuration",
        }
    }
}

message! {
    /// What a managed app may and may not do.
    pub struct AttributesSetting {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
        optional {
            /// What the app may and may not do.
            attributes: ApplicationAttributes = "Attributes",
        }
    }
}

message! {
    /// The name of the tablet. Supervised.
    pub struct DeviceNameSetting {
        required {
            /// The name, which is often a person's.
            device_name: Secret<String> = "DeviceName",
        }
    }
}

message! {
    /// Who owns the tablet. Without it the tablet forgets.
    pub struct OrganizationInfoSetting {
        optional {
            /// The organisation set by Settings.
            organization_info: Organization = "OrganizationInfo",
        }
    }
}

message! {
    /// An organisation.
    pub struct Organization {
        required {
            /// The name.
            organization_name: String = "OrganizationName",
        }
        optional {
            /// The short name (13.0).
            organization_short_name: String = "OrganizationShortName",
            /// The address.
            organization_address: String = "OrganizationAddress",
            /// The telephone number.
            organization_phone: Secret<String> = "OrganizationPhone",
            /// The address for mail.
            organization_email: String = "OrganizationEmail",
            /// A word of the organisation's own.
            organization_magic: Secret<String> = "OrganizationMagic",
        }
    }
}

message! {
    /// Which apps open links, calls and messages (18.2). Shared iPad's user channel.
    pub struct DefaultApplicationsSetting {
        optional {
            /// The bundle identifier of the browser.
            web_browser: String = "WebBrowser",
            /// The bundle identifier for calls (26.0).
            calling: String = "Calling",
            /// The bundle identifier for messages (26.0).
            messaging: String = "Messaging",
        }
    }
}

message! {
    /// What the user may do under management.
    pub struct MdmOptionsSetting {
        required {
            /// The options set by Settings.
            mdm_options: MdmOptionValues = "MDMOptions",
        }
    }
}

message! {
    /// The options.
    pub struct MdmOptionValues {
        optional {
            /// The user may turn the activation lock on.
            activation_lock_allowed_while_supervised: bool = "ActivationLockAllowedWhileSupervised",
            /// It may restart itself when idle (18.4).
            idle_reboot_allowed: bool = "IdleRebootAllowed",
        }
    }
}

message! {
    /// How many users a Shared iPad keeps. Deprecated in 13.4.
    pub struct MaximumResidentUsersSetting {
        required {
            /// How many users a Shared iPad keeps.
            maximum_resident_users: i64 = "MaximumResidentUsers",
        }
    }
}

message! {
    /// How a Shared iPad is shared (13.4).
    pub struct SharedDeviceConfigurationSetting {
        optional {
            /// A user's space, in megabytes.
            quota_size: i64 = "QuotaSize",
            /// How many users it keeps.
            resident_users: i64 = "ResidentUsers",
            /// In seconds.
            user_session_timeout: i64 = "UserSessionTimeout",
            /// In seconds.
            temporary_session_timeout: i64 = "TemporarySessionTimeout",
            /// Only guests, whose data is erased when they leave.
            temporary_session_only: bool = "TemporarySessionOnly",
            /// The domains offered at the login.
            managed_apple_id_default_domains: Vec<String> = "ManagedAppleIDDefaultDomains",
            /// In days.
            online_authentication_grace_period: i64 = "OnlineAuthenticationGracePeriod",
            /// New users are not asked for their language.
            skip_language_and_locale_setup_for_new_users: bool = "SkipLanguageAndLocaleSetupForNewUsers",
            /// New sessions wait for UserConfigured (17.0).
            await_user_configuration: AwaitUserConfiguration = "AwaitUserConfiguration",
            /// The passcode of a Shared iPad (17.0).
            passcode_policy: PasscodePolicy = "PasscodePolicy",
        }
    }
}

message! {
    /// Whether sessions wait.
    pub struct AwaitUserConfiguration {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// The passcode of a Shared iPad.
    pub struct PasscodePolicy {
        optional {
            /// The user's choice, in seconds.
            passcode_lock_grace_period: i64 = "PasscodeLockGracePeriod",
            /// In seconds.
            auto_lock_time: i64 = "AutoLockTime",
        }
    }
}

message! {
    /// Diagnostics for Apple. Shared iPad.
    pub struct DiagnosticSubmissionSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// App analytics for developers. Shared iPad.
    pub struct AppAnalyticsSetting {
        required {
            /// On or off.
            enabled: bool = "Enabled",
        }
    }
}

message! {
    /// How long a Shared iPad stays unlocked. Deprecated in 17.0.
    pub struct PasscodeLockGracePeriodSetting {
        required {
            /// The user's choice, in seconds.
            passcode_lock_grace_period: i64 = "PasscodeLockGracePeriod",
        }
    }
}

message! {
    /// The time zone. Supervised (14.0).
    pub struct TimeZoneSetting {
        required {
            /// Such as `Europe/Paris`.
            time_zone: String = "TimeZone",
        }
    }
}

message! {
    /// Which updates are offered. Supervised; gone in 27.0.
    pub struct SoftwareUpdateSettingsSetting {
        required {
            /// 0 offers all updates, 1 the oldest, 2 the newest.
            recommendation_cadence: i64 = "RecommendationCadence",
        }
    }
}
