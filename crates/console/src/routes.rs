//! The one table of routes: what there is, who may enter, how much they may bring.
//!
//! A route exists because it stands here: registration reads this table and nothing else does it (T-C5). The
//! [gate](crate::gate) reads the same table to know whom to let in.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use fleet::Permission;

use crate::{
    accounts, alarms, apple_authorities, apps, audit, brake, broadcasts, commands, countersignatures,
    departures, gate, health, incident_decisions, incident_papers, incidents, inventory, lending_reports,
    links, lists, loans, metrics, notices, openapi, organisations, persons, positions, privacy,
    profile_rollouts, profiles, push_certificate, repairs, restitutions, roles, school_years, segments,
    sessions, subject, summer, tablets, takeovers, tokens, transfers, warrants,
};

/// Who may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone: says nothing about any tablet or person.
    Anonymous,
    /// Anyone, at a pace: whoever signs in, or brings the link of an invitation.
    ComingIn,
    /// Whoever signed in: what is about themselves.
    Oneself,
    /// Whoever may do this somewhere.
    May(Permission),
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may enter.
    pub access: Access,
    /// The longest body, in bytes.
    pub max_body: usize,
    handler: fn() -> actix_web::Route,
}

/// A body of a few fields.
const SMALL: usize = 64 << 10;
/// A whole inventory or takeover: as much as `limits.upload_bytes` may admit.
const IMPORT: usize = 256 << 20;
/// A body that is never held whole: `limits.app_bytes` bounds it as it comes.
const STREAM: usize = 0;
/// The names of as many tablets as a second person can be asked about.
const BATCH: usize = 2 << 20;
/// A command with a profile of 4 MiB, which base64 and JSON make longer.
const COMMAND: usize = 8 << 20;

