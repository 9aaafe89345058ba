//! `tablets bench`: loads any Apple MDM server, and says how fast it answers.

mod auth;
mod cycle;
mod dialect;
mod engine;
mod enqueue;
mod help;
mod histogram;
mod load;
mod problem;
mod roster;
mod scep_work;
mod schedule;
mod seat;
mod seated_work;
mod settle;
mod tally;
mod task;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::{Args, Subcommand};
use tablets::{Home, Ipad, KeyPool};

use super::enrol::WhichArguments;
use super::enrol::way::WayArguments;
use super::failure::Failure;
use super::interruption::Interruption;
use super::output::Output;
use auth::Auth;
use cycle::Enqueue;
use dialect::Dialect;
use engine::Work;
use enqueue::{EnqueueArguments, Order};
use load::LoadArguments;
use scep_work::ScepWork;
use schedule::{Plan, Schedule};
use seated_work::SeatedWork;
use tally::Tally;
use task::Task;
use verdict::{Tls, Verdict};

/// What is measured.
#[derive(Debug, Args)]
#[command(after_help = help::LOADING)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tablets ask what there is to do, and there is nothing: one request each.
    #[command(after_help = help::FIGURES)]
    Idle(LoadArguments),
    /// Tablets tell their push token: one request each.
    #[command(after_help = help::FIGURES)]
    TokenUpdate(LoadArguments),
    /// A command is queued, fetched and acknowledged: three requests.
    #[command(after_help = help::CYCLE)]
    Cycle(CycleArguments),
    /// Tablets enrol: Authenticate and TokenUpdate, or the whole way with SCEP.
    #[command(after_help = help::ENROL)]
    Enrol(EnrolArguments),
}

/// A load, and how commands are queued.
#[derive(Debug, Args)]
struct CycleArguments {
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    enqueue: EnqueueArguments,
}

/// A load, and by what new tablets enrol.
#[derive(Debug, Args)]
struct EnrolArguments {
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    way: Option<WayArguments>,
    #[command(flatten)]
    which: WhichArguments,
}

/// Loads, and prints what was found.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let verdict = match arguments.what {
        What::Idle(load) => Box::pin(seated(&load, Task::Idle, None, output)).await?,
        What::TokenUpdate(load) => Box::pin(seated(&load, Task::TokenUpdate, None, output)).await?,
        What::Cycle(CycleArguments { load, enqueue }) => {
            let dialect = enqueue.dialect;
            let task = Task::Cycle(Box::new(Enqueue::new(Order::read(&enqueue)?)));
            Box::pin(seated(&load, task, dialect, output)).await?
        }
        What::Enrol(EnrolArguments { load, way: None, .. }) => {
            Box::pin(seated(&load, Task::Enrol, None, output)).await?
        }
        What::Enrol(EnrolArguments { load, way: Some(way), which }) => {
            Box::pin(by_scep(&load, &way, &which, output)).await?
        }
    };
    output.show(&verdict, Verdict::told)?;
    match (verdict.requests, verdict.errors) {
        (0, 0) => Err(Failure::Partly("nothing was measured".into())),
        (_, 0) => Ok(()),
        (right, wrong) => {
            Err(Failure::Partly(format!("{wrong} of {} operations were not right", right + wrong)))
        }
    }
}

/// Loads with tablets that have an identity.
async fn seated(
    arguments: &LoadArguments,
    task: Task,
    dialect: Option<Dialect>,
    output: Output,
) -> Result<Verdict, Failure> {
    let name = task.name();
    let uses_up_tablets = matches!(task, Task::Enrol);
    let load = tokio::task::block_in_place(|| arguments.open(&task, output))?;
    let places = if arguments.as_they_are || uses_up_tablets {
        (0..load.room.roster.len()).collect()
    } else {
        Box::pin(settle::settle(&load.room, load.connections, output)).await?
    };
    let steps: &[&str] = match &task {
        Task::Idle | Task::TokenUpdate => &[],
        Task::Cycle(_) => &["enqueue", "fetch", "acknowledge"],
        Task::Enrol => &["authenticate", "token-update"],
    };
    let room = Arc::clone(&load.room);
    let work = Arc::new(SeatedWork { task, room, empties_queues: !arguments.as_they_are });
    let workers = work.workers(load.connections, &places);
    let verdict = Verdict {
        bench: name,
        auth: load.room.auth,
        tls: if load.tls { Tls::Unknown } else { Tls::None },
        connections: workers.len(),
        turn: load.room.turn,
        signed_beforehand: load.signed_beforehand,
        identities: uses_up_tablets.then_some("as they are kept"),
        dialect,
        ..begun(load.plan)
    };
    let verdict =
        Box::pin(measure(&work, workers, load.plan, steps, arguments.pace.show_errors, verdict, output))
            .await?;
    Ok(Verdict { tablets: load.room.speakers(), heard: load.room.heard_of(), ..verdict })
}

