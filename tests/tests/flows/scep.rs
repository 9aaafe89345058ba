//! Who gets a certificate: whoever has a challenge that was given out for one enrolment and not used yet, or a
//! certificate that is in use. Nobody else, whatever the message calls itself and whatever it asks for.

use openssl::pkey::PKey;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage};
use store::Engine;
use store::certificates::CertificateState;
use tablets::{Authority, CertificateRequest, Error, Ipad, Purpose, Validity, Via};
use testkit::{TestServer, inventory_csv};
use types::{Clock as _, Duration};

use crate::asker::{
    Asker, BAD_ALG, BAD_REQUEST, BY_GET_AND_POST, Invitation, assert_refused, named, request, self_signed,
};
use crate::support::{
    COLLEGE, DAY, at, certificates_of, enrolment_id, fingerprint, obey, on_both_engines, put, report,
    standing, still_managed, stranger, xml,
};

on_both_engines! {
    t_a11_a_challenge_serves_one_key_once_and_in_time,
    t_a11_concurrent_requests_with_one_challenge_get_one_certificate,
    t_a11_a_challenge_enrols_only_the_tablet_it_was_given_out_for,
    a_certificate_that_was_lost_on_the_way_is_given_again,
    t_a12_no_message_without_a_challenge_leads_to_a_certificate,
    t_a12_a_challenge_opens_nothing_but_a_first_request,
    t_a12_only_a_certificate_in_use_renews_and_only_for_its_own_enrolment,
    t_a13_the_authority_decides_what_a_certificate_says,
}

async fn t_a11_a_challenge_serves_one_key_once_and_in_time(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let used = Invitation::of(&server, "DMPX00000001").await;
    let late = Invitation::of(&server, "DMPX00000002").await;
    let mut asker = Asker::of(&server, Via::Post);
    let (key, other_key) = (server.keys().key(0), server.keys().key(1));

    let identity = asker.enrol(&key, Some(used.challenge())).await.unwrap();
    for via in BY_GET_AND_POST {
        let mut again = Asker::of(&server, via);
        let second = again.enrol(&other_key, Some(used.challenge())).await;
        assert_refused(second, BAD_REQUEST, "a second key");
        let guessed = again.enrol(&other_key, Some("a challenge that nobody was given")).await;
        assert_refused(guessed, BAD_REQUEST, "a guess");
        assert_refused(again.enrol(&other_key, Some("")).await, BAD_REQUEST, "an empty challenge");
    }
    let rows = certificates_of(&server, used.enrolment).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].sha256, fingerprint(identity.certificate()));

    server.advance(Duration::from_secs(24 * 3_600));
    assert_refused(asker.enrol(&key, Some(late.challenge())).await, BAD_REQUEST, "expired");
    assert_eq!(certificates_of(&server, late.enrolment).await, []);
    // The link still lasts: it gives another challenge.
    let fresh = Invitation::by(&server, "DMPX00000002", late.link).await;
    asker.enrol(&key, Some(fresh.challenge())).await.unwrap();
}

