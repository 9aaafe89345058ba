//! What accounts are called, in one spelling each: two spellings would be two doors.

use types::text_name;

text_name! {
    /// What a person signs in with. Plain letters only: no two logins look alike.
    Login: "login", "3 to 64 of a-z, 0-9, `.`, `-`, `_`, `@`, the first a letter or a digit",
        |text: &str| is_login(&text.to_lowercase()), str::to_lowercase;

    /// The address of a person's mailbox, in lower case. It belongs to one account, whatever the
    /// organisation: whoever reads one mailbox is one person.
    Email: "e-mail address", "an address such as jean.moulin@example.fr",
        |text: &str| is_email(&text.to_lowercase()), str::to_lowercase;
}

fn is_login(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_' | b'@')
    };
    first && (3..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// Enough to send to it, and to know two spellings of it. A mail server has the last word.
fn is_email(name: &str) -> bool {
    let Some((user, host)) = name.rsplit_once('@') else { return false };
    let plain = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'(' | b')' | b',' | b';' | b':' | b'\\' | b'@')
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 254
        && (1..=64).contains(&user.len())
        && user.bytes().all(plain)
        && host.contains('.')
        && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_one_spelling() {
        assert_eq!(" Marie.Curie ".parse::<Login>().unwrap().as_str(), "marie.curie");
        // A Cyrillic `а`, a letter that lower case takes apart, a blank, and what would break out of a page.
        for bad in
            ["m\u{430}rie", "\u{130}rene", "ma rie", "<b>ob", "", "ab", ".bob", "x".repeat(65).as_str()]
        {
            assert!(bad.parse::<Login>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_compared_in_lower_case() {
        let address: Email = "Jean.Moulin@Example.FR".parse().unwrap();
        assert_eq!(address.as_str(), "jean.moulin@example.fr");
        for bad in [
            "",
            "jean",
            "@example.fr",
            "jean@",
            "jean@localhost",
            "jean@ex ample.fr",
            "a@b@c.fr",
            "jean@example..fr",
            "jean\r\nbcc: x@y.fr",
            "jean@-x.fr",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_come_in_through_their_check_only() {
        assert!(serde_json::from_str::<Login>("\"M\u{430}rie\"").is_err());
        assert_eq!(serde_json::from_str::<Login>("\"MARIE\"").unwrap().as_str(), "marie");
    }
}
