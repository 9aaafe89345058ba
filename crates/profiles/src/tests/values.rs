//! What a value may be, which of two is the stricter, and which changes nothing, from one bound to the other.

use std::collections::BTreeSet;

use crate::catalogue::{Entry, Kind, Section, Shape, Stricter, entries, find};
use crate::value::{Value, shortened};

fn of(section: Section, key: &str) -> &'static Entry {
    find(section, key).unwrap()
}

/// The first entry that is so.
fn any(so: impl Fn(&Entry) -> bool) -> &'static Entry {
    entries().find(|entry| so(entry)).unwrap()
}

fn ordered(kind: Kind, stricter: Stricter) -> &'static Entry {
    any(|entry| entry.kind == kind && entry.stricter == stricter)
}

fn list(stricter: impl Fn(Stricter) -> bool) -> &'static Entry {
    any(|entry| stricter(entry.stricter) && matches!(entry.kind, Kind::Names { of: Shape::BundleId, .. }))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn names(names: &[&str]) -> Value {
    Value::Names(set(names))
}

#[test]
fn a_number_is_admitted_from_the_smallest_to_the_largest() {
    let length = of(Section::Passcode, "minLength");
    for (value, fits) in [(-1, false), (0, true), (1, true), (16, true), (17, false)] {
        assert_eq!(Value::number(length, value).is_ok(), fits, "{value}");
    }
}

#[test]
fn a_value_of_another_kind_is_not_admitted() {
    let camera = of(Section::Restrictions, "allowCamera");
    let length = of(Section::Passcode, "minLength");
    assert_eq!(Value::boolean(camera, true), Ok(Value::Boolean(true)));
    assert!(Value::boolean(length, true).is_err());
    assert!(Value::number(camera, 1).is_err());
    assert!(Value::text(camera, "true").is_err());
    assert!(Value::names(camera, set(&[])).is_err());
}

#[test]
fn a_text_is_one_of_the_words_or_has_the_shape() {
    let cookies = of(Section::Restrictions, "safariAcceptCookies");
    assert_eq!(Value::text(cookies, "never"), Ok(Value::Choice("never")));
    assert!(Value::text(cookies, "sometimes").is_err());
    let zone = of(Section::Device, "TimeZone");
    assert_eq!(Value::text(zone, "Europe/Paris"), Ok(Value::Text("Europe/Paris".to_owned())));
    let wrong = Value::text(zone, "ailleurs").unwrap_err();
    assert_eq!((wrong.found.as_str(), wrong.right.contains("Europe/Paris")), ("is \"ailleurs\"", true));
}

#[test]
fn a_list_is_admitted_up_to_its_length_if_each_item_fits() {
    let cards = any(|entry| matches!(entry.kind, Kind::Names { of: Shape::SimNumber, most: 4 }));
    for (count, fits) in [(0, true), (1, true), (4, true), (5, false)] {
        let numbers = (0..count).map(|number| format!("{number:018}")).collect();
        assert_eq!(Value::names(cards, numbers).is_ok(), fits, "{count}");
    }
    assert!(Value::names(cards, set(&["893310000000000000", "mine"])).is_err());
    // An empty list of what is forbidden forbids nothing; one of what is allowed would be read as none.
    let allowed = list(|stricter| stricter == Stricter::AllowList);
    assert!(Value::names(allowed, set(&["fr.example.a"])).is_ok());
    assert!(Value::names(allowed, set(&[])).is_err());
}

#[test]
fn each_way_of_being_stricter_keeps_the_stricter_of_two_whichever_comes_first() {
    let cookies = of(Section::Restrictions, "safariAcceptCookies");
    let Kind::Choice(words) = cookies.kind else { panic!("{cookies:?}") };
    let (one, other) = (names(&["fr.example.a", "fr.example.b"]), names(&["fr.example.b", "fr.example.c"]));
    let common = names(&["fr.example.b"]);
    let all = names(&["fr.example.a", "fr.example.b", "fr.example.c"]);
    let (yes, no) = (Value::Boolean(true), Value::Boolean(false));
    for (entry, one, other, kept) in [
        (ordered(Kind::Boolean, Stricter::True), &yes, &no, &yes),
        (ordered(Kind::Boolean, Stricter::False), &yes, &no, &no),
        (of(Section::Passcode, "minLength"), &Value::Number(4), &Value::Number(6), &Value::Number(6)),
        (of(Section::Passcode, "maxInactivity"), &Value::Number(4), &Value::Number(6), &Value::Number(4)),
        (cookies, &Value::Choice(words[0]), &Value::Choice(words[1]), &Value::Choice(words[1])),
        (cookies, &Value::Choice(words[1]), &Value::Choice(words[2]), &Value::Choice(words[2])),
        (list(|it| it == Stricter::BlockList), &one, &other, &all),
        (list(|it| it == Stricter::AllowList), &one, &other, &common),
        (list(|it| matches!(it, Stricter::ExceptionsTo(_))), &one, &other, &common),
    ] {
        assert_eq!(Value::stricter(entry, one, other).as_ref(), Some(kept), "{entry}");
        assert_eq!(Value::stricter(entry, other, one).as_ref(), Some(kept), "{entry}");
        assert_eq!(Value::stricter(entry, one, one).as_ref(), Some(one), "{entry}");
        assert!(kept.is_as_strict_as(entry, one) && kept.is_as_strict_as(entry, other), "{entry}");
        assert!(!one.is_as_strict_as(entry, kept) || one == kept, "{entry}");
        assert!(!other.is_as_strict_as(entry, kept) || other == kept, "{entry}");
    }
    let region = of(Section::Restrictions, "ratingRegion");
    assert_eq!(Value::stricter(region, &Value::Choice("fr"), &Value::Choice("de")), None);
    assert!(!Value::Choice("fr").is_as_strict_as(region, &Value::Choice("de")));
}

