//! Authorities, Wi-Fi networks, the global proxy, the resolver, printers.

use std::collections::BTreeMap;

use super::frame::{Frame, short};
use super::writer::{Sheet, Writer};
use crate::catalogue::{AIRPRINT, DNS_DECLARED, DNS_SETTINGS, GLOBAL_PROXY, Holder, ROOT_CERTIFICATE, WIFI};
use crate::intent::Intent;
use crate::names::CertificateName;
use crate::parts::{Dns, DnsServer, Eap, EapMethod, ProxyRoute, Wifi, WifiSecurity};
use crate::render::node::{Map, Node};

pub(super) fn write(intent: &Intent, frame: &Frame, writer: &mut Writer) {
    let authorities = authorities(intent, frame, writer);
    for (ssid, kept) in intent.wifi() {
        let what = format!("wifi \"{ssid}\"");
        if writer.choose(&what, &[&WIFI]).is_some() {
            let sheet = writer.sheet(&WIFI, Some(&short(ssid.as_str())), &format!("Wi-Fi « {ssid} »"));
            sheet.put("SSID_STR", Node::text(ssid));
            wifi(&kept.value, &authorities, sheet);
            writer.wrote(what, &WIFI, "");
        }
    }
    global_proxy(intent, writer);
    resolver(intent, writer);
    printers(intent, writer);
}

/// Writes the authorities, and gives the UUIDs by which networks refer to them.
fn authorities<'i>(
    intent: &'i Intent,
    frame: &Frame,
    writer: &mut Writer,
) -> BTreeMap<&'i CertificateName, String> {
    let mut uuids = BTreeMap::new();
    for (name, kept) in &intent.certificates {
        let sheet = writer.sheet(&ROOT_CERTIFICATE, Some(name.as_str()), &kept.value.subject);
        sheet.put("PayloadContent", Node::Data(kept.value.der.clone()));
        sheet.put("PayloadCertificateFileName", Node::text(format!("{name}.cer")));
        if let Some(uuid) = writer.uuid(&ROOT_CERTIFICATE, name.as_str(), frame) {
            uuids.insert(name, uuid);
        }
        writer.wrote(format!("certificate {name}"), &ROOT_CERTIFICATE, "");
    }
    uuids
}

fn wifi(wifi: &Wifi, authorities: &BTreeMap<&CertificateName, String>, sheet: &mut Sheet) {
    sheet.put("HIDDEN_NETWORK", Node::Boolean(wifi.hidden));
    sheet.put("AutoJoin", Node::Boolean(wifi.auto_join));
    let encryption = match wifi.security {
        WifiSecurity::Open => "None",
        WifiSecurity::Wpa => "WPA",
        WifiSecurity::Wpa2 => "WPA2",
        WifiSecurity::Wpa3 => "WPA3",
    };
    sheet.put("EncryptionType", Node::text(encryption));
    if wifi.fixed_address {
        sheet.put("DisableAssociationMACRandomization", Node::Boolean(true));
    }
    if let Some(password) = &wifi.password {
        let path = if wifi.eap.is_some() { "EAPClientConfiguration.UserPassword" } else { "Password" };
        sheet.put(path, Node::text(password.expose()));
    }
    if let Some(eap) = &wifi.eap {
        enterprise(eap, authorities, sheet);
    }
    match &wifi.proxy {
        None => sheet.put("ProxyType", Node::text("None")),
        Some(route) => proxy(route, sheet),
    }
}

fn enterprise(eap: &Eap, authorities: &BTreeMap<&CertificateName, String>, sheet: &mut Sheet) {
    let mut put = |key: &str, node| sheet.put(&format!("EAPClientConfiguration.{key}"), node);
    let (number, inner) = match eap.method {
        EapMethod::Peap => (25, None),
        EapMethod::TtlsPap => (21, Some("PAP")),
        EapMethod::TtlsMschapv2 => (21, Some("MSCHAPv2")),
    };
    put("AcceptEAPTypes", Node::List(vec![Node::Integer(number)]));
    if let Some(inner) = inner {
        put("TTLSInnerAuthentication", Node::text(inner));
    }
    put("UserName", Node::text(&eap.user));
    if let Some(outer) = &eap.outer_identity {
        put("OuterIdentity", Node::text(outer));
    }
    put("TLSTrustedServerNames", Node::texts(&eap.servers));
    put("TLSMinimumVersion", Node::text("1.2"));
    let anchors = eap.authorities.iter().filter_map(|name| authorities.get(name));
    put("PayloadCertificateAnchorUUID", Node::texts(anchors));
}

