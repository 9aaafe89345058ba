//! Golden vectors: each message as a tablet sends it, each command as we send it, in `vectors/`.
//!
//! They were written by another property list library, with values of our own. Reading one and writing
//! it again gives the same dictionary, unknown keys included; and nothing marked secret in it (`SECRET-…`,
//! positions) shows in `Debug`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::checkin::{
    CheckIn, GetBootstrapTokenResponse, GetTokenResponse, ReturnToService, ReturnToServiceResponse,
};
use crate::command::{Answer, Command, RequestType};
use crate::connect::{ENVELOPE, Report, Status, error_words};
use crate::machine_info::MachineInfo;
use crate::plist::{self, Dictionary, Limits, Value};
use crate::profile::Profile;

/// A vector: its file's name, what the name says (`Message.variant.kind`), its bytes.
struct Vector {
    name: String,
    bytes: Vec<u8>,
}

impl Vector {
    fn message(&self) -> &str {
        self.name.split('.').next().unwrap()
    }

    fn is(&self, kind: &str) -> bool {
        self.name.ends_with(&format!(".{kind}.plist"))
    }

    fn dictionary(&self) -> Dictionary {
        plist::parse(&self.bytes, Limits::CONNECT).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn vectors(folder: &str) -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no vectors in {}", folder.display());
    paths
        .into_iter()
        .map(|path| Vector {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            bytes: std::fs::read(&path).unwrap(),
        })
        .collect()
}

#[track_caller]
fn assert_same(name: &str, written: &Dictionary, read: &Dictionary) {
    assert_eq!(written, read, "{name}");
    let again = plist::parse(&plist::to_xml(written), Limits::CONNECT).unwrap();
    assert_eq!(&again, read, "{name}, through XML");
}

/// Text, bytes as `Debug` prints them, positions.
#[track_caller]
fn assert_hides_secrets(name: &str, message: &impl std::fmt::Debug) {
    let shown = format!("{message:?}");
    for secret in ["SECRET", "83, 69, 67, 82", "48.765", "2.345"] {
        assert!(!shown.contains(secret), "{name} shows {secret}: {shown}");
    }
}

#[test]
fn every_check_in_message_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for vector in vectors("checkin") {
        if vector.is("response") {
            continue;
        }
        let message =
            CheckIn::parse(&vector.bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(message.message_type(), vector.message());
        assert!(
            message.udid().is_some() != message.enrollment_id().is_some(),
            "{} names one sender",
            vector.name
        );
        assert_same(&vector.name, &message.to_dictionary(), &vector.dictionary());
        assert_hides_secrets(&vector.name, &message);
        seen.insert(message.message_type());
    }
    assert_eq!(seen, CheckIn::MESSAGE_TYPES.iter().copied().collect(), "one vector each");
}

#[test]
fn every_check_in_response_reads_and_writes_back() {
    for vector in vectors("checkin") {
        if !vector.is("response") {
            continue;
        }
        let dictionary = vector.dictionary();
        let name = &vector.name;
        match vector.message() {
            "GetBootstrapToken" => {
                let response = GetBootstrapTokenResponse::from_dictionary(&dictionary).unwrap();
                assert_same(name, &response.to_dictionary(), &dictionary);
                assert_hides_secrets(name, &response);
            }
            "GetToken" => {
                let response = GetTokenResponse::from_dictionary(&dictionary).unwrap();
                assert_same(name, &response.to_dictionary(), &dictionary);
                assert_hides_secrets(name, &response);
            }
            "ReturnToService" => {
                let response = ReturnToServiceResponse::from_dictionary(&dictionary).unwrap();
                assert_same(name, &response.to_dictionary(), &dictionary);
                assert_hides_secrets(name, &response);
            }
            other => panic!("a response to {other}?"),
        }
    }
}

#[test]
fn a_refused_return_to_service_is_the_golden_one() {
    let vector = vectors("checkin").into_iter().find(|v| v.name == "ReturnToService.refused.response.plist");
    let refused = ReturnToServiceResponse::not_enabled();
    assert_eq!(refused.to_dictionary(), vector.unwrap().dictionary());
    assert!(!refused.return_to_service.enabled);
    let request = ReturnToService::new("00008112-0011223344556677".parse().unwrap());
    assert_eq!(CheckIn::ReturnToService(request).message_type(), "ReturnToService");
}

#[test]
fn every_command_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for vector in vectors("command") {
        if !vector.is("request") {
            continue;
        }
        let (command, uuid) =
            Command::parse(&vector.bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(command.request_type().as_str(), vector.message());
        let written = plist::parse(&command.to_plist(&uuid), Limits::PROFILE).unwrap();
        assert_same(&vector.name, &written, &vector.dictionary());
        assert_hides_secrets(&vector.name, &command);
        seen.insert(command.request_type());
    }
    assert_eq!(seen, RequestType::ALL.iter().copied().collect(), "one vector each");
}

#[test]
fn every_answer_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for vector in vectors("command") {
        if !vector.is("answer") {
            continue;
        }
        let report = Report::parse(&vector.bytes).unwrap();
        assert_eq!(report.status, Status::Acknowledged);
        let request_type: RequestType = vector.message().parse().unwrap();
        let answer = Answer::parse(request_type, &report.body)
            .unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        assert_eq!(answer.request_type(), request_type);
        let mut body = vector.dictionary();
        body.retain(|key, _| !ENVELOPE.contains(&key.as_str()));
        assert_same(&vector.name, &answer.to_dictionary(), &body);
        assert_hides_secrets(&vector.name, &answer);
        assert_hides_secrets(&vector.name, &report);
        seen.insert(request_type);
    }
    assert_eq!(seen, RequestType::ALL.iter().copied().collect(), "one vector each");
}

