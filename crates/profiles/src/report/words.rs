//! Values in words: *allowed*, *forbidden*, *demanded*.

use std::collections::BTreeMap;

use crate::catalogue::{Entry, Language, Stricter};
use crate::parts::{
    App, AppOrigin, Certificate, Dns, DnsServer, Eap, GlobalProxy, HomeScreen, Notification, OsUpdate,
    Printer, ProxyRoute, SafariExtension, SingleApp, WebClip, Wifi,
};
use crate::value::Value;

/// Chooses between the two languages.
pub(super) fn choose(language: Language, english: &str, french: &str) -> String {
    match language {
        Language::English => english.to_owned(),
        Language::French => french.to_owned(),
    }
}

/// What an entry is called: its label, or its key where nobody needed one.
pub(super) fn name(entry: &Entry, language: Language) -> String {
    entry.text().map_or_else(|| entry.to_string(), |text| text.label.of(language).to_owned())
}

/// A value of an entry, in a word.
pub(super) fn value(entry: &Entry, value: Option<&Value>, language: Language) -> String {
    match (value, entry.stricter) {
        (None, _) => choose(language, "not set", "non réglé"),
        (Some(Value::Boolean(true)), Stricter::False) => choose(language, "allowed", "autorisé"),
        (Some(Value::Boolean(false)), Stricter::False) => choose(language, "forbidden", "interdit"),
        (Some(Value::Boolean(true)), Stricter::True) => choose(language, "demanded", "exigé"),
        (Some(Value::Boolean(false)), Stricter::True) => choose(language, "not demanded", "non exigé"),
        (Some(Value::Boolean(true)), _) => choose(language, "yes", "oui"),
        (Some(Value::Boolean(false)), _) => choose(language, "no", "non"),
        (Some(Value::Choice(word)), _) => (*word).to_owned(),
        (Some(Value::Text(text)), _) => text.clone(),
        (Some(value @ (Value::Number(_) | Value::Names(_))), _) => value.to_string(),
    }
}

/// What a part of a layer holds, key by key, so that two can be compared. Passwords are compared, never shown.
pub(super) trait Fields {
    /// The keys that are set, with what they are.
    fn fields(&self) -> BTreeMap<String, String>;
}

fn fields<const N: usize>(fields: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

impl Fields for () {
    fn fields(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

impl Fields for App {
    fn fields(&self) -> BTreeMap<String, String> {
        let (store, file) = match &self.origin {
            Some(AppOrigin::Store(number)) => (text(number), None),
            Some(AppOrigin::File(digest)) => (None, text(digest)),
            None => (None, None),
        };
        fields([
            ("name", text(&self.name)),
            ("store", store),
            ("file", file),
            ("settings", self.settings.as_ref().map(ToString::to_string)),
            ("install", text(self.install)),
            ("updates", text(self.updates)),
            ("backup", text(self.backup)),
        ])
    }
}

impl Fields for WebClip {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([
            ("label", text(&self.label)),
            ("full-screen", text(self.full_screen)),
            ("removable", text(self.removable)),
        ])
    }
}

impl Fields for Printer {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([("port", self.port.map(|port| port.to_string())), ("tls", text(self.tls))])
    }
}

impl Fields for Certificate {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([("subject", text(&self.subject)), ("sha-256", text(types::Digest::of(&self.der)))])
    }
}

impl Fields for Wifi {
    fn fields(&self) -> BTreeMap<String, String> {
        // A password is told from another by its digest, of which nobody sees more than that it changed.
        let password = self.password.as_ref().map(|password| secret(password.expose()));
        let mut all = fields([
            ("security", text(self.security)),
            ("password", password),
            ("hidden", text(self.hidden)),
            ("auto-join", text(self.auto_join)),
            ("fixed-address", text(self.fixed_address)),
            ("proxy", self.proxy.as_ref().and_then(route)),
        ]);
        if let Some(Eap { method, user, outer_identity, servers, authorities }) = &self.eap {
            all.extend(fields([
                ("eap.method", text(method)),
                ("eap.user", text(user)),
                ("eap.outer-identity", outer_identity.clone()),
                ("eap.servers", joined(servers)),
                ("eap.authorities", joined(authorities)),
            ]));
        }
        all
    }
}

/// The mark of a value that is compared and not shown.
pub(super) const SECRET: &str = "\u{0}secret ";

fn secret(value: &str) -> String {
    format!("{SECRET}{}", types::Digest::of(value.as_bytes()))
}

fn route(route: &ProxyRoute) -> Option<String> {
    match route {
        ProxyRoute::Server { host, port } => text(format!("{host}:{port}")),
        ProxyRoute::Script { url, fallback: false } => text(url),
        ProxyRoute::Script { url, fallback: true } => text(format!("{url} (fallback)")),
    }
}

impl Fields for GlobalProxy {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([("route", route(&self.route)), ("captive-login", text(self.captive_login))])
    }
}

impl Fields for Dns {
    fn fields(&self) -> BTreeMap<String, String> {
        let server = match &self.server {
            DnsServer::Https(url) => url.to_string(),
            DnsServer::Tls(host) => host.to_string(),
        };
        fields([
            ("server", text(server)),
            ("addresses", joined(&self.addresses)),
            ("failover", text(self.failover)),
            ("keeps-log", text(self.keeps_log)),
            ("only-on", joined(&self.only_on)),
        ])
    }
}

impl Fields for HomeScreen {
    fn fields(&self) -> BTreeMap<String, String> {
        let row = |icons: &[crate::parts::Icon]| joined(icons.iter().map(icon));
        let mut all = fields([("dock", row(&self.dock))]);
        for (number, page) in self.pages.iter().enumerate() {
            all.insert(format!("page {}", number + 1), row(page).unwrap_or_default());
        }
        all
    }
}

fn icon(icon: &crate::parts::Icon) -> String {
    match icon {
        crate::parts::Icon::App(bundle) => bundle.to_string(),
        crate::parts::Icon::WebClip(url) => url.to_string(),
        crate::parts::Icon::Folder { name, icons } => {
            format!("{name} [{}]", joined(icons.iter().map(self::icon)).unwrap_or_default())
        }
    }
}

impl Fields for Notification {
    fn fields(&self) -> BTreeMap<String, String> {
        let boolean = |value: Option<bool>| value.map(|value| value.to_string());
        let number = |value: Option<i64>| value.map(|value| value.to_string());
        fields([
            ("enabled", boolean(self.enabled)),
            ("notification-center", boolean(self.notification_center)),
            ("lock-screen", boolean(self.lock_screen)),
            ("badges", boolean(self.badges)),
            ("sounds", boolean(self.sounds)),
            ("critical", boolean(self.critical)),
            ("alert", number(self.alert)),
            ("grouping", number(self.grouping)),
            ("preview", number(self.preview)),
        ])
    }
}

impl Fields for SafariExtension {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([("state", text(self.state)), ("private-browsing", text(self.private_browsing))])
    }
}

impl Fields for SingleApp {
    fn fields(&self) -> BTreeMap<String, String> {
        let mut all = fields([("bundle", text(&self.bundle))]);
        all.extend(self.options.iter().map(|(key, value)| (format!("options.{key}"), value.to_string())));
        let user = self.user_options.iter();
        all.extend(user.map(|(key, value)| (format!("user-options.{key}"), value.to_string())));
        all
    }
}

impl Fields for OsUpdate {
    fn fields(&self) -> BTreeMap<String, String> {
        fields([
            ("version", text(self.version)),
            ("build", self.build.clone()),
            ("deadline", text(self.deadline)),
            ("details", self.details.as_ref().map(ToString::to_string)),
        ])
    }
}
