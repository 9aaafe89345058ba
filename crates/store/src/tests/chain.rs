//! The audit chain: sealed by one node at a time, whole after a purge, and found broken after any edit (T-C20).

use std::collections::BTreeSet;

use governance::chain::{Body, Finding, Verifier, body_digest};
use serde_json::json;
use types::{Actor, Instant};

use super::cast::{HERE, THERE, uai};
use super::fixture::{Fixture, at, tablet};
use crate::audit::{self, Filter, Link, NewEntry, Row, Seal};
use crate::tests::on_both_engines;
use crate::{Engine, Within, purge, tablets};

on_both_engines! {
    entries_are_sealed_in_batches_that_follow_each_other,
    two_nodes_that_seal_at_once_give_one_chain,
    an_entry_whose_transaction_ends_late_is_sealed_all_the_same,
    c3_1_6_a_purged_body_leaves_the_chain_whole,
    t_c20_an_edit_of_any_column_is_found,
    t_c20_entries_and_seals_that_are_taken_away_or_put_in_are_found,
    t_c20_seals_and_digests_are_put_on_once,
    what_another_program_wrote_without_digests_is_sealed,
    t_c1_the_log_is_listed_within_reach,
}

async fn append(fixture: &Fixture, count: i64) {
    for number in 0..count {
        let mut entry = NewEntry::new(at(number), Actor::Host, "link.create");
        entry.reason = Some(format!("reason {number}"));
        entry.detail = Some(json!({ "number": number, "École": true }));
        fixture.write(move |tx| audit::append(tx, &entry)).await;
    }
}

async fn seal(fixture: &Fixture, limit: u32) -> Option<Seal> {
    fixture.write(move |tx| audit::seal_batch(tx, i64::MIN, at(100), limit)).await
}

/// Every link, as verification and export read them.
async fn links(fixture: &Fixture) -> Vec<Link> {
    let (mut links, mut after): (Vec<Link>, i64) = (Vec::new(), 0);
    loop {
        let part = fixture.read(move |tx| audit::links(tx, after, 2)).await;
        let Some(last) = part.last() else { return links };
        after = last.seal.number;
        links.extend(part);
    }
}

/// What is wrong with the chain.
async fn flaws(fixture: &Fixture) -> Vec<Finding> {
    let mut verifier = Verifier::new(&[]);
    for link in links(fixture).await {
        verifier.seal(&link.seal, &link.rows);
    }
    for row in fixture.read(|tx| audit::without_a_seal(tx, i64::MIN, 100)).await {
        verifier.without_a_seal(&row, at(100));
    }
    verifier.finish().findings
}

/// The reason, the detail and the salt of an entry that was not emptied.
fn body(row: &Row) -> (String, String, Vec<u8>) {
    match &row.body {
        Body::Kept { salt, reason, detail } => {
            (reason.clone().unwrap(), detail.clone().unwrap(), salt.clone())
        }
        Body::Purged | Body::HalfPurged => panic!("it was emptied: {row:?}"),
    }
}

