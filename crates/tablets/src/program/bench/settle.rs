//! Before anything is measured, tablets carry out what was queued for them before. Those that are not served are
//! found here, and not in the figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use super::problem::Problem;
use super::seat::{Room, Seat};
use super::tally::Seen;
use super::task::empty_queue;
use crate::program::failure::Failure;
use crate::program::output::Output;

/// The places of the tablets that are served.
///
/// # Errors
/// When none is, with the reasons.
pub(super) async fn settle(
    room: &Arc<Room>,
    connections: usize,
    output: Output,
) -> Result<Vec<usize>, Failure> {
    let bar = output.bar(u64::try_from(room.roster.len()).unwrap_or(u64::MAX), "tablets empty their queues");
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _connection in 0..connections {
        let (room, next, bar) = (Arc::clone(room), Arc::clone(&next), bar.clone());
        running.spawn(async move {
            let (mut served, mut problems) = (Vec::new(), Vec::new());
            let mut seat = Seat::new(Arc::clone(&room), Vec::new());
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= room.roster.len() {
                    return (served, problems);
                }
                match Box::pin(one(&mut seat, place)).await {
                    Ok(()) => served.push(place),
                    Err(problem) => {
                        seat.reset();
                        problems.push((place, problem));
                    }
                }
                bar.inc(1);
            }
        });
    }
    let (mut served, mut problems) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        if let Ok((some, odd)) = ended {
            served.extend(some);
            problems.extend(odd);
        }
    }
    bar.finish_and_clear();
    served.sort_unstable();
    problems.sort_unstable_by_key(|(place, _problem)| *place);
    tell(room, &served, &problems, output)?;
    Ok(served)
}

async fn one(seat: &mut Seat, place: usize) -> Result<(), Problem> {
    seat.seat(place).map_err(Problem::failed("reading the tablet"))?;
    empty_queue(seat).await
}

/// Says who is left out, and fails when that is everybody.
fn tell(room: &Room, served: &[usize], problems: &[(usize, Problem)], output: Output) -> Result<(), Failure> {
    let Some((first, problem)) = problems.first() else { return Ok(()) };
    let serial = room.roster.serials().get(*first).map(String::as_str).unwrap_or_default();
    let words = Seen { error: problem.to_string(), count: u64::try_from(problems.len()).unwrap_or(u64::MAX) };
    if served.is_empty() {
        return Err(Failure::Partly(format!(
            "the server serves none of {} tablets; the first, {serial}: {}",
            words.count, words.error
        )));
    }
    output.note(&format!(
        "{} tablets are not served and are left out; the first, {serial}: {}",
        words.count, words.error
    ));
    Ok(())
}
