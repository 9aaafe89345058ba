//! The profile that enrols, and what a profile, a declaration or a command can erase.

use serde_json::json;
use types::Secret;

use crate::checkin::ReturnToServiceResponse;
use crate::command::{
    Command, DeleteUser, EraseDevice, SecurityInfo, Setting, Settings, SharedDeviceConfigurationSetting,
};
use crate::parts::ReturnToServiceSettings;
use crate::plist::{self, Dictionary, Value};
use crate::profile::{
    ERASING_KEYS, EnrolmentProfile, EnrolmentUuids, ErasingFind, ErasingWire, PayloadContent, Profile,
    command_erasing_keys, declaration_erasing_keys,
};

fn enrolment() -> EnrolmentProfile {
    EnrolmentProfile {
        identifier: "fr.example.ardoise".to_owned(),
        organization: "Département de démonstration".to_owned(),
        display_name: "Gestion de la tablette".to_owned(),
        description: "Prêt de tablettes aux collégiens".to_owned(),
        server_url: "https://tablettes.example/mdm".to_owned(),
        check_in_url: "https://tablettes.example/checkin".to_owned(),
        topic: "com.apple.mgmt.External.1".to_owned(),
        server_capabilities: vec!["com.apple.mdm.bootstraptoken".to_owned()],
        scep_url: "https://tablettes.example/scep".to_owned(),
        challenge: Secret::new("SECRET-challenge".to_owned()),
        ca_fingerprint: vec![0xab; 32],
        key_size: 2048,
        subject: vec![("O".to_owned(), "Ardoise".to_owned()), ("CN".to_owned(), "7E5A".to_owned())],
        anchors: vec![b"root".to_vec()],
        uuids: EnrolmentUuids {
            profile: "U-1".to_owned(),
            scep: "U-2".to_owned(),
            mdm: "U-3".to_owned(),
            anchors: vec!["U-4".to_owned()],
        },
    }
}

fn profile_with(payload: &str) -> Profile {
    let text = format!(
        "<plist version=\"1.0\"><dict><key>PayloadType</key><string>Configuration</string>\
         <key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>p</string>\
         <key>PayloadUUID</key><string>u</string><key>PayloadContent</key><array><dict>\
         <key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>p.1</string>\
         <key>PayloadUUID</key><string>u1</string>{payload}</dict></array></dict></plist>"
    );
    Profile::parse(text.as_bytes()).unwrap()
}

fn paths(finds: Vec<ErasingFind>) -> Vec<String> {
    finds.into_iter().map(|find| find.path).collect()
}

#[test]
fn an_enrolment_profile_asks_for_a_certificate_and_binds_the_management_to_it() {
    let profile = Profile::parse(&enrolment().to_xml()).unwrap();
    assert_eq!(
        profile.payload_types(),
        ["com.apple.security.root", "com.apple.security.scep", "com.apple.mdm"]
    );
    assert!(profile.contains_mdm_payload());
    assert!(profile.erasing_keys().is_empty());
    let [anchor, scep, mdm] = profile.payloads() else { panic!("three payloads") };
    let PayloadContent::RootCertificate(anchor) = &anchor.content else { panic!("an anchor") };
    assert_eq!(anchor.certificate, b"root");
    let PayloadContent::Scep(request) = &scep.content else { panic!("SCEP") };
    assert_eq!(request.content.challenge.as_ref().unwrap().expose(), "SECRET-challenge");
    assert_eq!(request.content.keysize, Some(2048));
    assert_eq!(request.content.subject.as_ref().unwrap()[1], [["CN", "7E5A"]]);
    assert_eq!(request.content.key_is_extractable, Some(false));
    let PayloadContent::Mdm(management) = &mdm.content else { panic!("the management") };
    assert_eq!(management.identity_certificate_uuid, scep.header.uuid);
    assert_eq!(management.access_rights, Some(8191));
    assert_eq!(management.sign_message, Some(true));
    assert_eq!(management.check_out_when_removed, Some(true));
}

