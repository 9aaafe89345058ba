//! What Ardoise asks tablets about themselves, and what it does not ask (C3.1.6).

use crate::command::{
    Command, DeviceInformation, InstalledApplicationList, ProfileList, RequestType, SecurityInfo,
};

/// The queries of DeviceInformation that we make: what the tablet is and how it is doing.
pub const QUERIES: &[&str] = &[
    "UDID",
    "SerialNumber",
    "OSVersion",
    "SupplementalOSVersionExtra",
    "BuildVersion",
    "SupplementalBuildVersion",
    "ModelName",
    "Model",
    "ModelNumber",
    "ProductName",
    "DeviceCapacity",
    "AvailableDeviceCapacity",
    "BatteryLevel",
    "IsSupervised",
    "IsMultiUser",
    "IsDeviceLocatorServiceEnabled",
    "IsActivationLockEnabled",
    "IsMDMLostModeEnabled",
    "AwaitingConfiguration",
    "SoftwareUpdateDeviceID",
    "MDMOptions",
];

/// The queries that are refused: names, numbers and addresses of a person or of their devices, where the
/// tablet is, what it says of its user's habits or health, and secrets.
pub const PERSONAL_QUERIES: &[&str] = &[
    "DeviceName",
    "PhoneNumber",
    "IMEI",
    "MEID",
    "ICCID",
    "ServiceSubscriptions",
    "BluetoothMAC",
    "WiFiMAC",
    "EASDeviceIdentifier",
    "PushToken",
    "iTunesStoreAccountIsActive",
    "iTunesStoreAccountHash",
    "LastCloudBackupDate",
    "IsCloudBackupEnabled",
    "IsDoNotDisturbInEffect",
    "AccessibilitySettings",
    "TimeZone",
    "CurrentCarrierNetwork",
    "SIMCarrierNetwork",
    "SubscriberCarrierNetwork",
    "SubscriberMCC",
    "SubscriberMNC",
    "CurrentMCC",
    "CurrentMNC",
    "IsRoaming",
    "IsNetworkTethered",
];

/// The queries that are neither personal nor of use to us yet.
pub const UNUSED_QUERIES: &[&str] = &[
    "OrganizationInfo",
    "ModemFirmwareVersion",
    "CellularTechnology",
    "CarrierSettingsVersion",
    "DataRoamingEnabled",
    "VoiceRoamingEnabled",
    "PersonalHotspotEnabled",
    "MaximumResidentUsers",
    "EstimatedResidentUsers",
    "QuotaSize",
    "ResidentUsers",
    "UserSessionTimeout",
    "TemporarySessionTimeout",
    "TemporarySessionOnly",
    "ManagedAppleIDDefaultDomains",
    "OnlineAuthenticationGracePeriod",
    "SkipLanguageAndLocaleSetupForNewUsers",
    "DiagnosticSubmissionEnabled",
    "AppAnalyticsEnabled",
    "SoftwareUpdateSettings",
    "DevicePropertiesAttestation",
];

/// Whether a query may be made: it is known and not personal.
#[must_use]
pub fn may_be_asked(query: &str) -> bool {
    QUERIES.contains(&query) || UNUSED_QUERIES.contains(&query)
}

/// The DeviceInformation command with our queries.
#[must_use]
pub fn device_information() -> DeviceInformation {
    DeviceInformation::new(QUERIES.iter().map(|query| (*query).to_owned()).collect())
}

/// Everything an inventory of the equipment asks: the tablet, its security, and the profiles *we* manage.
#[must_use]
pub fn commands() -> [Command; 3] {
    let profiles = ProfileList { managed_only: Some(true), ..ProfileList::default() };
    [device_information().into(), SecurityInfo::default().into(), profiles.into()]
}

/// What an inventory of apps asks: those *we* manage. What a person installed is theirs.
#[must_use]
pub fn managed_apps() -> Command {
    InstalledApplicationList { managed_apps_only: Some(true), ..InstalledApplicationList::default() }.into()
}

/// Whether the answer to a kind of command says which apps are on the tablet, which tells of its user.
#[must_use]
pub fn lists_apps(request_type: RequestType) -> bool {
    matches!(request_type, RequestType::InstalledApplicationList | RequestType::ManagedApplicationList)
}

