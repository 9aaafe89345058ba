//! Encrypted DNS: a resolver that filters names, wherever the tablet is or on some networks only.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::names::{Host, Ssid, WebAddress};
use crate::reading::{At, Notes, Table};

/// A resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// How it is reached.
    pub server: DnsServer,
    /// Its addresses, so that it need not be looked up first.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether the tablet asks the network's own resolver when this one does not answer.
    pub failover: bool,
    /// Whether it keeps a log of who asked for what: then it is for the school's networks only (C3.1.5).
    pub keeps_log: bool,
    /// The networks on which it is used; all if empty.
    pub only_on: BTreeSet<Ssid>,
}

/// How a resolver is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsServer {
    /// Over HTTPS (RFC 8484).
    Https(WebAddress),
    /// Over TLS (RFC 7858).
    Tls(Host),
}

impl Dns {
    /// Whether names asked for at home would be logged.
    #[must_use]
    pub fn logs_home_traffic(&self) -> bool {
        self.keeps_log && self.only_on.is_empty()
    }
}

/// Reads `[dns]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<Dns>> {
    let line = table.line();
    let url = table.parsed::<WebAddress>("url", notes);
    let host = table.parsed::<Host>("server", notes);
    let addresses = table.set::<IpAddr>("addresses", notes);
    let failover = table.boolean("failover", notes);
    let keeps_log = table.boolean("keeps-log", notes);
    let only_on = table.set::<Ssid>("only-on", notes);
    let server = match (url, host) {
        (Some(url), None) if url.value.as_str().starts_with("https://") => Some(DnsServer::Https(url.value)),
        (None, Some(host)) => Some(DnsServer::Tls(host.value)),
        _ => {
            let right = "expected `url` (https) or `server` (TLS), not both";
            notes.error(line, table.path(), "does not say where the resolver is", right);
            None
        }
    };
    // Said, not assumed: whether home traffic is logged rests on it.
    if keeps_log.is_none() {
        table.missing("keeps-log", "expected true or false: does the resolver log who asks for what?", notes);
    }
    table.finish(notes);
    let dns = Dns {
        server: server?,
        addresses: addresses.map(|addresses| addresses.value).unwrap_or_default(),
        failover: failover.is_some_and(|value| value.value),
        keeps_log: keeps_log?.value,
        only_on: only_on.map(|networks| networks.value).unwrap_or_default(),
    };
    Some(At { value: dns, line })
}
