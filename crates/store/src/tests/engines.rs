//! Both engines hold the same tables; a database is opened only when it fits.

use std::collections::BTreeSet;

use diesel::sql_types::{Bool, Text};
use diesel::{QueryableByName, RunQueryDsl as _};

use super::fixture::{Fixture, at};
use crate::connection::AnyConnection;
use crate::database::connect;
use crate::tests::on_both_engines;
use crate::{DatabaseUrl, Engine, Store, StoreError, StoreOptions, settings, tablets};

on_both_engines! {
    migrating_twice_changes_nothing,
    tables_that_lack_a_migration_are_refused_with_what_to_type,
    a_ping_answers,
    a_value_that_is_not_ours_is_named_with_its_row,
}

#[derive(QueryableByName, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Column {
    #[diesel(sql_type = Text)]
    pub(super) table_name: String,
    #[diesel(sql_type = Text)]
    pub(super) column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    required: bool,
}

#[derive(QueryableByName, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Guard {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    event: String,
}

pub(super) fn columns(url: &DatabaseUrl) -> BTreeSet<Column> {
    let rows: Vec<Column> = match connect(url).unwrap() {
        AnyConnection::Postgresql(mut connection) => diesel::sql_query(
            "SELECT table_name::text, column_name::text, is_nullable = 'NO' AS required, CASE data_type \
               WHEN 'bytea' THEN 'blob' WHEN 'text' THEN 'text' ELSE 'integer' END AS kind \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'",
        )
        .load(&mut connection)
        .unwrap(),
        AnyConnection::Sqlite(mut connection) => diesel::sql_query(
            "SELECT t.name AS table_name, c.name AS column_name, c.\"notnull\" AS required, lower(c.type) AS kind \
             FROM sqlite_schema t, pragma_table_xinfo(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
        )
        .load(&mut connection)
        .unwrap(),
    };
    rows.into_iter().collect()
}

fn guards(url: &DatabaseUrl) -> BTreeSet<Guard> {
    let rows: Vec<Guard> = match connect(url).unwrap() {
        AnyConnection::Postgresql(mut connection) => diesel::sql_query(
            "SELECT event_object_table::text AS table_name, event_manipulation::text AS event \
             FROM information_schema.triggers WHERE action_timing = 'BEFORE'",
        )
        .load(&mut connection)
        .unwrap(),
        AnyConnection::Sqlite(mut connection) => diesel::sql_query(
            "SELECT tbl_name AS table_name, CASE WHEN sql LIKE '% BEFORE INSERT ON %' THEN 'INSERT' \
               WHEN sql LIKE '% BEFORE UPDATE ON %' THEN 'UPDATE' ELSE 'DELETE' END AS event \
             FROM sqlite_schema WHERE type = 'trigger'",
        )
        .load(&mut connection)
        .unwrap(),
    };
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_hold_the_same_tables_columns_and_triggers() {
    let sqlite = Fixture::new(Engine::Sqlite).await;
    let postgresql = Fixture::new(Engine::Postgresql).await;
    let (here, there) = (columns(&sqlite.url), columns(&postgresql.url));
    let differences: Vec<_> = here.symmetric_difference(&there).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(here.len() > 320, "only {} columns were found", here.len());
    let tables: BTreeSet<&str> = here.iter().map(|column| column.table_name.as_str()).collect();
    for table in &tables {
        let wide = here.iter().filter(|column| column.table_name == *table).count();
        assert!(wide <= 32, "{table} has {wide} columns, and diesel is built for 32");
    }
    assert_eq!(guards(&sqlite.url), guards(&postgresql.url));
    assert!(guards(&sqlite.url).len() >= 50);
}

/// What the tables hold beside their columns: `(table, name, what it points at)` of each foreign key, and each index.
#[derive(QueryableByName, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    target: String,
}

