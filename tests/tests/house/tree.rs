//! The source tree as the other tests read it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A Rust file of ours.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl Source {
    /// The room the file belongs to, if it is a room's.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the file holds nothing but tests.
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Numbered lines of code: no comments, and nothing from the first `#[cfg(test)]` module on.
    pub(crate) fn code_outside_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().filter(|_| !self.is_test());
        let lines = code.unwrap_or_default().lines().enumerate();
        lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(index, line)| (index + 1, line))
    }

    /// The names of the test functions in this file, whether marked one by one or listed for both engines.
    fn tests(&self) -> impl Iterator<Item = &str> {
        let mut marked = false;
        let single = self.text.lines().map(str::trim_start).filter_map(move |line| {
            if line.starts_with("#[") {
                // `#[test]`, `#[tokio::test(…)]`, `#[actix_web::test]`; not `#[cfg(test)]`.
                marked |= line.starts_with("#[test]") || line.contains("::test]") || line.contains("::test(");
                return None;
            }
            let (before, after) = line.split_once("fn ")?;
            let is_function = ["", "async ", "pub ", "pub(crate) "].contains(&before);
            let name = after.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
            (is_function && std::mem::take(&mut marked)).then_some(name)
        });
        let lists = self.text.split(LIST_FOR_BOTH_ENGINES).skip(1);
        let listed = lists.filter_map(|rest| rest.split('}').next()).flat_map(|list| list.split(','));
        single.chain(listed.map(str::trim)).filter(|name| !name.is_empty())
    }
}

/// The macro of `store` that makes two tests of each function it is given.
const LIST_FOR_BOTH_ENGINES: &str = "\non_both_engines! {";

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the repository as text.
pub(crate) fn read(path: &str) -> String {
    let file = root().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below `folder`, from the root of the repository, sorted.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every Rust file of ours.
pub(crate) fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let paths = [files("crates"), files("tests")].concat();
        let rust = paths.into_iter().filter(|path| path.ends_with(".rs"));
        rust.map(|path| Source { text: read(&path), path }).collect()
    })
}

/// The names of all test functions.
pub(crate) fn tests() -> BTreeSet<&'static str> {
    sources().iter().flat_map(Source::tests).collect()
}

/// The cells of a Markdown table's row, trimmed; none for any other line.
pub(crate) fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

/// What stands between backticks.
pub(crate) fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn a_test_is_found_whatever_runs_it() {
    let text = "#[test]\nfn plain() {}\n#[tokio::test(flavor = \"current_thread\")]\n    async fn waits() {}\n\
                #[cfg(test)]\nmod x {}\nfn helper() {}\n#[actix_web::test]\n#[should_panic]\nasync fn door() {}\n\
                on_both_engines! {\n    one,\n    other,\n}\nasync fn one(fixture: Fixture) {}";
    let source = Source { path: "crates/x/src/lib.rs".to_owned(), text: text.to_owned() };
    assert_eq!(source.tests().collect::<Vec<_>>(), ["plain", "waits", "door", "one", "other"]);
}
