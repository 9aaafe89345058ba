//! DeviceInformation: ask what the tablet is.

use types::{Instant, Secret};

use crate::parts::AccessibilitySettings;
use crate::wire::message;

message! {
    /// Ask what the tablet is.
    ///
    /// Only what is named is answered.
    pub struct DeviceInformation {
        required {
            /// The names of what is asked, see [`crate::inventory`].
            queries: Vec<String> = "Queries",
        }
        optional {
            /// At most 32 bytes, to ask for a fresh attestation.
            device_attestation_nonce: Vec<u8> = "DeviceAttestationNonce",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct DeviceInformationAnswer {
        required {
            /// What was asked, as far as the tablet says it.
            query_responses: Box<QueryResponses> = "QueryResponses",
        }
    }
}

message! {
    /// The answers, each present if it was asked and the tablet has one.
    pub struct QueryResponses {
        unstated {
            /// The tablet.
            udid: String = "UDID",
            /// The organisation set by Settings.
            organization_info: ReportedOrganization = "OrganizationInfo",
            /// The options set by Settings.
            mdm_options: ReportedMdmOptions = "MDMOptions",
            /// The last backup to iCloud.
            last_cloud_backup_date: Instant = "LastCloudBackupDate",
            /// The Setup Assistant waits for DeviceConfigured.
            awaiting_configuration: bool = "AwaitingConfiguration",
            /// An account of the store is signed in.
            itunes_store_account_is_active: bool = "iTunesStoreAccountIsActive",
            /// Which account, hashed.
            itunes_store_account_hash: Secret<String> = "iTunesStoreAccountHash",
            /// The name, which is often a person's.
            device_name: Secret<String> = "DeviceName",
            /// Such as `27.0`.
            os_version: String = "OSVersion",
            /// The letter of a security response.
            supplemental_os_version_extra: String = "SupplementalOSVersionExtra",
            /// Such as `24A335`.
            build_version: String = "BuildVersion",
            /// The build of a security response.
            supplemental_build_version: String = "SupplementalBuildVersion",
            /// Such as `iPad`.
            model_name: String = "ModelName",
            /// The part number's beginning.
            model: String = "Model",
            /// The part number.
            model_number: String = "ModelNumber",
            /// Such as `iPad13,18`.
            product_name: String = "ProductName",
            /// The serial number.
            serial_number: String = "SerialNumber",
            /// In gigabytes.
            device_capacity: f64 = "DeviceCapacity",
            /// In gigabytes.
            available_device_capacity: f64 = "AvailableDeviceCapacity",
            /// The modem's number.
            imei: Secret<String> = "IMEI",
            /// The modem's number, older networks.
            meid: Secret<String> = "MEID",
            /// The modem's software.
            modem_firmware_version: String = "ModemFirmwareVersion",
            /// 0 none, 1 GSM, 2 CDMA, 3 both.
            cellular_technology: i64 = "CellularTechnology",
            /// From 0 to 1; -1 if unknown.
            battery_level: f64 = "BatteryLevel",
            /// Whether it is supervised.
            is_supervised: bool = "IsSupervised",
            /// Whether it is a Shared iPad.
            is_multi_user: bool = "IsMultiUser",
            /// Whether Find My is on.
            is_device_locator_service_enabled: bool = "IsDeviceLocatorServiceEnabled",
            /// Whether the activation lock is on.
            is_activation_lock_enabled: bool = "IsActivationLockEnabled",
            /// Whether notifications are silenced.
            is_do_not_disturb_in_effect: bool = "IsDoNotDisturbInEffect",
            /// Its name for Exchange.
            eas_device_identifier: Secret<String> = "EASDeviceIdentifier",
            /// Whether iCloud backs it up.
            is_cloud_backup_enabled: bool = "IsCloudBackupEnabled",
            /// Whether lost mode is on.
            is_mdm_lost_mode_enabled: bool = "IsMDMLostModeEnabled",
            /// How many users a Shared iPad keeps.
            maximum_resident_users: i64 = "MaximumResidentUsers",
            /// How many users fit.
            estimated_resident_users: i64 = "EstimatedResidentUsers",
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
            /// The address of pushes.
            push_token: Secret<Vec<u8>> = "PushToken",
            /// Diagnostics go to Apple.
            diagnostic_submission_enabled: bool = "DiagnosticSubmissionEnabled",
            /// App analytics go to developers.
            app_analytics_enabled: bool = "AppAnalyticsEnabled",
            /// Such as `Europe/Paris`.
            time_zone: String = "TimeZone",
            /// The SIM's number.
            iccid: Secret<String> = "ICCID",
            /// The Bluetooth address.
            bluetooth_mac: Secret<String> = "BluetoothMAC",
            /// The Wi-Fi address.
            wifi_mac: Secret<String> = "WiFiMAC",
            /// The network it is on.
            current_carrier_network: String = "CurrentCarrierNetwork",
            /// The network of the SIM.
            sim_carrier_network: String = "SIMCarrierNetwork",
            /// The network of the subscription.
            subscriber_carrier_network: String = "SubscriberCarrierNetwork",
            /// The version of the carrier's settings.
            carrier_settings_version: String = "CarrierSettingsVersion",
            /// The telephone number on the lock screen.
            phone_number: Secret<String> = "PhoneNumber",
            /// Data abroad is on.
            data_roaming_enabled: bool = "DataRoamingEnabled",
            /// Voice abroad is on.
            voice_roaming_enabled: bool = "VoiceRoamingEnabled",
            /// It shares its network.
            personal_hotspot_enabled: bool = "PersonalHotspotEnabled",
            /// It uses another's network.
            is_network_tethered: bool = "IsNetworkTethered",
            /// It is abroad.
            is_roaming: bool = "IsRoaming",
            /// The SIM's country code.
            sim_mcc: String = "SIMMCC",
            /// The SIM's network code.
            sim_mnc: String = "SIMMNC",
            /// The subscription's country code.
            subscriber_mcc: String = "SubscriberMCC",
            /// The subscription's network code.
            subscriber_mnc: String = "SubscriberMNC",
            /// The current country code, which says where it is.
            current_mcc: String = "CurrentMCC",
            /// The current network code.
            current_mnc: String = "CurrentMNC",
            /// Its SIMs.
            service_subscriptions: Vec<ServiceSubscription> = "ServiceSubscriptions",
            /// Its name in Apple's list of versions.
            software_update_device_id: String = "SoftwareUpdateDeviceID",
            /// What Settings says of updates.
            software_update_settings: ReportedSoftwareUpdateSettings = "SoftwareUpdateSettings",
            /// The accessibility switches.
            accessibility_settings: AccessibilitySettings = "AccessibilitySettings",
            /// Certificates, DER, leaf first, that attest what the tablet is.
            device_properties_attestation: Vec<Vec<u8>> = "DevicePropertiesAttestation",
        }
    }
}

message! {
    /// The organisation that Settings has set.
    pub struct ReportedOrganization {
        expected {
            /// The name.
            organization_name: String = "OrganizationName",
        }
        optional {
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
    /// The options that Settings has set.
    pub struct ReportedMdmOptions {
        optional {
            /// The user may turn the activation lock on.
            activation_lock_allowed_while_supervised: bool = "ActivationLockAllowedWhileSupervised",
        }
    }
}

message! {
    /// A SIM.
    pub struct ServiceSubscription {
        unstated {
            /// The version of the carrier's settings.
            carrier_settings_version: String = "CarrierSettingsVersion",
            /// The network it is on.
            current_carrier_network: String = "CurrentCarrierNetwork",
            /// The current country code, which says where it is.
            current_mcc: String = "CurrentMCC",
            /// The current network code.
            current_mnc: String = "CurrentMNC",
            /// The SIM's number.
            iccid: Secret<String> = "ICCID",
            /// The eSIM's number.
            eid: Secret<String> = "EID",
            /// The modem's number.
            imei: Secret<String> = "IMEI",
            /// It carries data first.
            is_data_preferred: bool = "IsDataPreferred",
            /// It is abroad.
            is_roaming: bool = "IsRoaming",
            /// It carries voice first.
            is_voice_preferred: bool = "IsVoicePreferred",
            /// The name of the SIM.
            label: String = "Label",
            /// The identifier of that name.
            label_id: String = "LabelID",
            /// The modem's number, older networks.
            meid: Secret<String> = "MEID",
            /// The telephone number on the lock screen.
            phone_number: Secret<String> = "PhoneNumber",
            /// Where the SIM is.
            slot: String = "Slot",
            /// The network of the subscription.
            subscriber_carrier_network: String = "SubscriberCarrierNetwork",
        }
    }
}

message! {
    /// What Settings has set for updates.
    pub struct ReportedSoftwareUpdateSettings {
        unstated {
            /// 0 offers all updates, 1 the oldest, 2 the newest.
            recommendation_cadence: i64 = "RecommendationCadence",
        }
    }
}
