//! The year begins: who may be lent a tablet, what was signed, who gets which.

use serde_json::{Value, json};
use testkit::{Patience, inventory_csv, wait_until};
use types::{Clock as _, Day, Role};

use super::{COLLEGE, PUPILS, Stage, Teller, UNSIGNED, does, reads, serial, someone, stopped, text};
use crate::failure::Failure;

/// What is on every tablet, and what else at home and at school.
const LAYERS: [&str; 3] = [
    include_str!("../../../../../profiles/socle.toml"),
    include_str!("../../../../../profiles/hors-college.toml"),
    include_str!("../../../../../profiles/au-college.toml"),
];

/// A pupil's loan.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    /// The loan's id.
    pub(super) loan: String,
}

/// From the school's export to the tablets in the pupils' hands; their loans, in the order of the pupils.
pub(super) async fn begins(stage: &Stage, teller: &mut Teller) -> Result<Vec<Lent>, Failure> {
    rules(stage, teller).await?;
    let people = listed(stage, None, teller).await?;
    signed(stage, &people, teller).await?;
    handed_over(stage, &people, teller).await
}

/// What must be before anything is lent.
async fn rules(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "the DPO validates, the département dates the year, the collège decides and adopts its charter",
    );
    let server = stage.server();
    for activity in ["roster", "lending", "app-inventory", "notices"] {
        server.validate_activity(activity).await.map_err(stopped)?;
    }
    let year = server.school_year().await.map_err(stopped)?;
    teller.tell(&format!("school year {year}"));
    for layer in LAYERS {
        server.publish_layer(layer).await.map_err(stopped)?;
    }
    let head = someone(stage, "principale", Role::Head).await?;
    let charter = Day::of(server.clock().now()).plus(-30).to_string();
    let decisions = json!({ "charter_adopted_on": charter, "home_use": "allowed" });
    let path = format!("/api/v1/organisations/{COLLEGE}/decisions");
    head.put(&path, &decisions).await.map_err(stopped)?.ok().map_err(stopped)?;
    let wifi = json!({ "ssid": "Tablettes", "passphrase": "une phrase pour le wifi" });
    let network = head.put(&format!("/api/v1/organisations/{COLLEGE}/network"), &wifi).await;
    teller.check("the collège names its network", 204, network.map_err(stopped)?.status);
    publish_text(stage, "première année").await
}

/// The département publishes the text of the agreement for today's year.
pub(super) async fn publish_text(stage: &Stage, which: &str) -> Result<(), Failure> {
    let operator = someone(stage, &format!("exploitante-{}", which.len()), Role::Operator).await?;
    let body = format!("La tablette est prêtée ({which}).");
    does(&operator, "/api/v1/agreements", &json!({ "title": "Convention", "body": body })).await?;
    Ok(())
}

/// The school's export becomes the validated list: the head settles it, the académie validates it; the numbers of the
/// pupils. `without` is in it no more; whoever leaves has their last day in it.
pub(super) async fn listed(
    stage: &Stage,
    without: Option<usize>,
    teller: &mut Teller,
) -> Result<Vec<String>, Failure> {
    let lines = (0..PUPILS.len()).filter(|pupil| Some(*pupil) != without).map(|pupil| (pupil, None));
    list(stage, lines.collect(), teller).await
}

/// As [`listed`], of pupils with the last day of each that is known.
pub(super) async fn list(
    stage: &Stage,
    pupils: Vec<(usize, Option<Day>)>,
    teller: &mut Teller,
) -> Result<Vec<String>, Failure> {
    let mut csv = String::from("Nom;Prénom;Division;N°;Responsable;Sortie\n");
    for (pupil, leaves) in &pupils {
        let Some((name, first)) = PUPILS.get(*pupil) else { continue };
        let leaves = leaves.map(|day| day.to_string()).unwrap_or_default();
        csv.push_str(&format!("{name};{first};3e B;{pupil};oui;{leaves}\n"));
    }
    let mapping = json!({
        "columns": {
            "name": ["Prénom", "Nom"], "class": "Division", "number": "N°", "guardians": ["Responsable"],
            "leaves_on": "Sortie",
        },
    });
    let now = stage.server().clock().now().as_millis();
    let head = someone(stage, &format!("cheffe-{now}"), Role::Head).await?;
    let academie = someone(stage, &format!("inspectrice-{now}"), Role::Approver).await?;
    let export = json!({ "mapping": mapping, "csv": csv });
    let proposed = does(&head, &format!("/api/v1/organisations/{COLLEGE}/lists"), &export).await?;
    let path = format!("/api/v1/lists/{}", text(&proposed, "/id"));
    let seen = json!({ "content_sha256": text(&proposed, "/content_sha256") });
    let early = academie.post(&format!("{path}/validate"), &seen).await.map_err(stopped)?;
    teller.check("validated before the head has settled it", false, early.status == 200);
    does(&head, &format!("{path}/settle"), &seen).await?;
    let validated = does(&academie, &format!("{path}/validate"), &seen).await?;
    teller.check("the list, settled and then validated, is", "validated", text(&validated, "/state"));
    let names = proposed.pointer("/names").and_then(Value::as_array).cloned().unwrap_or_default();
    let number = |pupil: &usize| {
        let found = names.iter().find(|name| text(name, "/entry/number") == pupil.to_string());
        found.map(|name| text(name, "/person").to_owned()).unwrap_or_default()
    };
    Ok((0..PUPILS.len()).map(|pupil| number(&pupil)).collect())
}

