//! Who is who in an export: the same person stays the same, homonyms stay two.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use types::{Instant, ListId, PersonId, UserKind};

use crate::list::{Change, Entry, Scope, delta, digest, restated};
use crate::roster::{Line, Unclear, Wanted, read};

fn pupil(name: &str, class: &str, number: Option<&str>) -> Entry {
    Entry {
        kind: UserKind::Pupil,
        name: name.parse().unwrap(),
        class: Some(class.parse().unwrap()),
        number: number.map(|number| number.parse().unwrap()),
        arrives_on: None,
        leaves_on: None,
        guardians: 1,
        contacts: BTreeMap::new(),
    }
}

fn id(millis: i64) -> PersonId {
    PersonId::new(Instant::from_millis(millis))
}

fn lines(entries: &[Entry]) -> Vec<Line> {
    (2..).zip(entries).map(|(line, entry)| Line { line, entry: entry.clone() }).collect()
}

fn wanted(
    known: &BTreeMap<PersonId, Entry>,
    list: &BTreeMap<PersonId, Entry>,
    entries: &[Entry],
) -> Result<Wanted, Vec<(u64, Unclear)>> {
    read(known, list, &lines(entries), true, &mut || id(9))
}

#[test]
fn c4_2_the_same_person_keeps_their_number_through_classes_and_years() {
    let zoe = id(1);
    let known = BTreeMap::from([(zoe, pupil("Zoé Martin", "6e A", None))]);
    // Another class, another way of writing the name, a number that is new: all the same person.
    for entry in [
        pupil("Zoé Martin", "5e B", None),
        pupil("ZOÉ  MARTIN", "6e A", None),
        pupil("Zoé Martin", "5e B", Some("77")),
    ] {
        let wanted = wanted(&known, &known, std::slice::from_ref(&entry)).unwrap();
        assert_eq!((wanted.new.len(), wanted.list), (0, BTreeMap::from([(zoe, entry)])));
    }
    // A new year's list begins empty, and its people are those who were known.
    let next = wanted(&known, &BTreeMap::new(), &[pupil("Zoé Martin", "5e B", None)]).unwrap();
    assert_eq!(next.list.keys().collect::<Vec<_>>(), [&zoe]);
    // A teacher of that name is somebody else.
    let teacher = Entry { kind: UserKind::Teacher, class: None, ..pupil("Zoé Martin", "x", None) };
    let both = wanted(&known, &known, &[pupil("Zoé Martin", "6e A", None), teacher]).unwrap();
    assert_eq!((both.new.len(), both.list.len()), (1, 2));
    // And makes it no harder to tell who the pupil is, who moved on to another class.
    let teacher = Entry { kind: UserKind::Teacher, class: None, ..pupil("Zoé Martin", "x", None) };
    let others = [pupil("Zoé Martin", "5e B", None), teacher, pupil("Tom Roy", "5e B", None)];
    let mut next = 10;
    let mut number = || {
        next += 1;
        id(next)
    };
    let all = read(&known, &known, &lines(&others), true, &mut number).unwrap();
    assert_eq!((all.new.len(), &all.list[&zoe]), (2, &others[0]));
}

#[test]
fn c4_2_a_number_is_a_persons_through_another_name_and_nobodys_of_another_kind() {
    let (zoe, teacher) = (id(1), id(2));
    let of_a_teacher = Entry { kind: UserKind::Teacher, class: None, ..pupil("Ana Roy", "x", Some("77")) };
    let known = BTreeMap::from([(zoe, pupil("Zoé Martin", "6e A", Some("77"))), (teacher, of_a_teacher)]);
    let renamed = pupil("Zoé Durand", "6e A", Some("77"));
    let wanted = wanted(&known, &known, std::slice::from_ref(&renamed)).unwrap();
    assert_eq!((wanted.new.len(), wanted.list.get(&zoe)), (0, Some(&renamed)));
}

#[test]
fn c4_2_one_person_who_is_known_is_not_two_lines_of_the_export() {
    let known = BTreeMap::from([(id(1), pupil("Léa Petit", "6e A", None))]);
    let lines = [pupil("Léa Petit", "6e A", None), pupil("Léa Petit", "6e B", None)];
    assert_eq!(wanted(&known, &known, &lines), Err(vec![(3, Unclear::Homonyms)]));
}

