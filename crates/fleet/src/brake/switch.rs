//! The switch that stops everything destructive, queued or not (M5). One person throws it, at once; two release it.

use governance::Permission;
use governance::brake::Switch;
use governance::countersignature::{Purpose, Question, SecondPerson};
use serde_json::json;
use store::brake::{self, Maker};
use types::{CountersignatureId, Instant};

use crate::audit::{self, Change};
use crate::countersignatures::{self, Use};
use crate::{Fleet, Principal, Refusal};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// Throws the switch: nothing destructive is queued or sent from then on, what was queued before included. One that is
/// thrown stays as it is, with its first reason.
///
/// # Errors
/// [`Refusal::Invalid`] without a reason.
pub async fn engage(
    fleet: &Fleet,
    principal: &Principal,
    reason: &str,
    now: Instant,
) -> Result<Switch, Refusal> {
    let reason = checked_reason(reason)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::EngageBrake, &person.access, now)?;
            if brake::throw(tx, Maker::Account(person.standing.account()), &reason, now)? {
                let change = Change::new("brake.engage").reason(Some(reason.clone()));
                audit::record(tx, &principal, change, now)?;
            }
            Ok(brake::switch(tx)?)
        })
        .await
}

/// Asks a second person that this time that the switch was thrown be over.
///
/// # Errors
/// [`Refusal::Conflict`] while it is released; [`Refusal::NotAsked`].
pub async fn ask_release(
    fleet: &Fleet,
    principal: &Principal,
    reason: &str,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let (reason, principal) = (reason.to_owned(), principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ReleaseBrake, &person.access, now)?;
            let Switch::Engaged(engaged) = brake::switch(tx)? else { return Err(not_thrown()) };
            let (subject, content) = engaged.question();
            let question = Question {
                purpose: Purpose::ReleaseBrake,
                subject,
                content,
                second: SecondPerson::Departement,
                reason: reason.clone(),
            };
            countersignatures::ask(tx, &person, question, now)
        })
        .await
}

/// Releases the switch under the signature of a second person. What was queued goes on, unless it expired meanwhile.
///
/// # Errors
/// [`Refusal::NotCountersigned`]; [`Refusal::Conflict`] while it is released.
pub async fn release(
    fleet: &Fleet,
    principal: &Principal,
    id: CountersignatureId,
    now: Instant,
) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ReleaseBrake, &person.access, now)?;
            let switch = brake::switch(tx)?;
            let Switch::Engaged(engaged) = &switch else { return Err(not_thrown()) };
            let (subject, content) = engaged.question();
            let used = Use {
                purpose: Purpose::ReleaseBrake,
                subject: &subject,
                content: &content,
                used_for: "the switch is released",
            };
            let proof = countersignatures::proof(tx, id, &used, now)?;
            if proof.asked_by() != person.standing.account() {
                return Err(Refusal::not_found("countersignature", id));
            }
            switch.release(proof).map_err(|error| Refusal::Conflict(error.to_string()))?;
            brake::release(tx)?;
            let detail = json!({ "countersignature": id });
            audit::record(tx, &principal, Change::new("brake.release").detail(detail), now)
        })
        .await
}

fn not_thrown() -> Refusal {
    Refusal::Conflict("the switch is released: nothing is stopped".into())
}

fn checked_reason(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            "reason",
            format!("must have 1 to {LONGEST_REASON} characters: say why"),
        ));
    }
    Ok(reason.to_owned())
}
