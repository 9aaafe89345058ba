//! What someone with a database shell may try on the rows that dangerous commands rest on, and on the audit log:
//! write over them, delete them, empty them.
//!
//! Whoever owns the tables can lift the triggers. These statements do not, and nothing here gets through.

use types::{Actor, EnrolmentEndId, EraseOrderId, IncidentId, IncidentKind, WarrantId};

use super::fixture::{Enrolled, Fixture, at, decided_order};
use crate::audit::{self, NewEntry};
use crate::enrolment_ends::{self, EnrolmentEnd};
use crate::erase_orders::{self, EraseOrder};
use crate::incidents::{self, Incident, IncidentState};
use crate::tests::cast::signer;
use crate::tests::on_both_engines;
use crate::warrants::{self, OrderState, Warrant};
use crate::{Engine, StoreError};

on_both_engines! {
    t_c20_the_audit_log_is_neither_cut_nor_written_over,
    t_c24_what_is_over_is_not_deleted_to_be_made_again,
    what_is_over_is_not_written_over,
    an_order_begins_open_and_names_its_own_tablet,
    a_gated_command_stays_to_be_read,
    kinds_that_erase_are_never_ordinary_rows,
}

/// One row of each kind, all of them over. The ids are the ones that an attacker would reuse.
async fn over(fixture: &Fixture, enrolled: Enrolled) {
    let (incident, warrant, _people) = fixture.sought(enrolled.tablet, 1_000).await;
    let (order, end) = (EraseOrderId::new(at(100)), EnrolmentEndId::new(at(100)));
    fixture
        .write(move |tx| {
            decided_order(
                tx,
                order,
                (enrolled.tablet, Some(enrolled.enrolment)),
                Some(incident),
                (100, 1000),
            )
            .and_then(|order| erase_orders::insert(tx, &order))?;
            enrolment_ends::insert(
                tx,
                &EnrolmentEnd {
                    id: end,
                    enrolment_id: enrolled.enrolment,
                    reason: "released".to_owned(),
                    decided_at: at(100),
                    decided_by: "host".to_owned(),
                    state: OrderState::Open,
                },
            )?;
            assert!(
                warrants::end(tx, warrant, at(300))?
                    && erase_orders::end(tx, order)?
                    && enrolment_ends::end(tx, end)?
            );
            assert!(incidents::close(tx, incident, at(200))?);
            Ok(())
        })
        .await;
}

fn assert_refused(fixture: &Fixture, statement: &str) {
    let refused = fixture.by_hand(statement);
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{statement}: {refused:?}");
}

/// As an attacker on SQLite has it: the checks of foreign keys belong to a connection, and may be off.
fn assert_refused_without_foreign_keys(fixture: &Fixture, statement: &str) {
    match fixture.store.engine() {
        Engine::Sqlite => {
            assert_refused(
                fixture,
                &format!("PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF; {statement}"),
            );
        }
        Engine::Postgresql => assert_refused(fixture, statement),
    }
}

const FROZEN: [&str; 5] = ["incidents", "warrants", "erase_orders", "enrolment_ends", "certificates"];

async fn t_c20_the_audit_log_is_neither_cut_nor_written_over(fixture: Fixture) {
    fixture
        .write(|tx| {
            audit::append(
                tx,
                &NewEntry { reason: Some("one".into()), ..NewEntry::new(at(1), Actor::Host, "link.create") },
            )
        })
        .await;
    let before = fixture.read(|tx| audit::list(tx, &audit::Filter::default(), None, 10)).await;
    match fixture.store.engine() {
        Engine::Sqlite => {
            for statement in [
                "INSERT OR REPLACE INTO audit (seq, id, at, actor, action) SELECT seq, 'x', at, 'me', action FROM audit",
                "REPLACE INTO audit (id, at, actor, action) SELECT id, at, 'me', action FROM audit",
                "UPDATE OR REPLACE audit SET actor = 'me'",
            ] {
                assert_refused_without_foreign_keys(&fixture, statement);
            }
        }
        Engine::Postgresql => {
            assert_refused(&fixture, "TRUNCATE audit");
            assert_refused(
                &fixture,
                "INSERT INTO audit (id, at, actor, action) SELECT id, at, 'me', action FROM audit \
                 ON CONFLICT (id) DO UPDATE SET actor = EXCLUDED.actor",
            );
            assert_refused(
                &fixture,
                "WITH gone AS (DELETE FROM audit RETURNING 1) SELECT count(*) FROM gone",
            );
        }
    }
    assert_eq!(fixture.read(|tx| audit::list(tx, &audit::Filter::default(), None, 10)).await, before);
    // The log goes on.
    fixture.write(|tx| audit::append(tx, &NewEntry::new(at(2), Actor::Host, "link.revoke"))).await;
}

