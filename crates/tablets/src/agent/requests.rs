//! What the agent sends: addresses, headers, signatures and bodies.

use serde_json::{Map, Value, json};

use super::config::text;
use super::state::{AgentServer, AgentState};
use super::{Agent, Via};

/// A request of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, which is JSON.
    pub body: Option<Vec<u8>>,
    /// How long it waits for an answer, in milliseconds.
    pub timeout: i64,
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentReply {
    /// An answer.
    Http {
        /// The HTTP status.
        status: u16,
        /// What `X-Response-Signature` says.
        signature: Option<String>,
        /// The body.
        body: Vec<u8>,
    },
    /// No answer: the connection broke, or nothing came in time.
    Broken,
}

impl AgentReply {
    /// An answer without a signature.
    #[must_use]
    pub fn http(status: u16, body: &[u8]) -> Self {
        Self::Http { status, signature: None, body: body.to_vec() }
    }

    /// Whether it is an answer of success.
    pub(super) const fn is_success(&self) -> bool {
        matches!(self, Self::Http { status: 200..300, .. })
    }
}

const TIMEOUT: i64 = 10_000;
const POLL_TIMEOUT: i64 = 300_000;

impl Agent {
    fn origin(server: &AgentServer, via: Via) -> &str {
        match via {
            Via::Primary => &server.base,
            Via::Secondary => &server.secondary,
        }
    }

    /// An address under the project: its one segment is encoded, so that a slash in it never is one.
    pub(super) fn address(server: &AgentServer, via: Via, rest: &str) -> String {
        let project = encoded(&server.project);
        let origin = Self::origin(server, via);
        if project.is_empty() { format!("{origin}/{rest}") } else { format!("{origin}/{project}/{rest}") }
    }

    /// The request for a configuration, from the address given; the first one is a POST.
    pub(super) fn configuration(&self, server: &AgentServer, url: String, first: bool) -> AgentRequest {
        let headers = vec![
            ("X-Request-Signature", self.signed(&server.number)),
            ("X-CPU-Arch", self.state.hardware.cpu.clone()),
        ];
        let body = first.then(|| options(server).to_string().into_bytes());
        let method = if first { "POST" } else { "GET" };
        AgentRequest { method, url, headers, body, timeout: TIMEOUT }
    }

    pub(super) fn poll(&self, server: &AgentServer) -> AgentRequest {
        let number = &server.number;
        let url =
            Self::address(server, self.poll_via, &format!("rest/notification/polling/{}", encoded(number)));
        // Without the slash in front, unless there is no project.
        let path = format!("{}/rest/notification/polling/{}", server.project, form_encoded(number));
        let headers = vec![("X-Request-Signature", self.signed(&path))];
        AgentRequest { method: "GET", url, headers, body: None, timeout: POLL_TIMEOUT }
    }

    pub(super) fn download(&self, url: &str) -> AgentRequest {
        let signature = url.split_once("/files/").map(|(_before, name)| self.signed(name));
        let mut headers = vec![("Accept-Encoding", "identity".to_owned())];
        headers.extend(signature.map(|signature| ("X-Request-Signature", signature)));
        AgentRequest { method: "GET", url: url.to_owned(), headers, body: None, timeout: TIMEOUT }
    }

    pub(super) fn plain(method: &'static str, url: String, body: Option<&Value>) -> AgentRequest {
        let body = body.map(|body| body.to_string().into_bytes());
        AgentRequest { method, url, headers: Vec::new(), body, timeout: TIMEOUT }
    }

    /// SHA-1 over the secret and a text, in upper-case hexadecimal.
    pub(super) fn signed(&self, text: &str) -> String {
        let digest = openssl::sha::sha1(format!("{}{text}", self.secret).as_bytes());
        hex::encode_upper(digest)
    }

    /// Whether an answer's signature is right, for an agent that was built to look.
    pub(super) fn believes(&self, signature: Option<&str>, body: &[u8]) -> bool {
        if !self.checks_answers {
            return true;
        }
        let Ok(body) = std::str::from_utf8(body) else { return false };
        let Some((_before, mut data)) = body.split_once("\"data\":") else { return false };
        // Everything but the last character, whatever it is.
        if let Some((at, _last)) = data.char_indices().next_back() {
            data = data.get(..at).unwrap_or_default();
        }
        let bare: String = data.chars().filter(|letter| !" \t\n\u{b}\u{c}\r".contains(*letter)).collect();
        signature.is_some_and(|signature| signature.eq_ignore_ascii_case(&self.signed(&bare)))
    }
}

/// What the code said, for the first request.
fn options(server: &AgentServer) -> Value {
    let said = |key: &str| server.options.get(key).map(String::as_str);
    let groups = said("groups").map(|groups| groups.split(',').map(str::to_owned).collect::<Vec<_>>());
    json!({
        "customer": said("customer"),
        "configuration": said("configuration"),
        "groups": groups,
        "groupSet": groups,
    })
}

/// What the tablet tells of itself; a confirmation of a wipe says also whether it can.
pub(super) fn device_info(state: &AgentState, now: i64, wipe: bool) -> Value {
    let number = |flag: bool| i64::from(flag);
    let mut info = Map::new();
    let mut put = |key: &str, value: Value| info.insert(key.to_owned(), value);
    put("model", state.hardware.model.as_str().into());
    put("permissions", json!([number(state.administrator), number(state.overlay), 1, 0]));
    put("applications", applications(state));
    put("files", state.files.keys().map(|path| json!({ "path": path })).collect());
    if let Some(server) = &state.server {
        put("deviceId", server.number.as_str().into());
    }
    put("phone", "+33600000000".into());
    put("imei", "350000000000000".into());
    put("mdmMode", state.device_owner.into());
    put("kioskMode", false.into());
    put("batteryLevel", state.battery.into());
    put("androidVersion", state.hardware.android.as_str().into());
    if wipe {
        put("factoryReset", state.administrator.into());
    }
    // Whether or not anybody asked.
    if let Some((lat, lon)) = state.hardware.location {
        put("location", json!({ "ts": now, "lat": lat, "lon": lon }));
    }
    put("launcherType", "opensource".into());
    let in_background = state.config.as_ref().is_some_and(|config| config.flag("runDefaultLauncher"));
    put("launcherPackage", "com.hmdm.launcher".into());
    put("defaultLauncher", (!in_background).into());
    put("cpu", state.hardware.cpu.as_str().into());
    put("serial", state.hardware.serial.as_str().into());
    Value::Object(info)
}

/// Those of the configuration that are installed, and no others.
fn applications(state: &AgentState) -> Value {
    let Some(config) = &state.config else { return json!([]) };
    let told = |app: &Value| {
        let package = text(app, "pkg")?;
        let installed = state.apps.get(package)?;
        let name = text(app, "name");
        Some(
            json!({ "type": "app", "name": name, "pkg": package, "version": installed.version, "showIcon": false }),
        )
    };
    config.list("applications").iter().filter_map(told).collect()
}

/// A path segment, encoded.
pub(super) fn encoded(segment: &str) -> String {
    escaped(segment, b"-_.~!$&'()*+,;=:@")
}

/// As Java's `URLEncoder` has it.
fn form_encoded(text: &str) -> String {
    escaped(text, b"-_.* ").replace(' ', "+")
}

fn escaped(text: &str, plain: &[u8]) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(escape).collect()
}
