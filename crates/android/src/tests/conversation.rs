//! A simulated agent, which knows nothing of this room, is answered by it: from the code to the erasure.

use std::time::Duration;

use tablets::{Agent, AgentHardware, AgentReply, AgentRequest, Did, Lane, Next};
use types::{CommandId, EnrolmentId, Instant, Secret};

use crate::agent::answer::Answer;
use crate::agent::call::{Call, Method, Request};
use crate::agent::configuration::{Code, Configuration, LockMessage, MoveTo, Own, Told};
use crate::agent::key::{AgentKey, KEY_BYTES, KeyKind};
use crate::agent::provisioning::{Checksum, Number, Provisioning};
use crate::agent::push::{self, PushMessage};
use crate::agent::signature::{AgentSecret, OwnSecret, Signed};
use crate::agent::{DeviceInfo, EnrolOptions, Locating, PanelPassword, log};
use crate::command::{self, Command, Confirmation, Kind, Reply, Standing, State};

const NOW: Instant = Instant::from_millis(1_795_500_000_000);
const ORIGIN: &str = "https://mdm.ecole.example";
const SERIAL: &str = "R52T40ABCDE";

/// A server of one tablet, as small as the rules let it be.
struct Server {
    secret: AgentSecret,
    enrolment_key: AgentKey,
    key: AgentKey,
    enrolment: EnrolmentId,
    commands: Vec<Command>,
    standing: Standing,
    code: Code,
    reports: Vec<DeviceInfo>,
    rows: Vec<log::LogRow>,
    signed: Vec<Signed>,
    statuses: Vec<u16>,
    lock: Option<LockMessage>,
}

impl Server {
    fn new(secret: AgentSecret) -> Self {
        Self {
            secret,
            enrolment_key: AgentKey::new(KeyKind::Enrolment, &[1; KEY_BYTES]),
            key: AgentKey::new(KeyKind::Tablet, &[2; KEY_BYTES]),
            enrolment: EnrolmentId::new(NOW),
            commands: Vec::new(),
            standing: Standing::Stands,
            code: Code::cleared(),
            reports: Vec::new(),
            rows: Vec::new(),
            signed: Vec::new(),
            statuses: Vec::new(),
            lock: None,
        }
    }

    fn queue(&mut self, kind: Kind) -> CommandId {
        let id = CommandId::new(NOW);
        let not_after = NOW.plus(Duration::from_secs(86_400));
        let command =
            Command { id, enrolment: self.enrolment, kind, queued_at: NOW, not_after, state: State::Queued };
        self.commands.push(command);
        id
    }

    fn state(&self, id: CommandId) -> State {
        self.commands.iter().find(|command| command.id == id).unwrap().state
    }

    fn answer(&mut self, request: &AgentRequest, now: Instant) -> AgentReply {
        let answer = self.decide(request, now);
        self.statuses.push(answer.status);
        AgentReply::Http { status: answer.status, signature: answer.signature, body: answer.body }
    }

    fn decide(&mut self, request: &AgentRequest, now: Instant) -> Answer {
        let method = if request.method == "GET" { Method::Get } else { Method::Post };
        let path = request.url.strip_prefix(ORIGIN).unwrap();
        let Some(Request { key, call }) = Request::read(method, path) else { return Answer::not_found() };
        let keys = [&self.enrolment_key, &self.key];
        let Some(known) = keys.into_iter().find(|known| known.digest() == key.digest()) else {
            return Answer::not_found();
        };
        let moves = known.kind() == KeyKind::Enrolment;
        let body = request.body.as_deref().unwrap_or_default();
        let shown = request.headers.iter().find(|(name, _)| *name == "X-Request-Signature");
        let shown = shown.map(|(_, value)| value.as_str());
        match &call {
            Call::Enrol(number) | Call::Configuration(number) => {
                let right = [self.secret.of_configuration(number.raw())];
                self.signed.push(self.secret.judge(shown, &right));
                if matches!(call, Call::Enrol(_)) {
                    EnrolOptions::parse(body).unwrap();
                }
                self.configuration(moves, now)
            }
            Call::Poll(number) => {
                let right = self.secret.of_poll(key.segment().expose(), number.raw());
                self.signed.push(self.secret.judge(shown, &right));
                push::answer(&[PushMessage::ConfigUpdated], &self.secret).unwrap()
            }
            Call::LogRules(_) => log::rules(Some(log::Level::Info), &self.secret).unwrap(),
            Call::Log(_) => {
                self.rows.extend(log::parse(body).unwrap());
                Answer::taken()
            }
            Call::Info => {
                self.reports.push(DeviceInfo::parse(body, Locating::Never).unwrap());
                for command in &mut self.commands {
                    command.state = command.spoke(now);
                }
                Answer::taken()
            }
            Call::Confirm(kind, _) => {
                let info = DeviceInfo::parse(body, Locating::Never).unwrap();
                self.confirm(Confirmation { from: self.enrolment, kind: *kind, can_wipe: info.can_wipe }, now)
            }
            Call::File(_) | Call::Notifications(_) => Answer::taken(),
        }
    }

