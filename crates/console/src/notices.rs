//! `/notices`: what holders and their guardians were told, and what reached nobody (C5.2.6, C5.3.5).

use actix_web::web::{Json, Query};
use fleet::mail::shown::{self, Filter, Shown};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use types::NoticeId;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Page, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticesQuery {
    /// Only those of this loan.
    loan: Option<String>,
    /// Only those that count for nothing: they wait, were refused, or came back.
    #[serde(default)]
    unreached: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// How far the mail of a notice has come. To which address it goes stands with the person, and is not shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MailView {
    /// `waiting`, `accepted` by the mail server, `refused` by it for good, `given-up` or `bounced`.
    state: String,
    /// How often it was tried.
    attempts: i32,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Why it did not go: a code of the mail server, or a word of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeView {
    /// Its id.
    id: String,
    /// The loan.
    loan: String,
    /// The tablet's serial number.
    serial: Option<String>,
    /// What it says: `reminder`, `loan-over`, `received`, `overdue`, `rules-changed` or `deposit`.
    kind: String,
    /// `mail` or `letter`.
    channel: String,
    /// Whom it is for: `user` or `guardian-1` to `guardian-4`; absent for a letter to the household.
    #[serde(skip_serializing_if = "Option::is_none")]
    addressee: Option<String>,
    /// `waiting`, `accepted`, `bounced` or `handed-over`.
    state: String,
    /// When it was written.
    written_at: Timestamp,
    /// Since when it counts, or counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted_at: Option<Timestamp>,
    /// Its mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<MailView>,
}

impl From<Shown> for NoticeView {
    fn from(shown: Shown) -> Self {
        let Shown { notice, serial, mail } = shown;
        Self {
            id: notice.id.to_string(),
            loan: notice.loan_id.to_string(),
            serial: serial.map(|serial| serial.to_string()),
            kind: notice.kind.to_string(),
            channel: notice.channel.to_string(),
            addressee: notice.addressee.map(|addressee| addressee.to_string()),
            state: notice.state.to_string(),
            written_at: notice.created_at.into(),
            counted_at: notice.counted_at.map(Into::into),
            mail: mail.map(|mail| MailView {
                state: mail.state.to_string(),
                attempts: mail.attempts,
                due_at: mail.ended_at.is_none().then(|| mail.due_at.into()),
                why: mail.reason,
            }),
        }
    }
}

/// What holders and guardians were told, the newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "lending", params(NoticesQuery), responses(
    (status = 200, body = Page<NoticeView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<NoticesQuery>,
) -> Answer<Page<NoticeView>> {
    let part = Part::<NoticeId>::read(query.after.as_deref(), query.limit)?;
    let loan = query.loan.as_deref().map(|loan| input::parse("loan", loan)).transpose()?;
    let filter = Filter { loan, unreached: query.unreached };
    Ok(Json(Page::of(shown::list(&state.fleet, caller.principal(), filter, part, state.now()).await?)))
}
