//! What a tablet's answer means: the fate of the command, and what is now known of the tablet.
//!
//! Only what serves management is kept (C3.1.6): no names, addresses or numbers, and the raw bytes only of
//! kinds whose answer cannot hold a secret, a position or personal data.

use apple::command::RequestType;
use apple::connect::{Report, Status, error_words};
use apple::plist::{Dictionary, Value};
use privacy::{Activity, Validated};
use serde_json::json;
use store::{CommandOutcome, CommandReport, ConnectWrite, ReportedCommand, ReportedFacts};
use types::{Duration, Instant, Supervision};

use crate::values::{dictionary_to_json, to_json};

/// The names under which lists of apps are kept.
pub(crate) const APP_LISTS: &[&str] = &[INSTALLED, MANAGED];
const INSTALLED: &str = "installed-application-list";
const MANAGED: &str = "managed-application-list";

/// Whether lists of apps are kept: with the DPO's validation only (C3.1.6).
#[derive(Debug, Clone, Copy)]
pub(crate) enum AppLists<'a> {
    /// They are dropped, whoever asked for them and whenever.
    Off,
    /// They are kept.
    On(&'a Validated),
}

impl AppLists<'_> {
    fn are_kept(self) -> bool {
        matches!(self, Self::On(validated) if validated.activity() == Activity::AppInventory)
    }
}

/// Adds to `write` what the report says of `command`.
pub(crate) fn record(
    write: &mut ConnectWrite,
    command: &ReportedCommand,
    report: &Report,
    body: &[u8],
    apps: AppLists<'_>,
    now: Instant,
) {
    let outcome = match report.status {
        Status::Idle => return,
        Status::Acknowledged => CommandOutcome::Acknowledged,
        Status::Error | Status::CommandFormatError => CommandOutcome::Failed { error: failure(report) },
        Status::NotNow => CommandOutcome::NotNow {
            retry_at: retry_at(command.not_now_count.saturating_add(1), command, now),
        },
    };
    let kind = command.request_type.parse::<RequestType>().ok();
    let mut kept = CommandReport { command: command.id, outcome, result: None, raw: None };
    if report.status == Status::Acknowledged
        && let Some(kind) = kind
    {
        let dropped = apple::inventory::lists_apps(kind) && !apps.are_kept();
        if !dropped && let Some((name, known)) = observation(kind, &report.body) {
            // What is on a tablet is known once, by its latest report. A copy beside each command would be a history
            // of it, which nothing needs.
            kept.result = (!apple::inventory::lists_apps(kind)).then(|| known.clone());
            write.observations.push((name.to_owned(), known));
        }
        write.facts = facts(kind, &report.body);
        if apple::inventory::storable_raw(kind) {
            kept.raw = Some(body.to_vec());
        }
    }
    write.report = Some(kept);
}

/// When a command that met a NotNow is offered again, at the earliest.
///
/// The tablet comes back by itself when it is unlocked, so the first times it is offered as soon as it does; a
/// tablet that keeps saying NotNow is asked ever less often, up to once an hour, so that no loop forms (T-A21).
/// Kinds that are offered in the same conversation too wait from the first time.
fn retry_at(times: i32, command: &ReportedCommand, now: Instant) -> Instant {
    let urgent =
        command.request_type.parse::<RequestType>().is_ok_and(RequestType::may_be_offered_after_not_now);
    let patience = if urgent { times } else { times.saturating_sub(3) };
    let doublings = u32::try_from(patience).unwrap_or(0).min(8);
    if doublings == 0 {
        return now;
    }
    let wait = Duration::from_secs(10).saturating_mul(2_u32.saturating_pow(doublings));
    now.plus(wait.min(Duration::from_secs(3_600)))
}

fn failure(report: &Report) -> serde_json::Value {
    let words = match report.status {
        Status::CommandFormatError if report.error_chain.is_empty() => {
            "the tablet did not understand the command".to_owned()
        }
        _ => error_words(&report.error_chain),
    };
    let chain: Vec<_> = report
        .error_chain
        .iter()
        .take(8)
        .map(|link| json!({ "domain": clip(&link.domain), "code": link.code }))
        .collect();
    json!({ "words": words, "status": report.status.as_str(), "chain": chain })
}

/// What an answer tells of the tablet, and the name it is kept under.
fn observation(kind: RequestType, body: &Dictionary) -> Option<(&'static str, serde_json::Value)> {
    match kind {
        RequestType::DeviceInformation => {
            let mut responses = body.get("QueryResponses")?.as_dictionary()?.clone();
            for personal in apple::inventory::PERSONAL_QUERIES {
                responses.remove(personal);
            }
            Some(("device-information", dictionary_to_json(&responses)))
        }
        RequestType::SecurityInfo => Some(("security-info", to_json(body.get("SecurityInfo")?))),
        RequestType::ProfileList => {
            let profiles = body.get("ProfileList")?.as_array()?;
            Some(("profile-list", profiles.iter().filter_map(Value::as_dictionary).map(profile).collect()))
        }
        RequestType::InstalledApplicationList => {
            Some((INSTALLED, to_json(body.get("InstalledApplicationList")?)))
        }
        RequestType::ManagedApplicationList => Some((MANAGED, to_json(body.get("ManagedApplicationList")?))),
        _ => None,
    }
}

