//! The brake: a tablet leaves rightly; then a stolen administrator's token, and a stolen session, try to erase and to
//! unenrol a whole fleet, by every way there is (M5).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet::Scope;
use serde_json::{Value, json};
use store::role_grants::GrantReach;
use store::{DatabaseUrl, Store, Vault};
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, rows};
use types::{Clock as _, Role, SerialNumber, Uai};

use super::Figures;
use super::scratch::Scratch;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;

/// The tablet that leaves rightly, and the one that is to stay whatever is tried.
const LEAVES: &str = "DMPXBRAKE001";
const STAYS: &str = "DMPXBRAKE002";
/// The tablet that its pupil gives back, and that is rightly erased.
const RETURNS: &str = "DMPXBRAKE003";
/// A receipt is no slip any more after that.
const NO_SLIP: types::Duration = types::Duration::from_secs(61);
/// Tablets that are received at once.
const CLASSES: usize = 500;
/// The collège of both.
const COLLEGE: &str = "0761234A";
/// How many collèges share the others.
const COLLEGES: u32 = 187;
/// A profile that would erase a tablet after some wrong passcodes.
const ERASING_PROFILE: &[u8] = include_bytes!("../../fixtures/erasing.mobileconfig");

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    tablets: u64,
    database: Option<&str>,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let fleet = Fleet::prepare(stage, tablets, teller).await?;
    rightly(stage, &fleet, teller, figures).await?;
    given_back(stage, &fleet, teller, figures).await?;
    let before = enrolled(&fleet.camille).await?;
    by_token(stage, &fleet, teller).await?;
    let held = by_session(&fleet, teller).await?;
    by_restore(stage, database, fleet.serials.len() + fleet.serials.len().min(CLASSES), teller).await?;
    stopped_by_the_second_person(&fleet, &held, teller).await?;

    teller.step("the evening: what was destroyed");
    let after = enrolled(&fleet.camille).await?;
    let unenrolled = before.saturating_sub(after);
    teller.check("tablets that were unenrolled by theft", 0, unenrolled);
    figures.set("unenrolled", unenrolled);
    let commands = list(&fleet.camille, &format!("/api/v1/tablets/{STAYS}/commands?limit=500")).await?;
    let erased = count(commands.iter().filter(|command| text(command, "/request_type") == "EraseDevice"));
    teller.check("erase commands that were ever queued", 0, erased);
    figures.set("erased", erased);
    let acts = list(&fleet.camille, "/api/v1/brake/acts?state=counted").await?;
    teller.check("acts that went: the two rightful ones", 2, count(acts.iter()));
    Ok(())
}

/// A fleet, and the people around it.
struct Fleet {
    serials: Vec<SerialNumber>,
    /// The administrator, in her own session.
    camille: ApiClient,
    /// Another operator.
    bruno: ApiClient,
}

impl Fleet {
    async fn prepare(stage: &Stage, tablets: u64, teller: &mut Teller) -> Result<Self, Failure> {
        teller
            .step(&format!("{tablets} tablets of {COLLEGES} collèges are enrolled, three of them simulated"));
        let server = stage.server();
        let csv = testkit::inventory_csv([LEAVES, STAYS, RETURNS], COLLEGE);
        server.import_inventory(&csv).await.map_err(stopped)?;
        for serial in [LEAVES, STAYS, RETURNS] {
            let url = server.link_for(serial).await.map_err(stopped)?;
            let mut ipad = stage.ipad(serial)?;
            Box::pin(ipad.enrol_by_link(&url)).await.map_err(stopped)?;
            ipad.poll().await.map_err(stopped)?;
            stage.keep(ipad).await;
        }
        let name = |number: u64| format!("DMPB{number:08}").parse();
        let serials: Vec<SerialNumber> = (3..tablets).map(name).collect::<Result<_, _>>().map_err(stopped)?;
        let colleges: Vec<Uai> = (0..COLLEGES)
            .map(|number| format!("076{number:04}A").parse())
            .collect::<Result<_, _>>()
            .map_err(stopped)?;
        let store = server.fleet().map_err(stopped)?.store();
        rows::enrolled(store, &serials, &colleges, server.clock().now()).await.map_err(stopped)?;
        let college: Uai = COLLEGE.parse().map_err(stopped)?;
        let returns: SerialNumber = RETURNS.parse().map_err(stopped)?;
        let lent: Vec<SerialNumber> = serials.iter().cloned().chain([returns]).collect();
        rows::lent(store, &lent, &college, server.clock().now()).await.map_err(stopped)?;

        let camille = server.stepped_up().await.map_err(stopped)?;
        let bruno = server
            .someone(Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation)
            .await
            .map_err(stopped)?;
        let bruno = server.in_session(bruno, CodeShown::JustNow).await.map_err(stopped)?;
        teller.check("tablets enrolled", tablets, enrolled(&camille).await?);
        Ok(Self { serials, camille, bruno })
    }
}

