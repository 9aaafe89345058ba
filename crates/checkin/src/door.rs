//! What the door holds: the use cases, the clock, and its bounds.

use std::fmt;
use std::sync::Arc;

use fleet::Fleet;
use pki::TrustedProxies;
use types::{Clock, Duration};

use crate::body::Budget;
use crate::routes::{Route, is_own_path};
use fleet::pace::{Gate, RateLimits};

/// How large, how slow and how many requests may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest check-in message, in bytes.
    pub check_in_bytes: usize,
    /// The largest answer to a command, in bytes: a list of profiles or apps can have megabytes.
    pub connect_bytes: usize,
    /// The largest SCEP message, in bytes, however it is sent.
    pub scep_bytes: usize,
    /// The largest signed `MachineInfo`, in bytes.
    pub machine_info_bytes: usize,
    /// The memory that all bodies being read or served may hold together, in bytes.
    pub memory_bytes: usize,
    /// How long a body may take to arrive.
    pub body_within: Duration,
    /// The pace of requests that prove nothing yet.
    pub unauthenticated: RateLimits,
}

impl Default for Limits {
    /// What the parsers take at most: 64 kB, but 8 MiB for connect; 256 MiB together; 30 s.
    fn default() -> Self {
        Self {
            check_in_bytes: apple::plist::Limits::CHECK_IN.max_bytes,
            connect_bytes: apple::plist::Limits::CONNECT.max_bytes,
            scep_bytes: 64 * 1024,
            machine_info_bytes: 64 * 1024,
            memory_bytes: 256 * 1024 * 1024,
            body_within: Duration::from_secs(30),
            unauthenticated: RateLimits::default(),
        }
    }
}

/// What the configuration decides for the door.
#[derive(Debug, Clone, Default)]
pub struct DoorSettings {
    /// The proxies in front, whose `Client-Cert` and `X-Forwarded-For` are believed. Usually none.
    pub proxies: TrustedProxies,
    /// The paths at which the tablets of another server call, such as `/mdm`: both of its URLs.
    pub taken_over_paths: Vec<String>,
    /// The bounds.
    pub limits: Limits,
}

/// A configuration with which the door cannot open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// A taken-over path is not a plain path.
    #[error(
        "takeover.paths: `{0}` is not a plain path; write it as the other server's profile has it, such as \
         /mdm/checkin, without query, escapes or doubled slashes"
    )]
    NotAPath(String),
    /// A taken-over path is one of the door's own.
    #[error(
        "takeover.paths: `{0}` is a path of this server itself; let a proxy give the other server's requests \
         another path"
    )]
    OwnPath(String),
    /// A taken-over path is given twice.
    #[error("takeover.paths: `{0}` is given twice; remove one")]
    Twice(String),
}

/// The tablets' door: one for all workers of the server.
pub struct DoorState {
    pub(crate) fleet: Fleet,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) limits: Limits,
    pub(crate) gate: Gate,
    pub(crate) budget: Budget,
    routes: Vec<Arc<Route>>,
}

impl fmt::Debug for DoorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoorState")
            .field("routes", &self.routes)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl DoorState {
    /// A door to `fleet`.
    ///
    /// # Errors
    /// [`DoorError`], for taken-over paths that cannot be served.
    pub fn new(fleet: Fleet, clock: Arc<dyn Clock>, settings: DoorSettings) -> Result<Self, DoorError> {
        let DoorSettings { proxies, taken_over_paths, limits } = settings;
        Ok(Self {
            fleet,
            clock,
            proxies,
            gate: Gate::new(limits.unauthenticated),
            budget: Budget::new(limits.memory_bytes),
            limits,
            routes: all_routes(taken_over_paths)?,
        })
    }

    /// Every route of this door: the table, and the taken-over paths.
    #[must_use]
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }
}

fn all_routes(taken_over_paths: Vec<String>) -> Result<Vec<Arc<Route>>, DoorError> {
    let mut routes = crate::routes::table();
    for path in taken_over_paths {
        if !is_plain(&path) {
            return Err(DoorError::NotAPath(path));
        }
        if is_own_path(&path) {
            return Err(DoorError::OwnPath(path));
        }
        if routes.iter().any(|route| route.path == path) {
            return Err(DoorError::Twice(path));
        }
        routes.push(Route::taken_over(path));
    }
    Ok(routes.into_iter().map(Arc::new).collect())
}

/// Whether a path is one that no client, proxy or router writes in a second way.
fn is_plain(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::AuthClass;

    fn routes(paths: &[&str]) -> Result<Vec<Arc<Route>>, DoorError> {
        all_routes(paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn taken_over_paths_become_routes_that_ask_for_an_identity() {
        let routes = routes(&["/mdm", "/MDMServiceConfig/v1.php"]).unwrap();
        let added: Vec<_> =
            routes.iter().filter(|route| route.path.to_lowercase().starts_with("/mdm")).collect();
        assert!(added.len() >= 2);
        assert!(added.iter().all(|route| route.class == AuthClass::DeviceIdentity));
    }

    #[test]
    fn a_taken_over_path_is_plain_and_not_our_own() {
        for path in
            ["", "mdm", "/", "/a//b", "/a/", "/a/../b", "/a/./b", "/a%2fb", "/a;b", "/a?b", "/{tail}", "/é"]
        {
            assert_eq!(routes(&[path]).unwrap_err(), DoorError::NotAPath(path.to_owned()));
        }
        for path in ["/mdm/checkin", "/MDM/connect", "/scep", "/enrol/automated", "/enrol/x"] {
            assert_eq!(routes(&[path]).unwrap_err(), DoorError::OwnPath(path.to_owned()));
        }
        assert_eq!(routes(&["/mdm", "/mdm"]).unwrap_err(), DoorError::Twice("/mdm".to_owned()));
    }
}