#[test]
fn c4_2_homonyms_are_kept_apart_by_number_or_class_and_never_guessed() {
    let (one, other) = (id(1), id(2));
    let known = BTreeMap::from([
        (one, pupil("Léa Petit", "6e A", Some("1"))),
        (other, pupil("Léa Petit", "6e B", Some("2"))),
    ]);
    let by_number = wanted(
        &known,
        &known,
        &[pupil("Léa Petit", "5e B", Some("1")), pupil("Léa Petit", "5e A", Some("2"))],
    );
    let classes: Vec<String> =
        by_number.unwrap().list.values().map(|entry| format!("{:?}", entry.number)).collect();
    assert_eq!(classes.len(), 2);
    let by_class =
        wanted(&known, &known, &[pupil("Léa Petit", "6e A", None), pupil("Léa Petit", "6e B", None)]);
    let by_class = by_class.unwrap();
    assert_eq!(
        (by_class.new.len(), &by_class.list[&one], &by_class.list[&other]),
        (0, &pupil("Léa Petit", "6e A", None), &pupil("Léa Petit", "6e B", None),)
    );
    // Neither tells: both moved on, and have no numbers in this file.
    let guessed =
        wanted(&known, &known, &[pupil("Léa Petit", "5e A", None), pupil("Léa Petit", "5e B", None)]);
    assert_eq!(guessed, Err(vec![(2, Unclear::Homonyms), (3, Unclear::Homonyms)]));
    // One of them left, the other moved on: which one?
    let guessed = wanted(&known, &known, &[pupil("Léa Petit", "5e A", None)]);
    assert_eq!(guessed, Err(vec![(2, Unclear::Homonyms)]));
    // A third, with a number of her own, is new.
    let third = wanted(&known, &known, &[pupil("Léa Petit", "6e A", Some("3"))]).unwrap();
    assert_eq!(third.new.len(), 1);
    // Two who are new come in two classes.
    let mut next = 10;
    let fresh = [pupil("Tom Roy", "6e A", None), pupil("Tom Roy", "6e B", None)];
    let mut number = || {
        next += 1;
        id(next)
    };
    let read = read(&known, &known, &lines(&fresh), false, &mut number).unwrap();
    assert_eq!((read.new.len(), read.list.len()), (2, 4));
}

#[test]
fn every_line_that_says_the_same_person_twice_is_named() {
    let none = BTreeMap::new();
    let twice =
        [pupil("Tom Roy", "6e A", None), pupil("tom roy", "6e A", None), pupil("A B", "6e A", Some("1"))];
    let numbers = [pupil("C D", "6e A", Some("1"))];
    let all: Vec<Entry> = twice.into_iter().chain(numbers).collect();
    let mut next = 10;
    let mut number = || {
        next += 1;
        id(next)
    };
    let refused = read(&none, &none, &lines(&all), true, &mut number);
    assert_eq!(refused, Err(vec![(3, Unclear::SamePerson(2)), (5, Unclear::SameNumber(4))]));
}

#[test]
fn c4_2_a_complete_export_takes_off_who_is_missing_of_its_kinds_only() {
    let (zoe, tom, teacher) = (id(1), id(2), id(3));
    let adult = Entry { kind: UserKind::Teacher, class: None, ..pupil("Anne Roy", "x", None) };
    let list = BTreeMap::from([
        (zoe, pupil("Zoé Martin", "6e A", None)),
        (tom, pupil("Tom Roy", "6e A", None)),
        (teacher, adult),
    ]);
    let one = [pupil("Zoé Martin", "6e A", None)];
    let complete = wanted(&list, &list, &one).unwrap();
    assert_eq!(delta(&list, &complete.list), [Change::Remove(tom)]);
    let partial = read(&list, &list, &lines(&one), false, &mut || id(9)).unwrap();
    assert_eq!(delta(&list, &partial.list), []);
}

#[test]
fn c9_1_a_list_that_is_whole_names_one_of_each_kind_again_if_nothing_of_it_is_new() {
    let (zoe, tom, teacher) = (id(1), id(2), id(3));
    let adult = Entry { kind: UserKind::Teacher, class: None, ..pupil("Anne Roy", "x", None) };
    let list = BTreeMap::from([
        (zoe, pupil("Zoé Martin", "6e A", None)),
        (tom, pupil("Tom Roy", "6e A", None)),
        (teacher, adult.clone()),
    ]);
    let both = BTreeSet::from([UserKind::Pupil, UserKind::Teacher]);
    let first = Change::Set(zoe, pupil("Zoé Martin", "6e A", None));
    assert_eq!(restated(&[], &list, &both), [first.clone(), Change::Set(teacher, adult.clone())]);
    // Whoever is new, or whose entry changes, speaks for their kind; whoever leaves does not.
    assert_eq!(restated(&[Change::Set(teacher, adult)], &list, &both), std::slice::from_ref(&first));
    assert_eq!(restated(&[Change::Remove(tom)], &list, &BTreeSet::from([UserKind::Pupil])), [first]);
    // Nobody is named of a kind that the list has nobody of, nor for nothing.
    assert_eq!(restated(&[], &list, &BTreeSet::from([UserKind::Cpe])), []);
    assert_eq!(restated(&[], &list, &BTreeSet::new()), []);
}