    fn configuration(&mut self, moves: bool, now: Instant) -> Answer {
        let next = command::next(&self.commands).map(|command| command.id);
        let mut told = None;
        if let Some(command) = self.commands.iter_mut().find(|command| Some(command.id) == next) {
            command.state = command.fetched(self.standing, now);
            let is_told = matches!(command.state, State::Fetched { .. });
            told = is_told.then(|| match command.kind {
                Kind::Wipe => Told::Wipe,
                Kind::Reboot => Told::Reboot,
                Kind::ClearCode => Told::Code(self.code.clone()),
            });
        }
        let own = Own {
            password: PanelPassword::of(&Secret::new("abcdefghijklmnopqrstuvwxyz".to_owned())).unwrap(),
            description: "Tablette 12".to_owned(),
            move_to: moves.then(|| MoveTo::new(ORIGIN, &self.key).unwrap()),
            lock: self.lock.clone(),
            locating: None,
        };
        let layers = serde_json::json!({
            "restrictions": "no_factory_reset,no_add_user", "usbStorage": true, "wifi": true,
            "applications": [{"name": "Lecture", "pkg": "org.exemple.lecture", "version": "2.1", "code": 21,
                "url": format!("{ORIGIN}/{}/files/lecture-21.apk", self.key.segment().expose())}],
            "applicationSettings": [], "files": [], "actions": [],
        });
        let configuration = Configuration::new(&own, layers.as_object().unwrap()).unwrap();
        configuration.telling(told.as_ref()).answer(&self.secret).unwrap()
    }

    fn confirm(&mut self, said: Confirmation, now: Instant) -> Answer {
        let fetched = |command: &&mut Command| {
            command.kind == said.kind && matches!(command.state, State::Fetched { .. })
        };
        let Some(command) = self.commands.iter_mut().find(fetched) else { return Answer::come_back() };
        let settled = command.confirmed(said, self.standing, now);
        command.state = settled.state;
        match settled.reply {
            Reply::Taken => Answer::taken(),
            Reply::ComeBack => Answer::come_back(),
        }
    }
}

fn run(agent: &mut Agent, server: &mut Server, now: Instant) -> Vec<AgentRequest> {
    let mut sent = Vec::new();
    while let Next::Send(request) = agent.next(Lane::Main, now.as_millis()) {
        assert!(sent.len() < 100, "the agent never waits");
        let reply = server.answer(&request, now);
        agent.answered(Lane::Main, &reply, now.as_millis());
        sent.push(*request);
    }
    sent
}

/// Has the tablet fetch its configuration because the long poll said so.
fn push(agent: &mut Agent, server: &mut Server, now: Instant) -> Vec<AgentRequest> {
    let Next::Send(request) = agent.next(Lane::Poll, now.as_millis()) else {
        panic!("the agent does not poll")
    };
    let reply = server.answer(&request, now);
    agent.answered(Lane::Poll, &reply, now.as_millis());
    run(agent, server, now)
}

fn code_text(server: &Server) -> String {
    let provisioning = Provisioning {
        agent_url: format!("{ORIGIN}/agent/hmdm.apk"),
        checksum: Checksum::OfCertificate([7; 32]),
        wifi: None,
        locale: "fr_FR".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        origin: ORIGIN.to_owned(),
        key: server.enrolment_key.clone(),
        number: Number::Serial,
    };
    provisioning.text().unwrap().expose().clone()
}

