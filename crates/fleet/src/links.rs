//! Enrolment links: for one tablet or for a batch; expiring, counted, and shown once.

use governance::{Permission, Place};
use serde_json::json;
use store::links::{self, Link, LinkKind};
use types::{Duration, Instant, LinkId, Platform, Secret, TabletId, Uai};
use url::Url;

use crate::audit::{self, Change};
use crate::lending::departures::is_ours;
use crate::page::{Listed, Page};
use crate::tablets::{self, Named};
use crate::{Fleet, Principal, Refusal, bearer_secret};

/// How long a link lasts unless told.
pub const USUAL_LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// The longest that a link may last.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// The most profiles that a batch link may give out.
pub const MOST_USES: i32 = 10_000;
/// A tablet whose download was interrupted asks again, but not without end.
const USES_OF_ONE_TABLET: i32 = 3;

/// For whom a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// One tablet of the inventory. It also lets that tablet enrol again.
    Tablet(Named),
    /// Any tablet of the inventory that is for this collège, up to a number of times.
    Batch {
        /// The collège.
        uai: Uai,
        /// How many profiles it gives out.
        max_uses: i32,
    },
}

/// A link as it is shown, the one time it is.
#[derive(Debug)]
pub struct NewLink {
    /// What is remembered of it.
    pub link: Link,
    /// Its address. Whoever has it can enrol a tablet that it admits.
    pub url: Secret<String>,
}

/// Makes a link that lasts `lifetime`, at most [`LONGEST_LIFETIME`].
///
/// # Errors
/// [`Refusal::NotFound`] for a tablet that the inventory does not have (C3.3.4); [`Refusal::Conflict`] for one that left it; [`Refusal::Invalid`] for a
/// number or a time out of bounds.
pub async fn create(
    fleet: &Fleet,
    principal: &Principal,
    audience: Audience,
    lifetime: Duration,
    now: Instant,
) -> Result<NewLink, Refusal> {
    if lifetime.is_zero() || lifetime > LONGEST_LIFETIME {
        return Err(Refusal::invalid("expires_in_days", "a link lasts from one day to 90"));
    }
    if let Audience::Batch { max_uses, .. } = audience
        && !(1..=MOST_USES).contains(&max_uses)
    {
        return Err(Refusal::invalid("max_uses", format!("must be from 1 to {MOST_USES}")));
    }
    let token = bearer_secret::generate("");
    let url = address(&fleet.settings().tablets_url, token.expose())?;
    let digest = bearer_secret::digest(token.expose());
    let principal = principal.clone();
    let link = fleet
        .store()
        .write(move |tx| {
            let (kind, tablet_id, uai, max_uses) = match &audience {
                Audience::Tablet(named) => {
                    let tablet = tablets::reached(tx, &principal, Permission::CreateLinks, named, now)?;
                    is_ours(tx, &tablet)?.map_err(Refusal::Conflict)?;
                    (LinkKind::Tablet, Some(ipad(tablet)?), None, USES_OF_ONE_TABLET)
                }
                Audience::Batch { uai, max_uses } => {
                    let place = Place::College(Some(uai.clone()));
                    principal.may_at(tx, Permission::CreateLinks, &place, now)?;
                    (LinkKind::Batch, None, Some(uai.clone()), *max_uses)
                }
            };
            let link = Link {
                id: LinkId::new(now),
                token_sha256: digest,
                kind,
                tablet_id,
                uai,
                max_uses,
                uses: 0,
                expires_at: now.plus(lifetime),
                created_by: principal.actor().to_string(),
                created_at: now,
                revoked_at: None,
            };
            links::insert(tx, &link)?;
            let detail = json!({ "link": link.id, "uai": link.uai, "max_uses": max_uses, "expires_at": link.expires_at });
            audit::record(tx, &principal, Change::new("link.create").tablet(tablet_id).detail(detail), now)?;
            Ok::<_, Refusal>(link)
        })
        .await?;
    Ok(NewLink { link, url })
}

/// The links for tablets that whoever asks may enrol, oldest first; never the addresses.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<LinkId>,
    now: Instant,
) -> Result<Listed<Link>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::CreateLinks, now)?;
            let rows = links::list(tx, &within, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |link| link.id.to_string()))
        })
        .await
}

/// Revokes a link: it gives out no more profiles. Tablets that enrolled with it stay enrolled. Revoking one
/// that was revoked before changes nothing.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn revoke(fleet: &Fleet, principal: &Principal, id: LinkId, now: Instant) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let reach = principal.may(tx, Permission::CreateLinks, now)?;
            let link = links::get(tx, &id)?.ok_or_else(|| Refusal::not_found("link", id))?;
            let reached = match &link.uai {
                Some(uai) => reach.covers(&Place::College(Some(uai.clone()))),
                None => tablets::is_reached(tx, &reach, link.tablet_id)?,
            };
            if !reached {
                return Err(Refusal::not_found("link", id));
            }
            if links::revoke(tx, id, now)? {
                let change = Change::new("link.revoke").tablet(link.tablet_id).detail(json!({ "link": id }));
                audit::record(tx, &principal, change, now)?;
            }
            Ok(())
        })
        .await
}

/// A link gives out an Apple profile, so that it is for iPads.
fn ipad(tablet: store::tablets::Tablet) -> Result<TabletId, Refusal> {
    match tablet.platform {
        Platform::Ipad => Ok(tablet.id),
        Platform::Android => Err(Refusal::invalid(
            "tablet",
            format!("tablet {} runs Android; enrolment links are for iPads", tablet.serial),
        )),
    }
}

fn address(tablets_url: &Url, token: &str) -> Result<Secret<String>, Refusal> {
    let mut url = tablets_url.clone();
    url.path_segments_mut()
        .map_err(|()| Refusal::Internal("the tablets’ URL cannot have a path".into()))?
        .pop_if_empty()
        .extend(["enrol", token]);
    Ok(Secret::new(url.to_string()))
}
