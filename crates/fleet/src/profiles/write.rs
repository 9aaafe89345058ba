//! Drafts: a text that is right in itself, and edits of one.

use ::profiles::{LayerKey, Parsed, Severity, inspect};
use governance::Permission;
use serde_json::json;
use store::profile_versions::{self as rows, End, ProfileVersion, VersionState};
use store::{Digest, Tx};
use types::{Instant, ProfileVersionId, Secret};

use super::{Sight, about, end, may, may_take_back, read};
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// What a text says it is, if nothing is wrong with it.
pub(super) fn read_layer(content: &Secret<String>) -> Result<(LayerKey, String), Refusal> {
    let Parsed { layer, problems } = inspect("layer", content.expose());
    let errors = || problems.iter().filter(|problem| problem.severity == Severity::Error).cloned().collect();
    let layer = layer.ok_or_else(|| Refusal::BadLayer(errors()))?;
    Ok((LayerKey::of(&layer), layer.name().title.clone()))
}

/// Begins a version of the layer that the text says it is.
///
/// # Errors
/// [`Refusal::BadLayer`] with every line that is wrong; [`Refusal::Forbidden`] for what a collège adds, unless it is
/// one's own (C3.1.3).
pub async fn draft(
    fleet: &Fleet,
    principal: &Principal,
    content: Secret<String>,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let (layer, title) = read_layer(&content)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            may(&person, Permission::DraftProfiles, &layer, now)?;
            let row = new(tx, &layer, &title, (person.standing.account(), None), &content, now)?;
            let change = Change::new("profile.draft").detail(detail(&row, &layer));
            audit::record(tx, &principal, change, now)?;
            read::shown(tx, &person, row, now)
        })
        .await
}

/// Writes another text. One's own draft is changed in place. Of anything else the text becomes another version, which
/// nobody has approved; what was not in force yet ends, with every signature it had.
///
/// # Errors
/// As [`draft`]; [`Refusal::Invalid`] for the text of another layer; [`Refusal::Forbidden`] for what is not in force yet, to
/// whoever could not withdraw it.
pub async fn edit(
    fleet: &Fleet,
    principal: &Principal,
    id: ProfileVersionId,
    content: Secret<String>,
    now: Instant,
) -> Result<read::Shown, Refusal> {
    let (layer, title) = read_layer(&content)?;
    about(fleet, principal, id, now, move |tx, principal, Sight { person, row, layer: of }| {
        may(&person, Permission::DraftProfiles, &of, now)?;
        if of != layer {
            let problem = format!("this is a text of {layer}, and the version is one of {of}: draft it anew");
            return Err(Refusal::invalid("text", problem));
        }
        let me = person.standing.account();
        let becomes = if row.state == VersionState::Draft && row.author_id == me {
            if !rows::edit(tx, id, (&title, &content), now)? {
                return Err(super::not_in(&row, "a draft"));
            }
            rows::get(tx, &id)?.ok_or_else(|| Refusal::not_found("profile version", id))?
        } else {
            let before_force =
                matches!(row.state, VersionState::Draft | VersionState::Submitted | VersionState::Approved);
            if before_force {
                // A colleague goes on with a draft; whoever may not take back what was submitted writes one of their own.
                if row.state != VersionState::Draft {
                    may_take_back(&person, &row, &layer, now)?;
                }
                let ended =
                    End { rejected: false, by: Some(me), reason: "it was edited".to_owned(), at: now };
                end(tx, &row, &ended)?;
            }
            new(tx, &layer, &title, (me, Some(id)), &content, now)?
        };
        let mut detail = detail(&becomes, &layer);
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("edits".to_owned(), json!(id));
            detail.insert("was".to_owned(), json!(row.state));
            detail.insert("text_sha256_before".to_owned(), json!(row.content_sha256));
        }
        audit::record(tx, principal, Change::new("profile.edit").detail(detail), now)?;
        read::shown(tx, &person, becomes, now)
    })
    .await
}

fn new(
    tx: &mut Tx<'_>,
    layer: &LayerKey,
    title: &str,
    (author, based_on): (types::AccountId, Option<ProfileVersionId>),
    content: &Secret<String>,
    now: Instant,
) -> Result<ProfileVersion, Refusal> {
    let row = ProfileVersion {
        id: ProfileVersionId::new(now),
        layer_kind: layer.kind().to_owned(),
        layer_name: layer.name(),
        uai: layer.college().cloned(),
        number: rows::next_number(tx, layer)?,
        state: VersionState::Draft,
        title: title.to_owned(),
        content_sha256: Digest::of(content.expose().as_bytes()),
        based_on,
        author_id: author,
        created_at: now,
        edited_at: now,
        submitted_at: None,
        takes_effect_at: None,
        scheduled_by: None,
        rollout_plan: None,
        published_at: None,
        superseded_at: None,
        ended_at: None,
        ended_by: None,
        ended_reason: None,
    };
    rows::insert(tx, &row, content)?;
    Ok(row)
}

/// What the audit log says of a version.
pub(super) fn detail(row: &ProfileVersion, layer: &LayerKey) -> serde_json::Value {
    json!({
        "version": row.id, "layer": layer.to_string(), "number": row.number, "text_sha256": row.content_sha256,
    })
}
