//! Which request it is: method and path of everything that the published agent calls, and nothing else.
//!
//! A path is compared as it came: no `//`, no dot segment, no other case and no encoded slash leads anywhere (T-C5).

use types::SerialNumber;

use super::key::AgentKey;
use crate::command::Kind;
use crate::json::Limits;

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The first configuration, with [`super::EnrolOptions`].
    Enrol(DeviceNumber),
    /// The configuration.
    Configuration(DeviceNumber),
    /// What the tablet tells of itself: [`super::DeviceInfo`].
    Info,
    /// The long poll.
    Poll(DeviceNumber),
    /// The same without waiting: in the agent's code, and never called by it.
    Notifications(DeviceNumber),
    /// Which log rows are wanted.
    LogRules(DeviceNumber),
    /// Log rows.
    Log(DeviceNumber),
    /// That it is about to do, or has done, what it was told: [`super::DeviceInfo`] again.
    Confirm(Kind, DeviceNumber),
    /// A file, by its signed name.
    File(String),
}

/// The number by which the agent calls its tablet: the serial number, as we set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceNumber {
    raw: String,
    serial: SerialNumber,
}

impl DeviceNumber {
    /// Reads a path segment. A number that is no serial number is nobody's.
    fn read(segment: &str) -> Option<Self> {
        let raw = decoded(segment)?;
        // What surrounds a serial number is trimmed when people write one; here it would be another number.
        let serial = raw.parse().ok().filter(|_serial| raw.trim() == raw)?;
        Some(Self { raw, serial })
    }

    /// As the agent wrote it, decoded: what it signs.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The serial number. What the request claims, not what is proven: the key says which tablet it is (T-A1).
    #[must_use]
    pub const fn serial(&self) -> &SerialNumber {
        &self.serial
    }
}

/// A request: under which key, and what is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The key in its path.
    pub key: AgentKey,
    /// What is asked.
    pub call: Call,
}

/// The longest path that is looked at.
const LONGEST_PATH: usize = 512;

impl Request {
    /// Reads method and path, without a query. `None` is answered as an unknown key is.
    #[must_use]
    pub fn read(method: Method, path: &str) -> Option<Self> {
        if path.len() > LONGEST_PATH {
            return None;
        }
        let (key, rest) = path.strip_prefix('/')?.split_once('/')?;
        let segments: Vec<&str> = rest.split('/').collect();
        let call = match (method, segments.as_slice()) {
            (Method::Get, ["files", name]) => Call::File(file_name(name)?),
            (_, ["rest", segments @ ..]) => call(method, segments)?,
            _ => return None,
        };
        Some(Self { key: AgentKey::read(key)?, call })
    }
}

fn call(method: Method, segments: &[&str]) -> Option<Call> {
    let number = DeviceNumber::read;
    let call = match (method, segments) {
        (Method::Post, ["public", "sync", "info"]) => Call::Info,
        (Method::Post, ["public", "sync", "configuration", of]) => Call::Enrol(number(of)?),
        (Method::Get, ["public", "sync", "configuration", of]) => Call::Configuration(number(of)?),
        (Method::Get, ["notification", "polling", of]) => Call::Poll(number(of)?),
        (Method::Get, ["notifications", "device", of]) => Call::Notifications(number(of)?),
        (Method::Get, ["plugins", "devicelog", "log", "rules", of]) => Call::LogRules(number(of)?),
        (Method::Post, ["plugins", "devicelog", "log", "list", of]) => Call::Log(number(of)?),
        (Method::Post, ["plugins", "devicereset", "public", of]) => Call::Confirm(Kind::Wipe, number(of)?),
        (Method::Post, ["plugins", "devicereset", "public", "reboot", of]) => {
            Call::Confirm(Kind::Reboot, number(of)?)
        }
        (Method::Post, ["plugins", "devicereset", "public", "password", of]) => {
            Call::Confirm(Kind::ClearCode, number(of)?)
        }
        _ => return None,
    };
    Some(call)
}

impl Call {
    /// How much its body may hold; `None` if it has none.
    #[must_use]
    pub const fn limits(&self) -> Option<Limits> {
        match self {
            Self::Enrol(_) => Some(Limits::ENROLMENT),
            Self::Info | Self::Confirm(..) => Some(Limits::DEVICE_INFO),
            Self::Log(_) => Some(Limits::LOG),
            Self::Configuration(_)
            | Self::Poll(_)
            | Self::Notifications(_)
            | Self::LogRules(_)
            | Self::File(_) => None,
        }
    }

