//! The account of purges claims what was looked at, and says by how much a class is late.

use types::Duration;

use super::fixture::{ACCOUNTS, DAY, DECLARED, OBSERVATIONS, TABLETS, at};
use crate::{Left, PurgeAccount, PurgeDone, RetentionClass, TableDeclaration, Verdict, prove};

const TERM: i64 = 180 * DAY;

fn verdict(left: &[Left]) -> Verdict {
    prove(&[OBSERVATIONS], &[], left, at(0)).lines[0].verdict
}

fn oldest(seconds: i64) -> [Left; 1] {
    [Left { class: RetentionClass::Observations, oldest: Some(at(seconds)) }]
}

fn classes(account: &PurgeAccount) -> Vec<RetentionClass> {
    account.lines.iter().map(|line| line.class).collect()
}

#[test]
fn a_class_is_within_its_term_then_due_then_overdue() {
    assert_eq!(verdict(&[Left { class: RetentionClass::Observations, oldest: None }]), Verdict::WithinTerm);
    assert_eq!(verdict(&oldest(-TERM + 1)), Verdict::WithinTerm);
    assert_eq!(verdict(&oldest(-TERM)), Verdict::WithinTerm);
    assert_eq!(verdict(&oldest(-TERM - 1)), Verdict::Due { since: Duration::from_secs(1) });
    assert_eq!(verdict(&oldest(-TERM - 2 * DAY)), Verdict::Due { since: Duration::from_secs(2 * 86_400) });
    let late = Duration::from_secs(2 * 86_400 + 1);
    assert_eq!(verdict(&oldest(-TERM - 2 * DAY - 1)), Verdict::Overdue { by: late });
    // A term that runs from an instant to come, such as the expiry of a link that is still good.
    assert_eq!(verdict(&oldest(DAY)), Verdict::WithinTerm);
}

#[test]
fn what_nobody_looked_at_is_not_claimed() {
    let account = prove(&[OBSERVATIONS], &[], &[], at(0));
    assert_eq!(account.lines[0].verdict, Verdict::NotLookedAt);
    assert!(!account.is_in_order());
    assert!(prove(&[OBSERVATIONS], &[], &oldest(0), at(0)).is_in_order());
    assert!(!prove(&[OBSERVATIONS], &[], &oldest(-TERM - 3 * DAY), at(0)).is_in_order());
}

#[test]
fn every_class_of_a_declared_table_has_its_line_and_only_once() {
    const TWICE: &[TableDeclaration] = &[OBSERVATIONS, TABLETS, OBSERVATIONS, ACCOUNTS];
    let expected = [RetentionClass::Equipment, RetentionClass::Observations, RetentionClass::Accounts];
    assert_eq!(classes(&prove(TWICE, &[], &[], at(0))), expected);
    assert_eq!(classes(&prove(DECLARED, &[], &[], at(0))), expected);
    assert_eq!(prove(TWICE, &[], &[], at(0)).lines[0].verdict, Verdict::NoTerm);
}

#[test]
fn the_last_purge_is_told_and_all_of_them_are_counted() {
    let purge = |class, seconds, removed| PurgeDone {
        class,
        ran_at: at(seconds),
        older_than: at(seconds - TERM),
        removed,
    };
    let recorded = [
        purge(RetentionClass::Observations, -10, 7),
        purge(RetentionClass::Observations, -5, 3),
        purge(RetentionClass::Observations, -20, u64::MAX),
        purge(RetentionClass::Accounts, -1, 100),
    ];
    let account = prove(&[OBSERVATIONS], &recorded, &oldest(0), at(0));
    assert_eq!(account.lines[0].last, Some(recorded[1]));
    assert_eq!(account.lines[0].removed, u64::MAX, "counts do not wrap");
    assert_eq!(account.lines.len(), 1);
}