/// The keys that a network's proxy and the global one share.
fn proxy(route: &ProxyRoute, sheet: &mut Sheet) {
    match route {
        ProxyRoute::Server { host, port } => {
            sheet.put("ProxyType", Node::text("Manual"));
            sheet.put("ProxyServer", Node::text(host));
            sheet.put("ProxyServerPort", Node::Integer(i64::from(*port)));
        }
        ProxyRoute::Script { url, fallback } => {
            sheet.put("ProxyType", Node::text("Auto"));
            sheet.put("ProxyPACURL", Node::text(url));
            sheet.put("ProxyPACFallbackAllowed", Node::Boolean(*fallback));
        }
    }
}

fn global_proxy(intent: &Intent, writer: &mut Writer) {
    let Some(global) = intent.proxy.as_ref().map(|kept| &kept.value) else { return };
    let what = "proxy";
    if writer.choose(what, &[&GLOBAL_PROXY]).is_some() {
        let sheet = writer.sheet(&GLOBAL_PROXY, None, "Proxy");
        proxy(&global.route, sheet);
        sheet.put("ProxyCaptiveLoginAllowed", Node::Boolean(global.captive_login));
        writer.wrote(what, &GLOBAL_PROXY, "");
    }
}

fn resolver(intent: &Intent, writer: &mut Writer) {
    let Some(dns) = intent.dns.as_ref().map(|kept| &kept.value) else { return };
    let what = "dns";
    let Some(holder) = writer.choose(what, &[&DNS_DECLARED, &DNS_SETTINGS]) else { return };
    let title = "DNS chiffré";
    if holder == &DNS_DECLARED {
        writer.sheet(holder, None, title).put("VisibleName", Node::text(title));
    }
    write_resolver(dns, holder, title, writer);
    writer.wrote(what, holder, "");
}

fn write_resolver(dns: &Dns, holder: &'static Holder, title: &str, writer: &mut Writer) {
    for (path, value, part) in [
        ("ProhibitDisablement", Node::Boolean(true), "a resolver that its user cannot turn off"),
        ("DNSSettings.AllowFailover", Node::Boolean(dns.failover), "dns.failover"),
    ] {
        // Without the key there is no failover: only wishing for one is left out.
        let asked = path != "DNSSettings.AllowFailover" || dns.failover;
        match writer.has_path(holder, path) {
            Ok(()) => writer.sheet(holder, None, title).put(path, value),
            Err(why) if asked => writer.leave_out(part, why),
            Err(_) => {}
        }
    }
    let sheet = writer.sheet(holder, None, title);
    match &dns.server {
        DnsServer::Https(url) => {
            sheet.put("DNSSettings.DNSProtocol", Node::text("HTTPS"));
            sheet.put("DNSSettings.ServerURL", Node::text(url));
        }
        DnsServer::Tls(host) => {
            sheet.put("DNSSettings.DNSProtocol", Node::text("TLS"));
            sheet.put("DNSSettings.ServerName", Node::text(host));
        }
    }
    if !dns.addresses.is_empty() {
        sheet.put("DNSSettings.ServerAddresses", Node::texts(&dns.addresses));
    }
    if !dns.only_on.is_empty() {
        // The first rule that fits counts: these networks, then all others.
        let on = Map::from([
            ("Action".to_owned(), Node::text("Connect")),
            ("SSIDMatch".to_owned(), Node::texts(&dns.only_on)),
        ]);
        let elsewhere = Map::from([("Action".to_owned(), Node::text("Disconnect"))]);
        sheet.put("OnDemandRules", Node::List(vec![Node::Map(on), Node::Map(elsewhere)]));
    }
}

fn printers(intent: &Intent, writer: &mut Writer) {
    if intent.printers.is_empty() {
        return;
    }
    let what = "the printers";
    if writer.choose(what, &[&AIRPRINT]).is_none() {
        return;
    }
    let each = intent.printers.iter().map(|(place, kept)| {
        let mut values = Map::from([
            ("IPAddress".to_owned(), Node::text(&place.host)),
            ("ResourcePath".to_owned(), Node::text(&place.queue)),
            ("ForceTLS".to_owned(), Node::Boolean(kept.value.tls)),
        ]);
        if let Some(port) = kept.value.port {
            values.insert("Port".to_owned(), Node::Integer(i64::from(port)));
        }
        Node::Map(values)
    });
    writer.sheet(&AIRPRINT, None, "Imprimantes").put("AirPrint", Node::List(each.collect()));
    writer.wrote(what, &AIRPRINT, "");
}
