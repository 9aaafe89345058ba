//! `ardoise demo`: the real server on loopback, with simulated tablets and a stand-in for Apple's push service.
//!
//! A *story* is told step by step, and every check shows what was expected and what was seen, read through the
//! public API: what a story proves is what an operator would see. Without a story a whole département stays
//! up, to be looked at.

mod brake;
mod classroom;
mod departement;
mod first_day;
mod loan_year;
mod morning;
mod scratch;
mod span;
mod stage;
mod stolen_tablet;
mod teller;
mod two_keys;

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::failure::{Failure, with_causes};
use crate::interruption::Interruption;
use crate::output::{self, Output};
use crate::table::table;
use scratch::Scratch;
use stage::Stage;
use teller::Teller;

const EXAMPLES: &str = "\
  ardoise demo                                        a département: two collèges, 200 tablets, until Ctrl-C
  ardoise demo --list                                 which stories there are
  ardoise demo first-day --tablets 50 --json          one story; its last line is JSON, its exit code the verdict
  ardoise demo first-day --database postgresql://me@localhost/postgres
                                                      in a scratch database, made beside that one and dropped

Everything happens on this machine, in a temporary folder, and is gone afterwards.";

/// The most tablets of a demo: what two processors show in a reasonable time.
const MOST_TABLETS: u64 = 20_000;

/// What is shown.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The story; without one, a département that stays up.
    #[arg(value_enum)]
    story: Option<Story>,

    /// How many tablets; `first-day` has 20 unless told, `brake` 13,000, `morning` 2,000,
    /// `loan-year` 6, `stolen-tablet` 1, `two-keys` 100, the département 200.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_TABLETS))]
    tablets: Option<u64>,

    /// How long, such as 20s, 5m or 1h: the département stays up that long; a story fails if it takes longer.
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    span: Option<Duration>,

    /// In `morning`: tablets go on with the TLS sessions of the evening before.
    #[arg(long)]
    resumption: bool,

    /// A PostgreSQL server, by the URL of a database of it; SQLite in the temporary folder unless told.
    #[arg(long, value_name = "URL")]
    database: Option<String>,

    /// List the stories.
    #[arg(long, conflicts_with_all = ["story", "tablets", "span", "database"])]
    list: bool,
}

/// A story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Story {
    /// From the inventory to a profile that the tablets report: links, SCEP, push, commands
    FirstDay,
    /// A stolen administrator tries to erase and unenrol a whole fleet, by every way there is
    Brake,
    /// A fleet that enrolled long ago wakes within some minutes, locked screens and broken lines included
    Morning,
    /// Tablets come back in every way, and each is erased by an order, proven empty, or not erased at all
    LoanYear,
    /// A tablet is stolen: lost mode, a warrant that a second person grants, three positions, and their death
    StolenTablet,
    /// A base is refused alone, approved by two, and comes in waves to tablets of iPadOS 15 to 27
    TwoKeys,
}

impl Story {
    const fn name(self) -> &'static str {
        match self {
            Self::FirstDay => "first-day",
            Self::Brake => "brake",
            Self::Morning => "morning",
            Self::LoanYear => "loan-year",
            Self::StolenTablet => "stolen-tablet",
            Self::TwoKeys => "two-keys",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::FirstDay => {
                "from the inventory to a profile that the tablets report: links, SCEP, push, commands"
            }
            Self::Brake => {
                "a stolen administrator tries to erase and unenrol a whole fleet, by every way there is"
            }
            Self::Morning => {
                "a fleet that enrolled long ago wakes within some minutes, locked screens and broken lines included"
            }
            Self::LoanYear => {
                "tablets come back in every way, and each is erased by an order, proven empty, or not erased at all"
            }
            Self::StolenTablet => {
                "a tablet is stolen: lost mode, a warrant that a second person grants, three positions, and their death"
            }
            Self::TwoKeys => {
                "a base is refused alone, approved by two, and comes in waves to tablets of iPadOS 15 to 27"
            }
        }
    }

    /// How many tablets it has unless told.
    const fn tablets(self) -> u64 {
        match self {
            Self::FirstDay => 20,
            // All but three of them stand in the database only.
            Self::Brake => 13_000,
            Self::Morning => 2_000,
            Self::LoanYear => 6,
            Self::StolenTablet => 1,
            Self::TwoKeys => 100,
        }
    }

    /// What its last line tells, in this order.
    const fn figures(self) -> &'static [&'static str] {
        match self {
            Self::FirstDay => &["checks", "tablets", "enrolled", "acknowledged"],
            Self::Brake => &["rightly", "erased", "unenrolled", "returned", "checks", "tablets"],
            Self::LoanYear => &["erased", "erased_without_order", "proven", "checks", "tablets"],
            Self::Morning => &[
                "checks",
                "tablets",
                "connects",
                "p50_ms",
                "p99_ms",
                "errors",
                "retried",
                "pushes",
                "memory_mb",
                "resumed",
            ],
            Self::StolenTablet => {
                &["positions_readable", "positions", "requests", "refused", "looks", "notices", "checks"]
            }
            Self::TwoKeys => &["checks", "tablets", "delivered", "waves", "alarms"],
        }
    }
}

/// What a story did, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Figures(Vec<(&'static str, u64)>);

impl Figures {
    fn new(story: Story) -> Self {
        Self(story.figures().iter().map(|name| (*name, 0)).collect())
    }

    /// Notes a number that the last line tells.
    fn set(&mut self, name: &str, number: u64) {
        self.0.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, value)| *value = number);
    }
}

/// The last line of a story, for programs.
#[derive(Debug)]
struct Verdict<'a> {
    story: &'a str,
    ok: bool,
    figures: Figures,
    seconds: f64,
    problem: Option<String>,
}