/// Every route of this door.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    get("/healthz", Access::Anonymous, || web::get().to(health::alive)),
    get("/readyz", Access::Anonymous, || web::get().to(health::ready)),
    get("/metrics", Access::May(Permission::ViewTablets), || web::get().to(metrics::show)),
    get("/api/v1/openapi.json", Access::Anonymous, || web::get().to(openapi::show)),
    post("/api/v1/sessions", Access::ComingIn, SMALL, || web::post().to(sessions::sign_in)),
    post("/api/v1/invitations/accept", Access::ComingIn, SMALL, || web::post().to(sessions::accept_invitation)),
    get("/api/v1/session", Access::Oneself, || web::get().to(sessions::myself)),
    delete("/api/v1/session", Access::May(Permission::ManageOwnSessions), || web::delete().to(sessions::sign_out)),
    post("/api/v1/session/step-up", Access::Oneself, SMALL, || web::post().to(sessions::step_up)),
    post("/api/v1/session/second-factor", Access::Oneself, SMALL, || web::post().to(sessions::propose_second_factor)),
    put("/api/v1/session/second-factor", Access::Oneself, SMALL, || web::put().to(sessions::confirm_second_factor)),
    put("/api/v1/session/password", Access::May(Permission::ManageOwnFactors), SMALL, || web::put().to(sessions::change_password)),
    get("/api/v1/sessions", Access::May(Permission::ManageOwnSessions), || web::get().to(sessions::list)),
    delete("/api/v1/sessions/{id}", Access::May(Permission::ManageOwnSessions), || web::delete().to(sessions::end)),
    get("/api/v1/tokens", Access::May(Permission::ManageOwnSessions), || web::get().to(tokens::list)),
    post("/api/v1/tokens", Access::May(Permission::ManageOwnTokens), SMALL, || web::post().to(tokens::create)),
    delete("/api/v1/tokens/{id}", Access::May(Permission::ManageOwnSessions), || web::delete().to(tokens::revoke)),
    get("/api/v1/organisations", Access::May(Permission::ViewOrganisations), || web::get().to(organisations::list)),
    post("/api/v1/organisations", Access::May(Permission::ManageOrganisations), SMALL, || web::post().to(organisations::create)),
    post("/api/v1/organisations/import", Access::May(Permission::ManageOrganisations), BATCH, || web::post().to(organisations::import)),
    get("/api/v1/organisations/{id}", Access::May(Permission::ViewOrganisations), || web::get().to(organisations::show)),
    put("/api/v1/organisations/{id}", Access::May(Permission::ManageOrganisations), SMALL, || web::put().to(organisations::rename)),
    post("/api/v1/organisations/{id}/close", Access::May(Permission::ManageOrganisations), SMALL, || web::post().to(organisations::close)),
    post("/api/v1/organisations/{id}/reopen", Access::May(Permission::ManageOrganisations), SMALL, || web::post().to(organisations::reopen)),
    put("/api/v1/organisations/{id}/decisions", Access::May(Permission::ManageCollege), SMALL, || web::put().to(organisations::decide)),
    put("/api/v1/organisations/{id}/network", Access::May(Permission::ManageNetwork), SMALL, || web::put().to(organisations::set_network)),
    delete("/api/v1/organisations/{id}/network", Access::May(Permission::ManageNetwork), || web::delete().to(organisations::forget_network)),
    post("/api/v1/organisations/{id}/first-accounts/ask", Access::May(Permission::ManageOrganisations), SMALL, || web::post().to(accounts::ask_first)),
    post("/api/v1/organisations/{id}/first-accounts", Access::May(Permission::ManageOrganisations), SMALL, || web::post().to(accounts::invite_first)),
    get("/api/v1/school-years", Access::May(Permission::ViewOrganisations), || web::get().to(school_years::list)),
    put("/api/v1/school-years/{id}", Access::May(Permission::ManageSchoolYears), SMALL, || web::put().to(school_years::set)),
    get("/api/v1/accounts", Access::May(Permission::ViewAccounts), || web::get().to(accounts::list)),
    post("/api/v1/accounts", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::invite)),
    get("/api/v1/accounts/{id}", Access::May(Permission::ViewAccounts), || web::get().to(accounts::show)),
    put("/api/v1/accounts/{id}", Access::May(Permission::ManageAccounts), SMALL, || web::put().to(accounts::describe)),
    post("/api/v1/accounts/{id}/invitation", Access::May(Permission::ManageAccounts), 0, || web::post().to(accounts::invite_again)),
    post("/api/v1/accounts/{id}/suspend", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::suspend)),
    post("/api/v1/accounts/{id}/reopen", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::reopen)),
    post("/api/v1/accounts/{id}/close", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::close)),
    post("/api/v1/accounts/{id}/reset", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::reset)),
    post("/api/v1/accounts/{id}/recovery/ask", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::ask_recovery)),
    post("/api/v1/accounts/{id}/recovery", Access::May(Permission::ManageAccounts), SMALL, || web::post().to(accounts::recover)),
    post("/api/v1/accounts/{id}/roles", Access::May(Permission::GrantRoles), SMALL, || web::post().to(roles::give)),
    post("/api/v1/roles/{id}/confirmation", Access::May(Permission::GrantRoles), SMALL, || web::post().to(roles::ask_again)),
    post("/api/v1/roles/{id}/take-back", Access::May(Permission::GrantRoles), SMALL, || web::post().to(roles::take_back)),
    get("/api/v1/countersignatures", Access::Oneself, || web::get().to(countersignatures::list)),
    get("/api/v1/countersignatures/{id}", Access::Oneself, || web::get().to(countersignatures::show)),
    post("/api/v1/countersignatures/{id}/answer", Access::May(Permission::AnswerCountersignature), SMALL, || web::post().to(countersignatures::answer)),
    delete("/api/v1/countersignatures/{id}", Access::May(Permission::AskCountersignature), || web::delete().to(countersignatures::withdraw)),
    get("/api/v1/status", Access::May(Permission::ViewTablets), || web::get().to(health::status)),
    get("/api/v1/inventory", Access::May(Permission::ViewTablets), || web::get().to(inventory::list)),
    post("/api/v1/inventory", Access::May(Permission::ImportInventory), IMPORT, || web::post().to(inventory::import)),
    get("/api/v1/tablets", Access::May(Permission::ViewTablets), || web::get().to(tablets::list)),
    get("/api/v1/tablets/{id}", Access::May(Permission::ViewTablets), || web::get().to(tablets::show)),
    get("/api/v1/tablets/{id}/why", Access::May(Permission::ViewTablets), || web::get().to(tablets::why)),
    get("/api/v1/tablets/{id}/rules", Access::May(Permission::ViewTablets), || web::get().to(segments::of_tablet)),
    get("/api/v1/segments", Access::May(Permission::ViewTablets), || web::get().to(segments::list)),
    get("/api/v1/rules/failing", Access::May(Permission::ViewTablets), || web::get().to(segments::failing)),
    get("/api/v1/tablets/{id}/commands", Access::May(Permission::ViewTablets), || web::get().to(commands::list)),
    post("/api/v1/tablets/{id}/commands", Access::May(Permission::SendCommands), COMMAND, || web::post().to(commands::enqueue)),
    post("/api/v1/broadcasts", Access::May(Permission::SendCommands), SMALL, || web::post().to(broadcasts::send)),
    get("/api/v1/broadcasts/{key}", Access::May(Permission::ViewTablets), || web::get().to(broadcasts::show)),
    get("/api/v1/commands/{id}", Access::May(Permission::ViewTablets), || web::get().to(commands::show)),
    get("/api/v1/commands/{id}/why", Access::May(Permission::ViewTablets), || web::get().to(commands::why)),
    delete("/api/v1/commands/{id}", Access::May(Permission::CancelCommands), || web::delete().to(commands::cancel)),
    post("/api/v1/tablets/{id}/incidents", Access::May(Permission::DeclareIncident), SMALL, || web::post().to(incidents::declare)),
    get("/api/v1/incidents", Access::May(Permission::ViewIncidents), || web::get().to(incidents::list)),
    get("/api/v1/incidents/{id}", Access::May(Permission::ViewIncidents), || web::get().to(incidents::show)),
    post("/api/v1/incidents/{id}/letter", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incident_papers::letter)),
    post("/api/v1/incidents/{id}/complaint", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incident_papers::complaint)),
    post("/api/v1/incidents/{id}/steps", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incidents::step)),
    post("/api/v1/incidents/{id}/reopen", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incidents::reopen)),
    post("/api/v1/incidents/{id}/lost-mode", Access::May(Permission::LostMode), SMALL, || web::post().to(incidents::lose)),
    post("/api/v1/incidents/{id}/sound", Access::May(Permission::LostMode), 0, || web::post().to(incidents::sound)),
    get("/api/v1/notices", Access::May(Permission::ViewRestitutions), || web::get().to(notices::list)),
    get("/api/v1/overdue-tablets", Access::May(Permission::ViewRestitutions), || web::get().to(restitutions::overdue)),
    get("/api/v1/restitutions", Access::May(Permission::ViewRestitutions), || web::get().to(restitutions::list)),
    post("/api/v1/restitutions", Access::May(Permission::ReceiveTablets), BATCH, || web::post().to(restitutions::receive)),
    get("/api/v1/restitutions/{id}", Access::May(Permission::ViewRestitutions), || web::get().to(restitutions::show)),
    post("/api/v1/restitutions/{id}/saved", Access::May(Permission::ReceiveTablets), 0, || web::post().to(restitutions::saved)),
    put("/api/v1/restitutions/{id}/check", Access::May(Permission::ReceiveTablets), SMALL, || web::put().to(restitutions::check)),
    post("/api/v1/restitutions/{id}/letter", Access::May(Permission::ReceiveTablets), 0, || web::post().to(restitutions::letter)),
    post("/api/v1/restitutions/{id}/letter/handed-over", Access::May(Permission::ReceiveTablets), 0, || web::post().to(restitutions::letter_handed_over)),
    post("/api/v1/restitutions/{id}/order", Access::May(Permission::OrderErasure), 0, || web::post().to(restitutions::order)),
    post("/api/v1/restitutions/{id}/attest", Access::May(Permission::AttestErasure), 0, || web::post().to(restitutions::attest)),
    post("/api/v1/restitutions/{id}/shelve", Access::May(Permission::ReceiveTablets), SMALL, || web::post().to(restitutions::shelve)),
    post("/api/v1/restitutions/{id}/undo", Access::May(Permission::ReceiveTablets), 0, || web::post().to(restitutions::undo)),
    post("/api/v1/incidents/{id}/confirm", Access::May(Permission::ConfirmIncident), 0, || web::post().to(incidents::confirm)),
    put("/api/v1/incidents/{id}/warranty", Access::May(Permission::HandleIncident), SMALL, || web::put().to(incident_decisions::judge)),
    put("/api/v1/incidents/{id}/supplier", Access::May(Permission::HandleIncident), SMALL, || web::put().to(incident_decisions::supplier)),
    put("/api/v1/incidents/{id}/replacement", Access::May(Permission::DecideReplacement), SMALL, || web::put().to(incident_decisions::replace)),
    post("/api/v1/incidents/{id}/payment", Access::May(Permission::DecideReplacement), SMALL, || web::post().to(incident_decisions::pay)),
    post("/api/v1/incidents/{id}/erasure", Access::May(Permission::ProposeErasure), SMALL, || web::post().to(incident_decisions::propose_erasure)),
    post("/api/v1/incidents/{id}/erasure/repeat", Access::May(Permission::RepeatErasure), 0, || web::post().to(incident_decisions::repeat_erasure)),
    post("/api/v1/incidents/{id}/erasure/take-back", Access::May(Permission::CallOffErasure), SMALL, || web::post().to(incident_decisions::take_erasure_back)),
    get("/api/v1/incidents/{id}/warrants", Access::May(Permission::ViewIncidents), || web::get().to(warrants::list)),
    post("/api/v1/incidents/{id}/warrants", Access::May(Permission::AskWarrant), SMALL, || web::post().to(warrants::ask)),
    post("/api/v1/warrants/{id}/extend", Access::May(Permission::AskWarrant), SMALL, || web::post().to(warrants::extend)),
    post("/api/v1/warrants/{id}/end", Access::May(Permission::HandleIncident), SMALL, || web::post().to(warrants::end)),
    get("/api/v1/incidents/{id}/notices", Access::May(Permission::ViewIncidents), || web::get().to(warrants::told)),
    post("/api/v1/incidents/{id}/notices/delay", Access::May(Permission::HandleIncident), SMALL, || web::post().to(warrants::delay)),
    get("/api/v1/incidents/{id}/positions", Access::May(Permission::ViewIncidents), || web::get().to(positions::list)),
    post("/api/v1/incidents/{id}/positions", Access::May(Permission::Locate), SMALL, || web::post().to(positions::locate)),
    post("/api/v1/positions/{id}/looks", Access::May(Permission::LookAtPositions), SMALL, || web::post().to(positions::look)),
    get("/api/v1/links", Access::May(Permission::CreateLinks), || web::get().to(links::list)),
    post("/api/v1/links", Access::May(Permission::CreateLinks), SMALL, || web::post().to(links::create)),
    delete("/api/v1/links/{id}", Access::May(Permission::CreateLinks), || web::delete().to(links::revoke)),
    get("/api/v1/push-certificate", Access::May(Permission::ViewTablets), || web::get().to(push_certificate::show)),
    put("/api/v1/push-certificate", Access::May(Permission::ManagePushCertificate), SMALL, || web::put().to(push_certificate::set)),
    get("/api/v1/takeovers", Access::May(Permission::ViewTablets), || web::get().to(takeovers::list)),
    post("/api/v1/takeovers", Access::May(Permission::TakeOver), IMPORT, || web::post().to(takeovers::import)),
    get("/api/v1/apple/authorities", Access::May(Permission::ViewTablets), || web::get().to(apple_authorities::list)),
    post("/api/v1/apple/authorities", Access::May(Permission::TrustAppleAuthority), SMALL, || web::post().to(apple_authorities::add)),
    get("/api/v1/alarms", Access::May(Permission::ViewAlarms), || web::get().to(alarms::list)),
    post("/api/v1/alarms/{id}/settle", Access::May(Permission::SettleAlarms), SMALL, || web::post().to(alarms::settle)),
    get("/api/v1/privacy/register", Access::May(Permission::ViewRegister), || web::get().to(privacy::register)),
    get("/api/v1/privacy/notice", Access::May(Permission::ViewRegister), || web::get().to(privacy::notice)),
    get("/api/v1/privacy/assessments/{activity}", Access::May(Permission::ViewRegister), || web::get().to(privacy::assessment)),
    put("/api/v1/privacy/register/{activity}/validation", Access::May(Permission::ValidateProcessing), SMALL, || web::put().to(privacy::validate)),
    delete("/api/v1/privacy/register/{activity}/validation", Access::May(Permission::ValidateProcessing), || web::delete().to(privacy::withdraw)),
    get("/api/v1/privacy/purges", Access::May(Permission::ProvePurges), || web::get().to(privacy::prove)),
    post("/api/v1/unenrolments", Access::May(Permission::Unenrol), BATCH, || web::post().to(brake::unenrol)),
    get("/api/v1/brake", Access::May(Permission::ViewBrake), || web::get().to(brake::show)),
    post("/api/v1/brake/engage", Access::May(Permission::EngageBrake), SMALL, || web::post().to(brake::engage)),
    post("/api/v1/brake/ask-release", Access::May(Permission::ReleaseBrake), SMALL, || web::post().to(brake::ask_release)),
    post("/api/v1/brake/release", Access::May(Permission::ReleaseBrake), SMALL, || web::post().to(brake::release)),
    get("/api/v1/brake/acts", Access::May(Permission::ViewBrake), || web::get().to(brake::acts)),
    post("/api/v1/brake/let-go", Access::May(Permission::AskCountersignature), SMALL, || web::post().to(brake::let_go)),
    get("/api/v1/brake/drill", Access::May(Permission::DrillBrake), || web::get().to(brake::play)),
    get("/api/v1/campaigns", Access::May(Permission::ViewBrake), || web::get().to(brake::campaigns)),
    post("/api/v1/campaigns", Access::May(Permission::OpenCampaign), SMALL, || web::post().to(brake::open_campaign)),
    post("/api/v1/campaigns/ask", Access::May(Permission::OpenCampaign), SMALL, || web::post().to(brake::ask_campaign)),
    delete("/api/v1/campaigns/{id}", Access::May(Permission::OpenCampaign), || web::delete().to(brake::end_campaign)),
    get("/api/v1/profiles", Access::May(Permission::ViewProfiles), || web::get().to(profiles::list)),
    post("/api/v1/profiles", Access::May(Permission::DraftProfiles), BATCH, || web::post().to(profiles::draft)),
    get("/api/v1/profiles/{id}", Access::May(Permission::ViewProfiles), || web::get().to(profiles::show)),
    put("/api/v1/profiles/{id}", Access::May(Permission::DraftProfiles), BATCH, || web::put().to(profiles::edit)),
    post("/api/v1/profiles/{id}/submit", Access::May(Permission::DraftProfiles), SMALL, || web::post().to(profiles::submit)),
    post("/api/v1/profiles/{id}/approve", Access::May(Permission::AnswerCountersignature), SMALL, || web::post().to(profiles::approve)),
    post("/api/v1/profiles/{id}/reject", Access::May(Permission::AnswerCountersignature), SMALL, || web::post().to(profiles::reject)),
    post("/api/v1/profiles/{id}/publish", Access::May(Permission::PublishProfiles), SMALL, || web::post().to(profiles::publish)),
    post("/api/v1/profiles/{id}/withdraw", Access::May(Permission::DraftProfiles), SMALL, || web::post().to(profiles::withdraw)),
    get("/api/v1/profiles/{id}/diff", Access::May(Permission::ViewProfiles), || web::get().to(profiles::diff)),
    get("/api/v1/profiles/{id}/plan", Access::May(Permission::ViewProfiles), || web::get().to(profiles::plan)),
    get("/api/v1/profiles/{id}/history", Access::May(Permission::ViewProfiles), || web::get().to(profiles::history)),
    get("/api/v1/profiles/{id}/rollout", Access::May(Permission::ViewProfiles), || web::get().to(profile_rollouts::show)),
    post("/api/v1/profiles/{id}/rollout/advance", Access::May(Permission::PublishProfiles), 0, || web::post().to(profile_rollouts::advance)),
    post("/api/v1/profiles/{id}/rollout/halt", Access::May(Permission::PublishProfiles), SMALL, || web::post().to(profile_rollouts::halt)),
    post("/api/v1/profiles/{id}/rollout/resume", Access::May(Permission::PublishProfiles), SMALL, || web::post().to(profile_rollouts::resume)),
    post("/api/v1/profiles/{id}/rollout/roll-back", Access::May(Permission::PublishProfiles), SMALL, || web::post().to(profile_rollouts::roll_back)),
    get("/api/v1/emergency-orders", Access::May(Permission::ViewProfiles), || web::get().to(profile_rollouts::emergencies)),
    post("/api/v1/emergency-orders", Access::May(Permission::OrderEmergency), SMALL, || web::post().to(profile_rollouts::order)),
    post("/api/v1/emergency-orders/{id}/end", Access::May(Permission::OrderEmergency), SMALL, || web::post().to(profile_rollouts::end_emergency)),
    get("/api/v1/organisations/{id}/persons", Access::May(Permission::ViewLists), || web::get().to(persons::list)),
    post("/api/v1/organisations/{id}/lists", Access::May(Permission::ProposeList), BATCH, || web::post().to(lists::propose)),
    get("/api/v1/organisations/{id}/wall", Access::May(Permission::ViewLoans), || web::get().to(lending_reports::wall)),
    get("/api/v1/lists", Access::May(Permission::ViewLists), || web::get().to(lists::list)),
    get("/api/v1/lists/{id}", Access::May(Permission::ViewLists), || web::get().to(lists::show)),
    post("/api/v1/lists/{id}/settle", Access::May(Permission::SettleList), SMALL, || web::post().to(lists::settle)),
    post("/api/v1/lists/{id}/validate", Access::May(Permission::ValidateList), SMALL, || web::post().to(lists::validate)),
    post("/api/v1/lists/{id}/withdraw", Access::May(Permission::ProposeList), 0, || web::post().to(lists::withdraw)),
    get("/api/v1/agreements", Access::May(Permission::ViewAgreements), || web::get().to(persons::texts)),
    post("/api/v1/agreements", Access::May(Permission::PublishAgreement), BATCH, || web::post().to(persons::publish)),
    get("/api/v1/persons/{id}/agreement", Access::May(Permission::ViewLoans), || web::get().to(persons::agreement)),
    get("/api/v1/persons/{id}/data", Access::May(Permission::ExportPerson), || web::get().to(subject::copy)),
    post("/api/v1/persons/{id}/corrections", Access::May(Permission::CorrectPerson), SMALL, || web::post().to(subject::correct)),
    post("/api/v1/persons/{id}/forget", Access::May(Permission::ForgetPerson), SMALL, || web::post().to(subject::forget)),
    post("/api/v1/persons/{id}/agreement", Access::May(Permission::RecordSignature), SMALL, || web::post().to(persons::sign)),
    get("/api/v1/tablets/{id}/readiness", Access::May(Permission::ViewLoans), || web::get().to(loans::readiness)),
    post("/api/v1/tablets/{id}/loans", Access::May(Permission::HandOver), SMALL, || web::post().to(loans::hand_over)),
    put("/api/v1/tablets/{id}/supervision-exception", Access::May(Permission::ExceptSupervision), SMALL, || web::put().to(loans::except)),
    delete("/api/v1/tablets/{id}/supervision-exception", Access::May(Permission::ExceptSupervision), || web::delete().to(loans::end_exception)),
    get("/api/v1/loans", Access::May(Permission::ViewLoans), || web::get().to(loans::list)),
    get("/api/v1/loans/{id}", Access::May(Permission::ViewLoans), || web::get().to(loans::show)),
    get("/api/v1/loans/{id}/counterparts", Access::May(Permission::ViewLoans), || web::get().to(incident_decisions::counterparts)),
    post("/api/v1/loans/{id}/confiscate", Access::May(Permission::DecideLoan), SMALL, || web::post().to(loans::confiscate)),
    post("/api/v1/loans/{id}/resume", Access::May(Permission::DecideLoan), 0, || web::post().to(loans::resume)),
    post("/api/v1/loans/{id}/restrict", Access::May(Permission::DecideLoan), SMALL, || web::post().to(loans::restrict)),
    post("/api/v1/loans/{id}/lift-restrictions", Access::May(Permission::DecideLoan), 0, || web::post().to(loans::lift)),
    post("/api/v1/loans/{id}/letter", Access::May(Permission::DecideLoan), SMALL, || web::post().to(loans::letter)),
    post("/api/v1/loans/{id}/deposit", Access::May(Permission::HandOver), 0, || web::post().to(loans::deposit)),
    post("/api/v1/loans/{id}/hand-out", Access::May(Permission::HandOver), 0, || web::post().to(loans::hand_out)),
    post("/api/v1/loans/{id}/end", Access::May(Permission::EndLoan), SMALL, || web::post().to(loans::end)),
    get("/api/v1/year-report", Access::May(Permission::ViewYear), || web::get().to(lending_reports::year)),
    get("/api/v1/apps", Access::May(Permission::ViewApps), || web::get().to(apps::list)),
    post("/api/v1/apps", Access::May(Permission::ManageApps), SMALL, || web::post().to(apps::add)),
    get("/api/v1/apps/{id}", Access::May(Permission::ViewApps), || web::get().to(apps::show)),
    put("/api/v1/apps/{id}", Access::May(Permission::ManageApps), SMALL, || web::put().to(apps::configure)),
    post("/api/v1/apps/{id}/withdraw", Access::May(Permission::ManageApps), SMALL, || web::post().to(apps::withdraw)),
    post("/api/v1/apps/{id}/file", Access::May(Permission::ManageApps), STREAM, || web::post().to(apps::upload)),
    get("/api/v1/audit", Access::May(Permission::ReadAudit), || web::get().to(audit::list)),
    get("/api/v1/audit/anchor", Access::May(Permission::ReadAudit), || web::get().to(audit::anchor)),
    get("/api/v1/audit/verification", Access::May(Permission::ReadAudit), || web::get().to(audit::verify)),
    get("/api/v1/audit/export", Access::May(Permission::ExportAudit), || web::get().to(audit::export)),
    get("/api/v1/repairs", Access::May(Permission::ViewRestitutions), || web::get().to(repairs::list)),
    post("/api/v1/tablets/{id}/repairs", Access::May(Permission::RepairTablets), SMALL, || web::post().to(repairs::send)),
    post("/api/v1/repairs/{id}/back", Access::May(Permission::RepairTablets), SMALL, || web::post().to(repairs::back)),
    post("/api/v1/repairs/{id}/exchanged", Access::May(Permission::RepairTablets), SMALL, || web::post().to(repairs::exchanged)),
    post("/api/v1/loans/{id}/swap", Access::May(Permission::HandOver), SMALL, || web::post().to(repairs::swap)),
    get("/api/v1/transfers", Access::May(Permission::ProposeTransfer), || web::get().to(transfers::list)),
    post("/api/v1/tablets/{id}/transfers", Access::May(Permission::ProposeTransfer), SMALL, || web::post().to(transfers::propose)),
    post("/api/v1/transfers/{id}/consent", Access::May(Permission::ConsentTransfer), 0, || web::post().to(transfers::consent)),
    post("/api/v1/transfers/{id}/withdraw", Access::May(Permission::ProposeTransfer), 0, || web::post().to(transfers::withdraw)),
    get("/api/v1/loans/{id}/donation-facts", Access::May(Permission::ViewLoans), || web::get().to(departures::facts)),
    put("/api/v1/loans/{id}/years/{year}", Access::May(Permission::ProposeDonation), SMALL, || web::put().to(departures::say_of_year)),
    post("/api/v1/loans/{id}/donation", Access::May(Permission::ProposeDonation), SMALL, || web::post().to(departures::propose)),
    post("/api/v1/tablets/{id}/retirement", Access::May(Permission::DecideDeparture), SMALL, || web::post().to(departures::retire)),
    get("/api/v1/departures", Access::May(Permission::ViewRestitutions), || web::get().to(departures::list)),
    get("/api/v1/departures/{id}", Access::May(Permission::ViewRestitutions), || web::get().to(departures::show)),
    post("/api/v1/departures/{id}/decide", Access::May(Permission::DecideDeparture), 0, || web::post().to(departures::decide)),
    post("/api/v1/departures/{id}/withdraw", Access::May(Permission::DecideDeparture), 0, || web::post().to(departures::withdraw)),
    post("/api/v1/departures/{id}/take-back", Access::May(Permission::ProposeDonation), 0, || web::post().to(departures::take_back)),
    post("/api/v1/departures/{id}/letter", Access::May(Permission::ReceiveTablets), 0, || web::post().to(departures::letter)),
    post("/api/v1/departures/{id}/letter/handed-over", Access::May(Permission::ReceiveTablets), 0, || web::post().to(departures::letter_handed_over)),
    post("/api/v1/departures/{id}/order", Access::May(Permission::OrderErasure), 0, || web::post().to(departures::order)),
    post("/api/v1/departures/{id}/attest", Access::May(Permission::AttestErasure), 0, || web::post().to(departures::attest)),
    post("/api/v1/departures/{id}/ask", Access::May(Permission::DecideDeparture), 0, || web::post().to(departures::ask)),
    post("/api/v1/departures/{id}/let-go", Access::May(Permission::DecideDeparture), SMALL, || web::post().to(departures::let_go)),
    post("/api/v1/departures/{id}/leave-again", Access::May(Permission::DecideDeparture), 0, || web::post().to(departures::leave_again)),
    post("/api/v1/departures/{id}/release", Access::May(Permission::DecideDeparture), SMALL, || web::post().to(departures::release)),
    get("/api/v1/departures/{id}/deed", Access::May(Permission::ViewLoans), || web::get().to(departures::deed)),
    post("/api/v1/deposits", Access::May(Permission::HandOver), SMALL, || web::post().to(summer::deposit)),
    post("/api/v1/hand-outs", Access::May(Permission::HandOver), SMALL, || web::post().to(summer::hand_out)),
    post("/api/v1/departures/{id}/saved", Access::May(Permission::ReceiveTablets), 0, || web::post().to(departures::saved)),
    post("/api/v1/departures/{id}/take-in", Access::May(Permission::DecideDeparture), SMALL, || web::post().to(departures::take_in)),
    get("/api/v1/warrant-notices", Access::May(Permission::ViewIncidents), || web::get().to(notices::untold)),
    get("/api/v1/warrant-notices/{id}/letter", Access::May(Permission::HandleIncident), || web::get().to(notices::warrant_letter)),
    post("/api/v1/warrant-notices/{id}/told", Access::May(Permission::HandleIncident), SMALL, || web::post().to(notices::warrant_told)),
    post("/api/v1/incidents/{id}/papers/correct", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incident_papers::correct)),
    post("/api/v1/incidents/{id}/papers/take-back", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incident_papers::take_back)),
    post("/api/v1/incidents/{id}/noticed", Access::May(Permission::HandleIncident), SMALL, || web::post().to(incident_papers::correct_noticed)),
];