/// The act that is refused from then on succeeds first, with its reason and its code.
async fn rightly(
    stage: &Stage,
    fleet: &Fleet,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller
        .step("a tablet leaves rightly: decided by a person, with a reason and a code; recorded; told (M4)");
    let wanted = json!({ "tablets": [LEAVES], "reason": "hors d’usage, rendue" });
    let decided = fleet.camille.post("/api/v1/unenrolments", &wanted).await.map_err(stopped)?;
    teller.check("the decision", 201, decided.status);
    teller.check("waits for a second person", false, decided.body.get("held").is_some());
    stage.wake(LEAVES).await?;
    let shown = fleet.camille.get(&format!("/api/v1/tablets/{LEAVES}")).await.map_err(stopped)?;
    let left = teller.check("the tablet, once it was told", "not-enrolled", shown.text("/state"));
    let acts = list(&fleet.camille, "/api/v1/brake/acts?state=counted").await?;
    teller.check("acts that the brake has counted", 1, count(acts.iter()));
    figures.set("rightly", u64::from(left));
    Ok(())
}

/// So does the act that erases: a tablet comes back, its pupil says that the data is saved, and it is erased by order.
async fn given_back(
    stage: &Stage,
    fleet: &Fleet,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step("a tablet is given back, and erased by order: received, counted, ordered, delivered (M3)");
    let receipt = receive(&fleet.camille, &[RETURNS]).await?;
    teller.check("the receipt", 201, receipt.status);
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    let order = format!("/api/v1/restitutions/{id}/order");
    let early = fleet.camille.post(&order, &json!({})).await.map_err(stopped)?;
    teller.check("ordered at once", "forbidden-by-rule", early.text("/code"));
    stage.server().advance(NO_SLIP);
    // The calendar may have been quicker.
    let ordered = fleet.camille.post(&order, &json!({})).await.map_err(stopped)?;
    teller.check("ordered a minute later", true, matches!(ordered.status, 200 | 201));
    stage.wake(RETURNS).await?;
    let shown = fleet.camille.get(&format!("/api/v1/restitutions/{id}")).await.map_err(stopped)?;
    let done = teller.check("what the tablet says", "acknowledged", shown.text("/stage"));
    figures.set("returned", u64::from(done));
    Ok(())
}

async fn receive(client: &ApiClient, serials: &[&str]) -> Result<testkit::Answer, Failure> {
    let scanned: Vec<Value> = serials
        .iter()
        .map(|serial| json!({ "tablet": serial, "condition": "bon état", "saved": true }))
        .collect();
    client.post("/api/v1/restitutions", &json!({ "tablets": scanned })).await.map_err(stopped)
}