impl Serialize for Verdict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("story", self.story)?;
        line.serialize_entry("ok", &self.ok)?;
        for (name, number) in &self.figures.0 {
            line.serialize_entry(name, number)?;
        }
        line.serialize_entry("seconds", &self.seconds)?;
        if let Some(problem) = &self.problem {
            line.serialize_entry("problem", problem)?;
        }
        line.end()
    }
}

/// Shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    if arguments.list {
        let stories: Vec<_> = Story::value_variants()
            .iter()
            .map(|story| json!({ "story": story.name(), "about": story.about() }))
            .collect();
        return output.show(&json!(stories), || table(&stories, &[("story", "/story"), ("about", "/about")]));
    }
    let scratch = match arguments.database.as_deref() {
        None => None,
        Some(url) => Some(Scratch::make(url).await?),
    };
    let database = scratch.as_ref().map(Scratch::url);
    let shown = match arguments.story {
        Some(story) => Box::pin(tell(story, &arguments, database, output)).await,
        None => Box::pin(departement::run(&arguments, database, output)).await,
    };
    if let Some(scratch) = scratch {
        scratch.drop(output).await;
    }
    shown
}

/// Tells a story, and ends with its verdict whatever happened.
async fn tell(
    story: Story,
    arguments: &Arguments,
    database: Option<&str>,
    output: Output,
) -> Result<(), Failure> {
    let began = Instant::now();
    let tablets = arguments.tablets.unwrap_or_else(|| story.tablets());
    let mut teller = Teller::new(output);
    let mut figures = Figures::new(story);
    figures.set("tablets", tablets);
    let mut interruption = Interruption::listen()?;
    let told = {
        let whole = Box::pin(play(story, tablets, arguments, database, &mut teller, &mut figures));
        let late = async {
            match arguments.span {
                None => std::future::pending().await,
                Some(span) => {
                    tokio::time::sleep(span).await;
                    span
                }
            }
        };
        tokio::select! {
            told = whole => told,
            span = late => Err(Failure::Story(format!("it took longer than {}", span::shown(span)))),
            () = interruption.comes() => Err(Failure::Story("it was interrupted".into())),
        }
    };
    let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    let (checks, failed) = teller.counts();
    figures.set("checks", u64::try_from(checks).unwrap_or(u64::MAX));
    let verdict = Verdict {
        story: story.name(),
        ok: told.is_ok() && failed == 0,
        figures,
        seconds,
        problem: told.as_ref().err().map(|failure| with_causes(failure)),
    };
    if output.is_json() {
        let line = serde_json::to_string(&verdict).map_err(|error| Failure::Story(error.to_string()))?;
        output::print(&line)?;
    } else {
        teller.end(&verdict_in_words(&verdict));
    }
    told?;
    if failed == 0 { Ok(()) } else { Err(Failure::Checks { failed, checks }) }
}

fn verdict_in_words(verdict: &Verdict<'_>) -> String {
    let Verdict { story, ok, figures, seconds, .. } = verdict;
    let end = if *ok { "as told" } else { "not as told" };
    let figures: Vec<String> = figures.0.iter().map(|(name, number)| format!("{name} {number}")).collect();
    format!("{story}: {end}; {}; {seconds} s", figures.join(", "))
}

async fn play(
    story: Story,
    tablets: u64,
    arguments: &Arguments,
    database: Option<&str>,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    if arguments.resumption && story != Story::Morning {
        return Err(Failure::Story("`--resumption` is for the story `morning`".into()));
    }
    teller.step("a server on loopback, with a stand-in for Apple's push service");
    let stage = Box::pin(Stage::open(database)).await?;
    teller.tell(&format!("tablets at {}, people at {}", stage.tablets_url(), stage.people_url()));
    let told = match story {
        Story::FirstDay => Box::pin(first_day::tell(&stage, tablets, teller, figures)).await,
        Story::Brake => Box::pin(brake::tell(&stage, tablets, database, teller, figures)).await,
        Story::LoanYear => Box::pin(loan_year::tell(&stage, teller, figures)).await,
        Story::Morning => {
            Box::pin(morning::tell(&stage, tablets, arguments.resumption, teller, figures)).await
        }
        Story::StolenTablet => Box::pin(stolen_tablet::tell(&stage, database, teller, figures)).await,
        Story::TwoKeys => Box::pin(two_keys::tell(&stage, tablets, teller, figures)).await,
    };
    stage.close().await;
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_has_its_keys_in_their_order() {
        let verdict = Verdict {
            story: "first-day",
            ok: true,
            figures: Figures(vec![("checks", 9), ("tablets", 50), ("enrolled", 50), ("acknowledged", 350)]),
            seconds: 6.2,
            problem: None,
        };
        assert_eq!(
            serde_json::to_string(&verdict).unwrap(),
            r#"{"story":"first-day","ok":true,"checks":9,"tablets":50,"enrolled":50,"acknowledged":350,"seconds":6.2}"#
        );
    }

    #[test]
    fn the_last_line_of_the_brake_begins_with_what_it_promises() {
        let figures = Figures::new(Story::Brake);
        let verdict = Verdict { story: "brake", ok: true, figures, seconds: 1.0, problem: None };
        let line = serde_json::to_string(&verdict).unwrap();
        assert!(
            line.starts_with(r#"{"story":"brake","ok":true,"rightly":0,"erased":0,"unenrolled":0,"#),
            "{line}"
        );
    }

    #[test]
    fn a_story_is_typed_by_the_name_it_is_told_by() {
        for story in Story::value_variants() {
            let typed = story.to_possible_value().unwrap();
            assert_eq!(typed.get_name(), story.name());
        }
    }
}
