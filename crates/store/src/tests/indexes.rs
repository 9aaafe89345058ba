//! With a million commands, what is sent often still finds its rows by an index: the engines' own plans say so.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};
use orders::{Ordinary, Queueable};
use serde_json::json;
use types::{Actor, Duration, Instant, Supervision};

use super::fixture::{Enrolled, Fixture, at, command, delivery};
use crate::connect::read_connects;
use crate::connection::AnyConnection;
use crate::database::{Link, connect};
use crate::push_states::PutOff;
use crate::report::apply;
use crate::tests::on_both_engines;
use crate::transaction::{Attempt, Mode, attempt};
use crate::{
    CommandOutcome, CommandReport, ConnectKey, ConnectWrite, Delivery, Engine, ReportedFacts, StoreError, Tx,
    audit, certificates, commands, enrolments, purge, push_states,
};

on_both_engines! {
    with_a_million_commands_no_statement_of_the_pulse_reads_a_table_whole,
    what_waits_for_other_tablets_is_not_read_though_nothing_did_when_the_table_was_looked_at,
    what_waits_for_other_tablets_is_not_read_in_a_database_that_nobody_has_looked_at_yet,
    however_many_entries_wait_for_a_seal_a_batch_of_them_is_not_sorted_out_of_all,
}

/// Tables that grow with the fleet or with time.
const LARGE: [&str; 5] = ["commands", "certificates", "enrolments", "presence", "push_states"];

/// 10,000 tablets, and 100 commands for each, the last of which is pending.
fn populate(connection: &mut AnyConnection, enrolled: Enrolled) {
    let Enrolled { tablet, enrolment, certificate } = enrolled;
    let (series, padded, boolean) = match connection {
        AnyConnection::Postgresql(_) => {
            ("generate_series(1, 1000000) AS s (n)", "lpad(to_hex(n / 100), 8, '0')", "false")
        }
        AnyConnection::Sqlite(_) => (
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1000000) SELECT n FROM s)",
            "printf('%08x', n / 100)",
            "0",
        ),
    };
    let number = match connection {
        AnyConnection::Postgresql(_) => "lpad(to_hex(n), 12, '0')",
        AnyConnection::Sqlite(_) => "printf('%012x', n)",
    };
    let owner = format!("{padded} || '-0000-7000-8000-000000000000'");
    let queued_at = at(0).as_millis();
    let begin = Instant::from_millis(queued_at).minus(Duration::from_secs(86_400 * 365)).as_millis();
    let one_of_each = format!(
        "INSERT INTO enrolments SELECT {columns} FROM enrolments, {series} WHERE enrolments.id = '{enrolment}' AND n % 100 = 0",
        columns = ENROLMENT_COLUMNS.replace("id,", &format!("{owner},"))
    );
    without_rules(connection);
    connection.batch_execute(&one_of_each).unwrap();
    let others = format!("id <> '{enrolment}'");
    connection
        .batch_execute(&format!(
            "INSERT INTO presence (enrolment_id, last_seen_at) SELECT id, {begin} FROM enrolments WHERE {others};
             INSERT INTO push_states (enrolment_id, attempts) SELECT id, 0 FROM enrolments WHERE {others};
             INSERT INTO certificates (sha256, enrolment_id, authority_fingerprint, serial_number, state, issued_at, not_after)
                SELECT id, id, '{certificate}', '', 'confirmed', {begin}, {queued_at} FROM enrolments WHERE {others};
             INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, state, queued_at,
                queued_by, sent_count, not_now_count)
                SELECT '00000000-0000-7000-8000-' || {number}, {owner}, '{tablet}', 'DeviceInformation', 'ordinary', 0,
                {boolean}, CASE WHEN n % 100 = 99 THEN 'queued' ELSE 'acknowledged' END, {begin} + n, 'test', 1, 0
                FROM {series};
             ANALYZE",
        ))
        .unwrap();
}

/// Lets this connection fill tables past their rules.
pub(super) fn without_rules(connection: &mut AnyConnection) {
    // The rules of the tables, which are tested elsewhere, would take a minute to look at each row.
    let off = match &mut *connection {
        AnyConnection::Postgresql(_) => "SET session_replication_role = replica".to_owned(),
        AnyConnection::Sqlite(sqlite) => {
            let guards: Vec<SqliteStep> = diesel::sql_query(
                "SELECT name AS detail FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE INSERT ON%'",
            )
            .load(sqlite)
            .unwrap();
            let drop: String = guards.iter().map(|guard| format!("DROP TRIGGER {};", guard.detail)).collect();
            format!("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; {drop}")
        }
    };
    connection.batch_execute(&off).unwrap();
}

