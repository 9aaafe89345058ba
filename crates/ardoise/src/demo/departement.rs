//! A département for the demo: two collèges with their tablets; and the one that stays up to be looked at.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::classroom::Classroom;
use super::stage::Stage;
use super::{Arguments, span};
use crate::failure::Failure;
use crate::interruption::Interruption;
use crate::output::Output;
use crate::remote::{Api, Body};
use crate::table::{Column, sheet, text_at};

/// How many tablets it has unless told.
const TABLETS: u64 = 200;
/// Profiles that the trolley's link gives out beyond its tablets: the stranger's, and downloads that broke.
const SPARE_USES: usize = 10;
/// Requests to the API at the same time.
const AT_ONCE: usize = 8;
const MODEL: &str = "iPad (10e génération)";

/// A collège and its tablets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct College {
    uai: &'static str,
    serials: Vec<String>,
}

/// Two collèges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Departement {
    trolley: College,
    others: College,
}

/// The links that were made for it.
#[derive(Debug)]
pub(super) struct Links {
    /// As the API showed them.
    pub(super) made: Vec<Value>,
    trolley: String,
    own: BTreeMap<String, String>,
}

impl Links {
    /// The address of the trolley's link.
    pub(super) fn trolley(&self) -> &str {
        &self.trolley
    }

    /// The address by which a tablet enrols: its own, or the trolley's.
    pub(super) fn of(&self, serial: &str) -> &str {
        self.own.get(serial).unwrap_or(&self.trolley)
    }
}

impl Departement {
    /// One of `tablets` tablets, the first collège having the odd one.
    pub(super) fn of(tablets: u64) -> Self {
        let serial = |number| format!("DMPX{number:08}");
        let first = tablets.div_ceil(2);
        Self {
            trolley: College { uai: "0761234A", serials: (1..=first).map(serial).collect() },
            others: College { uai: "0765678B", serials: (first + 1..=tablets).map(serial).collect() },
        }
    }

    /// Every serial number.
    pub(super) fn serials(&self) -> Vec<String> {
        self.colleges().flat_map(|college| college.serials.iter().cloned()).collect()
    }

    /// The UAI code of the first collège, and its tablets.
    pub(super) fn first(&self) -> (&'static str, &[String]) {
        (self.trolley.uai, &self.trolley.serials)
    }

