//! What is printed, as it is printed: a change of any form shows here, side by side with the former.
//!
//! `ARDOISE_WRITE_GOLDEN=1 cargo nextest run -p privacy golden` writes the files anew; read the difference.

use std::collections::BTreeMap;
use std::path::Path;

use super::fixture::{DAY, DECLARED, DECLARED_WITH_MORE, account, apps, at, validated};
use crate::{
    Activity, Entry, Language, Left, Masthead, PurgeAccount, PurgeDone, Register, RetentionClass, Validation,
    prove,
};

fn same_as(file: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden").join(file);
    if std::env::var_os("ARDOISE_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, printed).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let (at, expected, found) = golden
        .lines()
        .map(Some)
        .chain(std::iter::repeat(None))
        .zip(printed.lines().map(Some).chain([None]))
        .enumerate()
        .find_map(|(line, (golden, printed))| (golden != printed).then_some((line + 1, golden, printed)))
        .unwrap_or_default();
    assert!(
        golden == printed,
        "{file}:{at} is printed otherwise\n   golden: {expected:?}\n  printed: {found:?}\nif that is meant, run again \
         with ARDOISE_WRITE_GOLDEN=1 and read the difference"
    );
}

/// Device management is validated, the app inventory was until a column came, the rest was never looked at.
fn register() -> Register {
    let masthead = Masthead {
        controller: Some("Département de la Seine-Exemple, 1 place du Test".to_owned()),
        dpo: None,
        names: BTreeMap::from([(account(1), "Camille Dupuis".to_owned())]),
    };
    let validations: Vec<Validation> = [Entry::of(Activity::DeviceManagement, DECLARED), apps()]
        .iter()
        .map(|entry| validated(entry, at(-DAY)))
        .collect();
    Register::new(masthead, DECLARED_WITH_MORE, &validations, at(0))
}

fn account_of_purges() -> PurgeAccount {
    let done = PurgeDone {
        class: RetentionClass::Observations,
        ran_at: at(-3 * DAY),
        older_than: at(-183 * DAY),
        removed: 12,
    };
    let left = [
        Left { class: RetentionClass::Observations, oldest: Some(at(-181 * DAY)) },
        Left { class: RetentionClass::Accounts, oldest: Some(at(-1_200 * DAY)) },
    ];
    prove(DECLARED, &[done, PurgeDone { removed: 30, ran_at: at(-4 * DAY), ..done }], &left, at(0))
}

#[test]
fn the_register_as_csv_is_the_golden_one() {
    same_as("register.fr.csv", &register().to_csv(Language::French).unwrap());
    same_as("register.en.csv", &register().to_csv(Language::English).unwrap());
}

#[test]
fn the_register_as_a_page_is_the_golden_one() {
    same_as("register.fr.html", &register().to_html(Language::French));
    same_as("register.en.html", &register().to_html(Language::English));
}

#[test]
fn the_register_as_json_is_the_golden_one() {
    // A validation's id has random bits.
    let mut json = serde_json::to_value(register()).unwrap();
    for activity in json["activities"].as_array_mut().unwrap() {
        if let Some(id) = activity["status"]["validated"].get_mut("validation") {
            *id = "…".into();
        }
    }
    same_as("register.json", &(serde_json::to_string_pretty(&json).unwrap() + "\n"));
}

#[test]
fn the_account_of_purges_is_the_golden_one() {
    let account = account_of_purges();
    same_as("purges.fr.txt", &account.in_words(Language::French));
    same_as("purges.en.txt", &account.in_words(Language::English));
    same_as("purges.json", &(serde_json::to_string_pretty(&account).unwrap() + "\n"));
}
