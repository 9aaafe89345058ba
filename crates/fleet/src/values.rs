//! From a tablet's property list to the JSON that is stored and shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value as Json};

/// The same value in JSON: data as base64, dates in RFC 3339, an unreadable number as null.
#[must_use]
pub(crate) fn to_json(value: &plist::Value) -> Json {
    match value {
        plist::Value::Array(items) => Json::Array(items.iter().map(to_json).collect()),
        plist::Value::Dictionary(entries) => dictionary_to_json(entries),
        plist::Value::Boolean(truth) => Json::Bool(*truth),
        plist::Value::Data(bytes) => Json::String(STANDARD.encode(bytes)),
        plist::Value::Date(date) => Json::String(date.to_xml_format()),
        plist::Value::Real(real) => Number::from_f64(*real).map_or(Json::Null, Json::Number),
        plist::Value::Integer(integer) => match (integer.as_signed(), integer.as_unsigned()) {
            (Some(signed), _) => Json::Number(signed.into()),
            (None, Some(unsigned)) => Json::Number(unsigned.into()),
            (None, None) => Json::Null,
        },
        plist::Value::String(text) => Json::String(text.clone()),
        // Uids occur in keyed archives only, which no tablet sends.
        _ => Json::Null,
    }
}

/// The same dictionary in JSON.
#[must_use]
pub(crate) fn dictionary_to_json(entries: &plist::Dictionary) -> Json {
    Json::Object(entries.iter().map(|(key, value)| (key.clone(), to_json(value))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_property_list_reads_the_same_in_json() {
        let mut entries = plist::Dictionary::new();
        entries.insert("OSVersion".into(), plist::Value::String("18.1".into()));
        entries.insert("BatteryLevel".into(), plist::Value::Real(0.5));
        entries.insert("Count".into(), plist::Value::Integer(3.into()));
        entries.insert("Hash".into(), plist::Value::Data(vec![1, 2, 3]));
        entries.insert("Broken".into(), plist::Value::Real(f64::NAN));
        let json = dictionary_to_json(&entries);
        assert_eq!(
            json,
            json!({"OSVersion": "18.1", "BatteryLevel": 0.5, "Count": 3, "Hash": "AQID", "Broken": null})
        );
    }
}
