//! `tablets seed`: a fleet that is enrolled from its own point of view, made without a server.

mod authority;
mod lists;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tablets::{Clock, Home, KeyPool, MdmPayload, Seeding, Validity};
use url::Url;

use super::failure::Failure;
use super::output::{Output, sheet};
use super::serials::NumberedSerials;
use super::workers;
use lists::Lists;

/// How many tablets are made between two writes to the lists.
const BATCH: usize = 2_048;
/// What every topic of device management begins with.
const TOPIC_PREFIX: &str = "com.apple.mgmt.";

const HELP: &str = "\
A seeded tablet has a certificate, push tokens and the memory of an enrolment: it can be woken, polled and loaded \
at once. Whether a server agrees depends on what you tell it. For that, DIR also gets:
  authority.pem     the authority that issued the tablets' certificates: a server must trust it
  inventory.csv     serial,asset_tag,model,platform,uai
  takeover.csv      udid, serial, topic, push token, PushMagic, UnlockToken, certificate's SHA-256

Servers that only check who issued a certificate (NanoMDM):
  tablets seed fleet --tablets 10000 --server-url http://127.0.0.1:9000/mdm --topic com.apple.mgmt.External.x
  nanomdm -ca fleet/authority.pem …
  tablets bench enrol fleet --auth signature

Ardoise, which takes them over one by one:
  tablets seed fleet --tablets 1000 --server-url https://localhost:8443/mdm --topic com.apple.mgmt.External.x
  ardoise inventory import fleet/inventory.csv
  ardoise takeover import fleet/takeover.csv --authority fleet/authority.pem
    with `takeover.enabled = true` and `takeover.paths = [\"/mdm\"]` in its configuration

Safe to repeat: a tablet that is there stays as it is, and the lists name all of this range again.
These files hold keys in the clear. They are nobody's: never let a real server trust such an authority.";

/// Which tablets, and whose.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The folder that keeps the tablets; made if it is not there.
    dir: PathBuf,
    /// How many tablets.
    #[arg(long, value_name = "N")]
    tablets: u64,
    #[command(flatten)]
    serials: NumberedSerials,
    /// Where they connect (the profile's ServerURL).
    #[arg(long, value_name = "URL")]
    server_url: Url,
    /// Where they check in (CheckInURL); the same address unless told.
    #[arg(long, value_name = "URL")]
    check_in_url: Option<Url>,
    /// The topic of their pushes: com.apple.mgmt.…
    #[arg(long, value_parser = topic)]
    topic: String,
    /// Their profile says SignMessage: they sign what they send in `Mdm-Signature`.
    #[arg(long)]
    sign_message: bool,
    /// A folder with authority.pem and authority-key.pem to issue their certificates. Without it, an authority of
    /// their own is made, once, in DIR/.authority.
    #[arg(long, value_name = "FOLDER")]
    authority: Option<PathBuf>,
    /// How many days their certificates are valid.
    #[arg(long, value_name = "N", default_value_t = 365)]
    days: u32,
    /// How many keys they share: making one takes long. Their certificates differ all the same.
    #[arg(long, value_name = "N", default_value_t = KeyPool::USUAL)]
    keys: usize,
    /// The school of the inventory.
    #[arg(long, value_name = "UAI", default_value = "0761234A", value_parser = plain)]
    uai: String,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Seeded {
    tablets: usize,
    made: usize,
    kept: usize,
    seconds: f64,
    authority: PathBuf,
    inventory: PathBuf,
    takeover: PathBuf,
}

/// Makes the fleet.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let serials = arguments.serials.take(arguments.tablets)?;
    let home = Home::open(&arguments.dir)?;
    let began = Instant::now();
    let seeding = seeding(arguments, &home, output)?;
    let mut lists = Lists::begin(home.path(), &arguments.uai)?;
    let bar = output.bar(arguments.tablets, "making tablets");
    let mut made = 0;
    for batch in serials.chunks(BATCH) {
        for tablet in workers::on_all_processors(batch, |serial| {
            let tablet = keep(&seeding, &home, serial);
            bar.inc(1);
            tablet
        }) {
            let (line, new) = tablet?;
            lists.add(&line)?;
            made += usize::from(new);
        }
    }
    bar.finish_and_clear();
    let (inventory, takeover) = lists.end()?;
    let seeded = Seeded {
        tablets: serials.len(),
        made,
        kept: serials.len() - made,
        seconds: began.elapsed().as_secs_f64(),
        authority: home.path().join(authority::CERTIFICATE),
        inventory,
        takeover,
    };
    output.show(&seeded, told)
}

fn told(seeded: &Seeded) -> String {
    let path = |path: &PathBuf| path.display().to_string();
    sheet(&[
        ("tablets", format!("{} ({} new, {} were there)", seeded.tablets, seeded.made, seeded.kept)),
        ("time", format!("{:.1} s", seeded.seconds)),
        ("authority", path(&seeded.authority)),
        ("inventory", path(&seeded.inventory)),
        ("takeover file", path(&seeded.takeover)),
    ])
}

fn seeding(arguments: &Arguments, home: &Home, output: Output) -> Result<Seeding, Failure> {
    let now = Clock::system().now();
    let mut mdm = MdmPayload::new(arguments.server_url.clone(), &arguments.topic);
    if let Some(url) = &arguments.check_in_url {
        mdm.check_in_url = url.clone();
    }
    for url in [&mdm.server_url, &mdm.check_in_url] {
        if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
            return Err(Failure::Usage(format!(
                "`{url}` is no address that a tablet can call: https://… or http://…"
            )));
        }
    }
    mdm.sign_message = arguments.sign_message;
    let authority = match &arguments.authority {
        Some(folder) => authority::open(folder)?,
        None => authority::open_or_make(&home.path().join(".authority"), now)?,
    };
    let certificate = home.path().join(authority::CERTIFICATE);
    fs::write(&certificate, authority.certificate_pem()?).map_err(Failure::writing(&certificate))?;
    let spinner = output.spinner("making keys");
    let keys = KeyPool::open(&home.keys(), arguments.keys);
    spinner.finish_and_clear();
    Ok(Seeding::new(authority, keys?, mdm, Validity::days(now, i64::from(arguments.days))))
}

/// The tablet's line, and whether it is new.
fn keep(seeding: &Seeding, home: &Home, serial: &str) -> Result<(lists::Line, bool), Failure> {
    let new = !home.has(serial)?;
    let (state, identity) = if new {
        let (state, identity) = seeding.keep(home, serial)?;
        (state, Some(identity))
    } else {
        home.load_with(serial, seeding.keys())?
    };
    Ok((lists::Line::of(&state, identity.as_ref())?, new))
}

fn topic(text: &str) -> Result<String, String> {
    match text.strip_prefix(TOPIC_PREFIX) {
        Some(rest) if !rest.is_empty() => plain(text),
        _ => Err(format!("a topic of device management begins with {TOPIC_PREFIX}")),
    }
}

/// What needs no quotes in a CSV.
fn plain(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits, points and dashes".to_owned())
    }
}
