//! Writes the table of facts, `catalogue/facts.rs`, from what Apple published, and holds it to that.
//!
//! ```console
//! $ ARDOISE_WRITE_FACTS=1 cargo test -p profiles the_table_of_facts_is_what_was_published
//! ```
//!
//! The table holds names, types, ranges, versions and flags. What they mean to a school stands in the files
//! beside it, by hand, and does not compile if it names a key that is not in the table.

use std::fmt::Write as _;
use std::path::Path;

use apple::OsVersion;

use super::published::{self, PublishedHolder, PublishedKey};
use crate::catalogue::Form;

/// The holders that the catalogue describes, by the name of their constant.
pub(super) const DESCRIBED: &[(&str, Form, &str)] = &[
    ("APPLICATION_ACCESS", Form::Profile, "com.apple.applicationaccess"),
    ("PASSWORD_POLICY", Form::Profile, "com.apple.mobiledevice.passwordpolicy"),
    ("WIFI", Form::Profile, "com.apple.wifi.managed"),
    ("ROOT_CERTIFICATE", Form::Profile, "com.apple.security.root"),
    ("PEM_CERTIFICATE", Form::Profile, "com.apple.security.pem"),
    ("PKCS1_CERTIFICATE", Form::Profile, "com.apple.security.pkcs1"),
    ("PKCS12_IDENTITY", Form::Profile, "com.apple.security.pkcs12"),
    ("WEB_CONTENT_FILTER", Form::Profile, "com.apple.webcontent-filter"),
    ("GLOBAL_PROXY", Form::Profile, "com.apple.proxy.http.global"),
    ("DNS_SETTINGS", Form::Profile, "com.apple.dnsSettings.managed"),
    ("HOME_SCREEN", Form::Profile, "com.apple.homescreenlayout"),
    ("NOTIFICATIONS", Form::Profile, "com.apple.notificationsettings"),
    ("WEB_CLIP", Form::Profile, "com.apple.webClip.managed"),
    ("APP_LOCK", Form::Profile, "com.apple.app.lock"),
    ("AIRPRINT", Form::Profile, "com.apple.airprint"),
    ("APP_MANAGED", Form::Declaration, "com.apple.configuration.app.managed"),
    ("APP_SETTINGS", Form::Declaration, "com.apple.configuration.app.settings"),
    ("UPDATE_ENFORCEMENT", Form::Declaration, "com.apple.configuration.softwareupdate.enforcement.specific"),
    ("UPDATE_SETTINGS", Form::Declaration, "com.apple.configuration.softwareupdate.settings"),
    ("PASSCODE", Form::Declaration, "com.apple.configuration.passcode.settings"),
    ("SAFARI", Form::Declaration, "com.apple.configuration.safari.settings"),
    ("SAFARI_BOOKMARKS", Form::Declaration, "com.apple.configuration.safari.bookmarks"),
    ("SAFARI_EXTENSIONS", Form::Declaration, "com.apple.configuration.safari.extensions.settings"),
    ("SIRI", Form::Declaration, "com.apple.configuration.siri.settings"),
    ("INTELLIGENCE", Form::Declaration, "com.apple.configuration.intelligence.settings"),
    ("EXTERNAL_INTELLIGENCE", Form::Declaration, "com.apple.configuration.external-intelligence.settings"),
    ("KEYBOARD", Form::Declaration, "com.apple.configuration.keyboard.settings"),
    ("FILTER_PLUGIN", Form::Declaration, "com.apple.configuration.webcontent-filter.plugin"),
    ("DNS_DECLARED", Form::Declaration, "com.apple.configuration.network.dns-settings"),
    ("LEGACY", Form::Declaration, "com.apple.configuration.legacy"),
    ("SUBSCRIPTIONS", Form::Declaration, "com.apple.configuration.management.status-subscriptions"),
    ("MDM_OPTIONS", Form::Setting, "MDMOptions"),
    ("TIME_ZONE", Form::Setting, "TimeZone"),
];

#[test]
fn the_table_of_facts_is_what_was_published() {
    let Some(holders) = published::holders() else { return };
    let expected = table(&holders);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue/facts.rs");
    if std::env::var_os("ARDOISE_WRITE_FACTS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let different =
        expected.lines().zip(found.lines()).enumerate().find(|(_, (ours, theirs))| ours != theirs);
    assert!(
        expected == found,
        "catalogue/facts.rs is not what was published, at line {different:?}: look at the difference, then write it \
         again with ARDOISE_WRITE_FACTS=1"
    );
}

fn table(holders: &[PublishedHolder]) -> String {
    let mut text = String::from(
        "//! What Apple publishes of each key: iPadOS 27.0, and 18.1 for payloads that did not change since.\n\
         //!\n\
         //! Written by `tests/generator.rs`; not by hand. Long because it is a table.\n\
         \n\
         use super::fact::FactKind::*;\n\
         use super::fact::{Form, Holder, f, v};\n",
    );
    for (constant, form, name) in DESCRIBED {
        let holder = holders
            .iter()
            .find(|holder| holder.form == *form && holder.name == *name)
            .unwrap_or_else(|| panic!("{name} is not among the facts"));
        let _written = writeln!(text, "\npub(crate) static {constant}: Holder = Holder {{");
        let _written = writeln!(text, "    form: Form::{:?},", holder.form);
        let _written = writeln!(text, "    name: {:?},", holder.name);
        let _written = writeln!(text, "    since: {},", version(holder.since));
        let deprecated = holder.deprecated.map_or("None".to_owned(), |at| format!("Some({})", version(at)));
        let _written = writeln!(text, "    deprecated: {deprecated},");
        let _written = writeln!(text, "    supervised: {},", holder.supervised);
        let _written = writeln!(text, "    keys: &[");
        for key in &holder.keys {
            let _written = writeln!(text, "        {},", row(key));
        }
        text.push_str("    ],\n};\n");
    }
    let names: Vec<String> = DESCRIBED.iter().map(|(constant, ..)| format!("    &{constant},\n")).collect();
    let _written = writeln!(
        text,
        "\n/// Every holder of this table.\npub(super) static HOLDERS: &[&Holder] = &[\n{}];",
        names.concat()
    );
    text
}

fn row(key: &PublishedKey) -> String {
    let mut row = format!("f({:?}, {:?}, {})", key.path, key.kind, version(key.since));
    if let Some(at) = key.deprecated {
        let _written = write!(row, ".deprecated({})", version(at));
    }
    if let Some(at) = key.removed {
        let _written = write!(row, ".removed({})", version(at));
    }
    if key.supervised {
        row.push_str(".supervised()");
    }
    if key.required {
        row.push_str(".required()");
    }
    if key.range != (None, None) {
        let _written = write!(row, ".range({:?}, {:?})", key.range.0, key.range.1);
    }
    if !key.choices.is_empty() {
        let _written = write!(row, ".choices(&{:?})", key.choices);
    }
    row
}

fn version(version: OsVersion) -> String {
    format!("v({}, {}, {})", version.major, version.minor, version.patch)
}
