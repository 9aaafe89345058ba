//! What a scanner typed, sent a few tablets at a time.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{Api, Body};
use crate::failure::Failure;
use crate::output::Output;

/// Tablets in one request, so that the bar moves and an interruption loses little.
const AT_ONCE: usize = 30;

/// Tablets that lie on the counter.
#[derive(Debug, Args)]
pub(super) struct Scanned {
    /// Serial numbers, ids or labels of the owner's.
    tablets: Vec<String>,
    /// A file with one of them a line; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "tablets", required_unless_present = "tablets")]
    file: Option<PathBuf>,
}

impl Scanned {
    /// What was scanned, in that order.
    pub(super) fn read(self) -> Result<Vec<String>, Failure> {
        self.file.map_or(Ok(self.tablets), |file| lines(&file))
    }
}

/// One a line; empty lines are scanners that were too eager.
fn lines(file: &Path) -> Result<Vec<String>, Failure> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(Failure::reading(file))?;
        text
    } else {
        std::fs::read_to_string(file).map_err(Failure::reading(file))?
    };
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Sends them, and hands each answer on. What fails says how far it came: whatever was done is done, and is told as such when
/// the same is scanned again.
pub(super) async fn send(
    api: &Api,
    (path, what): (&str, &'static str),
    scanned: &[String],
    body: impl Fn(&[String]) -> Value,
    mut answered: impl FnMut(Value),
    output: Output,
) -> Result<(), Failure> {
    let bar = output.bar(u64::try_from(scanned.len()).unwrap_or(u64::MAX), what);
    let mut done = 0;
    for some in scanned.chunks(AT_ONCE) {
        match api.post(&[path], Body::Json(body(some))).await {
            Ok(answer) => answered(answer),
            Err(failure) => {
                bar.abandon();
                output.note(&format!(
                    "{done} of {} tablets were done; scan the same again once this is settled",
                    scanned.len()
                ));
                return Err(failure);
            }
        }
        done += some.len();
        bar.inc(u64::try_from(some.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    Ok(())
}
