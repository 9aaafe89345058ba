//! One tablet is given to the pupil who holds it: proposed, decided, told, erased, let go by a second person, released (C5.1.2).

use serde_json::{Value, json};
use types::Role;

use super::returns::NO_SLIP;
use super::school::Lent;
use super::september::of;
use super::{DAY, GIVEN, Stage, Teller, does, reads, serial, someone, text, tries};
use crate::failure::Failure;

/// Tells it.
pub(super) async fn given(stage: &Stage, loans: &[Lent], teller: &mut Teller) -> Result<(), Failure> {
    teller.step("a tablet is given away: the head proposes, the département decides; the pupil is told, and has fourteen days");
    let (head, operator) = (
        someone(stage, "cheffe-qui-propose", Role::Head).await?,
        someone(stage, "odile", Role::Operator).await?,
    );
    let loan = of(loans, GIVEN);
    let facts = reads(&operator, &format!("/api/v1/loans/{loan}/donation-facts")).await?;
    let against = ["/donation_ruled_out", "/incident_open", "/counterpart_unpaid"];
    let speaks = against.iter().any(|fact| facts.pointer(fact) == Some(&Value::Bool(true)));
    teller.check("a fact speaks against it", false, speaks);
    let why = json!({ "reason": "trois ans sans sinistre" });
    let proposed = does(&head, &format!("/api/v1/loans/{loan}/donation"), &why).await?;
    let path = format!("/api/v1/departures/{}", text(&proposed, "/id"));
    let nobody = json!({});
    does(&operator, &format!("{path}/decide"), &nobody).await?;
    let ati = someone(stage, "malik", Role::Ati).await?;
    let early = tries(&ati, &format!("{path}/order"), &nobody).await?;
    teller.check("erased without notice", "forbidden-by-rule", early.text("/code"));
    does(&ati, &format!("{path}/letter/handed-over"), &nobody).await?;
    stage.server().advance(DAY * 14 + NO_SLIP);
    let ati = someone(stage, "nadia", Role::Ati).await?;
    does(&ati, &format!("{path}/order"), &nobody).await?;
    stage.wake(&serial(GIVEN)).await?;
    let empty = reads(&ati, &path).await?;
    teller.check("the gift is proven empty by", "reenrolled", text(&empty, "/proof"));

    teller.step("what cannot be undone comes last, and takes a second person");
    let operator = someone(stage, "oscar", Role::Operator).await?;
    let asked = does(&operator, &format!("{path}/ask"), &nobody).await?;
    let signed = json!({ "countersignature": text(&asked, "/countersignature") });
    let alone = tries(&operator, &format!("{path}/let-go"), &signed).await?;
    teller.check("let go by one person alone", false, alone.status == 200);
    let second = someone(stage, "paule", Role::Operator).await?;
    let request = format!("/api/v1/countersignatures/{}", text(&asked, "/countersignature"));
    let seen = reads(&second, &request).await?;
    let yes = json!({ "verdict": "give", "content_sha256": text(&seen, "/content_sha256") });
    does(&second, &format!("{request}/answer"), &yes).await?;
    does(&operator, &format!("{path}/let-go"), &signed).await?;
    stage.wake(&serial(GIVEN)).await?;
    let attested = json!({ "release": "ASM, ligne 4711", "activation_lock": "écran d’accueil vu" });
    let over = does(&operator, &format!("{path}/release"), &attested).await?;
    teller.check("the tablet is", "released", text(&over, "/way"));
    let deed = reads(&operator, &format!("{path}/deed")).await?;
    teller.check("the deed names it", true, text(&deed, "/french").contains(&serial(GIVEN)));
    Ok(())
}
