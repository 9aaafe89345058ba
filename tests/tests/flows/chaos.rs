//! `kill -9`, at moments drawn from a seed, in the middle of a storm of reports: of the real `ardoise serve`, of
//! PostgreSQL, of the wire between them. What anybody was promised must be there afterwards.
//!
//! `make chaos` plays it for as long as one likes, with any seed; the tests play a short one.

mod book;
pub(crate) mod cluster;
pub(crate) mod dice;
mod storm;
pub(crate) mod wire;

use std::fmt;
use std::sync::Arc;

use store::Engine;
use tablets::Ipad;
use testkit::{Database, Patience, ServerProcess, TestServer, wait_until};
use types::Duration;

use crate::by_hand::ByHand;
use crate::support::{obey, on_both_engines, standing};
use book::{Book, Losses};
use cluster::Cluster;
pub(crate) use dice::Dice;
use storm::Storm;
use wire::Wire;

on_both_engines! {
    t_a7_no_kill_loses_an_answer_or_unenrols_a_tablet,
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// `ardoise serve`.
    Server,
    /// PostgreSQL's first process: all the others go with it.
    Postmaster,
    /// One process of PostgreSQL: all of it recovers as after a crash.
    Backend,
    /// Every connection to the database.
    Wire,
    /// The connections stay, and nothing passes for a while.
    Silence,
    /// The machine they share.
    Both,
}

impl Kill {
    fn all(engine: Engine) -> &'static [Self] {
        match engine {
            Engine::Sqlite => &[Self::Server],
            Engine::Postgresql => {
                &[Self::Server, Self::Postmaster, Self::Backend, Self::Wire, Self::Silence, Self::Both]
            }
        }
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "the server",
            Self::Postmaster => "PostgreSQL",
            Self::Backend => "one process of PostgreSQL",
            Self::Wire => "the connections to PostgreSQL",
            Self::Silence => "the wire to PostgreSQL, silently",
            Self::Both => "the server and PostgreSQL",
        })
    }
}

/// What is played. `make chaos` says it in the environment.
#[derive(Debug, Clone, Copy)]
struct Play {
    seed: u64,
    rounds: u64,
    tablets: u64,
}

impl Play {
    /// What was asked for, or the short play that every run of the tests repeats.
    fn asked(engine: Engine) -> Self {
        let said = |name: &str| {
            let text = std::env::var(format!("ARDOISE_CHAOS_{name}")).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("ARDOISE_CHAOS_{name} is no number: {text}")))
        };
        let rounds = u64::try_from(Kill::all(engine).len()).unwrap().max(5);
        Self {
            seed: said("SEED").unwrap_or(20_261_125),
            rounds: said("ROUNDS").unwrap_or(rounds),
            tablets: said("TABLETS").unwrap_or(12),
        }
    }
}

/// The server, its database, and what is between them.
struct Stage {
    process: ServerProcess,
    database: ByHand,
    /// On PostgreSQL.
    postgresql: Option<(Cluster, Wire)>,
    book: Arc<Book>,
}

impl Stage {
    /// Kills, and sets up again what has no one else to do it.
    async fn kill(&mut self, kill: Kill, dice: &mut Dice) {
        let pause = dice.millis(0..300);
        match (kill, &mut self.postgresql) {
            (Kill::Server, _) => self.process.kill(),
            (Kill::Postmaster, Some((cluster, _wire))) => {
                cluster.kill_postmaster();
                tokio::time::sleep(pause).await;
                cluster.up().await;
            }
            (Kill::Backend, Some((cluster, _wire))) => {
                cluster.kill_backend(|of| dice.place(of)).await;
            }
            (Kill::Wire, Some((_cluster, wire))) => wire.cut(),
            (Kill::Silence, Some((_cluster, wire))) => {
                wire.fall_silent();
                tokio::time::sleep(pause * 4).await;
                // What was held back arrives after all, or never does.
                if dice.once_in(2) { wire.speak() } else { wire.cut() }
            }
            (Kill::Both, Some((cluster, _wire))) => {
                self.process.kill();
                cluster.kill_postmaster();
                tokio::time::sleep(pause).await;
                cluster.up().await;
            }
            (_, None) => unreachable!("SQLite has nothing else that could be killed"),
        }
        let killed = matches!(kill, Kill::Server | Kill::Both);
        if !killed && self.process.has_ended() {
            self.book.wrong(format!("the server ended by itself after {kill} was killed"));
        }
        if let Err(error) = self.process.ready().await {
            panic!("after {kill} was killed: {error}\n{}", self.process.log());
        }
    }