async fn entries_are_sealed_in_batches_that_follow_each_other(fixture: Fixture) {
    assert_eq!(seal(&fixture, 10).await, None);
    append(&fixture, 5).await;
    let first = seal(&fixture, 3).await.unwrap();
    assert_eq!((first.number, first.row_count), (1, 3));
    assert_eq!(first.previous.as_bytes(), &[0; 32]);
    let second = seal(&fixture, 3).await.unwrap();
    assert_eq!((second.number, second.row_count, second.previous), (2, 2, first.digest));
    assert_eq!(seal(&fixture, 3).await, None);
    assert_eq!(fixture.read(audit::last_seal).await.as_ref(), Some(&second));
    assert_eq!(fixture.read(|tx| audit::seals(tx, 1, 10)).await, std::slice::from_ref(&second));
    assert_eq!(fixture.read(|tx| audit::unsealed(tx, 0, 10)).await, []);
    let links = links(&fixture).await;
    assert_eq!(links.iter().map(|link| link.rows.len()).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(flaws(&fixture).await, []);
    // What is exported is what was written, to the letter.
    let row = &links[1].rows[1];
    assert_eq!(body(row).1, r#"{"number":4,"École":true}"#);
    assert_eq!(row.seal_number, Some(2));
    // Another program that reads this page gets the same digests.
    let pinned = body_digest(b"salt", Some("why"), None);
    assert_eq!(
        pinned,
        types::Digest::of(
            b"\x01\0\0\0\0\0\0\0\x0caudit body 1\x01\0\0\0\0\0\0\0\x04salt\x01\0\0\0\0\0\0\0\x03why\0"
        )
    );
}

async fn two_nodes_that_seal_at_once_give_one_chain(fixture: Fixture) {
    append(&fixture, 40).await;
    let other_node = Fixture::open(&fixture.url, &fixture.vault).await;
    let sealing: Vec<_> = [fixture.store.clone(), other_node.clone(), fixture.store.clone(), other_node]
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                let mut sealed = 0;
                loop {
                    match store.write(|tx| audit::seal_batch(tx, i64::MIN, at(100), 3)).await {
                        Ok(Some(seal)) => sealed += seal.row_count,
                        Ok(None) => return sealed,
                        Err(error) => assert!(error.is_passing(), "{error}"),
                    }
                }
            })
        })
        .collect();
    let mut sealed = 0;
    for one in sealing {
        sealed += one.await.unwrap();
    }
    assert_eq!(sealed, 40);
    let links = links(&fixture).await;
    assert_eq!(links.iter().map(|link| link.rows.len()).sum::<usize>(), 40);
    assert_eq!(flaws(&fixture).await, []);
}

async fn an_entry_whose_transaction_ends_late_is_sealed_all_the_same(fixture: Fixture) {
    if fixture.store.engine() == Engine::Postgresql {
        use diesel::connection::SimpleConnection as _;
        let mut late = crate::database::connect(&fixture.url).unwrap();
        late.batch_execute(
            "BEGIN; INSERT INTO audit (id, at, actor, action) VALUES ('late', 1790000000000, 'host', 'late')",
        )
        .unwrap();
        append(&fixture, 2).await;
        assert_eq!(seal(&fixture, 10).await.unwrap().row_count, 2);
        late.batch_execute("COMMIT").unwrap();
    } else {
        append(&fixture, 2).await;
        seal(&fixture, 10).await.unwrap();
        // Its place is before theirs.
        fixture
            .by_hand("INSERT INTO audit (seq, id, at, actor, action) VALUES (-5, 'late', 1790000000000, 'host', 'late')")
            .unwrap();
    }
    let second = seal(&fixture, 10).await.unwrap();
    assert_eq!(second.row_count, 1);
    assert!(second.first_seq < links(&fixture).await[0].seal.first_seq);
    assert_eq!(flaws(&fixture).await, []);
}

async fn c3_1_6_a_purged_body_leaves_the_chain_whole(fixture: Fixture) {
    append(&fixture, 6).await;
    seal(&fixture, 4).await.unwrap();
    let before = links(&fixture).await;
    // Sealed or not yet.
    assert_eq!(fixture.write(|tx| purge::audit(tx, at(5), 3)).await, 3);
    assert_eq!(fixture.write(|tx| purge::audit(tx, at(5), 30)).await, 2);
    assert_eq!(fixture.write(|tx| purge::audit(tx, at(5), 30)).await, 0);
    seal(&fixture, 4).await.unwrap();
    assert_eq!(flaws(&fixture).await, []);
    let after = links(&fixture).await;
    assert_eq!(after[0].seal, before[0].seal);
    for (purged, row) in after[0].rows.iter().zip(&before[0].rows) {
        assert_eq!(purged.body, Body::Purged);
        assert_eq!(purged.body_digest, row.body_digest);
        assert_eq!((&purged.actor, &purged.action, purged.at), (&row.actor, &row.action, row.at));
    }
    let entries = fixture.read(|tx| audit::list(tx, &Filter::default(), None, 10)).await;
    assert_eq!(entries.iter().filter(|entry| entry.reason.is_some()).count(), 1);
    // A purged body cannot be given another, nor its salt back.
    for edit in ["reason = 'another'", "detail = '{}'", "salt = body_digest"] {
        let edit = match fixture.store.engine() {
            Engine::Sqlite => edit.replace("salt = body_digest", "salt = x'00'"),
            Engine::Postgresql => edit.replace("salt = body_digest", "salt = '\\x00'"),
        };
        fixture.refused_by_hand(&format!("UPDATE audit SET {edit} WHERE salt IS NULL"));
    }
}

