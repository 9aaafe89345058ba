//! `ardoise audit`: who did what, and whether the log is whole.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use fleet::audit_log::lines::{self, Line};
use fleet::audit_log::{Account, Exported, Progress, Tail, Verification};
use governance::chain::{Anchor, Row, Seal, Verifier};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Connection;
use crate::failure::Failure;
use crate::machine;
use crate::output::{self, Output};
use crate::table::{Column, printable, table, text_at};

const EXAMPLES: &str = "\
  ardoise audit list --order newest --limit 20
  ardoise audit list --tablet DMPXK1ABCD12 --since 2026-11-01T00:00:00Z
  ardoise audit anchor                           one line, to print and to keep in another building
  ardoise audit verify --against 42:9f86…
  ardoise audit verify --on-this-machine         reads the database itself: no server is believed
  ardoise audit export log.jsonl                 the whole log, to be verified anywhere
  ardoise audit verify --file log.jsonl

`verify` exits with 1 when the log is not whole, and names each place.";

/// What is done with the log.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List entries: as they were written, or the newest first.
    List(ListArguments),
    /// Read the whole chain again, and say whether it is whole, or where it is not.
    Verify(VerifyArguments),
    /// Take the whole log away, with what is needed to verify it elsewhere. The log says that you did.
    Export {
        /// The new file; standard output unless given.
        file: Option<PathBuf>,
    },
    /// Print the last seal as one short line, to be kept where nobody who runs the server can change it.
    Anchor,
}

#[derive(Debug, Args)]
struct ListArguments {
    /// By whom: `account:ID`, `token:ID`, `tablet:ENROLMENT`, `calendar` or `host`.
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// On which tablet: its id or serial number.
    #[arg(long, value_name = "TABLET")]
    tablet: Option<String>,
    /// What: `link.create`, or `link` for all that is done with links.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Not before this instant (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    since: Option<String>,
    /// Before this instant (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Which way.
    #[arg(long, value_enum, default_value_t = Order::Oldest)]
    order: Order,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Which way the log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// As it was written.
    Oldest,
    /// The latest entry first.
    Newest,
}

#[derive(Debug, Args)]
struct VerifyArguments {
    /// An anchor that was kept elsewhere; may be repeated.
    #[arg(long, value_name = "ANCHOR")]
    against: Vec<String>,
    /// Read the database of the home folder, and believe no server.
    #[arg(long, conflicts_with = "file")]
    on_this_machine: bool,
    /// A file that `ardoise audit export` wrote.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

const COLUMNS: &[Column] = &[
    ("no.", "/seq"),
    ("at", "/at"),
    ("who", "/actor"),
    ("what", "/action"),
    ("tablet", "/tablet_id"),
    ("why", "/reason"),
    ("detail", "/detail"),
];

/// Lists, verifies, exports or anchors.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let connection = arguments.connection;
    match arguments.action {
        Action::List(wanted) => list(&connection, &wanted, output).await,
        Action::Verify(how) => verify(&connection, how, output).await,
        Action::Export { file } => export(&connection, file.as_deref(), output).await,
        Action::Anchor => {
            let answer = connection.open()?.get(&["audit", "anchor"]).await?;
            output.show(&answer, || match answer.get("anchor").and_then(Value::as_str) {
                Some(anchor) => anchor.to_owned(),
                None => "nothing is sealed yet".to_owned(),
            })
        }
    }
}

async fn list(connection: &Connection, wanted: &ListArguments, output: Output) -> Result<(), Failure> {
    let fields = [
        ("actor", &wanted.actor),
        ("tablet", &wanted.tablet),
        ("action", &wanted.action),
        ("since", &wanted.since),
        ("until", &wanted.until),
    ];
    let mut query: Vec<(&str, &str)> =
        fields.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    query.push(("order", if wanted.order == Order::Newest { "newest" } else { "oldest" }));
    let entries = connection.open()?.list(&["audit"], &query, Some(wanted.limit)).await?;
    let entries = Value::Array(entries);
    output.show(&entries, || table(entries.as_array().map_or(&[], Vec::as_slice), COLUMNS))
}

