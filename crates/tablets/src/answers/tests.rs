//! What each command makes a tablet say.

use super::*;
use crate::hardware::Hardware;
use crate::profile::MdmPayload;
use crate::seeding::Seeding;
use crate::{Authority, KeyPool, Validity};

/// A tablet that is enrolled, and its identity.
fn tablet() -> (State, Identity) {
    static MADE: std::sync::OnceLock<(State, Identity)> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let now = Clock::system().now();
        let authority = Authority::new(&[("CN", "An authority")], Validity::days(now, 2)).unwrap();
        let mdm = MdmPayload::new("https://localhost/mdm".parse().unwrap(), "com.apple.mgmt.External.x");
        Seeding::new(authority, KeyPool::in_memory(1).unwrap(), mdm, Validity::days(now, 1))
            .tablet("DMPX00000001")
            .unwrap()
    })
    .clone()
}

fn command<const N: usize>(request_type: &str, keys: [(&str, Value); N]) -> Dictionary {
    let mut command = wire::dictionary(keys);
    command.insert("RequestType".to_owned(), request_type.into());
    command
}

fn ask(state: &mut State, command: &Dictionary) -> Answer {
    answer(state, command, &Clock::reading(|| 1_700_000_000), None)
}

/// The code of the first error.
fn code(answer: &Answer) -> Option<i64> {
    answer.errors.first().map(|error| error.code.1)
}

/// The same with the kind of the answer.
fn said(state: &mut State, command: &Dictionary) -> (Status, Option<i64>) {
    let answer = ask(state, command);
    (answer.status, code(&answer))
}

fn lost(state: &mut State) {
    let enable = command("EnableLostMode", [("Message", "Found? Please call.".into())]);
    assert_eq!(said(state, &enable), (Status::Acknowledged, None));
}

const DONE: (Status, Option<i64>) = (Status::Acknowledged, None);

#[test]
fn a_command_that_nobody_knows_is_a_format_error() {
    let (mut state, _identity) = tablet();
    let told = ask(&mut state, &command("MakeCoffee", []));
    assert_eq!((told.status, code(&told)), (Status::CommandFormatError, Some(12021)));
    assert!(told.error_text().unwrap().contains("MakeCoffee"));
    assert_eq!(said(&mut state, &Dictionary::new()).0, Status::CommandFormatError);
}

#[test]
fn what_27_no_longer_knows_is_known_before() {
    let (mut state, _identity) = tablet();
    for gone in GONE_IN_27 {
        assert_eq!(said(&mut state, &command(gone, [])).0, Status::CommandFormatError, "{gone}");
    }
    state.hardware.os_version = "26.4".to_owned();
    for gone in GONE_IN_27 {
        let nothing = Value::Array(Vec::new());
        assert_eq!(said(&mut state, &command(gone, [("Updates", nothing)])), DONE, "{gone}");
    }
}

#[test]
fn device_information_tells_what_was_asked_and_nothing_else() {
    let (mut state, _identity) = tablet();
    let queries = Value::Array(vec!["OSVersion".into(), "UDID".into(), "NoSuchQuery".into()]);
    let told = ask(&mut state, &command("DeviceInformation", [("Queries", queries)]));
    let responses = told.fields.inner("QueryResponses").unwrap();
    assert_eq!((responses.len(), responses.text("OSVersion")), (2, Some("27.0")));
    assert_eq!(responses.text("UDID"), Some(state.hardware.udid.as_str()));
    assert_eq!(said(&mut state, &command("DeviceInformation", [])).0, Status::Error, "Queries is needed");
}

#[test]
fn a_locked_tablet_asks_for_time_but_obeys_what_cannot_wait() {
    let (mut state, _identity) = tablet();
    state.passcode = Some("123456".to_owned());
    state.locked = true;
    for waits in NEEDS_UNLOCKING {
        assert_eq!(said(&mut state, &command(waits, [])).0, Status::NotNow, "{waits}");
    }
    for urgent in ["DeviceLock", "EraseDevice", "ProfileList"] {
        assert_eq!(said(&mut state, &command(urgent, [])), DONE, "{urgent}");
    }
    assert!(NEVER_WAITS.iter().all(|urgent| !may_wait(urgent)) && may_wait("InstallProfile"));
}

#[test]
fn only_supervised_tablets_do_what_supervision_allows() {
    let (mut state, _identity) = tablet();
    state.hardware.supervised = false;
    for supervised in SUPERVISED_ONLY {
        assert_eq!(said(&mut state, &command(supervised, [])), (Status::Error, Some(12064)), "{supervised}");
    }
}