#[test]
fn every_status_is_reported() {
    let mut seen = BTreeSet::new();
    for vector in vectors("connect") {
        let report = Report::parse(&vector.bytes).unwrap();
        assert_eq!(report.status.as_str(), vector.message());
        assert_eq!(*report.body, vector.dictionary(), "the body is kept as it came");
        assert_hides_secrets(&vector.name, &report);
        seen.insert(report.status);
    }
    assert_eq!(seen, Status::ALL.iter().copied().collect());
}

#[test]
fn an_error_is_told_in_words() {
    let vector = vectors("connect").into_iter().find(|vector| vector.name == "Error.plist").unwrap();
    let report = Report::parse(&vector.bytes).unwrap();
    assert_eq!(report.error_chain.len(), 2);
    assert_eq!(
        error_words(&report.error_chain),
        "Profile Failed to Install (MCInstallationErrorDomain 4001); because the tablet is in lost mode, \
         which allows few commands: turn it off first (MCMDMErrorDomain 12078)"
    );
}

#[test]
fn a_machine_info_reads_and_writes_back() {
    for vector in vectors("other") {
        let info = MachineInfo::parse(&vector.bytes).unwrap();
        assert_eq!(info.serial.as_str(), "DMQX41ARDO");
        assert_eq!(info.can_request_software_update, Some(true));
        assert_same(&vector.name, &info.to_dictionary(), &vector.dictionary());
        assert_hides_secrets(&vector.name, &info);
    }
}

#[test]
fn every_profile_reads_and_writes_back() {
    for vector in vectors("profile") {
        let profile = Profile::parse(&vector.bytes).unwrap();
        assert_same(&vector.name, &profile.to_dictionary(), &vector.dictionary());
        assert_hides_secrets(&vector.name, &profile);
    }
}

#[test]
fn a_profile_list_of_two_megabytes_reads() {
    let mut profile = Dictionary::new();
    profile.insert("PayloadUUID".to_owned(), Value::from("7E5A0000-0000-4000-8000-000000000001"));
    profile.insert("PayloadIdentifier".to_owned(), Value::from("fr.example.base"));
    profile.insert("PayloadVersion".to_owned(), Value::from(1));
    profile.insert("SignerCertificates".to_owned(), Value::Array(vec![Value::Data(vec![0x30; 1_200])]));
    let mut report = Dictionary::new();
    report.insert("Status".to_owned(), Value::from("Acknowledged"));
    report.insert("ProfileList".to_owned(), Value::Array(vec![Value::Dictionary(profile); 1_000]));
    let bytes = plist::to_xml(&report);
    assert!(bytes.len() > 1_800_000, "{}", bytes.len());

    let report = Report::parse(&bytes).unwrap();
    let Answer::ProfileList(answer) = Answer::parse(RequestType::ProfileList, &report.body).unwrap() else {
        panic!("a ProfileList answer")
    };
    assert_eq!(answer.profile_list.len(), 1_000);
}

