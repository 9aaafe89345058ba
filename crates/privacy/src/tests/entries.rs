//! An entry takes what it stores from the declarations, and its digest covers all of it.

use super::fixture::{ACCOUNTS, DECLARED, DECLARED_WITH_MORE, OBSERVATIONS, TABLETS, apps};
use crate::{
    Activity, Category, ColumnDeclaration, Datum, Entry, Gate, Holds, LegalBasis, Measure, Party, People,
    Recipient, RetentionClass, TableDeclaration, Text, Wording,
};

const WORDING: Wording = Wording {
    activity: Activity::AppInventory,
    gate: Gate::OffUntilValidated,
    purpose: Text::new("Savoir.", "To know."),
    basis: LegalBasis::PublicTask,
    because: Text::new("Parce que.", "Because."),
    parties: &[Party::Departement],
    people: &[People::Holders],
    categories: &[Category::ManagedApps],
    recipients: &[Recipient::Operators],
    outside_the_union: Text::new("Rien.", "Nothing."),
    measures: &[Measure::EncryptedTransport],
};

fn worded(wording: &'static Wording) -> Entry {
    Entry::worded(wording, DECLARED)
}

#[test]
fn an_entry_holds_the_columns_of_its_own_activity_and_no_other() {
    let names = |activity: Activity| {
        let entry = Entry::of(activity, DECLARED);
        entry.columns().map(|it| format!("{}.{}", it.table, it.column)).collect::<Vec<_>>()
    };
    assert_eq!(names(Activity::AccountsAndAudit), ["accounts.login"]);
    assert_eq!(names(Activity::DeviceManagement), ["observations.body", "tablets.serial"]);
    assert_eq!(names(Activity::AppInventory), ["observations.body"]);
    assert_eq!(names(Activity::Roster), [""; 0]);
    assert!(Entry::of(Activity::Roster, DECLARED).stores_nothing());
    assert_eq!(Entry::all(DECLARED).len(), Activity::ALL.len());
}

#[test]
fn c3_1_6_storing_more_less_otherwise_or_longer_gives_another_digest() {
    const MORE_COLUMNS: &[TableDeclaration] = DECLARED_WITH_MORE;
    const ANOTHER_KIND: &[TableDeclaration] = &[TableDeclaration {
        columns: &[ColumnDeclaration {
            name: "body",
            holds: Holds::Personal(&[Datum {
                activity: Activity::AppInventory,
                category: Category::DeviceState,
            }]),
        }],
        ..OBSERVATIONS
    }];
    const LONGER: &[TableDeclaration] =
        &[TableDeclaration { class: RetentionClass::Commands, ..OBSERVATIONS }];
    const ANOTHER_TABLE: &[TableDeclaration] = &[TableDeclaration { table: "reports", ..OBSERVATIONS }];
    const NOTHING: &[TableDeclaration] = &[ACCOUNTS, TABLETS];
    let present = apps().digest();
    for other in [MORE_COLUMNS, ANOTHER_KIND, LONGER, ANOTHER_TABLE, NOTHING] {
        assert_ne!(Entry::of(Activity::AppInventory, other).digest(), present, "{other:?}");
    }
}

#[test]
fn what_other_activities_store_and_the_order_of_tables_do_not_matter() {
    const ELSEWHERE: &[TableDeclaration] = &[OBSERVATIONS];
    const OTHER_ORDER: &[TableDeclaration] = &[OBSERVATIONS, TABLETS, ACCOUNTS];
    assert_eq!(Entry::of(Activity::AppInventory, ELSEWHERE).digest(), apps().digest());
    assert_eq!(Entry::of(Activity::AppInventory, OTHER_ORDER).digest(), apps().digest());
}

#[test]
fn c3_1_6_every_word_of_an_entry_is_in_its_digest() {
    const CHANGED: &[Wording] = &[
        Wording { activity: Activity::Notices, ..WORDING },
        Wording { gate: Gate::FromTheStart(Text::new("Vite.", "Soon.")), ..WORDING },
        Wording { purpose: Text::new("Savoir.", "To know all."), ..WORDING },
        Wording { basis: LegalBasis::LegalObligation, ..WORDING },
        Wording { because: Text::new("Parce que !", "Because."), ..WORDING },
        Wording { parties: &[Party::Departement, Party::College], ..WORDING },
        Wording { people: &[People::Pupils], ..WORDING },
        Wording { categories: &[Category::ManagedApps, Category::Positions], ..WORDING },
        Wording { recipients: &[Recipient::Authorities], ..WORDING },
        Wording { outside_the_union: Text::new("Tout.", "Everything."), ..WORDING },
        Wording { measures: &[], ..WORDING },
    ];
    let present = worded(&WORDING).digest();
    for changed in CHANGED {
        assert_ne!(worded(changed).digest(), present, "{changed:?}");
    }
}

/// A validation of yesterday must stand today: a change of how the digest is made would void every one of them.
#[test]
fn the_digest_of_an_unchanged_entry_stays_the_same() {
    assert_eq!(
        worded(&WORDING).digest().to_string(),
        "d9ba927c9df6942c04f745fa8087cf678eb64b7842037333f097e78c3a989ddd"
    );
}

#[test]
fn a_column_of_a_kind_that_the_entry_does_not_name_is_found() {
    const POSITIONS: &[TableDeclaration] = &[TableDeclaration {
        table: "observations",
        class: RetentionClass::Observations,
        columns: &[ColumnDeclaration {
            name: "where_it_was",
            holds: Holds::Personal(&[Datum {
                activity: Activity::AppInventory,
                category: Category::Positions,
            }]),
        }],
    }];
    assert_eq!(apps().unworded(), []);
    let unworded = Entry::of(Activity::AppInventory, POSITIONS).unworded();
    assert_eq!(unworded.iter().map(|it| it.column).collect::<Vec<_>>(), ["where_it_was"]);
}

#[test]
fn every_code_reads_back_and_an_unknown_one_is_named() {
    for activity in Activity::ALL {
        assert_eq!(activity.code().parse::<Activity>().as_ref(), Ok(activity));
    }
    for class in RetentionClass::ALL {
        assert_eq!(class.code().parse::<RetentionClass>().as_ref(), Ok(class));
    }
    let error = "apps".parse::<Activity>().unwrap_err().to_string();
    assert!(
        error.starts_with("`apps` is no activity of the register") && error.contains("app-inventory"),
        "{error}"
    );
}