#[test]
fn lost_mode_is_put_on_shown_located_and_taken_off() {
    let (mut state, _identity) = tablet();
    for outside in ["DeviceLocation", "PlayLostModeSound", "DisableLostMode"] {
        assert_eq!(said(&mut state, &command(outside, [])), (Status::Error, Some(12067)), "{outside}");
    }
    assert_eq!(said(&mut state, &command("EnableLostMode", [("Message", "".into())])).0, Status::Error);
    lost(&mut state);
    let told = ask(&mut state, &command("DeviceLocation", []));
    assert_eq!(told.fields.text("Timestamp"), Some("2023-11-14T22:13:20Z"));
    assert!(told.fields.get("Latitude").and_then(Value::as_real).is_some());
    for outside in NOT_IN_LOST {
        assert_eq!(said(&mut state, &command(outside, [])), (Status::Error, Some(12078)), "{outside}");
    }
    assert_eq!(said(&mut state, &command("PlayLostModeSound", [])), DONE);
    assert_eq!(said(&mut state, &command("DisableLostMode", [])), DONE);
    assert_eq!((state.sounds, state.lost_mode), (1, None));
}

#[test]
fn an_access_code_is_cleared_by_its_own_unlock_token_only() {
    let (mut state, _identity) = tablet();
    state.passcode = Some("123456".to_owned());
    state.locked = true;
    let clear = |token: Vec<u8>| command("ClearPasscode", [("UnlockToken", Value::Data(token))]);
    assert_eq!(said(&mut state, &clear(vec![1, 2, 3])), (Status::Error, Some(5013)));
    assert_eq!(said(&mut state, &command("ClearPasscode", [])).0, Status::Error);
    assert!(state.locked);
    let own = hex::decode(&state.enrolment.as_ref().unwrap().unlock_token).unwrap();
    assert_eq!(said(&mut state, &clear(own)), DONE);
    assert_eq!((state.locked, state.passcode), (false, None));
}

#[test]
fn a_lock_says_whether_its_message_is_shown() {
    let (mut state, _identity) = tablet();
    let told = ask(&mut state, &command("DeviceLock", [("Message", "Back at nine".into())]));
    assert_eq!((told.fields.text("MessageResult"), state.locked), (Some("NoPasscodeSet"), false));
    state.passcode = Some("123456".to_owned());
    let told = ask(&mut state, &command("DeviceLock", [("PhoneNumber", "112".into())]));
    assert_eq!((told.fields.text("MessageResult"), state.locked), (Some("Success"), true));
    let told = ask(&mut state, &command("DeviceLock", []));
    assert!(told.fields.is_empty());
}

#[test]
fn an_erase_is_carried_out_after_its_answer_and_needs_a_proper_return_to_service() {
    let (mut state, _identity) = tablet();
    assert!(matches!(ask(&mut state, &command("EraseDevice", [])).after, After::Erase(None)));
    let order = |keys| Value::Dictionary(wire::dictionary(keys));
    let improper = command("EraseDevice", [("ReturnToService", order([("MDMProfileData", true.into())]))]);
    assert_eq!(said(&mut state, &improper).0, Status::Error);
    let proper = command("EraseDevice", [("ReturnToService", order([("Enabled", true.into())]))]);
    let After::Erase(Some(order)) = ask(&mut state, &proper).after else { panic!("it erases itself") };
    assert!(order.enabled && order.mdm_profile.is_none());
    assert_eq!(state.erased, 0, "not before it was answered");
}

