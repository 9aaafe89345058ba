//! A tablet's identity ends after a year, and its management must not: it is renewed by the enrolment profile issued
//! again, or by a request that the present certificate signs. Until the new one is used, both count.

use openssl::x509::X509;
use store::Engine;
use store::certificates::CertificateState::{Confirmed, Issued, Superseded};
use tablets::{EnrolmentProfile, Error, Identity, Ipad, Proofs, SignatureStyle, Status, Via};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use types::EnrolmentId;

use crate::asker::{Asker, BAD_REQUEST, Invitation, assert_refused, named, request};
use crate::support::{
    COLLEGE, DAY, certificates_of, commands_of, enrolment, enrolment_id, fingerprint, obey, on_both_engines,
    report, standing, still_managed,
};

on_both_engines! {
    a_tablet_renews_by_its_profile_sixty_days_before_the_end,
    a_tablet_renews_by_its_own_request_and_both_certificates_count_until_the_new_one_is_used,
    a_renewal_that_was_interrupted_goes_on,
    a_tablet_that_slept_past_the_end_is_served_and_renews,
}

/// Enrols step by step, and gives the challenge too.
async fn enrolled(server: &TestServer, serial: &str) -> (Ipad, EnrolmentId, store::Digest) {
    let invitation = Invitation::of(server, serial).await;
    let mut ipad = server.ipad(serial).build().unwrap();
    ipad.identify(&invitation.profile, false).await.unwrap();
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    assert!(ipad.token_update().await.unwrap().is_accepted());
    obey(&mut ipad).await;
    let challenge = pki::Fingerprint::of(invitation.challenge().as_bytes());
    (ipad, invitation.enrolment, challenge.into())
}

/// What the tablet is told under a certificate; it must stay managed.
async fn idle_as(ipad: &mut Ipad, identity: &Identity) -> u16 {
    let present = ipad.identity().cloned();
    ipad.set_identity(Some(identity.clone()));
    let message = report(ipad.udid(), "Idle", None);
    let status = still_managed(&ipad.report(&message).await.unwrap());
    ipad.set_identity(present);
    status
}

async fn states_of(server: &TestServer, id: EnrolmentId) -> Vec<store::certificates::CertificateState> {
    certificates_of(server, id).await.iter().map(|row| row.state).collect()
}

/// Waits until the calendar has asked a tablet to renew, and woken it.
async fn asked_to_renew(server: &TestServer, ipad: &Ipad, pushes_before: usize) {
    let magic = ipad.enrolment().unwrap().push_magic.clone();
    wait_until("the calendar asked for a renewal", Patience::default(), async || {
        let asked = commands_of(server, ipad.serial(), "InstallProfile").await > 0;
        let pushes = server.push_service().apns().pushes();
        let woken = pushes.iter().skip(pushes_before).any(|push| push.magic == magic);
        Ok((asked && woken).then_some(()))
    })
    .await
    .unwrap();
}

