//! The summer's deposit, and the turn of the year: the same pupils get the same tablets with the same data, and whoever the new
//! list does not name has left (C5.2.2, C9.1).

use serde_json::json;
use testkit::{ApiClient, Patience, wait_until};
use types::{Clock as _, Day, Role};

use super::school::{Lent, listed, publish_text};
use super::{
    DAY, GIVEN, SLIP, Stage, Teller, UNNAMED, UNSIGNED, does, reads, serial, someone, stopped, text, tries,
};
use crate::failure::Failure;

/// Who still holds a tablet when summer comes.
const HOLDERS: [usize; 4] = [SLIP, UNSIGNED, UNNAMED, GIVEN];

/// The tablets are handed in for the summer. Nothing is erased.
pub(super) async fn summer(stage: &Stage, loans: &[Lent], teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "summer: pupils’ tablets are deposited; custody changes, the loans go on, nothing is erased (C5.2.2)",
    );
    let ati = someone(stage, "ines", Role::Ati).await?;
    let early = tries(&ati, &format!("/api/v1/loans/{}/deposit", of(loans, SLIP)), &json!({})).await?;
    teller.check("deposited in spring", "forbidden-by-rule", early.text("/code"));
    // The break begins 150 days after the day on which the year was dated.
    let server = stage.server();
    let year = reads(&ati, "/api/v1/school-years").await?;
    let begins: Day = text(&year, "/items/0/summer_starts_on").parse().map_err(stopped)?;
    let left = begins.plus(-5).starts_at().since(server.clock().now());
    server.advance(left);
    let ati = someone(stage, "jeanne", Role::Ati).await?;
    for pupil in HOLDERS {
        let kept = does(&ati, &format!("/api/v1/loans/{}/deposit", of(loans, pupil)), &json!({})).await?;
        teller.check("handed in, its loan is", "deposited", text(&kept, "/state"));
    }
    Ok(())
}

/// September comes: a new year, a new text, a new list without one pupil.
pub(super) async fn new_year(stage: &Stage, loans: &[Lent], teller: &mut Teller) -> Result<(), Failure> {
    teller.step(
        "September: a new year with its own list and text; the same pupils get the same tablets (C9.1)",
    );
    let server = stage.server();
    server.advance(DAY * 61);
    let today = Day::of(server.clock().now());
    let (ends, summer) = (today.plus(364), today.plus(310));
    let first_four = |day: Day| day.to_string().chars().take(4).collect::<String>();
    let label = format!("{}-{}", first_four(today), first_four(ends));
    let dates = json!({
        "starts_on": today.to_string(), "ends_on": ends.to_string(), "summer_starts_on": summer.to_string(),
        "summer_ends_on": ends.to_string(),
    });
    let operator = someone(stage, "exploitant-de-septembre", Role::Operator).await?;
    let dated = operator.put(&format!("/api/v1/school-years/{label}"), &dates).await.map_err(stopped)?;
    teller.check("the département dates the new year", true, dated.status < 300);
    let ati = someone(stage, "karim", Role::Ati).await?;
    for pupil in HOLDERS {
        let out = does(&ati, &format!("/api/v1/loans/{}/hand-out", of(loans, pupil)), &json!({})).await?;
        teller.check("handed out again under the same loan", of(loans, pupil), text(&out, "/id"));
        stage.wake(&serial(pupil)).await?;
        teller.check("erased over the summer", false, was_erased(&ati, &serial(pupil)).await?);
    }
    publish_text(stage, "deuxième année, un autre texte").await?;
    listed(stage, Some(UNNAMED), teller).await?;
    let path = format!("/api/v1/loans/{}", of(loans, UNNAMED));
    // The calendar looks once an hour.
    server.advance(types::Duration::from_secs(3_700));
    let ati = someone(stage, "louise", Role::Ati).await?;
    let over = wait_until("the calendar has turned the year", Patience::default(), || async {
        let shown = ati.get(&path).await?;
        Ok((shown.text("/state") == "ended").then_some(shown))
    });
    let over = over.await.map_err(stopped)?;
    teller.check(
        "the loan of whom the new list does not name ended because",
        "no-longer-listed",
        over.text("/ended_because"),
    );
    let stays = reads(&ati, &format!("/api/v1/loans/{}", of(loans, GIVEN))).await?;
    teller.check("the loan of whom it names", "lent", text(&stays, "/state"));
    teller.check("whose agreement of last year counts no more", "in-school", text(&stays, "/mode"));
    Ok(())
}

/// Whether a tablet said of a command to erase that it did so.
pub(super) async fn was_erased(ati: &ApiClient, serial: &str) -> Result<bool, Failure> {
    let path = format!("/api/v1/tablets/{serial}/commands?limit=500");
    let commands = reads(ati, &path).await?;
    let commands =
        commands.pointer("/items").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    Ok(commands
        .iter()
        .any(|one| text(one, "/request_type") == "EraseDevice" && text(one, "/state") == "acknowledged"))
}

/// The loan of a pupil.
pub(super) fn of(loans: &[Lent], pupil: usize) -> &str {
    loans.get(pupil).map_or("", |lent| lent.loan.as_str())
}