#[test]
fn profiles_are_installed_listed_and_removed_but_not_those_of_the_user() {
    const PROFILE: &str = "<plist><dict><key>PayloadType</key><string>Configuration</string>\
        <key>PayloadIdentifier</key><string>fr.example.wifi</string><key>PayloadUUID</key><string>A</string>\
        <key>PayloadContent</key><array/></dict></plist>";
    let (mut state, _identity) = tablet();
    let install = |bytes: &[u8]| command("InstallProfile", [("Payload", Value::Data(bytes.to_vec()))]);
    let remove = |identifier: &str| command("RemoveProfile", [("Identifier", identifier.into())]);
    for unusable in [&b"no profile"[..], b"<plist><dict/></plist>", b""] {
        assert_eq!(said(&mut state, &install(unusable)), (Status::Error, Some(4001)));
    }
    assert_eq!(said(&mut state, &install(PROFILE.as_bytes())), DONE);
    let listed = |state: &mut State| {
        let told = ask(state, &command("ProfileList", []));
        let list = told.fields.list("ProfileList");
        let names = list
            .iter()
            .map(|profile| profile.as_dictionary().unwrap().text("PayloadIdentifier").unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(listed(&mut state), ["fr.example.wifi", "simulated.enrolment"]);
    assert_eq!(said(&mut state, &remove("fr.example.wifi")), DONE);
    assert_eq!(said(&mut state, &remove("fr.example.wifi")), (Status::Error, Some(12008)));
    let by_hand = state.profiles.remove("simulated.enrolment").unwrap();
    let by_hand = crate::InstalledProfile { managed: false, identifier: "by.hand".into(), ..by_hand };
    state.profiles.insert("by.hand".to_owned(), by_hand);
    assert_eq!(said(&mut state, &remove("by.hand")), (Status::Error, Some(12008)));
    let told = ask(&mut state, &remove("simulated.enrolment"));
    assert!(matches!(told.after, After::Unenrol), "the enrolment profile ends it all");
}

#[test]
fn apps_are_installed_listed_configured_and_removed() {
    let (mut state, _identity) = tablet();
    let install = command(
        "InstallApplication",
        [("Identifier", "org.example.geo".into()), ("ManagementFlags", 1.into())],
    );
    assert_eq!(ask(&mut state, &install).fields.text("State"), Some("Managed"));
    assert_eq!(said(&mut state, &command("InstallApplication", [])).0, Status::Error);
    let configuration = wire::dictionary([
        ("Item", "ApplicationConfiguration".into()),
        ("Identifier", "org.example.geo".into()),
        ("Configuration", Value::Dictionary(Dictionary::new())),
    ]);
    let settings = command("Settings", [("Settings", array([configuration]))]);
    assert_eq!(said(&mut state, &settings), DONE);
    let told = ask(&mut state, &command("ManagedApplicationList", []));
    let app = told.fields.inner("ManagedApplicationList").unwrap().inner("org.example.geo").unwrap();
    assert_eq!((app.number("ManagementFlags"), app.flag("HasConfiguration")), (Some(1), Some(true)));
    let told =
        ask(&mut state, &command("InstalledApplicationList", [("Items", Value::Array(vec!["Name".into()]))]));
    let list = told.fields.list("InstalledApplicationList");
    assert_eq!(list[0].as_dictionary().unwrap(), &wire::dictionary([("Name", "geo".into())]));
    let remove = command("RemoveApplication", [("Identifier", "org.example.geo".into())]);
    assert_eq!(said(&mut state, &remove), DONE);
    assert_eq!(said(&mut state, &remove), (Status::Error, Some(12024)));
}

#[test]
fn every_setting_is_answered_by_itself() {
    let (mut state, _identity) = tablet();
    let item = |keys: [(&str, Value); 2]| wire::dictionary(keys);
    let settings = array([
        item([("Item", "DeviceName".into()), ("DeviceName", "CDI 7".into())]),
        item([("Item", "Bluetooth".into()), ("Enabled", "perhaps".into())]),
        item([("Item", "TimeZone".into()), ("TimeZone", "Indian/Reunion".into())]),
    ]);
    let told = ask(&mut state, &command("Settings", [("Settings", settings)]));
    assert_eq!(told.status, Status::Acknowledged);
    let answers = told.fields.list("Settings");
    let statuses: Vec<_> =
        answers.iter().map(|one| one.as_dictionary().unwrap().text("Status").unwrap()).collect();
    assert_eq!(statuses, ["Acknowledged", "Error", "Acknowledged"]);
    assert_eq!(
        (state.device_name.as_str(), state.settings.time_zone.as_deref()),
        ("CDI 7", Some("Indian/Reunion"))
    );
}

#[test]
fn a_tablet_lists_the_certificate_that_it_has() {
    let (mut state, identity) = tablet();
    let told = answer(&mut state, &command("CertificateList", []), &Clock::system(), Some(&identity));
    let list = told.fields.list("CertificateList");
    let certificate = list[0].as_dictionary().unwrap();
    assert_eq!(certificate.text("CommonName"), Some(state.hardware.udid.as_str()));
    assert_eq!(certificate.bytes("Data"), Some(identity.certificate_der().unwrap().as_slice()));
}

#[test]
fn a_report_repeats_the_command_and_carries_the_answer() {
    let (mut state, _identity) = tablet();
    let command = b"<plist><dict><key>CommandUUID</key><string>A1</string><key>Command</key><dict>\
        <key>RequestType</key><string>MakeCoffee</string></dict></dict></plist>";
    let (handled, report) = state.obey(command, &Clock::system(), None).unwrap();
    assert_eq!((handled.command_uuid.as_str(), handled.status), ("A1", Status::CommandFormatError));
    assert_eq!((report.text("CommandUUID"), report.text("Status")), (Some("A1"), Some("CommandFormatError")));
    assert_eq!(report.text("UDID"), Some(Hardware::ipad("DMPX00000001").udid.as_str()));
    let error = report.list("ErrorChain")[0].as_dictionary().unwrap();
    assert_eq!(error.number("ErrorCode"), Some(12021));
    assert!(
        state.obey(b"<plist><dict/></plist>", &Clock::system(), None).is_err(),
        "a command has a CommandUUID"
    );
}

/// What became of each order of a ScheduleOSUpdate, `action status`.
fn scheduled(state: &mut State, orders: &[(&str, &str)]) -> Vec<String> {
    let order = |(action, version): &(&str, &str)| {
        wire::dictionary([("InstallAction", (*action).into()), ("ProductVersion", (*version).into())])
    };
    let told = ask(state, &command("ScheduleOSUpdate", [("Updates", array(orders.iter().map(order)))]));
    assert_eq!(told.status, Status::Acknowledged);
    let results = told.fields.list("UpdateResults").iter().filter_map(Value::as_dictionary);
    results
        .map(|one| format!("{} {}", one.text("InstallAction").unwrap(), one.text("Status").unwrap()))
        .collect()
}

fn system(state: &mut State) -> String {
    let told =
        ask(state, &command("DeviceInformation", [("Queries", Value::Array(vec!["OSVersion".into()]))]));
    told.fields.inner("QueryResponses").unwrap().text("OSVersion").unwrap().to_owned()
}

#[test]
fn an_update_is_downloaded_then_installed_and_the_tablet_has_another_system() {
    let (mut state, _identity) = tablet();
    state.hardware.os_version = "16.7".to_owned();
    state.passcode = Some("2580".to_owned());
    let build = state.hardware.build_version.clone();
    assert_eq!(scheduled(&mut state, &[("InstallASAP", "17.0")]), ["Error Idle"], "nothing is downloaded");
    assert_eq!(scheduled(&mut state, &[("DownloadOnly", "17.0")]), ["DownloadOnly Downloading"]);
    assert_eq!(system(&mut state), "16.7");
    let told = ask(&mut state, &command("OSUpdateStatus", []));
    assert_eq!(told.fields.list("OSUpdateStatus").len(), 1);
    assert_eq!(
        scheduled(&mut state, &[("InstallASAP", "17.1")]),
        ["Error Idle"],
        "another version is not there"
    );
    assert_eq!(scheduled(&mut state, &[("InstallASAP", "17.0")]), ["InstallASAP Installing"]);
    assert_eq!((system(&mut state).as_str(), state.restarts, state.locked), ("17.0", 1, true));
    assert_ne!(state.hardware.build_version, build);
    assert_eq!(ask(&mut state, &command("OSUpdateStatus", [])).fields.list("OSUpdateStatus").len(), 0);
    for version in ["17.0", "17.0.0", "16.9", "x", ""] {
        assert_eq!(scheduled(&mut state, &[("DownloadOnly", version)]), ["Error Idle"], "{version:?}");
    }
    let both = [("Default", "18.0"), ("Default", "18.0")];
    assert_eq!(scheduled(&mut state, &both), ["DownloadOnly Downloading", "InstallASAP Installing"]);
    assert_eq!(system(&mut state), "18.0");
    assert_eq!(scheduled(&mut state, &[("InstallLater", "19.0")]), ["Error Idle"], "a Mac does that");
    assert_eq!(said(&mut state, &command("ScheduleOSUpdate", [])).0, Status::Error);
}

#[test]
fn a_declared_update_goes_before_one_by_command_and_27_knows_no_command() {
    let (mut state, _identity) = tablet();
    state.hardware.os_version = "17.0".to_owned();
    let enforced = crate::state::Declaration {
        kind: "configurations".to_owned(),
        server_token: "1".to_owned(),
        content: serde_json::json!({ "Type": "com.apple.configuration.softwareupdate.enforcement.specific" }),
    };
    state.declarations.insert("fr.example.update".to_owned(), enforced);
    assert_eq!(scheduled(&mut state, &[("DownloadOnly", "17.1")]), ["Error Idle"]);
    state.declarations.clear();
    assert_eq!(scheduled(&mut state, &[("DownloadOnly", "17.1")]), ["DownloadOnly Downloading"]);
    state.hardware.os_version = "27.0".to_owned();
    assert_eq!(said(&mut state, &command("ScheduleOSUpdate", [])).0, Status::CommandFormatError);
}
