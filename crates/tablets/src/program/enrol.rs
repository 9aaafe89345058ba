//! `tablets enrol`: tablets enrol for real, at bounded concurrency, and resume where they stopped.

mod device_authority;
mod failures;
pub(crate) mod way;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::{ArgGroup, Args};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tablets::{Error, Home, Ipad, IpadBuilder, KeyPool, Stage};
use tokio::sync::watch;

use super::failure::Failure;
use super::faults::FaultArguments;
use super::interruption::Interruption;
use super::network::NetworkArguments;
use super::output::{Output, sheet};
use super::serials::{self, NumberedSerials};
use failures::Failures;
use way::{Way, WayArguments};

const HELP: &str = "\
By a link, for the tablets of an inventory:
  tablets enrol school --link https://localhost:8443/enrol/kJ8x --serials inventory.csv --trust server.pem
By links of their own, one a line: the address, or SERIAL,ADDRESS
  tablets enrol school --links links.csv --trust server.pem
By automated enrolment: the tablets sign a MachineInfo, as Apple's do
  tablets enrol school --machine-info https://mdm.example.org/dep --device-authority school/.maker --tablets 30
By a profile that is the same for all, as small servers give it
  tablets enrol school --profile enroll.mobileconfig --tablets 30

Safe to repeat: tablets that are enrolled are left alone, those that were interrupted go on where they stopped. \
Ctrl-C lets those under way come to an end.";

/// Which tablets enrol, and by what.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
#[command(group(ArgGroup::new("by").required(true).args(way::WAYS)))]
pub(crate) struct Arguments {
    /// The folder that keeps the tablets; made if it is not there.
    dir: PathBuf,
    #[command(flatten)]
    way: WayArguments,
    /// How many tablets; without it, as many as the links or the serials name.
    #[arg(long, value_name = "N")]
    tablets: Option<u64>,
    #[command(flatten)]
    which: WhichArguments,
    /// How many enrol at the same time.
    #[arg(long, value_name = "N", default_value_t = 8)]
    at_once: usize,
    /// How many keys they share: making one takes long. Their certificates differ all the same.
    #[arg(long, value_name = "N", default_value_t = KeyPool::USUAL)]
    keys: usize,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    faults: FaultArguments,
}

/// Which tablets.
#[derive(Debug, Clone, Args)]
pub(crate) struct WhichArguments {
    /// Their serial numbers: a file with one a line, or an inventory with a column `serial`.
    #[arg(long, value_name = "FILE")]
    pub(crate) serials: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) numbered: NumberedSerials,
}

impl WhichArguments {
    /// The serial numbers of those that enrol, in order; at most `tablets`.
    pub(crate) fn serials(&self, way: &Way, tablets: Option<u64>) -> Result<Vec<String>, Failure> {
        let mut named = match (&self.serials, way.serials()) {
            (Some(file), _) => serials::of_file(file)?,
            (None, Some(named)) => named,
            (None, None) => {
                let count = tablets.or_else(|| way.count()).ok_or_else(|| {
                    Failure::Usage("say how many tablets: `--tablets N`, or which: `--serials FILE`".into())
                })?;
                self.numbered.take(count)?
            }
        };
        if let Some(most) = tablets.and_then(|most| usize::try_from(most).ok()) {
            named.truncate(most);
        }
        Ok(named)
    }
}

/// How it went.
#[derive(Debug, Serialize)]
struct Enrolled {
    tablets: usize,
    enrolled: u64,
    resumed: u64,
    already: u64,
    failed: usize,
    not_begun: u64,
    seconds: f64,
    failures: Failures,
}

/// What became of one tablet.
enum Fate {
    Enrolled,
    Resumed,
    Already,
    NotBegun,
    Failed(String, Error),
}

