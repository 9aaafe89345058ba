//! A command's keys as JSON: the same values as a property list, read without losing a duplicate key.
//!
//! Data is `{"$data": "base64"}` and a date `{"$date": "RFC 3339"}`, since JSON has neither. A key that stands
//! twice is refused: two readers might disagree about which one counts (T-C23).

use std::fmt;

use apple::plist::{Date, Dictionary, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use utoipa::ToSchema;

/// The keys of a command.
#[derive(ToSchema)]
#[schema(value_type = Object, example = json!({"Identifier": "fr.example.wifi"}))]
pub(crate) struct Parameters(pub(crate) Dictionary);

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be passcodes or profiles.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_map(AnyValue)? {
            Value::Dictionary(keys) => Ok(Self(keys)),
            _ => Err(D::Error::custom("expected an object with the keys of the command")),
        }
    }
}

/// One value. serde_json bounds the depth at 128; Apple's schemas need less than 10.
struct Any(Value);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a boolean, an array or an object")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Real(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Any(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut keys = Dictionary::new();
        while let Some((key, Any(value))) = entries.next_entry::<String, Any>()? {
            if keys.contains_key(&key) {
                let key: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format!("the key `{key}` appears twice")));
            }
            keys.insert(key, value);
        }
        special(keys).map_err(A::Error::custom)
    }
}

/// An object that stands for data or a date; every other object is a dictionary.
fn special(keys: Dictionary) -> Result<Value, &'static str> {
    let only = match (keys.len(), keys.iter().next()) {
        (1, Some((key, value))) => Some((key.as_str(), value.as_string())),
        _ => None,
    };
    match only {
        Some(("$data", text)) => {
            let data = text.and_then(|text| STANDARD.decode(text).ok()).ok_or("`$data` must be base64")?;
            Ok(Value::Data(data))
        }
        Some(("$date", text)) => {
            let date = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let date = date.ok_or("`$date` must be an instant in RFC 3339, such as 2026-11-23T22:00:00Z")?;
            // Property lists know whole seconds.
            let date = Date::from_xml_format(&date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            Ok(Value::Date(date.map_err(|_year| "`$date` is out of range")?))
        }
        _ => Ok(Value::Dictionary(keys)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Dictionary, String> {
        serde_json::from_str::<Parameters>(json)
            .map(|parameters| parameters.0)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn json_reads_as_a_property_list() {
        let keys = read(
            r#"{"Payload":{"$data":"AQID"},"When":{"$date":"2026-11-23T22:00:00Z"},"Queries":["OSVersion"],"N":-3,"R":0.5,"B":true,"D":{"a":{}}}"#,
        )
        .unwrap();
        assert_eq!(keys.get("Payload").unwrap().as_data(), Some(&[1, 2, 3][..]));
        assert_eq!(keys.get("When").unwrap().as_date().unwrap().to_xml_format(), "2026-11-23T22:00:00Z");
        assert_eq!(keys.get("Queries").unwrap().as_array().unwrap().len(), 1);
        assert_eq!(keys.get("N").unwrap().as_signed_integer(), Some(-3));
        assert_eq!(keys.get("R").unwrap().as_real(), Some(0.5));
        assert_eq!(keys.get("B").unwrap().as_boolean(), Some(true));
        assert!(keys.get("D").unwrap().as_dictionary().unwrap().contains_key("a"));
    }

    #[test]
    fn t_c23_a_key_that_stands_twice_is_refused_at_any_depth() {
        for json in
            [r#"{"RequestType":"ProfileList","RequestType":"EraseDevice"}"#, r#"{"a":[{"b":1,"b":2}]}"#]
        {
            assert!(read(json).unwrap_err().contains("appears twice"), "{json}");
        }
    }

    #[test]
    fn what_a_property_list_cannot_hold_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
        for json in [
            r#"{"a":null}"#,
            r#"{"$data":"!"}"#,
            r#"{"a":{"$data":1}}"#,
            r#"{"a":{"$date":"soon"}}"#,
            "[1]",
            "3",
            &deep,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