/// Loads with tablets that are new, and get their identities by SCEP.
async fn by_scep(
    arguments: &LoadArguments,
    way: &WayArguments,
    which: &WhichArguments,
    output: Output,
) -> Result<Verdict, Failure> {
    let way = way.open()?;
    let serials = which.serials(&way, arguments.tablets)?;
    let home = Home::open(&arguments.dir)?;
    let spinner = output.spinner("making keys");
    let keys = tokio::task::block_in_place(|| KeyPool::open(&home.keys(), KeyPool::USUAL))?;
    spinner.finish_and_clear();
    let tls = way.is_tls();
    let (auth, proofs) = arguments.auth.decide(tls)?;
    let template = Ipad::builder()
        .keys(keys.clone())
        .trust(arguments.network.trust()?)
        .patience(arguments.network.patience)
        .proofs(proofs)
        .home(home);
    let work = Arc::new(ScepWork {
        way,
        template,
        keys,
        serials,
        next: AtomicUsize::new(0),
        enrolled: AtomicUsize::new(0),
        heard: AtomicUsize::new(0),
    });
    let workers = work.workers(arguments.pace.connections);
    let plan = arguments.pace.plan(true);
    let verdict = Verdict {
        bench: Task::Enrol.name(),
        auth,
        tls: if tls { Tls::Unknown } else { Tls::None },
        connections: workers.len(),
        turn: 1,
        identities: Some("by SCEP"),
        ..begun(plan)
    };
    let steps = ScepWork::STEPS;
    let verdict =
        Box::pin(measure(&work, workers, plan, steps, arguments.pace.show_errors, verdict, output)).await?;
    let count = |tablets: &AtomicUsize| tablets.load(Ordering::Relaxed);
    Ok(Verdict { tablets: count(&work.enrolled), heard: count(&work.heard), ..verdict })
}

/// A verdict without figures.
fn begun(plan: Plan) -> Verdict {
    Verdict {
        bench: "",
        auth: Auth::Mtls,
        tls: Tls::None,
        tablets: 0,
        connections: 0,
        seconds: 0.0,
        requests: 0,
        errors: 0,
        rate: 0.0,
        p50_ms: 0.0,
        p90_ms: 0.0,
        p99_ms: 0.0,
        max_ms: 0.0,
        kind: if plan.rate.is_some() { "open" } else { "closed" },
        target_rate: plan.rate,
        missed: 0,
        turn: 0,
        connections_opened: 0,
        sessions_resumed: 0,
        signed_beforehand: false,
        warm_up_seconds: plan.warm_up.as_secs_f64(),
        identities: None,
        dialect: None,
        steps: std::collections::BTreeMap::new(),
        begun_at: 0,
        answered: 0,
        heard: 0,
        interrupted: false,
        first_errors: Vec::new(),
    }
}

/// Runs the load, and completes the verdict.
async fn measure<W: Work>(
    work: &Arc<W>,
    workers: Vec<W::Worker>,
    plan: Plan,
    steps: &[&'static str],
    show_errors: usize,
    verdict: Verdict,
    output: Output,
) -> Result<Verdict, Failure> {
    let mut interruption = Interruption::listen()?;
    let tally = Arc::new(Tally::new(steps));
    let spinner = output.spinner("measuring");
    #[expect(clippy::disallowed_methods, reason = "an edge: the line says when it was measured")]
    let begun_at = jiff::Timestamp::now().as_millisecond();
    let schedule = Schedule::begin(plan);
    let interrupted = Arc::new(AtomicBool::new(false));
    let stopping = tokio::spawn({
        let (schedule, interrupted) = (Arc::clone(&schedule), Arc::clone(&interrupted));
        async move {
            interruption.comes().await;
            interrupted.store(true, Ordering::Relaxed);
            schedule.stop();
        }
    });
    engine::run(work, workers, &schedule, &tally).await;
    stopping.abort();
    spinner.finish_and_clear();
    let seconds = tally.elapsed(schedule.measured_from()).as_secs_f64();
    let verdict = verdict.with(&tally, seconds, show_errors);
    Ok(Verdict {
        missed: schedule.missed(),
        interrupted: interrupted.load(Ordering::Relaxed),
        begun_at,
        ..verdict
    })
}
