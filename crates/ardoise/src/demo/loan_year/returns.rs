//! Tablets come back in every way, and each is erased by an order, proven empty, or not erased at all (C5.2.3, C5.3.5, M3).

use serde_json::{Value, json};
use testkit::{Answer, ApiClient, Patience, TestkitError, wait_until};
use types::{Clock as _, Day, Duration, Role};

use super::school::{Lent, list};
use super::september::{of, was_erased};
use super::{
    DAY, ENDED, Figures, LEAVES, PUPILS, SLIP, Stage, Teller, UNNAMED, reads, serial, someone, stopped, text,
    tries,
};
use crate::failure::Failure;

/// A receipt is no slip any more after that.
pub(super) const NO_SLIP: Duration = Duration::from_secs(61);

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

/// A pupil leaves, and their tablet comes back.
pub(super) async fn departure(stage: &Stage, loans: &[Lent], teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "a pupil leaves: the loan ends by itself after the last day, and nothing is erased by that (C5.2.3)",
    );
    let server = stage.server();
    let last = Day::of(server.clock().now()).plus(3);
    let pupils = (0..PUPILS.len()).map(|pupil| (pupil, (pupil == LEAVES).then_some(last)));
    list(stage, pupils.collect(), teller).await?;
    server.advance(DAY * 4);
    let ati = someone(stage, "elise", Role::Ati).await?;
    let path = format!("/api/v1/loans/{}", of(loans, LEAVES));
    let ended = wait_until("the loan has ended", Patience::default(), || async {
        let shown = ati.get(&path).await?;
        Ok((shown.text("/state") == "ended").then_some(shown))
    });
    teller.check(
        "the loan ended because the pupil",
        "left",
        ended.await.map_err(stopped)?.text("/ended_because"),
    );
    stage.wake(&serial(LEAVES)).await?;
    teller.check("erased by that", false, was_erased(&ati, &serial(LEAVES)).await?);

    teller.step("it comes back; the pupil's data is saved; the calendar orders, and it returns to service (C5.3.5, M3)");
    comes_back(stage, LEAVES, &ati, teller).await
}

/// A tablet is received, whose holder saved their data: it is erased by its order, and proven empty by its return.
async fn comes_back(
    stage: &Stage,
    pupil: usize,
    ati: &ApiClient,
    teller: &mut Teller,
) -> Result<(), Failure> {
    let receipt = receive(ati, &serial(pupil), true).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    let early = act(ati, &id, "order").await?;
    teller.check("ordered within a minute", "forbidden-by-rule", early.text("/code"));
    stage.server().advance(NO_SLIP);
    comes_to(ati, &id, "ordered").await?;
    stage.wake(&serial(pupil)).await?;
    let proven = shown(ati, &id).await.map_err(stopped)?;
    teller.check("it is", "erased", proven.text("/stage"));
    teller.check("proven by", "reenrolled", proven.text("/proof"));
    Ok(())
}

/// The guardians end a loan by registered letter; they are told by letter what becomes of the data.
pub(super) async fn letter(stage: &Stage, loans: &[Lent], teller: &mut Teller) -> Result<(), Failure> {
    teller.step("guardians end a loan by registered letter to the head (C5.2.4)");
    let server = stage.server();
    let head = someone(stage, "cheffe-du-courrier", Role::Head).await?;
    let dated = Day::of(server.clock().now()).to_string();
    let written = json!({ "from": "guardians", "dated": dated, "reference": "LR 1A 234" });
    let over = tries(&head, &format!("/api/v1/loans/{}/letter", of(loans, ENDED)), &written).await?;
    teller.check("the loan ended by", "letter-of-the-guardians", over.text("/ended_because"));

    teller.step(
        "the tablet comes back; nobody was told: a letter, and fourteen days from its handing over (C5.3.5)",
    );
    let ati = someone(stage, "farah", Role::Ati).await?;
    let receipt = receive(&ati, &serial(ENDED), false).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    server.advance(NO_SLIP);
    let waits = shown(&ati, &id).await.map_err(stopped)?;
    teller.check("it waits, because the holder was", "not-told", waits.text("/waits/code"));
    let letter = act(&ati, &id, "letter").await?;
    teller.check("a letter names the tablet", true, letter.text("/french").contains(&serial(ENDED)));
    teller.check("handed over", 200, act(&ati, &id, "letter/handed-over").await?.status);
    server.advance(DAY * 13);
    let ati = someone(stage, "gaelle", Role::Ati).await?;
    let early = act(&ati, &id, "order").await?;
    teller.check("ordered after thirteen days", "forbidden-by-rule", early.text("/code"));
    server.advance(DAY + NO_SLIP);
    let ati = someone(stage, "hugo", Role::Ati).await?;
    comes_to(&ati, &id, "ordered").await?;
    // Its screen is broken: it is erased on the bench, and a technician says so.
    let attested = act(&ati, &id, "attest").await?;
    teller.check("proven by a technician who", "attested", attested.text("/proof"));
    stage.wake(&serial(ENDED)).await?;
    teller.check("its old command is given to it", false, was_erased(&ati, &serial(ENDED)).await?);
    Ok(())
}

/// A tablet is scanned by mistake.
pub(super) async fn slip(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step("a slip of the scanner is taken back, and the loan goes on");
    let ati = someone(stage, "iris", Role::Ati).await?;
    let receipt = receive(&ati, &serial(SLIP), true).await?;
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    let undone = act(&ati, &id, "undo").await?;
    teller.check("the receipt", "undone", undone.text("/stage"));
    stage.server().advance(NO_SLIP);
    Ok(())
}

/// The tablet of whom the new list does not name comes back.
pub(super) async fn unnamed(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    teller.step("the tablet of whom the new list does not name is on the head's list, and comes back");
    let ati = someone(stage, "lucas", Role::Ati).await?;
    let awaited = reads(&ati, "/api/v1/overdue-tablets").await?;
    teller.check("awaited", serial(UNNAMED).as_str(), text(&awaited, "/items/0/serial"));
    comes_back(stage, UNNAMED, &ati, teller).await
}

/// All tablets wake; then is counted what was erased, and by what.
pub(super) async fn in_the_end(
    stage: &Stage,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    teller.step("in the end: what was erased, and by which order");
    stage.server().advance(DAY * 30);
    let ati = someone(stage, "quentin", Role::Ati).await?;
    let items =
        |listed: Value| listed.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut acts = items(reads(&ati, "/api/v1/restitutions?all=true&limit=500").await?);
    acts.extend(items(reads(&ati, "/api/v1/departures?all=true&limit=500").await?));
    let (mut erased, mut without) = (0, 0);
    for serial in (0..PUPILS.len()).map(serial) {
        // What was given away is nobody's to wake any more.
        if serial != super::serial(super::GIVEN) {
            stage.wake(&serial).await?;
        }
        let was_erased = was_erased(&ati, &serial).await?;
        let by_order =
            acts.iter().any(|one| text(one, "/serial") == serial && !text(one, "/order").is_empty());
        erased += u64::from(was_erased);
        without += u64::from(was_erased && !by_order);
    }
    teller.check("tablets that erased themselves", 3, erased);
    teller.check("of these, without an order", 0, without);
    let proven = acts.iter().filter(|one| !text(one, "/proof").is_empty()).count();
    teller.check("tablets that are proven empty", 4, proven);
    figures.set("erased", erased);
    figures.set("erased_without_order", without);
    figures.set("proven", u64::try_from(proven).unwrap_or(u64::MAX));
    Ok(())
}
