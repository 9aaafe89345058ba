//! A tablet is stolen: who may put it in lost mode, who may locate it and for how long, what ends that, and how what was
//! known of where it was dies (M1, M2, C5.4.*).

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use store::incident_keys::{self, IncidentKeys};
use store::role_grants::GrantReach;
use store::shared_folder::SharedFolder;
use store::{DatabaseUrl, Store, StoreOptions, Vault};
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, wait_until};
use types::{AccountId, Clock as _, Day, Duration, Role};

use super::Figures;
use super::scratch::Scratch;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;

/// The tablet.
const SERIAL: &str = "DMPXSTOLEN01";
/// Its collège.
const COLLEGE: &str = "0761234A";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    database: Option<&str>,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let people = People::come(stage, teller).await?;
    let incident = declared(&people, teller).await?;
    lost(stage, &people, &incident, teller).await?;
    granted(&people, &incident, teller).await?;
    located(stage, &people, &incident, teller).await?;
    without_the_complaint(stage, &people, &incident, teller).await?;
    extended(stage, &people, &incident, teller).await?;
    let backup = backup(stage).await?;
    closed(stage, &people, &incident, teller).await?;
    told(&people, &incident, teller, figures).await?;
    dead(stage, &people, &incident, (database, &backup), teller, figures).await?;
    remembered(&people, &incident, teller, figures).await
}

/// Whoever has a part in it.
struct People<'a> {
    stage: &'a Stage,
    /// The technician of the collège.
    ati: AccountId,
    /// Its head.
    head: AccountId,
    /// Whoever protects data.
    dpo: AccountId,
}

impl<'a> People<'a> {
    async fn come(stage: &'a Stage, teller: &mut Teller) -> Result<Self, Failure> {
        teller.step("a tablet of the collège is enrolled and lent");
        let server = stage.server();
        let mut ipad = server.enrolled_ipad(SERIAL).await.map_err(stopped)?;
        ipad.poll().await.map_err(stopped)?;
        stage.keep(ipad).await;
        // What is noticed an hour before it is declared befell a tablet that was here by then.
        server.advance(HOUR);
        let college: types::Uai = COLLEGE.parse().map_err(stopped)?;
        let here = GrantReach::Colleges(BTreeSet::from([college.clone()]));
        let someone = |employer, login, role, reach| server.someone(employer, login, role, reach);
        let ati = someone(Employer::Departement, "lea.petit", Role::Ati, here).await.map_err(stopped)?;
        let head = someone(Employer::College(college), "m.moreau", Role::Head, GrantReach::Organisation)
            .await
            .map_err(stopped)?;
        let dpo = someone(Employer::Departement, "dpo", Role::Dpo, GrantReach::Organisation)
            .await
            .map_err(stopped)?;
        Ok(Self { stage, ati, head, dpo })
    }

    /// Somebody who has just shown a code: it opens what needs one for five minutes.
    async fn signed_in(&self, account: AccountId) -> Result<ApiClient, Failure> {
        self.stage.server().in_session(account, CodeShown::JustNow).await.map_err(stopped)
    }

    async fn ask(
        &self,
        account: AccountId,
        incident: &str,
        what: &str,
        body: Value,
    ) -> Result<Answer, Failure> {
        let path = format!("/api/v1/incidents/{incident}/{what}");
        self.signed_in(account).await?.post(&path, &body).await.map_err(stopped)
    }

