//! Who may do what, on whose collège: every route of the people's door, by every role, on what is one's own and on what
//! is another's, run against the real server and compared with a page that is read by eye (T-C1).
//!
//! `flows/matrix.txt` has a line for each route. A route without a line, or a line that no longer holds, fails; the page
//! is written again with `ARDOISE_WRITE_MATRIX=1`, and its difference is what a reviewer reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use console::{Access, ROUTES, Route};
use fleet::Scope;
use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::{self, CodeShown, Employer};
use testkit::{ApiClient, TestServer};
use types::{AccountId, Clock as _, Role};

use crate::support::{COLLEGE, OTHER_COLLEGE};

/// The page.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flows/matrix.txt");
/// A tablet of each collège.
const OWN: &str = "DMPX0000OWN1";
const OTHER: &str = "DMPX000OTHER";

/// An id of nothing.
const NOBODYS: &str = "0199f1a0-0000-7000-8000-000000000000";

/// How somebody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// A session in which a code was just shown.
    Session,
    /// A session without a code.
    SessionWithoutCode,
    /// A token that may act.
    Token,
    /// A token that may look.
    ReadingToken,
}

/// Somebody, as a column of the page.
struct Somebody {
    name: &'static str,
    account: AccountId,
    by: By,
    /// Whether they must never see what is the other collège's.
    limited: bool,
}

/// The columns, from the most to the least.
async fn everybody(server: &TestServer) -> Vec<Somebody> {
    let here = || Employer::College(COLLEGE.parse().unwrap());
    let in_college = || GrantReach::Colleges(BTreeSet::from([COLLEGE.parse().unwrap()]));
    let whole = || GrantReach::Organisation;
    let of = [
        ("operator", Employer::Departement, Role::Operator, whole(), false),
        ("operator-here", Employer::Departement, Role::Operator, in_college(), true),
        ("administrator", Employer::Departement, Role::Administrator, whole(), false),
        ("approver", Employer::Departement, Role::Approver, whole(), false),
        ("ati-here", Employer::Departement, Role::Ati, in_college(), true),
        ("their-administrator", Employer::Academie, Role::Administrator, whole(), false),
        ("their-approver", Employer::Academie, Role::Approver, whole(), false),
        ("head", here(), Role::Head, whole(), true),
        ("referent", here(), Role::Referent, whole(), true),
        ("dpo", Employer::Departement, Role::Dpo, whole(), false),
        ("auditor", Employer::Departement, Role::Auditor, whole(), false),
    ];
    let mut everybody = Vec::new();
    for (name, employer, role, reach, limited) in of {
        let account = server.someone(employer, &format!("m-{name}"), role, reach).await.unwrap();
        everybody.push(Somebody { name, account, by: By::Session, limited });
    }
    let camille = server.operator().unwrap();
    for (name, by) in
        [("no-code", By::SessionWithoutCode), ("token", By::Token), ("reading-token", By::ReadingToken)]
    {
        everybody.push(Somebody { name, account: camille, by, limited: false });
    }
    everybody
}

async fn come_in(server: &TestServer, somebody: &Somebody) -> ApiClient {
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    let account = somebody.account;
    match somebody.by {
        By::Session => server.in_session(account, CodeShown::JustNow).await.unwrap(),
        By::SessionWithoutCode => server.in_session(account, CodeShown::Never).await.unwrap(),
        By::Token | By::ReadingToken => {
            let scope = if somebody.by == By::Token { Scope::Operate } else { Scope::Read };
            let token = people::token(store, account, scope, None, now).await.unwrap();
            server.api().unwrap().with_token(token)
        }
    }
}

/// What stands in a path and a body for one collège.
#[derive(Debug, Clone)]
struct Things {
    uai: &'static str,
    tablet: &'static str,
    command: String,
    link: String,
    alarm: String,
    college: String,
    account: String,
    incident: String,
    person: String,
    list: String,
    loan: String,
    restitution: String,
    repair: String,
    departure: String,
    /// When what is declared of its tablet was noticed.
    noticed: String,
}

