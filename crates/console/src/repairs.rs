//! `/repairs`: tablets at their supplier's, who has which meanwhile, and what came back; and a swap over the counter (C5.3.1,
//! C5.4.4, C5.4.5).

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::repairs::{self, GivenBack, Loaner, Shown};
use fleet::lending::restitutions::Scanned;
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use types::RepairId;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State, field};
use crate::loans::LoanView;
use crate::problem::{Failure, Problem};
use crate::restitutions::TabletScanned;
use crate::timestamp::Timestamp;

/// A tablet that somebody gets for theirs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanerWanted {
    /// Its serial number, label or id.
    tablet: String,
    /// What goes over the counter with it.
    #[serde(default)]
    accessories: BTreeSet<String>,
    /// The state it is in.
    condition: String,
    /// Whether the head signs over what is not on it yet (C5.3.4).
    #[serde(default)]
    under_reserve: bool,
}

impl LoanerWanted {
    fn read(self) -> Result<Loaner, Failure> {
        let Self { tablet, accessories, condition, under_reserve } = self;
        Ok(Loaner { tablet: input::parse("tablet", &tablet)?, accessories, condition, under_reserve })
    }
}

/// A tablet that goes to its supplier.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepairNew {
    /// How the supplier names the repair.
    reference: String,
    /// What its holder gets meanwhile.
    loaner: Option<LoanerWanted>,
}

/// A tablet that is back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepairBack {
    /// What its holder had meanwhile, and gives back.
    loaner: Option<TabletScanned>,
}

/// A tablet that came in the place of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepairExchange {
    /// Its serial number.
    serial: String,
    /// The owner's label for it.
    asset_tag: Option<String>,
}

/// Two tablets that change hands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwapWanted {
    /// What the holder gives back.
    back: TabletScanned,
    /// What they get.
    instead: LoanerWanted,
}

/// Which repairs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepairsQuery {
    /// Those that are over too.
    #[serde(default)]
    all: bool,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// A repair.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RepairView {
    /// Its id.
    id: String,
    /// The tablet's id.
    tablet: String,
    /// The tablet's serial number.
    serial: String,
    /// The owner's label.
    asset_tag: Option<String>,
    /// The collège.
    uai: String,
    /// How the supplier names it.
    reference: String,
    /// `at-supplier`, `back` or `exchanged`.
    state: String,
    /// When it was sent.
    sent_at: Timestamp,
    /// When it ended.
    closed_at: Option<Timestamp>,
    /// The loan that rests, or rested, meanwhile.
    loan: Option<String>,
    /// Where that loan stands.
    loan_state: Option<String>,
    /// The class of the pupil whose loan it is.
    class: Option<String>,
    /// The loan of the tablet that its holder got in the same act.
    loaner_loan: Option<String>,
    /// The serial number of that tablet.
    loaner_serial: Option<String>,
    /// The serial number of the tablet that came in its place.
    exchanged_serial: Option<String>,
    /// What comes next.
    next: String,
}

impl From<Shown> for RepairView {
    fn from(shown: Shown) -> Self {
        let Shown { repair, serial, asset_tag, exchanged_serial, loan, loaner_serial, class, next } = shown;
        Self {
            id: repair.id.to_string(),
            tablet: repair.tablet_id.to_string(),
            serial: serial.to_string(),
            asset_tag,
            uai: repair.uai.to_string(),
            reference: repair.reference.as_str().to_owned(),
            state: repair.state.to_string(),
            sent_at: repair.sent_at.into(),
            closed_at: repair.closed_at.map(Into::into),
            loan: repair.loan_id.map(|id| id.to_string()),
            loan_state: loan.map(|loan| loan.state.to_string()),
            class: class.map(|class| class.as_str().to_owned()),
            loaner_loan: repair.loaner_loan_id.map(|id| id.to_string()),
            loaner_serial: loaner_serial.map(|serial| serial.to_string()),
            exchanged_serial: exchanged_serial.map(|serial| serial.to_string()),
            next: next.to_owned(),
        }
    }
}

/// What became of a tablet that was given back in the same act.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GivenBackView {
    /// Its restitution.
    restitution: String,
    /// The request of a second person that its erasure waits for.
    held: Option<String>,
    /// Whether the brake has counted its erasure.
    counted: bool,
}

impl From<GivenBack> for GivenBackView {
    fn from(given: GivenBack) -> Self {
        let GivenBack { restitution, held, counted } = given;
        Self { restitution: restitution.to_string(), held: held.map(|id| id.to_string()), counted }
    }
}

