//! Enrolments that are interrupted, at every step and in every way: the tablet goes on, or starts again from its
//! link; it ends enrolled once, and nothing of the attempt is left.

use plist::Dictionary;
use serde_json::Value;
use store::Engine;
use tablets::{
    EnrolmentProfile, Error, Faults, HangUp, Identity, Ipad, Request, ScepClient, ScepStyle, State,
};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::by_hand::ByHand;
use crate::support::{COLLEGE, enrolment, obey, on_both_engines, standing, still_managed};

on_both_engines! {
    an_enrolment_whose_answer_is_lost_goes_on_or_starts_again,
    an_enrolment_whose_connection_is_cut_goes_on_or_starts_again,
    an_enrolment_that_a_crash_interrupts_goes_on_or_starts_again,
    a_link_counts_the_profiles_it_gave_out_and_no_tablet_twice,
}

/// The steps of an enrolment, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// The link gives a profile.
    Link,
    /// SCEP: the authority's certificate.
    Authority,
    /// SCEP: the tablet's own.
    Certificate,
    Authenticate,
    TokenUpdate,
}

const STEPS: [Step; 5] =
    [Step::Link, Step::Authority, Step::Certificate, Step::Authenticate, Step::TokenUpdate];

/// How a step is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server did its part, and the tablet never heard of it.
    AnswerLost,
    /// The connection broke in the middle of the request.
    WhileSending,
    /// The connection broke after the request: what the server made of it, nobody knows.
    BeforeReading,
}

/// What the tablet does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoesOn,
    StartsAgain,
}

async fn an_enrolment_whose_answer_is_lost_goes_on_or_starts_again(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    interrupt(&mut server, &[Cut::AnswerLost], false).await;
}

async fn an_enrolment_whose_connection_is_cut_goes_on_or_starts_again(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    interrupt(&mut server, &[Cut::WhileSending, Cut::BeforeReading], false).await;
}

async fn an_enrolment_that_a_crash_interrupts_goes_on_or_starts_again(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    interrupt(&mut server, &[Cut::AnswerLost, Cut::BeforeReading], true).await;
}

/// Interrupts the enrolment of one tablet after the other, each in another way.
async fn interrupt(server: &mut TestServer, cuts: &[Cut], crash: bool) {
    let mut number = 0;
    for step in STEPS {
        for cut in cuts {
            for then in [Then::GoesOn, Then::StartsAgain] {
                number += 1;
                let case = format!("{step:?}, {cut:?}, {then:?}, crash: {crash}");
                let serial = format!("DMPX{number:08}");
                let mut enrolling = Enrolling::new(server, &serial).await;
                for before in STEPS.into_iter().filter(|before| *before < step) {
                    enrolling.go(before).await.unwrap_or_else(|error| panic!("{case}: {error}"));
                }
                enrolling.cut(step, *cut).await;
                if crash {
                    server.crash().await;
                    server.start_again().await.unwrap();
                }
                enrolling.finish(step, *cut, then, &case).await;
                enrolling.ended_well(server, &case).await;
            }
        }
    }
    let tablets = server.api().unwrap().get("/api/v1/status").await.unwrap().ok().unwrap();
    assert_eq!((&tablets["tablets"], &tablets["enrolled"]), (&number.into(), &number.into()));
    assert_eq!(tablets["enrolling"], 0);
}

/// A tablet that enrols by a link of its own.
struct Enrolling {
    ipad: Ipad,
    link: String,
    link_id: String,
    profile: Option<EnrolmentProfile>,
    /// How many profiles the tablet asked for and may have been given.
    asked: u64,
}

impl Enrolling {
    async fn new(server: &TestServer, serial: &str) -> Self {
        server.import_inventory(&inventory_csv([serial], COLLEGE)).await.unwrap();
        let wanted = serde_json::json!({ "tablet": serial });
        let made = server.api().unwrap().post("/api/v1/links", &wanted).await.unwrap().ok().unwrap();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        let ipad = server.ipad(serial).build().unwrap();
        Self { ipad, link: text("url"), link_id: text("id"), profile: None, asked: 0 }
    }

    fn scep_url(&self) -> Url {
        self.profile.as_ref().unwrap().scep.url.clone()
    }

