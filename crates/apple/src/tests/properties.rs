//! What holds for any dictionary and any bytes.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use crate::checkin::CheckIn;
use crate::command::{Answer, Command, RequestType};
use crate::connect::Report;
use crate::plist::{self, Date, Dictionary, Limits, Value};
use crate::profile::Profile;

/// Text without the characters that XML cannot carry.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        any::<char>().prop_filter("a character of XML", |character| {
            (*character >= ' ' || matches!(character, '\t' | '\n' | '\r'))
                && !matches!(character, '\u{fffe}' | '\u{ffff}')
        }),
        0..12,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..24).prop_map(Value::Data),
        (0_u64..253_402_300_800).prop_map(|seconds| {
            Value::Date(Date::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
        }),
    ]
}

fn dictionary() -> impl Strategy<Value = Dictionary> {
    let value = leaf().prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map(text(), inner, 0..6)
                .prop_map(|entries| Value::Dictionary(entries.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map(text(), value, 0..8).prop_map(|entries| entries.into_iter().collect())
}

/// Nothing that a tablet can send reaches a panic.
fn read_everywhere(bytes: &[u8]) {
    let _ = CheckIn::parse(bytes).map(|message| message.to_dictionary());
    let _ = Profile::parse(bytes).map(|profile| profile.erasing_keys());
    let _ = Command::parse(bytes).map(|(command, uuid)| command.to_plist(&uuid));
    if let Ok(report) = Report::parse(bytes) {
        for kind in RequestType::ALL {
            let _ = Answer::parse(*kind, &report.body).map(|answer| answer.to_dictionary());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_dictionary_survives_a_round_trip(dictionary in dictionary()) {
        let xml = plist::to_xml(&dictionary);
        prop_assert_eq!(plist::parse(&xml, Limits::CONNECT), Ok(dictionary));
    }

    #[test]
    fn what_is_written_is_read_alike_by_another_reader(dictionary in dictionary()) {
        let xml = plist::to_xml(&dictionary);
        let other = Value::from_reader_xml(xml.as_slice()).unwrap();
        prop_assert_eq!(other, Value::Dictionary(dictionary));
    }

    #[test]
    fn unknown_keys_survive_in_every_command(extra in dictionary()) {
        for kind in RequestType::ALL {
            let mut extra = extra.clone();
            extra.remove("RequestType");
            if let Ok(command) = Command::from_dictionary(*kind, &extra) {
                prop_assert_eq!(&command.to_dictionary(), &extra);
            }
        }
    }

    #[test]
    fn any_bytes_are_answered_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_everywhere(&bytes);
    }

    #[test]
    fn a_damaged_message_is_answered_without_a_panic(
        position in 0_usize..1_000,
        byte in any::<u8>(),
        cut in any::<bool>(),
        which in 0_usize..3,
    ) {
        let whole: &[u8] = [
            include_bytes!("../../vectors/checkin/TokenUpdate.plist").as_slice(),
            include_bytes!("../../vectors/connect/Error.plist").as_slice(),
            include_bytes!("../../vectors/profile/enrolment.plist").as_slice(),
        ][which];
        let mut bytes = whole.to_vec();
        let position = position % bytes.len();
        if cut { bytes.truncate(position) } else { bytes[position] = byte }
        read_everywhere(&bytes);
    }
}
