//! What is ordinary and what is not, by type and by content.

use apple::command::{Command, RequestType};
use apple::plist::{Dictionary, Limits, parse};
use apple::profile::{ERASING_KEYS, ErasingWire};
use types::RuleId;

use crate::{EnrolmentProfile, Gate, NotDeliverable, NotOrdinary, Ordinary, Queueable};

fn known() -> EnrolmentProfile {
    EnrolmentProfile::Known("fr.example.enrolment".into())
}

fn dictionary(keys: &str) -> Dictionary {
    parse(format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>").as_bytes(), Limits::PROFILE).unwrap()
}

fn check(kind: RequestType, keys: &str) -> Result<Ordinary, NotOrdinary> {
    Ordinary::check(Command::from_dictionary(kind, &dictionary(keys)).unwrap(), &known())
}

fn profile_with(payload_type: &str, keys: &str) -> String {
    use std::fmt::Write as _;
    let profile = format!(
        "<plist version=\"1.0\"><dict><key>PayloadType</key><string>Configuration</string>\
         <key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>fr.example.p</string>\
         <key>PayloadUUID</key><string>0F0F0F0F-0000-4000-8000-000000000001</string><key>PayloadContent</key><array>\
         <dict><key>PayloadType</key><string>{payload_type}</string><key>PayloadVersion</key><integer>1</integer>\
         <key>PayloadIdentifier</key><string>fr.example.p.1</string><key>PayloadUUID</key>\
         <string>0F0F0F0F-0000-4000-8000-000000000002</string>{keys}</dict></array></dict></plist>"
    );
    let mut encoded = String::from("<key>Payload</key><data>");
    for chunk in profile.as_bytes().chunks(3) {
        let mut group = [0_u8; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for place in 0..4 {
            const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let digit = ALPHABET[usize::try_from(bits >> (18 - 6 * place) & 63).unwrap()];
            write!(encoded, "{}", if place > chunk.len() { '=' } else { char::from(digit) }).unwrap();
        }
    }
    encoded + "</data>"
}

#[test]
fn t_c23_each_gated_kind_needs_its_proof_whatever_its_content() {
    for (kind, keys, rule) in [
        (RequestType::EraseDevice, "", RuleId::M3),
        (RequestType::EnableLostMode, "<key>Message</key><string>Rendez-moi</string>", RuleId::M1),
        (RequestType::DeviceLocation, "", RuleId::M1),
    ] {
        let refused = check(kind, keys).unwrap_err();
        assert!(matches!(refused, NotOrdinary::NeedsProof { .. }), "{refused}");
        assert_eq!(refused.rule(), rule);
    }
    assert!(check(RequestType::DisableLostMode, "").is_ok(), "turning lost mode off is always ordinary");
}

#[test]
fn removing_the_enrolment_profile_is_unenrolling() {
    let identifier = |text: &str| format!("<key>Identifier</key><string>{text}</string>");
    for enrolment in ["fr.example.enrolment", "FR.example.Enrolment"] {
        let refused = check(RequestType::RemoveProfile, &identifier(enrolment)).unwrap_err();
        assert_eq!(refused.rule(), RuleId::M4);
    }
    assert!(check(RequestType::RemoveProfile, &identifier("fr.example.wifi")).is_ok());
    let command =
        Command::from_dictionary(RequestType::RemoveProfile, &dictionary(&identifier("com.other.mdm")))
            .unwrap();
    let refused = Ordinary::check(command, &EnrolmentProfile::Unknown).unwrap_err();
    assert!(refused.to_string().contains("ProfileList"), "what is unknown is not removed: {refused}");
}

#[test]
fn a_profile_that_takes_the_place_of_the_enrolment_is_unenrolling() {
    // `profile_with` names its profile so.
    let wifi = profile_with("com.apple.wifi.managed", "<key>SSID_STR</key><string>College</string>");
    for (enrolment, rule) in [
        (EnrolmentProfile::Known("fr.example.p".into()), RuleId::M4),
        (EnrolmentProfile::Known("FR.Example.P".into()), RuleId::M4),
        (EnrolmentProfile::Unknown, RuleId::M4),
    ] {
        let command = Command::from_dictionary(RequestType::InstallProfile, &dictionary(&wifi)).unwrap();
        let refused = Ordinary::check(command, &enrolment).unwrap_err();
        assert_eq!(refused.rule(), rule, "{refused}");
    }
    assert!(check(RequestType::InstallProfile, &wifi).is_ok());
}

#[test]
fn a_profile_is_opened_before_it_is_queued() {
    let wifi = profile_with("com.apple.wifi.managed", "<key>SSID_STR</key><string>College</string>");
    assert!(check(RequestType::InstallProfile, &wifi).is_ok());
    let erasing = profile_with(
        "com.apple.mobiledevice.passwordpolicy",
        "<key>maxFailedAttempts</key><integer>6</integer>",
    );
    assert!(matches!(check(RequestType::InstallProfile, &erasing), Err(NotOrdinary::Erases { .. })));
    let mdm = profile_with("com.apple.mdm", "<key>ServerURL</key><string>https://elsewhere.example</string>");
    assert!(check(RequestType::InstallProfile, &mdm).is_err(), "another management must not slip in");
    let shouted =
        profile_with("COM.Apple.MDM ", "<key>ServerURL</key><string>https://elsewhere.example</string>");
    assert!(check(RequestType::InstallProfile, &shouted).is_err(), "nor in other letters");
    let garbage = "<key>Payload</key><data>AAECAw==</data>";
    assert!(matches!(check(RequestType::InstallProfile, garbage), Err(NotOrdinary::Opaque { .. })));
}

#[test]
fn nothing_on_any_wire_erases_without_an_order() {
    for key in ERASING_KEYS {
        match key.wire {
            ErasingWire::Profile => {
                let keys = match key.key {
                    "" => String::new(),
                    name => format!("<key>{name}</key><integer>3</integer>"),
                };
                let payload = profile_with(key.holder, &keys);
                let refused = check(RequestType::InstallProfile, &payload).unwrap_err();
                assert_eq!(refused.rule(), RuleId::M3, "{refused}");
                let shouted = profile_with(&key.holder.to_uppercase(), &keys);
                assert!(check(RequestType::InstallProfile, &shouted).is_err(), "{} in capitals", key.holder);
            }
            ErasingWire::Declaration => {
                let payload = serde_json::json!({ key.key: 3 });
                assert!(!apple::profile::declaration_erasing_keys(key.holder, &payload).is_empty());
            }
            ErasingWire::Command => {
                let keys = match key.holder {
                    "DeleteUser" => "<key>UserName</key><string>eleve</string>",
                    "Settings" => {
                        "<key>Settings</key><array><dict><key>Item</key><string>SharedDeviceConfiguration</string>\
                         <key>TemporarySessionOnly</key><true/></dict></array>"
                    }
                    _ => "",
                };
                assert_eq!(
                    check(key.holder.parse().unwrap(), keys).unwrap_err().rule(),
                    RuleId::M3,
                    "{}",
                    key.holder
                );
            }
            // The answer to the check-in message: the tablets' door has its own test.
            ErasingWire::CheckIn => assert_eq!(key.holder, "ReturnToService"),
        }
    }
}

#[test]
fn personal_data_is_not_asked_for() {
    let queries = |query: &str| format!("<key>Queries</key><array><string>{query}</string></array>");
    for query in ["DeviceName", "PhoneNumber", "WiFiMAC", "IMEI", "SomethingNew"] {
        let refused = check(RequestType::DeviceInformation, &queries(query)).unwrap_err();
        assert_eq!(refused.rule(), RuleId::C3_1_6, "{query}");
    }
    assert!(check(RequestType::DeviceInformation, &queries("OSVersion")).is_ok());
    assert!(
        check(RequestType::DeviceInformation, "<key>Queries</key><array/>").is_err(),
        "no list asks for all"
    );
    assert!(check(RequestType::InstalledApplicationList, "").is_err());
    assert!(check(RequestType::InstalledApplicationList, "<key>ManagedAppsOnly</key><true/>").is_ok());
    let mirroring = "<key>DestinationName</key><string>tv</string>";
    assert_eq!(check(RequestType::RequestMirroring, mirroring).unwrap_err().rule(), RuleId::C5_3_6);
}

#[test]
fn a_secret_joins_its_command_only_at_delivery() {
    for ordinary in [Ordinary::clear_passcode(), Ordinary::renew_enrolment()] {
        assert!(ordinary.stored_payload().is_none(), "{:?}", ordinary.request_type());
    }
    let token = "<key>UnlockToken</key><data>c2VjcmV0</data>";
    let cleared = check(RequestType::ClearPasscode, token).unwrap();
    assert!(cleared.stored_payload().is_none());
}

#[test]
fn a_stored_payload_of_another_kind_is_not_delivered() {
    let lock = check(RequestType::DeviceLock, "").unwrap();
    assert_eq!(Queueable::Ordinary(lock.clone()).gate(), Gate::Ordinary);
    let stored = lock.stored_payload().unwrap();
    let deliver = |row, payload: &[u8]| crate::check_stored(row, payload, &known());
    assert!(deliver(RequestType::DeviceLock, &stored).is_ok());
    let row = RequestType::RestartDevice;
    let other = NotDeliverable::OfAnotherKind { row, payload: "DeviceLock".to_owned() };
    assert_eq!(deliver(row, &stored).unwrap_err(), other);
    let nothing = NotDeliverable::OfAnotherKind { row, payload: "nothing".to_owned() };
    assert_eq!(deliver(row, &apple::plist::to_xml(&Dictionary::new())).unwrap_err(), nothing);
    let row = RequestType::EraseDevice;
    assert_eq!(deliver(row, &stored).unwrap_err(), NotDeliverable::NeverStored { row });
    let unreadable = deliver(RequestType::DeviceLock, b"<plist/>").unwrap_err();
    assert!(matches!(unreadable, NotDeliverable::Unreadable { .. }), "{unreadable}");
}

#[test]
fn t_c23_a_stored_payload_is_looked_into_again_when_it_is_delivered() {
    let stored = |kind: RequestType, keys: &str| {
        let keys = format!("<key>RequestType</key><string>{kind}</string>{keys}");
        apple::plist::to_xml(&dictionary(&keys))
    };
    let erasing = profile_with(
        "com.apple.mobiledevice.passwordpolicy",
        "<key>maxFailedAttempts</key><integer>6</integer>",
    );
    let identifier = |text: &str| format!("<key>Identifier</key><string>{text}</string>");
    for (kind, keys) in [
        (RequestType::InstallProfile, erasing),
        (RequestType::RemoveProfile, identifier("fr.example.enrolment")),
        (RequestType::DeleteUser, "<key>UserName</key><string>eleve</string>".to_owned()),
        (RequestType::LogOutUser, String::new()),
        (
            RequestType::DeviceInformation,
            "<key>Queries</key><array><string>PhoneNumber</string></array>".to_owned(),
        ),
    ] {
        let refused = crate::check_stored(kind, &stored(kind, &keys), &known()).unwrap_err();
        assert!(matches!(refused, crate::NotDeliverable::NotOrdinary { .. }), "{kind}: {refused}");
    }
    let harmless = stored(RequestType::RemoveProfile, &identifier("fr.example.wifi"));
    assert!(crate::check_stored(RequestType::RemoveProfile, &harmless, &known()).is_ok());
}

#[test]
fn what_may_be_queued_may_be_delivered() {
    let wifi = profile_with("com.apple.wifi.managed", "<key>SSID_STR</key><string>College</string>");
    for command in apple::inventory::commands() {
        let kind = command.request_type();
        let stored = Ordinary::check(command, &EnrolmentProfile::Unknown).unwrap().stored_payload().unwrap();
        crate::check_stored(kind, &stored, &EnrolmentProfile::Unknown).unwrap();
    }
    let stored = check(RequestType::InstallProfile, &wifi).unwrap().stored_payload().unwrap();
    crate::check_stored(RequestType::InstallProfile, &stored, &known()).unwrap();
}
