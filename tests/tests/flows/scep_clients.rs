//! The clients seen in the field: each gets its certificate in its own way, and is answered as it compares.

use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use openssl::x509::X509;
use store::Engine;
use tablets::{Digest, EnvelopeCipher, Parameters, Reply, Request, ScepStyle, Via};
use testkit::{Patience, TestServer, inventory_csv, wait_until};

use crate::asker::{
    Asker, BAD_ALG, BAD_REQUEST, BY_GET_AND_POST, Invitation, assert_refused, named, request, self_signed,
};
use crate::first_day::{SOCLE, has_its_first_day};
use crate::log;
use crate::support::{COLLEGE, at, certificates_of, fingerprint, obey, on_both_engines, stranger};

on_both_engines! {
    clients_of_every_style_get_their_certificate_and_nothing_beside_it,
    scep_answers_with_the_exact_status_and_type_that_clients_compare,
    an_empty_message_is_told_400_cleanly,
    clients_of_the_last_century_are_served_only_where_they_are_admitted,
    a_tablet_that_sends_no_content_type_has_its_first_day,
    tablets_that_say_the_same_push_token_are_each_woken,
}

/// What clients do that need nothing to be allowed for it.
fn styles() -> Vec<(&'static str, ScepStyle)> {
    let usual = ScepStyle::default();
    vec![
        ("as a tablet", usual),
        ("by GET", ScepStyle { via: Via::Get, ..usual }),
        ("by POST, with the DER again in the query", ScepStyle { via: Via::PostAndRepeat, ..usual }),
        ("algorithms without parameters", ScepStyle { parameters: Parameters::Absent, ..usual }),
        ("AES-256", ScepStyle { cipher: Some(EnvelopeCipher::Aes256), ..usual }),
        ("triple DES", ScepStyle { cipher: Some(EnvelopeCipher::TripleDes), ..usual }),
        ("SHA-512", ScepStyle { digest: Some(Digest::Sha512), ..usual }),
        (
            "all of it",
            ScepStyle {
                via: Via::PostAndRepeat,
                digest: Some(Digest::Sha512),
                cipher: Some(EnvelopeCipher::TripleDes),
                parameters: Parameters::Absent,
                ..usual
            },
        ),
    ]
}

async fn clients_of_every_style_get_their_certificate_and_nothing_beside_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    for (number, (what, style)) in styles().into_iter().enumerate() {
        let serial = format!("DMPX0000020{number}");
        let invitation = Invitation::of(&server, &serial).await;
        let key = server.keys().key(0);
        let (subject, signer) = (named("a tablet"), self_signed(&server, &key));
        let wanted = request(&subject, &key, Some(invitation.challenge()));
        let given = Asker::with(&server, style).client().ask("19", &signer, &wanted).await;
        let given = given.unwrap_or_else(|error| panic!("{what}: {error}"));
        // Some take the first certificate, whatever it is: there is one, and it is theirs.
        assert_eq!(given.len(), 1, "{what}");
        let rows = certificates_of(&server, invitation.enrolment).await;
        assert_eq!(rows.len(), 1, "{what}");
        assert_eq!(rows[0].sha256, fingerprint(&given[0]), "{what}");

        // And with a tablet around it, it enrols, and is served.
        let mut ipad = server.ipad(&serial).scep_style(style).build().unwrap();
        ipad.enrol_by_link(&invitation.link).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        obey(&mut ipad).await;
    }
}

async fn ask(server: &TestServer, method: hyper::Method, query: &str, body: Vec<u8>) -> Reply {
    let url = at(server, &format!("/scep{query}"));
    stranger(server).send(&Request::new(method, url, body), None).await.unwrap()
}

