//! The pages a reader meets first lead where they say.

use crate::tree;

#[test]
fn every_page_is_reachable_from_the_readme() {
    let readme = tree::read("README.md");
    for page in pages().iter().filter(|page| page.starts_with("docs/")) {
        assert!(readme.contains(page.as_str()), "README.md does not mention {page}");
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    for page in pages() {
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = tree::read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = tree::root().join(folder).join(target);
            assert!(path.exists(), "{page} links to {link}, which does not exist");
        }
    }
}

#[test]
fn every_command_of_make_in_the_pages_exists() {
    let makefile = tree::read("Makefile");
    for page in pages() {
        let text = tree::read(&page);
        // In backticks or after a prompt: prose may make other things.
        for after in text.split(['`', '$']).filter_map(|piece| piece.trim_start().strip_prefix("make ")) {
            let Some(target) = after.split([' ', '\n']).next().filter(|target| !target.is_empty()) else {
                continue;
            };
            assert!(
                makefile.lines().any(|line| line.starts_with(&format!("{target}: "))),
                "{page} says `make {target}`, which the Makefile does not know"
            );
        }
    }
}

#[test]
fn every_alarm_is_explained_to_whoever_runs_the_server() {
    let page = tree::read("docs/operations.md");
    let source = tree::read("crates/fleet/src/watch.rs");
    let kinds: Vec<&str> = source
        .lines()
        .filter(|line| line.trim_start().starts_with("Self::") && line.contains("=> \""))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(kinds.len() >= 10, "{kinds:?}");
    for kind in kinds {
        assert!(
            page.contains(&format!("`{kind}`")),
            "docs/operations.md does not explain the alarm `{kind}`"
        );
    }
}

/// Every Markdown page of the top folder and of `docs/`.
fn pages() -> Vec<String> {
    let docs = tree::files("docs").into_iter().filter(|page| page.ends_with(".md"));
    ["README.md", "ARCHITECTURE.md"].map(ToOwned::to_owned).into_iter().chain(docs).collect()
}
