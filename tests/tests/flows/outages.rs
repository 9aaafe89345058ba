//! Our own troubles: a database that fails in every way, a proxy that lost its mind. Whatever happens to us, no tablet is told that it is unknown, and all goes on by itself when the trouble is over.

use std::collections::BTreeMap;

use plist::Dictionary;
use serde_json::Value;
use store::Engine;
use tablets::{EnrolmentProfile, Error, Ipad, Proofs};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use tokio::task::JoinSet;
use types::Duration;

use crate::by_hand::ByHand;
use crate::support::{
    COLLEGE, check_ins, enrolment, obey, on_both_engines, report, standing, state_of, still_managed,
};
use crate::troubles::troubles;

on_both_engines! {
    t_a7_no_trouble_of_the_database_unenrols_a_tablet_and_each_passes_by_itself,
    t_a7_a_database_that_someone_holds_makes_tablets_wait_and_loses_nothing,
    t_a7_a_proxy_that_drops_the_certificates_of_a_thousand_requests_unenrols_none,
}

/// Tablets at every stage of their life.
struct Crowd {
    /// Managed, with a command that waits for it.
    talker: Ipad,
    /// Managed, and about to report on a command it was given.
    reporter: Ipad,
    report: Dictionary,
    /// It has its certificate, and is about to say Authenticate.
    newcomer: Ipad,
    /// It has its profile, and is about to ask for its certificate.
    applicant: Ipad,
    profile: EnrolmentProfile,
    /// It has its link.
    visitor: Ipad,
    link: String,
}

impl Crowd {
    async fn new(server: &TestServer) -> Self {
        let mut talker = server.enrolled_ipad("DMPX00000001").await.unwrap();
        let mut reporter = server.enrolled_ipad("DMPX00000002").await.unwrap();
        obey(&mut talker).await;
        obey(&mut reporter).await;
        let serials = ["DMPX00000003", "DMPX00000004", "DMPX00000005"];
        server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
        let link = server.link_for_batch(COLLEGE, 1_000).await.unwrap();
        let mut newcomer = server.ipad(serials[0]).build().unwrap();
        let profile = newcomer.fetch_profile(&link).await.unwrap();
        newcomer.identify(&profile, false).await.unwrap();
        let mut applicant = server.ipad(serials[1]).build().unwrap();
        let profile = applicant.fetch_profile(&link).await.unwrap();
        let visitor = server.ipad(serials[2]).build().unwrap();
        let report = report(reporter.udid(), "Idle", None);
        Self { talker, reporter, report, newcomer, applicant, profile, visitor, link }
    }

    /// Gives everybody something to lose: a command to fetch, one to report on, a challenge to use.
    async fn prepare(&mut self, server: &TestServer) -> String {
        server.command("DMPX00000001", "ProfileList", Value::Null).await.unwrap();
        let command = server.command("DMPX00000002", "RestartDevice", Value::Null).await.unwrap();
        let idle = report(self.reporter.udid(), "Idle", None);
        let given = self.reporter.report(&idle).await.unwrap();
        assert!(given.body().is_some_and(|body| String::from_utf8_lossy(body).contains(&command)));
        self.report = report(self.reporter.udid(), "Acknowledged", Some(&command));
        self.profile = self.applicant.fetch_profile(&self.link).await.unwrap();
        command
    }

    /// Lets everybody say everything at once, and gives what they were answered.
    async fn speak(&mut self, server: &TestServer) -> BTreeMap<String, u16> {
        let mut voices = JoinSet::new();
        for (name, message) in check_ins(&self.talker) {
            // The last word of a tablet is tried where it cannot be taken, see below.
            if name != "CheckOut" && name != "Authenticate" {
                let mut twin = twin(server, &self.talker);
                voices.spawn(async move {
                    (name.to_owned(), still_managed(&twin.check_in(&message).await.unwrap()))
                });
            }
        }
        let idle = report(self.talker.udid(), "Idle", None);
        let talker = async {
            let status = still_managed(&self.talker.report(&idle).await.unwrap());
            let mut heard: BTreeMap<_, _> = voices.join_all().await.into_iter().collect();
            heard.insert("connect".to_owned(), status);
            heard
        };
        let reporter = async { still_managed(&self.reporter.report(&self.report).await.unwrap()) };
        let newcomer = async { still_managed(&self.newcomer.authenticate().await.unwrap()) };
        let applicant = async { status_of(self.applicant.identify(&self.profile, false).await) };
        let visitor = async { status_of(self.visitor.fetch_profile(&self.link).await) };
        let (mut heard, reported, authenticated, identified, visited) =
            tokio::join!(talker, reporter, newcomer, applicant, visitor);
        heard.extend([
            ("a report".to_owned(), reported),
            ("Authenticate".to_owned(), authenticated),
            ("PKIOperation".to_owned(), identified),
            ("the link".to_owned(), visited),
        ]);
        heard
    }

    fn are_managed(&self) {
        assert!(
            self.talker.is_enrolled() && self.reporter.is_enrolled() && self.newcomer.enrolment().is_some()
        );
    }
}

/// The same tablet on another connection: a real one has but one, and waits its turn on it.
fn twin(server: &TestServer, ipad: &Ipad) -> Ipad {
    let mut twin = server.ipad(ipad.serial()).build().unwrap();
    *twin.state_mut() = ipad.state().clone();
    twin.set_identity(ipad.identity().cloned());
    twin
}

fn status_of<T>(outcome: Result<T, Error>) -> u16 {
    match outcome {
        Ok(_) => 200,
        Err(Error::Refused { status, .. }) => status,
        Err(other) => panic!("{other}"),
    }
}