/// The guardians sign; those of one pupil do not.
async fn signed(stage: &Stage, people: &[String], teller: &mut Teller) -> Result<(), Failure> {
    teller.step("the guardians sign the agreement; those of one pupil do not (C5.2.1)");
    let ati = someone(stage, "dalila", Role::Ati).await?;
    let on = Day::of(stage.server().clock().now()).to_string();
    for (pupil, person) in people.iter().enumerate().filter(|(pupil, _)| *pupil != UNSIGNED) {
        let said = json!({ "signatory": "guardian-1", "stance": "signed", "on": on, "reference": format!("page {pupil}") });
        does(&ati, &format!("/api/v1/persons/{person}/agreement"), &said).await?;
    }
    Ok(())
}

/// Each tablet is enrolled, gets what must be on it, and is handed over once it has told so.
async fn handed_over(stage: &Stage, people: &[String], teller: &mut Teller) -> Result<Vec<Lent>, Failure> {
    teller.step(&format!("{} tablets are enrolled, made ready, and handed over (C5.3.4)", PUPILS.len()));
    let server = stage.server();
    let serials: Vec<String> = (0..PUPILS.len()).map(serial).collect();
    let inventory = inventory_csv(serials.iter().map(String::as_str), COLLEGE);
    server.import_inventory(&inventory).await.map_err(stopped)?;
    let ati = someone(stage, "farid", Role::Ati).await?;
    let mut loans = Vec::with_capacity(serials.len());
    for (serial, person) in serials.iter().zip(people) {
        let url = server.link_for(serial).await.map_err(stopped)?;
        let mut ipad =
            server.ipad(serial).system("27.0", "24A300").supervised(true).build().map_err(stopped)?;
        Box::pin(ipad.enrol_by_link(&url)).await.map_err(stopped)?;
        stage.keep(ipad).await;
        let new = json!({ "person": person, "condition": "neuve", "accessories": ["chargeur"] });
        let path = format!("/api/v1/tablets/{serial}/loans");
        if loans.is_empty() {
            let early = ati.post(&path, &new).await.map_err(stopped)?;
            teller.check("handed over before it has what must be on it", 403, early.status);
        }
        is_ready(stage, &ati, serial, person).await?;
        let loan = does(&ati, &path, &new).await?;
        loans.push(Lent { loan: text(&loan, "/id").to_owned() });
    }
    let [home, school] = [0, UNSIGNED].map(|pupil| loans.get(pupil).cloned());
    for (who, lent, mode) in [("signed", home, "take-home"), ("not signed", school, "in-school")] {
        let path = format!("/api/v1/loans/{}", lent.map(|lent| lent.loan).unwrap_or_default());
        let shown = reads(&ati, &path).await?;
        teller.check(&format!("the tablet of a pupil whose agreement is {who}"), mode, text(&shown, "/mode"));
    }
    Ok(loans)
}

/// Wakes a tablet until its light is green.
async fn is_ready(
    stage: &Stage,
    ati: &testkit::ApiClient,
    serial: &str,
    person: &str,
) -> Result<(), Failure> {
    let path = format!("/api/v1/tablets/{serial}/readiness?person={person}");
    let what = format!("tablet {serial} is ready");
    let green = wait_until(&what, Patience::default(), || async {
        stage.wake(serial).await.map_err(|failure| testkit::TestkitError::other(failure.to_string()))?;
        Ok((ati.get(&path).await?.body.get("ready") == Some(&Value::Bool(true))).then_some(()))
    });
    green.await.map_err(stopped)
}
