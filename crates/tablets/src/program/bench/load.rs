//! What all loads are told: which tablets, how many connections, how fast, how long.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tablets::{Clock, Home};
use url::Url;

use super::auth::{Auth, AuthArguments};
use super::roster::{KEPT, Roster};
use super::schedule::Plan;
use super::seat::{Manners, Room};
use super::task::{Messages, Task};
use crate::program::failure::Failure;
use crate::program::network::NetworkArguments;
use crate::program::output::Output;
use crate::program::{span, workers};

/// How long is measured unless told.
const USUAL: Duration = Duration::from_secs(10);
/// How long is warmed up unless told.
const WARM_UP: Duration = Duration::from_secs(2);

/// What all loads are told.
#[derive(Debug, Clone, Args)]
pub(super) struct LoadArguments {
    /// The folder that keeps the tablets, as `seed` or `enrol` left it.
    pub(super) dir: PathBuf,
    /// At most this many tablets, the first by serial number.
    #[arg(long, value_name = "N")]
    pub(super) tablets: Option<u64>,
    #[command(flatten)]
    pub(super) pace: PaceArguments,
    /// A tablet does so many operations, then the next one takes its place on the connection. 0: no other one does.
    /// With mTLS each turn begins with a handshake, since a TLS session is one tablet's. 1 unless told, with mTLS 0.
    #[arg(long, value_name = "N")]
    turn: Option<u64>,
    /// Close the connection after each turn, even where it could go on.
    #[arg(long)]
    close: bool,
    /// A tablet that connects again goes on with its TLS session, if the server lets it.
    #[arg(long)]
    resumption: bool,
    #[command(flatten)]
    pub(super) auth: AuthArguments,
    /// Sign all messages before the load begins, so that the client's RSA is not what is measured.
    #[arg(long)]
    sign_beforehand: bool,
    /// Where tablets connect, instead of the address they remember.
    #[arg(long, value_name = "URL")]
    server_url: Option<Url>,
    /// Where tablets check in; with --server-url alone, there too.
    #[arg(long, value_name = "URL")]
    check_in_url: Option<Url>,
    /// Leave what is queued for the tablets. Otherwise they carry it out first, without being measured.
    #[arg(long)]
    pub(super) as_they_are: bool,
    #[command(flatten)]
    pub(super) network: NetworkArguments,
}

/// How fast, how long, how many at once.
#[derive(Debug, Clone, Args)]
pub(super) struct PaceArguments {
    /// How many connections are kept busy, or ready.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) connections: usize,
    /// An open loop: so many operations begin each second, however late answers are, and latency counts from the
    /// time that was meant. Without it a closed loop: each connection begins when its last answer has come.
    #[arg(long, value_name = "PER-SECOND", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// How long is measured; 10s unless told, or --requests.
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse_some)]
    pub(super) limit: Option<Duration>,
    /// How many operations are measured at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) requests: Option<u64>,
    /// What comes first and is not measured: 2s unless told, nothing for enrol.
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    pub(super) warm_up: Option<Duration>,
    /// How many different errors are shown in words.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) show_errors: usize,
}

impl PaceArguments {
    /// When operations begin. What uses up tablets neither warms up nor ends by itself.
    pub(super) fn plan(&self, uses_up_tablets: bool) -> Plan {
        let endless = uses_up_tablets || self.requests.is_some();
        Plan {
            warm_up: self.warm_up.unwrap_or(if uses_up_tablets { Duration::ZERO } else { WARM_UP }),
            limit: self.limit.or((!endless).then_some(USUAL)),
            requests: self.requests,
            rate: self.rate,
        }
    }
}

/// A load, ready to begin.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) room: Arc<Room>,
    pub(super) plan: Plan,
    pub(super) connections: usize,
    pub(super) tls: bool,
    pub(super) signed_beforehand: bool,
}

impl LoadArguments {
    /// Reads what the folder has, and signs what is to be signed.
    pub(super) fn open(&self, task: &Task, output: Output) -> Result<Load, Failure> {
        let home = Home::open(&self.dir)?;
        let mut serials = home.serials()?;
        serials.truncate(self.tablets.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX));
        let url = self.first_url(&home, &serials)?;
        let tls = url.scheme() == "https";
        let (auth, proofs) = self.auth.decide(tls)?;
        let uses_up_tablets = matches!(task, Task::Enrol);
        let turn = match self.turn {
            _ if uses_up_tablets => 1,
            Some(turn) => turn,
            None => u64::from(auth != Auth::Mtls),
        };
        let connections = self.pace.connections.clamp(1, serials.len());
        if turn == 0 {
            // Only these will ever speak.
            serials.truncate(connections);
        }
        let roster = Roster::new(home, serials, task.messages(), proofs)?;
        if self.sign_beforehand {
            self.check_signing(task, auth, &roster)?;
            let bar = output.bar(u64::try_from(roster.len()).unwrap_or(u64::MAX), "signing beforehand");
            let (clock, places) = (Clock::system(), (0..roster.len()).collect::<Vec<_>>());
            let signed = workers::on_all_processors(&places, |place| {
                let signed = roster.sign(*place, &clock);
                bar.inc(1);
                signed
            });
            bar.finish_and_clear();
            signed.into_iter().collect::<Result<(), _>>()?;
        }
        let manners = Manners {
            auth,
            trust: self.network.trust()?,
            patience: self.network.patience,
            turn,
            close: self.close,
            resumption: self.resumption,
            server_url: self.server_url.clone(),
            check_in_url: self.check_in_url.clone(),
        };
        Ok(Load {
            room: Arc::new(Room::new(roster, manners)),
            plan: self.pace.plan(uses_up_tablets),
            connections,
            tls,
            signed_beforehand: self.sign_beforehand,
        })
    }

    /// Where the tablets connect: as typed, or as the first of them remembers.
    fn first_url(&self, home: &Home, serials: &[String]) -> Result<Url, Failure> {
        let none = || {
            Failure::Usage(format!(
                "no tablet in `{}` is enrolled: see `tablets seed --help` and `tablets enrol --help`",
                self.dir.display()
            ))
        };
        let (state, _identity) = home.load(serials.first().ok_or_else(none)?)?;
        let own = state.enrolment.map(|enrolment| enrolment.mdm.server_url);
        self.server_url.clone().or(own).ok_or_else(none)
    }

    fn check_signing(&self, task: &Task, auth: Auth, roster: &Roster) -> Result<(), Failure> {
        if auth != Auth::Signature {
            return Err(Failure::Usage("`--sign-beforehand` goes with `--auth signature`".into()));
        }
        if task.messages() == Messages::None {
            return Err(Failure::Usage(
                "`--sign-beforehand`: an acknowledgement names a command that nobody knows beforehand".into(),
            ));
        }
        if roster.len() > KEPT {
            return Err(Failure::Usage(format!(
                "`--sign-beforehand` keeps the messages of at most {KEPT} tablets in memory: say `--tablets {KEPT}`"
            )));
        }
        Ok(())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000_000.0 => Ok(rate),
        _ => Err("write how many operations begin each second, such as 500 or 0.5".to_owned()),
    }
}