/// The columns of an enrolment; whose tablet it is and its state are left to a copy that no rule minds.
pub(super) const ENROLMENT_COLUMNS: &str = "id, NULL, platform, 'superseded', kind, supervision, NULL, NULL, topic, NULL, NULL, \
    NULL, NULL, awaiting_configuration, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, created_at, NULL, NULL, \
    NULL, NULL";

/// What was sent: the text of a statement, and its values as diesel shows them.
type Sent = Arc<Mutex<Vec<String>>>;

fn listening(fixture: &Fixture) -> (Link, Sent) {
    let mut connection = connect(&fixture.url).unwrap();
    let sent = Sent::default();
    let heard = Arc::clone(&sent);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            heard.lock().unwrap().push(query.to_string());
        }
    });
    (Link { connection, lost: false }, sent)
}

fn within(fixture: &Fixture, link: &mut Link, mut run: impl FnMut(&mut Tx<'_>) -> Result<(), StoreError>) {
    let done = attempt(link, Mode::Group, &fixture.vault, &mut run);
    assert!(matches!(done, Attempt::Done(Ok(()))));
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    line: String,
}

/// How the engine carries out a statement, step by step.
fn plan(connection: &mut AnyConnection, text: &str, values: &[String]) -> Vec<String> {
    let lines: Vec<PlanLine> = match connection {
        AnyConnection::Postgresql(connection) => {
            let given = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
            connection.batch_execute(&format!("PREPARE p AS {text}")).unwrap();
            let lines = explain(connection, &given);
            connection.batch_execute("DEALLOCATE p").unwrap();
            lines
        }
        AnyConnection::Sqlite(connection) => diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}"))
            .load::<SqliteStep>(connection)
            .unwrap()
            .into_iter()
            .map(|step| PlanLine { line: step.detail })
            .collect(),
    };
    lines.into_iter().map(|line| line.line).collect()
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresqlStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    step: String,
}

fn explain(connection: &mut diesel::PgConnection, given: &str) -> Vec<PlanLine> {
    diesel::sql_query(format!("EXPLAIN EXECUTE p{given}"))
        .load::<PostgresqlStep>(connection)
        .unwrap()
        .into_iter()
        .map(|step| PlanLine { line: step.step })
        .collect()
}

/// The text and the values of what was sent: `SELECT … -- binds: ["a", 1]`.
fn taken_apart(sent: &str) -> (&str, Vec<String>) {
    let (text, binds) = sent.split_once("-- binds: ").unwrap();
    let binds = binds.trim();
    let binds = binds.strip_prefix('[').and_then(|binds| binds.strip_suffix(']')).unwrap_or(binds);
    let (mut values, mut quoted, mut listed, mut value) = (Vec::new(), false, false, String::new());
    let mut characters = binds.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            '"' => {
                quoted = !quoted;
                if !listed {
                    value.push('\'');
                }
            }
            // What names its rows in an array is judged like everything else.
            '[' if !quoted => {
                listed = true;
                value.push_str("'{");
            }
            ']' if !quoted => {
                listed = false;
                value.push_str("}'");
            }
            ',' if !quoted && !listed => values.push(std::mem::take(&mut value)),
            other => value.push(other),
        }
    }
    values.push(value);
    let typed = |value: String| {
        let value = value.trim().trim_start_matches("Some(").trim_end_matches(')').to_owned();
        if value == "None" { "NULL".to_owned() } else { value }
    };
    (text, values.into_iter().map(typed).filter(|value| !value.is_empty()).collect())
}

/// Whether a step of a plan reads one of the large tables from its beginning to its end.
fn reads_whole(engine: Engine, step: &str) -> bool {
    match engine {
        Engine::Postgresql => LARGE.iter().any(|table| step.contains(&format!("Seq Scan on {table}"))),
        // A subquery's rows, the values of a json_each and partial indexes in the wanted order may be scanned.
        Engine::Sqlite => {
            let named = [
                "commands",
                "certificates",
                "enrolments",
                "presence",
                "push_states",
                "c",
                "e",
                "p",
                "n",
                "r",
                "w",
                "found",
            ];
            named.iter().any(|name| step == format!("SCAN {name}"))
        }
    }
}