    /// The number in its path, if it has one there.
    #[must_use]
    pub const fn number(&self) -> Option<&DeviceNumber> {
        match self {
            Self::Enrol(of)
            | Self::Configuration(of)
            | Self::Poll(of)
            | Self::Notifications(of)
            | Self::LogRules(of)
            | Self::Log(of)
            | Self::Confirm(_, of) => Some(of),
            Self::Info | Self::File(_) => None,
        }
    }
}

/// A name of ours: letters, digits, `-`, `_` and `.`, which the agent signs as they are, and never a dot first (T-C8).
fn file_name(segment: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let named = !segment.is_empty() && segment.len() <= 255 && !segment.starts_with('.');
    (named && segment.bytes().all(plain)).then(|| segment.to_owned())
}

/// A path segment without its percent signs; `None` where they are wrong.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let mut decoded = [0; 1];
            hex::decode_to_slice(digits, &mut decoded).ok()?;
            bytes.extend(decoded);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::key::{KEY_BYTES, KeyKind};
    use super::*;

    const NUMBER: &str = "R52T40ABCDE";

    fn key() -> String {
        AgentKey::new(KeyKind::Tablet, &[7; KEY_BYTES]).segment().expose().clone()
    }

    fn read(method: Method, rest: &str) -> Option<Call> {
        Request::read(method, &format!("/{}/{rest}", key())).map(|request| request.call)
    }

    fn number() -> DeviceNumber {
        DeviceNumber::read(NUMBER).unwrap()
    }

    #[test]
    fn every_request_of_the_published_agent_is_known_by_method_and_path() {
        use Method::{Get, Post};
        let of = |path: &str| format!("rest/{path}/{NUMBER}");
        let calls = [
            (Post, of("public/sync/configuration"), Call::Enrol(number())),
            (Get, of("public/sync/configuration"), Call::Configuration(number())),
            (Post, "rest/public/sync/info".to_owned(), Call::Info),
            (Get, of("notification/polling"), Call::Poll(number())),
            (Get, of("notifications/device"), Call::Notifications(number())),
            (Get, of("plugins/devicelog/log/rules"), Call::LogRules(number())),
            (Post, of("plugins/devicelog/log/list"), Call::Log(number())),
            (Post, of("plugins/devicereset/public"), Call::Confirm(Kind::Wipe, number())),
            (Post, of("plugins/devicereset/public/reboot"), Call::Confirm(Kind::Reboot, number())),
            (Post, of("plugins/devicereset/public/password"), Call::Confirm(Kind::ClearCode, number())),
            (Get, "files/lecture-21.apk".to_owned(), Call::File("lecture-21.apk".to_owned())),
        ];
        for (method, path, call) in calls {
            let has_body = method == Post;
            assert_eq!(call.limits().is_some(), has_body, "{path}");
            assert_eq!(read(method, &path).as_ref(), Some(&call), "{path}");
            let other = if has_body { Get } else { Post };
            assert_ne!(read(other, &path), Some(call), "{path}");
        }
    }

    #[test]
    fn t_c5_t_c8_no_other_spelling_of_a_path_leads_anywhere() {
        let bad = [
            format!("rest//public/sync/configuration/{NUMBER}"),
            format!("rest/public/sync/configuration/{NUMBER}/"),
            format!("rest/public/sync/./configuration/{NUMBER}"),
            format!("REST/public/sync/configuration/{NUMBER}"),
            format!("rest/public/sync/configuration;a=b/{NUMBER}"),
            format!("rest/public/sync/configuration/{NUMBER}%2F.."),
            format!("rest/public/sync/configuration/%20{NUMBER}"),
            "rest/public/sync/configuration/".to_owned(),
            "rest/public/sync/configuration/001".to_owned(),
            "rest/public/sync/configuration/%zz345678".to_owned(),
            "rest/public/sync/configuration/%C3".to_owned(),
            "files/../rest".to_owned(),
            "files/..".to_owned(),
            "files/.htaccess".to_owned(),
            "files/a%2fb".to_owned(),
            "files/a b".to_owned(),
            "files/a\0".to_owned(),
            "files/".to_owned(),
            "x".repeat(600),
        ];
        for path in bad {
            assert_eq!(read(Method::Get, &path), None, "{path}");
        }
        assert!(Request::read(Method::Get, &format!("/rest/public/sync/configuration/{NUMBER}")).is_none());
        assert!(Request::read(Method::Get, "").is_none());
    }

    #[test]
    fn a_number_is_decoded_once_and_known_by_its_serial_number() {
        let read = DeviceNumber::read("r52t%34%30abcde").unwrap();
        assert_eq!((read.raw(), read.serial().as_str()), ("r52t40abcde", NUMBER));
        assert_eq!(DeviceNumber::read("r52t%2534"), None);
    }
}