async fn t_a7_no_trouble_of_the_database_unenrols_a_tablet_and_each_passes_by_itself(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut crowd = Crowd::new(&server).await;
    crowd.prepare(&server).await;
    let healthy = crowd.speak(&server).await;
    for (name, status) in
        [("connect", 200), ("TokenUpdate", 200), ("UserAuthenticate", 410), ("PKIOperation", 200)]
    {
        assert_eq!(healthy.get(name), Some(&status), "{name}");
    }
    for trouble in troubles(&server) {
        let command = crowd.prepare(&server).await;
        let before = enrolment(&server, "DMPX00000001").await;
        (trouble.begin)(&by_hand);
        let heard = crowd.speak(&server).await;
        for (name, status) in &heard {
            let ours = (500..600).contains(status);
            assert!(
                ours || healthy.get(name) == Some(status),
                "{}: {name} was answered {status}",
                trouble.name
            );
            // A door that reads nothing of the database may go on.
            assert!(ours || !trouble.total, "{}: {name} was answered {status}", trouble.name);
        }
        if trouble.total {
            let check_out =
                check_ins(&crowd.talker).into_iter().find(|(name, _)| *name == "CheckOut").unwrap().1;
            let told = still_managed(&crowd.talker.check_in(&check_out).await.unwrap());
            assert_eq!(told, 503, "{}: nothing is promised that is not kept", trouble.name);
            let api = server.api().unwrap();
            assert_eq!(
                api.get("/api/v1/status").await.unwrap().status,
                503,
                "a person is not logged out either"
            );
            assert_eq!(
                api.get("/readyz").await.unwrap().status,
                if trouble.name.contains("rights") { 204 } else { 503 }
            );
            assert_eq!(api.get("/healthz").await.unwrap().status, 204);
        }
        crowd.are_managed();
        (trouble.end)(&by_hand);

        // Nothing is restarted, and nobody is asked to do anything.
        let idle = report(crowd.talker.udid(), "Idle", None);
        let talker = tokio::sync::Mutex::new(&mut crowd.talker);
        wait_until("tablets are served again", Patience::default(), || async {
            Ok(talker.lock().await.report(&idle).await?.is_accepted().then_some(()))
        })
        .await
        .unwrap();
        if heard.get("PKIOperation") == Some(&200) {
            crowd.profile = crowd.applicant.fetch_profile(&crowd.link).await.unwrap();
        }
        // Where it was not granted, the challenge is as good as before.
        assert_eq!(crowd.speak(&server).await, healthy, "after: {}", trouble.name);
        assert_eq!(state_of(&server, &command).await, "acknowledged", "after: {}", trouble.name);
        let after = enrolment(&server, "DMPX00000001").await;
        assert_eq!(after["id"], before["id"], "after: {}", trouble.name);
        obey(&mut crowd.talker).await;
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "no tablet did anything wrong");
}

async fn t_a7_a_database_that_someone_holds_makes_tablets_wait_and_loses_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut crowd = Crowd::new(&server).await;
    let command = crowd.prepare(&server).await;
    let held = by_hand.hold(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgresql => "BEGIN; LOCK TABLE commands, enrolments, links IN ACCESS EXCLUSIVE MODE",
    });
    let release = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(held);
    };
    let (heard, ()) = tokio::join!(crowd.speak(&server), release);
    assert!(
        heard.iter().all(|(name, status)| *status == 200 || name.ends_with("Token") || *status == 410),
        "{heard:?}"
    );
    assert_eq!(state_of(&server, &command).await, "acknowledged");

    if engine == Engine::Sqlite {
        // Held longer than anybody waits: they are told to come back, in time, and do.
        let command = crowd.prepare(&server).await;
        let held = by_hand.hold("BEGIN IMMEDIATE");
        let idle = report(crowd.talker.udid(), "Idle", None);
        let (told, reported) = tokio::join!(crowd.talker.report(&idle), crowd.reporter.report(&crowd.report));
        assert_eq!((still_managed(&told.unwrap()), still_managed(&reported.unwrap())), (503, 503));
        drop(held);
        obey(&mut crowd.talker).await;
        assert!(crowd.reporter.report(&crowd.report).await.unwrap().is_accepted());
        assert_eq!(state_of(&server, &command).await, "acknowledged");
    }
}

async fn t_a7_a_proxy_that_drops_the_certificates_of_a_thousand_requests_unenrols_none(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipads = Vec::new();
    for number in 1..=10 {
        let mut ipad = server.enrolled_ipad(&format!("DMPX{number:08}")).await.unwrap();
        obey(&mut ipad).await;
        ipads.push(ipad);
    }
    let waiting = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    let before = enrolment(&server, "DMPX00000001").await;
    let mut told = 0;
    for ipad in &mut ipads {
        ipad.set_proofs(Proofs::none());
        for _round in 0..10 {
            let idle = report(ipad.udid(), "Idle", None);
            told += usize::from(still_managed(&ipad.report(&idle).await.unwrap()) == 400);
            for (name, message) in check_ins(ipad) {
                assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 400, "{name}");
                told += 1;
            }
        }
    }
    assert!(told >= 1_000, "only {told} requests");
    assert_eq!(enrolment(&server, "DMPX00000001").await, before);
    assert_eq!(state_of(&server, &waiting).await, "queued");
    // The proxy is mended.
    for ipad in &mut ipads {
        assert!(ipad.is_enrolled());
        ipad.set_proofs(Proofs::default());
        obey(ipad).await;
    }
    assert_eq!(state_of(&server, &waiting).await, "acknowledged");
}