async fn t_a11_concurrent_requests_with_one_challenge_get_one_certificate(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    // Two keys and each of them four times, all at once.
    let invitation = Invitation::of(&server, "DMPX00000001").await;
    let mut attempts = Vec::new();
    for number in 0..8 {
        let key = server.keys().key(number % 2);
        let mut asker = Asker::of(&server, if number < 4 { Via::Post } else { Via::Get });
        let challenge = invitation.challenge().to_owned();
        attempts.push(async move { asker.enrol(&key, Some(&challenge)).await });
    }
    let mut given = Vec::new();
    let mut refused = 0;
    for outcome in futures_util::future::join_all(attempts).await {
        match outcome {
            Ok(identity) => given.push(fingerprint(identity.certificate())),
            Err(Error::ScepRefused { fail_info }) if fail_info == BAD_REQUEST => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    let rows = certificates_of(&server, invitation.enrolment).await;
    assert_eq!(rows.len(), 1, "one row, however many asked");
    assert_eq!((given.len(), refused), (4, 4), "one key was first, and each time it asked it got the same");
    assert!(given.iter().all(|one| *one == rows[0].sha256), "{given:?}");
}

async fn t_a11_a_challenge_enrols_only_the_tablet_it_was_given_out_for(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let invitation = Invitation::of(&server, "DMPX00000001").await;
    server.import_inventory(&inventory_csv(["DMPX00000002"], COLLEGE)).await.unwrap();
    let mut theirs = server.enrolled_ipad("DMPX00000003").await.unwrap();

    // Another tablet of the inventory, one that is enrolled, and one that nobody knows take the profile for theirs.
    for serial in ["DMPX00000002", "DMPX00000003", "DMPX00000009"] {
        let taken =
            Invitation::by(&server, "DMPX00000001", server.link_for("DMPX00000001").await.unwrap()).await;
        let mut thief = server.ipad(serial).build().unwrap();
        thief.identify(&taken.profile, false).await.unwrap();
        assert_eq!(still_managed(&thief.authenticate().await.unwrap()), 400, "{serial}");
        assert_eq!(still_managed(&thief.token_update().await.unwrap()), 400, "{serial}");
        let rows = certificates_of(&server, taken.enrolment).await;
        assert_eq!(rows.len(), 1, "{serial}");
        assert_eq!(rows[0].state, CertificateState::Issued, "{serial}: it proves nobody");
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    assert_eq!(standing(&server, "DMPX00000002").await, "not-enrolled");
    obey(&mut theirs).await;
    assert_eq!(standing(&server, "DMPX00000003").await, "enrolled");

    let mut owner = server.ipad("DMPX00000001").build().unwrap();
    owner.enrol_by_link(&invitation.link).await.unwrap();
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
}

async fn a_certificate_that_was_lost_on_the_way_is_given_again(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let invitation = Invitation::of(&server, "DMPX00000001").await;
    let (key, other_key) = (server.keys().key(0), server.keys().key(1));
    let mut asker = Asker::of(&server, Via::Post);
    let lost = asker.enrol(&key, Some(invitation.challenge())).await.unwrap();
    for via in BY_GET_AND_POST {
        let again = Asker::of(&server, via).enrol(&key, Some(invitation.challenge())).await.unwrap();
        assert_eq!(again.certificate_der().unwrap(), lost.certificate_der().unwrap());
    }
    assert_eq!(certificates_of(&server, invitation.enrolment).await.len(), 1);
    assert_refused(asker.enrol(&other_key, Some(invitation.challenge())).await, BAD_REQUEST, "another key");

    // With it the tablet enrols; from then on the challenge is worth nothing, not even to its own key.
    let mut ipad = server.ipad("DMPX00000001").build().unwrap();
    ipad.identify(&Invitation::by(&server, "DMPX00000001", invitation.link.clone()).await.profile, false)
        .await
        .unwrap();
    ipad.set_identity(Some(lost));
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    assert_refused(asker.enrol(&key, Some(invitation.challenge())).await, BAD_REQUEST, "it is in use");
    assert!(ipad.token_update().await.unwrap().is_accepted());
    assert_refused(asker.enrol(&key, Some(invitation.challenge())).await, BAD_REQUEST, "it is in use");
    assert_eq!(certificates_of(&server, invitation.enrolment).await.len(), 1);

    // It is given again only as long as the challenge lasts.
    let other = Invitation::of(&server, "DMPX00000002").await;
    asker.enrol(&key, Some(other.challenge())).await.unwrap();
    server.advance(DAY);
    assert_refused(asker.enrol(&key, Some(other.challenge())).await, BAD_REQUEST, "expired");
}

/// Every type that RFC 8894 names or removed, and what else a client may write there.
const TYPES: [&str; 16] =
    ["3", "17", "18", "19", "20", "21", "22", "0", "1", "16", "23", "99", "017", "019", "19 ", "PKCSReq"];

async fn t_a12_no_message_without_a_challenge_leads_to_a_certificate(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let invitation = Invitation::of(&server, "DMPX00000001").await;
    let mut enrolled = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut enrolled).await;
    let of_the_enrolled = enrolment_id(&server, "DMPX00000002").await;
    let key = server.keys().key(0);
    let nobody = self_signed(&server, &key);
    let other_key = self_signed(&server, &server.keys().key(1));
    let now = server.clock().now().as_seconds();
    let foreign = Authority::new(&[("CN", "Ardoise")], Validity::days(now, 30)).unwrap();
    let foreign =
        foreign.identity_for(&[("CN", "a tablet")], &Purpose::Client, Validity::days(now, 30)).unwrap();

    for via in BY_GET_AND_POST {
        let mut asker = Asker::of(&server, via);
        for message_type in TYPES {
            for (who, signer) in [("itself", &nobody), ("another key", &other_key), ("a foreigner", &foreign)]
            {
                let answer = asker.ask(message_type, signer, &key, None).await;
                assert_refused(answer, BAD_REQUEST, &format!("type {message_type} signed by {who}"));
            }
            // A tablet's own certificate renews, and does nothing else.
            if !["17", "19"].contains(&message_type) {
                let signer = enrolled.identity().unwrap().clone();
                let answer = asker.ask(message_type, &signer, &key, None).await;
                assert_refused(answer, BAD_REQUEST, &format!("type {message_type} signed by a tablet"));
            }
        }
    }
    assert_eq!(certificates_of(&server, invitation.enrolment).await, []);
    assert_eq!(certificates_of(&server, of_the_enrolled).await.len(), 1);
}

async fn t_a12_a_challenge_opens_nothing_but_a_first_request(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let invitation = Invitation::of(&server, "DMPX00000001").await;
    let key = server.keys().key(0);
    let nobody = self_signed(&server, &key);
    let mut asker = Asker::of(&server, Via::Post);
    for message_type in TYPES.into_iter().filter(|kind| *kind != "19") {
        let answer = asker.ask(message_type, &nobody, &key, Some(invitation.challenge())).await;
        assert_refused(answer, BAD_REQUEST, message_type);
    }
    // Nor one that is signed by another key than the one it is about.
    let other = self_signed(&server, &server.keys().key(1));
    let answer = asker.ask("19", &other, &key, Some(invitation.challenge())).await;
    assert_refused(answer, BAD_REQUEST, "another key's signature");
    assert_eq!(certificates_of(&server, invitation.enrolment).await, []);
    // None of this used it up.
    asker.enrol(&key, Some(invitation.challenge())).await.unwrap();
}

async fn t_a12_only_a_certificate_in_use_renews_and_only_for_its_own_enrolment(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let id = enrolment_id(&server, "DMPX00000001").await;
    let other = Invitation::of(&server, "DMPX00000002").await;
    let key = server.keys().key(2);
    let mut asker = Asker::of(&server, Via::Post);

    // Whatever it asks for, what it gets is bound to its own enrolment, and another's challenge stays unused.
    let present = ipad.identity().unwrap().clone();
    let mut client = asker.client();
    let of_another = named(&other.enrolment.to_string());
    let wanted = request(&of_another, &key, Some(other.challenge()));
    for message_type in ["17", "19"] {
        let renewed = client.ask(message_type, &present, &wanted).await.unwrap();
        let last = certificates_of(&server, id).await.into_iter().next_back().unwrap();
        assert_eq!(last.sha256, fingerprint(&renewed[0]), "type {message_type}");
        assert_eq!((last.state, last.enrolment_id), (CertificateState::Issued, id));
        assert_eq!(last.renewed_from, Some(fingerprint(present.certificate())));
    }
    assert_eq!(certificates_of(&server, other.enrolment).await, []);

    // One that was issued and never used renews nothing.
    let unused = asker.enrol(&key, Some(other.challenge())).await.unwrap();
    for message_type in ["17", "19"] {
        let answer = asker.ask(message_type, &unused, &key, None).await;
        assert_refused(answer, BAD_REQUEST, "not in use yet");
    }
    assert_eq!(certificates_of(&server, other.enrolment).await.len(), 1);

    // One whose tablet enrolled again, or left, renews nothing either.
    let count = certificates_of(&server, id).await.len();
    enrol_again(&server, &mut ipad).await;
    assert_refused(asker.ask("17", &present, &key, None).await, BAD_REQUEST, "superseded");
    let current = ipad.identity().unwrap().clone();
    let current_id = enrolment_id(&server, "DMPX00000001").await;
    assert_ne!(current_id, id);
    ipad.check_out().await.unwrap();
    assert_refused(asker.ask("17", &current, &key, None).await, BAD_REQUEST, "its tablet left");
    assert_eq!(certificates_of(&server, id).await.len(), count);
    assert_eq!(certificates_of(&server, current_id).await.len(), 1);
}

async fn enrol_again(server: &TestServer, ipad: &mut Ipad) {
    let link = server.link_for(ipad.serial()).await.unwrap();
    ipad.enrol_by_link(&link).await.unwrap();
}

async fn t_a13_the_authority_decides_what_a_certificate_says(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let theirs = server.enrolled_ipad("DMPX00000009").await.unwrap();
    let their_id = enrolment_id(&server, "DMPX00000009").await.to_string();
    let ca = X509::from_pem(server.trust_pem().unwrap().as_bytes()).unwrap();
    let context = X509::builder().unwrap();
    let context = context.x509v3_context(None, None);
    let wishes: Vec<Vec<u8>> = [
        BasicConstraints::new().critical().ca().pathlen(3).build().unwrap(),
        KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap(),
        ExtendedKeyUsage::new().server_auth().code_signing().build().unwrap(),
        SubjectAlternativeName::new().dns("localhost").dns(&their_id).build(&context).unwrap(),
    ]
    .iter()
    .map(|extension| extension.to_der().unwrap())
    .collect();

    for (via, serial) in BY_GET_AND_POST.into_iter().zip(["DMPX00000001", "DMPX00000002"]) {
        let invitation = Invitation::of(&server, serial).await;
        let mut asker = Asker::of(&server, via);

        let weak = PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
        assert_refused(asker.enrol(&weak, Some(invitation.challenge())).await, BAD_ALG, "RSA with 1024 bits");
        assert_eq!(certificates_of(&server, invitation.enrolment).await, []);

        let key = server.keys().key(0);
        let subject = named(&their_id);
        let wanted =
            CertificateRequest { wishes: &wishes, ..request(&subject, &key, Some(invitation.challenge())) };
        let identity = asker.client().enrol(&wanted, None).await.unwrap();
        let certificate = identity.certificate();
        let subject: Vec<_> =
            certificate.subject_name().entries().map(|entry| entry.data().as_slice()).collect();
        assert_eq!(subject, [invitation.enrolment.to_string().as_bytes()]);
        let for_what = X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::KEY_ENCIPHERMENT;
        assert_eq!(certificate.key_usage(), Some(for_what));
        assert_eq!(certificate.extended_key_usage(), Some(X509ExtendedKeyUsage::SSL_CLIENT));
        assert!(certificate.subject_alt_names().is_none());
        let text = String::from_utf8(certificate.to_text().unwrap()).unwrap();
        assert!(text.contains("CA:FALSE") && !text.contains("CA:TRUE"), "{text}");
        assert!(!text.contains(&their_id), "{text}");
        assert!(certificate.verify(&ca.public_key().unwrap()).unwrap());
        // It certifies nobody: what it signs is foreign.
        let now = server.clock().now().as_seconds();
        let below = Authority::from_identity(identity);
        let forged =
            below.identity_for(&[("CN", &their_id)], &Purpose::Client, Validity::days(now, 30)).unwrap();
        let idle = xml(&report(theirs.udid(), "Idle", None));
        let connect = at(&server, "/mdm/connect");
        assert_eq!(put(&mut stranger(&server), connect, &[], Some(&forged), &idle).await.status, 400);
    }
}
