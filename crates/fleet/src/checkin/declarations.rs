//! Declarative management: the tablet asks what is declared for it. Nothing is, until profiles are built.

use apple::checkin::DeclarativeManagement;
use apple::ddm::{DeclarationItems, Endpoint};
use pki::DeviceIdentity;
use types::Instant;

use super::known;
use crate::{Fleet, Reply, TabletError};

/// Answers from an empty set: a declaration of anybody's is not found (T-A8), a status report is taken note of.
pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: DeclarativeManagement,
    now: Instant,
) -> Result<Reply, TabletError> {
    known(fleet, identity, message.udid.clone(), "DeclarativeManagement", now).await?;
    let nothing = DeclarationItems { declarations_token: "empty".into(), ..DeclarationItems::default() };
    match message.endpoint.parse::<Endpoint>()? {
        Endpoint::Tokens => Ok(Reply::Json(nothing.tokens_json(now))),
        Endpoint::DeclarationItems => Ok(Reply::Json(nothing.to_json())),
        Endpoint::Status => Ok(Reply::Empty),
        Endpoint::Declaration { .. } => Err(TabletError::NoSuchDeclaration),
    }
}
