//! How long a change of the base takes for a whole département, and how many profiles are signed for it.
//!
//! `scripts/bench-base-change.sh` builds and calls it: `base_change ENGINE TABLETS COLLEGES`. Everything but the tablets'
//! rows comes about as it does in service: layers are parsed, approved and published, and the calendar's own walk puts each
//! tablet into its segment. The server is not running meanwhile, so that the walk that is measured is the only one.

use std::time::Instant;

use fleet::segments::{self, Walked};
use fleet::{Fleet, Principal};
use serde_json::json;
use store::Engine;
use testkit::{Database, TestServer, published, rows};
use types::{Clock as _, SerialNumber, Uai};

/// The base, before and after one line was added to it.
const BASE: &str = include_str!("../../../profiles/socle.toml");
/// Two systems that are written for differently: two classes in each collège.
const SYSTEMS: [&str; 2] = ["18.7", "27.0"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, tablets, colleges] = arguments.as_slice() else {
        return Err("base_change ENGINE TABLETS COLLEGES".into());
    };
    let (database, engine) = match engine.as_str() {
        "sqlite" => (Engine::Sqlite, "sqlite"),
        "postgresql" => (Engine::Postgresql, "postgresql"),
        other => return Err(format!("there is no engine {other}").into()),
    };
    let (tablets, colleges): (u32, u32) = (tablets.parse()?, colleges.parse()?);
    let mut server = TestServer::start(Database::New(database)).await?;
    let (fleet, author, now) = (server.fleet()?.clone(), server.operator()?, server.clock().now());
    server.stop().await;

    let serials = (0..tablets).map(|number| format!("DMPX{number:08}").parse());
    let serials: Vec<SerialNumber> = serials.collect::<Result<_, _>>()?;
    let uais = (0..colleges).map(|number| format!("076{number:04}A").parse());
    let uais: Vec<Uai> = uais.collect::<Result<_, _>>()?;
    rows::enrolled_with(fleet.store(), &serials, &uais, &SYSTEMS, now).await?;
    for uai in &uais {
        let addition = format!(
            "layer = \"college\"\nuai = \"{uai}\"\ntitle = \"{uai}\"\npurpose = \"Le site.\"\n\n\
             [[web-clip]]\nlabel = \"Collège\"\nurl = \"https://{}.example.fr/\"\n",
            uai.to_string().to_lowercase()
        );
        published::publish_layer(fleet.store(), author, &addition, now).await?;
    }
    published::publish_layer(fleet.store(), author, BASE, now).await?;
    let (first, first_seconds, _signed) = walked(&fleet, now).await?;
    assert_eq!(first.moved, serials.len(), "every tablet has a segment before the change");

    let changed = BASE.replacen("[restrictions]\n", "[restrictions]\nallowScreenShot = false\n", 1);
    published::publish_layer(fleet.store(), author, &changed, now).await?;
    let (change, seconds, signed) = walked(&fleet, now).await?;
    assert_eq!(change.moved, serials.len(), "every tablet moved");
    let figure = json!({
        "figure": "base-change",
        "engine": engine,
        "tablets": tablets,
        "colleges": colleges,
        "segments": change.made,
        "signed": signed,
        "seconds": seconds,
        "first_seconds": first_seconds,
        "load": load(),
    });
    println!("{figure}");
    Ok(())
}

/// The calendar's walk: what it did, how many seconds it took, and how many profiles were signed for it.
async fn walked(
    fleet: &Fleet,
    now: types::Instant,
) -> Result<(Walked, f64, u64), Box<dyn std::error::Error>> {
    #[expect(clippy::disallowed_methods, reason = "the bench is the calendar")]
    let calendar = Principal::calendar();
    let before = fleet.store().read(store::segments::count_signed).await?;
    let began = Instant::now();
    let walked = segments::follow(fleet, &calendar, now).await?;
    let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    let after = fleet.store().read(store::segments::count_signed).await?;
    Ok((walked, seconds, after.saturating_sub(before)))
}

/// How many processes wanted a processor in the last minute: what the figure has to be read with.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
