//! Who a tablet is: another's certificate, a former one, an invitation for someone else.

use store::Engine;
use testkit::{TestServer, inventory_csv};

use crate::support::{
    COLLEGE, OTHER_COLLEGE, enrolment, on_both_engines, report, standing, state_of, still_managed,
};

on_both_engines! {
    t_a1_a_tablet_cannot_speak_for_another,
    t_a5_a_tablet_that_enrols_again_starts_clean,
    t_a9_automated_enrolment_takes_a_device_of_apples_that_is_in_the_inventory,
    c3_3_4_an_unknown_serial_number_does_not_enrol_and_is_reported,
    an_enrolment_that_was_interrupted_goes_on,
}

async fn t_a1_a_tablet_cannot_speak_for_another(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ours = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let before = enrolment(&server, "DMPX00000002").await;

    let idle = report(theirs.udid(), "Idle", None);
    assert_eq!(still_managed(&ours.report(&idle).await.unwrap()), 400);
    let renamed = |mut message: plist::Dictionary| {
        message.insert("UDID".into(), theirs.udid().into());
        message
    };
    let token_update = renamed(ours.token_update_message().unwrap());
    assert_eq!(still_managed(&ours.check_in(&token_update).await.unwrap()), 400);
    let authenticate = renamed(ours.authenticate_message().unwrap());
    assert_eq!(still_managed(&ours.check_in(&authenticate).await.unwrap()), 400);
    for kind in ["GetBootstrapToken", "SetBootstrapToken", "CheckOut", "DeclarativeManagement"] {
        let mut message = renamed(plist::Dictionary::new());
        message.insert("MessageType".into(), kind.into());
        message.insert("Topic".into(), server.push_service().topic().into());
        message.insert("Endpoint".into(), "tokens".into());
        assert_eq!(still_managed(&ours.check_in(&message).await.unwrap()), 400, "{kind}");
    }

    assert_eq!(enrolment(&server, "DMPX00000002").await, before, "the other tablet is untouched");
    assert!(server.alarm_kinds().await.unwrap().contains(&"identity-mismatch".to_owned()));
    assert!(theirs.poll().await.unwrap().outcome.is_accepted());
    assert!(ours.poll().await.unwrap().outcome.is_accepted(), "a refusal costs nobody the management");
}

async fn t_a5_a_tablet_that_enrols_again_starts_clean(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    ipad.poll().await.unwrap();
    let command = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    let former = ipad.identity().unwrap().clone();

    // A link for the whole collège does not take over an enrolled tablet.
    let batch = server.link_for_batch(COLLEGE, 5).await.unwrap();
    let mut twin = server.ipad("DMPX00000001").build().unwrap();
    assert!(twin.enrol_by_link(&batch).await.is_err());
    assert_eq!(state_of(&server, &command).await, "queued");

    let link = server.link_for("DMPX00000001").await.unwrap();
    ipad.enrol_by_link(&link).await.unwrap();
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(state_of(&server, &command).await, "cancelled", "no old command");

    let current = ipad.identity().unwrap().clone();
    ipad.set_identity(Some(former));
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400, "no old certificate");
    assert!(server.alarm_kinds().await.unwrap().contains(&"superseded-certificate".to_owned()));

    ipad.set_identity(Some(current));
    let conversation = ipad.poll().await.unwrap();
    assert!(!conversation.request_types().contains(&"RestartDevice"));
}

async fn t_a9_automated_enrolment_takes_a_device_of_apples_that_is_in_the_inventory(engine: Engine) {
    use types::Clock as _;
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let url = server.tablets_url().unwrap().join("/enrol/automated").unwrap();
    let apple = tablets::AppleDeviceAuthority::new(server.clock().now().as_seconds()).unwrap();
    let keys = tablets::KeyPool::in_memory(2).unwrap();
    let ipad = |serial: &str| {
        let udid = server.ipad(serial).build().unwrap().udid().to_owned();
        let identity = apple.device(&udid, &keys).unwrap();
        server.ipad(serial).device_identity(identity).build().unwrap()
    };

    let mut known = ipad("DMPX00000001");
    let refused = known.enrol_by_machine_info(url.as_str()).await.unwrap_err();
    assert!(refused.to_string().contains("400"), "without Apple's authorities nobody is believed: {refused}");

    let pem = apple.intermediate_pem().unwrap();
    let authorities = pki::DeviceCertificateAuthorities::for_simulation(pem.as_bytes()).unwrap();
    server.believe_simulated_devices(authorities).unwrap();
    assert!(ipad("DMPX00000009").enrol_by_machine_info(url.as_str()).await.is_err(), "not in the inventory");

    known.enrol_by_machine_info(url.as_str()).await.unwrap();
    let shown = enrolment(&server, "DMPX00000001").await;
    assert_eq!(shown["kind"], "automated");
    let conversation = known.poll().await.unwrap();
    assert_eq!(conversation.request_types().last(), Some(&"DeviceConfigured"), "the Setup Assistant goes on");
}

async fn c3_3_4_an_unknown_serial_number_does_not_enrol_and_is_reported(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000002"], OTHER_COLLEGE)).await.unwrap();
    let batch = server.link_for_batch(COLLEGE, 5).await.unwrap();
    assert!(server.ipad("DMPX00000009").build().unwrap().enrol_by_link(&batch).await.is_err());
    assert_eq!(server.alarm_kinds().await.unwrap(), ["unknown-serial"]);
    assert!(
        server.ipad("DMPX00000002").build().unwrap().enrol_by_link(&batch).await.is_err(),
        "a link of one collège enrols no tablet of another"
    );
    server.ipad("DMPX00000001").build().unwrap().enrol_by_link(&batch).await.unwrap();
}

async fn an_enrolment_that_was_interrupted_goes_on(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let link = server.link_for("DMPX00000001").await.unwrap();
    let mut ipad = server.ipad("DMPX00000001").build().unwrap();

    // The profile was fetched and nothing came of it: the link gives another.
    let _lost = ipad.fetch_profile(&link).await.unwrap();
    let profile = ipad.fetch_profile(&link).await.unwrap();
    ipad.identify(&profile, false).await.unwrap();
    assert_eq!(still_managed(&ipad.token_update().await.unwrap()), 400, "TokenUpdate does not come first");
    // The answer to Authenticate was lost: it is said again.
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    assert_ne!(standing(&server, "DMPX00000001").await, "enrolled");
    assert!(ipad.token_update().await.unwrap().is_accepted());
    assert!(ipad.token_update().await.unwrap().is_accepted());
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(still_managed(&ipad.authenticate().await.unwrap()), 400, "an identity enrols once");
}