fn set_up(server: &mut Server, agent: Agent) -> Agent {
    let mut agent = agent;
    agent.scan(&code_text(server), NOW.as_millis()).unwrap();
    run(&mut agent, server, NOW);
    agent
}

fn stock() -> Agent {
    Agent::new(AgentHardware::tablet(SERIAL))
}

fn after(minutes: u64) -> Instant {
    NOW.plus(Duration::from_secs(minutes * 60))
}

#[test]
fn from_its_code_a_tablet_comes_to_its_own_key_and_takes_everything_it_is_given() {
    let mut server = Server::new(AgentSecret::Published);
    let mut agent = set_up(&mut server, stock());
    let project = &agent.state().server.as_ref().unwrap().project;
    assert_eq!(project, server.key.segment().expose());
    let did = agent.take_did();
    assert!(did.iter().all(|did| !matches!(did, Did::Choked(_))), "{did:?}");
    assert!(did.contains(&Did::Installed("org.exemple.lecture".to_owned())) && did.contains(&Did::Completed));
    assert!(agent.state().restrictions.contains("no_factory_reset"));
    assert_eq!(agent.state().panel_password(), "C3FCD3D76192E4007DFB496CCA67E13B");
    let report = server.reports.last().unwrap();
    assert_eq!((report.apps.len(), report.device_owner, &report.position), (1, true, &None));
    assert!(server.signed.iter().all(|signed| *signed == Signed::Unsigned));
    assert!(server.statuses.iter().all(|status| *status == 200));
}

#[test]
fn an_agent_with_a_secret_of_its_own_and_this_room_believe_each_other() {
    let secret = "une phrase que personne ne connaît";
    let own = OwnSecret::new(Secret::new(secret.to_owned())).unwrap();
    let mut server = Server::new(AgentSecret::Own(own));
    let mut agent = set_up(&mut server, stock().built_with(secret));
    push(&mut agent, &mut server, after(1));
    assert!(agent.take_did().iter().all(|did| !matches!(did, Did::Choked(_))));
    assert!(server.signed.len() >= 4 && server.signed.iter().all(|signed| *signed == Signed::Proven));
    // The published agent is not believed there, and does not believe.
    let mut stranger = Server::new(server.secret.clone());
    let _agent = set_up(&mut stranger, stock());
    assert!(stranger.signed.iter().all(|signed| *signed == Signed::Wrong));
}

#[test]
fn m3_t_a19_a_tablet_is_wiped_once_and_neither_a_replay_nor_its_return_wipes_anything() {
    let mut server = Server::new(AgentSecret::Published);
    let mut agent = set_up(&mut server, stock());
    let wipe = server.queue(Kind::Wipe);
    let sent = push(&mut agent, &mut server, after(1));
    assert_eq!(agent.state().erased, 1);
    assert_eq!(server.state(wipe), State::Confirmed { at: after(1) });
    // Whoever recorded the confirmation sends it again.
    let confirmation = sent.iter().find(|request| request.url.contains("devicereset")).unwrap();
    let replayed = server.answer(confirmation, after(2));
    assert!(matches!(replayed, AgentReply::Http { status: 503, .. }));
    // It is set up again.
    let mut agent = set_up(&mut server, agent);
    push(&mut agent, &mut server, after(3));
    assert_eq!(agent.state().erased, 1);
}

#[test]
fn m5_a_wipe_that_does_not_stand_when_it_is_confirmed_wipes_nothing() {
    use crate::command::{Gone, Held};
    for standing in [Standing::Held(Held::Switch), Standing::Gone(Gone::Order)] {
        let mut server = Server::new(AgentSecret::Published);
        let mut agent = set_up(&mut server, stock());
        let wipe = server.queue(Kind::Wipe);
        // It stands when the tablet fetches its configuration, and no longer when it confirms.
        let Next::Send(poll) = agent.next(Lane::Poll, after(1).as_millis()) else { panic!() };
        let reply = server.answer(&poll, after(1));
        agent.answered(Lane::Poll, &reply, after(1).as_millis());
        while let Next::Send(request) = agent.next(Lane::Main, after(1).as_millis()) {
            if request.url.contains("devicereset") {
                server.standing = standing;
            }
            let reply = server.answer(&request, after(1));
            agent.answered(Lane::Main, &reply, after(1).as_millis());
        }
        assert_eq!(agent.state().erased, 0, "{standing:?}");
        assert_eq!(server.state(wipe).is_open(), matches!(standing, Standing::Held(_)), "{standing:?}");
        assert!(agent.take_did().contains(&Did::Completed));
    }
}

