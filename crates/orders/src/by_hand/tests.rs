//! What a person may send, kind by kind and item by item.

use std::collections::BTreeMap;

use apple::command::{Command, RequestType, Setting};
use apple::plist::{Dictionary, Limits, parse};
use types::RuleId;

use crate::{EnrolmentProfile, NotOrdinary, Ordinary};

/// The least that a command of each kind carries, and what becomes of it when a person asks for it: nothing, or the rule
/// that refuses it.
const KINDS: &[(&str, &str, Option<RuleId>)] = &[
    ("ActivationLockBypassCode", "", None),
    (
        "ApplyRedemptionCode",
        "<key>Identifier</key><string>a.b</string><key>RedemptionCode</key><string>x</string>",
        ROUND,
    ),
    ("AvailableOSUpdates", "", None),
    ("CancelEnhancedLogCollection", "", None),
    ("CertificateList", "", None),
    ("ClearActivationLockBypassCode", "", None),
    ("ClearPasscode", "<key>UnlockToken</key><data>eA==</data>", None),
    ("ClearRestrictionsPassword", "", None),
    ("DeclarativeManagement", "", ROUND),
    ("DeleteUser", "<key>UserName</key><string>eleve</string>", Some(RuleId::M3)),
    ("DeviceConfigured", "", None),
    ("DeviceInformation", "<key>Queries</key><array><string>OSVersion</string></array>", None),
    ("DeviceLocation", "", Some(RuleId::M1)),
    ("DeviceLock", "<key>Message</key><string>Au CDI</string>", None),
    ("DisableLostMode", "", None),
    ("EnableLostMode", "<key>Message</key><string>x</string>", Some(RuleId::M1)),
    ("EraseDevice", "", Some(RuleId::M3)),
    ("InstallApplication", "<key>Identifier</key><string>a.b</string>", ROUND),
    ("InstallMedia", "<key>MediaType</key><string>Book</string>", ROUND),
    ("InstallProfile", "<key>Payload</key><data>eA==</data>", ROUND),
    ("InstallProvisioningProfile", "<key>ProvisioningProfile</key><data>eA==</data>", ROUND),
    ("InstalledApplicationList", "<key>ManagedAppsOnly</key><true/>", None),
    (
        "InviteToProgram",
        "<key>ProgramID</key><string>x</string><key>InvitationURL</key><string>x</string>",
        ROUND,
    ),
    ("LogOutUser", "", Some(RuleId::M3)),
    ("ManagedApplicationAttributes", "<key>Identifiers</key><array/>", None),
    ("ManagedApplicationConfiguration", "<key>Identifiers</key><array/>", None),
    ("ManagedApplicationFeedback", "<key>Identifiers</key><array/>", None),
    ("ManagedApplicationList", "", None),
    ("ManagedMediaList", "", None),
    ("OSUpdateStatus", "", None),
    ("PlayLostModeSound", "", Some(RuleId::M1)),
    ("ProfileList", "", None),
    ("ProvisioningProfileList", "", None),
    ("RefreshCellularPlans", "<key>eSIMServerURL</key><string>https://x.example</string>", None),
    ("RemoveApplication", "<key>Identifier</key><string>a.b</string>", ROUND),
    (
        "RemoveMedia",
        "<key>MediaType</key><string>Book</string><key>PersistentID</key><string>x</string>",
        ROUND,
    ),
    ("RemoveProfile", "<key>Identifier</key><string>fr.example.wifi</string>", ROUND),
    ("RemoveProvisioningProfile", "<key>UUID</key><string>x</string>", ROUND),
    ("RequestMirroring", "<key>DestinationName</key><string>tv</string>", Some(RuleId::C5_3_6)),
    ("RequestUnlockToken", "", None),
    ("RestartDevice", "", None),
    ("Restrictions", "", None),
    ("ScheduleOSUpdate", "<key>Updates</key><array/>", ROUND),
    ("SecurityInfo", "", None),
    ("Settings", "<key>Settings</key><array/>", ROUND),
    ("ShutDownDevice", "", None),
    ("StopMirroring", "", None),
    ("TriggerEnhancedLogCollection", "<key>AppleCareToken</key><string>x</string>", Some(RuleId::C3_1_6)),
    ("UserConfigured", "", None),
    ("UserList", "", Some(RuleId::C3_1_6)),
    ("ValidateApplications", "", None),
];

/// What a layer decides.
const ROUND: Option<RuleId> = Some(RuleId::C3_1_1);

