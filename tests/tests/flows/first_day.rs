//! The first day: from an inventory to a profile that the tablet shows.

use serde_json::Value;
use store::Engine;
use tablets::Ipad;
use testkit::{TestServer, inventory_csv};

use crate::support::{COLLEGE, enrolment, obey, observation, on_both_engines, round, standing, state_of};

on_both_engines! {
    a_tablet_enrols_by_link_reports_and_takes_a_profile,
}

/// The first set of choices for lent tablets: what everybody's first day brings, once it is published.
pub(crate) const SOCLE: &str = include_str!("../../../profiles/socle.toml");
/// What its profile is called on a tablet.
const PROFILE: &str = "fr.ardoise.configuration.profile";

async fn a_tablet_enrols_by_link_reports_and_takes_a_profile(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    let imported =
        server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    assert_eq!(imported["created"], 2);
    assert_ne!(standing(&server, "DMPX00000001").await, "enrolled");

    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    has_its_first_day(&server, &mut ipad).await;
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

/// From a link to the profile of the published base that the tablet shows, for a tablet of the inventory, however it proves
/// itself.
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

    let path = format!("/api/v1/tablets/{serial}/rules");
    round(server).await;
    obey(ipad).await;
    let rules = server.api().unwrap().get(&path).await.unwrap().ok().unwrap();
    assert_eq!(rules["delivered"], true, "{rules:#}");
    assert!(ipad.state().profiles.contains_key(PROFILE));

    let list = server.command(&serial, "ProfileList", Value::Null).await.unwrap();
    obey(ipad).await;
    assert_eq!(state_of(server, &list).await, "acknowledged");
    let profiles = observation(server, &serial, "profile-list").await.unwrap();
    assert!(profiles.to_string().contains(PROFILE), "{profiles}");
    assert!(obey(ipad).await.handled.is_empty(), "nothing is given twice");
}
