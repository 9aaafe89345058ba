//! The catalogue beside what was published, and beside itself.

use std::collections::{BTreeMap, BTreeSet};

use apple::profile::{ERASING_KEYS, ErasingWire};

use super::generator::DESCRIBED;
use super::published;
use crate::catalogue::{
    ANDROID_ERASING_KEYS, Agent, Coverage, Entry, FactKind, Form, Kind, NOT_DESCRIBED, Section, Stricter,
    Writing, coverage, entries, find, holders, user_restrictions,
};

#[test]
fn an_entry_stands_once() {
    let all: Vec<String> = entries().map(ToString::to_string).collect();
    let once: BTreeSet<&String> = all.iter().collect();
    assert_eq!(all.len(), once.len());
}

/// `restrictions.csv` was transcribed apart from the YAML that the table is written from.
#[test]
fn the_176_restrictions_of_27_0_are_all_entries_with_the_published_facts() {
    let Some(csv) = published::read("apple-27.0/restrictions.csv") else { return };
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 176);
    let mut differences = Vec::new();
    for row in &rows {
        let Some(entry) = find(Section::Restrictions, &row["key"]) else {
            differences.push(format!("{}: no entry", row["key"]));
            continue;
        };
        let fact = entry.profile.unwrap().fact;
        let ours = [
            fact.since.to_string(),
            fact.deprecated.map(|at| at.to_string()).unwrap_or_default(),
            fact.removed.map(|at| at.to_string()).unwrap_or_default(),
            fact.supervised.to_string(),
            format!("{:?}", fact.kind).to_lowercase(),
        ];
        let introduced = if row["introduced"].is_empty() { "4.0" } else { &row["introduced"] };
        let theirs =
            [introduced, &row["deprecated"], &row["removed"], &row["supervised_required"], &row["type"]];
        if ours != theirs {
            differences.push(format!("{}: ours {ours:?}, theirs {theirs:?}", row["key"]));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(entries().filter(|entry| entry.section == Section::Restrictions).count(), 176);
}

#[test]
fn nothing_published_is_left_out_without_a_reason() {
    let mut undecided = Vec::new();
    for holder in holders() {
        for fact in holder.keys {
            match coverage(holder, fact) {
                None => undecided.push(format!("{} {}", holder.name, fact.key)),
                Some(Coverage::Left(why)) => println!("left out: {} {}: {why}", holder.name, fact.key),
                Some(Coverage::Entry(entry)) => {
                    if let Some(never) = entry.never {
                        println!("never set: {} {}: {}", holder.name, fact.key, never.why);
                    }
                }
                Some(_) => {}
            }
        }
    }
    assert!(undecided.is_empty(), "say in coverage.rs what becomes of:\n{}", undecided.join("\n"));
}

#[test]
fn every_kind_of_payload_declaration_and_setting_is_described_or_has_a_reason() {
    let Some(published) = published::holders() else { return };
    let described: BTreeSet<&str> = DESCRIBED.iter().map(|(_, _, name)| *name).collect();
    let left: BTreeSet<&str> = NOT_DESCRIBED.iter().map(|(name, _)| *name).collect();
    let names: BTreeSet<&str> = published.iter().map(|holder| holder.name.as_str()).collect();
    let ours: BTreeSet<&str> = described.union(&left).copied().collect();
    assert_eq!(ours, names);
    assert!(described.is_disjoint(&left));
    for (name, why) in NOT_DESCRIBED {
        println!("not described: {name}: {why}");
    }
}

/// Where tablets combine two declarations by a rule of their own, ours points the same way, or says why not.
#[test]
fn stricter_points_where_tablets_point_when_they_combine() {
    const OTHERWISE: &[(&str, &str)] = &[
        ("restrictions.allowRapidSecurityResponseInstallation", "a protection: off is not stricter"),
        ("passcode.pinHistory", "tablets keep the smaller history; more earlier codes refused is stricter"),
        ("software-update.RecommendedCadence", "the last one wins on tablets: no order"),
    ];
    let Some(published) = published::holders() else { return };
    let mut compared = 0;
    for entry in entries() {
        let Some(wire) = entry.declaration else { continue };
        let theirs = published
            .iter()
            .filter(|holder| holder.name == wire.holder.name)
            .flat_map(|holder| &holder.keys)
            .find(|key| key.path == wire.fact.key)
            .and_then(|key| key.combine.clone());
        let negated = wire.writing == Writing::Negated;
        let expected = match (theirs.as_deref(), negated) {
            (Some("boolean-and"), false) | (Some("boolean-or"), true) => vec![Stricter::False],
            (Some("boolean-or"), false) | (Some("boolean-and"), true) => vec![Stricter::True],
            (Some("number-max"), _) => vec![Stricter::Higher],
            (Some("number-min"), _) => vec![Stricter::Lower],
            (Some("set-intersection"), _) => vec![Stricter::AllowList],
            (Some("set-union"), _) => vec![Stricter::BlockList],
            (Some("enum-first"), _) => vec![Stricter::OrderedList],
            (Some("enum-last"), _) => vec![Stricter::Unordered],
            (other, _) => panic!("{entry}: {other:?}"),
        };
        let meant = OTHERWISE.iter().any(|(name, _)| *name == entry.to_string());
        assert!(
            meant || expected.contains(&entry.stricter),
            "{entry}: ours {:?}, tablets {theirs:?}",
            entry.stricter
        );
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn a_key_that_allows_is_stricter_when_false_except_the_protections() {
    const PROTECTIONS: &[&str] = &[
        "allowMailPrivacyProtection",
        "allowOTAPKIUpdates",
        "allowRapidSecurityResponseInstallation",
        "allowUSBRestrictedMode",
    ];
    let mut found = BTreeSet::new();
    for entry in
        entries().filter(|entry| entry.section == Section::Restrictions && entry.kind == Kind::Boolean)
    {
        let allows = entry.key.starts_with("allow") || entry.key.starts_with("safariAllow");
        let expected = if allows { Stricter::False } else { Stricter::True };
        if entry.stricter != expected {
            found.insert(entry.key);
        }
    }
    assert_eq!(found, PROTECTIONS.iter().copied().collect());
}

#[test]
fn what_a_value_may_be_is_what_every_wire_can_say() {
    for entry in entries() {
        for wire in entry.wires() {
            let fits = match (entry.kind, wire.writing, wire.fact.kind) {
                (Kind::Boolean, Writing::Same | Writing::Negated, FactKind::Boolean) => true,
                (Kind::Number { smallest, largest }, Writing::Same, FactKind::Integer) => {
                    let (least, most) = wire.fact.range;
                    least.is_none_or(|least| smallest >= least) && most.is_none_or(|most| largest <= most)
                }
                (Kind::Choice(words), Writing::Same, FactKind::String) => words == wire.fact.choices,
                (Kind::Choice(words), Writing::Words(theirs), FactKind::String) => {
                    words.len() == theirs.len() && theirs.iter().all(|word| wire.fact.choices.contains(word))
                }
                (Kind::Choice(words), Writing::Reals(theirs), FactKind::Real) => {
                    let theirs: Vec<String> = theirs.iter().map(|number| format!("{number:?}")).collect();
                    words.len() == theirs.len()
                        && theirs.iter().all(|number| wire.fact.choices.contains(&number.as_str()))
                }
                (Kind::Names { .. }, Writing::Same, FactKind::Array)
                | (Kind::Text(_), Writing::Same, FactKind::String) => true,
                _ => false,
            };
            assert!(fits, "{entry}: {:?} as {:?}, on the wire {:?}", entry.kind, wire.writing, wire.fact);
        }
    }
}

#[test]
fn ordered_words_and_exceptions_have_what_they_refer_to() {
    for entry in entries() {
        match entry.stricter {
            Stricter::OrderedList => assert!(matches!(entry.kind, Kind::Choice(_)), "{entry}"),
            Stricter::ExceptionsTo(key) => assert!(find(entry.section, key).is_some(), "{entry}"),
            Stricter::AllowList | Stricter::BlockList => {
                assert!(matches!(entry.kind, Kind::Names { .. }), "{entry}");
            }
            Stricter::Higher | Stricter::Lower => {
                assert!(matches!(entry.kind, Kind::Number { .. }), "{entry}")
            }
            Stricter::True | Stricter::False => assert_eq!(entry.kind, Kind::Boolean, "{entry}"),
            Stricter::Unordered => {}
        }
    }
}

#[test]
fn each_wire_carries_one_entry() {
    let mut carried: BTreeMap<(Form, &str, &str), &Entry> = BTreeMap::new();
    for entry in entries() {
        for wire in entry.wires() {
            let twice = carried.insert((wire.holder.form, wire.holder.name, wire.fact.key), entry);
            assert!(twice.is_none(), "{entry} and {twice:?} write the same key");
        }
    }
}

#[test]
fn every_restriction_of_android_is_published_and_belongs_to_one_entry() {
    let mut written: Vec<&str> = entries()
        .filter_map(|entry| if let Agent::Restrictions(names) = entry.agent { Some(names) } else { None })
        .flatten()
        .copied()
        .collect();
    written.sort_unstable();
    let known: BTreeSet<&str> = user_restrictions().iter().map(|restriction| restriction.name).collect();
    assert!(written.windows(2).all(|pair| pair[0] != pair[1]), "one name, two entries: {written:?}");
    assert!(written.iter().all(|name| known.contains(name)), "{written:?}");
    // Each has an entry by its own name, which may be set or says what to write instead.
    let named: BTreeSet<&str> = entries()
        .filter(|entry| entry.section == Section::AndroidRestrictions)
        .map(|entry| entry.key)
        .collect();
    assert_eq!(named, known);

    let Some(facts) = published::read("android.md") else { return };
    let list = facts.split("User restrictions: string").nth(1).unwrap().split("Not usable").next().unwrap();
    let mut theirs: BTreeMap<String, u16> = BTreeMap::new();
    let mut level = 0;
    for word in list.split([' ', ',', '\n', '(', ')']).map(|word| word.trim_end_matches('.')) {
        if let Some(number) = word.strip_suffix(':').and_then(|number| number.parse().ok()) {
            level = number;
        } else if word.contains('_') {
            theirs.insert(word.to_owned(), level);
        } else if let Ok(number) = word.parse::<u16>() {
            // "36 (35 or 36 not certain):" names its level before the brackets.
            if number == 36 {
                level = number;
            }
        }
    }
    let ours: BTreeMap<String, u16> =
        user_restrictions().iter().map(|one| (one.name.to_owned(), one.since)).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn every_field_of_the_agents_configuration_is_an_entry() {
    let Some(facts) = published::read("android.md") else { return };
    let section = facts.split("### A.5 ").nth(1).unwrap().split("\nApplication: ").next().unwrap();
    let mut published = BTreeSet::new();
    let words: Vec<&str> = section.split([' ', '\n', ';', ',', '(', ')', ':', '.', '/']).collect();
    for pair in words.windows(2) {
        let name = pair[0].strip_prefix("disableLocation").map_or(pair[0], |_| "disableLocation");
        if ["S", "B", "b", "I"].contains(&pair[1])
            && name.len() > 2
            && name.starts_with(|c: char| c.is_lowercase())
        {
            published.insert(name);
        }
    }
    let ours: BTreeSet<&str> =
        entries().filter(|entry| entry.section == Section::Android).map(|entry| entry.key).collect();
    let prose = ["for", "where", "field"];
    let missing: Vec<&&str> =
        published.iter().filter(|name| !ours.contains(**name) && !prose.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(published.len() > 40, "the page reads otherwise than it did: {published:?}");
    for key in &ours {
        // The page writes `systemUpdateFrom/To` and `custom1..3`.
        let written = key.strip_suffix("To").map_or((*key).to_owned(), |begin| format!("{begin}From/To"));
        let known = section.contains(written.trim_end_matches(['1', '2', '3']));
        assert!(known, "the agent has no field {key}");
    }
}

/// One test lists every key on any wire that can erase (M3): none of them can be set.
#[test]
fn m3_no_key_that_can_erase_on_any_wire_can_be_set() {
    for erasing in ERASING_KEYS {
        println!("erases: {:?} {} {}: {}", erasing.wire, erasing.holder, erasing.key, erasing.reason);
        let carriers = entries().filter(|entry| {
            entry.wires().any(|wire| {
                wire.holder.name.ends_with(erasing.holder)
                    && wire.fact.key.rsplit('.').next().unwrap().eq_ignore_ascii_case(erasing.key)
            })
        });
        let mut described = false;
        for entry in carriers {
            described = true;
            assert_eq!(entry.never.and_then(|never| never.rule), Some(types::RuleId::M3), "{entry}");
        }
        // Commands and check-ins are not what a layer writes.
        let written_by_layers = matches!(erasing.wire, ErasingWire::Profile | ErasingWire::Declaration);
        let holder = holders().iter().any(|holder| holder.name == erasing.holder);
        assert!(described || !written_by_layers || !holder, "{} is not in the catalogue", erasing.key);
    }
    for erasing in ANDROID_ERASING_KEYS {
        println!("erases: {} {}: {}", erasing.wire, erasing.key, erasing.reason);
        for entry in entries().filter(|entry| entry.key.eq_ignore_ascii_case(erasing.key)) {
            assert_eq!(entry.never.and_then(|never| never.rule), Some(types::RuleId::M3), "{entry}");
        }
    }
}

/// Whatever else sounds as if it could erase was looked at, and is listed above or stands here with the reason.
#[test]
fn m3_every_key_that_sounds_like_erasing_was_looked_at() {
    const HARMLESS: &[(&str, &str)] = &[
        ("allowEraseContentAndSettings", "false forbids the user to erase"),
        ("forcePreserveESIMOnErase", "says what an erasure keeps"),
        ("no_factory_reset", "forbids the user to erase"),
        ("no_network_reset", "forbids the user to forget networks"),
        ("passwordReset", "sets a password; a command, never set"),
        ("factoryResetDisabled", "forbids the user to erase"),
        ("wipeFailureEvent", "reports that an erasure failed"),
    ];
    let sounds = |key: &str| {
        let key = key.to_lowercase();
        ["erase", "wipe", "reset", "failedattempts", "failedpasswords"].iter().any(|word| key.contains(word))
    };
    let listed = |key: &str| {
        let last = key.rsplit('.').next().unwrap();
        HARMLESS.iter().any(|(harmless, _)| *harmless == last)
            || ERASING_KEYS.iter().any(|erasing| erasing.key.eq_ignore_ascii_case(last))
            || ANDROID_ERASING_KEYS.iter().any(|erasing| erasing.key.eq_ignore_ascii_case(last))
    };
    let apple = holders().iter().flat_map(|holder| holder.keys).map(|fact| fact.key);
    for key in apple.chain(entries().map(|entry| entry.key)).filter(|key| sounds(key)) {
        assert!(listed(key), "{key} sounds like erasing: list it, or say why it is harmless");
    }
    let Some(google) = published::read("androidmanagement.v1.json") else { return };
    let mut keys = BTreeSet::new();
    names(&serde_json::from_str(&google).unwrap(), &mut keys);
    let wipes: Vec<&String> = keys
        .iter()
        .filter(|key| key.starts_with(char::is_lowercase) && sounds(key) && !key.contains("password"))
        .collect();
    assert!(wipes.len() > 5, "{wipes:?}");
    for key in wipes {
        if key.to_lowercase().contains("wipe") || key.to_lowercase().contains("factoryreset") {
            assert!(listed(key), "{key} of Google's sounds like erasing");
        }
    }
    assert!(listed("maximumFailedPasswordsForWipe") && keys.contains("maximumFailedPasswordsForWipe"));
}

fn names(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                found.insert(key.clone());
                names(value, found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

#[test]
fn what_a_school_uses_has_a_label_and_a_sentence_in_both_languages() {
    let mut count = 0;
    for (section, key) in crate::catalogue::text_keys() {
        let entry = find(section, key).unwrap_or_else(|| panic!("{key} has a text and no entry"));
        let text = entry.text().unwrap();
        for (words, sentence) in [(text.label, false), (text.help, true)] {
            for words in [words.french, words.english] {
                assert!(
                    !words.is_empty() && words.trim() == words && !words.contains("  "),
                    "{key}: {words}"
                );
                assert_eq!(words.ends_with('.'), sentence, "{key}: {words}");
                let capital = words.starts_with(|first: char| !first.is_lowercase());
                assert!(
                    capital || words.starts_with("iCloud") || words.starts_with("iTunes"),
                    "{key}: {words}"
                );
            }
        }
        assert_ne!(text.help.french, text.help.english, "{key}");
        assert!(entry.never.is_none(), "{key} has a text and can never be set");
        count += 1;
    }
    assert!(count >= 60, "only {count}");
}
