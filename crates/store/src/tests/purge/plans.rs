//! Purges run beside a fleet that works: each statement finds its rows by an index, on both engines.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _};
use privacy::RetentionClass;

use super::BEFORE;
use super::rows::CASES;
use crate::connection::AnyConnection;
use crate::database::connect;
use crate::purge;
use crate::tests::fixture::{Fixture, at};
use crate::tests::on_both_engines;
use crate::{DatabaseUrl, Engine};

on_both_engines! {
    every_statement_of_a_batch_finds_its_rows_by_an_index,
}

/// The statements that a batch sends, as the engine gets them.
async fn statements(fixture: &Fixture, class: RetentionClass) -> Vec<String> {
    let purge = purge::of(class).unwrap();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&sent);
    fixture
        .write(move |tx| {
            let heard = Arc::clone(&heard);
            tx.run(|connection| {
                connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if let InstrumentationEvent::StartQuery { query, .. } = event {
                        heard.lock().unwrap().push(query.to_string());
                    }
                });
                Ok(())
            })?;
            let removed = (purge.batch)(tx, at(BEFORE), 100);
            tx.run(|connection| {
                connection.set_instrumentation(|_event: InstrumentationEvent<'_>| {});
                Ok(())
            })?;
            removed
        })
        .await;
    let sent = sent.lock().unwrap();
    // What stands behind `--` are the values.
    let only_sql = |query: &String| query.split(" -- binds").next().unwrap_or_default().replace('`', "\"");
    sent.iter().map(only_sql).filter(|query| !query.starts_with("COMMIT")).collect()
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text, column_name = "detail")]
    detail: String,
}

#[derive(QueryableByName)]
struct ExplainLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

/// The lines of the engine's plan that read a table from end to end.
fn full_scans(url: &DatabaseUrl, statement: &str) -> Vec<String> {
    match connect(url).unwrap() {
        AnyConnection::Sqlite(mut connection) => {
            let plan: Vec<PlanLine> =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(&mut connection).unwrap();
            assert!(!plan.is_empty());
            let lines = plan.into_iter().map(|line| line.detail);
            lines.filter(|line| line.starts_with("SCAN")).collect()
        }
        AnyConnection::Postgresql(mut connection) => {
            let parameters = (1..).take_while(|number| statement.contains(&format!("${number}"))).count();
            let nulls = vec!["NULL"; parameters].join(", ");
            let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
            // Small tables are read from end to end whatever there is: that way is closed, if another is open.
            connection
                .batch_execute(&format!(
                    "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE p AS {statement}"
                ))
                .unwrap();
            let plan: Vec<ExplainLine> =
                diesel::sql_query(format!("EXPLAIN EXECUTE p{arguments}")).load(&mut connection).unwrap();
            assert!(!plan.is_empty());
            plan.into_iter().map(|line| line.line).filter(|line| line.contains("Seq Scan")).collect()
        }
    }
}

async fn every_statement_of_a_batch_finds_its_rows_by_an_index(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for case in CASES {
        (case.insert)(&fixture, enrolled);
        let statements = statements(&fixture, case.class).await;
        assert!(statements.len() >= 2, "{}: {statements:?}", case.class);
        for statement in statements {
            let scans = full_scans(&fixture.url, &statement);
            assert!(scans.is_empty(), "{}: {statement}\n{scans:#?}", case.class);
        }
    }
}

#[derive(QueryableByName, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    #[diesel(sql_type = Text)]
    from_table: String,
    #[diesel(sql_type = Text)]
    from_column: String,
    #[diesel(sql_type = Text)]
    to_table: String,
}

/// A row that goes is looked for in every table that may refer to it.
#[tokio::test(flavor = "multi_thread")]
async fn every_reference_to_a_row_that_may_go_has_an_index() {
    const GO: [&str; 7] = ["alarms", "api_tokens", "challenges", "commands", "links", "orphans", "takeovers"];
    let fixture = Fixture::new(Engine::Sqlite).await;
    let AnyConnection::Sqlite(mut connection) = connect(&fixture.url).unwrap() else { panic!("not SQLite") };
    let references: Vec<Reference> = diesel::sql_query(
        "SELECT t.name AS from_table, f.\"from\" AS from_column, f.\"table\" AS to_table \
         FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
    )
    .load(&mut connection)
    .unwrap();
    let indexed: Vec<Reference> = diesel::sql_query(
        "SELECT t.name AS from_table, c.name AS from_column, '' AS to_table FROM sqlite_schema t, \
         pragma_index_list(t.name) i, pragma_index_info(i.name) c WHERE t.type = 'table' AND c.seqno = 0",
    )
    .load(&mut connection)
    .unwrap();
    let indexed: BTreeSet<(String, String)> =
        indexed.into_iter().map(|index| (index.from_table, index.from_column)).collect();
    let to_what_goes: Vec<Reference> =
        references.into_iter().filter(|reference| GO.contains(&reference.to_table.as_str())).collect();
    assert!(to_what_goes.len() >= 2, "{to_what_goes:?}");
    for Reference { from_table, from_column, to_table } in to_what_goes {
        assert!(
            indexed.contains(&(from_table.clone(), from_column.clone())),
            "`{from_table}.{from_column}` refers to `{to_table}`, whose rows are purged, and no index begins with it"
        );
    }
}
