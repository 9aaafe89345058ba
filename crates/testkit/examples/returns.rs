//! How long a June day takes: tablets that are received by the thousand, under a campaign, and ordered to be erased; then the
//! calendar's night over all loans. Prints one line of JSON.
//!
//! ```text
//! cargo run --release -p testkit --example returns -- TABLETS RETURNS [sqlite|postgresql]
//! ```
//!
//! On PostgreSQL it asks for a server of its own, as the tests do: `scripts/with-postgresql.sh cargo run …`.

use std::error::Error;
use std::time::Instant as Stopwatch;

use serde_json::{Value, json};
use store::role_grants::GrantReach;
use store::{Engine, StoreError, loans, persons, restitutions};
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, TestServer, rows};
use types::{Clock as _, Day, Duration, Role, SerialNumber, Uai};

/// Tablets in one request, as the command line sends a class.
const CLASS: usize = 30;
/// How many collèges share the tablets.
const COLLEGES: usize = 187;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: usize| arguments.next().map_or(Ok(usual), |text| text.parse());
    let (tablets, returns) = (number(100_000)?, number(25_000)?);
    let engine = match std::env::args().nth(3).as_deref() {
        Some("postgresql") => Engine::Postgresql,
        _ => Engine::Sqlite,
    };
    let server = TestServer::start(engine).await?;
    let serials: Vec<SerialNumber> =
        (0..tablets).map(|number| format!("DMPX{number:08}").parse()).collect::<Result<_, _>>()?;
    let colleges: Vec<Uai> =
        (0..COLLEGES).map(|number| format!("076{number:04}A").parse()).collect::<Result<_, _>>()?;
    let seeding = Stopwatch::now();
    let (store, now) = (server.fleet()?.store(), server.clock().now());
    rows::enrolled(store, &serials, &colleges, now).await?;
    let first = colleges.first().ok_or("no collège")?;
    rows::lent(store, &serials, first, now).await?;
    let seeded = seeding.elapsed();

    let operator = server.stepped_up().await?;
    campaign(&server, &operator, &colleges, returns).await?;
    let receiving = Stopwatch::now();
    let mut slowest = 0.0_f64;
    for class in serials.iter().take(returns).collect::<Vec<_>>().chunks(CLASS) {
        let scanned: Vec<Value> = class
            .iter()
            .map(|serial| json!({ "tablet": serial, "condition": "bon", "saved": true }))
            .collect();
        let began = Stopwatch::now();
        let receipt = operator.post("/api/v1/restitutions", &json!({ "tablets": scanned })).await?.ok()?;
        slowest = slowest.max(began.elapsed().as_secs_f64());
        if receipt.get("held").is_some() || receipt.get("counted") != Some(&json!(true)) {
            return Err("a receipt was held, or not counted".into());
        }
    }
    let received = receiving.elapsed();

    // The calendar gives what is due, some thousands in a round.
    let ordering = Stopwatch::now();
    loop {
        server.advance(Duration::from_secs(61));
        let now = server.clock().now();
        let ripe =
            store.read(move |tx| restitutions::ripe(tx, (now.minus(Duration::from_secs(60)), now), None, 1));
        if ripe.await?.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let orders = ordering.elapsed();

    let leaves_on = Day::of(server.clock().now());
    let left = store
        .write(move |tx| {
            let mut left = 0_usize;
            let (college, mut after) =
                ("0760000A".parse::<Uai>().map_err(|_invalid| StoreError::Stopped)?, None);
            loop {
                let page = persons::list(tx, &college, after, 500)?;
                let Some(last) = page.last() else { return Ok::<_, StoreError>(left) };
                after = Some(last.id);
                for person in page.into_iter().rev().take(125) {
                    left += 1;
                    persons::update(tx, &persons::Person { leaves_on: Some(leaves_on), ..person })?;
                }
            }
        })
        .await?;
    let night = Stopwatch::now();
    server.advance(Duration::from_secs(86_400));
    let today = leaves_on.plus(1);
    loop {
        let waiting = store.read(move |tx| loans::of_who_left(tx, today, None, 1)).await?;
        if waiting.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let line = json!({
        "engine": engine.to_string(), "tablets": tablets, "restitutions": returns,
        "seeding_seconds": seeded.as_secs_f64(),
        "receiving_seconds": received.as_secs_f64(), "slowest_class_seconds": slowest,
        "ordering_seconds": orders.as_secs_f64(),
        "persons_who_left": left, "night_seconds": night.elapsed().as_secs_f64(),
    });
    println!("{line}");
    Ok(())
}

/// A campaign of restitutions in all collèges, which a second person signs.
async fn campaign(
    server: &TestServer,
    operator: &ApiClient,
    colleges: &[Uai],
    ceiling: usize,
) -> Outcome<()> {
    let today = Day::of(server.clock().now());
    let plan = json!({
        "colleges": colleges, "starts_on": today.to_string(), "ends_on": today.plus(1).to_string(),
        "ceiling": ceiling, "reason": "fin d’année",
    });
    let asked = operator.post("/api/v1/campaigns/ask", &plan).await?.ok()?;
    let asked = asked.get("countersignature").and_then(Value::as_str).unwrap_or_default().to_owned();
    let second =
        server.someone(Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation).await?;
    let second = server.in_session(second, CodeShown::JustNow).await?;
    let path = format!("/api/v1/countersignatures/{asked}");
    let seen = second.get(&path).await?.ok()?;
    let said =
        json!({ "verdict": "give", "content_sha256": seen.get("content_sha256"), "reason": "fin d’année" });
    second.post(&format!("{path}/answer"), &said).await?.ok()?;
    let signed = json!({ "plan": plan, "countersignature": asked });
    operator.post("/api/v1/campaigns", &signed).await?.ok()?;
    Ok(())
}