async fn scep_answers_with_the_exact_status_and_type_that_clients_compare(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let get = hyper::Method::GET;
    for query in
        ["?operation=GetCACaps", "?operation=GetCACaps&message=ardoise", "?message=&operation=GetCACaps"]
    {
        let capabilities = ask(&server, get.clone(), query, Vec::new()).await;
        assert_eq!((capabilities.status, capabilities.content_type()), (200, "text/plain"), "{query}");
        let text = String::from_utf8(capabilities.body.to_vec()).unwrap();
        for keyword in ["AES", "SHA-256", "SCEPStandard", "POSTPKIOperation", "Renewal"] {
            assert!(text.lines().any(|line| line == keyword), "{keyword}: {text}");
        }
        for old in ["SHA-1", "DES3", "DES"] {
            assert!(!text.lines().any(|line| line == old), "{old}: {text}");
        }
    }
    let certificate = ask(&server, get, "?operation=GetCACert&message=ardoise", Vec::new()).await;
    assert_eq!((certificate.status, certificate.content_type()), (200, "application/x-x509-ca-cert"));
    let ours = X509::from_pem(server.trust_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(certificate.body.to_vec(), ours.to_der().unwrap());

    // A refusal is an answer like any other.
    let key = server.keys().key(0);
    for via in BY_GET_AND_POST {
        let refused = Asker::of(&server, via).enrol(&key, Some("nobody was given this")).await;
        assert_refused(refused, BAD_REQUEST, "as CertRep, with status 200");
    }
    let (subject, signer) = (named("a tablet"), self_signed(&server, &key));
    let wanted = request(&subject, &key, None);
    let message = Asker::of(&server, Via::Post).client().message("19", &signer, &wanted).await.unwrap();
    let answer = ask(&server, hyper::Method::POST, "?operation=PKIOperation", message.clone()).await;
    assert_eq!((answer.status, answer.content_type()), (200, "application/x-pki-message"));
    let in_query = openssl::base64::encode_block(&message).replace('+', "%2B");
    let query = format!("?operation=PKIOperation&message={in_query}");
    let answer = ask(&server, hyper::Method::GET, &query, Vec::new()).await;
    assert_eq!((answer.status, answer.content_type()), (200, "application/x-pki-message"));
}

async fn an_empty_message_is_told_400_cleanly(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let post = hyper::Method::POST;
    for (method, query) in [
        (post.clone(), "?operation=PKIOperation"),
        (post.clone(), "?operation=PKIOperation&message="),
        (post, ""),
        (hyper::Method::GET, "?operation=PKIOperation"),
    ] {
        let answer = ask(&server, method, query, Vec::new()).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.content_type(), "text/plain; charset=utf-8");
        assert!(String::from_utf8_lossy(&answer.body).contains("the message is empty"), "{answer:?}");
    }
    let noise = ask(&server, hyper::Method::POST, "?operation=PKIOperation", b"noise".to_vec()).await;
    assert_eq!(noise.status, 400);
}

async fn clients_of_the_last_century_are_served_only_where_they_are_admitted(engine: Engine) {
    log::listen();
    let mut server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let usual = ScepStyle::default();
    let sha_1 = ScepStyle { digest: Some(Digest::Sha1), ..usual };
    let single_des = ScepStyle { cipher: Some(EnvelopeCipher::SingleDes), ..usual };
    let old = [
        ("it is signed with SHA-1", sha_1),
        ("it is encrypted with single DES", single_des),
        ("it is signed with SHA-1", ScepStyle::ancient()),
    ];

    let invitation = Invitation::of(&server, "DMPX00000001").await;
    for (why, style) in old {
        // A key of its own, after which its transaction is named in the log.
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let transaction = hash(MessageDigest::sha1(), &key.public_key_to_der().unwrap()).unwrap();
        let transaction: String = transaction.iter().map(|byte| format!("{byte:02X}")).collect();
        let refused = Asker::with(&server, style).enrol(&key, Some(invitation.challenge())).await;
        assert_refused(refused, BAD_ALG, why);
        let lines = log::lines_with(&transaction);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(why) && lines[0].contains("scep.allow_legacy = true"), "{lines:?}");
        assert!(!lines[0].contains(invitation.challenge()), "{lines:?}");
    }
    assert_eq!(certificates_of(&server, invitation.enrolment).await, []);

    server.start_again_with(&["scep.allow_legacy=true"]).await.unwrap();
    let capabilities = Asker::with(&server, usual).client().capabilities().await.unwrap();
    assert!(capabilities.has("SHA-1") && capabilities.has("DES3"));
    for (number, (why, style)) in old.into_iter().enumerate() {
        let serial = format!("DMPX0000030{number}");
        server.import_inventory(&inventory_csv([serial.as_str()], COLLEGE)).await.unwrap();
        let mut ipad = server.ipad(&serial).scep_style(style).build().unwrap();
        let enrolled = ipad.enrol_by_link(&server.link_for(&serial).await.unwrap()).await;
        enrolled.unwrap_or_else(|error| panic!("{why}: {error}"));
        obey(&mut ipad).await;
    }
}

async fn a_tablet_that_sends_no_content_type_has_its_first_day(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let mut ipad = server.ipad("DMPX00000001").connect_content_type(false).build().unwrap();
    has_its_first_day(&server, &mut ipad).await;
}

async fn tablets_that_say_the_same_push_token_are_each_woken(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut magics = Vec::new();
    for serial in ["DMPX00000001", "DMPX00000002"] {
        let mut ipad = server.enrolled_ipad(serial).await.unwrap();
        ipad.state_mut().enrolment.as_mut().unwrap().push_token = "00".repeat(32);
        assert!(ipad.token_update().await.unwrap().is_accepted());
        obey(&mut ipad).await;
        magics.push(ipad.enrolment().unwrap().push_magic.clone());
    }
    let before = server.push_service().apns().pushes().len();
    for serial in ["DMPX00000001", "DMPX00000002"] {
        server.command(serial, "RestartDevice", serde_json::Value::Null).await.unwrap();
    }
    wait_until("both were pushed", Patience::default(), async || {
        let pushes = server.push_service().apns().pushes();
        let woken = |magic: &String| {
            pushes.iter().skip(before).any(|push| push.magic == *magic && push.token == "00".repeat(32))
        };
        Ok(magics.iter().all(woken).then_some(()))
    })
    .await
    .unwrap();
}
