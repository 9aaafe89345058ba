//! The audit log through the whole server: sealed by itself, read, verified, taken away, and never edited unseen (T-C20).

use std::collections::BTreeSet;

use fleet::audit_log::Exported;
use fleet::audit_log::lines::{self, Line};
use governance::chain::{Anchor, Report, Row, Seal, verify};
use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, Patience, TestServer, inventory_csv, wait_until};
use types::{Clock as _, Role};

use crate::by_hand::ByHand;
use crate::support::{COLLEGE, obey, on_both_engines};

on_both_engines! {
    t_c20_the_log_is_sealed_by_itself_and_any_edit_is_found_and_named,
    t_c20_a_tail_that_was_cut_off_is_found_by_an_anchor,
    t_c20_an_export_is_verified_elsewhere_and_an_edited_one_is_not,
    t_c20_the_log_is_caught_up_with_after_the_server_stood_still,
    t_c21_hostile_filters_find_nothing_and_break_nothing,
    t_c11_no_secret_stands_in_the_audit_log,
    t_c22_pages_of_the_log_neither_lose_nor_repeat_rows_while_it_grows,
}

const SERIAL: &str = "DMPX00000001";

/// A server on which something was done.
async fn busy(engine: Engine) -> TestServer {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    for _ in 0..5 {
        create_link(&server).await;
    }
    server
}

async fn create_link(server: &TestServer) {
    let made = server.api().unwrap().post("/api/v1/links", &json!({ "tablet": SERIAL })).await.unwrap();
    made.ok().unwrap();
}

