//! The list for the wall of a class, and the figures of a school year (C6.1).

use actix_web::http::header::{ACCEPT, CONTENT_SECURITY_POLICY};
use actix_web::web::{Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use fleet::lending::wall::{self, Line};
use fleet::lending::year::{self, Figures};
use serde::{Deserialize, Serialize};
use types::Day;
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, State};
use crate::inventory::{harmless, names};
use crate::loans::LoanView;
use crate::problem::{Failure, Problem};
use crate::{language, year_page};

/// Which class.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WallQuery {
    /// The class; everybody, unless told.
    class: Option<String>,
}

/// Which year.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct YearQuery {
    /// The school year; today's, unless told.
    school_year: Option<String>,
}

/// A person of a class, what they hold, and what is missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WallLineView {
    /// Their number.
    person: String,
    /// Their name.
    name: String,
    /// What they are to the programme.
    kind: String,
    /// Their class.
    class: Option<String>,
    /// The number by which the school’s register tells them from others of that name.
    number: Option<String>,
    /// Their first day, if it is to come.
    arrives_on: Option<String>,
    /// What they hold.
    loan: Option<LoanView>,
    /// What is missing.
    missing: Vec<String>,
}

impl From<Line> for WallLineView {
    fn from(line: Line) -> Self {
        Self {
            person: line.person.to_string(),
            name: line.entry.name.as_str().to_owned(),
            kind: line.entry.kind.to_string(),
            class: line.entry.class.map(|class| class.as_str().to_owned()),
            number: line.entry.number.map(|number| number.as_str().to_owned()),
            arrives_on: line.entry.arrives_on.map(|day| day.to_string()),
            loan: line.loan.map(LoanView::from),
            missing: line.missing,
        }
    }
}

/// Who has which tablet, and what is missing: everybody on the validated list, by class and name.
#[utoipa::path(get, path = "/api/v1/organisations/{id}/wall", tag = "lending",
    params(("id" = String, Path, description = "The collège’s id or UAI"), WallQuery), responses(
    (status = 200, body = Vec<WallLineView>), (status = "default", body = Problem)))]
pub(crate) async fn wall(
    state: State,
    caller: Caller,
    college: Path<String>,
    query: Query<WallQuery>,
) -> Answer<Vec<WallLineView>> {
    let college = input::parse("organisation", &college)?;
    let class = query.into_inner().class;
    let lines = wall::wall(&state.fleet, caller.principal(), college, class, state.now()).await?;
    Ok(Json(lines.into_iter().map(WallLineView::from).collect()))
}

/// The figures of a collège and year: counts, never names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiguresView {
    /// The collège.
    pub(crate) uai: String,
    /// Its name.
    pub(crate) college: String,
    /// The school year.
    pub(crate) school_year: String,
    /// Tablets of its inventory.
    pub(crate) tablets: u64,
    /// Those that are managed.
    pub(crate) managed: u64,
    /// Those that were seen within the last seven days.
    pub(crate) seen_lately: u64,
    /// People on the validated list.
    pub(crate) listed: u64,
    /// Loans that began in the year.
    pub(crate) loans_begun: u64,
    /// Loans that go on.
    pub(crate) loans_going_on: u64,
    /// Loans that ended in the year.
    pub(crate) loans_ended: u64,
    /// Tablets that came back in the year.
    pub(crate) returns: u64,
    /// Those that came back in time.
    pub(crate) returns_on_time: u64,
    /// Incidents that were declared in the year.
    pub(crate) incidents: u64,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        let Figures { college, school_year, counted } = figures;
        Self {
            uai: college.uai.map(String::from).unwrap_or_default(),
            college: college.name,
            school_year,
            tablets: counted.tablets,
            managed: counted.managed,
            seen_lately: counted.seen_lately,
            listed: counted.listed,
            loans_begun: counted.loans_begun,
            loans_going_on: counted.loans_going_on,
            loans_ended: counted.loans_ended,
            returns: counted.returns,
            returns_on_time: counted.returns_on_time,
            incidents: counted.incidents,
        }
    }
}

impl FiguresView {
    const COLUMNS: [&'static str; 13] = [
        "uai",
        "college",
        "school_year",
        "tablets",
        "managed",
        "seen_lately",
        "listed",
        "loans_begun",
        "loans_going_on",
        "loans_ended",
        "returns",
        "returns_on_time",
        "incidents",
    ];

    fn cells(&self) -> [String; 13] {
        [
            self.uai.clone(),
            self.college.clone(),
            self.school_year.clone(),
            self.tablets.to_string(),
            self.managed.to_string(),
            self.seen_lately.to_string(),
            self.listed.to_string(),
            self.loans_begun.to_string(),
            self.loans_going_on.to_string(),
            self.loans_ended.to_string(),
            self.returns.to_string(),
            self.returns_on_time.to_string(),
            self.incidents.to_string(),
        ]
    }
}

/// Whether the reader asks for a page to print: a browser does.
fn wants_a_page(request: &HttpRequest) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.split([';', ',']).any(|one| one.trim().eq_ignore_ascii_case("text/html"))
}

/// The report of a school year, collège by collège, as JSON; as CSV if `Accept` names `text/csv`; as a page to print, in the
/// language that `Accept-Language` asks for, if it names `text/html`.
#[utoipa::path(get, path = "/api/v1/year-report", tag = "lending", params(YearQuery), responses(
    (status = 200, content((Vec<FiguresView> = "application/json"), (String = "text/csv"), (String = "text/html"))),
    (status = "default", body = Problem)))]
pub(crate) async fn year(
    request: HttpRequest,
    state: State,
    caller: Caller,
    query: Query<YearQuery>,
) -> Result<HttpResponse, Failure> {
    let label = query.into_inner().school_year;
    let figures = year::report(&state.fleet, caller.principal(), label, state.now()).await?;
    let lines: Vec<FiguresView> = figures.into_iter().map(FiguresView::from).collect();
    if wants_a_page(&request) {
        let page = year_page::render(&lines, language::of(request.headers()), Day::of(state.now()));
        return Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, year_page::content_security_policy()))
            .body(page));
    }
    if !names(&request, ACCEPT) {
        return Ok(HttpResponse::Ok().json(lines));
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(FiguresView::COLUMNS).map_err(Failure::internal)?;
    for line in &lines {
        let cells = line.cells().map(|cell| harmless(&cell));
        writer.write_record(cells).map_err(Failure::internal)?;
    }
    let csv = writer.into_inner().map_err(|error| Failure::internal(error.into_error()))?;
    Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv))
}