/// A stolen token: of an administrator who is operator, too.
async fn by_token(stage: &Stage, fleet: &Fleet, teller: &mut Teller) -> Result<(), Failure> {
    teller.step("an administrator's token is stolen");
    let server = stage.server();
    let stolen = server.new_token(Scope::Operate).await.map_err(stopped)?;
    let thief = server.api().map_err(stopped)?.with_token(stolen);
    let commands = format!("/api/v1/tablets/{STAYS}/commands");
    let raw = |request_type: &str, more: &str| {
        let plist = format!(
            "<plist version=\"1.0\"><dict><key>Command</key><dict><key>RequestType</key><string>{request_type}</string>\
             {more}</dict></dict></plist>"
        );
        json!({ "request_type": request_type, "property_list": plist })
    };
    let profile = json!({
        "request_type": "InstallProfile",
        "parameters": { "Payload": { "$data": STANDARD.encode(ERASING_PROFILE) } },
    });
    let management = "<key>Identifier</key><string>fr.ardoise.enrolment</string>";
    let tries = [
        ("erase, as a command", json!({ "request_type": "EraseDevice" })),
        ("erase, as a raw property list", raw("EraseDevice", "")),
        ("lost mode, which locks the holder out", json!({ "request_type": "EnableLostMode" })),
        ("unenrol, by removing the management profile", raw("RemoveProfile", management)),
        ("erase, by a profile that counts wrong passcodes", profile),
    ];
    for (what, body) in tries {
        let answer = thief.post(&commands, &body).await.map_err(stopped)?;
        teller.check(what, "refused", if answer.status >= 400 { "refused" } else { "accepted" });
    }
    let all = json!({ "tablets": fleet.serials, "reason": "…" });
    let answer = thief.post("/api/v1/unenrolments", &all).await.map_err(stopped)?;
    teller.check("unenrol the whole fleet, without a code", "step-up", answer.text("/code"));
    let token = json!({ "name": "another", "scope": "operate" });
    let answer = thief.post("/api/v1/tokens", &token).await.map_err(stopped)?;
    teller.check("make another token with it", "takes-a-session", answer.text("/code"));
    Ok(())
}

/// A stolen session in which a code was just shown: all that can be stolen.
async fn by_session(fleet: &Fleet, teller: &mut Teller) -> Result<[String; 2], Failure> {
    teller.step("her session is stolen too, a moment after she showed a code in it");
    let thief = &fleet.camille;
    let all = json!({ "tablets": fleet.serials, "reason": "fin de convention" });
    let answer = thief.post("/api/v1/unenrolments", &all).await.map_err(stopped)?;
    teller.check("unenrol the whole fleet at once", 201, answer.status);
    let held = answer.text("/held").to_owned();
    teller.check("it waits for a second person", true, !held.is_empty());
    let named: Vec<&str> = fleet.serials.iter().take(CLASSES).map(SerialNumber::as_str).collect();
    let receipt = receive(thief, &named).await?;
    teller.check("receive whole classes, to have them erased", 201, receipt.status);
    let classes = receipt.text("/held").to_owned();
    teller.check("their erasures wait for a second person too", true, !classes.is_empty());
    let brake = thief.get("/api/v1/brake").await.map_err(stopped)?.ok().map_err(stopped)?;
    teller.check("acts of today that went", 2, number(&brake, "/own"));
    let go = json!({ "countersignature": held });
    let answer = thief.post("/api/v1/brake/let-go", &go).await.map_err(stopped)?;
    teller.check("let go without the second person", 409, answer.status);
    let shown = thief.get(&format!("/api/v1/countersignatures/{held}")).await.map_err(stopped)?;
    let own = json!({
        "verdict": "give", "content_sha256": shown.text("/content_sha256"), "reason": "c’est moi",
    });
    let answer =
        thief.post(&format!("/api/v1/countersignatures/{held}/answer"), &own).await.map_err(stopped)?;
    teller.check(
        "sign as one's own second person",
        "refused",
        if answer.status >= 400 { "refused" } else { "accepted" },
    );
    Ok([held, classes])
}