#[test]
fn a_tablet_that_never_heard_the_answer_is_not_wiped_and_is_seen_to_go_on() {
    let mut server = Server::new(AgentSecret::Published);
    let mut agent = set_up(&mut server, stock());
    let wipe = server.queue(Kind::Wipe);
    let now = after(1).as_millis();
    let Next::Send(poll) = agent.next(Lane::Poll, now) else { panic!() };
    let reply = server.answer(&poll, after(1));
    agent.answered(Lane::Poll, &reply, now);
    let mut lost = 0;
    while let Next::Send(request) = agent.next(Lane::Main, now) {
        let mut reply = server.answer(&request, after(1));
        // The first answer is lost; the agent asks again at once.
        if request.url.contains("devicereset") && lost == 0 {
            lost += 1;
            reply = AgentReply::Broken;
        }
        agent.answered(Lane::Main, &reply, now);
    }
    assert_eq!((agent.state().erased, server.state(wipe)), (0, State::Confirmed { at: after(1) }));
    run(&mut agent, &mut server, after(20));
    let why = command::Failure::SpokeAgain;
    assert_eq!(server.state(wipe), State::Failed { at: after(20), why });
}

#[test]
fn a_code_is_set_before_a_restart_and_its_log_says_that_it_was() {
    let mut server = Server::new(AgentSecret::Published);
    let mut agent = set_up(&mut server, stock());
    server.code = Code::new(Secret::new("4829".to_owned())).unwrap();
    let (reboot, code) = (server.queue(Kind::Reboot), server.queue(Kind::ClearCode));
    push(&mut agent, &mut server, after(1));
    assert_eq!(agent.state().passcode.as_deref(), Some("4829"));
    assert_eq!(server.state(code), State::Confirmed { at: after(1) });
    push(&mut agent, &mut server, after(2));
    assert_eq!((agent.state().reboots, server.state(reboot)), (1, State::Confirmed { at: after(2) }));
    let told: Vec<_> = server.rows.iter().filter_map(log::LogRow::code_reset).collect();
    assert_eq!(told, [log::CodeReset::Done]);
}

#[test]
fn t_c7_a_stolen_enrolment_key_or_a_guessed_one_gives_nothing_that_is_anothers() {
    let mut server = Server::new(AgentSecret::Published);
    let _agent = set_up(&mut server, stock());
    let guess = AgentKey::new(KeyKind::Tablet, &[9; KEY_BYTES]);
    let path = |key: &AgentKey, rest: &str| format!("{ORIGIN}/{}/{rest}", key.segment().expose());
    let ask = |url: String| AgentRequest { method: "GET", url, headers: Vec::new(), body: None, timeout: 0 };
    let unknown = [
        server.answer(&ask(path(&guess, &format!("rest/public/sync/configuration/{SERIAL}"))), after(1)),
        server.answer(&ask(path(&guess, "rest/nothing")), after(1)),
        server.answer(&ask(format!("{ORIGIN}/rest/public/sync/configuration/{SERIAL}")), after(1)),
    ];
    let [first, others @ ..] = &unknown;
    assert!(others.iter().all(|other| other == first), "{unknown:?}");
    assert!(matches!(first, AgentReply::Http { status: 404, .. }));
}

#[test]
fn a_tablet_that_is_called_in_shows_its_message() {
    let mut server = Server::new(AgentSecret::Published);
    let mut agent = set_up(&mut server, stock());
    server.lock = Some(LockMessage::new("Rapportez-moi au collège").unwrap());
    push(&mut agent, &mut server, after(1));
    assert_eq!(agent.state().told("lockMessage"), Some("Rapportez-moi au collège"));
    assert_eq!(agent.state().told("requestUpdates"), None);
}