    /// Does one step.
    async fn go(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Link => {
                self.asked += 1;
                self.profile = Some(self.ipad.fetch_profile(&self.link).await?);
                Ok(())
            }
            Step::Authority => {
                let (url, clock) = (self.scep_url(), self.ipad.clock().clone());
                let mut scep = ScepClient::new(self.ipad.http(), url, ScepStyle::default(), clock);
                scep.authority_certificates(None).await.map(drop)
            }
            Step::Certificate => {
                let profile = self.profile.as_ref().unwrap();
                self.ipad.identify(profile, false).await
            }
            Step::Authenticate => accepted(self.ipad.authenticate().await?),
            Step::TokenUpdate => accepted(self.ipad.token_update().await?),
        }
    }

    /// Does one step so that the tablet never hears what came of it.
    async fn cut(&mut self, step: Step, cut: Cut) {
        if cut == Cut::AnswerLost {
            let memory = Memory::of(&self.ipad);
            let profile = self.profile.take();
            self.profile.clone_from(&profile);
            self.go(step).await.unwrap();
            memory.comes_back(&mut self.ipad);
            self.profile = profile;
            return;
        }
        let moment = if cut == Cut::WhileSending { HangUp::WhileSending } else { HangUp::BeforeReading };
        let hung_up = match step {
            Step::Link => {
                self.asked += 1;
                let request = Request::new("GET".parse().unwrap(), self.link.parse().unwrap(), Vec::new());
                self.ipad.http().send_and_hang_up(&request, None, moment).await.map(drop)
            }
            Step::Authority => {
                let mut url = self.scep_url();
                url.set_query(Some("operation=GetCACert"));
                let request = Request::new("GET".parse().unwrap(), url, Vec::new());
                self.ipad.http().send_and_hang_up(&request, None, moment).await.map(drop)
            }
            Step::Certificate => {
                let profile = through_a_line_that_breaks(self.profile.clone().unwrap(), moment).await;
                let memory = Memory::of(&self.ipad);
                let cut = self.ipad.identify(&profile, false).await;
                memory.comes_back(&mut self.ipad);
                cut
            }
            Step::Authenticate | Step::TokenUpdate => {
                let faults = match moment {
                    HangUp::WhileSending => Faults { drop_while_sending: 1.0, ..Faults::default() },
                    HangUp::BeforeReading => Faults { drop_before_reading: 1.0, ..Faults::default() },
                };
                self.ipad.set_faults(faults);
                let message: Dictionary = match step {
                    Step::Authenticate => self.ipad.authenticate_message().unwrap(),
                    _ => self.ipad.token_update_message().unwrap(),
                };
                let hung_up = self.ipad.check_in(&message).await.map(drop);
                self.ipad.set_faults(Faults::default());
                hung_up
            }
        };
        assert!(hung_up.is_err(), "{step:?} went through");
    }

    /// Goes on where the tablet stopped, or starts again; one that cannot go on starts again too.
    async fn finish(&mut self, step: Step, cut: Cut, then: Then, case: &str) {
        if then == Then::GoesOn {
            let mut stopped = None;
            for next in STEPS.into_iter().filter(|next| *next >= step) {
                if let Err(error) = self.go(next).await {
                    stopped = Some((next, error));
                    break;
                }
            }
            match stopped {
                None => return,
                // A challenge that was used may be refused; one whose request never arrived was not.
                Some((Step::Certificate, Error::ScepRefused { .. })) if cut != Cut::WhileSending => {}
                Some((next, error)) => panic!("{case}: {next:?}: {error}"),
            }
        }
        for next in STEPS {
            self.go(next).await.unwrap_or_else(|error| panic!("{case}, again: {next:?}: {error}"));
        }
    }

    /// It is enrolled once, as if nothing had happened.
    async fn ended_well(&mut self, server: &TestServer, case: &str) {
        let (serial, by_hand) = (self.ipad.serial().to_owned(), ByHand::of(server));
        assert!(self.ipad.is_enrolled(), "{case}");
        assert_eq!(standing(server, &serial).await, "enrolled", "{case}");
        let shown = enrolment(server, &serial).await;
        assert_eq!(shown["udid"], self.ipad.udid(), "{case}");

        let id = shown["id"].as_str().unwrap();
        let of_the_tablet = format!("enrolments WHERE link_id = '{}'", self.link_id);
        let live = format!("{of_the_tablet} AND state IN ('authenticated', 'active')");
        assert_eq!(by_hand.texts("id", &live), [id], "{case}: one enrolment in force");
        let half = format!("{of_the_tablet} AND state = 'authenticated'");
        assert_eq!(by_hand.count(&half), 0, "{case}: no half state");
        let confirmed = format!("certificates WHERE enrolment_id = '{id}' AND state = 'confirmed'");
        assert_eq!(
            by_hand.texts("sha256", &confirmed),
            [self.ipad.identity().unwrap().fingerprint()],
            "{case}: one certificate"
        );
        // A profile that was given out is counted, and nothing else is.
        let uses = uses(server, &self.link_id).await;
        assert_eq!(Ok(uses), u64::try_from(by_hand.count(&of_the_tablet)), "{case}");
        assert!(uses <= self.asked, "{case}: {uses} uses, {} asked", self.asked);

        // The first questions are asked once, and answered.
        let first = obey(&mut self.ipad).await;
        let mut kinds: Vec<String> = first.request_types().into_iter().map(str::to_owned).collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!((kinds.len(), first.handled.len()), (3, 3), "{case}: {:?}", first.request_types());
        let commands =
            server.api().unwrap().get(&format!("/api/v1/tablets/{serial}/commands")).await.unwrap();
        let commands = commands.ok().unwrap();
        let open = |command: &&Value| command["pending"] == true;
        assert_eq!(commands["items"].as_array().unwrap().iter().filter(open).count(), 0, "{case}");
    }
}

