//! Instants in JSON: RFC 3339 in UTC going out, RFC 3339 with any offset coming in.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use types::Instant;
use utoipa::ToSchema;

/// A point in time, as text such as `2026-11-23T22:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Timestamp(pub(crate) Instant);

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_with_any_offset_and_written_in_utc() {
        let read: Timestamp = serde_json::from_str("\"2026-11-23T23:00:00+01:00\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"2026-11-23T22:00:00Z\"");
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for bad in ["\"yesterday\"", "\"2026-11-23\"", "12"] {
            assert!(serde_json::from_str::<Timestamp>(bad).is_err(), "{bad}");
        }
        let error = serde_json::from_str::<Timestamp>("\"soon\"").unwrap_err();
        assert!(error.to_string().contains("2026-11-23T22:00:00Z"), "{error}");
    }
}