/// The keys of each item of a Settings command. No item is set by one person.
const ITEMS: &[(&str, &str)] = &[
    ("AccessibilitySettings", "<key>VoiceOverEnabled</key><true/>"),
    ("AppAnalytics", ON),
    ("ApplicationAttributes", "<key>Identifier</key><string>a.b</string>"),
    ("ApplicationConfiguration", "<key>Identifier</key><string>a.b</string>"),
    ("Bluetooth", ON),
    ("DataRoaming", ON),
    ("DefaultApplications", ""),
    ("DeviceName", "<key>DeviceName</key><string>CDI 12</string>"),
    ("DiagnosticSubmission", ON),
    ("MDMOptions", "<key>MDMOptions</key><dict/>"),
    ("MaximumResidentUsers", "<key>MaximumResidentUsers</key><integer>2</integer>"),
    ("OrganizationInfo", ""),
    ("PasscodeLockGracePeriod", "<key>PasscodeLockGracePeriod</key><integer>0</integer>"),
    ("PersonalHotspot", ON),
    ("SharedDeviceConfiguration", ""),
    ("SoftwareUpdateSettings", "<key>RecommendationCadence</key><integer>0</integer>"),
    ("TimeZone", "<key>TimeZone</key><string>Pacific/Auckland</string>"),
    ("VoiceRoaming", ON),
    ("Wallpaper", "<key>Image</key><data>eA==</data><key>Where</key><integer>3</integer>"),
    ("SomethingNew", ON),
];

const ON: &str = "<key>Enabled</key><true/>";

fn command(kind: RequestType, keys: &str) -> Command {
    let text = format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>");
    let keys: Dictionary = parse(text.as_bytes(), Limits::PROFILE).unwrap();
    Command::from_dictionary(kind, &keys).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn asked(kind: RequestType, keys: &str) -> Result<Ordinary, NotOrdinary> {
    Ordinary::asked_by_hand(command(kind, keys), &EnrolmentProfile::Known("fr.example.enrolment".into()))
}

fn settings(items: &[(&str, &str)]) -> Result<Ordinary, NotOrdinary> {
    let items: String = items
        .iter()
        .map(|(item, keys)| format!("<dict><key>Item</key><string>{item}</string>{keys}</dict>"))
        .collect();
    asked(RequestType::Settings, &format!("<key>Settings</key><array>{items}</array>"))
}

#[test]
fn c3_1_1_of_every_kind_it_is_decided_whether_one_person_may_send_it() {
    let table: BTreeMap<&str, _> = KINDS.iter().map(|(name, keys, rule)| (*name, (*keys, *rule))).collect();
    assert_eq!(table.len(), KINDS.len(), "each once");
    for kind in RequestType::ALL {
        let (keys, rule) = table.get(kind.as_str()).unwrap_or_else(|| panic!("{kind} is not in the table"));
        let refused = asked(*kind, keys).err();
        assert_eq!(refused.as_ref().map(NotOrdinary::rule), *rule, "{kind}: {refused:?}");
    }
    assert_eq!(table.len(), RequestType::ALL.len(), "no kind that is not there");
}

#[test]
fn c3_1_1_no_item_of_settings_is_set_by_one_person() {
    for fact in Setting::ITEMS {
        assert!(ITEMS.iter().any(|(name, _)| *name == fact.key), "{} is not in the table", fact.key);
    }
    for (item, keys) in ITEMS {
        let refused = settings(&[(item, keys)]).unwrap_err();
        assert_eq!(refused.rule(), RuleId::C3_1_1, "{item}: {refused}");
        assert!(refused.to_string().starts_with("Settings is not sent by hand"), "{item}: {refused}");
    }
}

#[test]
fn c3_1_1_what_is_refused_says_what_to_do_instead() {
    for (name, keys, rule) in KINDS.iter().filter(|(_, _, rule)| *rule == ROUND) {
        let refused = asked(name.parse().unwrap(), keys).unwrap_err();
        assert_eq!(Some(refused.rule()), *rule);
        let said = refused.to_string();
        assert!(said.starts_with(&format!("{name} ")) && said.contains("layer"), "{said}");
    }
}

#[test]
fn t_c23_what_destroys_or_unenrols_is_refused_as_that() {
    let remove = |identifier: &str| {
        asked(RequestType::RemoveProfile, &format!("<key>Identifier</key><string>{identifier}</string>"))
    };
    assert_eq!(remove("fr.example.enrolment").unwrap_err().rule(), RuleId::M4);
    assert_eq!(remove("fr.example.wifi").unwrap_err().rule(), RuleId::C3_1_1);
    let shared = settings(&[("SharedDeviceConfiguration", "<key>TemporarySessionOnly</key><true/>")]);
    assert_eq!(shared.unwrap_err().rule(), RuleId::M3);
    // While nobody knows which profile enrols the tablet, the layers are still what decides.
    let unknown = Ordinary::asked_by_hand(
        command(RequestType::RemoveProfile, "<key>Identifier</key><string>com.other.mdm</string>"),
        &EnrolmentProfile::Unknown,
    );
    assert_eq!(unknown.unwrap_err().rule(), RuleId::C3_1_1);
}

#[test]
fn what_layers_decide_is_ordinary_when_they_send_it() {
    let remove = command(RequestType::RemoveProfile, "<key>Identifier</key><string>fr.example.wifi</string>");
    let keys = "<key>Settings</key><array><dict><key>Item</key><string>Bluetooth</string><key>Enabled</key><true/></dict></array>";
    for sent in [remove, command(RequestType::Settings, keys)] {
        assert!(Ordinary::check(sent, &EnrolmentProfile::Known("fr.example.enrolment".into())).is_ok());
    }
}