/// A backup taken in the worst moment, brought back elsewhere.
async fn by_restore(
    stage: &Stage,
    database: Option<&str>,
    held: usize,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("a backup of this very moment is restored: nothing of it destroys");
    let server = stage.server();
    let url: DatabaseUrl = server.database_url().parse().map_err(stopped)?;
    let file = server.home().join("in-the-worst-moment.backup");
    Store::backup(url, file.clone()).await?;
    let keys = std::fs::read_to_string(server.home().join("ardoise.keys"))
        .map_err(Failure::reading(Path::new("ardoise.keys")))?;
    let vault = Vault::parse(&types::Secret::new(keys)).map_err(store::StoreError::from)?;
    let scratch = match database {
        Some(url) => Some(Scratch::make(url).await?),
        None => None,
    };
    let target = match &scratch {
        Some(scratch) => scratch.url().parse().map_err(stopped)?,
        None => DatabaseUrl::sqlite(server.home().join("restored.db")),
    };
    let restored = Store::restore(target, vault, file, server.clock().now()).await;
    if let Some(scratch) = scratch {
        scratch.drop(teller.output()).await;
    }
    let voided = restored?.voided.as_json();
    teller.check("acts that waited, and are void", count(0..held), number(&voided, "/destructions"));
    teller.check("sessions that are over", true, number(&voided, "/sessions") > 0);
    Ok(())
}

/// The second person looks, refuses, and throws the switch.
async fn stopped_by_the_second_person(
    fleet: &Fleet,
    asked: &[String],
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("the second person sees what it is about, refuses, and throws the switch");
    let bruno = &fleet.bruno;
    for held in asked {
        let path = format!("/api/v1/countersignatures/{held}");
        let shown = bruno.get(&path).await.map_err(stopped)?;
        let no = json!({
            "verdict": "refuse", "content_sha256": shown.text("/content_sha256"), "reason": "personne n’a décidé cela",
        });
        let answer = bruno.post(&format!("{path}/answer"), &no).await.map_err(stopped)?;
        teller.check("the refusal", 200, answer.status);
    }
    let thrown = bruno
        .post("/api/v1/brake/engage", &json!({ "reason": "la session de Camille est volée" }))
        .await
        .map_err(stopped)?;
    teller.check(
        "everything destructive is stopped",
        true,
        thrown.body.pointer("/engaged") == Some(&Value::Bool(true)),
    );
    let waiting = list(bruno, "/api/v1/brake/acts?state=held").await?;
    teller.check("acts that still wait", 0, count(waiting.iter()));

    teller.step("the thief goes on, one tablet at a time");
    let thief = &fleet.camille;
    let one = json!({ "tablets": [STAYS], "reason": "hors d’usage" });
    let answer = thief.post("/api/v1/unenrolments", &one).await.map_err(stopped)?;
    teller.check("unenrol one tablet", "stopped", answer.text("/code"));
    let why = json!({ "reason": "fausse alerte" });
    let asked = thief.post("/api/v1/brake/ask-release", &why).await.map_err(stopped)?;
    let release = json!({ "countersignature": asked.text("/countersignature") });
    let answer = thief.post("/api/v1/brake/release", &release).await.map_err(stopped)?;
    teller.check("release the switch alone", 409, answer.status);
    let drill = thief
        .get("/api/v1/brake/drill?what=erasure&acts=13000")
        .await
        .map_err(stopped)?
        .ok()
        .map_err(stopped)?;
    teller.check(
        "of 13,000 erasures, the drill says the switch would stop",
        13_000,
        number(&drill, "/stopped"),
    );
    Ok(())
}

async fn enrolled(client: &ApiClient) -> Result<u64, Failure> {
    let status = client.get("/api/v1/status").await.map_err(stopped)?.ok().map_err(stopped)?;
    Ok(number(&status, "/enrolled"))
}

async fn list(client: &ApiClient, path: &str) -> Result<Vec<Value>, Failure> {
    let listed = client.get(path).await.map_err(stopped)?.ok().map_err(stopped)?;
    Ok(listed.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn number(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
