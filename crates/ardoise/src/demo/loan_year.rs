//! A year of loans, in the parts that are there: tablets come back in every way, and each is erased by an order, proven
//! empty, or not erased at all (C5.2.3, C5.3.5, M3).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, TestkitError, inventory_csv, rows, wait_until};
use types::{Clock as _, Day, Duration, Role, SerialNumber, Uai};

use super::Figures;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;

/// The collège.
const COLLEGE: &str = "0761234A";
/// Of a pupil who leaves.
const LEAVES: &str = "DMPXYEAR0001";
/// Of a pupil who is told by letter.
const TOLD: &str = "DMPXYEAR0002";
/// Scanned by mistake.
const SLIP: &str = "DMPXYEAR0003";
/// A receipt is no slip any more after that.
const NO_SLIP: Duration = Duration::from_secs(61);
const DAY: Duration = Duration::from_secs(86_400);

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    tablets: u64,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let serials = lend(stage, tablets, teller).await?;
    departure(stage, teller).await?;
    letter(stage, teller).await?;
    slip(stage, teller).await?;
    summer(stage, &serials, teller, figures).await
}

/// Tablets are enrolled and lent. (Lists, signatures and handovers have no routes yet: the rows are written.)
async fn lend(stage: &Stage, tablets: u64, teller: &mut Teller) -> Result<Vec<SerialNumber>, Failure> {
    teller.step(&format!("{tablets} tablets are enrolled, and lent to as many pupils"));
    let serials: Vec<String> = (1..=tablets.max(4)).map(|number| format!("DMPXYEAR{number:04}")).collect();
    let server = stage.server();
    server
        .import_inventory(&inventory_csv(serials.iter().map(String::as_str), COLLEGE))
        .await
        .map_err(stopped)?;
    for serial in &serials {
        let url = server.link_for(serial).await.map_err(stopped)?;
        let mut ipad = stage.ipad(serial)?;
        Box::pin(ipad.enrol_by_link(&url)).await.map_err(stopped)?;
        ipad.poll().await.map_err(stopped)?;
        stage.keep(ipad).await;
    }
    let named: Vec<SerialNumber> =
        serials.iter().map(|serial| serial.parse()).collect::<Result<_, _>>().map_err(stopped)?;
    let (store, now) = (server.fleet().map_err(stopped)?.store(), server.clock().now());
    let college: Uai = COLLEGE.parse().map_err(stopped)?;
    rows::lent(store, &named, &college, now).await.map_err(stopped)?;
    let head = someone(stage, "principale", Role::Head).await?;
    let wifi = json!({ "ssid": "Tablettes", "passphrase": "une phrase pour le wifi" });
    let named_network =
        head.put(&format!("/api/v1/organisations/{COLLEGE}/network"), &wifi).await.map_err(stopped)?;
    teller.check("the collège names its network", 204, named_network.status);
    Ok(named)
}

/// Somebody of this role, who has just signed in and shown a code.
async fn someone(stage: &Stage, login: &str, role: Role) -> Result<ApiClient, Failure> {
    let college: Uai = COLLEGE.parse().map_err(stopped)?;
    let (employer, reach) = match role {
        Role::Head => (Employer::College(college), GrantReach::Organisation),
        Role::Dpo => (Employer::Departement, GrantReach::Organisation),
        _ => (Employer::Departement, GrantReach::Colleges(BTreeSet::from([college]))),
    };
    let server = stage.server();
    let account = server.someone(employer, login, role, reach).await.map_err(stopped)?;
    server.in_session(account, CodeShown::JustNow).await.map_err(stopped)
}

async fn receive(ati: &ApiClient, serial: &str, saved: bool) -> Result<Answer, Failure> {
    let one =
        json!({ "tablet": serial, "condition": "bon état", "accessories": ["chargeur"], "saved": saved });
    ati.post("/api/v1/restitutions", &json!({ "tablets": [one] })).await.map_err(stopped)
}

async fn act(ati: &ApiClient, id: &str, what: &str) -> Result<Answer, Failure> {
    ati.post(&format!("/api/v1/restitutions/{id}/{what}"), &json!({})).await.map_err(stopped)
}

async fn shown(ati: &ApiClient, id: &str) -> Result<Answer, TestkitError> {
    ati.get(&format!("/api/v1/restitutions/{id}")).await
}

/// Waits until the calendar has brought it there.
async fn comes_to(ati: &ApiClient, id: &str, stage: &str) -> Result<(), Failure> {
    let what = format!("the restitution is {stage}");
    let come = wait_until(&what, Patience::default(), || async {
        Ok((shown(ati, id).await?.text("/stage") == stage).then_some(()))
    });
    come.await.map_err(stopped)
}

