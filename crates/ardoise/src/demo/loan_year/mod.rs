//! A year of loans: the list, the signatures and the handovers; a pupil without signatures, one who leaves, one whose guardians
//! end the loan by letter; the summer's deposit and September with the same data; what comes back is erased by an order and
//! proven empty; one tablet is given away (C4.2, C5.1.2, C5.2, C5.3, C9.1, M3).
//!
//! | file | what it tells |
//! |---|---|
//! | [`school`] | the people, the list, the signatures, the handovers |
//! | [`returns`] | tablets that come back, and what was erased in the end |
//! | [`september`] | the deposit, and the turn of the year |
//! | [`gift`] | the donation |

mod gift;
mod returns;
mod school;
mod september;

use std::collections::BTreeSet;

use serde_json::Value;
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient};
use types::{Duration, Role, Uai};

use super::Figures;
use super::stage::{Stage, stopped};
use super::teller::Teller;
use crate::failure::Failure;

/// The collège.
const COLLEGE: &str = "0761234A";
const DAY: Duration = Duration::from_secs(86_400);

/// The pupils, in the order of their tablets.
const PUPILS: [(&str, &str); 6] = [
    ("Adjani", "Inès"),
    ("Bernard", "Tom"),
    ("Costa", "Léa"),
    ("Diallo", "Awa"),
    ("Évrard", "Zoé"),
    ("Faure", "Nils"),
];
/// Who leaves in the year.
const LEAVES: usize = 0;
/// Whose guardians end the loan.
const ENDED: usize = 1;
/// Whose tablet is scanned by mistake.
const SLIP: usize = 2;
/// Whose guardians signed nothing.
const UNSIGNED: usize = 3;
/// Whom the list of the next year does not name.
const UNNAMED: usize = 4;
/// Who is given their tablet.
const GIVEN: usize = 5;

/// Tells it.
pub(super) async fn tell(stage: &Stage, teller: &mut Teller, figures: &mut Figures) -> Result<(), Failure> {
    let loans = school::begins(stage, teller).await?;
    returns::departure(stage, &loans, teller).await?;
    returns::letter(stage, &loans, teller).await?;
    returns::slip(stage, teller).await?;
    september::summer(stage, &loans, teller).await?;
    september::new_year(stage, &loans, teller).await?;
    returns::unnamed(stage, teller).await?;
    gift::given(stage, &loans, teller).await?;
    returns::in_the_end(stage, teller, figures).await
}

/// The serial number of a pupil's tablet.
fn serial(pupil: usize) -> String {
    format!("DMPXYEAR{:04}", pupil + 1)
}

/// Somebody of this role, who has just signed in and shown a code.
async fn someone(stage: &Stage, login: &str, role: Role) -> Result<ApiClient, Failure> {
    let college: Uai = COLLEGE.parse().map_err(stopped)?;
    let (employer, reach) = match role {
        Role::Head => (Employer::College(college), GrantReach::Organisation),
        Role::Approver => (Employer::Academie, GrantReach::Organisation),
        Role::Dpo | Role::Operator => (Employer::Departement, GrantReach::Organisation),
        _ => (Employer::Departement, GrantReach::Colleges(BTreeSet::from([college]))),
    };
    let server = stage.server();
    let account = server.someone(employer, login, role, reach).await.map_err(stopped)?;
    server.in_session(account, CodeShown::JustNow).await.map_err(stopped)
}

/// What somebody does by `POST`, which is answered as it should be.
async fn does(client: &ApiClient, path: &str, body: &Value) -> Result<Value, Failure> {
    client.post(path, body).await.map_err(stopped)?.ok().map_err(stopped)
}

/// As [`does`], with whatever the answer is.
async fn tries(client: &ApiClient, path: &str, body: &Value) -> Result<Answer, Failure> {
    client.post(path, body).await.map_err(stopped)
}

async fn reads(client: &ApiClient, path: &str) -> Result<Value, Failure> {
    client.get(path).await.map_err(stopped)?.ok().map_err(stopped)
}

fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