async fn export(connection: &Connection, file: Option<&Path>, output: Output) -> Result<(), Failure> {
    let api = connection.open()?;
    let Some(path) = file else {
        let mut ended = false;
        api.lines(&["audit", "export"], &[], |line| {
            ended = is_end(line)?;
            output::print(line)
        })
        .await?;
        return if ended { Ok(()) } else { Err(cut_short()) };
    };
    let mut writer = std::io::BufWriter::new(output::private_file(path)?);
    let spinner = output.spinner("taking the audit log away");
    let mut ended = None;
    api.lines(&["audit", "export"], &[], |line| {
        if is_end(line)? {
            ended = serde_json::from_str::<Value>(line).ok();
        }
        writeln!(writer, "{line}").map_err(Failure::writing(path))
    })
    .await?;
    writer.flush().map_err(Failure::writing(path))?;
    spinner.finish_and_clear();
    let Some(end) = ended else { return Err(cut_short()) };
    let end = end.get("end").cloned().unwrap_or_default();
    let document = json!({
        "file": path, "seals": end.get("seals"), "entries": end.get("entries"), "anchor": end.get("anchor"),
    });
    output.show(&document, || {
        format!(
            "{}: {} entries under {} seals, up to {}",
            path.display(),
            text_at(&end, "/entries"),
            text_at(&end, "/seals"),
            text_at(&end, "/anchor")
        )
    })
}

fn cut_short() -> Failure {
    Failure::Waited("the export was cut short: it has no last line; try again".into())
}

