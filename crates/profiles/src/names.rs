//! The names of apps, networks and places on the web, checked once, at the edge.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

use crate::catalogue::Shape;
use crate::value::shortened;

/// A text that is not a valid name of its kind, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not {expected}")]
pub struct NotAName {
    text: String,
    expected: &'static str,
}

impl NotAName {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self { text: shortened(text), expected }
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $expected:expr, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if $check(text) { Ok(Self(text.to_owned())) } else { Err(NotAName::new(text, $expected)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The identifier of an app: Apple's bundle identifier, or Android's package.
    ///
    /// `com.apple.webapp`, which stands for every web clip, is not one: it is written by whoever renders a list.
    BundleId: "the identifier of an app, such as com.apple.Pages (com.apple.webapp is written by itself)",
        |text: &str| Shape::BundleId.fits(text) && text != WEB_CLIPS;

    /// The name of a Wi-Fi network: 1 to 32 bytes (IEEE 802.11), none of them a control character.
    Ssid: "the name of a network, 1 to 32 bytes", |text: &str| {
        (1..=32).contains(&text.len()) && !text.chars().any(char::is_control)
    };

    /// An address on the web.
    WebAddress: "an address that begins with https:// or http://, without user or password", is_web_address;

    /// A host: a name of the DNS, or an IP address.
    Host: "a host, such as printer.college.example or 10.2.0.9", is_host;

    /// The number of an app in the App Store.
    StoreNumber: "the number of an app in the App Store, such as 361309726", |text: &str| {
        (6..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
    };

    /// What a layer calls one of its certificates.
    CertificateName: "a short name of letters, digits and hyphens, such as college-radius", |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };

    /// An extension of Safari: its composed identifier, or `*` for all that are not named.
    ExtensionId: "the identifier of an extension, such as com.example.app.extension (ABCDE12345), or *", |text: &str| {
        text == "*"
            || ((3..=200).contains(&text.len())
                && text.contains('.')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_ ()".contains(&byte)))
    };
}

/// What stands for every web clip in a list of apps.
pub(crate) const WEB_CLIPS: &str = "com.apple.webapp";

fn is_web_address(text: &str) -> bool {
    let printable = text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic());
    printable
        && Url::parse(text).is_ok_and(|url| {
            ["https", "http"].contains(&url.scheme())
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
        || ((1..=253).contains(&text.len())
            && text.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c9_names_carry_no_markup_and_move_no_cursor() {
        assert!("<img src=x onerror=a()>".parse::<BundleId>().is_err());
        assert!("lycée\u{1b}[2J".parse::<Ssid>().is_err());
        assert!("javascript:alert(1)".parse::<WebAddress>().is_err());
        assert!("https://a.example/\"><script>".parse::<CertificateName>().is_err());
        assert!("é".repeat(17).parse::<Ssid>().is_err(), "34 bytes");
        assert_eq!("Collège Jean-Moulin".parse::<Ssid>().unwrap().as_str(), "Collège Jean-Moulin");
    }

    #[test]
    fn web_addresses_lead_to_the_web_and_hold_no_password() {
        for good in ["https://ent.example.fr/", "http://10.2.0.9:8080/x?y=z"] {
            assert!(good.parse::<WebAddress>().is_ok(), "{good}");
        }
        for bad in [
            "ent.example.fr",
            "file:///etc/passwd",
            "tel:17",
            "https://u:p@a.example",
            "https://a b",
            "https://",
        ] {
            assert!(bad.parse::<WebAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["printer", "a.example", "10.0.0.1", "fd00::9"] {
            assert!(good.parse::<Host>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a..b", "a/b", "a:80", "a b"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_stands_for_all_web_clips_is_no_app() {
        assert!("com.apple.webapp".parse::<BundleId>().unwrap_err().to_string().contains("by itself"));
    }
}