async fn departure(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "a pupil leaves: the loan ends by itself after the last day, and nothing is erased by that (C5.2.3)",
    );
    let server = stage.server();
    let (store, now) = (server.fleet().map_err(stopped)?.store(), server.clock().now());
    let serial: SerialNumber = LEAVES.parse().map_err(stopped)?;
    let loan = store
        .write(move |tx| {
            let missing =
                |column| store::StoreError::Corrupt { table: "loans", row: LEAVES.to_owned(), column };
            let tablet = store::tablets::by_serial(tx, &serial)?.ok_or_else(|| missing("tablet_id"))?;
            let loan = store::loans::live_of_tablet(tx, tablet.id)?.ok_or_else(|| missing("id"))?;
            let person = store::persons::get(tx, &loan.person_id)?.ok_or_else(|| missing("person_id"))?;
            let leaves_on = Some(Day::of(now).plus(3));
            store::persons::update(tx, &store::persons::Person { leaves_on, ..person })?;
            Ok::<_, store::StoreError>(loan.id)
        })
        .await?;
    server.advance(DAY * 4);
    let ended = wait_until("the loan has ended", Patience::default(), || async {
        let row = store.read(move |tx| store::loans::get(tx, &loan)).await?;
        Ok(row.filter(|row| row.ended_because.as_deref() == Some("left")).map(|_over| ()))
    });
    ended.await.map_err(stopped)?;
    stage.wake(LEAVES).await?;
    let tablet = server.tablet(LEAVES).await.map_err(stopped)?;
    teller.check("the tablet that did not come back", "enrolled", text(&tablet, "/state"));

    teller.step("it comes back; the pupil's data is saved; the calendar orders, and it returns to service (C5.3.5, M3)");
    let ati = someone(stage, "dalila", Role::Ati).await?;
    let receipt = receive(&ati, LEAVES, true).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    let early = act(&ati, &id, "order").await?;
    teller.check("ordered within a minute", "forbidden-by-rule", early.text("/code"));
    server.advance(NO_SLIP);
    comes_to(&ati, &id, "ordered").await?;
    stage.wake(LEAVES).await?;
    let proven = shown(&ati, &id).await.map_err(stopped)?;
    teller.check("it is", "erased", proven.text("/stage"));
    teller.check("proven by", "reenrolled", proven.text("/proof"));
    Ok(())
}

async fn letter(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "another comes back; nobody was told: a letter, and fourteen days from its handing over (C5.3.5)",
    );
    let server = stage.server();
    let dpo = someone(stage, "delphine", Role::Dpo).await?;
    let register = dpo.get("/api/v1/privacy/register").await.map_err(stopped)?.ok().map_err(stopped)?;
    let activities = register.pointer("/activities").and_then(Value::as_array).cloned().unwrap_or_default();
    let entry = activities.iter().find(|one| text(one, "/code") == "notices").cloned().unwrap_or_default();
    let read = json!({ "entry": text(&entry, "/digest") });
    let path = "/api/v1/privacy/register/notices/validation";
    dpo.put(path, &read).await.map_err(stopped)?.ok().map_err(stopped)?;
    let ati = someone(stage, "farid", Role::Ati).await?;
    let receipt = receive(&ati, TOLD, false).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    server.advance(NO_SLIP);
    let waits = shown(&ati, &id).await.map_err(stopped)?;
    teller.check("it waits, because the holder was", "not-told", waits.text("/waits/code"));
    let letter = act(&ati, &id, "letter").await?;
    teller.check("a letter names the tablet", true, letter.text("/french").contains(TOLD));
    teller.check("handed over", 200, act(&ati, &id, "letter/handed-over").await?.status);
    server.advance(DAY * 13);
    let ati = someone(stage, "gaelle", Role::Ati).await?;
    let early = act(&ati, &id, "order").await?;
    teller.check("ordered after thirteen days", "forbidden-by-rule", early.text("/code"));
    server.advance(DAY + NO_SLIP);
    comes_to(&ati, &id, "ordered").await?;
    let ati = someone(stage, "hugo", Role::Ati).await?;
    // Its screen is broken: it is erased on the bench, and a technician says so.
    let attested = act(&ati, &id, "attest").await?;
    teller.check("proven by a technician who", "attested", attested.text("/proof"));
    stage.wake(TOLD).await?;
    let tablet = server.tablet(TOLD).await.map_err(stopped)?;
    teller.check("its old command is not given any more", "enrolled", text(&tablet, "/state"));
    Ok(())
}

async fn slip(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step("a slip of the scanner is taken back, and the loan goes on");
    let ati = someone(stage, "ines", Role::Ati).await?;
    let receipt = receive(&ati, SLIP, true).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    let undone = act(&ati, &id, "undo").await?;
    teller.check("the receipt", "undone", undone.text("/stage"));
    stage.server().advance(NO_SLIP);
    Ok(())
}

/// The summer goes by; then is counted what was erased, and by what.
async fn summer(
    stage: &Stage,
    serials: &[SerialNumber],
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step("the summer goes by, and all tablets wake: what was erased, and by which order");
    let server = stage.server();
    server.advance(DAY * 60);
    let ati = someone(stage, "jeanne", Role::Ati).await?;
    let listed =
        ati.get("/api/v1/restitutions?all=true&limit=500").await.map_err(stopped)?.ok().map_err(stopped)?;
    let restitutions = listed.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    let (mut erased, mut without) = (0, 0);
    for serial in serials {
        stage.wake(serial.as_str()).await?;
        let path = format!("/api/v1/tablets/{serial}/commands?limit=500");
        let commands = ati.get(&path).await.map_err(stopped)?.ok().map_err(stopped)?;
        let commands = commands.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
        let was_erased = commands
            .iter()
            .any(|one| text(one, "/request_type") == "EraseDevice" && text(one, "/state") == "acknowledged");
        let by_order = restitutions
            .iter()
            .any(|one| text(one, "/serial") == serial.as_str() && !text(one, "/order").is_empty());
        erased += u64::from(was_erased);
        without += u64::from(was_erased && !by_order);
    }
    teller.check("tablets that erased themselves", 1, erased);
    teller.check("of these, without an order", 0, without);
    let proven = restitutions.iter().filter(|one| !text(one, "/proof").is_empty()).count();
    teller.check("restitutions that are proven empty", 2, proven);
    figures.set("erased", erased);
    figures.set("erased_without_order", without);
    figures.set("proven", u64::try_from(proven).unwrap_or(u64::MAX));
    Ok(())
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
