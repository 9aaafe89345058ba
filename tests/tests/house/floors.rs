//! The floors: a room may use only rooms on lower floors, and some libraries live in one room only.

use std::collections::BTreeMap;

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};

use crate::tree;

/// Rooms and floors, lowest first. A new room is added here, in ARCHITECTURE.md, and nowhere else.
const FLOORS: &[&[&str]] = &[
    &["types"],
    &["apple", "android", "pki"],
    &["profiles", "incidents", "lending", "governance", "privacy"],
    &["orders"],
    &["store", "outbound"],
    &["fleet"],
    &["checkin", "console", "jobs"],
    &["server"],
    &["ardoise"],
];

/// Decisions are made up to this floor, and nothing is read or written.
const LAST_FLOOR_WITHOUT_IO: usize = 3;

/// Beside the house. `tablets` shares nothing with it, so that it cannot share a mistake; `testkit` sees
/// everything below the program; `whole` is these tests.
const BESIDE: &[&str] = &["tablets", "testkit", "whole"];

/// Libraries, by the beginning of their names, and the rooms that may depend on them.
const CONFINED: &[(&str, &[&str])] = &[
    ("actix", &["checkin", "console", "server"]),
    ("diesel", &["store"]),
    ("libsqlite3-sys", &["store"]),
    // The program's command line is a client of the API, and testkit holds the clients of tests.
    ("reqwest", &["outbound", "ardoise", "testkit"]),
    ("lettre", &["outbound"]),
];

/// Libraries that no room without I/O may have, except in its tests.
const IO_LIBRARIES: &[&str] =
    &["tokio", "hyper", "reqwest", "actix", "diesel", "tempfile", "tracing", "lettre", "libsqlite3-sys"];

/// What the same rooms may not name in their code. An address is a value; a socket is not.
const IO_NAMES: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "println!",
];

#[test]
fn every_room_has_a_floor() {
    let floors = floors();
    for package in &workspace().packages {
        let name = package.name.as_str();
        assert!(
            floors.contains_key(name) || BESIDE.contains(&name),
            "the room `{name}` has no floor: add it to FLOORS in {} and to ARCHITECTURE.md",
            file!()
        );
    }
}

#[test]
fn a_room_uses_only_rooms_on_lower_floors() {
    let floors = floors();
    let mut wrong = Vec::new();
    for (room, dependency) in our_dependencies() {
        let Some(floor) = floors.get(room.as_str()) else { continue };
        let name = dependency.name.as_str();
        let in_tests = dependency.kind == DependencyKind::Development;
        let allowed = match name {
            "tablets" | "testkit" => room == "ardoise" || in_tests,
            other => floors.get(other).is_some_and(|below| below < floor),
        };
        if !allowed {
            wrong.push(format!("{room} (floor {floor}) uses {name}"));
        }
    }
    assert!(wrong.is_empty(), "a room may use only rooms on lower floors:\n{}", wrong.join("\n"));
}

#[test]
fn simulated_tablets_share_nothing_with_the_server() {
    let used: Vec<_> = our_dependencies()
        .into_iter()
        .filter(|(room, _)| room == "tablets")
        .map(|(_, dependency)| dependency.name)
        .collect();
    assert!(used.is_empty(), "`tablets` uses {used:?}: a mistake shared with the server would go unseen");
}

#[test]
fn the_test_kit_is_not_used_by_what_it_tests() {
    for (room, dependency) in our_dependencies() {
        assert!(
            dependency.name != "testkit"
                || dependency.kind == DependencyKind::Development
                || ["ardoise", "whole"].contains(&room.as_str()),
            "`{room}` uses `testkit` outside its tests"
        );
        assert!(dependency.name != "ardoise" && dependency.name != "whole", "`{room}` uses the program");
    }
}

#[test]
fn no_job_has_a_path_of_its_own_to_the_database() {
    for (room, dependency) in our_dependencies() {
        let to_the_memory = room == "jobs" && ["store", "orders"].contains(&dependency.name.as_str());
        assert!(!to_the_memory, "`jobs` uses `{}`: what it does is a use case of `fleet`", dependency.name);
    }
    let jobs = tree::sources().iter().filter(|file| file.room() == Some("jobs"));
    let past_the_use_cases: Vec<String> = jobs
        .flat_map(|file| file.code_outside_tests().map(move |(number, line)| (&file.path, number, line)))
        .filter(|(_path, _number, line)| line.contains(".store()"))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect();
    assert!(past_the_use_cases.is_empty(), "a job calls a use case:\n{}", past_the_use_cases.join("\n"));
}

#[test]
fn some_libraries_live_in_one_place() {
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        for dependency in package.dependencies.iter().filter(|it| it.kind != DependencyKind::Development) {
            for (library, rooms) in CONFINED {
                if dependency.name.starts_with(library) && !rooms.contains(&package.name.as_str()) {
                    wrong.push(format!("{} has {}; only {rooms:?} may", package.name, dependency.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_that_decide_do_no_input_or_output() {
    let floors = floors();
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        let Some(floor) = floors.get(package.name.as_str()) else { continue };
        if *floor > LAST_FLOOR_WITHOUT_IO {
            continue;
        }
        for dependency in package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal) {
            if IO_LIBRARIES.iter().any(|library| dependency.name.starts_with(library)) {
                wrong.push(format!("{} depends on {}", package.name, dependency.name));
            }
        }
        for file in tree::sources().iter().filter(|file| file.room() == Some(package.name.as_str())) {
            for (number, line) in file.code_outside_tests() {
                if IO_NAMES.iter().any(|name| line.contains(name)) {
                    wrong.push(format!("{}:{number}: {}", file.path, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "floors 0 to {LAST_FLOOR_WITHOUT_IO} do no I/O:\n{}", wrong.join("\n"));
}

#[test]
fn versions_and_lints_are_chosen_in_one_place() {
    let mut wrong = Vec::new();
    for package in &workspace().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            wrong.push(format!("{} does not take the lints of the workspace", package.name));
        }
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            } else if section.contains("dependencies")
                && line.contains('=')
                && !line.starts_with('#')
                && !line.contains("workspace = true")
            {
                wrong.push(format!("{} chooses a version by itself: {line}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_at_the_door_names_every_room() {
    let map = tree::read("ARCHITECTURE.md");
    for package in &workspace().packages {
        let named = format!("`{}`", package.name);
        assert!(map.contains(&named), "ARCHITECTURE.md does not name {named}");
    }
}

fn floors() -> BTreeMap<&'static str, usize> {
    FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)))
        .collect()
}

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(tree::root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap()
}

/// Who uses which of our own rooms, tests included.
fn our_dependencies() -> Vec<(String, Dependency)> {
    let ours = |package: Package| {
        let room = package.name.to_string();
        let own = package.dependencies.into_iter().filter(|dependency| dependency.path.is_some());
        own.map(move |dependency| (room.clone(), dependency)).collect::<Vec<_>>()
    };
    workspace().packages.into_iter().flat_map(ours).filter(|(room, _)| room != "whole").collect()
}
