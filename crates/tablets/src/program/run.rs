//! `tablets run`: enrolled tablets live. They wake on pushes or poll, obey, and at the end it is told what happened.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tablets::{Fleet, Home, Ipad, KeyPool, Waking, Woken};

use super::failure::Failure;
use super::faults::FaultArguments;
use super::interruption::Interruption;
use super::network::NetworkArguments;
use super::output::{Output, sheet};
use super::push_files::TOPIC;
use super::{apns, span};

/// How often tablets poll when nothing else would wake them.
const POLL: Duration = Duration::from_secs(60);

const HELP: &str = "\
Tablets that poll, as if their users kept waking them:
  tablets run school --trust server.pem --poll-every 5m
Tablets that sleep until they are pushed. The stand-in push service is inside; the server is told of it as \
`tablets apns --help` says:
  tablets run school --trust server.pem --apns 127.0.0.1:2197 --apns-files push
Tablets in bad weather, for a quarter of an hour:
  tablets run school --trust server.pem --poll-every 1m --drop 0.02 --not-now 0.2 --delay 300ms --for 15m

Ctrl-C lets conversations come to an end. What tablets became is kept: an erased one stays erased.";

/// Which tablets live, and what wakes them.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The folder that keeps the tablets.
    dir: PathBuf,
    /// At most this many, the first by serial number.
    #[arg(long, value_name = "N")]
    tablets: Option<usize>,
    /// How often every tablet polls by itself; a minute when no push would wake it.
    #[arg(long, value_name = "TIME", value_parser = span::parse_some)]
    poll_every: Option<Duration>,
    /// Where to listen as the stand-in push service, whose pushes wake the tablets.
    #[arg(long, value_name = "ADDRESS")]
    apns: Option<SocketAddr>,
    /// The folder for the push service's certificates; DIR/.push unless told.
    #[arg(long, value_name = "FOLDER", requires = "apns")]
    apns_files: Option<PathBuf>,
    /// The topic of the push certificate that is written.
    #[arg(long, value_name = "TOPIC", default_value = TOPIC)]
    topic: String,
    /// Stop after this long instead of at Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse_some)]
    limit: Option<Duration>,
    /// How many tablets speak at the same time.
    #[arg(long, value_name = "N", default_value_t = 32)]
    at_once: usize,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    faults: FaultArguments,
}

/// How they lived.
#[derive(Debug, Serialize)]
struct Lived {
    tablets: usize,
    seconds: f64,
    pushes: u64,
    pushes_for_others: u64,
    conversations: u64,
    commands: u64,
    acknowledged: u64,
    not_now: u64,
    erased: u64,
    left: u64,
    errors: u64,
    errors_by_kind: BTreeMap<&'static str, u64>,
    last_error: Option<String>,
}

/// Lets them live.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let mut interruption = Interruption::listen()?;
    let fleet = fleet(&arguments, output)?;
    let push_service = match arguments.apns {
        Some(listen) => {
            let folder = arguments.apns_files.clone().unwrap_or_else(|| arguments.dir.join(".push"));
            let (service, listening) = apns::start(listen, &folder, &arguments.topic).await?;
            service.keep_no_pushes();
            output.show(&listening, apns::Listening::told)?;
            Some(service)
        }
        None => None,
    };
    let began = Instant::now();
    let mut wakings = Vec::new();
    if let Some(service) = &push_service {
        wakings.push(fleet.wake_on_push(service, arguments.at_once));
    }
    let interval = arguments.poll_every.or_else(|| push_service.is_none().then_some(POLL));
    if let Some(interval) = interval {
        wakings.push(fleet.poll_every(interval, arguments.at_once));
    }
    let spinner = output.spinner("tablets live; Ctrl-C ends it");
    interruption.comes_or_after(arguments.limit).await;
    spinner.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let lived = Lived::of(fleet.len(), seconds, rest(wakings).await);
    output.show(&lived, Lived::told)
}

/// Lets every conversation end.
async fn rest(wakings: Vec<Waking>) -> Vec<Woken> {
    let mut woken = Vec::new();
    for waking in wakings {
        woken.push(waking.finish().await);
    }
    woken
}

fn fleet(arguments: &Arguments, output: Output) -> Result<Fleet, Failure> {
    let home = Home::open(&arguments.dir)?;
    let mut serials = home.serials()?;
    serials.truncate(arguments.tablets.unwrap_or(usize::MAX));
    let keys = KeyPool::kept_in(&home.keys())?;
    let template = Ipad::builder()
        .keys(keys)
        .trust(arguments.network.trust()?)
        .patience(arguments.network.patience)
        .faults(arguments.faults.faults())
        .hang_up_after_conversation(true)
        .home(home);
    let bar = output.bar(u64::try_from(serials.len()).unwrap_or(u64::MAX), "waking tablets");
    let mut ipads = Vec::with_capacity(serials.len());
    for (place, serial) in serials.into_iter().enumerate() {
        let mut ipad = template.clone().serial(serial).build()?;
        if arguments.faults.locks(u32::try_from(place).unwrap_or(u32::MAX)) {
            ipad.set_passcode(Some("123456".to_owned()));
            ipad.set_locked(true);
        }
        if ipad.is_enrolled() {
            ipads.push(ipad);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if ipads.is_empty() {
        return Err(Failure::Usage(format!(
            "no tablet in `{}` is enrolled: see `tablets enrol --help` and `tablets seed --help`",
            arguments.dir.display()
        )));
    }
    Ok(Fleet::new(ipads))
}

impl Lived {
    fn of(tablets: usize, seconds: f64, woken: Vec<Woken>) -> Self {
        let mut lived = Self {
            tablets,
            seconds,
            pushes: 0,
            pushes_for_others: 0,
            conversations: 0,
            commands: 0,
            acknowledged: 0,
            not_now: 0,
            erased: 0,
            left: 0,
            errors: 0,
            errors_by_kind: BTreeMap::new(),
            last_error: None,
        };
        for woken in woken {
            lived.pushes += woken.pushes;
            lived.pushes_for_others += woken.strangers;
            lived.conversations += woken.conversations;
            lived.commands += woken.commands;
            lived.acknowledged += woken.acknowledged;
            lived.not_now += woken.not_now;
            lived.erased += woken.erased;
            lived.left += woken.left;
            lived.errors += woken.errors;
            for (kind, count) in woken.errors_by_kind {
                *lived.errors_by_kind.entry(kind).or_default() += count;
            }
            lived.last_error = woken.last_error.or(lived.last_error);
        }
        lived
    }

    fn told(&self) -> String {
        let kinds: Vec<String> =
            self.errors_by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let errors = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
        let mut rows = vec![
            ("tablets", format!("{} for {:.0} s", self.tablets, self.seconds)),
            ("pushes", format!("{} for these tablets, {} for others", self.pushes, self.pushes_for_others)),
            ("conversations", self.conversations.to_string()),
            (
                "commands",
                format!("{}: {} acknowledged, {} NotNow", self.commands, self.acknowledged, self.not_now),
            ),
            ("erased", self.erased.to_string()),
            ("no longer managed", self.left.to_string()),
            ("failures", errors),
        ];
        rows.extend(self.last_error.iter().map(|error| ("the last one", error.clone())));
        sheet(&rows)
    }
}
