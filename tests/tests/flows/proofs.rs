//! How a tablet proves who it is, and what does not prove it: signatures of another body, certificates that copy
//! another, headers that anyone can write.

use std::net::Ipv4Addr;

use openssl::base64::encode_block;
use openssl::nid::Nid;
use openssl::x509::X509;
use store::Engine;
use tablets::{
    Authority, Digest, Encoding, ForwardedCertificate, HttpClient, Identity, Parameters, Proofs, Purpose,
    SignatureStyle, Validity,
};
use testkit::{TestServer, inventory_csv};
use types::Clock as _;

use crate::first_day::{SOCLE, has_its_first_day};
use crate::proxy::{self, Proxy};
use crate::support::{
    COLLEGE, at, clock, enrolment, enrolment_id, obey, on_both_engines, put, report, standing, still_managed,
    stranger, xml,
};

on_both_engines! {
    t_a2_a_captured_signature_opens_nothing_but_the_body_it_was_made_over,
    t_a3_a_certificate_that_copies_a_tablets_subject_is_told_400,
    t_a4_a_header_that_names_a_certificate_is_worth_its_sender,
    t_a4_of_two_proofs_both_must_hold,
    a_tablet_that_only_signs_has_its_first_day_in_every_style,
    t_a7_a_tablet_behind_a_proxy_has_its_first_day_and_outlives_the_proxys_mistakes,
}

/// Every way of signing that tablets are seen to use.
fn styles() -> Vec<SignatureStyle> {
    let mut styles = Vec::new();
    for digest in [Digest::Sha1, Digest::Sha256] {
        for encoding in [Encoding::Der, Encoding::Ber] {
            for parameters in [Parameters::Null, Parameters::Absent] {
                styles.push(SignatureStyle { digest, encoding, parameters });
            }
        }
    }
    styles
}

/// The header in which `identity` signs a body.
fn signature(
    server: &TestServer,
    style: SignatureStyle,
    identity: &Identity,
    body: &[u8],
) -> (&'static str, String) {
    let signed = style.detached(identity, body, &clock(server)).unwrap();
    ("mdm-signature", encode_block(&signed))
}

/// The header in which a proxy names a certificate.
fn client_cert(identity: &Identity) -> (&'static str, String) {
    ("client-cert", format!(":{}:", encode_block(&identity.certificate_der().unwrap())))
}

/// An idle report, as it goes over the wire.
fn idle(udid: &str) -> Vec<u8> {
    xml(&report(udid, "Idle", None))
}

