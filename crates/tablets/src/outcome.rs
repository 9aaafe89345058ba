//! What a server's HTTP answer means to a tablet.

use crate::http::Reply;
use crate::wire::{self, Entries as _};

/// What an answer meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// 200: the message was taken; the body may be a command or an answer.
    Accepted(Vec<u8>),
    /// Another 4xx: the message was refused. The tablet stays managed and tries again some day.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// 401, or 403 `com.apple.unrecognized.device`: the tablet has removed its management.
    Unenrolled {
        /// The HTTP status.
        status: u16,
    },
    /// 5xx: the server has trouble of its own. The tablet stays managed and tries again.
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
}

impl Outcome {
    /// What an answer means.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        match reply.status {
            200 => Self::Accepted(reply.body.to_vec()),
            401 => Self::Unenrolled { status: 401 },
            403 if refusal_code(reply).as_deref() == Some("com.apple.unrecognized.device") => {
                Self::Unenrolled { status: 403 }
            }
            status @ 500.. => Self::Unavailable { status },
            status => Self::Refused { status, body: reply.excerpt() },
        }
    }

    /// Whether the message was taken.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// The body of an accepted message.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Accepted(body) => Some(body),
            Self::Refused { .. } | Self::Unenrolled { .. } | Self::Unavailable { .. } => None,
        }
    }

    /// The HTTP status it was read from.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Accepted(_) => 200,
            Self::Refused { status, .. } | Self::Unenrolled { status } | Self::Unavailable { status } => {
                *status
            }
        }
    }
}

/// Apple's code in the body of a 403, JSON or property list; the body counts only with its content type.
pub(crate) fn refusal_code(reply: &Reply) -> Option<String> {
    if reply.content_type().is_empty() {
        return None;
    }
    match serde_json::from_slice::<serde_json::Value>(&reply.body) {
        Ok(json) => json.get("code").and_then(serde_json::Value::as_str).map(str::to_owned),
        Err(_no_json) => wire::read(&reply.body, "a refusal").ok()?.text("code").map(str::to_owned),
    }
}

/// What `com.apple.softwareupdate.required` asks for: version and build.
pub(crate) fn wanted_update(reply: &Reply) -> (String, Option<String>) {
    let json = serde_json::from_slice::<serde_json::Value>(&reply.body).ok();
    let plist = wire::read(&reply.body, "a refusal").ok();
    let detail = |key: &str| {
        json.as_ref()
            .and_then(|json| json.get("details")?.get(key)?.as_str())
            .or_else(|| plist.as_ref().and_then(|plist| plist.inner("details")?.text(key)))
            .map(str::to_owned)
    };
    (detail("OSVersion").unwrap_or_default(), detail("BuildVersion"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::HeaderMap;
    use hyper::header::{CONTENT_TYPE, HeaderValue};

    fn reply(status: u16, content_type: &'static str, body: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Reply { status, headers, body: body.into() }
    }

    const UNRECOGNIZED: &str = r#"{"code":"com.apple.unrecognized.device"}"#;

    #[test]
    fn only_401_and_a_proper_403_end_management() {
        let ends = |reply| matches!(Outcome::of(&reply), Outcome::Unenrolled { .. });
        assert!(ends(reply(401, "", "")));
        assert!(ends(reply(403, "application/json", UNRECOGNIZED)));
        assert!(ends(reply(
            403,
            "application/xml",
            "<plist><dict><key>code</key><string>com.apple.unrecognized.device</string></dict></plist>"
        )));
        assert!(!ends(reply(403, "", UNRECOGNIZED)), "without its content type a body says nothing");
        assert!(!ends(reply(403, "text/html", "<h1>Forbidden</h1>")));
        assert!(!ends(reply(400, "application/json", UNRECOGNIZED)));
        assert_eq!(Outcome::of(&reply(503, "", "")), Outcome::Unavailable { status: 503 });
    }

    #[test]
    fn the_wanted_update_is_read_from_json_and_from_a_property_list() {
        let json = r#"{"code":"c","details":{"OSVersion":"27.0","BuildVersion":"25A1"}}"#;
        assert_eq!(
            wanted_update(&reply(403, "application/json", json)),
            ("27.0".to_owned(), Some("25A1".to_owned()))
        );
        let plist = "<plist><dict><key>details</key><dict><key>OSVersion</key><string>26.1</string></dict></dict></plist>";
        assert_eq!(wanted_update(&reply(403, "application/xml", plist)), ("26.1".to_owned(), None));
    }
}