async fn auditor(server: &TestServer) -> ApiClient {
    let account = server
        .someone(Employer::Departement, "auditor", Role::Auditor, GrantReach::Organisation)
        .await
        .unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

/// The lines of an answer.
async fn answered(client: &ApiClient, path: &str) -> Vec<String> {
    let answer = client.get(path).await.unwrap();
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/jsonl"), "{answer:?}");
    // One line of JSON is read as JSON, several are a text.
    match &answer.body {
        Value::String(text) => text.lines().map(str::to_owned).collect(),
        one => vec![one.to_string()],
    }
}

/// What the server says of its log.
async fn account(client: &ApiClient, against: &str) -> Value {
    let path = match against {
        "" => "/api/v1/audit/verification".to_owned(),
        anchor => format!("/api/v1/audit/verification?against={anchor}"),
    };
    let last: Value = serde_json::from_str(answered(client, &path).await.last().unwrap()).unwrap();
    last["account"].clone()
}

fn codes(account: &Value) -> BTreeSet<String> {
    let findings = account["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Waits until nothing waits for a seal.
async fn sealed(client: &ApiClient) -> Value {
    wait_until("every entry is sealed", Patience::default(), || async {
        let account = account(client, "").await;
        Ok((account["unsealed"] == 0 && account["seals"] != 0).then_some(account))
    })
    .await
    .unwrap()
}

/// Lifts the guards of the log, as somebody who owns the tables can.
fn without_guards(engine: Engine, hand: &ByHand) {
    hand.run(match engine {
        Engine::Sqlite => {
            "DROP TRIGGER audit_before_update_1; DROP TRIGGER audit_before_delete_1; \
             DROP TRIGGER audit_before_insert_1; DROP TRIGGER audit_before_insert_2; \
             DROP TRIGGER audit_seals_before_insert_1; DROP TRIGGER audit_seals_before_update_1; \
             DROP TRIGGER audit_seals_before_delete_1"
        }
        Engine::Postgresql => {
            "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE audit_seals DISABLE TRIGGER USER; \
             ALTER TABLE audit DROP CONSTRAINT audit_seal_number_fkey"
        }
    });
}

/// As somebody who owns the tables edits them.
fn edit(engine: Engine, hand: &ByHand, sql: &str) {
    hand.run(&match engine {
        Engine::Sqlite => format!("PRAGMA foreign_keys = OFF; {sql}"),
        Engine::Postgresql => sql.to_owned(),
    });
}

async fn t_c20_the_log_is_sealed_by_itself_and_any_edit_is_found_and_named(engine: Engine) {
    let server = busy(engine).await;
    let auditor = auditor(&server).await;
    let whole = sealed(&auditor).await;
    assert_eq!(
        (&whole["whole"], &whole["findings"], &whole["tail"]),
        (&json!(true), &json!([]), &Value::Null)
    );
    let hand = ByHand::of(&server);
    without_guards(engine, &hand);
    let all = hand.texts("seq", "audit ORDER BY seq");
    assert!(all.len() >= 6, "{all:?}");
    for seq in &all {
        for column in ["id", "actor", "action"] {
            // One letter more, and back.
            edit(engine, &hand, &format!("UPDATE audit SET {column} = {column} || 'x' WHERE seq = {seq}"));
            let found = account(&auditor, "").await;
            assert_eq!(codes(&found), BTreeSet::from(["entries-edited".to_owned()]), "{column} of {seq}");
            let words = found["findings"][0]["words"].as_str().unwrap();
            assert!(words.contains("was edited, removed or put in"), "{words}");
            let cut = format!("substr({column}, 1, length({column}) - 1)");
            edit(engine, &hand, &format!("UPDATE audit SET {column} = {cut} WHERE seq = {seq}"));
        }
        edit(engine, &hand, &format!("UPDATE audit SET at = at + 1 WHERE seq = {seq}"));
        assert_eq!(codes(&account(&auditor, "").await), BTreeSet::from(["entries-edited".to_owned()]));
        edit(engine, &hand, &format!("UPDATE audit SET at = at - 1 WHERE seq = {seq}"));
        // The body is known by a digest of its own, so that the very entry is named.
        edit(engine, &hand, &format!("UPDATE audit SET reason = 'x' WHERE seq = {seq} AND reason IS NULL"));
        let found = account(&auditor, "").await;
        assert_eq!(found["findings"][0]["code"], "body-edited", "{found}");
        assert_eq!(found["findings"][0]["entry"].to_string(), *seq);
        edit(engine, &hand, &format!("UPDATE audit SET reason = NULL WHERE seq = {seq} AND reason = 'x'"));
    }
    for column in ["row_count", "first_seq", "last_seq", "at"] {
        let only = "WHERE number = 1";
        edit(engine, &hand, &format!("UPDATE audit_seals SET {column} = {column} + 1 {only}"));
        let found = codes(&account(&auditor, "").await);
        assert!(found.contains("seal-edited"), "{column}: {found:?}");
        edit(engine, &hand, &format!("UPDATE audit_seals SET {column} = {column} - 1 {only}"));
    }
    assert_eq!(account(&auditor, "").await["whole"], true, "mended");
    // An entry that is gone, one that was put in, one under a seal that there is not.
    let (seq, seal) = (all[2].clone(), hand.texts("seal_number", &format!("audit WHERE seq = {}", all[2])));
    edit(engine, &hand, &format!("UPDATE audit SET seal_number = 99999 WHERE seq = {seq}"));
    let found = codes(&account(&auditor, "").await);
    assert!(found.contains("unknown-seal") && found.contains("entries-counted-otherwise"), "{found:?}");
    edit(engine, &hand, &format!("UPDATE audit SET seal_number = {} WHERE seq = {seq}", seal[0]));
    edit(
        engine,
        &hand,
        &format!(
            "INSERT INTO audit (id, at, actor, action, body_digest, seal_number) \
             VALUES ('put-in', {}, 'host', 'link.create', '{}', 1)",
            server.clock().now().as_millis(),
            "0".repeat(64)
        ),
    );
    assert!(codes(&account(&auditor, "").await).contains("entries-counted-otherwise"));
    edit(engine, &hand, "DELETE FROM audit WHERE id = 'put-in'");
    assert_eq!(account(&auditor, "").await["whole"], true, "mended");
    edit(engine, &hand, &format!("DELETE FROM audit WHERE seq = {seq}"));
    let found = account(&auditor, "").await;
    let gone = codes(&found);
    assert!(gone.contains("entries-counted-otherwise"), "{found}");
    assert_eq!(found["findings"][0]["seal"].to_string(), seal[0]);
}

async fn t_c20_a_tail_that_was_cut_off_is_found_by_an_anchor(engine: Engine) {
    let server = busy(engine).await;
    let auditor = auditor(&server).await;
    sealed(&auditor).await;
    create_link(&server).await;
    sealed(&auditor).await;
    let kept = auditor.get("/api/v1/audit/anchor").await.unwrap();
    let anchor = kept.text("/anchor").to_owned();
    assert_eq!(account(&auditor, &anchor).await["whole"], true);
    let hand = ByHand::of(&server);
    without_guards(engine, &hand);
    let last = anchor.split_once(':').unwrap().0;
    edit(
        engine,
        &hand,
        &format!(
            "DELETE FROM audit WHERE seal_number = {last}; DELETE FROM audit_seals WHERE number = {last}"
        ),
    );
    // What is left fits together; only what was kept elsewhere shows it.
    assert_eq!(account(&auditor, "").await["whole"], true);
    let found = account(&auditor, &anchor).await;
    assert_eq!(found["whole"], false);
    assert_eq!(codes(&found), BTreeSet::from(["anchor-missing".to_owned()]));
    // The server goes on, and sets a seal of that number over something else.
    create_link(&server).await;
    sealed(&auditor).await;
    assert_eq!(codes(&account(&auditor, &anchor).await), BTreeSet::from(["anchor-differs".to_owned()]));
}

/// An export as somebody reads it who has nothing else.
fn read(export: &[String]) -> (Vec<Seal>, Vec<Row>, Option<Anchor>) {
    let (mut seals, mut rows, mut last) = (Vec::new(), Vec::new(), None);
    for line in export {
        match lines::read(line).unwrap() {
            Line::Format => {}
            Line::Part(Exported::Seal(seal)) => seals.push(seal),
            Line::Part(Exported::Entry(row)) => rows.push(row),
            Line::Part(Exported::End { seals: count, entries, anchor }) => {
                assert_eq!((count, entries), (number(seals.len()), number(rows.len())));
                last = anchor;
            }
        }
    }
    (seals, rows, last)
}

async fn t_c20_an_export_is_verified_elsewhere_and_an_edited_one_is_not(engine: Engine) {
    let server = busy(engine).await;
    let reader = server.api().unwrap().get("/api/v1/audit/export").await.unwrap();
    assert_eq!(reader.status, 403, "a token without a code takes nothing away");
    let auditor = auditor(&server).await;
    sealed(&auditor).await;
    let export = answered(&auditor, "/api/v1/audit/export").await;
    assert!(export[0].contains("ardoise audit log 1"), "{}", export[0]);
    let (seals, rows, anchor) = read(&export);
    let now = server.clock().now();
    let found = verify(&seals, &rows, &[anchor.unwrap()], now);
    assert!(found.is_whole(), "{found:?}");
    // That it was taken away stands in the log, and in the export itself.
    assert_eq!(rows.iter().filter(|row| row.action == "audit.export").count(), 1);

    let edited: Vec<String> = export.iter().map(|line| line.replace("link.create", "link.revoke")).collect();
    let (seals, rows, _anchor) = read(&edited);
    let Report { findings, .. } = verify(&seals, &rows, &[], now);
    assert!(findings.iter().any(|finding| finding.code() == "entries-edited"), "{findings:?}");
}

async fn t_c20_the_log_is_caught_up_with_after_the_server_stood_still(engine: Engine) {
    let mut server = busy(engine).await;
    sealed(&auditor(&server).await).await;
    server.stop().await;
    // More than a few batches, written by another program that seals nothing.
    let hand = ByHand::of(&server);
    let at = server.clock().now().as_millis();
    let values: Vec<String> =
        (0..700).map(|number| format!("('late-{number}', {at}, 'host', 'link.create')")).collect();
    hand.run(&format!("INSERT INTO audit (id, at, actor, action) VALUES {}", values.join(", ")));
    server.start_again().await.unwrap();
    let account = server
        .someone(Employer::Departement, "second-auditor", Role::Auditor, GrantReach::Organisation)
        .await
        .unwrap();
    let reader = server.in_session(account, CodeShown::JustNow).await.unwrap();
    let whole = sealed(&reader).await;
    assert_eq!((&whole["whole"], &whole["findings"]), (&json!(true), &json!([])));
    assert!(whole["entries"].as_u64().unwrap() >= 700);
    assert_eq!(hand.count("audit WHERE seal_number IS NULL"), 0);
    assert!(hand.count("audit_seals WHERE row_count > 64") == 0, "no seal binds more than one looks through");
}

async fn t_c11_no_secret_stands_in_the_audit_log(engine: Engine) {
    let server = busy(engine).await;
    let link = server.api().unwrap().post("/api/v1/links", &json!({ "tablet": SERIAL })).await.unwrap();
    let url = link.ok().unwrap()["url"].as_str().unwrap().to_owned();
    let session = server.stepped_up().await.unwrap();
    let wanted = json!({ "name": "x", "scope": "read", "expires_in_days": 1 });
    let made = session.post("/api/v1/tokens", &wanted).await.unwrap();
    let token = made.ok().unwrap()["token"].as_str().unwrap().to_owned();
    let mut ipad = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ipad).await;
    let enrolment = ipad.enrolment().unwrap();
    let magic = enrolment.push_magic.clone();
    let auditor = auditor(&server).await;
    sealed(&auditor).await;
    let log = answered(&auditor, "/api/v1/audit/export").await.join("\n");
    assert!(log.contains("token.create") && log.contains("link.create"), "{log}");
    let link_token = url.rsplit('/').next().unwrap();
    assert!(link_token.len() > 16, "{url}");
    for secret in [link_token, &token, &magic] {
        assert!(!log.contains(secret), "{secret}");
    }
}

/// What is written into filters by those who want more than a list.
const HOSTILE: &[&str] = &[
    "' OR '1'='1",
    "'; DROP TABLE audit; --",
    "link.create' UNION SELECT secret_sha256 FROM api_tokens --",
    "%",
    "_",
    "link.%",
    "link\\",
    "seq; SELECT pg_sleep(10)",
    "1 OR 1=1",
    "-1",
    "9223372036854775808",
    "\u{0}",
    "\u{202e}kniL",
    "link.create\n",
    "$1",
    "?",
    "{{7*7}}",
    "../../etc/passwd",
];

async fn t_c21_hostile_filters_find_nothing_and_break_nothing(engine: Engine) {
    let server = busy(engine).await;
    let auditor = auditor(&server).await;
    let operator = server.stepped_up().await.unwrap();
    let hand = ByHand::of(&server);
    let before = (hand.tables(), hand.count("tablets"), hand.count("accounts"), hand.count("api_tokens"));
    let lists: &[(&ApiClient, &str, &[&str])] = &[
        (
            &auditor,
            "/api/v1/audit",
            &["actor", "tablet", "action", "since", "until", "order", "after", "limit", "sort"],
        ),
        (&auditor, "/api/v1/audit/verification", &["against"]),
        (&auditor, "/api/v1/privacy/register", &["format"]),
        (
            &operator,
            "/api/v1/tablets",
            &["state", "platform", "uai", "text", "after", "limit", "sort", "order"],
        ),
        (&operator, "/api/v1/inventory", &["after", "limit", "sort"]),
        (&operator, "/api/v1/links", &["after", "limit", "sort"]),
        (&operator, "/api/v1/alarms", &["limit", "after", "sort"]),
        (&operator, "/api/v1/takeovers", &["after", "limit"]),
        (&operator, "/api/v1/brake/acts", &["state", "after", "limit"]),
    ];
    let mut told = BTreeSet::new();
    for (client, path, fields) in lists {
        for field in *fields {
            for hostile in HOSTILE {
                let query: String =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair(field, hostile).finish();
                let answer = client.get(&format!("{path}?{query}")).await.unwrap();
                told.insert(answer.status);
                assert!(
                    matches!(answer.status, 200 | 400 | 404 | 422),
                    "{path}?{query}: {} {}",
                    answer.status,
                    answer.body
                );
                // A search may be for any text; it finds what holds that text, and nothing does.
                if answer.status == 200 && *field != "limit" && *field != "after" {
                    assert_eq!(answer.body["items"], json!([]), "{path}?{query}");
                }
            }
        }
    }
    assert!(told.contains(&422) && told.contains(&400), "{told:?}");
    let after = (hand.tables(), hand.count("tablets"), hand.count("accounts"), hand.count("api_tokens"));
    assert_eq!(before, after);
    // The same filters, used as they are meant.
    let found = auditor.get("/api/v1/audit?action=link.create&order=newest&limit=2").await.unwrap();
    assert_eq!(found.body["items"].as_array().unwrap().len(), 2, "{found:?}");
    let found = auditor.get("/api/v1/audit?action=link").await.unwrap();
    assert_eq!(found.body["items"].as_array().unwrap().len(), 5, "{found:?}");
    for nothing in ["actor=calendar&action=link", "tablet=DMPX0000OWN9", "until=2001-01-01T00:00:00Z"] {
        let found = auditor.get(&format!("/api/v1/audit?{nothing}")).await.unwrap();
        assert!(found.status == 404 || found.body["items"] == json!([]), "{nothing}: {found:?}");
    }
}

async fn t_c22_pages_of_the_log_neither_lose_nor_repeat_rows_while_it_grows(engine: Engine) {
    let server = busy(engine).await;
    let auditor = auditor(&server).await;
    let hand = ByHand::of(&server);
    for order in ["oldest", "newest"] {
        let there: BTreeSet<String> = hand.texts("seq", "audit").into_iter().collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audit?order={order}&limit=2{after}");
            let page = auditor.get(&path).await.unwrap().ok().unwrap();
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["seq"].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
            if seen.len() < 8 {
                // It grows between two pages.
                create_link(&server).await;
            }
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{order}: none twice: {seen:?}");
        assert!(once.is_superset(&there), "{order}: none lost: {seen:?}, {there:?}");
        let numbers: Vec<i64> = seen.iter().map(|seq| seq.parse().unwrap()).collect();
        assert!(
            numbers.windows(2).all(|pair| (pair[0] < pair[1]) == (order == "oldest")),
            "{order}: in order: {numbers:?}"
        );
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap()
}