/// Registers every route of the table, and what answers where there is none. No body is longer than `longest`
/// bytes, whatever the table admits.
///
/// The application must hold a `web::Data<ConsoleState>`.
pub fn routes(longest: usize) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let mut nouns: Vec<(&str, Vec<&str>)> = Vec::new();
        for path in ROUTES.iter().map(|route| route.path) {
            let noun = noun_of(path);
            match nouns.iter_mut().find(|(known, _)| *known == noun) {
                Some((_, paths)) if paths.contains(&path) => {}
                Some((_, paths)) => paths.push(path),
                None => nouns.push((noun, vec![path])),
            }
        }
        for (noun, paths) in nouns {
            let scope = paths.into_iter().fold(web::scope(noun), |scope, path| {
                scope.service(resource(path, path.strip_prefix(noun).unwrap_or_default(), longest))
            });
            config.service(scope);
        }
        config.default_service(web::to(gate::nothing_here).wrap(from_fn(gate::pass)));
    }
}

/// What a path begins with: `/api/v1/tablets`. Requests are matched with the nouns first, which are few and plain, and then
/// with the patterns of one.
fn noun_of(path: &'static str) -> &'static str {
    let ends = path.match_indices('/').nth(3).map(|(place, _)| place);
    ends.and_then(|end| path.get(..end)).unwrap_or(path)
}

/// One path with all its methods; any other method is answered 405. `rest` is what follows its noun.
fn resource(
    path: &'static str,
    rest: &'static str,
    longest: usize,
) -> actix_web::Resource<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    > + 'static,
> {
    let here = || ROUTES.iter().filter(move |route| route.path == path);
    let max_body = here().map(|route| route.max_body).max().unwrap_or(0).min(longest);
    here()
        .fold(web::resource(rest), |resource, route| resource.route((route.handler)()))
        .app_data(web::JsonConfig::default().limit(max_body))
        .app_data(web::PayloadConfig::new(max_body))
        .wrap(from_fn(gate::pass))
}

/// The route that a method and a pattern name.
pub(crate) fn find(method: &Method, pattern: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == *method && route.path == pattern)
}

const fn get(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::GET, path, access, max_body: 0, handler }
}

const fn post(
    path: &'static str,
    access: Access,
    max_body: usize,
    handler: fn() -> actix_web::Route,
) -> Route {
    Route { method: Method::POST, path, access, max_body, handler }
}

const fn put(
    path: &'static str,
    access: Access,
    max_body: usize,
    handler: fn() -> actix_web::Route,
) -> Route {
    Route { method: Method::PUT, path, access, max_body, handler }
}

const fn delete(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::DELETE, path, access, max_body: 0, handler }
}