#[test]
fn the_loosest_value_of_an_entry_is_known_where_there_is_one() {
    let cookies = of(Section::Restrictions, "safariAcceptCookies");
    let Kind::Choice(words) = cookies.kind else { panic!("{cookies:?}") };
    let (yes, no) = (Value::Boolean(true), Value::Boolean(false));
    let bounds = |entry: &Entry| match entry.kind {
        Kind::Number { smallest, largest } => (Value::Number(smallest), Value::Number(largest)),
        _ => panic!("{entry:?}"),
    };
    let (length, inactivity) = (of(Section::Passcode, "minLength"), of(Section::Passcode, "maxInactivity"));
    let (shortest, longest) = (bounds(length), bounds(inactivity));
    let (some, none) = (names(&["fr.example.a"]), names(&[]));
    for (entry, loosest, stricter) in [
        (ordered(Kind::Boolean, Stricter::True), &no, &yes),
        (ordered(Kind::Boolean, Stricter::False), &yes, &no),
        (length, &shortest.0, &shortest.1),
        (inactivity, &longest.1, &longest.0),
        (cookies, &Value::Choice(words[0]), &Value::Choice(words[1])),
        (list(|it| it == Stricter::BlockList), &none, &some),
    ] {
        assert!(loosest.is_loosest(entry), "{entry} = {loosest}");
        assert!(!stricter.is_loosest(entry), "{entry} = {stricter}");
    }
    // Of what is allowed, every list forbids something; of what has no order, nothing is loosest.
    assert!(!some.is_loosest(list(|it| it == Stricter::AllowList)));
    assert!(!Value::Choice("fr").is_loosest(of(Section::Restrictions, "ratingRegion")));
}

#[test]
fn a_shape_is_held_to_its_length_and_to_every_character() {
    let long = |length: usize| format!("a.{}", "b".repeat(length - 2));
    let digits = |length: usize| "8".repeat(length);
    let zone = |length: usize| format!("E{}", "a".repeat(length - 1));
    for (shape, text, fits) in [
        (Shape::BundleId, "abcdef", false),
        (Shape::BundleId, "a.", false),
        (Shape::BundleId, ".ab", false),
        (Shape::BundleId, "a.b_c-d.9", true),
        (Shape::BundleId, &long(155), true),
        (Shape::BundleId, &long(156), false),
        (Shape::SimNumber, &digits(17), false),
        (Shape::SimNumber, &digits(18), true),
        (Shape::SimNumber, &digits(22), true),
        (Shape::SimNumber, &digits(23), false),
        (Shape::SimNumber, "89331000000000000x", false),
        (Shape::TimeZone, "UT", false),
        (Shape::TimeZone, "UTC", true),
        (Shape::TimeZone, "Etc/GMT-2", true),
        (Shape::TimeZone, "Europe/Paris;", false),
        (Shape::TimeZone, &zone(64), true),
        (Shape::TimeZone, &zone(65), false),
        (Shape::Hour, "0a:00", false),
        (Shape::Hour, "12-30", false),
        (Shape::Hour, "12:300", false),
        (Shape::Hour, "19:00", true),
        (Shape::Colour, "1F4E790", false),
        (Shape::Colour, "#1F4E7G", false),
        (Shape::Colour, "#1F4E799", false),
        (Shape::Word, "", false),
        (Shape::Word, &"é".repeat(128), true),
        (Shape::Word, &"é".repeat(129), false),
    ] {
        assert_eq!(shape.fits(text), fits, "{shape:?} {text}");
    }
}

#[test]
fn somebodys_text_is_shortened_for_a_message_when_it_is_longer_than_that() {
    let (fits, long) = ("é".repeat(64), "é".repeat(65));
    assert_eq!(shortened(&fits), fits);
    assert_eq!(shortened(&long), format!("{fits}…"));
    assert_eq!(shortened("a\u{7}b"), "ab");
}
