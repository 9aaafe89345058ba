//! `ardoise profile`: what is wrong with layers, what tablets would be given, what differs between two; and, over the
//! API, their versions from a draft to publication.

use std::path::{Path, PathBuf};

use apple::OsVersion;
use clap::{Args, Subcommand, ValueEnum};
use pki::{Authority, AuthorityKey, SigningKey, sign_attached};
use profiles::catalogue::Language;
use profiles::render::{ApiLevel, Frame, IpadTarget, Why};
use profiles::report::{Change, LintReport, NoPreview, Platform, Preview, Source, diff, lint, preview};
use profiles::{Problem, Severity};
use serde_json::{Value, json};
use types::{Clock as _, Day, Duration, Instant, SystemClock};

use crate::failure::Failure;
use crate::output::{Output, print_bytes};
use crate::remote::{Connection, profile as versions};

const EXAMPLES: &str = "\
Examples:
  ardoise profile lint profiles/*.toml
  ardoise profile render profiles/socle.toml --platform ipados --os 27.0 --unsigned
  ardoise profile render profiles/socle.toml | openssl cms -verify -inform DER -noverify | plistutil -f xml
  ardoise profile render profiles/socle.toml profiles/eleve.toml --os 15.0 --unsupervised --json
  ardoise profile render profiles/socle.toml --platform android-agent --os 13
  ardoise profile diff profiles/socle.toml profiles/urgence.toml --language fr

Those read files, without a server. A layer takes effect by one: the département and the académie each approve exactly
its text, neither of them by its author; what a collège adds, it decides itself.

  ardoise profile draft profiles/socle.toml
  ardoise profile submit VERSION --reason \"AirDrop is off from September\"
  ardoise profile diff in-force VERSION              what would change, in words
  ardoise profile approve VERSION --seen 3f2a91c0    signs the text that has this hash, and nothing else
  ardoise profile plan VERSION --canary 0761234A --percent 10
  ardoise profile publish VERSION --on 2027-09-01 --canary 0761234A --percent 10
  ardoise profile rollout VERSION
  ardoise profile rollout VERSION roll-back --reason \"the reader app closes\"
  ardoise profile emergency order VERSION --from 2027-03-16 --until 2027-04-14 --reason \"the schools are closed\"

`render` prints the profile alone on standard output, and the rest on standard error: what declarations and settings
go with it, and what is left out and why. Into a file or a pipe it is signed, as tablets are given it, though by a key
that none of them trusts; on a terminal, and with `--unsigned`, it is the property list itself. `--json` prints
everything.";

/// What is asked of layers.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what is wrong with layers, each by itself and together on one tablet.
    ///
    /// Each line that is wrong is told with its file and number, what would be right, and the rule that
    /// asks for it, such as C3.1.3. Then the files are put together in every way that one tablet may have
    /// them, and what contradicts is told with both layers. It fails if anything is refused; a line of
    /// advice refuses nothing. No server is asked.
    ///
    ///   ardoise profile lint profiles/*.toml
    ///   ardoise profile lint profiles/socle.toml our-college.toml
    #[command(verbatim_doc_comment)]
    Lint(Lint),
    /// Print what a tablet with these layers would be given, and beside it what is left out and why.
    ///
    /// The profile goes to standard output, the rest to standard error. Into a file or a pipe it is
    /// signed, as tablets are given it, though by a key that none of them trusts; on a terminal, and with
    /// --unsigned, it is the property list itself. For the Android agent it is its configuration, as JSON.
    /// What a tablet that old, or that is not supervised, does not do is said line by line.
    ///
    ///   ardoise profile render profiles/socle.toml --os 27.0 --unsigned
    ///   ardoise profile render profiles/socle.toml | openssl cms -verify -inform DER -noverify
    ///   ardoise profile render profiles/socle.toml profiles/eleve.toml --os 15.0 --unsupervised --json
    ///   ardoise profile render profiles/socle.toml --platform android-agent --os 13
    #[command(verbatim_doc_comment)]
    Render(Render),
    /// Say in words what differs from one layer to another: files, or versions of a server.
    ///
    /// Each change says what it was, what it is, and which way it goes: stricter, looser, or neither.
    /// Passwords are never shown, only that they differ. Whoever approves a version looks at this first.
    ///
    ///   ardoise profile diff profiles/socle.toml profiles/urgence.toml --language fr
    ///   ardoise profile diff in-force VERSION
    ///   ardoise profile diff VERSION VERSION
    #[command(verbatim_doc_comment)]
    Diff(Diff),
    #[command(flatten)]
    Version(versions::Action),
}

#[derive(Debug, Args)]
struct Lint {
    /// The layers.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct Render {
    /// The tablet's layers, of which one is a base.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the tablet runs.
    #[arg(long, value_enum, default_value_t = System::Ipados)]
    platform: System,
    /// Its version, of iPadOS or of Android; the newest unless told.
    #[arg(long, value_name = "VERSION")]
    os: Option<String>,
    /// The tablet is not supervised.
    #[arg(long)]
    unsupervised: bool,
    /// Print the property list itself, for `plutil` and `plistutil`, into files and pipes too.
    #[arg(long)]
    unsigned: bool,
    /// What identifiers begin with: a domain of the organisation's own, reversed.
    #[arg(long, default_value = "fr.departement.ardoise", value_name = "DOMAIN")]
    identifier: String,
    /// Who made the profile.
    #[arg(long, default_value = "Département", value_name = "NAME")]
    organisation: String,
    /// The language of the reasons.
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    language: Tongue,
}

#[derive(Debug, Args)]
struct Diff {
    /// The layer before: a file; a version, or `in-force`.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The layer after: a file; or a version.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    #[command(flatten)]
    connection: Connection,
    /// The language of the differences.
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    language: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum System {
    /// An iPad.
    Ipados,
    /// A tablet with the open Android agent.
    AndroidAgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    /// English.
    En,
    /// French.
    Fr,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::English,
            Tongue::Fr => Self::French,
        }
    }
}

/// The newest systems that are known here.
const NEWEST_IPADOS: &str = "27.0";
const NEWEST_ANDROID: &str = "16";

/// Looks at layers.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    match arguments.action {
        Action::Lint(arguments) => run_lint(&arguments, output),
        Action::Render(arguments) => run_render(&arguments, output),
        Action::Diff(arguments) => match version(&arguments.after) {
            Some(after) => {
                let before = arguments.before.to_string_lossy().into_owned();
                let before = (before != "in-force").then_some(before);
                let french = arguments.language == Tongue::Fr;
                versions::diff(arguments.connection, before.as_deref(), &after, french, output).await
            }
            None => run_diff(&arguments, output),
        },
        Action::Version(action) => Box::pin(versions::run(action, output)).await,
    }
}

/// The id of a version, if that is what was typed in the place of a file.
fn version(typed: &Path) -> Option<String> {
    let typed = typed.to_string_lossy();
    typed.parse::<types::ProfileVersionId>().ok().map(|id| id.to_string())
}

fn run_lint(arguments: &Lint, output: Output) -> Result<(), Failure> {
    let texts = read_all(&arguments.files)?;
    let report = lint(&sources(&texts), today());
    output.show(&report.to_json(), || told(&report))?;
    let errors = report.count(Severity::Error) + report.together.len();
    if report.is_refused() {
        Err(Failure::Layers(format!("{errors} {}", counted(errors, "error"))))
    } else {
        Ok(())
    }
}

fn told(report: &LintReport) -> String {
    let mut lines: Vec<String> = Vec::new();
    for file in &report.files {
        lines.extend(file.problems.iter().map(Problem::to_string));
        if let Some(layer) = &file.layer {
            lines.push(format!("{}: {layer} can be used", file.file));
        }
    }
    for together in &report.together {
        let files = together.files.join(" + ");
        lines.extend(together.refusals.iter().map(|refusal| match refusal.rule() {
            Some(rule) => format!("{files}: error: {refusal} ({rule})"),
            None => format!("{files}: error: {refusal}"),
        }));
    }
    for together in &report.in_vain {
        let files = together.files.join(" + ");
        lines.extend(together.refusals.iter().map(|refusal| format!("{files}: advice: {refusal}")));
    }
    lines.push(format!("{} ways of putting them together were tried", report.tried));
    lines.join("\n")
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

fn run_render(arguments: &Render, output: Output) -> Result<(), Failure> {
    let platform = platform(arguments)?;
    let frame = Frame::new(&arguments.identifier, &arguments.organisation)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let texts = read_all(&arguments.files)?;
    let preview = preview(&sources(&texts), platform, &frame, today()).map_err(|error| match error {
        NoPreview::TooOld(error) => Failure::Usage(error.to_string()),
        wrong => Failure::Layers(wrong.to_string()),
    })?;
    if output.is_json() {
        return output.show(&preview.to_json(), String::new);
    }
    let mut signed = None;
    let (document, beside) = match &preview {
        Preview::Ipad { rendering, .. } => {
            let xml = rendering.profile.to_xml();
            if !arguments.unsigned && !Output::is_on_a_terminal() {
                signed = Some(signed_for_a_look(&xml, SystemClock.now())?);
            }
            let declarations = rendering.declarations.len();
            let settings = rendering.settings.len();
            let beside = format!(
                "beside the profile: {declarations} {}, {settings} {} (see --json)",
                counted(declarations, "declaration"),
                counted(settings, "setting"),
            );
            (String::from_utf8_lossy(&xml).into_owned(), Some(beside))
        }
        Preview::Agent { rendering, .. } => {
            let fields = Value::Object(rendering.fields.clone());
            (serde_json::to_string_pretty(&fields).unwrap_or_else(|_unwritable| fields.to_string()), None)
        }
    };
    let mut notes: Vec<String> = beside.into_iter().collect();
    notes.extend(signed.as_ref().map(|_message| SIGNED.to_owned()));
    // What is for the other platform is no loss on this one.
    let (elsewhere, left_out): (Vec<_>, Vec<_>) =
        preview.left_out().iter().partition(|left| left.why == Why::OtherPlatform);
    let language = arguments.language.into();
    notes.extend(
        left_out.iter().map(|left| format!("left out: {}: {}", left.what, left.why.sentence(language))),
    );
    if !elsewhere.is_empty() {
        let parts = counted(elsewhere.len(), "part");
        notes.push(format!("for the other platform: {} {parts} (see --json)", elsewhere.len()));
    }
    notes.extend(preview.intent().withheld().keys().map(|app| format!("blocked although given: {app}")));
    output.note(&notes.join("\n"));
    match signed {
        Some(message) => print_bytes(&message),
        None => output.show(&Value::Null, || document),
    }
}

/// What is said beside a signed profile.
const SIGNED: &str = "signed by a key that was made for this alone, which no tablet trusts: \
                      `openssl cms -verify -inform DER -noverify` gives the property list, and so does --unsigned";

/// Signs as a server does. Its key stays with it: whoever renders files has another, which is forgotten at once.
fn signed_for_a_look(xml: &[u8], now: Instant) -> Result<Vec<u8>, Failure> {
    let wrong = |error: &dyn std::error::Error| Failure::Signing(error.to_string());
    let validity = Duration::from_secs(24 * 3_600);
    let authority = Authority::generate_with("Ardoise, not trusted", now, validity, AuthorityKey::Rsa2048)
        .map_err(|error| wrong(&error))?;
    sign_attached(xml, &SigningKey::of_authority(&authority)).map_err(|error| wrong(&error))
}

fn platform(arguments: &Render) -> Result<Platform, Failure> {
    let os = arguments.os.as_deref();
    match arguments.platform {
        System::Ipados => {
            let version: OsVersion = os
                .unwrap_or(NEWEST_IPADOS)
                .parse()
                .map_err(|error: apple::InvalidOsVersion| Failure::Usage(error.to_string()))?;
            Ok(Platform::Ipad(IpadTarget { version, supervised: !arguments.unsupervised }))
        }
        System::AndroidAgent if arguments.unsupervised || arguments.unsigned => {
            let what = if arguments.unsupervised { "--unsupervised" } else { "--unsigned" };
            Err(Failure::Usage(format!("`{what}` goes with `--platform ipados`")))
        }
        System::AndroidAgent => {
            let level: ApiLevel = os
                .unwrap_or(NEWEST_ANDROID)
                .parse()
                .map_err(|error: profiles::render::NotAnAndroid| Failure::Usage(error.to_string()))?;
            Ok(Platform::Agent(level))
        }
    }
}

fn run_diff(arguments: &Diff, output: Output) -> Result<(), Failure> {
    let texts = read_all(&[arguments.before.clone(), arguments.after.clone()])?;
    let both = sources(&texts);
    let [before, after] = both.as_slice() else { return Ok(()) };
    let changes = diff(*before, *after).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        Failure::Layers(lines.join("\n"))
    })?;
    let document = json!({ "changes": changes.iter().map(Change::to_json).collect::<Vec<_>>() });
    output.show(&document, || {
        if changes.is_empty() {
            return "no difference".to_owned();
        }
        let sentences = changes.iter().map(|change| change.sentence(arguments.language.into()));
        sentences.collect::<Vec<_>>().join("\n")
    })
}

/// The texts, each with the name it was given by.
fn read_all(files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    files.iter().map(|file| Ok((file.display().to_string(), read(file)?))).collect()
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(Failure::reading(file))?;
    String::from_utf8(bytes).map_err(|_not_text| Failure::BadFile {
        path: file.to_owned(),
        problem: "expected a text in UTF-8".to_owned(),
    })
}

fn sources(texts: &[(String, String)]) -> Vec<Source<'_>> {
    texts.iter().map(|(file, text)| Source { file, text }).collect()
}

fn today() -> Day {
    Day::of(SystemClock.now())
}
