//! The first day: an inventory comes in, links go out, tablets enrol, are woken, asked, and given a profile.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Figures;
use super::classroom::Classroom;
use super::departement::Departement;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;
use crate::remote::{Api, Body};
use crate::table::text_at;

/// The base of the first day: the first set of choices for lent tablets.
const BASE: &str = include_str!("../../../../profiles/socle.toml");
/// What its profile is called on a tablet.
const PROFILE_IDENTIFIER: &str = "fr.ardoise.configuration.profile";

/// Requests to the API at the same time.
const AT_ONCE: usize = 8;
/// Between two looks at commands that are waited for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a command may take, beside a share for each tablet.
const PATIENCE: Duration = Duration::from_secs(45);
const PATIENCE_PER_TABLET: Duration = Duration::from_millis(300);

/// Tells it.
pub(super) async fn tell(
    stage: &Stage,
    tablets: u64,
    teller: &mut Teller,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let api = stage.api();
    let departement = Departement::of(tablets);

    teller.step("the supplier's file becomes the inventory (C3.3.4)");
    let imported = departement.import(api).await?;
    teller.check("tablets created", tablets, number(&imported, "/created"));
    let again = departement.import(api).await?;
    teller.check("tablets unchanged, when the same file comes again", tablets, number(&again, "/unchanged"));
    let inventory = api.list(&["inventory"], &[], None).await?;
    teller.check("tablets in the inventory", tablets, count(&inventory));

    teller.step("links go out: one for the trolley of the first collège, one for each tablet of the others");
    let links = departement.links(api).await?;
    let listed = api.list(&["links"], &[], None).await?;
    teller.check("links", count(&links.made), count(&listed));

    teller.step("a tablet of nobody's inventory tries the trolley's link");
    let stranger = stage.ipad(departement.stranger())?;
    let outcome = Classroom::enrol_one(stranger, links.trolley()).await;
    teller.check("the stranger", "refused", if outcome.is_ok() { "enrolled" } else { "refused" });
    let alarms = api.list(&["alarms"], &[], None).await?;
    let about_it = alarms.iter().filter(|alarm| text_at(alarm, "/kind") == "unknown-serial").count();
    teller.check("alarms about an unknown serial number", 1, about_it);

    teller.step("the tablets enrol: profile, key, SCEP, Authenticate, TokenUpdate");
    let classroom =
        Box::pin(Classroom::enrol(stage, &departement, &links, |_place, serial| stage.ipad(serial), || {}))
            .await?;
    classroom.problems().iter().take(5).for_each(|problem| teller.tell(problem));
    let status = api.get(&["status"]).await?;
    let enrolled = number(&status, "/enrolled");
    figures.set("enrolled", enrolled);
    teller.check("tablets enrolled", tablets, enrolled);
    teller.check("tablets that stopped on the way", 0, number(&status, "/enrolling"));
    let enrolled = api.list(&["tablets"], &[("state", "enrolled")], None).await?;
    teller.check("tablets with a push topic", tablets, having(&enrolled, "/enrolment/topic"));
    let supervised = enrolled.iter().filter(|tablet| text_at(tablet, "/enrolment/kind") == "link").count();
    teller.check("tablets enrolled by a link", tablets, as_count(supervised));
    let udids: BTreeSet<String> = enrolled.iter().map(|tablet| text_at(tablet, "/enrolment/udid")).collect();
    teller.check("different devices", tablets, as_count(udids.len()));

    let serials = departement.serials();
    Box::pin(commands(stage, &serials, teller)).await?;
    teller.check("tablets that Apple's push service was asked to wake", tablets, classroom.woken(stage));

    teller.step("what must not be: an erase without its order (M3), a profile taken away by one person (C3.1.1), a second command for one key");
    refusals(api, &serials, teller).await?;

    teller.step("the evening");
    let all = every_command(api, &serials).await?;
    let acknowledged = all.iter().filter(|command| text_at(command, "/state") == "acknowledged").count();
    figures.set("acknowledged", as_count(acknowledged));
    let failed = all.iter().filter(|command| text_at(command, "/state") == "failed").count();
    teller.check("commands that a tablet answered with an error", 0, failed);
    let pending =
        all.iter().filter(|command| command.pointer("/pending") == Some(&Value::Bool(true))).count();
    teller.check("commands still pending", 0, pending);
    teller.check(
        "what went wrong with a tablet that was woken",
        "nothing",
        classroom.dismiss().as_deref().unwrap_or("nothing"),
    );
    Ok(())
}

