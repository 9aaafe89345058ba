//! Who is claimed to be woken.

use store::Store;
use store::enrolments::EnrolmentSecrets;
use types::{Duration, EnrolmentId, Secret};

use super::fixture::{OTHER, People, SERIAL, engines, named, now};
use crate::commands::{self, NewCommand};
use crate::push;

const TOPIC: &str = "com.apple.mgmt.External.test";
const LEASE: Duration = Duration::from_secs(120);

async fn tokens(store: &Store, enrolment: EnrolmentId) {
    let secret = |text: &str| Some(Secret::new(text.as_bytes().to_vec()));
    let secrets = EnrolmentSecrets {
        push_token: secret("token"),
        push_magic: secret("magic"),
        ..EnrolmentSecrets::default()
    };
    store.write(move |tx| store::enrolments::set_secrets(tx, enrolment, &secrets)).await.unwrap();
}

async fn queue(people: &People, serial: &str) -> types::CommandId {
    let new = NewCommand {
        request_type: "ProfileList".into(),
        content: None,
        priority: 0,
        not_before: None,
        expires_at: None,
        idempotency_key: None,
    };
    let queued = commands::enqueue(&people.fleet, &people.operator, named(serial), new, now()).await;
    queued.unwrap().command.id
}

/// The push certificate in use.
async fn certificate(people: &People) -> types::PushCertificateId {
    push::identity(&people.fleet, now()).await.unwrap().expect("one is installed").id
}

async fn claimed(people: &People) -> Vec<EnrolmentId> {
    if push::identity(&people.fleet, now()).await.unwrap().is_none() {
        super::keys::install_push_certificate(people, TOPIC).await;
    }
    claimed_by(people, certificate(people).await).await
}

async fn claimed_by(people: &People, certificate: types::PushCertificateId) -> Vec<EnrolmentId> {
    let claimed =
        push::claim(&people.fleet, certificate, push::Lane::Answering, 10, LEASE, now()).await.unwrap();
    claimed.due.into_iter().map(|due| due.enrolment).collect()
}

#[tokio::test]
async fn a_push_token_that_cannot_be_opened_keeps_no_other_tablet_asleep() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let (broken, good) = (people.enrol(SERIAL).await, people.enrol(OTHER).await);
        tokens(&people.with_another_key().await, broken).await;
        tokens(people.fleet.store(), good).await;
        queue(&people, SERIAL).await;
        queue(&people, OTHER).await;
        assert_eq!(claimed(&people).await, [good]);
    }
}

#[tokio::test]
async fn a_tablet_for_which_nothing_waits_any_more_is_not_woken() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolment = people.enrol(SERIAL).await;
        tokens(people.fleet.store(), enrolment).await;
        let cancelled = queue(&people, SERIAL).await;
        commands::cancel(&people.fleet, &people.operator, cancelled, now()).await.unwrap();
        assert_eq!(claimed(&people).await, []);
        queue(&people, SERIAL).await;
        assert_eq!(claimed(&people).await, [enrolment], "what is queued later wakes it");
    }
}

#[tokio::test]
async fn t_b1_a_node_that_still_has_the_former_push_certificate_claims_nobody() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolment = people.enrol(SERIAL).await;
        tokens(people.fleet.store(), enrolment).await;
        super::keys::install_push_certificate(&people, TOPIC).await;
        let former = certificate(&people).await;
        super::keys::install_push_certificate(&people, TOPIC).await;
        queue(&people, SERIAL).await;
        assert_eq!(claimed_by(&people, former).await, []);
        assert_eq!(claimed(&people).await, [enrolment], "whoever has the new one finds it due");
    }
}
