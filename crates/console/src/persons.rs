//! `/organisations/{id}/persons`, and what was said to the agreement of loan for each of them (C4.2, C5.2.1).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::lending::agreements::{self, Agreement, NewText, Said};
use fleet::lending::people;
use fleet::page::Page as Part;
use lending::agreement::Evidence;
use serde::{Deserialize, Serialize};
use store::agreement_texts::AgreementText;
use store::persons::{Known, Person};
use types::{AgreementTextId, PersonId};
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, PageQuery, State, field, optional};
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// A person whom a collège knows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    /// Their number here.
    id: String,
    /// What they are called; absent once they are forgotten.
    name: Option<String>,
    /// `pupil`, `teacher`, `head`, `deputy`, `segpa-director` or `cpe`.
    kind: String,
    /// The number by which the school’s register tells them from others of that name.
    number: Option<String>,
    /// A pupil's class.
    class: Option<String>,
    /// Their first day, if it is to come.
    arrives_on: Option<String>,
    /// Their last day of attendance.
    leaves_on: Option<String>,
    /// How many guardians a pupil has.
    guardians: u8,
    /// Whether somebody can be written to.
    reachable: bool,
    /// Since when they are on no list.
    left_at: Option<Timestamp>,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.to_string(),
            name: name(&person.name),
            kind: person.kind.to_string(),
            number: person.number.map(|number| number.as_str().to_owned()),
            class: person.class.map(|class| class.as_str().to_owned()),
            arrives_on: person.arrives_on.map(|day| day.to_string()),
            leaves_on: person.leaves_on.map(|day| day.to_string()),
            guardians: person.guardians,
            reachable: !person.contacts.is_empty(),
            left_at: person.left_at.map(Timestamp::from),
        }
    }
}

/// A name, as long as it is known.
pub(crate) fn name(known: &Known) -> Option<String> {
    match known {
        Known::By(name) => Some(name.as_str().to_owned()),
        Known::Forgotten => None,
    }
}

/// The people whom a collège knows, in the order of their numbers.
#[utoipa::path(get, path = "/api/v1/organisations/{id}/persons", tag = "lending",
    params(("id" = String, Path, description = "The collège’s id or UAI"), PageQuery), responses(
    (status = 200, body = Page<PersonView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    college: Path<String>,
    query: Query<PageQuery>,
) -> Answer<Page<PersonView>> {
    let part = Part::<PersonId>::read(query.after.as_deref(), query.limit)?;
    let college = input::parse("organisation", &college)?;
    let listed = people::list(&state.fleet, caller.principal(), college, part, state.now()).await?;
    Ok(Json(Page::of(listed)))
}

/// A text of the agreement of loan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgreementTextView {
    /// Its id.
    id: String,
    /// Its school year.
    school_year: String,
    /// Its number in that year: the highest is in force.
    number: i32,
    /// What it is called.
    title: String,
    /// What is signed.
    body: String,
    /// The SHA-256 of that.
    body_sha256: String,
    /// `one-without-opposition` or `all`.
    guardians_needed: String,
    /// When it was published.
    published_at: Timestamp,
}

impl From<AgreementText> for AgreementTextView {
    fn from(text: AgreementText) -> Self {
        Self {
            id: text.id.to_string(),
            school_year: text.school_year,
            number: text.number,
            title: text.title,
            body: text.body,
            body_sha256: text.body_sha256.to_string(),
            guardians_needed: text.guardians_needed.to_string(),
            published_at: text.published_at.into(),
        }
    }
}

/// A text to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementTextNew {
    /// Its school year; today's, unless told.
    school_year: Option<String>,
    /// What it is called.
    title: String,
    /// What is signed.
    body: String,
    /// How many of a pupil's guardians must sign: `one-without-opposition`, unless told, or `all`.
    guardians_needed: Option<String>,
}

/// The texts of the agreement, in the order they were published.
#[utoipa::path(get, path = "/api/v1/agreements", tag = "lending", params(PageQuery), responses(
    (status = 200, body = Page<AgreementTextView>), (status = "default", body = Problem)))]
pub(crate) async fn texts(
    state: State,
    caller: Caller,
    query: Query<PageQuery>,
) -> Answer<Page<AgreementTextView>> {
    let part = Part::<AgreementTextId>::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(agreements::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// Publishes a text. What was signed of the year's former one counts no more.
#[utoipa::path(post, path = "/api/v1/agreements", tag = "lending", request_body = AgreementTextNew, responses(
    (status = 201, body = AgreementTextView), (status = "default", body = Problem)))]