/// Enrols.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let way = Arc::new(arguments.way.open()?);
    let serials = arguments.which.serials(&way, arguments.tablets)?;
    let home = Home::open(&arguments.dir)?;
    let spinner = output.spinner("making keys");
    let keys = KeyPool::open(&home.keys(), arguments.keys)?;
    spinner.finish_and_clear();
    let template = Ipad::builder()
        .keys(keys.clone())
        .trust(arguments.network.trust()?)
        .patience(arguments.network.patience)
        .faults(arguments.faults.faults())
        .home(home);
    let stop = stop_on_interruption()?;

    let began = Instant::now();
    let bar = output.bar(u64::try_from(serials.len()).unwrap_or(u64::MAX), "enrolling tablets");
    let fates = stream::iter(serials.iter().enumerate()).map(|(place, serial)| {
        let (template, way, keys, stop) = (template.clone(), Arc::clone(&way), keys.clone(), stop.clone());
        let builder = template.serial(serial.as_str());
        let builder = if arguments.faults.locks(u32::try_from(place).unwrap_or(u32::MAX)) {
            builder.locked(true).passcode("123456")
        } else {
            builder
        };
        async move {
            if *stop.borrow() {
                return Fate::NotBegun;
            }
            Box::pin(enrol(builder, &way, place, &keys))
                .await
                .unwrap_or_else(|error| Fate::Failed(serial.clone(), error))
        }
    });
    let mut enrolled = Enrolled::of(serials.len());
    let mut fates = Box::pin(fates.buffer_unordered(arguments.at_once.max(1)));
    while let Some(fate) = fates.next().await {
        enrolled.note(fate);
        bar.inc(1);
    }
    bar.finish_and_clear();
    enrolled.seconds = began.elapsed().as_secs_f64();
    enrolled.failures.sort();
    output.show(&enrolled, Enrolled::told)?;
    match (enrolled.failed, enrolled.not_begun) {
        (0, 0) => Ok(()),
        (0, left) => {
            Err(Failure::Partly(format!("interrupted: {left} tablets were not begun; type the same again")))
        }
        (failed, _) => Err(Failure::Partly(format!(
            "{failed} of {} tablets did not enrol; type the same again to retry",
            enrolled.tablets
        ))),
    }
}

/// Enrols one tablet, or goes on with what was begun.
async fn enrol(builder: IpadBuilder, way: &Way, place: usize, keys: &KeyPool) -> Result<Fate, Error> {
    let mut ipad = way.equip(builder, keys)?.build()?;
    match ipad.enrolment().map(|enrolment| enrolment.stage) {
        Some(Stage::Enrolled) => Ok(Fate::Already),
        Some(Stage::Identified | Stage::Authenticated) => {
            ipad.resume_enrolment().await?;
            Ok(Fate::Resumed)
        }
        None => {
            Box::pin(way.enrol(&mut ipad, place)).await?;
            Ok(Fate::Enrolled)
        }
    }
}

/// Becomes true when the program is told to stop.
fn stop_on_interruption() -> Result<watch::Receiver<bool>, Failure> {
    let mut interruption = Interruption::listen()?;
    let (stop, told) = watch::channel(false);
    tokio::spawn(async move {
        interruption.comes().await;
        stop.send_replace(true);
        // A second one does not wait for the tablets under way.
        interruption.comes().await;
        std::process::exit(1);
    });
    Ok(told)
}

impl Enrolled {
    fn of(tablets: usize) -> Self {
        Self {
            tablets,
            enrolled: 0,
            resumed: 0,
            already: 0,
            failed: 0,
            not_begun: 0,
            seconds: 0.0,
            failures: Failures::default(),
        }
    }

    fn note(&mut self, fate: Fate) {
        match fate {
            Fate::Enrolled => self.enrolled += 1,
            Fate::Resumed => self.resumed += 1,
            Fate::Already => self.already += 1,
            Fate::NotBegun => self.not_begun += 1,
            Fate::Failed(serial, error) => {
                self.failed += 1;
                self.failures.add(serial, &error);
            }
        }
    }

    fn told(&self) -> String {
        let mut told = sheet(&[
            ("enrolled", self.enrolled.to_string()),
            ("went on", self.resumed.to_string()),
            ("were enrolled", self.already.to_string()),
            ("failed", self.failed.to_string()),
            ("time", format!("{:.1} s", self.seconds)),
        ]);
        told.push_str(&self.failures.told());
        told
    }
}