impl Things {
    async fn of(server: &TestServer, uai: &'static str, tablet: &'static str) -> Self {
        let command = server.command(tablet, "ProfileList", Value::Null).await.unwrap();
        let link = server.api().unwrap().post("/api/v1/links", &json!({ "tablet": tablet })).await.unwrap();
        let link = link.text("/id").to_owned();
        let account = server
            .someone(
                Employer::College(uai.parse().unwrap()),
                &format!("things-{uai}").to_lowercase(),
                Role::Head,
                GrantReach::Organisation,
            )
            .await
            .unwrap();
        let college = uai.parse().unwrap();
        let row = server.fleet().unwrap().store().read(move |tx| store::organisations::by_uai(tx, &college));
        let college = row.await.unwrap().unwrap().id.to_string();
        let alarm = alarm(server, tablet).await;
        let incident = incident(server, tablet, uai, account).await;
        let restitution = restitution(server, &format!("{tablet}2"), uai).await;
        let (person, loan) = loan(server, tablet, uai).await;
        let list = list(server, uai, account).await;
        let repair = repair(server, &format!("{tablet}2")).await;
        let departure = departure(server, &loan, account).await;
        let account = account.to_string();
        Self {
            uai,
            tablet,
            command,
            link,
            alarm,
            college,
            account,
            incident,
            restitution,
            person,
            list,
            loan,
            repair,
            departure,
            noticed: server.clock().now().to_string(),
        }
    }

    /// The path, with what is of this collège in the place of its parameter.
    fn path(&self, route: &Route) -> String {
        let id = match route.path {
            path if path.starts_with("/api/v1/tablets/") => self.tablet,
            path if path.starts_with("/api/v1/commands/") => &self.command,
            path if path.starts_with("/api/v1/links/") => &self.link,
            path if path.starts_with("/api/v1/alarms/") => &self.alarm,
            path if path.starts_with("/api/v1/organisations/") => &self.college,
            path if path.starts_with("/api/v1/accounts/") => &self.account,
            path if path.starts_with("/api/v1/incidents/") => &self.incident,
            path if path.starts_with("/api/v1/persons/") => &self.person,
            path if path.starts_with("/api/v1/lists/") => &self.list,
            path if path.starts_with("/api/v1/loans/") => &self.loan,
            path if path.starts_with("/api/v1/restitutions/") => &self.restitution,
            path if path.starts_with("/api/v1/repairs/") => &self.repair,
            path if path.starts_with("/api/v1/departures/") => &self.departure,
            // What is nobody's: whoever may ask is told that there is none.
            _ => NOBODYS,
        };
        let path = route
            .path
            .replace("{id}", id)
            .replace("{label}", "2030-2031")
            .replace("{year}", "2030-2031")
            .replace("{activity}", "none");
        match route.path {
            "/api/v1/brake/drill" => format!("{path}?what=erasure&acts=3&uai={}", self.uai),
            _ => path,
        }
    }

