//! What a scanner typed, sent a few tablets at a time.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::problem::{Problem, ProblemLine};
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

/// One tablet, and the line on which it stands: of the file, or its place among those that were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OneScanned {
    line: u64,
    tablet: String,
}

impl Scanned {
    /// What was scanned, in that order.
    pub(super) fn read(self) -> Result<Vec<OneScanned>, Failure> {
        match self.file {
            None => Ok(numbered(self.tablets.iter().map(String::as_str))),
            Some(file) => Ok(numbered(text_of(&file)?.lines())),
        }
    }
}

/// Empty lines are scanners that were too eager.
fn numbered<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<OneScanned> {
    let lines = (1..).zip(lines.map(str::trim)).filter(|(_line, tablet)| !tablet.is_empty());
    lines.map(|(line, tablet)| OneScanned { line, tablet: tablet.to_owned() }).collect()
}

fn text_of(file: &Path) -> Result<String, Failure> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(Failure::reading(file))?;
        Ok(text)
    } else {
        std::fs::read_to_string(file).map_err(Failure::reading(file))
    }
}

/// Sends them, and hands each answer on. Those that cannot be taken are left out, and the others go; in the end each of them is
/// named by its line. What fails otherwise says how far it came: whatever was done is done, and is told as such when the same
/// is scanned again.
pub(super) async fn send(
    api: &Api,
    (path, what): (&str, &'static str),
    scanned: &[OneScanned],
    body: impl Fn(&[&str]) -> Value,
    mut answered: impl FnMut(Value),
    output: Output,
) -> Result<(), Failure> {
    let bar = output.bar(u64::try_from(scanned.len()).unwrap_or(u64::MAX), what);
    let (mut done, mut left_out) = (0, LeftOut::default());
    for some in scanned.chunks(AT_ONCE) {
        let mut rest: Vec<&OneScanned> = some.iter().collect();
        while !rest.is_empty() {
            let tablets: Vec<&str> = rest.iter().map(|one| one.tablet.as_str()).collect();
            match api.post(&[path], Body::Json(body(&tablets))).await {
                Ok(answer) => {
                    answered(answer);
                    done += rest.len();
                    break;
                }
                Err(failure) => {
                    let Some(others) = left_out.takes(&rest, &failure) else {
                        bar.abandon();
                        output.note(&format!(
                            "{done} of {} tablets were done; scan the same again once this is settled",
                            scanned.len()
                        ));
                        return Err(failure);
                    };
                    rest = others;
                }
            }
        }
        bar.inc(u64::try_from(some.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    left_out.told(done, scanned.len())
}

/// Tablets that cannot be taken, with what was said of the first that were named.
#[derive(Debug, Default)]
struct LeftOut {
    lines: Vec<ProblemLine>,
    said: Option<Box<Problem>>,
}

impl LeftOut {
    /// The others of a row, if the failure names some of it, or is about the only one; `None` for one that is about none.
    fn takes<'s>(&mut self, row: &[&'s OneScanned], failure: &Failure) -> Option<Vec<&'s OneScanned>> {
        let Failure::Problem(problem) = failure else { return None };
        let of_one = ["not-found", "conflict", "forbidden-by-rule"];
        let alone = [ProblemLine { line: 1, problem: problem.detail().to_owned() }];
        let named: &[ProblemLine] = match (problem.code.as_deref()?, row) {
            ("bad-scans", _) => &problem.lines,
            (code, [_only]) if of_one.contains(&code) => &alone,
            _ => return None,
        };
        let is_named = |place: u64| named.iter().find(|bad| bad.line == place);
        let (mut others, before) = (Vec::new(), self.lines.len());
        for (place, one) in (1..).zip(row) {
            match is_named(place) {
                None => others.push(*one),
                Some(bad) => {
                    self.lines.push(ProblemLine { line: one.line, problem: bad.problem.clone() });
                }
            }
        }
        self.said.get_or_insert_with(|| problem.clone());
        // A row of which none is named would be sent for ever.
        (self.lines.len() > before).then_some(others)
    }

    /// Names them all, if there are any.
    fn told(self, done: usize, of: usize) -> Result<(), Failure> {
        let Some(said) = self.said else { return Ok(()) };
        let left_out = self.lines.len();
        let detail = format!("{left_out} of {of} tablets were left out; {done} were done");
        Err(Failure::Problem(Box::new(said.about(detail, self.lines))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(document: &Value) -> Failure {
        Failure::Problem(Box::new(Problem::read(422, document.to_string().as_bytes())))
    }

    #[test]
    fn what_cannot_be_taken_is_named_by_its_line_and_the_others_go() {
        let scanned = numbered("76-0001\n\n76-0002\n  76-0003 \n".lines());
        let lines: Vec<(u64, &str)> = scanned.iter().map(|one| (one.line, one.tablet.as_str())).collect();
        assert_eq!(lines, [(1, "76-0001"), (3, "76-0002"), (4, "76-0003")]);
        let mut left_out = LeftOut::default();
        let row: Vec<&OneScanned> = scanned.iter().collect();
        let two = json!({ "code": "bad-scans", "title": "some cannot be taken", "lines": [
            { "line": 2, "problem": "there is no tablet `76-0002`" },
        ] });
        let others = left_out.takes(&row, &problem(&two)).unwrap();
        assert_eq!(others, [&scanned[0], &scanned[2]]);
        // One that goes alone is told as such.
        let one =
            json!({ "code": "not-found", "title": "not found", "detail": "there is no tablet `76-0003`" });
        assert!(left_out.takes(&others, &problem(&one)).is_none(), "of two nobody knows which");
        assert_eq!(left_out.takes(&others[1..], &problem(&one)).unwrap(), Vec::<&OneScanned>::new());
        let Err(Failure::Problem(told)) = left_out.told(1, 3) else { panic!("nothing was left out") };
        let named: Vec<(u64, bool)> =
            told.lines.iter().map(|bad| (bad.line, bad.problem.contains("there is no tablet"))).collect();
        assert_eq!(named, [(3, true), (4, true)]);
        assert!(told.to_string().contains("2 of 3 tablets were left out; 1 were done"), "{told}");
        assert_eq!(told.document["lines"][0]["line"], 3);
    }

    #[test]
    fn what_is_about_no_tablet_stops_the_row() {
        let scanned = numbered("76-0001\n".lines());
        let row: Vec<&OneScanned> = scanned.iter().collect();
        for code in ["not-allowed", "stopped", "unavailable", "step-up"] {
            let failure = problem(&json!({ "code": code, "title": "no" }));
            assert!(LeftOut::default().takes(&row, &failure).is_none(), "{code}");
        }
        let empty = problem(&json!({ "code": "bad-scans", "title": "no", "lines": [] }));
        assert!(LeftOut::default().takes(&row, &empty).is_none(), "it names none");
        assert!(LeftOut::default().told(1, 1).is_ok());
    }
}