/// Whether a kind of command asks a tablet something and leaves it as it is: what may be sent to many at once.
#[must_use]
pub const fn asks(request_type: RequestType) -> bool {
    use RequestType as Kind;
    matches!(
        request_type,
        Kind::DeviceInformation
            | Kind::SecurityInfo
            | Kind::ProfileList
            | Kind::ProvisioningProfileList
            | Kind::CertificateList
            | Kind::Restrictions
            | Kind::InstalledApplicationList
            | Kind::ManagedApplicationList
            | Kind::ManagedApplicationAttributes
            | Kind::ManagedMediaList
            | Kind::AvailableOSUpdates
            | Kind::OSUpdateStatus
    )
}

/// Whether the raw answer to a kind of command may be stored: it holds no secret, no position, nothing
/// about a person. Exhaustive on purpose: a new kind must be judged.
#[must_use]
pub const fn storable_raw(request_type: RequestType) -> bool {
    use RequestType as Kind;
    match request_type {
        // Nothing but a status, or states of what we manage.
        Kind::InstallApplication
        | Kind::RemoveApplication
        | Kind::ValidateApplications
        | Kind::CancelEnhancedLogCollection
        | Kind::DeclarativeManagement
        | Kind::ClearActivationLockBypassCode
        | Kind::DeviceConfigured
        | Kind::EraseDevice
        | Kind::RefreshCellularPlans
        | Kind::DeviceLock
        | Kind::DisableLostMode
        | Kind::EnableLostMode
        | Kind::PlayLostModeSound
        | Kind::RestartDevice
        | Kind::ClearRestrictionsPassword
        | Kind::ShutDownDevice
        | Kind::SecurityInfo
        | Kind::InstallMedia
        | Kind::RemoveMedia
        | Kind::StopMirroring
        | Kind::ClearPasscode
        | Kind::InstallProfile
        | Kind::InstallProvisioningProfile
        | Kind::RemoveProvisioningProfile
        | Kind::RemoveProfile
        | Kind::Settings
        | Kind::AvailableOSUpdates
        | Kind::ScheduleOSUpdate
        | Kind::OSUpdateStatus
        | Kind::TriggerEnhancedLogCollection
        | Kind::UserConfigured
        | Kind::LogOutUser => true,
        // Secrets: codes, keys, settings with passwords.
        Kind::ManagedApplicationList
        | Kind::ApplyRedemptionCode
        | Kind::ActivationLockBypassCode
        | Kind::RequestUnlockToken
        | Kind::ManagedApplicationAttributes
        | Kind::ManagedApplicationConfiguration => false,
        // A position.
        Kind::DeviceLocation => false,
        // What a person installed, wrote, connected to or is called.
        Kind::InstalledApplicationList
        | Kind::InviteToProgram
        | Kind::CertificateList
        | Kind::Restrictions
        | Kind::DeviceInformation
        | Kind::ManagedApplicationFeedback
        | Kind::ManagedMediaList
        | Kind::RequestMirroring
        | Kind::ProfileList
        | Kind::ProvisioningProfileList
        | Kind::DeleteUser
        | Kind::UserList => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c3_1_6_no_personal_query_is_ever_made() {
        for personal in PERSONAL_QUERIES {
            assert!(!QUERIES.contains(personal), "{personal}");
            assert!(!may_be_asked(personal), "{personal}");
        }
        assert!(!may_be_asked("DeviceID"), "an unknown query is not made either");
        assert!(device_information().queries.iter().all(|query| may_be_asked(query)));
    }

    #[test]
    fn c3_1_6_the_inventory_names_managed_profiles_and_apps_only() {
        let [.., Command::ProfileList(profiles)] = commands() else { panic!("the profiles come last") };
        let Command::InstalledApplicationList(apps) = managed_apps() else { panic!("it lists the apps") };
        assert_eq!(profiles.managed_only, Some(true));
        assert_eq!(apps.managed_apps_only, Some(true));
    }

    #[test]
    fn c3_1_6_raw_positions_and_keys_are_never_stored() {
        for kind in [
            RequestType::DeviceLocation,
            RequestType::RequestUnlockToken,
            RequestType::ActivationLockBypassCode,
            RequestType::DeviceInformation,
            RequestType::InstalledApplicationList,
        ] {
            assert!(!storable_raw(kind), "{kind}");
        }
        assert!(storable_raw(RequestType::SecurityInfo));
    }
}
