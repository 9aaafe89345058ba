//! `/lists`: the named list of users, proposed from the school's export, settled by the head, validated by the académie
//! (C4.2).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::lists::{self, Export, Name, Shown};
use fleet::lending::people::Mapping;
use fleet::page::Page as Part;
use lending::list::{Change, Entry};
use serde::{Deserialize, Serialize};
use store::lists::List;
use types::ListId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, PageQuery, State, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// The school's export, and how it is read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListExport {
    /// The school year; today's, unless told.
    school_year: Option<String>,
    /// Which column says what: `{"columns": {"name": ["Nom", "Prénom"], "class": "Division", …}, "kinds": {…}}`.
    #[schema(value_type = Object)]
    mapping: Mapping,
    /// The export: a CSV with a first line of names, commas or semicolons.
    csv: String,
    /// Whether whoever is missing in it leaves the list, of the kinds of people it speaks of; yes, unless told.
    complete: Option<bool>,
    /// Whether it is only looked at.
    #[serde(default)]
    preview: bool,
}

/// What somebody looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSeen {
    /// The digest of exactly the names that were shown.
    content_sha256: String,
}

/// A change of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListView {
    /// Its id; absent for what was only looked at.
    id: Option<String>,
    /// The collège.
    uai: String,
    /// The school year.
    school_year: String,
    /// `preview`, `proposed`, `settled`, `validated` or `withdrawn`.
    state: String,
    /// How much of the list it speaks of: `whole` or `part`; absent for what was only looked at.
    scope: Option<String>,
    /// How many names it changes.
    changes: usize,
    /// The digest of exactly these names.
    content_sha256: Option<String>,
    /// When it was proposed.
    proposed_at: Option<Timestamp>,
    /// When the head settled it.
    settled_at: Option<Timestamp>,
    /// When the académie validated it.
    validated_at: Option<Timestamp>,
    /// When it was taken back.
    withdrawn_at: Option<Timestamp>,
}

impl From<List> for ListView {
    fn from(list: List) -> Self {
        Self {
            id: Some(list.id.to_string()),
            uai: list.uai.to_string(),
            school_year: list.school_year,
            state: list.state.to_string(),
            scope: Some(list.scope.to_string()),
            changes: usize::try_from(list.changes).unwrap_or(0),
            content_sha256: Some(list.content_sha256.to_string()),
            proposed_at: Some(list.proposed_at.into()),
            settled_at: list.settled_at.map(Timestamp::from),
            validated_at: list.validated_at.map(Timestamp::from),
            withdrawn_at: list.withdrawn_at.map(Timestamp::from),
        }
    }
}

/// What a list says of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// What they are called.
    name: String,
    /// What they are to the programme.
    kind: String,
    /// A pupil's class.
    class: Option<String>,
    /// The number of the school's register.
    number: Option<String>,
    /// Their first day.
    arrives_on: Option<String>,
    /// Their last day of attendance.
    leaves_on: Option<String>,
    /// How many guardians a pupil has.
    guardians: u8,
    /// Who can be written to: `user`, `guardian-1` and so on.
    reachable: Vec<String>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            name: entry.name.as_str().to_owned(),
            kind: entry.kind.to_string(),
            class: entry.class.map(|class| class.as_str().to_owned()),
            number: entry.number.map(|number| number.as_str().to_owned()),
            arrives_on: entry.arrives_on.map(|day| day.to_string()),
            leaves_on: entry.leaves_on.map(|day| day.to_string()),
            guardians: entry.guardians,
            reachable: entry.contacts.keys().map(ToString::to_string).collect(),
        }
    }
}

/// A name that changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NameView {
    /// Whose.
    person: String,
    /// `add`, `change`, `remove`, or `forgotten`.
    change: &'static str,
    /// What the list says of them from then on.
    entry: Option<EntryView>,
    /// What was known of them before.
    before: Option<EntryView>,
    /// What is known of them today, if the change counts and something changed since.
    since: Option<EntryView>,
}

impl From<Name> for NameView {
    fn from(name: Name) -> Self {
        let (change, entry) = match (name.change, &name.before) {
            (None, _) => ("forgotten", None),
            (Some(Change::Remove(_)), _) => ("remove", None),
            (Some(Change::Set(_, entry)), None) => ("add", Some(entry.into())),
            (Some(Change::Set(_, entry)), Some(_)) => ("change", Some(entry.into())),
        };
        Self {
            person: name.person.to_string(),
            change,
            entry,
            before: name.before.map(EntryView::from),
            since: name.since.map(EntryView::from),
        }
    }
}

