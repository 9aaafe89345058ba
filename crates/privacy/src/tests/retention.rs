//! The terms, in numbers.

use types::Duration;

use super::fixture::at;
use crate::{Forget, Keeps, RetentionClass, Term, cut_off};

/// The whole table in one look: a changed number is a decision, and shows here.
#[test]
fn each_class_is_kept_for_as_long_as_was_decided() {
    let terms: Vec<(&str, Option<(Term, Forget)>)> = RetentionClass::ALL
        .iter()
        .map(|class| match class.rule().keeps {
            Keeps::For { term, forget, .. } => (class.code(), Some((term, forget))),
            Keeps::While(_) => (class.code(), None),
        })
        .collect();
    let rows = |days| Some((Term::Days(days), Forget::Row));
    let years = |years| Some((Term::Years(years), Forget::Row));
    let bodies = |years| Some((Term::Years(years), Forget::Body));
    assert_eq!(
        terms,
        [
            ("equipment", None),
            ("configuration", None),
            ("organisations", None),
            ("work", None),
            ("evidence", None),
            ("observations", rows(180)),
            ("commands", years(1)),
            ("challenges", rows(30)),
            ("links", years(1)),
            ("takeovers", rows(90)),
            ("orphans", years(1)),
            ("alarms", years(1)),
            ("api-tokens", years(1)),
            ("sessions", rows(180)),
            ("accounts", bodies(3)),
            ("countersignatures", bodies(5)),
            ("orders", None),
            ("holders", bodies(1)),
            ("loans", None),
            ("audit", bodies(3)),
        ]
    );
}

#[test]
fn what_is_older_than_the_cut_off_is_due() {
    let day = Duration::from_secs(86_400);
    assert_eq!(cut_off(RetentionClass::Challenges, at(0)), Some(at(0).minus(day * 30)));
    assert_eq!(cut_off(RetentionClass::Audit, at(0)), Some(at(0).minus(day * 3 * 365)));
    assert_eq!(cut_off(RetentionClass::Equipment, at(0)), None);
}

/// What names somebody in the log is kept as long as what the log says, and no longer.
#[test]
fn an_account_is_forgotten_with_the_log_that_names_it() {
    assert_eq!(cut_off(RetentionClass::Accounts, at(0)), cut_off(RetentionClass::Audit, at(0)));
}

#[test]
fn every_rule_says_why_in_both_languages() {
    for class in RetentionClass::ALL {
        let because = class.rule().because;
        assert!(because.fr.ends_with('.') && because.en.ends_with('.'), "{class}");
    }
}