async fn a_tablet_renews_by_its_profile_sixty_days_before_the_end(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, id, challenge) = enrolled(&server, "DMPX00000001").await;
    let former = ipad.identity().unwrap().clone();

    // Sixty-one days before: the calendar looks, forgets old challenges after that, and asks for nothing.
    server.advance(DAY * 304);
    wait_until("the calendar forgot a spent challenge", Patience::default(), async || {
        let store = server.fleet()?.store();
        let kept = store.write_held(move |tx| store::challenges::hold_by_secret(tx, &challenge)).await?;
        Ok(kept.is_none().then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(commands_of(&server, "DMPX00000001", "InstallProfile").await, 0);
    assert!(obey(&mut ipad).await.handled.is_empty());

    let pushes = server.push_service().apns().pushes().len();
    server.advance(DAY * 2);
    asked_to_renew(&server, &ipad, pushes).await;
    let conversation = obey(&mut ipad).await;
    assert_eq!(conversation.request_types(), ["InstallProfile"]);

    let current = ipad.identity().unwrap().clone();
    assert_ne!(current.fingerprint(), former.fingerprint());
    assert_eq!(states_of(&server, id).await, [Superseded, Confirmed]);
    assert_eq!(enrolment_id(&server, "DMPX00000001").await, id, "it is the same enrolment");
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");

    // The old one is refused by every kind of proof, and someone hears of it.
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
    assert_eq!(idle_as(&mut ipad, &former).await, 400);
    ipad.set_proofs(Proofs::signature(SignatureStyle::default()));
    assert_eq!(idle_as(&mut ipad, &former).await, 400);
    ipad.set_proofs(Proofs::default());
    assert_eq!(server.alarm_kinds().await.unwrap(), ["superseded-certificate"]);

    // What it knew and what it is asked goes on, for another year.
    let token_update = ipad.token_update().await.unwrap();
    assert!(token_update.is_accepted());
    server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
    let rows = certificates_of(&server, id).await;
    assert!(rows[1].not_after > rows[0].not_after);
    assert_eq!(commands_of(&server, "DMPX00000001", "InstallProfile").await, 1, "asked once");
}

/// A certificate that the present one asked for, for another key.
async fn renewed(server: &TestServer, present: &Identity, key: u64) -> Result<Identity, Error> {
    let key = server.keys().key(key);
    let subject = named("a tablet");
    let wanted = request(&subject, &key, None);
    let given: Vec<X509> = Asker::of(server, Via::Post).client().ask("17", present, &wanted).await?;
    Ok(Identity::new(given.into_iter().next().unwrap(), key))
}

async fn a_tablet_renews_by_its_own_request_and_both_certificates_count_until_the_new_one_is_used(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, id, _challenge) = enrolled(&server, "DMPX00000001").await;
    let mut theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let before = enrolment(&server, "DMPX00000002").await;
    let first = ipad.identity().unwrap().clone();
    let second = renewed(&server, &first, 1).await.unwrap();
    assert_eq!(states_of(&server, id).await, [Confirmed, Issued]);
    for _again in 0..2 {
        assert_eq!(idle_as(&mut ipad, &first).await, 200, "the present one counts until the new one is used");
    }
    assert_eq!(states_of(&server, id).await, [Confirmed, Issued]);

    // The first use of the new one may be any message, and is the end of the old one.
    ipad.set_identity(Some(second.clone()));
    assert!(ipad.token_update().await.unwrap().is_accepted());
    assert_eq!(states_of(&server, id).await, [Superseded, Confirmed]);
    assert_eq!(idle_as(&mut ipad, &first).await, 400);
    assert_eq!(server.alarm_kinds().await.unwrap(), ["superseded-certificate"]);
    assert_refused(renewed(&server, &first, 2).await, BAD_REQUEST, "a replaced certificate");

    // One asked for before, whose answer came too late, counts no more.
    let lost = renewed(&server, &second, 2).await.unwrap();
    let third = renewed(&server, &second, 3).await.unwrap();
    ipad.set_identity(Some(third));
    assert!(obey(&mut ipad).await.handled.is_empty());
    assert_eq!(idle_as(&mut ipad, &lost).await, 400);
    assert_eq!(idle_as(&mut ipad, &second).await, 400);
    assert_eq!(states_of(&server, id).await, [Superseded, Superseded, Superseded, Confirmed]);
    assert!(obey(&mut ipad).await.handled.is_empty());
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(enrolment(&server, "DMPX00000002").await, before);
    obey(&mut theirs).await;
}

async fn a_renewal_that_was_interrupted_goes_on(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, id, _challenge) = enrolled(&server, "DMPX00000001").await;
    let (mut locked, locked_id, _challenge) = enrolled(&server, "DMPX00000002").await;
    let former = ipad.identity().unwrap().clone();
    let pushes = server.push_service().apns().pushes().len();
    server.advance(DAY * 306);
    asked_to_renew(&server, &ipad, pushes).await;

    // The connection breaks before the tablet has said a word, then after it was given the profile: nobody heard
    // what became of the command, so that it is given again.
    ipad.set_faults(tablets::Faults { drop_while_sending: 1.0, ..tablets::Faults::default() });
    assert!(ipad.poll().await.is_err());
    ipad.set_faults(tablets::Faults::default());
    assert_eq!(states_of(&server, id).await, [Confirmed], "it had not even asked");
    let message = report(ipad.udid(), "Idle", None);
    let taken = ipad.report(&message).await.unwrap();
    let profile = EnrolmentProfile::open(&payload_of(taken.body().unwrap())).unwrap();
    let challenge = profile.scep.challenge.as_deref();
    // Nor did its certificate arrive, which it is given again as often as it asks with the same key.
    let (mut asker, key) = (Asker::of(&server, Via::Post), server.keys().key(1));
    let lost = asker.enrol(&key, challenge).await.unwrap();
    let given_again = asker.enrol(&key, challenge).await.unwrap();
    assert_eq!(given_again.fingerprint(), lost.fingerprint());
    assert_refused(asker.enrol(&server.keys().key(2), challenge).await, BAD_REQUEST, "another key");
    assert_eq!(states_of(&server, id).await, [Confirmed, Issued]);

    let conversation = obey(&mut ipad).await;
    assert_eq!(conversation.request_types(), ["InstallProfile"]);
    assert_eq!(states_of(&server, id).await, [Superseded, Superseded, Confirmed]);
    assert_eq!(idle_as(&mut ipad, &former).await, 400);
    assert_eq!(idle_as(&mut ipad, &lost).await, 400);
    assert_refused(asker.enrol(&key, challenge).await, BAD_REQUEST, "its certificate was overtaken");

    // A locked tablet renews when it is unlocked.
    asked_to_renew(&server, &locked, pushes).await;
    locked.set_locked(true);
    assert_eq!(locked.poll().await.unwrap().count(Status::NotNow), 1);
    assert_eq!(states_of(&server, locked_id).await, [Confirmed]);
    locked.set_locked(false);
    obey(&mut locked).await;
    assert_eq!(states_of(&server, locked_id).await, [Superseded, Confirmed]);
}