/// Lifts the guards of the log, as somebody who owns the host can.
fn lift_guards(fixture: &Fixture) {
    fixture
        .by_hand(match fixture.store.engine() {
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
        })
        .unwrap();
}

/// Runs a statement without the checks of foreign keys, expects a flaw, and runs another that mends it.
async fn assert_found(fixture: &Fixture, edit: &str, mend: &str) {
    let statement = |sql: &str| match fixture.store.engine() {
        Engine::Sqlite => format!("PRAGMA foreign_keys = OFF; {sql}"),
        Engine::Postgresql => sql.to_owned(),
    };
    fixture.by_hand(&statement(edit)).unwrap();
    let found = flaws(fixture).await;
    assert!(!found.is_empty(), "not found: {edit}");
    fixture.by_hand(&statement(mend)).unwrap();
    assert_eq!(flaws(fixture).await, [], "not mended: {mend}");
}

async fn t_c20_an_edit_of_any_column_is_found(fixture: Fixture) {
    append(&fixture, 4).await;
    seal(&fixture, 2).await.unwrap();
    seal(&fixture, 2).await.unwrap();
    lift_guards(&fixture);
    let links = links(&fixture).await;
    let (row, other) = (&links[0].rows[1], &links[0].rows[0]);
    let seq = row.seq;
    let (reason, detail, salt) = body(row);
    let texts = [
        ("id", Some(row.id.as_str())),
        ("actor", Some(row.actor.as_str())),
        ("action", Some(row.action.as_str())),
        ("tablet_id", row.tablet.as_deref()),
        ("enrolment_id", row.enrolment.as_deref()),
        ("order_ref", row.order.as_deref()),
        ("reason", Some(reason.as_str())),
        ("detail", Some(detail.as_str())),
    ];
    for (column, before) in texts {
        let before = before.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"));
        let mend = format!("UPDATE audit SET {column} = {before} WHERE seq = {seq}");
        for after in ["'x'", "''", "NULL"] {
            if after == before || (after == "NULL" && ["id", "actor", "action"].contains(&column)) {
                continue;
            }
            let edit = format!("UPDATE audit SET {column} = {after} WHERE seq = {seq}");
            assert_found(&fixture, &edit, &mend).await;
        }
    }
    assert_found(
        &fixture,
        &format!("UPDATE audit SET at = at + 1 WHERE seq = {seq}"),
        &format!("UPDATE audit SET at = at - 1 WHERE seq = {seq}"),
    )
    .await;
    // A text moved from one column to its neighbour.
    assert_found(
        &fixture,
        &format!("UPDATE audit SET actor = 'hostlink', action = '.create' WHERE seq = {seq}"),
        &format!("UPDATE audit SET actor = 'host', action = 'link.create' WHERE seq = {seq}"),
    )
    .await;
    // A body that was emptied without its salt, or with another digest to match another body.
    assert_found(
        &fixture,
        &format!("UPDATE audit SET reason = NULL, detail = NULL WHERE seq = {seq}"),
        &format!("UPDATE audit SET reason = '{reason}', detail = '{detail}' WHERE seq = {seq}"),
    )
    .await;
    let forged = body_digest(&salt, Some("forged"), None);
    assert_found(
        &fixture,
        &format!(
            "UPDATE audit SET reason = 'forged', detail = NULL, body_digest = '{forged}' WHERE seq = {seq}"
        ),
        &format!(
            "UPDATE audit SET reason = '{reason}', detail = '{detail}', body_digest = '{}' WHERE seq = {seq}",
            row.body_digest.unwrap()
        ),
    )
    .await;
    // Two entries that change places.
    let at_each = |one: Instant, another: Instant| {
        format!(
            "UPDATE audit SET at = CASE seq WHEN {seq} THEN {} ELSE {} END WHERE seq IN ({seq}, {})",
            one.as_millis(),
            another.as_millis(),
            other.seq
        )
    };
    assert_found(&fixture, &at_each(other.at, row.at), &at_each(row.at, other.at)).await;
    // The seals themselves.
    let first = &links[0].seal;
    for (column, before, after) in [
        ("row_count", first.row_count.to_string(), "3".to_owned()),
        ("first_seq", first.first_seq.to_string(), "0".to_owned()),
        ("last_seq", first.last_seq.to_string(), "99".to_owned()),
        ("root", format!("'{}'", first.root), format!("'{}'", first.digest)),
        ("previous", format!("'{}'", first.previous), format!("'{}'", first.digest)),
        ("digest", format!("'{}'", first.digest), format!("'{}'", first.root)),
        ("at", first.at.as_millis().to_string(), "0".to_owned()),
    ] {
        assert_found(
            &fixture,
            &format!("UPDATE audit_seals SET {column} = {after} WHERE number = 1"),
            &format!("UPDATE audit_seals SET {column} = {before} WHERE number = 1"),
        )
        .await;
    }
}