async fn t_c24_what_is_over_is_not_deleted_to_be_made_again(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    over(&fixture, enrolled).await;
    for table in FROZEN {
        assert_refused_without_foreign_keys(&fixture, &format!("DELETE FROM {table}"));
    }
    if fixture.store.engine() == Engine::Postgresql {
        for table in FROZEN {
            assert_refused(&fixture, &format!("TRUNCATE {table} CASCADE"));
        }
        assert_refused(&fixture, "TRUNCATE tablets CASCADE");
    }
}

async fn what_is_over_is_not_written_over(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    over(&fixture, enrolled).await;
    let again = [
        "incidents SELECT id, tablet_id, kind, 'open', opened_at, NULL FROM incidents",
        "warrants SELECT id, incident_id, tablet_id, 'open', opens_at, expires_at, fixes, interval_ms, \
         NULL FROM warrants",
        "erase_orders SELECT id, tablet_id, enrolment_id, cause, 'open', not_before, expires_at, \
         restitution_id, decision_id, loan_id FROM erase_orders",
        "enrolment_ends SELECT id, enrolment_id, reason, decided_at, decided_by, 'open' FROM enrolment_ends",
        "certificates SELECT sha256, enrolment_id, authority_fingerprint, serial_number, 'confirmed', issued_at, \
         not_after, first_used_at, renewed_from FROM certificates",
    ];
    for row in again {
        let statement = match fixture.store.engine() {
            Engine::Sqlite => format!("INSERT OR REPLACE INTO {row}"),
            Engine::Postgresql => {
                let (table, _select) = row.split_once(' ').unwrap();
                let (key, column) =
                    if table == "certificates" { ("sha256", "state") } else { ("id", "state") };
                format!("INSERT INTO {row} ON CONFLICT ({key}) DO UPDATE SET {column} = EXCLUDED.{column}")
            }
        };
        assert_refused_without_foreign_keys(&fixture, &statement);
    }
}

/// SQLite deletes what stands at the same rowid too, and names it as no column of ours.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_over_by_its_place_in_the_file() {
    let fixture = Fixture::new(Engine::Sqlite).await;
    let enrolled = fixture.enrolled(1).await;
    over(&fixture, enrolled).await;
    let ordinary = fixture.queue(enrolled, 10).await;
    erase_by_hand(&fixture, enrolled).await;
    for table in FROZEN {
        for statement in [
            format!("UPDATE OR REPLACE {table} SET rowid = rowid"),
            format!("INSERT OR REPLACE INTO {table} (rowid) SELECT rowid FROM {table}"),
        ] {
            assert!(
                fixture.by_hand(&format!("PRAGMA foreign_keys = OFF; {statement}")).is_err(),
                "{statement}"
            );
        }
    }
    let at_its_place = "(SELECT rowid FROM commands WHERE id = 'erase')";
    for statement in [
        format!("UPDATE OR REPLACE commands SET rowid = {at_its_place} WHERE id = '{ordinary}'"),
        format!(
            "INSERT OR REPLACE INTO commands (rowid, id, enrolment_id, tablet_id, request_type, gate, priority, \
             urgent, state, queued_at, queued_by, sent_count, not_now_count) VALUES ({at_its_place}, 'other', '{}', \
             '{}', 'ProfileList', 'ordinary', 0, 0, 'queued', 5, 'me', 0, 0)",
            enrolled.enrolment, enrolled.tablet
        ),
    ] {
        assert_refused_without_foreign_keys(&fixture, &statement);
    }
}

/// Queues an erasure under an order, both by hand, once the brake has let it go.
async fn erase_by_hand(fixture: &Fixture, enrolled: Enrolled) {
    fixture.count(types::DestructionKind::Erase, "order", 0).await;
    let me = fixture.write(signer).await;
    fixture
        .by_hand(&format!(
            "INSERT INTO last_decisions (id, kind, tablet_id, reason, begun_at) \
             VALUES ('decision', 'retirement', '{0}', 'worn out', 0); \
             UPDATE last_decisions SET departement_by = '{me}', departement_at = 0 WHERE id = 'decision'; \
             INSERT INTO erase_orders VALUES ('order', '{0}', NULL, 'retirement', 'open', 0, 10, NULL, 'decision', NULL); \
             INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, erase_order_id, priority, urgent, \
             state, queued_at, queued_by, sent_count, not_now_count) VALUES ('erase', '{1}', '{0}', 'EraseDevice', \
             'erase', 'order', 0, (1 = 0), 'queued', 5, 'me', 0, 0)",
            enrolled.tablet, enrolled.enrolment
        ))
        .unwrap();
}

