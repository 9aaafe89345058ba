//! `docs/attacks.md` says which attacks are withstood, and by which tests.

use std::collections::BTreeSet;

use crate::tree;

const PAGE: &str = "docs/attacks.md";
const PLANNED: &str = "planned";

#[test]
fn every_attack_stands_once_on_the_page() {
    let ids: Vec<String> = rows().into_iter().map(|(id, _)| id).collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "an attack stands twice on {PAGE}");
    for (group, count) in [("A", 23), ("B", 10), ("C", 24)] {
        for number in 1..=count {
            let id = format!("T-{group}{number}");
            assert!(distinct.contains(&id), "{PAGE} does not list {id}");
        }
    }
}

#[test]
fn an_attack_said_to_be_withstood_has_tests_that_carry_its_id() {
    let tests = tree::tests();
    for (id, claim) in rows().iter().filter(|(_, claim)| claim != PLANNED) {
        let names = tree::quoted(claim);
        assert!(!names.is_empty(), "{PAGE}, {id}: name tests in backticks, or say `{PLANNED}`");
        for name in names {
            assert!(tests.contains(name), "{PAGE}, {id}: there is no test `{name}`");
            assert!(
                carries(name, id),
                "{PAGE}, {id}: the name of `{name}` does not carry `{}`",
                in_a_name(id)
            );
        }
    }
}

#[test]
fn a_test_carries_only_ids_of_known_attacks() {
    let known: BTreeSet<String> = rows().iter().map(|(id, _)| in_a_name(id)).collect();
    for name in tree::tests() {
        let Some(rest) = name.strip_prefix("t_") else { continue };
        let Some(id) = rest.split('_').next().filter(|id| is_id(id)) else { continue };
        assert!(known.contains(&format!("t_{id}")), "`{name}` carries an attack that {PAGE} does not list");
    }
}

/// Ids and claims, in the order of the page.
fn rows() -> Vec<(String, String)> {
    let page = tree::read(PAGE);
    let rows = page.lines().filter_map(tree::cells).filter_map(|cells| match cells.as_slice() {
        [id, _attack, claim] if id.starts_with("T-") => Some(((*id).to_owned(), (*claim).to_owned())),
        _ => None,
    });
    rows.collect()
}

/// `T-A1` as a test's name carries it: `t_a1`.
fn in_a_name(id: &str) -> String {
    id.to_lowercase().replace('-', "_")
}

/// A name may carry several ids: `t_a1_t_a3_…`; none may be the beginning of a longer number.
fn carries(name: &str, id: &str) -> bool {
    format!("_{name}_").contains(&format!("_{}_", in_a_name(id)))
}

fn is_id(text: &str) -> bool {
    text.strip_prefix(['a', 'b', 'c']).is_some_and(|number| number.parse::<u8>().is_ok())
}
