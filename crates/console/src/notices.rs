//! `/notices` and `/warrant-notices`: what holders and their guardians were told, what reached nobody, and what somebody must
//! tell by hand (C5.2.6, C5.3.5, C7.1, M1).

use std::fmt::Display;

use actix_web::web::{Json, Path, Query};
use fleet::incidents::telling::{self, ToTell, Told, ToldBefore, Untold};
use fleet::mail::Letter;
use fleet::mail::shown::{self, Filter, Shown};
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use store::untold::OfWarrant;
use store::warrant_notices::ToldHow;
use types::NoticeId;
use utoipa::{IntoParams, ToSchema};

use crate::countersignatures::SomebodyView;
use crate::gate::Caller;
use crate::input::{self, Answer, Page, PageQuery, State, field};
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

/// A letter to print, for whoever is told by hand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LetterView {
    /// The notice.
    notice: String,
    /// When it was handed over, or told otherwise; before an erasure, the holder's time runs from then on.
    handed_over_at: Option<Timestamp>,
    /// Its text in French.
    french: String,
    /// Its text in English.
    english: String,
}

impl<Notice: Display> From<Letter<Notice>> for LetterView {
    fn from(letter: Letter<Notice>) -> Self {
        let Letter { notice, handed_over_at, french, english } = letter;
        Self { notice: notice.to_string(), handed_over_at: handed_over_at.map(Into::into), french, english }
    }
}

/// What was told before.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToldBeforeView {
    /// When.
    at: Timestamp,
    /// How: `letter` or `in-person`; absent for what went by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<String>,
    /// Who told it; absent for what went by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<SomebodyView>,
}

/// A notice of a warrant that was told by hand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToldView {
    /// The letter.
    #[serde(flatten)]
    letter: LetterView,
    /// What was told before, if it was: it stays as it was told, and this changed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_before: Option<ToldBeforeView>,
}

impl From<Told> for ToldView {
    fn from(told: Told) -> Self {
        let told_before = told.before.map(|ToldBefore { at, how, by }| ToldBeforeView {
            at: at.into(),
            how: how.map(|how| how.to_string()),
            by: by.map(SomebodyView::from),
        });
        Self { letter: told.letter.into(), told_before }
    }
}

/// How somebody told a notice of a warrant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeTold {
    /// `letter`, which was handed over, or `in-person`.
    how: String,
}

/// A notice of a warrant that nobody was told of yet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UntoldView {
    /// The warrant's id and what is told of it: `opened` or `over`, after a colon.
    id: String,
    /// The loan.
    loan: Option<String>,
    /// The tablet's serial number.
    serial: Option<String>,
    /// The collège that lent it.
    uai: String,
    /// Since when it is due.
    due_at: Timestamp,
    /// `on-its-way` by mail, `no-mail-server`, `no-address`, `unreached`, or `not-validated`.
    why: String,
    /// Whether it is told only by somebody's hand.
    by_hand: bool,
    /// Whether you may tell it by hand.
    you_may_tell: bool,
    /// Why you may not, whoever else does: `asked-for-it`, who asked for the warrant, or `only-looks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    you_may_not: Option<String>,
}

impl From<ToTell> for UntoldView {
    fn from(to_tell: ToTell) -> Self {
        let ToTell { untold, may_not } = to_tell;
        let Untold { of, notice, serial, uai, stands, .. } = untold;
        Self {
            id: of.to_string(),
            loan: notice.loan_id.map(|loan| loan.to_string()),
            serial: serial.map(|serial| serial.to_string()),
            uai: uai.to_string(),
            due_at: notice.due_at.into(),
            why: stands.to_string(),
            by_hand: stands.by_hand(),
            you_may_tell: stands.by_hand() && may_not.is_none(),
            you_may_not: may_not.map(|why| why.to_string()),
        }
    }
}

/// Warrants that the holder, or the guardians, were not told of yet although they must be, the first granted first (M1).
#[utoipa::path(get, path = "/api/v1/warrant-notices", tag = "warrants", params(PageQuery), responses(
    (status = 200, body = Page<UntoldView>), (status = "default", body = Problem)))]
pub(crate) async fn untold(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<UntoldView>> {
    let part = Part::<OfWarrant>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(telling::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// The letter that tells of a warrant, to print and hand over (M1, C7.1).
#[utoipa::path(get, path = "/api/v1/warrant-notices/{id}/letter", tag = "warrants",
    params(("id" = String, Path, description = "The warrant's id, a colon, and `opened` or `over`")), responses(
    (status = 200, body = LetterView), (status = "default", body = Problem)))]
pub(crate) async fn warrant_letter(state: State, caller: Caller, id: Path<String>) -> Answer<LetterView> {
    let of = input::parse("notice", &id)?;
    Ok(Json(telling::letter(&state.fleet, caller.principal(), of, state.now()).await?.into()))
}

/// Records that somebody handed the letter over, or said what it says. Who is too late is told when it was told, and by whom.
#[utoipa::path(post, path = "/api/v1/warrant-notices/{id}/told", tag = "warrants", request_body = NoticeTold,
    params(("id" = String, Path, description = "The warrant's id, a colon, and `opened` or `over`")), responses(
    (status = 200, body = ToldView), (status = "default", body = Problem)))]
pub(crate) async fn warrant_told(
    state: State,
    caller: Caller,
    id: Path<String>,
    told: Json<NoticeTold>,
) -> Answer<ToldView> {
    let of = input::parse("notice", &id)?;
    let how: ToldHow = field("how", &told.how)?;
    Ok(Json(telling::told(&state.fleet, caller.principal(), of, how, state.now()).await?.into()))
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