    /// Waits until the storm has brought so many more answers.
    async fn more_answers(&self, more: u64) {
        let wanted = self.book.counts().answers + more;
        // A machine that does much else besides is slow, and no less right.
        let patience = Patience { limit: Duration::from_secs(120), ..Patience::default() };
        let come = wait_until("the storm goes on", patience, || async {
            let enough = self.book.counts().answers >= wanted || !self.book.wrongs().is_empty();
            Ok(enough.then_some(()))
        });
        if let Err(error) = come.await {
            panic!("{error}: {:?}\n{}", self.book.counts(), self.process.log());
        }
    }
}

async fn t_a7_no_kill_loses_an_answer_or_unenrols_a_tablet(engine: Engine) {
    let play = Play::asked(engine);
    let began = std::time::Instant::now();
    let named = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgresql => "postgresql",
    };
    println!("chaos: {named}, --seed {} --rounds {} --tablets {}", play.seed, play.rounds, play.tablets);
    let mut dice = Dice::new(play.seed);

    let (setup, postgresql) = match engine {
        Engine::Sqlite => (TestServer::setup(engine), None),
        Engine::Postgresql => {
            let cluster = Cluster::start().await;
            let wire = Wire::to(cluster.port()).await;
            let database = Database::Apart {
                owner: cluster.owner_url(),
                role: cluster::SERVES.to_owned(),
                url: cluster.serving_url(wire.port()),
            };
            (TestServer::setup(database), Some((cluster, wire)))
        }
    };
    let mut server = setup.start().await.unwrap();
    let mut ipads: Vec<Ipad> = Vec::new();
    for number in 1..=play.tablets {
        let mut ipad = server.enrolled_ipad(&format!("DMPX{number:08}")).await.unwrap();
        obey(&mut ipad).await;
        ipads.push(ipad);
    }
    let (process, database) = (server.hand_over().await.unwrap(), ByHand::of(&server));
    let mut stage = Stage { process, database, postgresql, book: Arc::default() };
    stage.process.start().unwrap();
    stage.process.ready().await.unwrap();

    let storm = Storm::of(ipads, server.api().unwrap(), &stage.book, &mut dice);
    let mut deck: Vec<Kill> = Vec::new();
    let (mut kills, mut lost) = (0, 0);
    for round in 1..=play.rounds {
        if deck.is_empty() {
            deck = Kill::all(engine).to_vec();
            dice.shuffle(&mut deck);
        }
        let kill = deck.pop().unwrap();
        // The moment: after so many answers, and so many milliseconds into the next.
        let (answers, pause) = (dice.between(10..60), dice.millis(0..25));
        stage.more_answers(answers).await;
        tokio::time::sleep(pause).await;
        stage.kill(kill, &mut dice).await;
        kills += 1;
        let Losses(missing) = stage.book.hold_against(&stage.database);
        missing.iter().for_each(|one| println!("  LOST: {one}"));
        lost += missing.len();
        println!(
            "  round {round}: killed {kill}; {} answers so far, {lost} lost",
            stage.book.counts().answers
        );
        let wrongs = stage.book.wrongs();
        assert!(wrongs.is_empty() && missing.is_empty(), "{wrongs:#?}\n{}", stage.process.log());
    }
    stage.more_answers(play.tablets).await;
    let mut ipads = storm.end().await;

    // Afterwards: what waits is carried out once, what was kept is given back, everybody is managed.
    for ipad in &mut ipads {
        let given = ipad.get_bootstrap_token().await.unwrap().unwrap_or_else(|| 0_u64.to_be_bytes().to_vec());
        let given = u64::from_be_bytes(given.try_into().unwrap());
        let (kept, tried) = stage.book.tokens().get(ipad.serial()).copied().unwrap_or_default();
        assert!((kept..=tried).contains(&given), "{}: {kept} ≤ {given} ≤ {tried}", ipad.serial());
        assert!(ipad.is_enrolled());
        for handled in ipad.poll().await.unwrap().handled {
            stage.book.offered(ipad.serial(), &handled.command_uuid);
        }
        assert_eq!(standing(&server, ipad.serial()).await, "enrolled");
    }
    let Losses(missing) = stage.book.hold_against(&stage.database);
    let wrongs = stage.book.wrongs();
    assert!(missing.is_empty() && wrongs.is_empty(), "{missing:#?} {wrongs:#?}\n{}", stage.process.log());
    assert_eq!(stage.database.count("commands WHERE pending"), 0, "everything came to its end");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "no tablet did anything wrong");

    let counts = stage.book.counts();
    assert!(counts.answers > 10 * kills, "the storm was no storm: {counts:?}");
    println!(
        "chaos: {named}: {kills} kills, {} answers, {} tokens and {} commands promised, {} troubles told, 0 lost, in {:?}",
        counts.answers,
        counts.tokens,
        counts.queued,
        counts.troubles,
        Duration::from_secs(began.elapsed().as_secs()),
    );
}
