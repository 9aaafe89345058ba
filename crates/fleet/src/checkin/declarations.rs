//! Declarative management: the tablet asks what is declared for it, and reports on it.

use apple::checkin::DeclarativeManagement;
use apple::ddm::{DeclarationItems, Endpoint};
use apple::status_report::StatusReport;
use pki::DeviceIdentity;
use profiles::segment::Plan;
use types::{EnrolmentId, Instant};

use super::known;
use crate::segments::{self, Told, advance};
use crate::{Fleet, Reply, TabletError};

/// Answers from what the tablet's own segment is given: a declaration of anybody else's is not found (T-A8), no more
/// than an endpoint that does not exist. A status report is taken note of as far as it can be read, and answered in any
/// case (T-A17).
pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: DeclarativeManagement,
    now: Instant,
) -> Result<Reply, TabletError> {
    let enrolment = known(fleet, identity, message.udid.clone(), "DeclarativeManagement", now).await?;
    if message.user_id.is_some() || message.user_short_name.is_some() {
        return Err(TabletError::UserDeclined);
    }
    match message.endpoint.parse::<Endpoint>() {
        Ok(Endpoint::Tokens) => {
            let declared = declared(fleet, enrolment.id).await?;
            let (items, changed) = declared.map_or_else(|| (nothing(), now), |(plan, at)| (plan.items(), at));
            Ok(Reply::Json(items.tokens_json(changed)))
        }
        Ok(Endpoint::DeclarationItems) => {
            let declared = declared(fleet, enrolment.id).await?;
            Ok(Reply::Json(declared.map_or_else(nothing, |(plan, _at)| plan.items()).to_json()))
        }
        Ok(Endpoint::Status) => {
            let data = message.data.as_ref().map(|data| data.expose().as_slice()).unwrap_or_default();
            match StatusReport::parse(data) {
                Ok(report) => drop(advance(fleet, enrolment.id, Told::Status(report), now).await?),
                Err(error) => {
                    tracing::warn!(enrolment = %enrolment.id, %error, "a status report was not read")
                }
            }
            Ok(Reply::Empty)
        }
        Ok(Endpoint::Declaration { kind, identifier }) => {
            let context = fleet.clone();
            let found = fleet
                .store()
                .read(move |tx| segments::declaration(tx, &context, enrolment.id, (kind, &identifier), now))
                .await?;
            found.map(Reply::Json).ok_or(TabletError::NoSuchDeclaration)
        }
        Err(_) => Err(TabletError::NoSuchDeclaration),
    }
}

fn nothing() -> DeclarationItems {
    DeclarationItems { declarations_token: "empty".into(), ..DeclarationItems::default() }
}

/// What is declared for a tablet, and since when.
async fn declared(fleet: &Fleet, enrolment: EnrolmentId) -> Result<Option<(Plan, Instant)>, TabletError> {
    fleet.store().read(move |tx| segments::declared(tx, enrolment)).await
}
