//! A database of the first version is brought to the tables of this one, with what it holds.

use diesel_migrations::MigrationHarness as _;
use types::Actor;

use super::fixture::{Fixture, at, digest};
use super::postgresql::TestDatabase;
use crate::audit::{self, Filter, NewEntry};
use crate::connection::AnyConnection;
use crate::database::connect;
use crate::migrate::{POSTGRESQL, SQLITE};
use crate::{DatabaseUrl, Engine, Store, StoreError, Vault, api_tokens};

/// A database as the first version left it, with a token and an entry in its log.
fn first_version(url: &DatabaseUrl) {
    use diesel::connection::SimpleConnection as _;
    let mut connection = connect(url).unwrap();
    match &mut connection {
        AnyConnection::Sqlite(sqlite) => drop(sqlite.run_next_migration(SQLITE).unwrap()),
        AnyConnection::Postgresql(postgresql) => {
            drop(postgresql.run_next_migration(POSTGRESQL).unwrap());
        }
    }
    connection
        .batch_execute(&format!(
            "INSERT INTO api_tokens (id, secret_sha256, name, scope, created_at) \
             VALUES ('01999999-0000-7000-8000-000000000000', '{}', 'old', 'operate', 0); \
             INSERT INTO audit (id, at, actor, action, reason) \
             VALUES ('3f2b0c1e-0000-4000-8000-000000000000', 0, 'host', 'init', 'because')",
            digest(1)
        ))
        .unwrap();
}

async fn upgraded(url: DatabaseUrl) {
    first_version(&url);
    let applied = Store::migrate(url.clone()).await.unwrap().applied;
    // All but the first.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let later = std::fs::read_dir(folder).unwrap().count() - 1;
    assert_eq!(applied.len(), later, "{applied:?}");
    let vault = Vault::parse(&Vault::generate_key_line("test")).unwrap();
    let store = Fixture::open(&url, &vault).await;
    // Nobody's token opens nothing any more.
    let token = store.read(|tx| api_tokens::by_secret(tx, &digest(1))).await.unwrap().unwrap();
    assert_eq!((token.account_id, token.reach), (None, None));
    assert!(token.revoked_at.is_some());
    // The log goes on, and is sealed from its beginning.
    store
        .write(|tx| audit::append(tx, &NewEntry::new(at(0), Actor::Host, "database.migrate")))
        .await
        .unwrap();
    let seal = store.write(|tx| audit::seal_batch(tx, i64::MIN, at(1), 10)).await.unwrap().unwrap();
    assert_eq!((seal.number, seal.row_count), (1, 2));
    let (entries, link) = store
        .read(|tx| {
            Ok::<_, StoreError>((
                audit::list(tx, &Filter::default(), None, 10)?,
                audit::links(tx, 0, 1)?.pop(),
            ))
        })
        .await
        .unwrap();
    assert_eq!(entries[0].reason.as_deref(), Some("because"));
    let link = link.unwrap();
    let mut verifier = governance::chain::Verifier::new(&[]);
    verifier.seal(&link.seal, &link.rows);
    assert_eq!(verifier.finish().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_database_of_the_first_version_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ardoise.db");
    std::fs::File::create(&file).unwrap();
    upgraded(DatabaseUrl::sqlite(file)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_database_of_the_first_version_is_upgraded() {
    let database = TestDatabase::create();
    upgraded(database.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_before_may_serve_while_the_tables_are_newer() {
    for engine in [Engine::Sqlite, Engine::Postgresql] {
        let fixture = Fixture::new(engine).await;
        // What it writes names only the columns it knows.
        fixture
            .by_hand(&format!(
                "INSERT INTO api_tokens (id, secret_sha256, name, scope, created_at) \
                 VALUES ('01999999-0000-7000-8000-000000000000', '{}', 'old', 'operate', 0); \
                 INSERT INTO audit (id, at, actor, action) VALUES ('x', 0, 'host', 'token.create')",
                digest(1)
            ))
            .unwrap();
        assert_eq!(
            fixture.write(|tx| audit::seal_batch(tx, i64::MIN, at(1), 10)).await.unwrap().row_count,
            1
        );
    }
}