#[test]
fn a_re_issued_enrolment_profile_keeps_its_identifiers_and_changes_its_uuids() {
    let first = enrolment().to_profile();
    let second = EnrolmentProfile {
        uuids: EnrolmentUuids {
            profile: "V-1".to_owned(),
            scep: "V-2".to_owned(),
            mdm: "V-3".to_owned(),
            anchors: vec!["V-4".to_owned()],
        },
        ..enrolment()
    }
    .to_profile();
    let names = |profile: &Profile| -> Vec<String> {
        profile.payloads().iter().map(|payload| payload.header.identifier.clone()).collect()
    };
    assert_eq!(first.identifier, second.identifier);
    assert_eq!(
        names(&first),
        ["fr.example.ardoise.anchor.1", "fr.example.ardoise.scep", "fr.example.ardoise.mdm"]
    );
    assert_eq!(names(&first), names(&second));
    assert_ne!(first.uuid, second.uuid);
}

#[test]
fn t_c11_an_enrolment_profile_does_not_show_its_challenge() {
    assert!(!format!("{:?}", enrolment()).contains("SECRET"));
    assert!(!format!("{:?}", enrolment().to_profile()).contains("SECRET"));
}

#[test]
fn t_a10_an_enrolment_profile_holds_what_the_golden_one_holds_and_nothing_else() {
    let issued = String::from_utf8(enrolment().to_xml()).unwrap();
    assert_eq!(issued, include_str!("../../vectors/issued/enrolment.mobileconfig"));
}

#[test]
fn a_command_is_written_as_the_golden_one() {
    let erase = EraseDevice {
        preserve_data_plan: Some(true),
        return_to_service: Some(ReturnToServiceSettings::new(true)),
        ..EraseDevice::default()
    };
    let issued = Command::from(erase).to_plist("7E5A0000-0000-4000-8000-00000000000B");
    let golden = include_str!("../../vectors/issued/erase.plist");
    assert_eq!(String::from_utf8(issued).unwrap(), golden);
}

#[test]
fn a_document_that_is_not_a_profile_is_refused() {
    let text = "<plist><dict><key>PayloadType</key><string>com.apple.wifi.managed</string>\
                <key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>p</string>\
                <key>PayloadUUID</key><string>u</string></dict></plist>";
    let error = Profile::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the key `PayloadType` is not valid: expected `Configuration`");
}

#[test]
fn m3_a_passcode_profile_that_erases_is_found() {
    let bytes = include_bytes!("../../vectors/profile/passcode.plist");
    let finds = Profile::parse(bytes).unwrap().erasing_keys();
    assert_eq!(paths(finds.clone()), ["PayloadContent.0.maxFailedAttempts"]);
    assert!(finds[0].reason.contains("erases itself"));
}

#[test]
fn m3_an_erasing_key_is_found_whatever_the_payload_calls_itself_and_however_deep() {
    let profile = profile_with(
        "<key>PayloadType</key><string>com.example.other</string><key>x</key><array><dict>\
         <key>MaxFailedAttempts</key><integer>3</integer></dict></array>",
    );
    assert_eq!(paths(profile.erasing_keys()), ["PayloadContent.0.x.0.MaxFailedAttempts"]);
}

#[test]
fn m3_a_profile_without_an_erasing_key_is_not_accused() {
    let profile = profile_with(
        "<key>PayloadType</key><string>com.apple.mobiledevice.passwordpolicy</string>\
         <key>minLength</key><integer>6</integer>",
    );
    assert!(profile.erasing_keys().is_empty());
    assert!(!profile.contains_mdm_payload());
}

#[test]
fn m3_declarations_inside_a_profile_are_opened() {
    let carry = |json: &[u8]| {
        let mut payload = Dictionary::new();
        payload.insert("PayloadType".to_owned(), Value::from("com.apple.declarations"));
        payload.insert("Declarations".to_owned(), Value::Array(vec![Value::Data(json.to_vec())]));
        let xml = String::from_utf8(plist::to_xml(&payload)).unwrap();
        let inner = xml.split_once("<dict>").unwrap().1.rsplit_once("</dict>").unwrap().0.to_owned();
        paths(profile_with(&inner).erasing_keys())
    };
    let erasing = json!({"Type": "com.apple.configuration.passcode.settings", "Identifier": "i",
        "ServerToken": "t", "Payload": {"MaximumFailedAttempts": 5}});
    assert_eq!(
        carry(erasing.to_string().as_bytes()),
        ["PayloadContent.0.Declarations.0.Payload.MaximumFailedAttempts"]
    );
    let harmless =
        json!({"Type": "com.apple.configuration.passcode.settings", "Payload": {"MinimumLength": 6}});
    assert!(carry(harmless.to_string().as_bytes()).is_empty());
    assert_eq!(carry(b"not json"), ["PayloadContent.0.Declarations.0"], "what cannot be read counts");
}