async fn with_a_million_commands_no_statement_of_the_pulse_reads_a_table_whole(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let reported = fixture.queue(enrolled, 1).await;
    let next = fixture.queue(enrolled, 2).await;
    fixture.deliver(enrolled, reported, 3).await;
    let engine = fixture.store.engine();
    let (mut link, sent) = listening(&fixture);
    populate(&mut connect(&fixture.url).unwrap(), enrolled);

    let read = ConnectKey {
        certificate_sha256: enrolled.certificate,
        reported: Some(reported),
        fresh: true,
        now: at(4),
    };
    within(&fixture, &mut link, |tx| {
        assert!(read_connects(tx, &[&read])?.iter().all(Option::is_some));
        Ok(())
    });
    let mut write = ConnectWrite::new(enrolled.enrolment, at(4));
    write.report = Some(CommandReport {
        command: reported,
        outcome: CommandOutcome::Acknowledged,
        result: Some(json!({})),
        raw: None,
    });
    write.deliver = Some(Delivery { opens: true, ..delivery(next) });
    write.observations = vec![("device-information".to_owned(), json!({}))];
    write.facts = ReportedFacts { supervision: Some(Supervision::Supervised), ..ReportedFacts::default() };
    write.settle_push = true;
    within(&fixture, &mut link, |tx| apply(tx, &[&write]).map(drop));
    within(&fixture, &mut link, |tx| {
        enrolments::hold_by_certificate(tx, &enrolled.certificate)?;
        enrolments::hold_live_of_tablet(tx, enrolled.tablet)?;
        let mut new = command(enrolled, 5);
        new.replaces_key = Some("inventory".to_owned());
        new.idempotency_key = Some("once".to_owned());
        commands::queue(tx, new, None)?;
        push_states::want(tx, enrolled.enrolment, Some(at(5)), at(5))?;
        commands::next_offers(tx, &[enrolled.enrolment], at(5))?;
        push_states::claim(tx, push_states::Lane::Answering, at(6), at(60), 500)?;
        push_states::claim(tx, push_states::Lane::Silent, at(6), at(60), 500)?;
        push_states::hold(tx, enrolled.enrolment)?;
        push_states::backlog(tx, at(6))?;
        push_states::hold_all(tx, &[enrolled.enrolment])?;
        push_states::put_off_all(tx, &[PutOff { enrolment: enrolled.enrolment, due_at: at(7) }])?;
        enrolments::push_addresses(tx, &[enrolled.enrolment])?;
        enrolments::token_times(tx, &[enrolled.enrolment])?;
        commands::of_tablet(tx, enrolled.tablet, None, 50)?;
        commands::expire(tx, at(6), 500)?;
        Ok(())
    });
    // History: what is past its term is found without reading what is not.
    let term = Instant::from_millis(at(0).as_millis()).minus(Duration::from_secs(86_400 * 365));
    within(&fixture, &mut link, |tx| {
        purge::commands(tx, term.plus(Duration::from_millis(5_000)), 500).map(drop)
    });
    within(&fixture, &mut link, |tx| {
        purge::of(privacy::RetentionClass::Commands).map(|purge| (purge.oldest)(tx)).transpose().map(drop)
    });

    let mut judge = connect(&fixture.url).unwrap();
    if engine == Engine::Postgresql {
        // The planner is to choose the indexes by itself, and for whatever values come.
        judge.batch_execute("SET enable_seqscan = on; SET plan_cache_mode = force_generic_plan").unwrap();
    }
    let (mut read_something, mut whole) = (0, Vec::new());
    for statement in sent.lock().unwrap().iter() {
        let Some(verb) = statement.split_whitespace().next() else { continue };
        if !["SELECT", "UPDATE", "DELETE"].contains(&verb) {
            continue;
        }
        let (text, values) = taken_apart(statement);
        read_something += 1;
        // How many rows JSON holds is not known to the planner: it is asked as the sessions of the program ask it.
        let of_json = engine == Engine::Postgresql && text.contains("json_to_recordset");
        if of_json {
            judge.batch_execute("SET enable_seqscan = off").unwrap();
        }
        let steps = plan(&mut judge, text, &values);
        if of_json {
            judge.batch_execute("SET enable_seqscan = on").unwrap();
        }
        if steps.iter().any(|step| reads_whole(engine, step)) {
            whole.push(format!("{text}\n{}", steps.join("\n")));
        }
    }
    assert!(read_something >= 15, "{read_something} statements were judged");
    assert!(whole.is_empty(), "{}", whole.join("\n\n"));
}

/// Whether the steps of a plan go through all that waits, for whatever tablet.
fn reads_all_that_waits(engine: Engine, steps: &[String]) -> bool {
    let by_pending = |step: &String| step.contains("commands_pending");
    match engine {
        // The condition by which an index is entered stands below its step.
        Engine::Postgresql => steps.iter().enumerate().any(|(place, step)| {
            by_pending(step) && !steps.get(place + 1).is_some_and(|next| next.contains("Index Cond"))
        }),
        Engine::Sqlite => steps.iter().any(|step| step.starts_with("SCAN") && by_pending(step)),
    }
}

/// At 8:00 much waits; at night, when the planner looked at the table, nothing did.
async fn what_waits_for_other_tablets_is_not_read_though_nothing_did_when_the_table_was_looked_at(
    fixture: Fixture,
) {
    what_waits_for_other_tablets_is_not_read(fixture, "ANALYZE").await;
}