    /// A body that a use case understands, for the routes whose reach their body decides; others are asked with an empty
    /// one, which whoever may ask is told is not understood.
    fn body(&self, route: &Route) -> Value {
        match route.path {
            "/api/v1/tablets/{id}/commands" => json!({ "request_type": "SecurityInfo" }),
            "/api/v1/organisations/{id}/lists" => json!({
                "mapping": { "columns": { "name": ["nom"] } }, "csv": "nom\nNouveau Nom\n", "preview": true,
            }),
            "/api/v1/lists/{id}/settle" | "/api/v1/lists/{id}/validate" => {
                json!({ "content_sha256": "0".repeat(64) })
            }
            "/api/v1/agreements" => json!({ "title": "Convention", "body": "Texte" }),
            "/api/v1/persons/{id}/agreement" => json!({
                "signatory": "user", "stance": "signed", "on": "2026-01-05", "reference": "1",
            }),
            "/api/v1/tablets/{id}/loans" => json!({ "person": self.person, "condition": "neuve" }),
            "/api/v1/tablets/{id}/supervision-exception" | "/api/v1/loans/{id}/confiscate" => {
                json!({ "reason": "matrice" })
            }
            "/api/v1/loans/{id}/restrict" => json!({ "until": "2099-01-05" }),
            "/api/v1/loans/{id}/letter" => json!({ "from": "user", "dated": "2026-01-05", "reference": "1" }),
            "/api/v1/loans/{id}/end" => json!({ "reason": "matrice" }),
            "/api/v1/loans/{id}/swap" => json!({
                "back": { "tablet": self.tablet, "condition": "bon" },
                "instead": { "tablet": format!("{}2", self.tablet), "condition": "bon" },
            }),
            "/api/v1/loans/{id}/years/{year}" => json!({ "responsible": true }),
            "/api/v1/loans/{id}/donation" | "/api/v1/tablets/{id}/retirement" => {
                json!({ "reason": "matrice" })
            }
            "/api/v1/tablets/{id}/repairs" => json!({ "reference": "1" }),
            "/api/v1/repairs/{id}/exchanged" => json!({ "serial": format!("{}3", self.tablet) }),
            "/api/v1/tablets/{id}/transfers" => json!({ "to": self.uai, "reason": "matrice" }),
            "/api/v1/departures/{id}/let-go" => json!({ "countersignature": NOBODYS }),
            "/api/v1/departures/{id}/release" => json!({ "release": "1", "activation_lock": "2" }),
            "/api/v1/departures/{id}/take-in" => json!({ "reason": "matrice" }),
            "/api/v1/tablets/{id}/incidents" => {
                json!({ "kind": "fault", "noticed_at": self.noticed })
            }
            "/api/v1/incidents/{id}/letter" => json!({ "reference": "1", "dated": "2026-01-05" }),
            "/api/v1/incidents/{id}/complaint" => {
                json!({ "number": "1", "dated": "2026-01-05", "station": "Rouen" })
            }
            "/api/v1/incidents/{id}/papers/correct" => json!({
                "paper": "letter", "reference": "2", "dated": "2026-01-05", "reason": "matrice",
            }),
            "/api/v1/incidents/{id}/noticed" => {
                json!({ "noticed_at": self.noticed, "reason": "matrice" })
            }
            "/api/v1/incidents/{id}/papers/take-back" => json!({ "paper": "letter", "reason": "matrice" }),
            "/api/v1/warrant-notices/{id}/told" => json!({ "how": "letter" }),
            "/api/v1/incidents/{id}/steps" => json!({ "step": "take-up" }),
            "/api/v1/incidents/{id}/reopen"
            | "/api/v1/incidents/{id}/erasure"
            | "/api/v1/incidents/{id}/erasure/take-back"
            | "/api/v1/persons/{id}/forget" => json!({ "reason": "matrice" }),
            "/api/v1/incidents/{id}/lost-mode" => json!({ "reason": "matrice" }),
            "/api/v1/restitutions" => {
                json!({ "tablets": [{ "tablet": format!("{}2", self.tablet), "condition": "bon" }] })
            }
            "/api/v1/deposits" | "/api/v1/hand-outs" => json!({ "tablets": [self.tablet] }),
            "/api/v1/restitutions/{id}/check" => json!({ "held": false }),
            "/api/v1/restitutions/{id}/shelve" => json!({ "place": "in-stock" }),
            "/api/v1/incidents/{id}/warrants" => json!({ "reason": "matrice" }),
            "/api/v1/incidents/{id}/positions" => json!({ "reason": "matrice" }),
            "/api/v1/positions/{id}/looks" => json!({ "reason": "matrice" }),
            "/api/v1/warrants/{id}/extend" | "/api/v1/warrants/{id}/end" => json!({ "reason": "matrice" }),
            "/api/v1/incidents/{id}/notices/delay" => json!({ "until": "2026-01-05", "reference": "1" }),
            "/api/v1/incidents/{id}/warranty" => json!({ "finding": "shock-or-scratch" }),
            "/api/v1/incidents/{id}/supplier" => json!({ "reference": "1" }),
            "/api/v1/incidents/{id}/replacement" => json!({ "granted": true }),
            "/api/v1/incidents/{id}/payment" => json!({ "paid_on": "2026-01-05" }),
            "/api/v1/links" => json!({ "uai": self.uai, "max_uses": 3 }),
            "/api/v1/unenrolments" => json!({ "tablets": [self.tablet], "reason": "matrice" }),
            "/api/v1/brake/engage" => json!({ "reason": "" }),
            "/api/v1/organisations/{id}" => json!({ "name": "Collège de la matrice" }),
            "/api/v1/organisations/{id}/network" => {
                json!({ "ssid": "college", "passphrase": "une phrase pour le wifi" })
            }
            // Nobody closes a collège here: its head could do nothing from then on.
            "/api/v1/organisations/{id}/close" => json!({ "not": "understood" }),
            "/api/v1/organisations/{id}/first-accounts/ask" => {
                json!({ "login": "premiere.personne", "reason": "matrice" })
            }
            "/api/v1/organisations/{id}/first-accounts" => json!({
                "login": "premiere.personne", "name": "Première Personne", "countersignature": NOBODYS,
            }),
            "/api/v1/accounts/{id}" => json!({ "name": "Nouveau Nom" }),
            "/api/v1/accounts/{id}/reset" => json!({ "factor": "password" }),
            "/api/v1/accounts/{id}/recovery/ask" => json!({ "reason": "matrice" }),
            "/api/v1/accounts/{id}/recovery" => json!({ "countersignature": NOBODYS }),
            "/api/v1/accounts/{id}/roles" => json!({ "role": "referent" }),
            _ => json!({}),
        }
    }
}

