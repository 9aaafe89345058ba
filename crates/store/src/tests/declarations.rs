//! Every column of every table is declared: what nobody declared would be missing in the register (C3.1.6,
//! C8.1).

use std::collections::{BTreeMap, BTreeSet};

use privacy::{
    Activity, ColumnDeclaration, Datum, Entry, Holds, Keeps, RetentionClass, TableDeclaration, cut_off,
};

use super::fixture::{Fixture, at};
use crate::declarations;
use crate::tests::engines::columns;
use crate::tests::on_both_engines;

on_both_engines! {
    c3_1_6_every_stored_column_is_declared_and_every_declared_column_is_stored,
}

async fn c3_1_6_every_stored_column_is_declared_and_every_declared_column_is_stored(fixture: Fixture) {
    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for column in columns(&fixture.url) {
        stored.entry(column.table_name).or_default().insert(column.column_name);
    }
    assert!(stored.len() >= 22, "only {} tables were found", stored.len());
    let differences = differences(&stored, &declarations());
    assert!(differences.is_empty(), "\n\n{}\n", differences.join("\n\n"));
}

/// How the tables differ from what is declared, each with what to type.
fn differences(stored: &BTreeMap<String, BTreeSet<String>>, declared: &[TableDeclaration]) -> Vec<String> {
    let mut differences = Vec::new();
    for (table, columns) in stored {
        let Some(declaration) = declared.iter().find(|it| it.table == table.as_str()) else {
            let names = columns.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            differences.push(format!(
                "The table `{table}` is not declared: the register would not show what it stores (C3.1.6). At the foot of \
                 its noun's file, crates/store/src/{table}.rs or the nearest, say what each of its columns holds:\n\n\
                 crate::declared::declares! {{\n    {table} kept as CLASS {{\n        \
                 personal(ACTIVITY: CATEGORY) {{ … }}\n        \
                 not_personal(\"why\") {{ {names} }}\n    }}\n}}\n\n\
                 CLASS, ACTIVITY and CATEGORY are names of `privacy::RetentionClass`, `privacy::Activity` and \
                 `privacy::Category`; move the columns to where they belong. Then add `crate::{table}::DECLARED,` to \
                 DECLARATIONS in crates/store/src/declared.rs."
            ));
            continue;
        };
        let names: BTreeSet<&str> = declaration.columns.iter().map(|column| column.name).collect();
        for column in columns.iter().filter(|column| !names.contains(column.as_str())) {
            differences.push(format!(
                "The column `{table}.{column}` is not declared: the register would not show it (C3.1.6). In the \
                 `declares!` block of `{table}` in crates/store/src, add `{column}` to a group, or add a group for it:\n\n        \
                 personal(ACTIVITY: CATEGORY) {{ {column} }}\n        not_personal(\"why\") {{ {column} }}\n\n\
                 If it is personal, the activity's validation is void from then on, and a DPO is asked again."
            ));
        }
        for column in names.iter().filter(|column| !columns.contains(**column)) {
            differences.push(format!(
                "The column `{table}.{column}` is declared and is not there any more: take `{column}` out of the \
                 `declares!` block of `{table}` in crates/store/src."
            ));
        }
        if names.len() < declaration.columns.len() {
            differences.push(format!(
                "A column of `{table}` is declared twice: name each once in its `declares!` block; what serves several \
                 activities is `personal(A: B, C: D) {{ column }}`."
            ));
        }
    }
    for declaration in declared.iter().filter(|it| !stored.contains_key(it.table)) {
        differences.push(format!(
            "The table `{table}` is declared and is not there any more: take its `declares!` block out of \
             crates/store/src, and its line out of DECLARATIONS in crates/store/src/declared.rs if its file has no other.",
            table = declaration.table
        ));
    }
    differences
}

fn table(columns: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    BTreeMap::from([("pupils".to_owned(), columns.iter().map(|name| (*name).to_owned()).collect())])
}

const NAME: ColumnDeclaration = ColumnDeclaration {
    name: "name",
    holds: Holds::Personal(&[Datum {
        activity: Activity::Roster,
        category: privacy::Category::PersonIdentity,
    }]),
};

const fn declared(columns: &'static [ColumnDeclaration]) -> TableDeclaration {
    TableDeclaration { table: "pupils", class: RetentionClass::Equipment, columns }
}

#[test]
fn c3_1_6_a_new_table_or_column_without_a_declaration_is_found_with_what_to_type() {
    assert_eq!(differences(&table(&["name"]), &[declared(&[NAME])]), [""; 0]);

    let new_table = differences(&table(&["id", "name"]), &[]);
    assert_eq!(new_table.len(), 1);
    for typed in [
        "declares! {\n    pupils kept as CLASS {",
        "not_personal(\"why\") { id, name }",
        "crate::pupils::DECLARED,",
    ] {
        assert!(new_table[0].contains(typed), "{}", new_table[0]);
    }

    let new_column = differences(&table(&["birth_date", "name"]), &[declared(&[NAME])]);
    assert_eq!(new_column.len(), 1);
    for typed in ["`pupils.birth_date`", "personal(ACTIVITY: CATEGORY) { birth_date }"] {
        assert!(new_column[0].contains(typed), "{}", new_column[0]);
    }
}

#[test]
fn a_declaration_of_what_is_gone_or_said_twice_is_found() {
    let gone = differences(&table(&[]), &[declared(&[NAME])]);
    assert!(gone[0].contains("take `name` out"), "{gone:?}");
    let gone = differences(&BTreeMap::new(), &[declared(&[NAME])]);
    assert!(gone[0].contains("take its `declares!` block out"), "{gone:?}");
    let twice = differences(&table(&["name"]), &[declared(&[NAME, NAME])]);
    assert!(twice[0].contains("declared twice"), "{twice:?}");
}

#[test]
fn c8_1_every_kind_of_data_that_is_stored_is_named_in_its_entry() {
    for entry in Entry::all(&declarations()) {
        assert_eq!(
            entry.unworded(),
            [],
            "the wording of `{}` in crates/privacy/src/entries does not name these kinds of data",
            entry.activity()
        );
    }
}

#[test]
fn c8_1_the_register_shows_what_is_stored_today() {
    let stores = |activity| !Entry::of(activity, &declarations()).stores_nothing();
    for activity in [
        Activity::AccountsAndAudit,
        Activity::DeviceManagement,
        Activity::AppInventory,
        Activity::Incidents,
        Activity::Geolocation,
        Activity::Roster,
        Activity::Lending,
        Activity::Notices,
    ] {
        assert!(stores(activity), "{activity}");
    }
    let declarations = declarations();
    let audit = declarations.iter().find(|table| table.table == "audit").unwrap();
    assert!(cut_off(audit.class, at(0)).is_some());
}

/// What tells of somebody has a term, or goes with its tablet, or names people by their numbers
/// only.
#[test]
fn c3_1_6_what_is_personal_has_a_term_or_goes_with_its_tablet_or_names_nobody() {
    let excused = [
        RetentionClass::Equipment,
        RetentionClass::Evidence,
        RetentionClass::Orders,
        RetentionClass::Organisations,
        RetentionClass::Loans,
    ];
    for table in declarations() {
        let personal = table.columns.iter().any(|column| matches!(column.holds, Holds::Personal(_)));
        let endless = matches!(table.class.rule().keeps, Keeps::While(_));
        assert!(
            !personal || !endless || excused.contains(&table.class),
            "{} holds personal data and is kept as `{}`, which has no term",
            table.table,
            table.class
        );
    }
}