/// Wakes every tablet, asks what it is, publishes the base, and looks for it in the tablets' own lists.
async fn commands(stage: &Stage, serials: &[String], teller: &mut Teller) -> Result<(), Failure> {
    let (api, tablets) = (stage.api(), as_count(serials.len()));

    teller.step("each tablet is woken and asked what it is: DeviceInformation");
    let asked = json!({ "request_type": "DeviceInformation", "idempotency_key": "first-day" });
    let answered = done(api, &queue(api, serials, &asked).await?).await?;
    teller.check("DeviceInformation acknowledged", tablets, acknowledged(&answered));
    let details = every_tablet(api, serials).await?;
    let told = details
        .iter()
        .filter(|tablet| {
            let serial = text_at(tablet, "/serial");
            observed(tablet, "device-information")
                .and_then(|body| body.get("SerialNumber"))
                .and_then(Value::as_str)
                == Some(serial.as_str())
        })
        .count();
    teller.check("tablets that told their own serial number", tablets, as_count(told));
    teller.check("tablets whose system is known", tablets, having(&details, "/enrolment/os_version"));

    teller.step("the base that two organisations decided is published, and comes to each tablet (C3.1.1)");
    stage.server().publish_layer(BASE).await.map_err(stopped)?;
    teller.check("tablets that have all they are given", tablets, delivered(api, serials).await?);

    teller.step("each tablet is asked what is on it: ProfileList");
    let listed = done(api, &queue(api, serials, &json!({ "request_type": "ProfileList" })).await?).await?;
    teller.check("ProfileList acknowledged", tablets, acknowledged(&listed));
    let details = every_tablet(api, serials).await?;
    let with_it = details
        .iter()
        .filter(|tablet| {
            let profiles = observed(tablet, "profile-list").and_then(Value::as_array);
            profiles
                .into_iter()
                .flatten()
                .any(|profile| text_at(profile, "/PayloadIdentifier") == PROFILE_IDENTIFIER)
        })
        .count();
    teller.check("tablets that list the profile of the base", tablets, as_count(with_it));
    let why = match listed.first() {
        Some(command) => api.get(&["commands", &text_at(command, "/id"), "why"]).await?,
        None => Value::Null,
    };
    teller.check("why an answered command is not pending", "acknowledged", &text_at(&why, "/code"));
    Ok(())
}

