//! Spans of time as they are typed: `20s`, `5m`, `1h`.

use std::time::Duration;

/// Reads a whole number of seconds, minutes or hours.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time such as 20s, 5m or 1h".to_owned();
    let (number, unit) = match text.char_indices().next_back() {
        Some((_at, last)) if last.is_ascii_digit() => (text, 1),
        Some((at, 's')) => (text.get(..at).unwrap_or_default(), 1),
        Some((at, 'm')) => (text.get(..at).unwrap_or_default(), 60),
        Some((at, 'h')) => (text.get(..at).unwrap_or_default(), 3_600),
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_not_a_number| wrong())?;
    if number == 0 { Err(wrong()) } else { Ok(Duration::from_secs(u64::from(number) * unit)) }
}

/// The same, for people.
pub(super) fn shown(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_minutes_and_hours_are_read() {
        for (text, seconds, words) in
            [("20s", 20, "20 s"), ("20", 20, "20 s"), ("5m", 300, "5 min"), ("1h", 3_600, "1 h")]
        {
            let span = parse(text).unwrap();
            assert_eq!((span.as_secs(), shown(span).as_str()), (seconds, words));
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "s", "0s", "-5s", "5d", "1.5h", "é", "99999999999s"] {
            assert!(parse(text).unwrap_err().contains("20s"), "{text}");
        }
    }
}