/// A loss of the tablet, which the head of its collège declared.
async fn incident(server: &TestServer, tablet: &str, uai: &str, head: AccountId) -> String {
    let (serial, uai, now): (types::SerialNumber, types::Uai, _) =
        (tablet.parse().unwrap(), uai.parse().unwrap(), server.clock().now());
    let store = server.fleet().unwrap().store();
    store
        .write(move |tx| {
            let declaration = incidents::Declaration {
                tablet: store::tablets::by_serial(tx, &serial)?.unwrap().id,
                college: uai.clone(),
                kind: types::IncidentKind::Loss,
                noticed_at: now,
                declarant: incidents::Declarant(head),
                authority: None,
            };
            let declared =
                incidents::Incident::declare(types::IncidentId::new(now), declaration, now).unwrap();
            store::incident_declarations::record(tx, &declared, None)?;
            Ok::<_, store::StoreError>(declared.id.to_string())
        })
        .await
        .unwrap()
}

/// Somebody on the validated list, to whom the tablet is lent.
async fn loan(server: &TestServer, tablet: &str, uai: &str) -> (String, String) {
    let today = types::Day::of(server.clock().now());
    let store = server.fleet().unwrap().store();
    let year = store.read(move |tx| store::school_years::on(tx, today)).await.unwrap();
    let year = match year {
        Some(year) => year.label,
        None => server.school_year().await.unwrap(),
    };
    let people = server.listed(&uai.parse().unwrap(), &year, &["Prénom Nom"]).await.unwrap();
    let loan = server.lent(tablet, people[0], &year).await.unwrap();
    (people[0].to_string(), loan.to_string())
}

/// A change of the list that its head proposed.
async fn list(server: &TestServer, uai: &str, head: AccountId) -> String {
    let head = server.in_session(head, CodeShown::JustNow).await.unwrap();
    let export = json!({ "mapping": { "columns": { "name": ["nom"] } }, "csv": "nom\nAutre Nom\n", "complete": false });
    let made = head.post(&format!("/api/v1/organisations/{uai}/lists"), &export).await.unwrap();
    let id = made.text("/id").to_owned();
    made.ok().map(|_made| id).unwrap()
}

/// Another tablet of the collège, which its pupil gave back.
async fn restitution(server: &TestServer, tablet: &str, uai: &str) -> String {
    server.import_inventory(&testkit::inventory_csv([tablet], uai)).await.unwrap();
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    testkit::rows::lent(store, &[tablet.parse().unwrap()], &uai.parse().unwrap(), now).await.unwrap();
    let wanted = json!({ "tablets": [{ "tablet": tablet, "condition": "bon", "saved": true }] });
    let receipt = server.api().unwrap().post("/api/v1/restitutions", &wanted).await.unwrap();
    receipt.text("/tablets/0/restitution/id").to_owned()
}

/// That tablet is at its supplier's.
async fn repair(server: &TestServer, tablet: &str) -> String {
    let path = format!("/api/v1/tablets/{tablet}/repairs");
    let sent = server.api().unwrap().post(&path, &json!({ "reference": "1" })).await.unwrap();
    let id = sent.text("/id").to_owned();
    sent.ok().map(|_sent| id).unwrap()
}

/// A gift that the head proposed.
async fn departure(server: &TestServer, loan: &str, head: AccountId) -> String {
    let head = server.in_session(head, CodeShown::JustNow).await.unwrap();
    let path = format!("/api/v1/loans/{loan}/donation");
    let proposed = head.post(&path, &json!({ "reason": "matrice" })).await.unwrap();
    let id = proposed.text("/id").to_owned();
    proposed.ok().map(|_proposed| id).unwrap()
}