/// How many tablets have all they are given by their layers, once all do or patience ends.
async fn delivered(api: &Api, serials: &[String]) -> Result<u64, Failure> {
    let deadline = Instant::now() + patience(serials.len());
    let mut waiting: Vec<&String> = serials.iter().collect();
    loop {
        let shown: Vec<Value> = stream::iter(waiting.iter().copied())
            .map(|serial| async move { api.get(&["tablets", serial, "rules"]).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        waiting = waiting
            .into_iter()
            .zip(shown)
            .filter(|(_serial, rules)| rules.pointer("/delivered") != Some(&Value::Bool(true)))
            .map(|(serial, _rules)| serial)
            .collect();
        if waiting.is_empty() || Instant::now() >= deadline {
            return Ok(as_count(serials.len().saturating_sub(waiting.len())));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// How long so many tablets may take.
fn patience(tablets: usize) -> Duration {
    PATIENCE + PATIENCE_PER_TABLET.saturating_mul(u32::try_from(tablets).unwrap_or(u32::MAX))
}

/// What the API refuses, and what it does once only.
async fn refusals(api: &Api, serials: &[String], teller: &mut Teller) -> Result<(), Failure> {
    let Some(serial) = serials.first() else { return Ok(()) };
    let path = ["tablets", serial.as_str(), "commands"];
    let removal =
        json!({ "request_type": "RemoveProfile", "parameters": { "Identifier": PROFILE_IDENTIFIER } });
    for (what, command) in [
        ("EraseDevice by hand", json!({ "request_type": "EraseDevice" })),
        ("RemoveProfile of the base by hand", removal),
    ] {
        let code = match api.post(&path, Body::Json(command)).await {
            Ok(_queued) => "queued".to_owned(),
            Err(Failure::Problem(problem)) => problem.code.clone().unwrap_or_default(),
            Err(other) => other.to_string(),
        };
        teller.check(what, "forbidden-by-rule", code.as_str());
    }

    let before = count(&api.list(&path, &[], None).await?);
    let again = json!({ "request_type": "DeviceInformation", "idempotency_key": "first-day" });
    let repeated = api.post(&path, Body::Json(again)).await?;
    teller.check("the command of a repeated key", "acknowledged", text_at(&repeated, "/state").as_str());
    let after = count(&api.list(&path, &[], None).await?);
    teller.check("commands of that tablet", before, after);
    Ok(())
}

/// Queues a command for every tablet; the ids.
async fn queue(api: &Api, serials: &[String], command: &Value) -> Result<Vec<String>, Failure> {
    stream::iter(serials)
        .map(|serial| async move {
            let queued = api.post(&["tablets", serial, "commands"], Body::Json(command.clone())).await?;
            Ok::<_, Failure>(text_at(&queued, "/id"))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// The commands once none is pending, or as they are when patience ends: the checks then say what is missing.
async fn done(api: &Api, ids: &[String]) -> Result<Vec<Value>, Failure> {
    let deadline = Instant::now() + patience(ids.len());
    let mut over = Vec::new();
    let mut pending: Vec<&String> = ids.iter().collect();
    loop {
        let commands: Vec<Value> = stream::iter(pending.iter().copied())
            .map(|id| async move { api.get(&["commands", id]).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let late = Instant::now() >= deadline;
        let mut still = Vec::new();
        for (id, command) in pending.into_iter().zip(commands) {
            if command.pointer("/pending") == Some(&Value::Bool(true)) && !late {
                still.push(id);
            } else {
                over.push(command);
            }
        }
        if still.is_empty() {
            return Ok(over);
        }
        pending = still;
        sleep(LOOK_EVERY).await;
    }
}

async fn every_tablet(api: &Api, serials: &[String]) -> Result<Vec<Value>, Failure> {
    stream::iter(serials)
        .map(|serial| async move { api.get(&["tablets", serial]).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn every_command(api: &Api, serials: &[String]) -> Result<Vec<Value>, Failure> {
    let lists: Vec<Vec<Value>> = stream::iter(serials)
        .map(|serial| async move { api.list(&["tablets", serial, "commands"], &[], None).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(lists.into_iter().flatten().collect())
}

/// What a tablet last reported of one kind.
fn observed<'a>(tablet: &'a Value, kind: &str) -> Option<&'a Value> {
    let observations = tablet.get("observations")?.as_array()?;
    observations.iter().find(|one| one.get("kind").and_then(Value::as_str) == Some(kind))?.get("body")
}

fn acknowledged(commands: &[Value]) -> u64 {
    as_count(commands.iter().filter(|command| text_at(command, "/state") == "acknowledged").count())
}

fn having(items: &[Value], pointer: &str) -> u64 {
    as_count(items.iter().filter(|item| item.pointer(pointer).is_some_and(|value| !value.is_null())).count())
}

fn number(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(u64::MAX)
}

fn count(items: &[Value]) -> u64 {
    as_count(items.len())
}

fn as_count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tablet_reported_is_found_by_its_kind() {
        let tablet = json!({ "observations": [
            { "kind": "security-info", "body": {} },
            { "kind": "profile-list", "body": [{ "PayloadIdentifier": "a" }] },
        ]});
        assert_eq!(observed(&tablet, "profile-list").unwrap()[0]["PayloadIdentifier"], "a");
        assert!(observed(&tablet, "device-information").is_none());
    }
}
