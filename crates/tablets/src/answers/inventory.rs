//! What a tablet tells of itself.

use openssl::hash::{MessageDigest, hash};
use plist::{Dictionary, Value};

use super::{Answer, INVALID_COMMAND};
use crate::Identity;
use crate::state::State;
use crate::wire::{self, Entries as _};

/// Only what was asked for, and only what this tablet knows.
pub(super) fn device_information(state: &State, command: &Dictionary) -> Answer {
    if command.get("Queries").and_then(Value::as_array).is_none() {
        return Answer::error(INVALID_COMMAND, "Queries is missing.");
    }
    let known = known(state);
    let mut responses = Dictionary::new();
    for query in command.texts("Queries") {
        if let Some(value) = known.get(query) {
            responses.insert(query.to_owned(), value.clone());
        }
    }
    Answer::with(wire::dictionary([("QueryResponses", Value::Dictionary(responses))]))
}

/// Everything this tablet can say of itself.
fn known(state: &State) -> Dictionary {
    let hardware = &state.hardware;
    let switch = |name: &str| state.settings.switches.get(name).copied();
    let own = own_digits(&hardware.serial);
    let mut known = wire::dictionary([
        ("UDID", hardware.udid.as_str().into()),
        ("SerialNumber", hardware.serial.as_str().into()),
        ("DeviceName", state.device_name.as_str().into()),
        ("OSVersion", hardware.os_version.as_str().into()),
        ("BuildVersion", hardware.build_version.as_str().into()),
        ("SupplementalBuildVersion", hardware.build_version.as_str().into()),
        ("ModelName", hardware.model_name.as_str().into()),
        ("Model", hardware.model.as_str().into()),
        ("ModelNumber", hardware.model.as_str().into()),
        ("ProductName", hardware.product_name.as_str().into()),
        ("DeviceCapacity", 64.0.into()),
        ("AvailableDeviceCapacity", 41.5.into()),
        ("BatteryLevel", 0.87.into()),
        ("CellularTechnology", 0.into()),
        ("IsSupervised", hardware.supervised.into()),
        ("IsMultiUser", false.into()),
        ("IsDeviceLocatorServiceEnabled", false.into()),
        ("IsDoNotDisturbInEffect", false.into()),
        ("IsCloudBackupEnabled", false.into()),
        ("IsMDMLostModeEnabled", state.lost_mode.is_some().into()),
        ("iTunesStoreAccountIsActive", false.into()),
        ("IsNetworkTethered", false.into()),
        ("DiagnosticSubmissionEnabled", switch("DiagnosticSubmission").unwrap_or(false).into()),
        ("AppAnalyticsEnabled", switch("AppAnalytics").unwrap_or(false).into()),
        ("DataRoamingEnabled", switch("DataRoaming").unwrap_or(false).into()),
        ("PersonalHotspotEnabled", switch("PersonalHotspot").unwrap_or(false).into()),
        ("TimeZone", state.settings.time_zone.as_deref().unwrap_or("Europe/Paris").into()),
        ("WiFiMAC", format!("02:00:{own}").into()),
        ("BluetoothMAC", format!("06:00:{own}").into()),
        ("EASDeviceIdentifier", own.replace(':', "").into()),
    ]);
    if let Some(enrolment) = &state.enrolment {
        known.insert("AwaitingConfiguration".to_owned(), enrolment.awaiting_configuration.into());
    }
    if major(&hardware.os_version) < 26 {
        known.insert("IsActivationLockEnabled".to_owned(), false.into());
        known.insert("IsRoaming".to_owned(), false.into());
    }
    if major(&hardware.os_version) < 27 {
        known.insert("SoftwareUpdateDeviceID".to_owned(), hardware.product_name.as_str().into());
    }
    let organization: Dictionary = state
        .settings
        .organization
        .iter()
        .map(|(key, text)| (key.clone(), Value::from(text.as_str())))
        .collect();
    known.insert("OrganizationInfo".to_owned(), Value::Dictionary(organization));
    let options: Dictionary =
        state.settings.options.iter().map(|(key, set)| (key.clone(), Value::from(*set))).collect();
    known.insert("MDMOptions".to_owned(), Value::Dictionary(options));
    known
}

/// Four bytes of a hardware address, its own.
fn own_digits(serial: &str) -> String {
    let digest = hash(MessageDigest::sha256(), serial.as_bytes());
    let digest = digest.as_deref().unwrap_or_default();
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

pub(super) fn security_info(state: &State) -> Answer {
    let info = wire::dictionary([
        // 3: block-level and file-level.
        ("HardwareEncryptionCaps", 3.into()),
        ("PasscodePresent", state.passcode.is_some().into()),
        ("PasscodeCompliant", state.passcode.is_some().into()),
        ("PasscodeCompliantWithProfiles", state.passcode.is_some().into()),
        ("PasscodeLockGracePeriod", 0.into()),
        ("PasscodeLockGracePeriodEnforced", 0.into()),
        ("ManagementStatus", Value::Dictionary(wire::dictionary([("IsUserEnrollment", false.into())]))),
    ]);
    Answer::with(wire::dictionary([("SecurityInfo", Value::Dictionary(info))]))
}

pub(super) fn certificate_list(identity: Option<&Identity>) -> Answer {
    let told = identity.and_then(|identity| {
        let common_name = identity
            .certificate()
            .subject_name()
            .entries_by_nid(openssl::nid::Nid::COMMONNAME)
            .next()
            .map(|entry| String::from_utf8_lossy(entry.data().as_slice()).into_owned())
            .unwrap_or_default();
        Some(wire::dictionary([
            ("CommonName", common_name.into()),
            ("IsIdentity", true.into()),
            ("Data", Value::Data(identity.certificate_der().ok()?)),
        ]))
    });
    Answer::with(wire::dictionary([("CertificateList", super::array(told))]))
}

/// Nothing is restricted that a profile would show here.
pub(super) fn restrictions() -> Answer {
    let none = || Value::Dictionary(Dictionary::new());
    let global =
        wire::dictionary([("restrictedBool", none()), ("restrictedValue", none()), ("intersection", none())]);
    Answer::with(wire::dictionary([
        ("GlobalRestrictions", Value::Dictionary(global)),
        ("ProfileRestrictions", none()),
    ]))
}

/// A list of what these tablets never have.
pub(super) fn empty_list(key: &'static str) -> Answer {
    Answer::with(wire::dictionary([(key, Value::Array(Vec::new()))]))
}

/// The number before the first point of a version.
pub(super) fn major(os_version: &str) -> u32 {
    os_version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
}