/// The payload of the command in an answer.
fn payload_of(answer: &[u8]) -> Vec<u8> {
    let command = plist::Value::from_reader_xml(answer).unwrap();
    let payload = command.as_dictionary().and_then(|all| all.get("Command")?.as_dictionary()?.get("Payload"));
    payload.and_then(plist::Value::as_data).unwrap().to_vec()
}

async fn a_tablet_that_slept_past_the_end_is_served_and_renews(engine: Engine) {
    let server = TestServer::setup(engine).identity_lifetime(DAY * 90).start().await.unwrap();
    let serials = ["DMPX00000001", "DMPX00000002", "DMPX00000003"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
    let (mut by_profile, _id, _challenge) = enrolled(&server, serials[0]).await;
    let (mut by_request, _id, _challenge) = enrolled(&server, serials[1]).await;
    let (mut too_late, late_id, _challenge) = enrolled(&server, serials[2]).await;

    // Ten days after the end, out of the cupboard: the certificate proves its tablet, and renews itself.
    let pushes = server.push_service().apns().pushes().len();
    server.advance(DAY * 100);
    asked_to_renew(&server, &by_profile, pushes).await;
    let expired = by_profile.identity().unwrap().clone();
    let row = certificates_of(&server, enrolment_id(&server, serials[0]).await).await.remove(0);
    assert_eq!(row.sha256, fingerprint(expired.certificate()));
    assert_eq!(obey(&mut by_profile).await.request_types(), ["InstallProfile"]);
    assert_eq!(idle_as(&mut by_profile, &expired).await, 400);

    let expired = by_request.identity().unwrap().clone();
    let fresh = renewed(&server, &expired, 1).await.unwrap();
    assert_eq!(idle_as(&mut by_request, &expired).await, 200);
    by_request.set_identity(Some(fresh));
    obey(&mut by_request).await;
    assert_eq!(idle_as(&mut by_request, &expired).await, 400);

    // More than half a year after: it no longer renews itself, and the profile that waits for it still does it.
    let asked = commands_of(&server, serials[2], "InstallProfile").await;
    server.advance(DAY * 171);
    wait_until("the calendar asked once more", Patience::default(), async || {
        Ok((commands_of(&server, serials[2], "InstallProfile").await > asked).then_some(()))
    })
    .await
    .unwrap();
    let expired = too_late.identity().unwrap().clone();
    assert_refused(renewed(&server, &expired, 1).await, BAD_REQUEST, "long expired");
    assert_eq!(states_of(&server, late_id).await, [Confirmed]);
    assert_eq!(obey(&mut too_late).await.request_types(), ["InstallProfile"]);
    assert_eq!(states_of(&server, late_id).await, [Superseded, Confirmed]);
    for (ipad, serial) in [&mut by_profile, &mut by_request, &mut too_late].into_iter().zip(serials) {
        obey(ipad).await;
        assert!(ipad.is_enrolled());
        assert_eq!(standing(&server, serial).await, "enrolled");
    }
}
