//! Printers that tablets find by themselves.

use crate::names::Host;
use crate::reading::{At, Notes, Table};

/// Where a printer is: its host and the path of its queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrinterPlace {
    /// The host.
    pub host: Host,
    /// The path, such as `ipp/print`.
    pub queue: String,
}

/// How a printer is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printer {
    /// The port, the protocol's own unless told.
    pub port: Option<u16>,
    /// Whether only TLS is accepted.
    pub tls: bool,
}

/// Reads one `[[printer]]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(PrinterPlace, At<Printer>)> {
    let line = table.line();
    let host = table.parsed::<Host>("host", notes);
    let queue = table.text("queue", 128, notes);
    let port = table.number("port", 1, 65_535, notes);
    let tls = table.boolean("tls", notes);
    if host.is_none() {
        table.missing("host", "expected the printer's name or address", notes);
    }
    if queue.is_none() {
        table.missing("queue", "expected the path of its queue, such as \"ipp/print\"", notes);
    }
    table.finish(notes);
    let printer = Printer {
        port: port.and_then(|port| u16::try_from(port.value).ok()),
        tls: tls.is_some_and(|tls| tls.value),
    };
    Some((PrinterPlace { host: host?.value, queue: queue?.value }, At { value: printer, line }))
}