async fn an_order_begins_open_and_names_its_own_tablet(fixture: Fixture) {
    let mine = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    let right = fixture
        .write(move |tx| {
            let mine = (mine.tablet, Some(mine.enrolment));
            decided_order(tx, EraseOrderId::new(at(100)), mine, None, (100, 1000))
        })
        .await;
    let order = |enrolment| EraseOrder { enrolment_id: Some(enrolment), ..right.clone() };
    for wrong in [order(other.enrolment), EraseOrder { state: OrderState::Ended, ..order(mine.enrolment) }] {
        let refused = fixture.store.write(move |tx| erase_orders::insert(tx, &wrong)).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    }
    fixture.write(move |tx| erase_orders::insert(tx, &right)).await;

    // A warrant lasts 168 hours at most (M1).
    let incident = IncidentId::new(at(100));
    let open = Incident {
        id: incident,
        tablet_id: mine.tablet,
        kind: IncidentKind::Loss,
        state: IncidentState::Open,
        opened_at: at(100),
        closed_at: None,
    };
    fixture.write(move |tx| incidents::insert(tx, &open)).await;
    let warrant = |hours: i64| Warrant {
        id: WarrantId::new(at(100)),
        incident_id: incident,
        tablet_id: mine.tablet,
        state: OrderState::Open,
        opens_at: at(100),
        expires_at: at(100 + hours * 3600),
        fixes: 12,
        interval_ms: 900_000,
        ended_at: None,
    };
    let (longest, too_long) = (warrant(168), Warrant { expires_at: at(101 + 168 * 3600), ..warrant(168) });
    let refused = fixture.store.write(move |tx| warrants::insert(tx, &too_long)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    fixture.write(move |tx| warrants::insert(tx, &longest)).await;
}

async fn a_gated_command_stays_to_be_read(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let ordinary = fixture.queue(enrolled, 10).await;
    erase_by_hand(&fixture, enrolled).await;
    assert_refused_without_foreign_keys(&fixture, "DELETE FROM commands WHERE id = 'erase'");
    if fixture.store.engine() == Engine::Sqlite {
        assert_refused_without_foreign_keys(
            &fixture,
            &format!(
                "INSERT OR REPLACE INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, \
                 state, queued_at, queued_by, sent_count, not_now_count) VALUES ('erase', '{}', '{}', 'ProfileList', \
                 'ordinary', 0, 0, 'acknowledged', 5, 'me', 1, 0)",
                enrolled.enrolment, enrolled.tablet
            ),
        );
    } else {
        assert_refused(&fixture, "TRUNCATE commands CASCADE");
    }
    fixture.by_hand(&format!("DELETE FROM commands WHERE id = '{ordinary}'")).unwrap();
}

async fn kinds_that_erase_are_never_ordinary_rows(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for kind in ["EraseDevice", "DeleteUser", "LogOutUser", "EnableLostMode", "DeviceLocation"] {
        assert_refused(
            &fixture,
            &format!(
                "INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, state, \
                 queued_at, queued_by, sent_count, not_now_count) VALUES ('x', '{}', '{}', '{kind}', 'ordinary', 0, \
                 (1 = 0), 'queued', 5, 'me', 0, 0)",
                enrolled.enrolment, enrolled.tablet
            ),
        );
    }
}

/// SQLite has no TRUNCATE.
#[tokio::test]
async fn t_c20_no_table_whose_rows_are_kept_is_emptied_at_a_stroke() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    for table in ["apps", "app_files", "lost_modes"] {
        assert_refused(&fixture, &format!("TRUNCATE {table} CASCADE"));
    }
    // Tables with a trigger of rows (bit 0) on DELETE (bit 3), and none on TRUNCATE (bit 5).
    let guarded = fixture.by_hand(
        "DO $$ DECLARE bare text; BEGIN
            SELECT string_agg(DISTINCT c.relname::text, ', ') INTO bare
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND t.tgtype & 1 = 1 AND t.tgtype & 8 <> 0 AND NOT EXISTS
                (SELECT 1 FROM pg_trigger o WHERE o.tgrelid = t.tgrelid AND o.tgtype & 32 = 32);
            IF bare IS NOT NULL THEN RAISE EXCEPTION 'not guarded: %', bare; END IF;
        END $$",
    );
    guarded.unwrap();
}
