//! `/school-years`: the years as the département dates them, each with its summer break (C5.2.2).

use actix_web::web::{Json, Path, Query};
use fleet::page::Page as Part;
use fleet::school_years::{self, Dates};
use serde::{Deserialize, Serialize};
use store::school_years::SchoolYear;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Done, Page, PageQuery, State, field};
use crate::problem::Problem;

/// A school year.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SchoolYearView {
    /// The years it begins and ends in, such as `2026-2027`.
    label: String,
    /// Its first day.
    starts_on: String,
    /// Its last day.
    ends_on: String,
    /// The first day of its summer break.
    summer_starts_on: String,
    /// The last day of its summer break.
    summer_ends_on: String,
}

impl From<SchoolYear> for SchoolYearView {
    fn from(year: SchoolYear) -> Self {
        Self {
            label: year.label,
            starts_on: year.starts_on.to_string(),
            ends_on: year.ends_on.to_string(),
            summer_starts_on: year.summer_starts_on.to_string(),
            summer_ends_on: year.summer_ends_on.to_string(),
        }
    }
}

/// The dates of a school year, such as `2026-09-01`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchoolYearDates {
    /// Its first day.
    starts_on: String,
    /// Its last day.
    ends_on: String,
    /// The first day of its summer break.
    summer_starts_on: String,
    /// The last day of its summer break.
    summer_ends_on: String,
}

/// The school years, the latest first.
#[utoipa::path(get, path = "/api/v1/school-years", tag = "organisations", params(PageQuery), responses(
    (status = 200, body = Page<SchoolYearView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<SchoolYearView>> {
    let part = Part::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(school_years::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// Dates a school year, or dates it anew.
#[utoipa::path(put, path = "/api/v1/school-years/{id}", tag = "organisations", request_body = SchoolYearDates,
    params(("id" = String, Path, description = "The years it begins and ends in, such as `2026-2027`")), responses(
    (status = 204, description = "The year has these dates"), (status = "default", body = Problem)))]
pub(crate) async fn set(
    state: State,
    caller: Caller,
    label: Path<String>,
    dates: Json<SchoolYearDates>,
) -> Done {
    let dates = Dates {
        starts_on: field("starts_on", &dates.starts_on)?,
        ends_on: field("ends_on", &dates.ends_on)?,
        summer_starts_on: field("summer_starts_on", &dates.summer_starts_on)?,
        summer_ends_on: field("summer_ends_on", &dates.summer_ends_on)?,
    };
    school_years::set(&state.fleet, caller.principal(), &label, dates, state.now()).await?;
    input::done()
}