#[test]
fn a_missing_or_ill_typed_key_is_named_with_its_path() {
    let parse = |inner: &str| {
        let text = format!(
            "<plist version=\"1.0\"><dict><key>MessageType</key><string>TokenUpdate</string>\
             <key>Topic</key><string>t</string>{inner}</dict></plist>"
        );
        CheckIn::parse(text.as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(parse(""), "the key `Token` is missing");
    assert_eq!(
        parse("<key>Token</key><string>SECRET</string>"),
        "the key `Token` should be data, it is a string"
    );

    let mut answer = Dictionary::new();
    let mut app = Dictionary::new();
    app.insert("Name".to_owned(), Value::from(7));
    answer.insert("InstalledApplicationList".to_owned(), Value::Array(vec![Value::Dictionary(app)]));
    let error = Answer::parse(RequestType::InstalledApplicationList, &answer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the key `InstalledApplicationList.0.Name` should be a string, it is an integer"
    );
}

#[test]
fn t_c23_a_command_is_read_by_its_own_request_type_only() {
    let mut erase = Dictionary::new();
    erase.insert("RequestType".to_owned(), Value::from("EraseDevice"));
    assert!(Command::from_dictionary(RequestType::RestartDevice, &erase).is_err());
    assert!(Command::from_dictionary(RequestType::EraseDevice, &erase).is_ok());
    assert!("eraseDevice".parse::<RequestType>().is_err());

    let twice =
        b"<plist version=\"1.0\"><dict><key>CommandUUID</key><string>1</string><key>Command</key><dict>\
        <key>RequestType</key><string>SecurityInfo</string>\
        <key>RequestType</key><string>EraseDevice</string></dict></dict></plist>";
    let error = Command::parse(twice).unwrap_err().to_string();
    assert!(error.contains("the key `RequestType` appears twice"), "{error}");
}

#[test]
fn t_a23_a_position_that_is_not_a_number_is_refused() {
    for bad in ["nan", "inf", "1e400"] {
        let text = format!(
            "<plist version=\"1.0\"><dict><key>Status</key><string>Acknowledged</string>\
             <key>Latitude</key><real>{bad}</real><key>Longitude</key><real>2</real>\
             <key>HorizontalAccuracy</key><real>5</real><key>Timestamp</key><string>x</string></dict></plist>"
        );
        let report = Report::parse(text.as_bytes()).unwrap();
        let error = Answer::parse(RequestType::DeviceLocation, &report.body).unwrap_err();
        assert_eq!(error.to_string(), "the key `Latitude` is not valid: expected a finite real");
    }
}

#[test]
fn t_c4_an_unknown_message_type_is_an_error_with_a_bounded_name() {
    let text = format!(
        "<plist version=\"1.0\"><dict><key>MessageType</key><string>{}</string></dict></plist>",
        "é".repeat(5_000)
    );
    let error = CheckIn::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("unknown MessageType `éé"), "{error}");
    assert!(error.chars().count() < 100);
}

#[test]
fn lost_mode_and_erase_are_offered_after_a_not_now_and_little_else() {
    let offered: Vec<_> = RequestType::ALL
        .iter()
        .filter(|kind| kind.may_be_offered_after_not_now())
        .map(|k| k.as_str())
        .collect();
    assert_eq!(
        offered,
        [
            "EraseDevice",
            "DeviceLock",
            "DisableLostMode",
            "EnableLostMode",
            "DeviceLocation",
            "PlayLostModeSound",
            "ClearPasscode",
        ]
    );
}