    async fn list(&self, account: AccountId, incident: &str, what: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("/api/v1/incidents/{incident}/{what}");
        let listed =
            self.signed_in(account).await?.get(&path).await.map_err(stopped)?.ok().map_err(stopped)?;
        Ok(listed.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// The DPO validates an activity, as its entry stands.
    async fn validate(&self, activity: &str) -> Result<Answer, Failure> {
        let dpo = self.signed_in(self.dpo).await?;
        let register = dpo.get("/api/v1/privacy/register").await.map_err(stopped)?.ok().map_err(stopped)?;
        let entries = register.pointer("/activities").and_then(Value::as_array).cloned().unwrap_or_default();
        let entry = entries.into_iter().find(|entry| text(entry, "/code") == activity).unwrap_or_default();
        let read = json!({ "entry": text(&entry, "/digest") });
        let path = format!("/api/v1/privacy/register/{activity}/validation");
        dpo.put(&path, &read).await.map_err(stopped)
    }

    /// Signs what was asked, as it stands.
    async fn sign(&self, account: AccountId, request: &str) -> Result<Answer, Failure> {
        let client = self.signed_in(account).await?;
        let path = format!("/api/v1/countersignatures/{request}");
        let shown = client.get(&path).await.map_err(stopped)?;
        let yes = json!({ "verdict": "give", "content_sha256": shown.text("/content_sha256") });
        client.post(&format!("{path}/answer"), &yes).await.map_err(stopped)
    }
}

/// Nobody is located because somebody would like to know.
async fn declared(people: &People<'_>, teller: &mut Teller) -> Result<String, Failure> {
    teller.step(
        "the technician tries to locate it without an incident, then declares the theft (C5.4.2, C5.4.3)",
    );
    let ati = people.signed_in(people.ati).await?;
    let raw = json!({ "request_type": "DeviceLocation" });
    let sent = ati.post(&format!("/api/v1/tablets/{SERIAL}/commands"), &raw).await.map_err(stopped)?;
    let refused = if sent.status >= 400 { "refused" } else { "accepted" };
    teller.check("a request for a position, by hand", "refused", refused);
    let noticed = people.stage.server().clock().now().minus(HOUR);
    let theft = json!({
        "kind": "theft", "noticed_at": noticed.to_string(), "circumstances": "Volée dans le car, ligne 12",
    });
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let early = ati.post(&path, &theft).await.map_err(stopped)?;
    teller.check("the declaration, before the DPO validated incidents", "C3.1.6", early.text("/rule"));
    teller.check("the DPO validates them", 200, people.validate("incidents").await?.status);
    let declared = ati.post(&path, &theft).await.map_err(stopped)?;
    teller.check("the declaration", 201, declared.status);
    teller.check("the complaint", "awaited", declared.text("/papers/1/standing"));
    let incident = declared.text("/id").to_owned();
    let early = people.ask(people.ati, &incident, "positions", json!({ "reason": "où est-elle ?" })).await?;
    teller.check("locate it without a warrant", "M1", early.text("/rule"));
    Ok(incident)
}

async fn lost(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("lost mode: asked, and on only once the tablet says so (M1)");
    let wanted = json!({ "reason": "volée", "phone": "02 35 00 00 00" });
    let asked = people.ask(people.ati, incident, "lost-mode", wanted).await?;
    teller.check("the request", 201, asked.status);
    teller.check("before the tablet came", "asked".to_owned(), lost_mode(people, incident).await?);
    stage.wake(SERIAL).await?;
    teller.check("once it came", "on".to_owned(), lost_mode(people, incident).await?);
    Ok(())
}

async fn granted(people: &People<'_>, incident: &str, teller: &mut Teller) -> Result<(), Failure> {
    teller.step("a warrant: only once the DPO validated geolocation, and by a second person (C3.1.6, M1)");
    let wanted = json!({ "reason": "vue à la gare" });
    let off = people.ask(people.ati, incident, "warrants", wanted.clone()).await?;
    teller.check("asked before the DPO validated it", "C3.1.6", off.text("/rule"));
    teller.check("the DPO validates it", 200, people.validate("geolocation").await?.status);

    let beyond = json!({ "reason": "vue à la gare", "hours": 169 });
    let beyond = people.ask(people.ati, incident, "warrants", beyond).await?;
    teller.check("169 hours", "M1", beyond.text("/rule"));
    let asked = people.ask(people.ati, incident, "warrants", wanted).await?;
    teller.check("asked again", 201, asked.status);
    let request = asked.text("/countersignature").to_owned();
    let own = people.sign(people.ati, &request).await?;
    teller.check("granted to oneself", "refused", if own.status >= 400 { "refused" } else { "granted" });
    teller.check("granted by the head", 200, people.sign(people.head, &request).await?.status);
    let warrants = people.list(people.ati, incident, "warrants").await?;
    let warrant = warrants.first().cloned().unwrap_or_default();
    teller.check("without the complaint it is", "provisional", text(&warrant, "/footing"));
    Ok(())
}

async fn located(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("three positions, a quarter of an hour apart; the fourth comes too soon (M1)");
    for number in 1..=3 {
        if number > 1 {
            stage.server().advance(15 * MINUTE);
        }
        let asked =
            people.ask(people.ati, incident, "positions", json!({ "reason": "vue à la gare" })).await?;
        teller.check("a request", 201, asked.status);
        stage.wake(SERIAL).await?;
    }
    let kept = people.list(people.ati, incident, "positions").await?;
    teller.check("positions that were kept", 3, with(&kept, "/outcome", "kept"));
    stage.server().advance(14 * MINUTE);
    let soon = people.ask(people.ati, incident, "positions", json!({ "reason": "encore" })).await?;
    teller.check("the fourth, a minute too soon", "M1", soon.text("/rule"));

    let first = kept.first().map(|one| text(one, "/id").to_owned()).unwrap_or_default();
    let path = format!("/api/v1/positions/{first}/looks");
    let ati = people.signed_in(people.ati).await?;
    let looked = ati.post(&path, &json!({ "reason": "pour la police" })).await.map_err(stopped)?;
    teller.check("a look at the first", 201, looked.status);
    let latitude = looked.body.pointer("/latitude").and_then(Value::as_f64).unwrap_or_default();
    teller.check("shows where the tablet was", true, (latitude - 48.8566).abs() < 0.001);
    Ok(())
}

async fn without_the_complaint(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("48 hours pass without a complaint: location stops by itself (M1)");
    stage.server().advance(48 * HOUR);
    let late = people.ask(people.ati, incident, "positions", json!({ "reason": "encore" })).await?;
    teller.check("a request after 48 hours", "M1", late.text("/rule"));
    let ended = wait_until("the warrant ran out", Patience::default(), || async {
        let listed =
            people.list(people.ati, incident, "warrants").await.map_err(testkit::TestkitError::other)?;
        Ok((with(&listed, "/state", "ended") == 1).then_some(()))
    });
    ended.await.map_err(stopped)?;
    let warrants = people.list(people.ati, incident, "warrants").await?;
    teller.check("warrants that ended", 1, with(&warrants, "/state", "ended"));
    let warrant = warrants.first().map(|one| text(one, "/id").to_owned()).unwrap_or_default();
    let more = json!({ "reason": "encore" });
    let path = format!("/api/v1/warrants/{warrant}/extend");
    let asked = people.signed_in(people.ati).await?.post(&path, &more).await.map_err(stopped)?;
    teller.check("an extension without the complaint", "M1", asked.text("/rule"));
    Ok(())
}

async fn extended(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("the complaint arrives; the extension needs its reason and its second person (M1)");
    let today = Day::of(stage.server().clock().now()).to_string();
    let complaint = json!({ "number": "2026/1234", "dated": today, "station": "Commissariat de Rouen" });
    let recorded = people.ask(people.ati, incident, "complaint", complaint).await?;
    teller.check("the complaint, late and taken", "came-late", recorded.text("/papers/1/standing"));
    let warrants = people.list(people.ati, incident, "warrants").await?;
    let warrant = warrants.first().map(|one| text(one, "/id").to_owned()).unwrap_or_default();
    let path = format!("/api/v1/warrants/{warrant}/extend");
    let ati = people.signed_in(people.ati).await?;
    let asked =
        ati.post(&path, &json!({ "reason": "plainte déposée", "hours": 24 })).await.map_err(stopped)?;
    teller.check("the extension is asked for", 201, asked.status);
    let early = people.ask(people.ati, incident, "positions", json!({ "reason": "encore" })).await?;
    teller.check("before anybody signed it", "M1", early.text("/rule"));
    let signed = people.sign(people.head, asked.text("/countersignature")).await?;
    teller.check("signed by the head", 200, signed.status);
    let again = people.ask(people.ati, incident, "positions", json!({ "reason": "vue au marché" })).await?;
    teller.check("a request under it", 201, again.status);
    stage.wake(SERIAL).await?;
    let kept = people.list(people.ati, incident, "positions").await?;
    teller.check("positions that were kept", 4, with(&kept, "/outcome", "kept"));
    Ok(())
}

async fn closed(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
) -> Result<(), Failure> {
    teller.step("the tablet is found: nobody locates it any more; closed: lost mode ends (M1)");
    let asked = people.ask(people.ati, incident, "steps", json!({ "step": "find" })).await?;
    teller.check("found", "found", asked.text("/state"));
    stage.server().advance(15 * MINUTE);
    let late = people.ask(people.ati, incident, "positions", json!({ "reason": "encore" })).await?;
    teller.check("a request for one that was found", 403, late.status);
    let closed = people.ask(people.ati, incident, "steps", json!({ "step": "close" })).await?;
    teller.check("closed", "closed", closed.text("/state"));
    stage.wake(SERIAL).await?;
    teller.check("lost mode", "off".to_owned(), lost_mode(people, incident).await?);
    Ok(())
}

async fn told(
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step(
        "the holder, or the guardians, are to be told when each warrant opened and when it was over (C7.1)",
    );
    let notices = people.list(people.head, incident, "notices").await?;
    teller.check("that a warrant opened", 2, with(&notices, "/occasion", "opened"));
    teller.check("that it is over", 2, with(&notices, "/occasion", "over"));
    figures.set("notices", count(notices.iter()));
    Ok(())
}

/// A backup of the days when positions could be read.
async fn backup(stage: &Stage) -> Result<std::path::PathBuf, Failure> {
    let url: DatabaseUrl = stage.server().database_url().parse().map_err(stopped)?;
    let file = stage.server().home().join("last-month.backup");
    Store::backup(url, file.clone()).await?;
    Ok(file)
}

async fn dead(
    stage: &Stage,
    people: &People<'_>,
    incident: &str,
    (database, backup): (Option<&str>, &Path),
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step(
        "30 days later the key of the incident is destroyed, and last month's backup shows nothing (M2)",
    );
    let server = stage.server();
    let keys = SharedFolder::open(server.home().join("shared"))?.incident_keys();
    let now = incident_keys::readable(server.fleet().map_err(stopped)?.store(), &keys).await?;
    teller.check("positions that can be read today", 4, now.readable);
    server.advance(30 * DAY + HOUR);
    let forgotten = wait_until("the key is destroyed", Patience::default(), || async {
        let listed =
            people.list(people.ati, incident, "positions").await.map_err(testkit::TestkitError::other)?;
        let readable = listed.iter().any(|one| one.pointer("/readable") == Some(&Value::Bool(true)));
        Ok((!readable).then_some(()))
    });
    forgotten.await.map_err(stopped)?;
    let kept = people.list(people.ati, incident, "positions").await?;
    teller.check("positions of which it is known that they were", 4, with(&kept, "/outcome", "kept"));
    let first = kept.first().map(|one| text(one, "/id").to_owned()).unwrap_or_default();
    let path = format!("/api/v1/positions/{first}/looks");
    let ati = people.signed_in(people.ati).await?;
    let looked = ati.post(&path, &json!({ "reason": "par curiosité" })).await.map_err(stopped)?;
    teller.check("a look at the first", "M2", looked.text("/rule"));

    let (kept, readable) = restored(stage, database, backup, &keys, teller).await?;
    teller.check("positions in the backup of that day", 4, kept);
    teller.check("positions that it shows", 0, readable);
    figures.set("positions", u64::try_from(kept).unwrap_or(u64::MAX));
    figures.set("positions_readable", u64::try_from(readable).unwrap_or(u64::MAX));
    Ok(())
}

/// Brings the backup back elsewhere, beside the folder as it is today, and tries every position in it.
async fn restored(
    stage: &Stage,
    database: Option<&str>,
    backup: &Path,
    keys: &IncidentKeys,
    teller: &Teller,
) -> Result<(usize, usize), Failure> {
    let server = stage.server();
    let lines = std::fs::read_to_string(server.home().join("ardoise.keys"))
        .map_err(Failure::reading(Path::new("ardoise.keys")))?;
    let vault = Vault::parse(&types::Secret::new(lines)).map_err(store::StoreError::from)?;
    let scratch = match database {
        Some(url) => Some(Scratch::make(url).await?),
        None => None,
    };
    let target: DatabaseUrl = match &scratch {
        Some(scratch) => scratch.url().parse().map_err(stopped)?,
        None => DatabaseUrl::sqlite(server.home().join("restored.db")),
    };
    let tried = async {
        Store::restore(target.clone(), vault.clone(), backup.to_owned(), server.clock().now()).await?;
        let store = Store::open(StoreOptions { pool_size: 1, ..StoreOptions::new(target) }, vault).await?;
        Ok::<_, Failure>(incident_keys::readable(&store, keys).await?)
    };
    let tried = tried.await;
    if let Some(scratch) = scratch {
        scratch.drop(teller.output()).await;
    }
    tried.map(|found| (found.kept, found.readable))
}

/// Register and log tell it all, and where it was is in neither.
async fn remembered(
    people: &People<'_>,
    incident: &str,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step("what remains: that it was located, by whom and why; never where");
    let camille = people.stage.server().stepped_up().await.map_err(stopped)?;
    let mut told = String::new();
    for (action, expected, figure) in [
        ("warrant.ask", 2, None),
        ("warrant.grant", 1, None),
        ("warrant.extend", 1, None),
        ("position.ask", 4, Some("requests")),
        ("position.look", 1, Some("looks")),
        ("incident.destroy-key", 1, None),
    ] {
        let path = format!("/api/v1/audit?action={action}&limit=500");
        let listed = camille.get(&path).await.map_err(stopped)?.ok().map_err(stopped)?;
        let entries = listed.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = count(entries.iter());
        teller.check(&format!("entries of `{action}`"), expected, found);
        if let Some(figure) = figure {
            figures.set(figure, found);
        }
        told.push_str(&listed.to_string());
    }
    teller.check("the log holds a position", false, told.contains("48.85") || told.contains("2.35"));
    let shown = people.list(people.head, incident, "positions").await?;
    figures.set("refused", with(&shown, "/outcome", "dropped"));
    let register = camille.get("/api/v1/privacy/register").await.map_err(stopped)?.ok().map_err(stopped)?;
    let entries = register.pointer("/activities").and_then(Value::as_array).cloned().unwrap_or_default();
    let entry = entries.into_iter().find(|entry| text(entry, "/code") == "geolocation").unwrap_or_default();
    teller.check("geolocation in the register", "on", text(&entry, "/status/code"));
    Ok(())
}

async fn lost_mode(people: &People<'_>, incident: &str) -> Result<String, Failure> {
    let client = people.signed_in(people.ati).await?;
    let shown = client.get(&format!("/api/v1/incidents/{incident}")).await.map_err(stopped)?;
    Ok(shown.text("/lost_mode/state").to_owned())
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// How many of them say this there.
fn with(items: &[Value], pointer: &str, word: &str) -> u64 {
    count(items.iter().filter(|item| text(item, pointer) == word))
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}
