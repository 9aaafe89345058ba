//! Spans of time as they are typed: `20s`, `500ms`, `5m`, `1h`.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a span of time that is not negative.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time such as 20s, 500ms, 5m or 1h".to_owned();
    let signed: SignedDuration = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        Err(_no_number) => text.parse().map_err(|_no_span| wrong())?,
    };
    Duration::try_from(signed).map_err(|_negative| wrong())
}

/// Reads a span of time that is longer than nothing.
pub(crate) fn parse_some(text: &str) -> Result<Duration, String> {
    let span = parse(text)?;
    if span.is_zero() { Err("write a time longer than nothing, such as 20s".to_owned()) } else { Ok(span) }
}

/// Reads an offset in seconds, either way: `90`, `-1h`.
pub(crate) fn parse_offset(text: &str) -> Result<i64, String> {
    let wrong = || "write an offset such as 1h, -30m or 90s".to_owned();
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds);
    }
    text.parse::<SignedDuration>().map(|span| span.as_secs()).map_err(|_no_span| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [
            ("20s", 20_000),
            ("20", 20_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse_offset("-1h"), Ok(-3600));
        assert_eq!(parse_offset("90"), Ok(90));
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "s", "-5s", "5 parsecs", "é", "99999999999999999999s"] {
            assert!(parse(text).unwrap_err().contains("20s"), "{text}");
        }
        assert!(parse_some("0s").unwrap_err().contains("20s"));
        assert!(parse_offset("soon").unwrap_err().contains("-30m"));
    }
}