/// A repair that is over, and what its holder gave back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RepairEndView {
    /// The repair.
    repair: RepairView,
    /// What its holder had meanwhile.
    given_back: Option<GivenBackView>,
}

/// A swap.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SwapView {
    /// The loan of the tablet that they got.
    loan: LoanView,
    /// What became of the one that they gave back.
    given_back: GivenBackView,
}

fn scanned(one: TabletScanned) -> Result<Scanned, Failure> {
    let TabletScanned { tablet, accessories, condition, saved } = one;
    Ok(Scanned { tablet, accessories, condition: field("condition", &condition)?, saved })
}

/// Repairs, in the order they began: those that go on, or all.
#[utoipa::path(get, path = "/api/v1/repairs", tag = "lending", params(RepairsQuery), responses(
    (status = 200, body = Page<RepairView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<RepairsQuery>,
) -> Answer<Page<RepairView>> {
    let part = Part::<RepairId>::read(query.after.as_deref(), query.limit)?;
    let listed = repairs::list(&state.fleet, caller.principal(), query.all, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// Sends a tablet to its supplier: its loan rests, and its holder may be lent another in the same act.
#[utoipa::path(post, path = "/api/v1/tablets/{id}/repairs", tag = "lending", request_body = RepairNew,
    params(("id" = String, Path, description = "The tablet’s id, serial number or label")), responses(
    (status = 201, body = RepairView), (status = "default", body = Problem)))]
pub(crate) async fn send(
    state: State,
    caller: Caller,
    tablet: Path<String>,
    new: Json<RepairNew>,
) -> Created<RepairView> {
    let RepairNew { reference, loaner } = new.into_inner();
    let loaner = loaner.map(LoanerWanted::read).transpose()?;
    let (tablet, reference) = (input::parse("tablet", &tablet)?, field("reference", &reference)?);
    let shown =
        repairs::send(&state.fleet, caller.principal(), tablet, reference, loaner, state.now()).await?;
    Ok((Json(shown.into()), StatusCode::CREATED))
}

/// A tablet is back from its supplier: whoever held it has it again, and gives back what they had meanwhile.
#[utoipa::path(post, path = "/api/v1/repairs/{id}/back", tag = "lending", request_body = RepairBack,
    params(("id" = String, Path, description = "The repair’s id")), responses(
    (status = 200, body = RepairEndView), (status = "default", body = Problem)))]
pub(crate) async fn back(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<RepairBack>,
) -> Answer<RepairEndView> {
    let id = input::parse("repair", &id)?;
    let loaner = wanted.into_inner().loaner.map(scanned).transpose()?;
    let (shown, given) = repairs::back(&state.fleet, caller.principal(), id, loaner, state.now()).await?;
    Ok(Json(RepairEndView { repair: shown.into(), given_back: given.map(Into::into) }))
}

/// The supplier kept a tablet, and another came in its place: it stands in the inventory from now on. That takes whoever may
/// fill the inventory.
#[utoipa::path(post, path = "/api/v1/repairs/{id}/exchanged", tag = "lending", request_body = RepairExchange,
    params(("id" = String, Path, description = "The repair’s id")), responses(
    (status = 200, body = RepairView), (status = "default", body = Problem)))]
pub(crate) async fn exchanged(
    state: State,
    caller: Caller,
    id: Path<String>,
    came: Json<RepairExchange>,
) -> Answer<RepairView> {
    let id = input::parse("repair", &id)?;
    let RepairExchange { serial, asset_tag } = came.into_inner();
    let came = (field("serial", &serial)?, asset_tag);
    Ok(Json(repairs::exchanged(&state.fleet, caller.principal(), id, came, state.now()).await?.into()))
}

/// Receives the tablet of a loan and hands over another to the same person, in one act.
#[utoipa::path(post, path = "/api/v1/loans/{id}/swap", tag = "lending", request_body = SwapWanted,
    params(("id" = String, Path, description = "The loan’s id")), responses(
    (status = 201, body = SwapView), (status = "default", body = Problem)))]
pub(crate) async fn swap(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<SwapWanted>,
) -> Created<SwapView> {
    let id = input::parse("loan", &id)?;
    let SwapWanted { back, instead } = wanted.into_inner();
    let both = (scanned(back)?, instead.read()?);
    let (shown, given) = repairs::swap(&state.fleet, caller.principal(), id, both, state.now()).await?;
    Ok((Json(SwapView { loan: shown.into(), given_back: given.into() }), StatusCode::CREATED))
}
