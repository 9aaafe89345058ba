//! Automated enrolment: a MachineInfo that a device signed, from a device authority made for the test.

#![expect(clippy::disallowed_methods, reason = "tests believe simulated devices")]

use actix_web::http::StatusCode;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name};
use store::enrolments::{self, EnrolmentState};
use store::{alarms, tablets};
use types::{Clock as _, Platform, TabletId};

use super::enrolled::{A, enrol};
use super::enrolling::{TOPIC, push_certificate};
use super::harness::{Answer, Request, TestDoor, key};

/// A device and the authority of its maker, which the door believes.
struct Device {
    certificate: X509,
    key: PKey<Private>,
}

impl Device {
    fn of(door: &TestDoor) -> Self {
        let (authority_key, device_key) = (key(), key());
        let authority = certificate("Simulated Device CA", &authority_key, None);
        let device = certificate(A.1, &device_key, Some((&authority, &authority_key)));
        let believed =
            pki::DeviceCertificateAuthorities::for_simulation(&authority.to_pem().unwrap()).unwrap();
        door.state.fleet.believe_simulated_devices(believed);
        Self { certificate: device, key: device_key }
    }

    /// Sends what the device says of itself.
    async fn asks(&self, door: &TestDoor, serial: &str, more: &str) -> Answer {
        let info = format!(
            "<plist version=\"1.0\"><dict><key>UDID</key><string>{}</string><key>SERIAL</key><string>{serial}</string>\
             <key>PRODUCT</key><string>iPad13,18</string><key>VERSION</key><string>22A1</string>{more}</dict></plist>",
            A.1
        );
        let signed = CmsContentInfo::sign(
            Some(&self.certificate),
            Some(&self.key),
            None,
            Some(info.as_bytes()),
            CMSOptions::BINARY,
        )
        .unwrap();
        door.send(Request::post("/enrol/automated").body(signed.to_der().unwrap())).await
    }
}

fn certificate(name: &str, key: &PKey<Private>, issuer: Option<(&X509, &PKey<Private>)>) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |(issuer, _key)| issuer.subject_name())).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(3650).unwrap()).unwrap();
    if issuer.is_none() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    builder.sign(issuer.map_or(key, |(_issuer, key)| key), MessageDigest::sha256()).unwrap();
    builder.build()
}

async fn stock(door: &TestDoor, serial: &str) {
    let now = door.clock.now();
    let tablet = tablets::Tablet {
        id: TabletId::new(now),
        serial: serial.parse().unwrap(),
        asset_tag: None,
        model: None,
        platform: Platform::Ipad,
        uai: None,
        created_at: now,
        updated_at: now,
    };
    door.state.fleet.store().write(move |tx| tablets::insert(tx, &tablet)).await.unwrap();
}

async fn open_alarms(door: &TestDoor) -> Vec<(String, String)> {
    let open = door.state.fleet.store().read(|tx| alarms::open(tx, 10)).await.unwrap();
    open.into_iter().map(|alarm| (alarm.kind, alarm.subject)).collect()
}

async fn invitations(door: &TestDoor) -> usize {
    let list = |tx: &mut store::Tx<'_>| enrolments::list(tx, Some(EnrolmentState::Invited), None, 10);
    door.state.fleet.store().read(list).await.unwrap().len()
}

#[actix_web::test]
async fn c3_3_4_an_unknown_serial_in_automated_enrolment_is_refused_and_reported() {
    let door = TestDoor::open().await;
    push_certificate(&door, TOPIC).await;
    let device = Device::of(&door);
    for _twice in 0..2 {
        let refused = device.asks(&door, "DMPXK1UNKNWN", "").await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
        assert!(refused.text().contains("is not in the inventory; import it"), "{}", refused.text());
    }
    assert_eq!(open_alarms(&door).await, [("unknown-serial".to_owned(), "DMPXK1UNKNWN".to_owned())]);
    assert_eq!(invitations(&door).await, 0);
    stock(&door, "DMPXK1UNKNWN").await;
    let invited = device.asks(&door, "DMPXK1UNKNWN", "").await;
    assert_eq!(invited.status, StatusCode::OK, "{}", invited.text());
    assert_eq!(invited.content_type(), "application/x-apple-aspen-config");
}

#[actix_web::test]
async fn c5_3_2_a_managed_tablet_that_starts_over_raises_an_alarm_and_stays_managed() {
    let door = TestDoor::open().await;
    push_certificate(&door, TOPIC).await;
    let (_tablet, id) = enrol(&door, A).await;
    let invited = Device::of(&door).asks(&door, A.0, "").await;
    assert_eq!(invited.status, StatusCode::OK, "{}", invited.text());
    let raised = open_alarms(&door).await;
    assert_eq!(raised.iter().map(|(kind, _subject)| kind.as_str()).collect::<Vec<_>>(), ["re-enrolment"]);
    let read = move |tx: &mut store::Tx<'_>| enrolments::get(tx, &id);
    let state = door.state.fleet.store().read(read).await.unwrap().unwrap().state;
    assert_eq!(state, EnrolmentState::Active, "a profile is not yet an enrolment");
}

#[actix_web::test]
async fn a_tablet_with_too_old_a_system_is_asked_to_update_before_it_enrols() {
    let can = |able: bool| format!("<key>MDM_CAN_REQUEST_SOFTWARE_UPDATE</key><{able}/>");
    let version = |text: &str| format!("<key>OS_VERSION</key><string>{text}</string>");
    let cases = [
        (version("17.3.1") + &can(true), StatusCode::FORBIDDEN),
        (version("17.4") + &can(true), StatusCode::OK),
        (version("26.0") + &can(true), StatusCode::OK),
        // What cannot be asked is let in, and updated once it is managed.
        (version("17.3") + &can(false), StatusCode::OK),
        (version("15.8"), StatusCode::OK),
        (can(true), StatusCode::OK),
    ];
    for (says, status) in cases {
        let door = TestDoor::from_version("17.4").await;
        push_certificate(&door, TOPIC).await;
        stock(&door, A.0).await;
        let answer = Device::of(&door).asks(&door, A.0, &says).await;
        assert_eq!(answer.status, status, "{says}: {}", answer.text());
        if status == StatusCode::FORBIDDEN {
            assert_eq!(answer.content_type(), "application/json");
            let refusal = answer.text();
            assert!(refusal.contains("com.apple.softwareupdate.required"), "{refusal}");
            assert!(refusal.contains("\"OSVersion\":\"17.4\""), "{refusal}");
        }
        assert_eq!(invitations(&door).await, usize::from(status == StatusCode::OK), "{says}");
    }
}
