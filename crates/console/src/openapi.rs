//! The description of this API, made from the handlers themselves.

use actix_web::web::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::{
    alarms, apple_authorities, audit, brake, commands, health, inventory, links, privacy, push_certificate,
    sessions, tablets, takeovers, tokens,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ardoise",
        description = "Manages the tablets that a département lends to pupils. Errors are problems (RFC 9457), \
                       in French or English as `Accept-Language` asks; every answer names its request in \
                       `x-request-id`."
    ),
    paths(
        health::alive, health::ready, health::status, show,
        sessions::sign_in, sessions::accept_invitation, sessions::myself, sessions::sign_out, sessions::step_up,
        sessions::propose_second_factor, sessions::confirm_second_factor, sessions::change_password,
        sessions::list, sessions::end,
        inventory::list, inventory::import,
        tablets::list, tablets::show,
        commands::list, commands::enqueue, commands::show, commands::why, commands::cancel,
        links::list, links::create, links::revoke,
        push_certificate::show, push_certificate::set,
        takeovers::list, takeovers::import,
        apple_authorities::list, apple_authorities::add,
        alarms::list, alarms::settle,
        privacy::register, privacy::validate, privacy::withdraw, privacy::prove,
        audit::list, audit::anchor, audit::verify, audit::export,
        brake::unenrol, brake::show, brake::engage, brake::ask_release, brake::release, brake::acts, brake::let_go,
        brake::play, brake::campaigns, brake::ask_campaign, brake::open_campaign, brake::end_campaign,
        tokens::list, tokens::create, tokens::revoke,
    ),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        description
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The description itself, for programs that check it or print it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "server", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