/// How many profiles a link gave out, as operators see it.
async fn uses(server: &TestServer, link: &str) -> u64 {
    let links = server.api().unwrap().get("/api/v1/links?limit=500").await.unwrap().ok().unwrap();
    let link = links["items"].as_array().unwrap().iter().find(|one| one["id"] == link).unwrap();
    link["uses"].as_u64().unwrap()
}

/// The same profile, its SCEP behind a line that breaks with the first long message: the PKIOperation.
async fn through_a_line_that_breaks(mut profile: EnrolmentProfile, moment: HangUp) -> EnrolmentProfile {
    /// Longer than what a handshake or a short request of a tablet sends at once, in bytes.
    const LONG: usize = 1_500;
    let line = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("127.0.0.1:{}", profile.scep.url.port().unwrap());
    profile.scep.url.set_port(Some(line.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        let (mut tablet, _address) = line.accept().await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                read = tablet.read(&mut up) => {
                    let said = up.get(..read.unwrap_or(0)).unwrap();
                    if said.len() > LONG {
                        let carried = if moment == HangUp::WhileSending { said.len() / 2 } else { said.len() };
                        server.write_all(&said[..carried]).await.unwrap();
                        if moment == HangUp::BeforeReading {
                            // The server has begun to answer: it heard everything.
                            let _answer = server.read(&mut down).await;
                        }
                        return;
                    }
                    if said.is_empty() || server.write_all(said).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let answered = down.get(..read.unwrap_or(0)).unwrap();
                    if answered.is_empty() || tablet.write_all(answered).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    profile
}

fn accepted(outcome: tablets::Outcome) -> Result<(), Error> {
    match still_managed(&outcome) {
        200 => Ok(()),
        status => Err(Error::Refused { step: "check-in", status, body: String::new() }),
    }
}

/// What a tablet knew at one moment.
struct Memory {
    state: State,
    identity: Option<Identity>,
}

impl Memory {
    fn of(ipad: &Ipad) -> Self {
        Self { state: ipad.state().clone(), identity: ipad.identity().cloned() }
    }

    fn comes_back(self, ipad: &mut Ipad) {
        // Which key comes next is counted on: a tablet makes a new one each time it asks.
        let identities = ipad.state().identities;
        *ipad.state_mut() = self.state;
        ipad.state_mut().identities = identities;
        ipad.set_identity(self.identity);
    }
}

async fn a_link_counts_the_profiles_it_gave_out_and_no_tablet_twice(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    let wanted = serde_json::json!({ "uai": COLLEGE, "max_uses": 3 });
    let made = server.api().unwrap().post("/api/v1/links", &wanted).await.unwrap().ok().unwrap();
    let (link, id) = (made["url"].as_str().unwrap(), made["id"].as_str().unwrap());
    let mut first = server.ipad("DMPX00000001").build().unwrap();
    let mut second = server.ipad("DMPX00000002").build().unwrap();

    // Its download broke after the server had given it out: that one counts, and leaves no tablet behind.
    let request = Request::new("GET".parse().unwrap(), link.parse().unwrap(), Vec::new());
    assert!(first.http().send_and_hang_up(&request, None, HangUp::BeforeReading).await.is_err());
    wait_until("the broken download is counted", Patience::default(), || async {
        Ok((uses(&server, id).await == 1).then_some(()))
    })
    .await
    .unwrap();
    server.crash().await;
    server.start_again().await.unwrap();
    first.enrol_by_link(link).await.unwrap();
    second.enrol_by_link(link).await.unwrap();
    assert_eq!(uses(&server, id).await, 3);
    let used_up = second.fetch_profile(link).await.unwrap_err();
    assert!(matches!(used_up, Error::Refused { status: 410, .. }), "{used_up}");
    let status = server.api().unwrap().get("/api/v1/status").await.unwrap().ok().unwrap();
    assert_eq!(
        (&status["tablets"], &status["enrolled"], &status["enrolling"]),
        (&2.into(), &2.into(), &0.into())
    );
}
