//! `/push-certificate`: by which tablets are woken.

use actix_web::web::Json;
use fleet::Refusal;
use fleet::push_certificate::{self, Shown};
use serde::{Deserialize, Serialize};
use types::Secret;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{Answer, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// A push certificate to install. Certificate and key may also stand in one text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPushCertificate {
    /// The certificate from Apple's portal, PEM.
    certificate_pem: String,
    /// Its private key, PEM, encrypted or not.
    key_pem: Option<String>,
    /// What opens the key.
    passphrase: Option<String>,
}

/// The push certificate in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PushCertificateView {
    /// Its topic.
    topic: String,
    /// The last instant it is valid.
    not_after: Timestamp,
    /// Whole days that are left.
    days_left: u64,
    /// When it was installed.
    installed_at: Timestamp,
}

impl From<Shown> for PushCertificateView {
    fn from(shown: Shown) -> Self {
        Self {
            topic: shown.topic,
            not_after: shown.not_after.into(),
            days_left: shown.days_left,
            installed_at: shown.installed_at.into(),
        }
    }
}

/// The push certificate in use.
#[utoipa::path(get, path = "/api/v1/push-certificate", tag = "push", responses(
    (status = 200, body = PushCertificateView), (status = 404, description = "There is none", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller) -> Answer<PushCertificateView> {
    let shown = push_certificate::show(&state.fleet, caller.principal(), state.now()).await?;
    Ok(Json(shown.ok_or(Refusal::NoPushCertificate)?.into()))
}

/// Installs a push certificate. One of another topic is refused with the number of tablets it would lose.
#[utoipa::path(put, path = "/api/v1/push-certificate", tag = "push", request_body = NewPushCertificate, responses(
    (status = 200, body = PushCertificateView), (status = 409, description = "It would lose tablets", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn set(
    state: State,
    caller: Caller,
    new: Json<NewPushCertificate>,
) -> Answer<PushCertificateView> {
    let NewPushCertificate { certificate_pem, key_pem, passphrase } = new.into_inner();
    let texts: Vec<Secret<String>> =
        [Some(certificate_pem), key_pem].into_iter().flatten().map(Secret::new).collect();
    let passphrase = passphrase.map(Secret::new);
    let shown =
        push_certificate::set(&state.fleet, caller.principal(), &texts, passphrase.as_ref(), state.now())
            .await?;
    Ok(Json(shown.into()))
}