#[test]
fn m3_an_encrypted_profile_counts_as_erasing() {
    let text = "<plist><dict><key>PayloadType</key><string>Configuration</string>\
                <key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key><string>p</string>\
                <key>PayloadUUID</key><string>u</string>\
                <key>EncryptedPayloadContent</key><data>AAAA</data></dict></plist>";
    let profile = Profile::parse(text.as_bytes()).unwrap();
    assert!(profile.is_encrypted());
    assert_eq!(paths(profile.erasing_keys()), ["EncryptedPayloadContent"]);
}

#[test]
fn m3_declarations_that_erase_or_fetch_an_unseen_profile_are_found() {
    let find = |kind: &str, payload: serde_json::Value| paths(declaration_erasing_keys(kind, &payload));
    assert_eq!(
        find("com.apple.configuration.passcode.settings", json!({"MaximumFailedAttempts": 11})),
        ["MaximumFailedAttempts"]
    );
    assert_eq!(
        find("com.apple.configuration.legacy", json!({"ProfileURL": "https://tablettes.example/p"})),
        ["ProfileURL"]
    );
    assert_eq!(
        find("com.apple.configuration.legacy.interactive", json!({"ProfileAssetReference": "a"})),
        ["ProfileAssetReference"]
    );
    assert!(find("com.apple.configuration.passcode.settings", json!({"RequirePasscode": true})).is_empty());
}

#[test]
fn m3_commands_that_erase_are_found() {
    let find = |command: Command| paths(command_erasing_keys(&command));
    assert_eq!(find(EraseDevice::default().into()), ["EraseDevice"]);
    assert_eq!(find(DeleteUser::default().into()), ["DeleteUser"]);
    assert!(find(SecurityInfo::default().into()).is_empty());
    let shared = |guests_only| {
        let item = SharedDeviceConfigurationSetting {
            temporary_session_only: Some(guests_only),
            ..SharedDeviceConfigurationSetting::default()
        };
        Settings::new(vec![Setting::SharedDeviceConfiguration(Box::new(item))])
    };
    assert_eq!(find(shared(true).into()), ["Settings.0.TemporarySessionOnly"]);
    assert!(find(shared(false).into()).is_empty());
}

#[test]
fn m3_everything_that_is_listed_is_found() {
    for listed in ERASING_KEYS {
        let found = match listed.wire {
            ErasingWire::Profile => {
                let payload = format!(
                    "<key>PayloadType</key><string>{}</string><key>{}</key><integer>2</integer>",
                    listed.holder, listed.key
                );
                profile_with(&payload).erasing_keys()
            }
            ErasingWire::Declaration => declaration_erasing_keys(listed.holder, &json!({listed.key: 2})),
            ErasingWire::Command => {
                let mut item = Dictionary::new();
                item.insert("Item".to_owned(), Value::from("SharedDeviceConfiguration"));
                item.insert(listed.key.to_owned(), Value::from(true));
                let mut command = Dictionary::new();
                command.insert("Settings".to_owned(), Value::Array(vec![Value::Dictionary(item)]));
                let kind = listed.holder.parse().unwrap();
                command_erasing_keys(&Command::from_dictionary(kind, &command).unwrap())
            }
            // Nothing to find: the answer that we give says no.
            ErasingWire::CheckIn => {
                assert!(!ReturnToServiceResponse::not_enabled().return_to_service.enabled);
                continue;
            }
        };
        assert_eq!(found.len(), 1, "{listed:?}");
        assert_eq!(found[0].reason, listed.reason);
    }
}
