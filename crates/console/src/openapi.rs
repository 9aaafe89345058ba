//! The description of this API, made from the handlers themselves.

use actix_web::web::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, RefOr};
use utoipa::{Modify, OpenApi};

use crate::{
    accounts, alarms, apple_authorities, apps, audit, brake, broadcasts, commands, countersignatures,
    departures, health, incident_decisions, incident_papers, incidents, inventory, lending_reports, links,
    lists, loans, metrics, notices, organisations, persons, positions, privacy, problem, profile_rollouts,
    profiles, push_certificate, repairs, restitutions, roles, school_years, segments, sessions, subject,
    summer, tablets, takeovers, tokens, transfers, warrants,
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
        health::alive, health::ready, metrics::show, health::status, show,
        sessions::sign_in, sessions::accept_invitation, sessions::myself, sessions::sign_out, sessions::step_up,
        sessions::propose_second_factor, sessions::confirm_second_factor, sessions::change_password,
        sessions::list, sessions::end,
        organisations::list, organisations::create, organisations::import, organisations::show,
        organisations::rename, organisations::close, organisations::reopen, organisations::decide,
        organisations::set_network, organisations::forget_network,
        school_years::list, school_years::set,
        accounts::ask_first, accounts::invite_first, accounts::list, accounts::invite, accounts::show,
        accounts::describe, accounts::invite_again, accounts::suspend, accounts::reopen, accounts::close,
        accounts::reset, accounts::ask_recovery, accounts::recover,
        roles::give, roles::ask_again, roles::take_back,
        countersignatures::list, countersignatures::show, countersignatures::answer, countersignatures::withdraw,
        inventory::list, inventory::import,
        tablets::list, tablets::show, tablets::why,
        segments::of_tablet, segments::list, segments::failing,
        commands::list, commands::enqueue, commands::show, commands::why, commands::cancel,
        broadcasts::send, broadcasts::show,
        incidents::declare, incidents::list, incidents::show, incident_papers::letter, incident_papers::complaint,
        incident_papers::correct, incident_papers::take_back, incident_papers::correct_noticed,
        incidents::step, incidents::reopen, incidents::lose, incidents::sound, incidents::confirm,
        incident_decisions::judge, incident_decisions::supplier, incident_decisions::replace, incident_decisions::pay,
        incident_decisions::propose_erasure, incident_decisions::repeat_erasure, incident_decisions::take_erasure_back,
        incident_decisions::counterparts,
        warrants::list, warrants::ask, warrants::extend, warrants::end, warrants::told, warrants::delay,
        positions::list, positions::locate, positions::look,
        notices::list, notices::untold, notices::warrant_letter, notices::warrant_told, restitutions::overdue, restitutions::list, restitutions::receive, restitutions::show, restitutions::saved,
        restitutions::check, restitutions::letter, restitutions::letter_handed_over, restitutions::order,
        restitutions::attest, restitutions::shelve, restitutions::undo,
        persons::list, persons::texts, persons::publish, persons::agreement, persons::sign,
        subject::copy, subject::correct, subject::forget,
        lists::propose, lists::list, lists::show, lists::settle, lists::validate, lists::withdraw,
        loans::readiness, loans::hand_over, loans::except, loans::end_exception, loans::list, loans::show,
        loans::confiscate, loans::resume, loans::deposit, loans::hand_out, loans::restrict, loans::lift, loans::end,
        loans::letter,
        lending_reports::wall, lending_reports::year,
        repairs::list, repairs::send, repairs::back, repairs::exchanged, repairs::swap,
        transfers::list, transfers::propose, transfers::consent, transfers::withdraw,
        departures::facts, departures::say_of_year, departures::propose, departures::retire, departures::list,
        departures::show, departures::decide, departures::withdraw, departures::take_back, departures::letter, departures::letter_handed_over,
        departures::order, departures::attest, departures::ask, departures::let_go, departures::leave_again,
        departures::release, departures::deed,
        summer::deposit, summer::hand_out, departures::saved, departures::take_in,
        links::list, links::create, links::revoke,
        push_certificate::show, push_certificate::set,
        takeovers::list, takeovers::import,
        apple_authorities::list, apple_authorities::add,
        apps::list, apps::add, apps::show, apps::configure, apps::withdraw, apps::upload,
        alarms::list, alarms::settle,
        privacy::register, privacy::notice, privacy::assessment, privacy::validate, privacy::withdraw, privacy::prove,
        audit::list, audit::anchor, audit::verify, audit::export,
        brake::unenrol, brake::show, brake::engage, brake::ask_release, brake::release, brake::acts, brake::let_go,
        brake::play, brake::campaigns, brake::ask_campaign, brake::open_campaign, brake::end_campaign,
        profiles::list, profiles::draft, profiles::show, profiles::edit, profiles::submit, profiles::approve,
        profiles::reject, profiles::publish, profiles::withdraw, profiles::diff, profiles::plan, profiles::history,
        profile_rollouts::show, profile_rollouts::advance, profile_rollouts::halt, profile_rollouts::resume,
        profile_rollouts::roll_back, profile_rollouts::emergencies, profile_rollouts::order,
        profile_rollouts::end_emergency,
        tokens::list, tokens::create, tokens::revoke,
    ),
    security(("bearer" = [])),
    modifiers(&Bearer, &Problems)
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

/// Problems are described as what they are sent as (RFC 9457 §3).
struct Problems;

impl Modify for Problems {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let items = description.paths.paths.values_mut();
        let operations = items.flat_map(|item| {
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
        });
        for response in operations.flat_map(|operation| operation.responses.responses.values_mut()) {
            let RefOr::T(response) = response else { continue };
            if response.content.get("application/json").is_some_and(is_problem)
                && let Some(content) = response.content.swap_remove("application/json")
            {
                response.content.insert(problem::MEDIA_TYPE.to_owned(), content);
            }
        }
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else { return false };
    matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
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