fn keys(url: &DatabaseUrl) -> BTreeSet<Key> {
    let rows: Vec<Key> = match connect(url).unwrap() {
        AnyConnection::Postgresql(mut connection) => diesel::sql_query(
            "SELECT c.conrelid::regclass::text AS table_name, a.attname::text AS name, c.confrelid::regclass::text AS target \
             FROM pg_constraint c, unnest(c.conkey) k JOIN pg_attribute a ON a.attnum = k \
             WHERE c.contype = 'f' AND a.attrelid = c.conrelid AND c.connamespace = 'public'::regnamespace \
             UNION ALL SELECT i.indrelid::regclass::text, t.relname::text, 'index' \
             FROM pg_index i JOIN pg_class t ON t.oid = i.indexrelid WHERE t.relnamespace = 'public'::regnamespace \
             AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))",
        )
        .load(&mut connection)
        .unwrap(),
        AnyConnection::Sqlite(mut connection) => diesel::sql_query(
            "SELECT t.name AS table_name, k.\"from\" AS name, k.\"table\" AS target \
             FROM sqlite_schema t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table' \
             UNION ALL SELECT tbl_name, name, 'index' FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
        )
        .load(&mut connection)
        .unwrap(),
    };
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_hold_the_same_foreign_keys_and_indexes() {
    let sqlite = Fixture::new(Engine::Sqlite).await;
    let postgresql = Fixture::new(Engine::Postgresql).await;
    let (here, there) = (keys(&sqlite.url), keys(&postgresql.url));
    let differences: Vec<_> = here.symmetric_difference(&there).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(here.len() > 200, "only {} keys and indexes were found", here.len());
}

/// SQLite takes a table's guards and indexes away with it: a migration that makes one anew writes them again.
#[tokio::test(flavor = "multi_thread")]
async fn no_table_that_was_made_anew_lost_a_guard_or_an_index() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let mut steps: Vec<_> = std::fs::read_dir(folder).unwrap().map(|step| step.unwrap().path()).collect();
    steps.sort();
    let mut expected = BTreeSet::new();
    for step in steps {
        let text = std::fs::read_to_string(step.join("up.sql")).unwrap();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "UNIQUE").collect();
            match words.as_slice() {
                ["CREATE", "TRIGGER" | "INDEX", name, ..] => drop(expected.insert((*name).to_owned())),
                ["DROP", "TRIGGER" | "INDEX", name, ..] => drop(expected.remove(name.trim_end_matches(';'))),
                _ => {}
            }
        }
    }
    assert!(expected.len() > 300, "only {} were found", expected.len());
    let sqlite = Fixture::new(Engine::Sqlite).await;
    let AnyConnection::Sqlite(mut connection) = connect(&sqlite.url).unwrap() else { unreachable!() };
    let there: Vec<Named> = diesel::sql_query(
        "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL",
    )
    .load(&mut connection)
    .unwrap();
    let there: BTreeSet<String> = there.into_iter().map(|row| row.name).collect();
    assert_eq!(expected, there);
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn migrating_twice_changes_nothing(fixture: Fixture) {
    let again = Store::migrate(fixture.url.clone()).await.unwrap();
    assert_eq!(again.applied, Vec::<String>::new());
}

async fn tables_that_lack_a_migration_are_refused_with_what_to_type(fixture: Fixture) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let all = std::fs::read_dir(folder).unwrap().count();
    fixture.by_hand("DELETE FROM __diesel_schema_migrations").unwrap();
    let error = Store::open(StoreOptions::new(fixture.url.clone()), fixture.vault.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { pending, .. } if pending == all), "{error}");
    assert!(error.to_string().contains("ardoise migrate"), "{error}");
    fixture.by_hand("DROP TABLE __diesel_schema_migrations").unwrap();
    let error = Store::open(StoreOptions::new(fixture.url.clone()), fixture.vault.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotMigrated { pending, .. } if pending == all), "{error}");
}

async fn a_ping_answers(fixture: Fixture) {
    fixture.store.ping().await.unwrap();
}