/// An alarm about the tablet.
async fn alarm(server: &TestServer, tablet: &str) -> String {
    let (serial, now) = (tablet.parse().unwrap(), server.clock().now());
    let store = server.fleet().unwrap().store();
    store
        .write(move |tx| {
            let tablet = store::tablets::by_serial(tx, &serial)?.unwrap();
            let raised = store::alarms::NewAlarm {
                kind: "matrix".to_owned(),
                about: None,
                tablet: Some(tablet.id),
                enrolment: None,
                detail: json!({}),
            };
            store::alarms::raise(tx, &raised, now)?;
            let open = store::alarms::open(tx, &store::Within::Everything, 100)?;
            let mine =
                open.into_iter().find(|alarm| alarm.kind == "matrix" && alarm.tablet_id == Some(tablet.id));
            Ok::<_, store::StoreError>(mine.unwrap().id.to_string())
        })
        .await
        .unwrap()
}

/// One letter for what somebody is told.
fn letter(route: &Route, answer: &testkit::Answer) -> char {
    match answer.status {
        // Let in: done, or not understood, or against what is there, or against what the law says of it.
        200..=299 | 400 | 409 | 413 | 415 | 422 => '+',
        403 if answer.text("/code") == "forbidden-by-rule" => '+',
        401 => '!',
        403 => '-',
        404 => '0',
        status => panic!("{} {}: {status}", route.method, route.path),
    }
}

async fn ask(client: &ApiClient, route: &Route, things: &Things) -> testkit::Answer {
    let (path, body) = (things.path(route), things.body(route));
    let answer = match route.method.as_str() {
        "GET" => client.get(&path).await,
        "POST" => client.post(&path, &body).await,
        "PUT" => client.put(&path, &body).await,
        "DELETE" => client.delete(&path).await,
        other => panic!("{other}"),
    };
    answer.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_c1_every_role_gets_what_the_page_says_on_its_own_and_on_others_colleges() {
    let server = TestServer::start(Engine::Sqlite).await.unwrap();
    let mut own = server.enrolled_ipad(OWN).await.unwrap();
    own.poll().await.unwrap();
    server.import_inventory(&testkit::inventory_csv([OTHER], OTHER_COLLEGE)).await.unwrap();
    let mut other = server.ipad(OTHER).build().unwrap();
    other.enrol_by_link(&server.link_for(OTHER).await.unwrap()).await.unwrap();
    other.poll().await.unwrap();
    let everybody = everybody(&server).await;
    for activity in ["roster", "lending", "incidents"] {
        server.validate_activity(activity).await.unwrap();
    }
    let mine = Things::of(&server, COLLEGE, OWN).await;
    let theirs = Things::of(&server, OTHER_COLLEGE, OTHER).await;
    crate::returns::notices_are_validated(&server).await;
    // By then a receipt is no slip any more.
    server.advance(types::Duration::from_secs(61));

    let mut page = String::new();
    writeln!(page, "# What each role is told, route by route: on its own collège, then on another one's.")
        .unwrap();
    writeln!(page, "# + let in   - 403   0 404, as if it did not exist   ! 401").unwrap();
    for route in ROUTES {
        if matches!(route.access, Access::Anonymous | Access::ComingIn) {
            continue;
        }
        write!(page, "{} {}", route.method, route.path).unwrap();
        for somebody in &everybody {
            let mut told = String::new();
            for things in [&mine, &theirs] {
                let client = come_in(&server, somebody).await;
                let answer = ask(&client, route, things).await;
                told.push(letter(route, &answer));
                let leaks = answer.body.to_string().contains(OTHER) && answer.status == 200;
                assert!(!(somebody.limited && leaks), "{} {}: {}", route.method, route.path, somebody.name);
            }
            write!(page, " {}:{told}", somebody.name).unwrap();
        }
        page.push('\n');
    }
    if std::env::var_os("ARDOISE_WRITE_MATRIX").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    for (new, old) in page.lines().zip(written.lines().chain(std::iter::repeat(""))) {
        assert_eq!(new, old, "read it, then write the page again with ARDOISE_WRITE_MATRIX=1");
    }
    assert_eq!(page.lines().count(), written.lines().count(), "a line of the page is of no route any more");
}
