//! A version of iPadOS that a layer demands, on tablets that know it only by command: downloaded, then installed on its day
//! at 18:00, also by one that slept through it.

use store::Engine;
use testkit::{TestServer, inventory_csv};
use types::{Clock as _, Day};

use crate::first_day::SOCLE;
use crate::support::{COLLEGE, DAY, enrolment, obey, on_both_engines, round};

on_both_engines! {
    a_demanded_system_is_downloaded_then_installed_on_its_day,
}

async fn a_demanded_system_is_downloaded_then_installed_on_its_day(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let day = Day::of(server.clock().now()).plus(2);
    let demanded = format!("{SOCLE}\n[os-update]\nversion = \"16.7\"\ndeadline = \"{day}\"\n");
    server.publish_layer(&demanded).await.unwrap();
    let serials = ["DMPX00000001", "DMPX00000002"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
    let mut tablets = Vec::new();
    for serial in serials {
        let mut ipad = server.ipad(serial).system("15.8.3", "19H386").build().unwrap();
        ipad.enrol_by_link(&server.link_for(serial).await.unwrap()).await.unwrap();
        tablets.push(ipad);
    }
    // The second one sleeps from now on, and has told what it is.
    obey(&mut tablets[1]).await;
    round(&server).await;
    obey(&mut tablets[0]).await;
    let state = tablets[0].state();
    assert_eq!(state.downloaded_update.as_deref(), Some("16.7"), "it is there before its day");
    assert_eq!((state.hardware.os_version.as_str(), state.restarts), ("15.8.3", 0), "and not installed");

    server.advance(DAY * 4);
    round(&server).await;
    for ipad in &mut tablets {
        obey(ipad).await;
        let state = ipad.state();
        assert_eq!((state.hardware.os_version.as_str(), state.restarts), ("16.7", 1), "{}", ipad.serial());
        assert_eq!(state.downloaded_update, None);
        // What the rule says rests on what the tablet told since.
        server.advance(DAY + DAY);
        obey(ipad).await;
        assert_eq!(enrolment(&server, ipad.serial()).await["os_version"], "16.7");
        let path = format!("/api/v1/tablets/{}/rules", ipad.serial());
        let rules = server.api().unwrap().get(&path).await.unwrap().ok().unwrap();
        let rule =
            rules["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "os-update").unwrap();
        assert_eq!(rule["state"], "applied", "{rule}");
    }
}
