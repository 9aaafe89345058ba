//! What the PostgreSQL role that serves may do: everything that the program does, and nothing that would make the
//! past another.

use diesel::connection::SimpleConnection as _;
use types::{Actor, CommandId, DestructionKind, EraseOrderId};

use super::fixture::{Fixture, at, command, decided_order, delivery, destruction};
use crate::commands::{self, Command};
use crate::database::connect;
use crate::erase_orders;
use crate::{ConnectWrite, Engine, Store, accounts, audit, brake, destructions, role_grants};

/// Tables in which nothing is ever deleted.
const KEPT: [&str; 42] = [
    "audit",
    "audit_seals",
    "incidents",
    "warrants",
    "erase_orders",
    "enrolment_ends",
    "certificates",
    "organisations",
    "accounts",
    "account_makers",
    "role_grants",
    "role_grant_colleges",
    "countersignatures",
    "campaigns",
    "destructions",
    "brake",
    "purges",
    "persons",
    "loans",
    "restitutions",
    "notices",
    "last_decisions",
    "incident_declarations",
    "incident_papers",
    "warrant_grants",
    "position_requests",
    "positions",
    "position_looks",
    "warrant_notices",
    "notice_delays",
    "incident_confirmations",
    "warranty_verdicts",
    "replacements",
    "lists",
    "list_changes",
    "agreement_texts",
    "signatures",
    "restrictions",
    "supervision_exceptions",
    "mails",
    "paper_corrections",
    "noticed_corrections",
];

#[tokio::test(flavor = "multi_thread")]
async fn t_c20_a_serving_role_works_and_makes_no_other_past() {
    let mut fixture = Fixture::new(Engine::Postgresql).await;
    let role = format!("serving_{}", uuid::Uuid::new_v4().simple());
    fixture.by_hand(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    Store::grant(fixture.url.clone(), role.clone()).await.unwrap();
    // Granted again, as every migration does, it is the same.
    Store::grant(fixture.url.clone(), role.clone()).await.unwrap();
    let serving = fixture.postgresql.as_ref().unwrap().url_as(Some(&role));
    fixture.store = Fixture::open(&serving, &fixture.vault).await;

    // The day's work, as the role that serves.
    let cast = fixture.cast().await;
    let enrolled = fixture.enrolled(1).await;
    let order = EraseOrderId::new(at(100));
    let erase = Command {
        id: CommandId::new(at(200)),
        request_type: "EraseDevice".to_owned(),
        gate: orders::Gate::Erase,
        erase_order_id: Some(order),
        ..command(enrolled, 200)
    };
    let id = erase.id;
    fixture
        .write(move |tx| {
            destructions::record(tx, &destruction(DestructionKind::Erase, &order.to_string(), 100))?;
            decided_order(tx, order, (enrolled.tablet, None), None, (100, 1000))
                .and_then(|order| erase_orders::insert(tx, &order))?;
            commands::queue(tx, erase.clone(), None)?;
            let roles = role_grants::of_account(tx, cast.denis)?;
            role_grants::revoke(tx, roles[0].id, Some(cast.alice), at(150))?;
            accounts::describe(tx, cast.denis, "Denis", None)?;
            crate::purge::sessions(tx, at(0), 10)?;
            let mut entry = audit::NewEntry::new(at(0), Actor::Host, "test");
            entry.reason = Some("why".to_owned());
            audit::append(tx, &entry)?;
            audit::seal_batch(tx, i64::MIN, at(1), 10)?;
            crate::purge::audit(tx, at(1), 10)
        })
        .await;
    let write =
        ConnectWrite { deliver: Some(delivery(id)), ..ConnectWrite::new(enrolled.enrolment, at(210)) };
    assert!(fixture.store.connect_write(write).await.unwrap().delivered.is_some());
    assert!(fixture.write(|tx| brake::throw(tx, brake::Maker::Host, "a drill", at(220))).await);
    assert!(fixture.write(brake::release).await);

    let mut connection = connect(&serving).unwrap();
    let mut forbidden: Vec<String> = KEPT
        .iter()
        .flat_map(|table| [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")])
        .collect();
    forbidden.extend(
        [
            "DELETE FROM privacy_validations",
            "UPDATE audit SET actor = 'me'",
            "UPDATE audit SET at = 0",
            "UPDATE audit_seals SET digest = root",
            "UPDATE account_makers SET at = 0",
            "UPDATE role_grants SET role = 'administrator'",
            "UPDATE role_grant_colleges SET uai = '0765678B'",
            "UPDATE countersignatures SET purpose = 'other'",
            "UPDATE destructions SET day = '2020-01-01'",
            "UPDATE campaigns SET ceiling = 13000",
            "UPDATE purges SET removed = 0",
            "UPDATE notices SET loan_id = ''",
            "INSERT INTO brake (id, engaged) VALUES (2, FALSE)",
            "ALTER TABLE destructions DISABLE TRIGGER ALL",
            "DROP TRIGGER commands_under_the_brake_when_sent ON commands",
            "CREATE OR REPLACE FUNCTION commands_under_the_brake() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RETURN NEW; END $$",
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('x')",
        ]
        .map(str::to_owned),
    );
    for statement in forbidden {
        let refused = connection.batch_execute(&statement).map_err(|error| error.to_string());
        let why = refused.expect_err(&statement);
        assert!(why.contains("permission denied") || why.contains("must be owner"), "{statement}: {why}");
    }
    drop(connection);
    fixture.by_hand(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}
