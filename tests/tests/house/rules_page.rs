//! `docs/rules.md` says where each rule of the lending programme is enforced, and which test proves it.

use std::collections::BTreeMap;

use types::RuleId;

use crate::tree;

const PAGE: &str = "docs/rules.md";
const PLANNED: &str = "planned";

#[test]
fn every_rule_stands_once_on_the_page_and_no_other() {
    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    let expected: Vec<String> = RuleId::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(ids, expected, "{PAGE} lists other rules, or in another order, than `types::RuleId`");
}

#[test]
fn a_rule_said_to_be_enforced_is_named_in_that_file() {
    let files: BTreeMap<&str, &str> =
        tree::sources().iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    for Row { id, enforced, .. } in rows().iter().filter(|row| !row.planned()) {
        let paths = tree::quoted(enforced);
        assert!(!paths.is_empty(), "{PAGE}, {id}: name the files in backticks, or say `{PLANNED}`");
        for path in paths {
            let text: String = match files.get(path) {
                Some(text) => (*text).to_owned(),
                None => tree::read(path),
            };
            assert!(
                mentions(&text, id),
                "{PAGE}, {id}: {path} does not cite the rule (expected `{id}` or `{}`)",
                id.replace('.', "_")
            );
        }
    }
}

#[test]
fn a_rule_said_to_be_proved_has_that_test() {
    let tests = tree::tests();
    for Row { id, proved, .. } in rows().iter().filter(|row| !row.planned()) {
        let names = tree::quoted(proved);
        assert!(!names.is_empty(), "{PAGE}, {id}: an enforced rule names a test that proves it");
        for name in names {
            assert!(tests.contains(name), "{PAGE}, {id}: there is no test `{name}`");
        }
    }
}

#[test]
fn a_clause_is_not_taken_for_a_longer_one() {
    assert!(mentions("refused (C5.3.1).", "C5.3.1") && mentions("RuleId::C5_3_1)", "C5.3.1"));
    assert!(!mentions("C5.3.12", "C5.3.1") && !mentions("XM1", "M1") && !mentions("M12", "M1"));
}

struct Row {
    id: String,
    enforced: String,
    proved: String,
}

impl Row {
    /// Nothing claimed; a half claim is not planned, and fails.
    fn planned(&self) -> bool {
        self.enforced == PLANNED && self.proved == PLANNED
    }
}

fn rows() -> Vec<Row> {
    let page = tree::read(PAGE);
    let rows = page.lines().filter_map(tree::cells).filter_map(|cells| match cells.as_slice() {
        [id, _summary, enforced, proved] if !id.starts_with('-') && *id != "Rule" => {
            Some(Row { id: (*id).to_owned(), enforced: (*enforced).to_owned(), proved: (*proved).to_owned() })
        }
        _ => None,
    });
    rows.collect()
}

/// Whether the text cites the rule, as `C5.2.1` or as `C5_2_1`, and not a longer id.
fn mentions(text: &str, id: &str) -> bool {
    [id.to_owned(), id.replace('.', "_")].iter().any(|id| {
        let around: Vec<&str> = text.split(id.as_str()).collect();
        around.windows(2).any(|pair| {
            let [before, after] = pair else { return false };
            let mut following = after.chars();
            let goes_on = match following.next() {
                Some('.' | '_') => following.next().is_some_and(|letter| letter.is_ascii_digit()),
                Some(letter) => letter.is_alphanumeric(),
                None => false,
            };
            !before.chars().next_back().is_some_and(char::is_alphanumeric) && !goes_on
        })
    })
}
