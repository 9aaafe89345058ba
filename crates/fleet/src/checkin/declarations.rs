//! Declarative management: the tablet asks what is declared for it. Nothing is, until profiles are built.

use apple::checkin::DeclarativeManagement;
use apple::ddm::{DeclarationItems, Endpoint};
use pki::DeviceIdentity;
use types::Instant;

use super::known;
use crate::{Fleet, Reply, TabletError};

/// Answers from an empty set: a declaration of anybody's is not found (T-A8), no more than an endpoint that does
/// not exist; a status report is taken note of.
pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: DeclarativeManagement,
    now: Instant,
) -> Result<Reply, TabletError> {
    known(fleet, identity, message.udid.clone(), "DeclarativeManagement", now).await?;
    if message.user_id.is_some() || message.user_short_name.is_some() {
        return Err(TabletError::UserDeclined);
    }
    let nothing = DeclarationItems { declarations_token: "empty".into(), ..DeclarationItems::default() };
    match message.endpoint.parse::<Endpoint>() {
        Ok(Endpoint::Tokens) => Ok(Reply::Json(nothing.tokens_json(now))),
        Ok(Endpoint::DeclarationItems) => Ok(Reply::Json(nothing.to_json())),
        Ok(Endpoint::Status) => Ok(Reply::Empty),
        Ok(Endpoint::Declaration { .. }) | Err(_) => Err(TabletError::NoSuchDeclaration),
    }
}