#[test]
fn c4_2_the_digest_is_of_exactly_these_names_of_this_proposal() {
    let (list, other) = (ListId::new(Instant::from_millis(1)), ListId::new(Instant::from_millis(2)));
    let here = "0761234A".parse().unwrap();
    let (zoe, tom) = (id(1), id(2));
    let set = |person, entry| Change::Set(person, entry);
    let names = [set(zoe, pupil("Zoé", "6e A", None)), Change::Remove(tom)];
    let first = digest(list, (&here, "2026-2027"), Scope::Whole, &names);
    let [a, b] = names.clone();
    assert_eq!(
        first,
        digest(list, (&here, "2026-2027"), Scope::Whole, &[b, a]),
        "the order of rows says nothing"
    );
    let changed = |change: &dyn Fn(&mut Entry)| {
        let mut entry = pupil("Zoé", "6e A", None);
        change(&mut entry);
        digest(list, (&here, "2026-2027"), Scope::Whole, &[set(zoe, entry), Change::Remove(tom)])
    };
    let mut seen = vec![
        first,
        digest(other, (&here, "2026-2027"), Scope::Whole, &names),
        digest(list, (&"0765678B".parse().unwrap(), "2026-2027"), Scope::Whole, &names),
        digest(list, (&here, "2027-2028"), Scope::Whole, &names),
        digest(list, (&here, "2026-2027"), Scope::Part, &names),
        digest(list, (&here, "2026-2027"), Scope::Whole, &names[..1]),
        changed(&|entry| entry.kind = UserKind::Teacher),
        changed(&|entry| entry.name = "Zoe".parse().unwrap()),
        changed(&|entry| entry.class = None),
        changed(&|entry| entry.number = Some("6e A".parse().unwrap())),
        changed(&|entry| entry.arrives_on = Some("2027-01-04".parse().unwrap())),
        changed(&|entry| entry.leaves_on = Some("2027-01-04".parse().unwrap())),
        changed(&|entry| entry.guardians = 2),
        changed(&|entry| {
            entry.contacts.insert(crate::agreement::Signatory::User, "a@b.fr".parse().unwrap());
        }),
    ];
    let count = seen.len();
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!(seen.len(), count, "two contents share a digest");
}

proptest! {
    /// However an export is mixed, whoever has a number is found by it, and nobody becomes two.
    #[test]
    fn c4_2_whoever_has_a_number_is_one_person_in_whatever_order_lines_come(
        then in proptest::collection::btree_map(0_u8..30, (0_u8..3, 0_u8..4), 0..25),
        now in proptest::collection::btree_map(0_u8..30, (0_u8..3, 0_u8..4), 1..25),
        seed in any::<u64>(),
    ) {
        let entry = |number: u8, name: u8, class: u8| {
            pupil(&format!("Nom {name}"), &format!("6e {class}"), Some(&number.to_string()))
        };
        let known: BTreeMap<PersonId, Entry> =
            then.iter().map(|(number, (name, class))| (id(i64::from(*number) + 1), entry(*number, *name, *class))).collect();
        let mut entries: Vec<Entry> = now.iter().map(|(number, (name, class))| entry(*number, *name, *class)).collect();
        let length = entries.len().max(1);
        entries.rotate_left(usize::try_from(seed % 64).unwrap() % length);
        let mut next = 1_000;
        let mut number = || { next += 1; id(next) };
        let wanted = read(&known, &known, &lines(&entries), true, &mut number).unwrap();
        prop_assert_eq!(wanted.list.len(), now.len());
        for (person, entry) in &wanted.list {
            let known_by_number = known.iter().find(|(_, one)| one.number == entry.number).map(|(person, _)| person);
            match known_by_number {
                Some(same) => prop_assert_eq!(person, same),
                None => prop_assert!(wanted.new.contains(person)),
            }
        }
    }
}