async fn t_a2_a_captured_signature_opens_nothing_but_the_body_it_was_made_over(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ours = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let before = enrolment(&server, "DMPX00000002").await;
    let (connect, check_in) = (at(&server, "/mdm/connect"), at(&server, "/mdm/checkin"));
    let captured = idle(ours.udid());
    let token_update = xml(&ours.token_update_message().unwrap());
    let spaced = [captured.as_slice(), b"\n"].concat();
    let mut check_out = plist::Dictionary::new();
    check_out.insert("MessageType".into(), "CheckOut".into());
    check_out.insert("Topic".into(), server.push_service().topic().into());
    check_out.insert("UDID".into(), ours.udid().into());
    let failed = xml(&report(ours.udid(), "Error", Some("0190f6f0-0000-7000-8000-000000000000")));

    let mut http = stranger(&server);
    for style in styles() {
        let header = signature(&server, style, ours.identity().unwrap(), &captured);
        let same = put(&mut http, connect.clone(), std::slice::from_ref(&header), None, &captured).await;
        assert_eq!(same.status, 200, "{style:?}: over its own body it is good");
        for (url, other) in [
            (&connect, &failed),
            (&connect, &spaced),
            (&connect, &idle(theirs.udid())),
            (&check_in, &xml(&check_out)),
            (&check_in, &token_update),
            (&connect, &Vec::new()),
        ] {
            let answer = put(&mut http, url.clone(), std::slice::from_ref(&header), None, other).await;
            assert_eq!(answer.status, 400, "{style:?}: {}", String::from_utf8_lossy(other));
        }
        // The tablet's own connection does not make up for a signature of another body.
        let both = put(&mut http, connect.clone(), &[header], ours.identity(), &failed).await;
        assert_eq!(both.status, 400, "{style:?}");
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(enrolment(&server, "DMPX00000002").await, before);
    obey(&mut ours).await;
    obey(&mut theirs).await;
}

async fn t_a3_a_certificate_that_copies_a_tablets_subject_is_told_400(engine: Engine) {
    let server = TestServer::setup(engine).flag("tablets.trusted_proxies=127.0.0.1").start().await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let before = enrolment(&server, "DMPX00000001").await;
    let now = server.clock().now().as_seconds();

    // The first even has the tablet's own key: what it lacks is our authority's word.
    let genuine = ipad.identity().unwrap();
    let id = enrolment_id(&server, "DMPX00000001").await.to_string();
    let key = ipad.identity().unwrap().key().to_owned();
    let copy = Identity::self_signed(genuine.certificate().subject_name(), key, now).unwrap();
    // An authority that calls itself like ours, and certifies the tablet's name for a key of its own.
    let ours = X509::from_pem(server.trust_pem().unwrap().as_bytes()).unwrap();
    let name = ours.subject_name().entries_by_nid(Nid::COMMONNAME).next().unwrap().data();
    let name = std::str::from_utf8(name.as_slice()).unwrap();
    let namesake = Authority::new(&[("CN", name)], Validity::days(now, 30)).unwrap();
    let forged = namesake.identity_for(&[("CN", &id)], &Purpose::Client, Validity::days(now, 30)).unwrap();

    let mut http = stranger(&server);
    let udid = ipad.udid().to_owned();
    let token_update = xml(&ipad.token_update_message().unwrap());
    for (what, identity) in [("self-signed", &copy), ("of a namesake of our authority", &forged)] {
        assert_eq!(
            format!("{:?}", identity.certificate().subject_name()),
            format!("{:?}", genuine.certificate().subject_name())
        );
        for (path, body) in [("/mdm/connect", &idle(&udid)), ("/mdm/checkin", &token_update)] {
            let url = at(&server, path);
            let shown = put(&mut http, url.clone(), &[], Some(identity), body).await;
            assert_eq!(shown.status, 400, "{what}, in the handshake, {path}");
            let header = signature(&server, SignatureStyle::default(), identity, body);
            let signed = put(&mut http, url.clone(), &[header], None, body).await;
            assert_eq!(signed.status, 400, "{what}, by a signature, {path}");
            let named = put(&mut http, url, &[client_cert(identity)], None, body).await;
            assert_eq!(named.status, 400, "{what}, by a proxy, {path}");
        }
    }
    assert_eq!(enrolment(&server, "DMPX00000001").await, before);
    assert!(obey(&mut ipad).await.handled.is_empty(), "the tablet itself goes on");
}

async fn t_a4_a_header_that_names_a_certificate_is_worth_its_sender(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let identity = ipad.identity().unwrap().clone();
    let (body, connect) = (idle(ipad.udid()), at(&server, "/mdm/connect"));
    let rfc_9440 = client_cert(&identity);
    let pem: String =
        url::form_urlencoded::byte_serialize(identity.certificate_pem().unwrap().as_bytes()).collect();
    let pem = pem.replace('+', "%20");
    let forged = [
        rfc_9440.clone(),
        ("x-ssl-client-cert", pem.clone()),
        ("x-ssl-client-verify", "SUCCESS".to_owned()),
        ("x-ssl-client-fingerprint", identity.fingerprint()),
        ("ssl-client-cert", pem.clone()),
        ("x-client-cert", pem.clone()),
        ("x-forwarded-client-cert", format!("Cert=\"{pem}\"")),
        ("x-forwarded-for", "127.0.0.2".to_owned()),
        ("forwarded", "for=127.0.0.2".to_owned()),
    ];
    // Whatever they write in it, strangers are nobody; neither is whoever claims to come from the proxy.
    for trusted in [None, Some("tablets.trusted_proxies=127.0.0.2")] {
        if let Some(trusted) = trusted {
            server.start_again_with(&[trusted]).await.unwrap();
        }
        let mut http = stranger(&server);
        let answer = put(&mut http, connect.clone(), &forged, None, &body).await;
        assert_eq!(answer.status, 400, "{trusted:?}");
        assert!(String::from_utf8_lossy(&answer.body).contains("no identity"), "{answer:?}");
        // The tablet's own proof is neither helped nor spoiled.
        let own = put(&mut http, connect.clone(), &forged, Some(&identity), &body).await;
        assert_eq!(own.status, 200, "{trusted:?}");
    }
    // From the address that is configured, the one header of RFC 9440 is believed, and no other.
    server.start_again_with(&["tablets.trusted_proxies=127.0.0.1"]).await.unwrap();
    let mut http = stranger(&server);
    assert_eq!(put(&mut http, connect.clone(), &forged[1..], None, &body).await.status, 400);
    assert_eq!(put(&mut http, connect.clone(), &[rfc_9440], None, &body).await.status, 200);
    let nginx = put(&mut http, connect, &[("client-cert", pem)], None, &body).await;
    assert_eq!(nginx.status, 200, "escaped PEM in that header, as nginx writes it");
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
}

async fn t_a4_of_two_proofs_both_must_hold(engine: Engine) {
    let server = TestServer::setup(engine).flag("tablets.trusted_proxies=127.0.0.1").start().await.unwrap();
    let ours = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let (mine, other) = (ours.identity().unwrap(), theirs.identity().unwrap());
    let (body, connect) = (idle(ours.udid()), at(&server, "/mdm/connect"));
    let style = SignatureStyle::default();
    let good = signature(&server, style, mine, &body);
    let of_another_body = signature(&server, style, mine, b"another body");
    let of_another_tablet = signature(&server, style, other, &body);
    let broken = ("mdm-signature", "MIID".to_owned());
    let (named, another_named) = (client_cert(mine), client_cert(other));
    let nonsense = ("client-cert", ":AAAA:".to_owned());

    let mut http = stranger(&server);
    let cases: [(&str, Vec<_>, Option<&Identity>, u16); 12] = [
        ("all three agree", vec![good.clone(), named.clone()], Some(mine), 200),
        ("signature and proxy agree", vec![good.clone(), named.clone()], None, 200),
        ("handshake and proxy agree", vec![named.clone()], Some(mine), 200),
        ("handshake, and a signature of another body", vec![of_another_body.clone()], Some(mine), 400),
        ("handshake, and a broken signature", vec![broken.clone()], Some(mine), 400),
        ("handshake, and another tablet's signature", vec![of_another_tablet.clone()], Some(mine), 400),
        ("another tablet's handshake", vec![good.clone()], Some(other), 400),
        ("proxy, and a signature of another body", vec![named.clone(), of_another_body], None, 400),
        ("proxy, and another tablet's signature", vec![named.clone(), of_another_tablet], None, 400),
        ("signature, and a proxy that names another", vec![good.clone(), another_named.clone()], None, 400),
        ("handshake, and a proxy that names another", vec![another_named], Some(mine), 400),
        ("signature, and a proxy that names nobody", vec![good, nonsense], None, 400),
    ];
    for (what, headers, identity, expected) in cases {
        let answer = put(&mut http, connect.clone(), &headers, identity, &body).await;
        assert_eq!(answer.status, expected, "{what}: {}", String::from_utf8_lossy(&answer.body));
    }
    for serial in ["DMPX00000001", "DMPX00000002"] {
        assert_eq!(standing(&server, serial).await, "enrolled");
    }
}

async fn a_tablet_that_only_signs_has_its_first_day_in_every_style(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    for (number, style) in styles().into_iter().enumerate() {
        let serial = format!("DMPX0000010{number}");
        server.import_inventory(&inventory_csv([serial.as_str()], COLLEGE)).await.unwrap();
        let mut ipad = server.ipad(&serial).proofs(Proofs::signature(style)).build().unwrap();
        has_its_first_day(&server, &mut ipad).await;
        // Without its signature it is nobody: nothing else had proven it.
        ipad.set_proofs(Proofs::none());
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400, "{style:?}");
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

async fn t_a7_a_tablet_behind_a_proxy_has_its_first_day_and_outlives_the_proxys_mistakes(engine: Engine) {
    let proxy = Proxy::new(types::ManualClock::new().now().as_seconds()).await;
    let server = TestServer::setup(engine)
        .flag(format!("tablets.public_url={}", proxy.url()))
        .flag("tablets.plain_http=true")
        .flag(format!("tablets.trusted_proxies={}", proxy::ADDRESS))
        .start()
        .await
        .unwrap();
    let trust = proxy.trust();
    let door = server.running().unwrap().tablets_addr();
    let proxy = proxy.serve(door);
    server.publish_layer(SOCLE).await.unwrap();
    let serials = ["DMPX00000001", "DMPX00000002", "DMPX00000003"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
    let mut fleet = Vec::new();
    for serial in serials {
        let proofs = Proofs::client_certificate();
        let mut ipad = server.ipad(serial).trust(trust.clone()).proofs(proofs).build().unwrap();
        has_its_first_day(&server, &mut ipad).await;
        fleet.push(ipad);
    }

    // Past the proxy, at the door itself, its header is nothing but a header: this is not its address.
    let mut past = HttpClient::new(trust, clock(&server));
    assert_ne!(proxy::ADDRESS, Ipv4Addr::LOCALHOST);
    let url = url::Url::parse(&format!("http://{door}/mdm/connect")).unwrap();
    let identity = fleet[0].identity().unwrap().clone();
    let answer = put(&mut past, url, &[client_cert(&identity)], None, &idle(fleet[0].udid())).await;
    assert_eq!(answer.status, 400);

    proxy.drop_certificates(true);
    for ipad in &mut fleet {
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400);
        let message = ipad.token_update_message().unwrap();
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400);
    }
    proxy.drop_certificates(false);
    for ipad in &mut fleet {
        // What a tablet writes into the proxy's header itself does not get past the proxy.
        ipad.set_proofs(Proofs::forwarded(ForwardedCertificate::Rfc9440));
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400);
        ipad.set_proofs(Proofs::client_certificate());
        assert!(obey(ipad).await.handled.is_empty());
        assert!(ipad.is_enrolled());
    }
}