async fn a_value_that_is_not_ours_is_named_with_its_row(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    fixture.by_hand("UPDATE tablets SET serial = '?'").unwrap();
    let error = fixture.store.read(move |tx| tablets::get(tx, &enrolled.tablet)).await.unwrap_err();
    match error {
        StoreError::Corrupt { table, row, column } => {
            assert_eq!((table, row, column), ("tablets", enrolled.tablet.to_string(), "serial"));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new(Engine::Sqlite).await;
    fixture.enrolled(1).await;
    for name in ["ardoise.db", "ardoise.db-wal"] {
        let mode = std::fs::metadata(fixture.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_missing_sqlite_file_is_not_created_by_serving() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::sqlite(folder.path().join("none.db"));
    let vault = crate::Vault::parse(&crate::Vault::generate_key_line("k")).unwrap();
    let error = Store::open(StoreOptions::new(url), vault).await.unwrap_err();
    assert!(error.to_string().contains("ardoise migrate"), "{error}");
    assert!(!folder.path().join("none.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_is_missed_and_not_replaced_by_an_empty_one() {
    // A name that a URI would read in another way.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tablettes 100% #1?.db");
    let url = DatabaseUrl::sqlite(&path);
    Store::migrate(url.clone()).await.unwrap();
    assert!(path.exists() && connect(&url).is_ok());
    std::fs::rename(&path, folder.path().join("elsewhere.db")).unwrap();
    let error = connect(&url).err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_left_for_another_connection() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let set = |how: &str| {
        format!(
            "BEGIN TRANSACTION READ WRITE; \
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {how}', current_database()); END $$; COMMIT"
        )
    };
    fixture.by_hand(&set("SET default_transaction_read_only = on")).unwrap();
    fixture.by_hand(TERMINATE).unwrap();
    let refused = fixture.store.write(|tx| settings::set(tx, "a", "1")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    fixture.by_hand(&set("RESET default_transaction_read_only")).unwrap();
    // Nothing was restarted, and the connections that were read-only are gone.
    fixture.write(|tx| settings::set(tx, "a", "1")).await;
}

/// Ends every session of this database.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_serving_role_can_work_and_back_up_but_not_lift_a_trigger_nor_cut_the_audit_log() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let database = fixture.postgresql.as_ref().unwrap();
    let role = format!("serving_{}", uuid::Uuid::new_v4().simple());
    fixture.by_hand(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    Store::grant(fixture.url.clone(), role.clone()).await.unwrap();
    let serving = database.url_as(Some(&role));

    let owner = StoreOptions { refuse_owner: true, ..StoreOptions::new(fixture.url.clone()) };
    let refused = Store::open(owner, fixture.vault.clone()).await.unwrap_err();
    assert!(matches!(refused, StoreError::OwnerRole { .. }), "{refused}");

    let options = StoreOptions { refuse_owner: true, pool_size: 2, ..StoreOptions::new(serving.clone()) };
    let store = Store::open(options, fixture.vault.clone()).await.unwrap();
    store
        .write(|tx| {
            let actor = types::Actor::Host;
            crate::audit::append(tx, &crate::audit::NewEntry::new(at(0), actor, "test"))?;
            settings::set(tx, "a", "1")
        })
        .await
        .unwrap();
    drop(store);
    let backup = fixture.folder.path().join("backup");
    Store::backup(serving.clone(), backup.clone()).await.unwrap();
    assert!(std::fs::metadata(backup).unwrap().len() > 1000);

    use diesel::connection::SimpleConnection as _;
    let mut connection = connect(&serving).unwrap();
    for forbidden in [
        "DROP TRIGGER commands_before_insert ON commands",
        "ALTER TABLE commands DISABLE TRIGGER ALL",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM erase_orders",
        "TRUNCATE commands",
        "SET session_replication_role = replica",
    ] {
        assert!(connection.batch_execute(forbidden).is_err(), "{forbidden}");
    }
    drop(connection);
    fixture.by_hand(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_cut_are_replaced_unnoticed() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let enrolled = fixture.enrolled(1).await;
    fixture.by_hand(TERMINATE).unwrap();
    assert_eq!(fixture.connect(enrolled, None, true, 1).await.enrolment.id, enrolled.enrolment);
    fixture.write(|tx| settings::set(tx, "a", "1")).await;
}
