//! What is decided jointly never gives way to what a collège adds (C3.1.3): a collège's layer that contradicts it is
//! suspended, in the open, until they go together again or the collège publishes another.

use std::collections::{BTreeMap, BTreeSet};

use ::profiles::LayerKey;
use ::profiles::report::{Source, lint};
use serde_json::json;
use store::layer_suspensions::{self as suspensions, Suspension};
use store::profile_versions::{self as rows, ProfileVersion, VersionState};
use store::{Tx, alarms, emergency_orders, rollouts};
use types::{Day, Instant, ProfileVersionId, Secret, Uai};

use super::write::detail;
use crate::audit::{self, Change};
use crate::watch::{self, AlarmKind, Subject};
use crate::{Principal, Refusal};

/// The most characters of a reason that are kept.
const REASON: usize = 500;

/// A text that tablets have, or that is prepared for them.
pub(super) struct Text {
    /// Its version.
    pub(super) version: ProfileVersion,
    /// Its layer.
    pub(super) layer: LayerKey,
    /// How reports name it.
    pub(super) name: String,
    /// What it says.
    pub(super) content: Secret<String>,
}

/// Every published text, and those before them that tablets still have while a roll-out is under way: the bases first,
/// then what else is decided jointly, what collèges add last.
pub(super) fn texts(tx: &mut Tx<'_>) -> Result<Vec<Text>, Refusal> {
    let mut found = Vec::new();
    for version in rows::all_published(tx)? {
        let layer = version.layer()?;
        found.push(text(tx, version, layer.to_string())?);
    }
    for rollout in rollouts::under_way(tx)? {
        // Of a first version there is none before.
        let Some(before) = rollout.previous_id else { continue };
        let before = rows::get(tx, &before)?.ok_or_else(|| Refusal::not_found("profile version", before))?;
        let name = format!("{} (version {}, which tablets still have)", before.layer()?, before.number);
        found.push(text(tx, before, name)?);
    }
    found.sort_by_key(|text| match text.layer {
        LayerKey::Base => 0,
        LayerKey::College(_) => 2,
        _ => 1,
    });
    Ok(found)
}

fn text(tx: &mut Tx<'_>, version: ProfileVersion, name: String) -> Result<Text, Refusal> {
    let (layer, content) = (version.layer()?, rows::content(tx, version.id)?);
    Ok(Text { version, layer, name, content })
}

/// Suspends what collèges add where it contradicts what is decided jointly now, or an emergency base that is ordered for
/// that collège; and lifts what need not be suspended any more. Says how many changed.
///
/// # Errors
/// [`Refusal::Store`].
pub(crate) fn review(tx: &mut Tx<'_>, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    let today = Day::of(now);
    let mut ordered: BTreeMap<ProfileVersionId, Vec<BTreeSet<Uai>>> = BTreeMap::new();
    // Tablets of one that cannot be read stay as they are, and the walk says so.
    for order in emergency_orders::each_in_force(tx, now)?.into_iter().flatten() {
        ordered.entry(order.version()).or_default().push(order.colleges().clone());
    }
    let mut texts = texts(tx)?;
    texts.retain(|text| {
        !matches!(text.layer, LayerKey::Emergency(_)) || ordered.contains_key(&text.version.id)
    });
    let sources: Vec<Source<'_>> =
        texts.iter().map(|text| Source { file: &text.name, text: text.content.expose() }).collect();
    let together = lint(&sources, today).together;
    let standing = suspensions::standing(tx)?;
    let mut changed = 0;
    let mut published = BTreeSet::new();
    for text in &texts {
        let Some(uai) = text.layer.college() else { continue };
        if text.version.state != VersionState::Published {
            continue;
        }
        published.insert(text.version.id);
        let concerns = |files: &[String]| {
            files.contains(&text.name)
                && texts.iter().filter(|other| files.contains(&other.name)).all(|other| {
                    let for_some = ordered.get(&other.version.id);
                    !matches!(other.layer, LayerKey::Emergency(_))
                        || for_some
                            .is_some_and(|some| some.iter().any(|of| of.is_empty() || of.contains(uai)))
                })
        };
        let mut refusals = together.iter().filter(|it| concerns(&it.files)).flat_map(|it| &it.refusals);
        let why = refusals.next().map(|refusal| refusal.to_string().chars().take(REASON).collect::<String>());
        let before = standing.get(&text.version.id).map(|standing| &standing.why);
        match why {
            Some(why) if before != Some(&why) => suspend(tx, principal, text, (uai, why), now)?,
            None if before.is_some() => lift(tx, principal, (&text.version, uai), now)?,
            _ => continue,
        }
        changed += 1;
    }
    changed += lift_what_is_over(tx, principal, now)?;
    Ok(changed)
}

/// Lifts the suspensions of versions that are not published any more.
///
/// # Errors
/// [`Refusal::Store`].
pub(super) fn lift_what_is_over(
    tx: &mut Tx<'_>,
    principal: &Principal,
    now: Instant,
) -> Result<usize, Refusal> {
    let mut lifted = 0;
    for (id, standing) in suspensions::standing(tx)? {
        let Some(version) = rows::get(tx, &id)? else { continue };
        if version.state != VersionState::Published {
            lift(tx, principal, (&version, &standing.uai), now)?;
            lifted += 1;
        }
    }
    Ok(lifted)
}

fn suspend(
    tx: &mut Tx<'_>,
    principal: &Principal,
    text: &Text,
    (uai, why): (&Uai, String),
    now: Instant,
) -> Result<(), Refusal> {
    let row = Suspension {
        version_id: text.version.id,
        uai: uai.clone(),
        why: why.clone(),
        suspended_at: now,
        lifted_at: None,
    };
    suspensions::put(tx, &row)?;
    let told = json!({
        "layer": text.layer.to_string(), "number": text.version.number, "why": why,
        "next": "the collège publishes a version that goes together with it, or withdraws this one",
    });
    watch::raise(tx, AlarmKind::LayerSuspended, &Subject::college(uai), told, now)?;
    let change = Change::new("profile.suspend").reason(Some(why)).detail(detail(&text.version, &text.layer));
    audit::record(tx, principal, change, now)
}

fn lift(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (version, uai): (&ProfileVersion, &Uai),
    now: Instant,
) -> Result<(), Refusal> {
    suspensions::lift(tx, version.id, now)?;
    alarms::settle_about(tx, AlarmKind::LayerSuspended.as_str(), Subject::college(uai).name(), now)?;
    let change = Change::new("profile.lift").detail(detail(version, &version.layer()?));
    audit::record(tx, principal, change, now)
}
