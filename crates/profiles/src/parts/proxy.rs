//! The global proxy: everything the tablet asks of the web goes through it, wherever the tablet is. That is why no
//! tablet that goes home may have one (C3.1.5); a network of the school has a proxy of its own instead.

use crate::names::{Host, WebAddress};
use crate::reading::{At, Notes, Table};

/// The global proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalProxy {
    /// Where it is.
    pub route: ProxyRoute,
    /// Whether the tablet may show a network's sign-in page past the proxy.
    pub captive_login: bool,
}

/// How a proxy is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyRoute {
    /// By its host and port.
    Server {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// By a configuration script.
    Script {
        /// Where the script is.
        url: WebAddress,
        /// Whether the tablet goes without a proxy when the script cannot be had.
        fallback: bool,
    },
}

/// Reads `[proxy]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<GlobalProxy>> {
    let line = table.line();
    let route = route(&mut table, "server", notes);
    let captive_login = table.boolean("captive-login", notes).is_some_and(|value| value.value);
    table.finish(notes);
    Some(At { value: GlobalProxy { route: route?, captive_login }, line })
}

/// Reads `server` and `port`, or `pac`; `server` may have another name.
pub(crate) fn route(
    table: &mut Table<'_>,
    server: &'static str,
    notes: &mut Notes<'_>,
) -> Option<ProxyRoute> {
    let host = table.parsed::<Host>(server, notes);
    let port = table.number("port", 1, 65_535, notes);
    let script = table.parsed::<WebAddress>("pac", notes);
    let fallback = table.boolean("fallback", notes);
    let (line, path) = (table.line(), table.path().to_owned());
    match (host, port, script) {
        (Some(host), Some(port), None) => {
            if fallback.is_some() {
                notes.error(line, path, "has `fallback` without `pac`", "leave it out");
            }
            Some(ProxyRoute::Server { host: host.value, port: u16::try_from(port.value).ok()? })
        }
        (None, None, Some(url)) => {
            Some(ProxyRoute::Script { url: url.value, fallback: fallback.is_some_and(|value| value.value) })
        }
        _ => {
            let right = format!("expected `{server}` and `port`, or `pac`");
            notes.error(line, path, "does not say where the proxy is", right);
            None
        }
    }
}