pub(crate) async fn publish(
    state: State,
    caller: Caller,
    new: Json<AgreementTextNew>,
) -> Created<AgreementTextView> {
    let AgreementTextNew { school_year, title, body, guardians_needed } = new.into_inner();
    let needed = guardians_needed.as_deref().unwrap_or("one-without-opposition");
    let guardians_needed = field("guardians_needed", needed)?;
    let new = NewText { school_year, title, body, guardians_needed };
    let text = agreements::publish(&state.fleet, caller.principal(), new, state.now()).await?;
    Ok((Json(text.into()), StatusCode::CREATED))
}

/// What somebody said to a text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureNew {
    /// The text; the one in force, unless told.
    text: Option<String>,
    /// `user`, or `guardian-1` to `guardian-4`.
    signatory: String,
    /// `signed` or `opposed`.
    stance: String,
    /// The day, such as `2026-09-12`.
    on: String,
    /// The reference under which the collège keeps the paper.
    reference: Option<String>,
    /// The SHA-256 of its scan.
    scan_sha256: Option<String>,
}

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignatureView {
    /// The text.
    text: String,
    /// Who.
    signatory: String,
    /// `signed` or `opposed`.
    stance: String,
    /// On which day.
    on: String,
    /// The reference of the paper.
    reference: Option<String>,
    /// The SHA-256 of its scan.
    scan_sha256: Option<String>,
}

/// How somebody's agreement stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgreementView {
    /// Whose it is.
    person: PersonView,
    /// The text in force.
    text: Option<String>,
    /// Whether it is signed as it must be.
    agreed: bool,
    /// Why not.
    why: Option<String>,
    /// What was said so far, to whatever text.
    said: Vec<SignatureView>,
}

impl From<Agreement> for AgreementView {
    fn from(agreement: Agreement) -> Self {
        let said = agreement.said.into_iter().map(|said| {
            let (reference, scan_sha256) = match said.evidence {
                Evidence::Kept(reference) => (Some(reference.as_str().to_owned()), None),
                Evidence::Scan(digest) => (None, Some(digest.to_string())),
            };
            SignatureView {
                text: said.text.to_string(),
                signatory: said.signatory.to_string(),
                stance: said.stance.to_string(),
                on: said.on.to_string(),
                reference,
                scan_sha256,
            }
        });
        Self {
            person: agreement.person.into(),
            text: agreement.text.map(|text| text.to_string()),
            said: said.collect(),
            agreed: agreement.agreed.is_ok(),
            why: agreement.agreed.err().map(|why| why.to_string()),
        }
    }
}

/// How somebody's agreement stands.
#[utoipa::path(get, path = "/api/v1/persons/{id}/agreement", tag = "lending",
    params(("id" = String, Path, description = "The person’s number")), responses(
    (status = 200, body = AgreementView), (status = "default", body = Problem)))]
pub(crate) async fn agreement(state: State, caller: Caller, person: Path<String>) -> Answer<AgreementView> {
    let person = input::parse("person", &person)?;
    Ok(Json(agreements::show(&state.fleet, caller.principal(), person, state.now()).await?.into()))
}

/// Records what a user or a guardian said to a text. The mode of the loan follows.
#[utoipa::path(post, path = "/api/v1/persons/{id}/agreement", tag = "lending", request_body = SignatureNew,
    params(("id" = String, Path, description = "The person’s number")), responses(
    (status = 201, body = AgreementView), (status = "default", body = Problem)))]
pub(crate) async fn sign(
    state: State,
    caller: Caller,
    person: Path<String>,
    new: Json<SignatureNew>,
) -> Created<AgreementView> {
    let person = input::parse("person", &person)?;
    let said = Said {
        text: optional("text", new.text.as_deref())?,
        signatory: field("signatory", &new.signatory)?,
        stance: field("stance", &new.stance)?,
        on: field("on", &new.on)?,
        evidence: evidence(&new)?,
    };
    let agreement = agreements::sign(&state.fleet, caller.principal(), person, said, state.now()).await?;
    Ok((Json(agreement.into()), StatusCode::CREATED))
}

fn evidence(new: &SignatureNew) -> Result<Evidence, Failure> {
    match (&new.reference, &new.scan_sha256) {
        (Some(reference), None) => Ok(Evidence::Kept(field("reference", reference)?)),
        (None, Some(digest)) => Ok(Evidence::Scan(field("scan_sha256", digest)?)),
        _ => Err(input::invalid("reference", "name the reference of the paper, or the SHA-256 of its scan")),
    }
}
