//! What was kept for long enough is forgotten, in bounded batches, and nothing that a rule still needs
//! (C3.1.6).

mod needed;
mod plans;
mod rows;

use privacy::{Keeps, Left, RetentionClass, cut_off, prove};
use types::Instant;

use super::fixture::{Fixture, at};
use crate::purge::{self, Purge};
use crate::tests::on_both_engines;
use crate::{declarations, observations};
use rows::{CASES, TERMS, insert_audit};

on_both_engines! {
    c3_1_6_each_class_forgets_what_is_old_in_batches_and_keeps_what_is_not,
    c3_1_6_an_empty_database_has_nothing_to_forget,
    t_c20_the_body_of_an_old_entry_of_the_audit_log_is_emptied_and_the_entry_stays,
    c3_1_6_the_account_of_purges_is_in_order_once_they_were_done,
}

/// What is older than this many seconds goes: the first three of the [`TERMS`].
const BEFORE: i64 = 1_000;

async fn forget(fixture: &Fixture, purge: Purge, before: i64, limit: u32) -> usize {
    fixture.write(move |tx| (purge.batch)(tx, at(before), limit)).await
}

async fn oldest(fixture: &Fixture, purge: Purge) -> Option<Instant> {
    fixture.read(move |tx| (purge.oldest)(tx)).await
}

async fn c3_1_6_each_class_forgets_what_is_old_in_batches_and_keeps_what_is_not(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for rows::Case { class, insert } in CASES {
        insert(&fixture, enrolled);
        let purge = purge::of(*class).unwrap();
        assert_eq!(oldest(&fixture, purge).await, Some(at(TERMS[0])), "{class}");
        assert_eq!(
            forget(&fixture, purge, TERMS[0], 10).await,
            0,
            "{class}: a term that ends now is not over"
        );
        assert_eq!(forget(&fixture, purge, BEFORE, 0).await, 0, "{class}");
        assert_eq!(forget(&fixture, purge, BEFORE, 2).await, 2, "{class}: no more than it was asked for");
        assert_eq!(oldest(&fixture, purge).await, Some(at(TERMS[2])), "{class}: the oldest go first");
        assert_eq!(forget(&fixture, purge, BEFORE, 2).await, 1, "{class}: fewer, so nothing is left");
        assert_eq!(forget(&fixture, purge, BEFORE, 2).await, 0, "{class}");
        assert_eq!(oldest(&fixture, purge).await, Some(at(TERMS[3])), "{class}: what is not old stays");
    }
    // Whatever went, the tablet is still there, and can still be told from others.
    assert_eq!(fixture.connect(enrolled, None, true, BEFORE).await.enrolment.id, enrolled.enrolment);
}

async fn c3_1_6_an_empty_database_has_nothing_to_forget(fixture: Fixture) {
    for class in RetentionClass::ALL {
        let Some(purge) = purge::of(*class) else { continue };
        assert_eq!(oldest(&fixture, purge).await, None, "{class}");
        assert_eq!(forget(&fixture, purge, BEFORE, purge::MOST).await, 0, "{class}");
    }
}

async fn t_c20_the_body_of_an_old_entry_of_the_audit_log_is_emptied_and_the_entry_stays(fixture: Fixture) {
    insert_audit(&fixture, fixture.enrolled(1).await);
    let before = fixture.read(|tx| crate::audit::list(tx, &crate::audit::Filter::default(), None, 10)).await;
    assert_eq!(fixture.write(|tx| purge::audit(tx, at(BEFORE), 10)).await, 3);
    let after = fixture.read(|tx| crate::audit::list(tx, &crate::audit::Filter::default(), None, 10)).await;
    assert_eq!(after.len(), 5);
    for (before, after) in before.iter().zip(&after) {
        let emptied = crate::audit::Entry { reason: None, detail: None, ..before.clone() };
        assert_eq!(after, if before.at < at(BEFORE) { &emptied } else { before });
    }
}

async fn c3_1_6_the_account_of_purges_is_in_order_once_they_were_done(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for case in CASES {
        (case.insert)(&fixture, enrolled);
    }
    // Four years on, every term is over.
    let now = at(4 * 366 * 86_400);
    let account = |left: Vec<Left>| prove(&declarations(), &[], &left, now);
    assert!(!account(left(&fixture).await).is_in_order());
    for class in RetentionClass::ALL {
        let (Some(purge), Some(cut_off)) = (purge::of(*class), cut_off(*class, now)) else { continue };
        while fixture.write(move |tx| (purge.batch)(tx, cut_off, 2)).await > 0 {}
    }
    let account = account(left(&fixture).await);
    assert!(account.is_in_order(), "{}", account.in_words(privacy::Language::English));
    assert!(fixture.read(move |tx| observations::of_enrolment(tx, enrolled.enrolment)).await.is_empty());
}

async fn left(fixture: &Fixture) -> Vec<Left> {
    let mut left = Vec::new();
    for class in RetentionClass::ALL {
        if let Some(purge) = purge::of(*class) {
            left.push(Left { class: *class, oldest: oldest(fixture, purge).await });
        }
    }
    left
}

/// A class with a term that no purge keeps would be a promise to the DPO that nobody holds.
#[test]
fn c3_1_6_every_class_of_a_table_that_has_a_term_has_its_purge_and_its_test() {
    for table in declarations() {
        let has_a_term = matches!(table.class.rule().keeps, Keeps::For { .. });
        assert_eq!(
            purge::of(table.class).is_some(),
            has_a_term,
            "`{}` is kept as `{}`: write its batch in crates/store/src/purge and name it in `purge::of`",
            table.table,
            table.class
        );
        assert!(
            !has_a_term || CASES.iter().any(|case| case.class == table.class),
            "`{}` has no case in crates/store/src/tests/purge/rows.rs",
            table.class
        );
    }
}