/// Whether a line is the last one of an export.
///
/// # Errors
/// What the server says that it failed with.
fn is_end(line: &str) -> Result<bool, Failure> {
    failed(line)?;
    Ok(line.starts_with(r#"{"end":"#))
}

/// Passes a line that says no failure.
fn failed(line: &str) -> Result<(), Failure> {
    if !line.starts_with(r#"{"failure":"#) {
        return Ok(());
    }
    let said: Value = serde_json::from_str(line).unwrap_or_default();
    Err(Failure::Waited(format!("the server stopped half-way: {}", text_at(&said, "/failure/detail"))))
}

async fn verify(connection: &Connection, how: VerifyArguments, output: Output) -> Result<(), Failure> {
    let anchors = how.against.iter().map(|text| read_anchor(text)).collect::<Result<Vec<_>, _>>()?;
    let account = if how.on_this_machine {
        let (fleet, host) = machine::at_home(&connection.home().open()?).await?;
        let begun = Verification::begin(&fleet, &host, &anchors, machine::now()).await?;
        let bar = output.bar(0, "reading the audit log");
        let account = begun.run(machine::now, |so_far| show(&bar, so_far)).await?;
        bar.finish_and_clear();
        account.to_json()
    } else if let Some(file) = &how.file {
        let spinner = output.spinner("reading the export");
        let account = verify_file(file, &anchors)?;
        spinner.finish_and_clear();
        account.to_json()
    } else {
        verify_there(connection, &anchors, output).await?
    };
    let whole = account.get("whole").and_then(Value::as_bool).unwrap_or(false);
    output.show(&account, || in_words(&account))?;
    if whole { Ok(()) } else { Err(Failure::Broken) }
}

/// An anchor as somebody typed it from paper: blanks are none of its own.
fn read_anchor(text: &str) -> Result<Anchor, Failure> {
    let joined: String = text.split_whitespace().collect();
    joined.to_lowercase().parse().map_err(|error: types::InvalidName| Failure::Usage(error.to_string()))
}

fn show(bar: &ProgressBar, so_far: Progress) {
    bar.set_length(so_far.of);
    bar.set_position(so_far.seals);
}

async fn verify_there(connection: &Connection, anchors: &[Anchor], output: Output) -> Result<Value, Failure> {
    let against = anchors.iter().map(Anchor::to_string).collect::<Vec<_>>().join(",");
    let query: &[(&str, &str)] = if anchors.is_empty() { &[] } else { &[("against", &against)] };
    let bar = output.bar(0, "the server reads its audit log");
    let mut account = None;
    connection
        .open()?
        .lines(&["audit", "verification"], query, |line| {
            failed(line)?;
            let said: Value = serde_json::from_str(line).unwrap_or_default();
            if let Some(found) = said.get("account") {
                account = Some(found.clone());
            }
            let number = |name: &str| said.pointer(name).and_then(Value::as_u64);
            if let (Some(seals), Some(of)) = (number("/progress/seals"), number("/progress/of")) {
                show(&bar, Progress { seals, of, entries: 0 });
            }
            Ok(())
        })
        .await?;
    bar.finish_and_clear();
    account.ok_or_else(|| Failure::Waited("the server stopped half-way; verify again".into()))
}

/// Verifies an export. Nothing of it is kept but one seal with its entries.
fn verify_file(path: &Path, anchors: &[Anchor]) -> Result<Account, Failure> {
    let bad = |number: usize, problem: &dyn std::fmt::Display| Failure::BadFile {
        path: path.to_owned(),
        problem: format!("line {number}: {problem}"),
    };
    let file = std::fs::File::open(path).map_err(Failure::reading(path))?;
    let mut verifier = Verifier::new(anchors);
    let mut open: Option<(Seal, Vec<Row>)> = None;
    let mut tail = None;
    let mut end = None;
    let mut read = (0_u64, 0_u64);
    let now = machine::now();
    // How often each number stands there: a chain that is all in one hand holds none twice.
    let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
    for (number, line) in (1..).zip(std::io::BufReader::new(file).lines()) {
        let line = line.map_err(Failure::reading(path))?;
        if end.is_some() {
            return Err(bad(number, &"something stands after the end"));
        }
        match lines::read(&line).map_err(|error| bad(number, &error))? {
            Line::Format if number == 1 => {}
            Line::Format => return Err(bad(number, &"another export begins here")),
            Line::Part(_) if number == 1 => return Err(bad(number, &"the line with the format is missing")),
            Line::Part(Exported::Seal(seal)) => {
                read.0 += 1;
                if let Some((before, rows)) = open.replace((seal, Vec::new())) {
                    verifier.seal(&before, &rows);
                }
            }
            Line::Part(Exported::Entry(row)) => {
                read.1 += 1;
                *numbers.entry(row.seq).or_default() += 1;
                match &mut open {
                    Some((seal, rows)) if row.seal_number == Some(seal.number) => rows.push(row),
                    _ => {
                        if let Some((before, rows)) = open.take() {
                            verifier.seal(&before, &rows);
                        }
                        verifier.without_a_seal(&row, now);
                        Tail::grow(&mut tail, &row);
                    }
                }
            }
            Line::Part(Exported::End { seals, entries, anchor: _ }) => end = Some((seals, entries)),
        }
    }
    if let Some((before, rows)) = open.take() {
        verifier.seal(&before, &rows);
    }
    if end != Some(read) {
        let problem = match end {
            None => "it was cut short: the last line is missing; export the log again".to_owned(),
            Some((seals, entries)) => format!(
                "its last line counts {seals} seals and {entries} entries, and there are {} and {}: lines were removed \
                 or put in",
                read.0, read.1
            ),
        };
        return Err(Failure::BadFile { path: path.to_owned(), problem });
    }
    if let Some((twice, _times)) = numbers.iter().find(|(_number, times)| **times > 1) {
        return Err(Failure::BadFile {
            path: path.to_owned(),
            problem: format!("the entry {twice} stands in it twice: a line was put in"),
        });
    }
    Ok(Account { at: now, report: verifier.finish(), tail })
}

fn in_words(account: &Value) -> String {
    let whole = account.get("whole").and_then(Value::as_bool).unwrap_or(false);
    let mut lines = vec![if whole {
        "the audit log is whole".to_owned()
    } else {
        "the audit log is NOT whole:".to_owned()
    }];
    let said = |list: &str| -> Vec<String> {
        let items = account.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().map(|item| format!("  {}", printable(&text_at(item, "/words")))).collect()
    };
    lines.extend(said("findings"));
    if let Some(more) = account.get("findings_left_off").and_then(Value::as_u64).filter(|more| *more > 0) {
        lines.push(format!("  and {more} more"));
    }
    lines.push(format!(
        "{} entries under {} seals; {} emptied in time",
        text_at(account, "/entries"),
        text_at(account, "/seals"),
        text_at(account, "/purged")
    ));
    if account.get("tail").is_some_and(Value::is_object) {
        lines.push(format!(
            "{} entries have no seal yet: {} to {}, the oldest of {}",
            text_at(account, "/unsealed"),
            text_at(account, "/tail/first"),
            text_at(account, "/tail/last"),
            text_at(account, "/tail/since")
        ));
    }
    let remarks = said("remarks");
    if !remarks.is_empty() {
        lines.push("to be known, and no flaw:".to_owned());
        lines.extend(remarks);
    }
    lines.push(format!("anchor: {}", text_at(account, "/anchor")));
    lines.join("\n")
}
