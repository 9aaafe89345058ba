//! What handlers take and give, where several of them agree.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use fleet::Refusal;
use fleet::page::Listed;
use serde::{Deserialize, Serialize};
use types::Duration;
use utoipa::{IntoParams, ToSchema};

use crate::ConsoleState;
use crate::problem::Failure;

/// What a handler gives: JSON, or what went wrong.
pub(crate) type Answer<T> = Result<Json<T>, Failure>;

/// JSON and 201: something was made.
pub(crate) type Created<T> = Result<(Json<T>, StatusCode), Failure>;

/// Nothing but 204: it is done.
pub(crate) type Done = Result<HttpResponse, Failure>;

/// Nothing more to say.
pub(crate) fn done() -> Done {
    Ok(HttpResponse::NoContent().finish())
}

/// A number of days as a span, if one was given.
pub(crate) fn days(days: Option<u32>) -> Option<Duration> {
    days.map(|days| Duration::from_secs(u64::from(days) * 86_400))
}

/// What every handler works with.
pub(crate) type State = Data<ConsoleState>;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// The `next` of the part before; none for the first part.
    pub(crate) after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    pub(crate) limit: Option<u32>,
}

/// One part of a list, in a stable order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is in this part.
    pub(crate) items: Vec<T>,
    /// What to send as `after` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn of<U>(listed: Listed<U>) -> Self
    where
        T: From<U>,
    {
        Self { items: listed.items.into_iter().map(T::from).collect(), next: listed.next }
    }
}

/// An id or a name of a path or field; what cannot be one is answered as what is not there.
pub(crate) fn parse<T: std::str::FromStr>(noun: &'static str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_not_an_id: T::Err| {
        Failure::Refusal(Refusal::NotFound { noun, id: text.chars().take(64).collect() })
    })
}

/// A field that must be a name of its kind.
pub(crate) fn field<T>(name: &'static str, text: &str) -> Result<T, Failure>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        Failure::Refusal(Refusal::Invalid { field: name, problem: error.to_string() })
    })
}

/// As [`field`], for a field that may be absent.
pub(crate) fn optional<T>(name: &'static str, text: Option<&str>) -> Result<Option<T>, Failure>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.map(|text| field(name, text)).transpose()
}

/// Tells a field that is `null` from one that is absent, with `#[serde(default)]`: the former changes something.
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Why, if somebody says it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PerhapsWhy {
    /// Why, in at most 500 characters: it is recorded.
    pub(crate) reason: Option<String>,
}

/// A field that holds what it cannot.
pub(crate) fn invalid(field: &'static str, problem: &str) -> Failure {
    Failure::Refusal(Refusal::Invalid { field, problem: problem.to_owned() })
}
