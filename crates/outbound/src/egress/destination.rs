//! One entry of the allow-list: `host:port`, and whether its name may live in a private network.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A text that is not an entry of the allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a destination: {problem}; write `host:port`, such as `api.push.apple.com:443`, or \
     `host:port private` for a name inside your own network"
)]
pub struct InvalidDestination {
    text: String,
    problem: &'static str,
}

impl InvalidDestination {
    /// What is wrong, without the text and without advice.
    #[must_use]
    pub fn problem(&self) -> &'static str {
        self.problem
    }
}

/// A host and port that may be spoken to.
///
/// Written `api.push.apple.com:443`, `127.0.0.1:8443`, `[::1]:8443`; an address given by number is meant as
/// it stands. A name may resolve to public addresses only, unless the entry ends in ` private`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    host: Host<String>,
    port: u16,
    private: bool,
}

impl Destination {
    /// An entry for a name that resolves to public addresses.
    pub(crate) fn public_name(host: &str, port: u16) -> Self {
        Self { host: Host::Domain(host.to_owned()), port, private: false }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the name may resolve into a private network.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Whether `url` names this host and port; its scheme is not looked at.
    #[must_use]
    pub fn matches(&self, url: &Url) -> bool {
        let same_host = match (&self.host, url.host()) {
            (Host::Domain(ours), Some(Host::Domain(theirs))) => ours == theirs,
            (Host::Ipv4(ours), Some(Host::Ipv4(theirs))) => *ours == theirs,
            (Host::Ipv6(ours), Some(Host::Ipv6(theirs))) => *ours == theirs,
            _ => false,
        };
        same_host && url.port_or_known_default() == Some(self.port)
    }

    /// Whether this is `host`, a name or an address by number, at `port`.
    pub(crate) fn is_at(&self, host: &str, port: u16) -> bool {
        Host::parse(host).is_ok_and(|host| host == self.host) && self.port == port
    }

    /// Whether `name`, as a resolver is asked for it, is this host.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        matches!(&self.host, Host::Domain(ours) if ours.eq_ignore_ascii_case(name))
    }
}

impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        let refuse = |problem| InvalidDestination { text: text.chars().take(120).collect(), problem };
        let text_trimmed = text.trim();
        let (entry, private) = match text_trimmed.strip_suffix(" private") {
            Some(entry) => (entry.trim_end(), true),
            None => (text_trimmed, false),
        };
        let (host, port) = entry.rsplit_once(':').ok_or_else(|| refuse("it has no port"))?;
        let port = port
            .parse::<u16>()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| refuse("its port is not a number from 1 to 65535"))?;
        if host.contains(['*', '?', '/', '@']) {
            return Err(refuse("a host is one name, without wildcard, path or user"));
        }
        let host =
            Host::parse(host).map_err(|_unreadable| refuse("its host is neither a name nor an address"))?;
        match &host {
            Host::Domain(name) if name.ends_with('.') => Err(refuse("its name ends in a dot")),
            Host::Ipv4(_) | Host::Ipv6(_) if private => {
                Err(refuse("an address given by number is meant as it stands, without `private`"))
            }
            _ => Ok(Self { host, port, private }),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, if self.private { " private" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_from_its_text() {
        for text in ["api.push.apple.com:443", "127.0.0.1:8443", "[::1]:2197", "mail.college.lan:587 private"]
        {
            assert_eq!(text.parse::<Destination>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn names_and_numbers_are_normalised() {
        assert_eq!(
            "API.Push.Apple.COM:443".parse::<Destination>().unwrap().to_string(),
            "api.push.apple.com:443"
        );
        assert_eq!("127.1:443".parse::<Destination>().unwrap().to_string(), "127.0.0.1:443");
    }

    #[test]
    fn what_is_not_one_host_and_one_port_is_refused_with_an_example() {
        for text in [
            "",
            "api.push.apple.com",
            "api.push.apple.com:",
            "api.push.apple.com:0",
            "api.push.apple.com:65536",
            "*.apple.com:443",
            "https://api.push.apple.com:443",
            "user@api.push.apple.com:443",
            "api.push.apple.com/3:443",
            "api.push.apple.com.:443",
            ":443",
            "::1:443",
            "127.0.0.1:443 private",
            "a b:443",
        ] {
            let error = text.parse::<Destination>().unwrap_err().to_string();
            assert!(error.contains("api.push.apple.com:443"), "{text}: {error}");
        }
    }
}