async fn t_c20_entries_and_seals_that_are_taken_away_or_put_in_are_found(fixture: Fixture) {
    append(&fixture, 6).await;
    for _ in 0..3 {
        seal(&fixture, 2).await.unwrap();
    }
    lift_guards(&fixture);
    let links = links(&fixture).await;
    let seq = links[1].rows[0].seq;
    // Away from under its seal, to under another, or out of the log.
    assert_found(
        &fixture,
        &format!("UPDATE audit SET seal_number = NULL WHERE seq = {seq}"),
        &format!("UPDATE audit SET seal_number = 2 WHERE seq = {seq}"),
    )
    .await;
    assert_found(
        &fixture,
        &format!("UPDATE audit SET seal_number = 3 WHERE seq = {seq}"),
        &format!("UPDATE audit SET seal_number = 2 WHERE seq = {seq}"),
    )
    .await;
    // One put in under a seal.
    let empty = body_digest(b"salt", None, None);
    let salt = match fixture.store.engine() {
        Engine::Sqlite => "x'73616c74'",
        Engine::Postgresql => "'\\x73616c74'",
    };
    assert_found(
        &fixture,
        &format!(
            "INSERT INTO audit (id, at, actor, action, salt, body_digest, seal_number) \
             VALUES ('put-in', 0, 'host', 'x', {salt}, '{empty}', 2)"
        ),
        "DELETE FROM audit WHERE id = 'put-in'",
    )
    .await;
    // A seal that goes with its entries is missed by the one after it.
    fixture
        .by_hand(match fixture.store.engine() {
            Engine::Sqlite => {
                "PRAGMA foreign_keys = OFF; DELETE FROM audit_seals WHERE number = 2; \
                 DELETE FROM audit WHERE seal_number = 2"
            }
            Engine::Postgresql => {
                "DELETE FROM audit_seals WHERE number = 2; DELETE FROM audit WHERE seal_number = 2"
            }
        })
        .unwrap();
    assert_eq!(flaws(&fixture).await, [Finding::SealMissing { number: 2 }]);
    // Numbered anew, the one after it still names the one that is gone.
    let third = &links[2].seal;
    let renumbered = Seal { number: 2, ..third.clone() };
    let digest = renumbered.computed();
    fixture
        .by_hand(&match fixture.store.engine() {
            Engine::Sqlite => format!(
                "PRAGMA foreign_keys = OFF; UPDATE audit_seals SET number = 2, digest = '{digest}' WHERE number = 3; \
                 UPDATE audit SET seal_number = 2 WHERE seal_number = 3"
            ),
            Engine::Postgresql => format!(
                "UPDATE audit_seals SET number = 2, digest = '{digest}' WHERE number = 3; \
                 UPDATE audit SET seal_number = 2 WHERE seal_number = 3"
            ),
        })
        .unwrap();
    assert_eq!(flaws(&fixture).await, [Finding::Unlinked { number: 2 }]);
}

