//! A layer's text for those who may read it and not use it: without the passwords in it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What stands in a password's place.
const MASK: &str = "\"…\"";

/// The text with every password masked; nothing of a text that is no TOML, for nobody knows where its passwords are.
#[must_use]
pub fn masked(text: &str) -> String {
    let Ok(document) = DeTable::parse(text) else { return String::new() };
    let mut found = Vec::new();
    passwords(document.get_ref(), &mut found);
    found.sort_by_key(|range| range.start);
    let (mut shown, mut from) = (String::new(), 0);
    for range in found {
        shown.push_str(text.get(from..range.start).unwrap_or_default());
        shown.push_str(MASK);
        from = range.end;
    }
    shown.push_str(text.get(from..).unwrap_or_default());
    shown
}

fn passwords(table: &DeTable<'_>, found: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == "password" { found.push(value.span()) } else { within(value, found) }
    }
}

fn within(value: &Spanned<DeValue<'_>>, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => passwords(table, found),
        DeValue::Array(items) => {
            for item in items {
                within(item, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c15_a_password_is_masked_wherever_it_stands() {
        let text = "a = 1 # café\n[[wifi]]\nssid = \"É\"\npassword = 'secret-one' # of a\n[x]\ny = [{ password = \"\"\"secret\n-two\"\"\" }]\n\
                    [z]\n\"password\" = \"secret-three\"\n";
        let shown = masked(text);
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(shown.matches(MASK).count(), 3);
        assert!(shown.contains("# café") && shown.contains("ssid = \"É\"") && shown.contains("# of a"));
        assert_eq!(masked("password = \"secret"), "");
    }
}