/// A change of a list with its names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListShownView {
    /// The change.
    #[serde(flatten)]
    list: ListView,
    /// How many people the list has once it counts.
    people: usize,
    /// Whether addresses were left out, because no notice may be sent (C3.1.6).
    contacts_left_out: bool,
    /// The names.
    names: Vec<NameView>,
}

impl From<Shown> for ListShownView {
    fn from(shown: Shown) -> Self {
        let changes = shown.names.len();
        let list = shown.list.map_or_else(
            || ListView {
                id: None,
                uai: shown.college.to_string(),
                school_year: shown.school_year.clone(),
                state: "preview".to_owned(),
                scope: None,
                changes,
                content_sha256: None,
                proposed_at: None,
                settled_at: None,
                validated_at: None,
                withdrawn_at: None,
            },
            ListView::from,
        );
        Self {
            list,
            people: shown.people,
            contacts_left_out: shown.contacts_left_out,
            names: shown.names.into_iter().map(NameView::from).collect(),
        }
    }
}

/// Reads the school's export, and proposes what must change for the list to be as it says; or only shows that.
#[utoipa::path(post, path = "/api/v1/organisations/{id}/lists", tag = "lending", request_body = ListExport,
    params(("id" = String, Path, description = "The collège’s id or UAI")), responses(
    (status = 201, body = ListShownView), (status = 422, description = "Every bad line is named", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn propose(
    state: State,
    caller: Caller,
    college: Path<String>,
    export: Json<ListExport>,
) -> Created<ListShownView> {
    let ListExport { school_year, mapping, csv, complete, preview } = export.into_inner();
    let export = Export {
        college: input::parse("organisation", &college)?,
        school_year,
        mapping,
        csv: csv.into_bytes(),
        complete: complete.unwrap_or(true),
        preview,
    };
    let shown = lists::propose(&state.fleet, caller.principal(), export, state.now()).await?;
    let status = if shown.list.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    Ok((Json(shown.into()), status))
}

/// Changes of lists, without their names, in the order they were proposed.
#[utoipa::path(get, path = "/api/v1/lists", tag = "lending", params(PageQuery), responses(
    (status = 200, body = Page<ListView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<PageQuery>) -> Answer<Page<ListView>> {
    let part = Part::<ListId>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(lists::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// A change of a list with its names, and the digest that both sign.
#[utoipa::path(get, path = "/api/v1/lists/{id}", tag = "lending",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = ListShownView), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<ListShownView> {
    let id = input::parse("list", &id)?;
    Ok(Json(lists::show(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}

/// The head settles exactly the names of this digest (arrêtée).
#[utoipa::path(post, path = "/api/v1/lists/{id}/settle", tag = "lending", request_body = ListSeen,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = ListView), (status = "default", body = Problem)))]
pub(crate) async fn settle(
    state: State,
    caller: Caller,
    id: Path<String>,
    seen: Json<ListSeen>,
) -> Answer<ListView> {
    let (id, seen) = (input::parse("list", &id)?, field("content_sha256", &seen.content_sha256)?);
    Ok(Json(lists::settle(&state.fleet, caller.principal(), id, seen, state.now()).await?.into()))
}

/// The académie validates exactly the names of this digest (validée): from now on they count.
#[utoipa::path(post, path = "/api/v1/lists/{id}/validate", tag = "lending", request_body = ListSeen,
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = ListView), (status = "default", body = Problem)))]
pub(crate) async fn validate(
    state: State,
    caller: Caller,
    id: Path<String>,
    seen: Json<ListSeen>,
) -> Answer<ListView> {
    let (id, seen) = (input::parse("list", &id)?, field("content_sha256", &seen.content_sha256)?);
    Ok(Json(lists::validate(&state.fleet, caller.principal(), id, seen, state.now()).await?.into()))
}

/// Takes back a change that does not count yet.
#[utoipa::path(post, path = "/api/v1/lists/{id}/withdraw", tag = "lending",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, body = ListView), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(state: State, caller: Caller, id: Path<String>) -> Answer<ListView> {
    let id = input::parse("list", &id)?;
    Ok(Json(lists::withdraw(&state.fleet, caller.principal(), id, state.now()).await?.into()))
}
