//! Wi-Fi networks. A proxy here is the network's own: it is used on that network and nowhere else, which is how the
//! school's traffic is traced and none at home (C3.1.5).

use std::collections::BTreeSet;
use std::fmt;

use types::Secret;

use crate::names::{CertificateName, Host, Ssid};
use crate::parts::proxy::{ProxyRoute, route};
use crate::parts::words;
use crate::reading::{At, Notes, Table};

words! {
    /// How a network is protected.
    WifiSecurity {
        /// Not at all.
        Open = "open",
        /// WPA or WPA2.
        Wpa = "wpa",
        /// WPA2 or WPA3.
        Wpa2 = "wpa2",
        /// WPA3 only.
        Wpa3 = "wpa3",
    }

    /// How a user proves who they are to an enterprise network.
    EapMethod {
        /// PEAP with MSCHAPv2.
        Peap = "peap",
        /// TTLS with PAP.
        TtlsPap = "ttls-pap",
        /// TTLS with MSCHAPv2.
        TtlsMschapv2 = "ttls-mschapv2",
    }
}

/// A network.
#[derive(Clone)]
pub struct Wifi {
    /// How it is protected.
    pub security: WifiSecurity,
    /// The password, for networks that have one password for all, or of [`Eap`]'s user.
    pub password: Option<Secret<String>>,
    /// How to sign in to an enterprise network.
    pub eap: Option<Eap>,
    /// Whether it does not say its name.
    pub hidden: bool,
    /// Whether the tablet joins it by itself.
    pub auto_join: bool,
    /// Whether the tablet shows it its true address, so that the school knows it again.
    pub fixed_address: bool,
    /// The network's proxy.
    pub proxy: Option<WifiProxy>,
}

/// The proxy of one network.
pub type WifiProxy = ProxyRoute;

/// How to sign in to an enterprise network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eap {
    /// The method.
    pub method: EapMethod,
    /// The account.
    pub user: String,
    /// The name that is said before the tunnel stands.
    pub outer_identity: Option<String>,
    /// The servers that are believed.
    pub servers: BTreeSet<Host>,
    /// The authorities that vouch for them, by the names of certificates of the layers.
    pub authorities: BTreeSet<CertificateName>,
}

impl PartialEq for Wifi {
    fn eq(&self, other: &Self) -> bool {
        let password = |wifi: &Self| wifi.password.as_ref().map(|password| password.expose().clone());
        password(self) == password(other)
            && (self.security, &self.eap, self.hidden, self.auto_join, self.fixed_address, &self.proxy)
                == (
                    other.security,
                    &other.eap,
                    other.hidden,
                    other.auto_join,
                    other.fixed_address,
                    &other.proxy,
                )
    }
}

impl Eq for Wifi {}

impl fmt::Debug for Wifi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wifi")
            .field("security", &self.security)
            .field("password", &self.password)
            .field("eap", &self.eap)
            .field("hidden", &self.hidden)
            .field("auto_join", &self.auto_join)
            .field("fixed_address", &self.fixed_address)
            .field("proxy", &self.proxy)
            .finish()
    }
}

/// Reads one `[[wifi]]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(Ssid, At<Wifi>)> {
    let line = table.line();
    let ssid = table.parsed::<Ssid>("ssid", notes);
    let security = table.parsed::<WifiSecurity>("security", notes);
    let enterprise = table.table("eap", notes);
    // WPA knows nothing outside 8 to 63 characters; an account may have any password.
    let lengths = if enterprise.is_some() { 1..=128 } else { 8..=63 };
    let password = table.secret("password", lengths, notes);
    let hidden = table.boolean("hidden", notes);
    let auto_join = table.boolean("auto-join", notes);
    let fixed_address = table.boolean("fixed-address", notes);
    let proxy = table.table("proxy", notes).map(|mut table| {
        let route = route(&mut table, "server", notes);
        table.finish(notes);
        route
    });
    if ssid.is_none() {
        table.missing("ssid", "expected the name of the network", notes);
    }
    let path = table.path().to_owned();
    match &security {
        None => table.missing("security", "expected open, wpa, wpa2 or wpa3", notes),
        Some(At { value: WifiSecurity::Open, .. }) if password.is_some() || enterprise.is_some() => {
            notes.error(line, path, "is open and has a password", "say how the network is protected");
        }
        Some(At { value: WifiSecurity::Open, line }) => {
            let right = "everything on it can be read by those nearby: prefer a network with a password";
            notes.advice(*line, path, "is an open network", right);
        }
        Some(_) if password.is_none() => {
            table.missing("password", "expected the network's password, or that of `eap.user`", notes);
        }
        Some(_) => {}
    }
    table.finish(notes);
    let eap = match enterprise {
        None => None,
        Some(table) => Some(eap(table, notes)?),
    };
    let wifi = Wifi {
        security: security?.value,
        password: password.map(|password| password.value),
        eap,
        hidden: hidden.is_some_and(|value| value.value),
        auto_join: auto_join.is_none_or(|value| value.value),
        fixed_address: fixed_address.is_some_and(|value| value.value),
        proxy: proxy.flatten(),
    };
    Some((ssid?.value, At { value: wifi, line }))
}

fn eap(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<Eap> {
    let method = table.parsed::<EapMethod>("method", notes);
    let user = table.text("user", 128, notes);
    let outer_identity = table.text("outer-identity", 128, notes);
    let servers = table.set::<Host>("servers", notes).map(|servers| servers.value).unwrap_or_default();
    let authorities = table.set::<CertificateName>("authorities", notes);
    let authorities = authorities.map(|authorities| authorities.value).unwrap_or_default();
    if method.is_none() {
        table.missing("method", "expected peap, ttls-pap or ttls-mschapv2", notes);
    }
    if user.is_none() {
        table.missing("user", "expected the account by which the tablet signs in", notes);
    }
    // Without both, anyone nearby can play the network and be told the password.
    if servers.is_empty() {
        table.missing("servers", "expected the names of the servers to believe", notes);
    }
    if authorities.is_empty() {
        table.missing("authorities", "expected the `[[certificate]]` that vouches for them, by name", notes);
    }
    table.finish(notes);
    Some(Eap {
        method: method?.value,
        user: user?.value,
        outer_identity: outer_identity.map(|name| name.value),
        servers,
        authorities,
    })
}
