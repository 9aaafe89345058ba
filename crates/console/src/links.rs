//! `/links`: addresses by which tablets enrol.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::Refusal;
use fleet::links::{self, Audience};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use store::links::Link;
use types::LinkId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, PageQuery, State, days};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// A link to make: for one `tablet`, or for a batch of `max_uses` tablets of one `uai`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    /// The tablet, by its id or its serial number.
    tablet: Option<String>,
    /// The collège whose tablets may use it.
    uai: Option<String>,
    /// How many profiles a batch link gives out: 1 to 10,000.
    max_uses: Option<i32>,
    /// How many days it lasts: 1 to 90, 7 unless told.
    expires_in_days: Option<u32>,
}

/// A link, without its address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// Its id.
    id: String,
    /// `tablet` or `batch`.
    kind: &'static str,
    /// The tablet, for a link of one tablet.
    tablet_id: Option<String>,
    /// The collège, for a batch.
    uai: Option<String>,
    /// How many profiles it gives out.
    max_uses: i32,
    /// How many it gave out.
    uses: i32,
    /// The first instant it is refused.
    expires_at: Timestamp,
    /// When it was made.
    created_at: Timestamp,
    /// Who made it, as the audit log names them.
    created_by: String,
    /// When it was revoked.
    revoked_at: Option<Timestamp>,
}

/// A link that was just made. Its address is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeLink {
    /// The link.
    #[serde(flatten)]
    link: LinkView,
    /// Its address, to be opened on the tablet.
    url: String,
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        Self {
            id: link.id.to_string(),
            kind: link.kind.as_str(),
            tablet_id: link.tablet_id.map(|id| id.to_string()),
            uai: link.uai.map(String::from),
            max_uses: link.max_uses,
            uses: link.uses,
            expires_at: link.expires_at.into(),
            created_at: link.created_at.into(),
            created_by: link.created_by,
            revoked_at: link.revoked_at.map(Timestamp),
        }
    }
}

/// Makes a link.
#[utoipa::path(post, path = "/api/v1/links", tag = "enrolment", request_body = NewLink, responses(
    (status = 201, body = MadeLink), (status = "default", body = Problem)))]
pub(crate) async fn create(state: State, caller: Caller, new: Json<NewLink>) -> Created<MadeLink> {
    let lifetime = days(new.expires_in_days).unwrap_or(links::USUAL_LIFETIME);
    let audience = audience(&new)?;
    let made = links::create(&state.fleet, caller.principal(), audience, lifetime, state.now()).await?;
    Ok((Json(MadeLink { link: made.link.into(), url: made.url.expose().clone() }), StatusCode::CREATED))
}

/// Every link, oldest first.
#[utoipa::path(get, path = "/api/v1/links", tag = "enrolment", params(PageQuery), responses(
    (status = 200, body = Page<LinkView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<PageQuery>) -> Answer<Page<LinkView>> {
    let part = Part::<LinkId>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(links::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// Revokes a link. Tablets that enrolled with it stay enrolled.
#[utoipa::path(delete, path = "/api/v1/links/{id}", tag = "enrolment",
    params(("id" = String, Path, description = "The link")), responses(
    (status = 204, description = "It gives out no more profiles"), (status = "default", body = Problem)))]
pub(crate) async fn revoke(state: State, caller: Caller, id: Path<String>) -> input::Done {
    links::revoke(&state.fleet, caller.principal(), input::parse("link", &id)?, state.now()).await?;
    input::done()
}

fn audience(new: &NewLink) -> Result<Audience, Failure> {
    match (&new.tablet, &new.uai, new.max_uses) {
        (Some(tablet), None, None) => Ok(Audience::Tablet(tablet.parse()?)),
        (None, Some(uai), Some(max_uses)) => Ok(Audience::Batch { uai: input::field("uai", uai)?, max_uses }),
        _ => Err(Refusal::Invalid {
            field: "tablet",
            problem: "give either `tablet` alone, or `uai` with `max_uses`".into(),
        }
        .into()),
    }
}
