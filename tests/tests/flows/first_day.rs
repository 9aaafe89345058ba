//! The first day: from an inventory to a profile that the tablet shows.

use serde_json::{Value, json};
use store::Engine;
use tablets::Ipad;
use testkit::{TestServer, inventory_csv};

use crate::support::{COLLEGE, enrolment, obey, observation, on_both_engines, standing, state_of};

on_both_engines! {
    a_tablet_enrols_by_link_reports_and_takes_a_profile,
}

/// A web clip: harmless, and visible in the list of profiles.
const WEB_CLIP: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
  <key>PayloadContent</key><array><dict>
    <key>PayloadType</key><string>com.apple.webClip.managed</string>
    <key>PayloadVersion</key><integer>1</integer>
    <key>PayloadIdentifier</key><string>fr.example.cdi.webclip</string>
    <key>PayloadUUID</key><string>6F1C1B9E-8B0C-4F43-9F0B-0D3C6D9C3B11</string>
    <key>Label</key><string>CDI</string>
    <key>URL</key><string>https://cdi.example/</string>
  </dict></array>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>fr.example.cdi</string>
  <key>PayloadUUID</key><string>2C2E5C0E-6B59-4B53-8C1B-5A3E8E1A7C22</string>
  <key>PayloadDisplayName</key><string>CDI</string>
</dict></plist>"#;

/// The parameters of `InstallProfile`, as the API takes them.
pub(crate) fn install_profile() -> Value {
    json!({ "Payload": { "$data": openssl::base64::encode_block(WEB_CLIP.as_bytes()) } })
}

async fn a_tablet_enrols_by_link_reports_and_takes_a_profile(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let imported =
        server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    assert_eq!(imported["created"], 2);
    assert_ne!(standing(&server, "DMPX00000001").await, "enrolled");

    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    has_its_first_day(&server, &mut ipad).await;
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

/// From a link to a profile that the tablet shows, for a tablet of the inventory, however it proves itself.
pub(crate) async fn has_its_first_day(server: &TestServer, ipad: &mut Ipad) {
    let serial = ipad.serial().to_owned();
    ipad.enrol_by_link(&server.link_for(&serial).await.unwrap()).await.unwrap();
    assert!(ipad.is_enrolled());
    assert_eq!(standing(server, &serial).await, "enrolled");
    let shown = enrolment(server, &serial).await;
    assert_eq!((shown["kind"].as_str(), shown["udid"].as_str()), (Some("link"), Some(ipad.udid())));

    let first = obey(ipad).await;
    assert!(first.request_types().contains(&"DeviceInformation"), "{:?}", first.request_types());
    let information = observation(server, &serial, "device-information").await.unwrap();
    assert!(information.to_string().contains("27.0"), "{information}");
    assert_eq!(enrolment(server, &serial).await["supervision"], "supervised");

    let install = server.command(&serial, "InstallProfile", install_profile()).await.unwrap();
    assert_eq!(state_of(server, &install).await, "queued");
    assert_eq!(obey(ipad).await.request_types(), ["InstallProfile"]);
    assert_eq!(state_of(server, &install).await, "acknowledged");

    let list = server.command(&serial, "ProfileList", Value::Null).await.unwrap();
    obey(ipad).await;
    assert_eq!(state_of(server, &list).await, "acknowledged");
    let profiles = observation(server, &serial, "profile-list").await.unwrap();
    assert!(profiles.to_string().contains("fr.example.cdi"), "{profiles}");
    assert!(obey(ipad).await.handled.is_empty(), "nothing is given twice");
}