async fn t_c20_seals_and_digests_are_put_on_once(fixture: Fixture) {
    append(&fixture, 2).await;
    let first = seal(&fixture, 1).await.unwrap();
    let other = "0".repeat(64);
    let insert = |number: i64, previous: &str| {
        format!(
            "INSERT INTO audit_seals (number, row_count, first_seq, last_seq, root, previous, digest, at) \
             VALUES ({number}, 1, 1, 1, '{other}', '{previous}', '{other}', 0)"
        )
    };
    for edit in [
        "UPDATE audit SET seal_number = NULL".to_owned(),
        "UPDATE audit SET body_digest = NULL".to_owned(),
        format!("UPDATE audit SET body_digest = '{other}'"),
        "UPDATE audit_seals SET at = 0".to_owned(),
        "DELETE FROM audit_seals".to_owned(),
        insert(1, &other),
        insert(3, &first.digest.to_string()),
        insert(2, &other),
        // Nothing is appended under a seal, or with half a body.
        "INSERT INTO audit (id, at, actor, action, seal_number) VALUES ('x', 0, 'host', 'x', 1)".to_owned(),
        format!(
            "INSERT INTO audit (id, at, actor, action, body_digest) VALUES ('x', 0, 'host', 'x', '{other}')"
        ),
    ] {
        fixture.refused_by_hand(&edit);
    }
    match fixture.store.engine() {
        Engine::Sqlite => {
            fixture.refused_by_hand("UPDATE audit SET salt = x'00'");
            fixture.refused_by_hand(&format!(
                "PRAGMA foreign_keys = OFF; {}",
                insert(1, &other).replace("INSERT INTO", "INSERT OR REPLACE INTO")
            ));
        }
        Engine::Postgresql => {
            fixture.refused_by_hand("UPDATE audit SET salt = '\\x00'");
            fixture.refused_by_hand("TRUNCATE audit_seals CASCADE");
            fixture.refused_by_hand(&format!(
                "{} ON CONFLICT (number) DO UPDATE SET root = EXCLUDED.root",
                insert(2, &first.digest.to_string()).replace("VALUES (2", "VALUES (1")
            ));
        }
    }
    assert_eq!(flaws(&fixture).await, []);
}

async fn what_another_program_wrote_without_digests_is_sealed(fixture: Fixture) {
    fixture
        .by_hand(
            "INSERT INTO audit (id, at, actor, action, reason, detail) \
             VALUES ('before', 5, 'host', 'link.create', 'why', '{ \"spaced\" : 1 }')",
        )
        .unwrap();
    append(&fixture, 1).await;
    // Not purged before it is known by a digest.
    assert_eq!(fixture.write(|tx| purge::audit(tx, Instant::from_millis(6), 10)).await, 0);
    fixture.refused_by_hand("UPDATE audit SET reason = NULL, detail = NULL WHERE id = 'before'");
    fixture
        .refused_by_hand(&format!("UPDATE audit SET body_digest = '{}' WHERE id = 'before'", "0".repeat(64)));
    let sealed = seal(&fixture, 10).await.unwrap();
    assert_eq!(sealed.row_count, 2);
    assert_eq!(flaws(&fixture).await, []);
    let row = &links(&fixture).await[0].rows[0];
    assert!(row.body_digest.is_some());
    assert_eq!(body(row).1, "{ \"spaced\" : 1 }");
    assert_eq!(fixture.write(|tx| purge::audit(tx, Instant::from_millis(6), 10)).await, 1);
    assert_eq!(flaws(&fixture).await, []);
}

async fn t_c1_the_log_is_listed_within_reach(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (here, mut there) = (tablet(1), tablet(2));
    there.uai = Some(uai(THERE));
    let ids = [Some(here.id), Some(there.id), None];
    let all = [here, there];
    fixture.write(move |tx| all.iter().try_for_each(|tablet| tablets::insert(tx, tablet))).await;
    for (number, tablet) in (0_i64..).zip(ids) {
        let actor = if number == 0 { Actor::Account(cast.alice) } else { Actor::Host };
        let entry = NewEntry { tablet, ..NewEntry::new(at(number), actor, "command.queue") };
        fixture.write(move |tx| audit::append(tx, &entry)).await;
    }
    for (within, expected) in [
        (Within::Everything, 3),
        (Within::Organisation(cast.here), 1),
        (Within::Organisation(cast.departement), 0),
        (Within::Colleges(BTreeSet::from([uai(HERE), uai(THERE)])), 2),
    ] {
        let filter = Filter { within, ..Filter::default() };
        let shown = format!("{filter:?}");
        let listed = fixture.read(move |tx| audit::list(tx, &filter, None, 10)).await;
        assert_eq!(listed.len(), expected, "{shown}");
    }
    let by_alice = Filter { actor: Some(Actor::Account(cast.alice)), ..Filter::default() };
    let listed = fixture.read(move |tx| audit::list(tx, &by_alice, None, 10)).await;
    assert_eq!(listed.len(), 1);
}