    /// A serial number that is in nobody's inventory.
    pub(super) const fn stranger(&self) -> &'static str {
        "GG7ZSTRANGER"
    }

    /// Its inventory, as the supplier delivers it.
    fn csv(&self) -> String {
        let mut csv = String::from("serial,asset_tag,model,platform,uai\n");
        for college in self.colleges() {
            for (number, serial) in (1..).zip(&college.serials) {
                csv.push_str(&format!("{serial},{}-{number:04},{MODEL},ipad,{}\n", college.uai, college.uai));
            }
        }
        csv
    }

    /// Imports its inventory.
    pub(super) async fn import(&self, api: &Api) -> Result<Value, Failure> {
        api.post(&["inventory"], Body::Bytes("text/csv", self.csv().into_bytes())).await
    }

    /// Makes its links: one for the trolley of the first collège, one for each tablet of the second.
    pub(super) async fn links(&self, api: &Api) -> Result<Links, Failure> {
        let uses = self.trolley.serials.len() + SPARE_USES;
        let batch = json!({ "uai": self.trolley.uai, "max_uses": uses });
        let batch = api.post(&["links"], Body::Json(batch)).await?;
        let trolley = text_at(&batch, "/url");
        let own: Vec<(String, Value)> = stream::iter(&self.others.serials)
            .map(|serial| async move {
                let link = api.post(&["links"], Body::Json(json!({ "tablet": serial }))).await?;
                Ok::<_, Failure>((serial.clone(), link))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let made = std::iter::once(&batch).chain(own.iter().map(|(_serial, link)| link)).cloned().collect();
        let own = own.iter().map(|(serial, link)| (serial.clone(), text_at(link, "/url"))).collect();
        Ok(Links { made, trolley, own })
    }

    fn colleges(&self) -> impl Iterator<Item = &College> {
        [&self.trolley, &self.others].into_iter()
    }
}

const FIELDS: &[Column] = &[
    ("tablets' door", "/tablets_url"),
    ("people's door", "/people_url"),
    ("API", "/openapi"),
    ("token", "/token"),
    ("trust", "/trust"),
    ("tablets", "/tablets"),
    ("enrolled", "/enrolled"),
];

/// A département that stays up until it is told to stop, or as long as was said.
pub(super) async fn run(
    arguments: &Arguments,
    database: Option<&str>,
    output: Output,
) -> Result<(), Failure> {
    let tablets = arguments.tablets.unwrap_or(TABLETS);
    let mut interruption = Interruption::listen()?;
    let stage = Box::pin(Stage::open(database)).await?;
    let shown = tokio::select! {
        shown = Box::pin(stay(&stage, tablets, arguments, output)) => shown,
        () = interruption.comes() => Ok(()),
    };
    output.note("the département goes, with everything that was made for it");
    stage.close().await;
    shown
}

async fn stay(stage: &Stage, tablets: u64, arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let departement = Departement::of(tablets);
    departement.import(stage.api()).await?;
    let links = departement.links(stage.api()).await?;
    let bar = output.bar(tablets, "enrolling simulated tablets");
    let classroom = Box::pin(Classroom::enrol(
        stage,
        &departement,
        &links,
        |_place, serial| stage.ipad(serial),
        || bar.inc(1),
    ))
    .await;
    bar.finish_and_clear();
    let classroom = classroom?;
    classroom.problems().iter().for_each(|problem| output.note(problem));

    let status = stage.api().get(&["status"]).await?;
    let document = json!({
        "tablets_url": stage.tablets_url(),
        "people_url": stage.people_url(),
        "openapi": format!("{}api/v1/openapi.json", stage.people_url()),
        "token": stage.token(),
        "trust": stage.trust_file(),
        "tablets": status.pointer("/tablets"),
        "enrolled": status.pointer("/enrolled"),
    });
    output.show(&document, || told(stage, &document, arguments))?;

    match arguments.span {
        None => std::future::pending::<()>().await,
        Some(span) => tokio::time::sleep(span).await,
    }
    if let Some(problem) = classroom.dismiss() {
        output.note(&problem);
    }
    Ok(())
}

fn told(stage: &Stage, document: &Value, arguments: &Arguments) -> String {
    let until = match arguments.span {
        None => "until Ctrl-C".to_owned(),
        Some(span) => format!("for {}", span::shown(span)),
    };
    let program = program();
    format!(
        "A département with simulated tablets, {until}.\n\n{}\n\nFrom another terminal:\n  \
         export ARDOISE_SERVER={} ARDOISE_TRUST={} ARDOISE_TOKEN={}\n  \
         {program} status\n  {program} tablet list --limit 10\n  \
         {program} command send DMPX00000001 DeviceInformation --wait 10\n  {program} tablet show DMPX00000001",
        sheet(document, FIELDS),
        stage.people_url(),
        stage.trust_file().display(),
        stage.token(),
    )
}

/// How this program is called from the folder it was started in: cargo puts it on no PATH.
fn program() -> String {
    let Ok(program) = std::env::current_exe() else { return "ardoise".to_owned() };
    let here = std::env::current_dir().ok();
    let short = here.as_deref().and_then(|here| program.strip_prefix(here).ok());
    short.unwrap_or(&program).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tablet_has_a_line_and_a_serial_number_of_its_own() {
        for tablets in [1, 2, 51, 200] {
            let departement = Departement::of(tablets);
            let serials: std::collections::BTreeSet<String> = departement.serials().into_iter().collect();
            assert_eq!(serials.len(), usize::try_from(tablets).unwrap());
            assert_eq!(departement.csv().lines().count(), serials.len() + 1);
            assert!(!serials.contains(departement.stranger()));
            assert!(serials.iter().all(|serial| serial.parse::<types::SerialNumber>().is_ok()));
        }
        assert!(Departement::of(1).stranger().parse::<types::SerialNumber>().is_ok());
    }
}