/// A profile as it is listed; the certificates of its signers are left out.
fn profile(listed: &Dictionary) -> serde_json::Value {
    let keep =
        ["PayloadIdentifier", "PayloadUUID", "PayloadDisplayName", "PayloadVersion", "PayloadOrganization"];
    let flags = ["IsManaged", "IsEncrypted", "PayloadRemovalDisallowed", "HasRemovalPasscode"];
    let payloads: Vec<_> = listed
        .get("PayloadContent")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|payload| payload.as_dictionary()?.get("PayloadType").map(to_json))
        .collect();
    let mut known: serde_json::Map<_, _> = keep
        .iter()
        .chain(&flags)
        .filter_map(|key| listed.get(key).map(|value| ((*key).to_owned(), to_json(value))))
        .collect();
    known.insert("PayloadTypes".into(), payloads.into());
    known.into()
}

fn facts(kind: RequestType, body: &Dictionary) -> ReportedFacts {
    match kind {
        RequestType::DeviceInformation => {
            let Some(responses) = body.get("QueryResponses").and_then(Value::as_dictionary) else {
                return ReportedFacts::default();
            };
            let text = |key: &str| responses.get(key).and_then(Value::as_string).map(clip);
            let truth = |key: &str| responses.get(key).and_then(Value::as_boolean);
            ReportedFacts {
                awaiting_configuration: truth("AwaitingConfiguration"),
                supervision: truth("IsSupervised").map(|supervised| match supervised {
                    true => Supervision::Supervised,
                    false => Supervision::Unsupervised,
                }),
                os_version: text("OSVersion"),
                build_version: text("BuildVersion"),
                product_name: text("ProductName"),
                reported_token: None,
            }
        }
        RequestType::DeviceConfigured => {
            ReportedFacts { awaiting_configuration: Some(false), ..ReportedFacts::default() }
        }
        _ => ReportedFacts::default(),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use orders::Gate;
    use store::commands::CommandState;
    use types::{CommandId, EnrolmentId};

    use super::*;

    fn now() -> Instant {
        Instant::from_millis(1_790_000_000_000)
    }

    fn sent(kind: RequestType) -> ReportedCommand {
        ReportedCommand {
            id: CommandId::new(now()),
            request_type: kind.to_string(),
            gate: Gate::Ordinary,
            state: CommandState::Sent,
            not_now_count: 0,
            replaces_key: None,
        }
    }

    fn recorded(kind: RequestType, keys: &str) -> ConnectWrite {
        let body = format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>");
        let report = Report::parse(body.as_bytes()).unwrap();
        let mut write = ConnectWrite::new(EnrolmentId::new(now()), now());
        record(&mut write, &sent(kind), &report, body.as_bytes(), AppLists::Off, now());
        write
    }

    #[test]
    fn an_inventory_answer_keeps_the_model_and_drops_names_addresses_and_numbers() {
        let write = recorded(
            RequestType::DeviceInformation,
            "<key>Status</key><string>Acknowledged</string><key>QueryResponses</key><dict>\
             <key>OSVersion</key><string>18.1</string><key>IsSupervised</key><true/>\
             <key>DeviceName</key><string>iPad de Camille</string><key>WiFiMAC</key><string>a1:b2:c3:d4:e5:f6</string>\
             <key>PhoneNumber</key><string>+33600000000</string></dict>",
        );
        let (name, known) = &write.observations[0];
        assert_eq!(name, "device-information");
        assert_eq!(known, &json!({ "OSVersion": "18.1", "IsSupervised": true }));
        assert_eq!(write.facts.supervision, Some(Supervision::Supervised));
        assert!(write.report.unwrap().raw.is_none());
    }

    #[test]
    fn c3_1_6_a_list_of_apps_that_nobody_validated_is_dropped_whole() {
        for (kind, key) in [
            (
                RequestType::InstalledApplicationList,
                "<array><dict><key>Identifier</key><string>fr.ecole.app</string></dict></array>",
            ),
            (RequestType::ManagedApplicationList, "<dict><key>fr.ecole.app</key><dict/></dict>"),
        ] {
            let write = recorded(
                kind,
                &format!("<key>Status</key><string>Acknowledged</string><key>{kind}</key>{key}"),
            );
            assert_eq!(write.observations, [], "{kind}");
            let report = write.report.unwrap();
            assert!(matches!(report.outcome, CommandOutcome::Acknowledged));
            assert_eq!((report.result, report.raw), (None, None), "{kind}");
        }
    }

    #[test]
    fn an_error_is_kept_in_words() {
        let write = recorded(
            RequestType::InstallProfile,
            "<key>Status</key><string>Error</string><key>ErrorChain</key><array><dict>\
             <key>ErrorCode</key><integer>12078</integer><key>ErrorDomain</key><string>MCMDMErrorDomain</string>\
             <key>LocalizedDescription</key><string>Mode perdu</string></dict></array>",
        );
        let CommandOutcome::Failed { error } = write.report.unwrap().outcome else { panic!("not failed") };
        assert!(error["words"].as_str().unwrap().contains("lost mode"));
    }

    #[test]
    fn t_a21_a_tablet_that_keeps_saying_not_now_is_asked_ever_less_often() {
        let command = sent(RequestType::InstallProfile);
        let waits: Vec<_> =
            (1..=14).map(|times| retry_at(times, &command, now()).since(now()).as_secs()).collect();
        assert_eq!(waits.get(..3), Some([0, 0, 0].as_slice()), "the first times, as soon as it comes back");
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
        assert_eq!(waits.last(), Some(&2_560));
        let urgent = sent(RequestType::DeviceLock);
        assert!(retry_at(1, &urgent, now()) > now(), "never twice in one conversation");
    }
}