/// A new server's first morning.
async fn what_waits_for_other_tablets_is_not_read_in_a_database_that_nobody_has_looked_at_yet(
    fixture: Fixture,
) {
    what_waits_for_other_tablets_is_not_read(fixture, "").await;
}

async fn what_waits_for_other_tablets_is_not_read(fixture: Fixture, looked_at: &str) {
    let enrolled = fixture.enrolled(1).await;
    let engine = fixture.store.engine();
    let mut filling = connect(&fixture.url).unwrap();
    without_rules(&mut filling);
    let (series, number, boolean) = match engine {
        Engine::Postgresql => ("generate_series(1, 3000) AS s (n)", "lpad(to_hex(n), 12, '0')", "false"),
        Engine::Sqlite => (
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000) SELECT n FROM s)",
            "printf('%012x', n)",
            "0",
        ),
    };
    let Enrolled { tablet, enrolment, .. } = enrolled;
    filling
        .batch_execute(&format!(
            "INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, state, queued_at,
                queued_by, sent_count, not_now_count)
                SELECT '00000000-0000-7000-8000-' || {number}, '{enrolment}', '{tablet}', 'DeviceInformation',
                'ordinary', 0, {boolean}, 'acknowledged', 1, 'test', 1, 0 FROM {series};
             {looked_at}"
        ))
        .unwrap();
    let (reported, next) = (fixture.queue(enrolled, 1).await, fixture.queue(enrolled, 2).await);
    fixture.deliver(enrolled, reported, 3).await;

    let (mut link, sent) = listening(&fixture);
    let write = ConnectWrite {
        report: Some(CommandReport {
            command: reported,
            outcome: CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        deliver: Some(Delivery { opens: true, ..delivery(next) }),
        settle_push: true,
        ..ConnectWrite::new(enrolment, at(4))
    };
    within(&fixture, &mut link, |tx| apply(tx, &[&write]).map(drop));
    let how = commands::Enqueue {
        id: types::CommandId::new(at(5)),
        enrolment,
        tablet,
        priority: 0,
        replaces_key: Some("inventory".to_owned()),
        idempotency_key: Some("once".to_owned()),
        at: at(5),
        by: "calendar".to_owned(),
        not_before: None,
        expires_at: None,
    };
    let queueable = || Queueable::Ordinary(Ordinary::clear_passcode());
    within(&fixture, &mut link, |tx| {
        commands::enqueue_all(tx, vec![(queueable(), how.clone())])?;
        let certificate = certificates::get(tx, &enrolled.certificate)?;
        certificates::confirm_all(tx, certificate.iter().map(|certificate| (certificate, at(5))))
    });

    let mut judge = connect(&fixture.url).unwrap();
    if engine == Engine::Postgresql {
        judge.batch_execute("SET enable_hashjoin = off; SET enable_mergejoin = off").unwrap();
    }
    let (mut judged, mut everything) = (0, Vec::new());
    for statement in sent.lock().unwrap().iter() {
        if !statement.contains("json_") {
            continue;
        }
        let (text, values) = taken_apart(statement);
        judged += 1;
        let steps = plan(&mut judge, text, &values);
        // What was found by an index and is kept apart may be gone through. Once it was looked at, a table of one row too.
        let found_before = steps.iter().any(|step| step == "MATERIALIZE found");
        let reads_whole = engine == Engine::Sqlite
            && looked_at.is_empty()
            && steps.iter().any(|step| reads_whole(engine, step) && !(found_before && step == "SCAN found"));
        if reads_whole || reads_all_that_waits(engine, &steps) {
            everything.push(format!("{text}\n{}", steps.join("\n")));
        }
    }
    assert!(judged >= 9, "{judged} statements were judged");
    assert!(everything.is_empty(), "{}", everything.join("\n\n"));
}

/// A morning of 100,000 enrolments leaves as many entries, of which 64 are sealed at a time.
async fn however_many_entries_wait_for_a_seal_a_batch_of_them_is_not_sorted_out_of_all(fixture: Fixture) {
    let (mut link, sent) = listening(&fixture);
    within(&fixture, &mut link, |tx| {
        for number in 0..300 {
            audit::append(tx, &audit::NewEntry::new(at(number), Actor::Host, "link.create"))?;
        }
        sent.lock().unwrap().clear();
        assert_eq!(audit::unsealed(tx, i64::MIN, 64)?.len(), 64);
        Ok(())
    });
    let sent = sent.lock().unwrap();
    let (text, values) = taken_apart(sent.first().unwrap());
    let steps = plan(&mut connect(&fixture.url).unwrap(), text, &values);
    assert!(steps.iter().any(|step| step.contains("audit")), "{}", steps.join("\n"));
    let sorts = |step: &String| step.contains("Sort") || step.contains("TEMP B-TREE");
    assert!(!steps.iter().any(sorts), "{text}\n{}", steps.join("\n"));
}
