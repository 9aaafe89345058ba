//! The keys of the configuration: the one table that reading, explaining and the documentation share.

/// How a key's value is written in the file. In the environment and in flags every value is text, and the
/// members of a list are separated by commas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
    /// An array of strings.
    List,
}

impl Shape {
    /// The shape in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Switch => "true or false",
            Self::Number => "a whole number",
            Self::List => "a list of strings",
        }
    }
}

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The name, such as `tablets.listen`.
    pub name: &'static str,
    /// How its value is written.
    pub shape: Shape,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
    /// The value when nothing is said, as text; empty when there is none.
    pub default: &'static str,
    /// A good value, as text.
    pub example: &'static str,
    /// Whether the value may hold a password: it is then never shown.
    pub secret: bool,
}

impl Key {
    /// The key named `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The environment variable of this key: `ARDOISE_TABLETS_LISTEN` for `tablets.listen`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("ARDOISE_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The key's example as it stands in the file: `listen = "0.0.0.0:8443"`.
    #[must_use]
    pub fn written(&self, value: &str) -> String {
        let leaf = self.name.split_once('.').map_or(self.name, |(_section, leaf)| leaf);
        let value = match self.shape {
            Shape::Text => quoted(value),
            Shape::Switch | Shape::Number => value.to_owned(),
            Shape::List => {
                let members = split_list(value).map(quoted).collect::<Vec<_>>();
                format!("[{}]", members.join(", "))
            }
        };
        format!("{leaf} = {value}")
    }

    /// The section the key stands in: `tablets` for `tablets.tls.key`, which is written `tls.key = …` there.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _leaf)| section)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The members of a list written as text.
pub(super) fn split_list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|member| !member.is_empty())
}

const fn key(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Key {
    Key { name, shape, meaning, default, example, secret: false }
}

/// Every key, in the order of the file.
pub const KEYS: &[Key] = &[
    Key {
        secret: true,
        ..key(
            "database.url",
            Shape::Text,
            "sqlite:ardoise.db",
            "postgresql://ardoise@db.example.org/ardoise",
            "Where the memory is: `sqlite:PATH` (relative to the home folder) for one machine, \
             `postgresql://…` for several.",
        )
    },
    key(
        "database.connections",
        Shape::Number,
        "8",
        "16",
        "How many connections to the database are open at most, from 1 to 200.",
    ),
    key(
        "tablets.listen",
        Shape::Text,
        "0.0.0.0:8443",
        "0.0.0.0:443",
        "Address and port of the tablets' door.",
    ),
    key(
        "tablets.public_url",
        Shape::Text,
        "",
        "https://mdm.example.org",
        "The address tablets use, written into every enrolment. Tablets enrolled under it are lost if it \
         changes.",
    ),
    key(
        "tablets.tls.certificate",
        Shape::Text,
        "auto",
        "/etc/ardoise/mdm.example.org.pem",
        "PEM file with the certificate of the tablets' door and its intermediates, or `auto`: issued by \
         our own authority, for a demonstration or a test.",
    ),
    key(
        "tablets.tls.key",
        Shape::Text,
        "",
        "/etc/ardoise/mdm.example.org.key",
        "PEM file with the private key of `tablets.tls.certificate`.",
    ),
    key(
        "tablets.trusted_proxies",
        Shape::List,
        "",
        "192.0.2.10",
        "Addresses of the proxies whose `Client-Cert` header (RFC 9440) is believed. From anyone else the \
         header is ignored.",
    ),
    key(
        "tablets.plain_http",
        Shape::Switch,
        "false",
        "true",
        "Serve the tablets' door without TLS, behind a proxy of `tablets.trusted_proxies` that does it.",
    ),
    key(
        "people.listen",
        Shape::Text,
        "127.0.0.1:9443",
        "0.0.0.0:9443",
        "Address and port of the people's door: API and console.",
    ),
    key(
        "people.public_url",
        Shape::Text,
        "https://localhost:9443",
        "https://ardoise.example.org",
        "The address people use.",
    ),
    key(
        "people.tls.certificate",
        Shape::Text,
        "auto",
        "/etc/ardoise/ardoise.example.org.pem",
        "PEM file with the certificate of the people's door and its intermediates, or `auto`.",
    ),
    key(
        "people.tls.key",
        Shape::Text,
        "",
        "/etc/ardoise/ardoise.example.org.key",
        "PEM file with the private key of `people.tls.certificate`.",
    ),
    key(
        "people.plain_http",
        Shape::Switch,
        "false",
        "true",
        "Serve the people's door without TLS. Only on an address of this machine, such as 127.0.0.1.",
    ),
    key(
        "keys.file",
        Shape::Text,
        "ardoise.keys",
        "/etc/ardoise/ardoise.keys",
        "File with the keys that seal secrets in the database (relative to the home folder). Not readable by \
         others; keep a copy apart from the backups.",
    ),
    key(
        "shared.folder",
        Shape::Text,
        "shared",
        "/srv/ardoise",
        "Folder that all nodes share (relative to the home folder). Back up `apps` in it with the database; never `keys` \
         and `purged`: where stolen tablets were is to die with its key.",
    ),
    key(
        "scep.allow_legacy",
        Shape::Switch,
        "false",
        "true",
        "Serve SCEP clients that know only single DES, SHA-1 and PKCS#1 v1.5.",
    ),
    key(
        "scep.challenge_hours",
        Shape::Number,
        "24",
        "72",
        "How many hours a certificate challenge stays valid, from 1 to 720.",
    ),
    key(
        "enrolment.organisation_name",
        Shape::Text,
        "Ardoise",
        "Département de l'Exemple",
        "The name tablets show for who manages them.",
    ),
    key(
        "enrolment.minimum_os",
        Shape::Text,
        "",
        "17.0",
        "The oldest iPadOS that may enrol; nothing to admit all.",
    ),
    key(
        "enrolment.setup_minutes",
        Shape::Number,
        "30",
        "45",
        "How many minutes, from 5 to 120, the Setup Assistant of a new tablet waits at most for its profiles and apps.",
    ),
    key(
        "warrants.hours",
        Shape::Number,
        "72",
        "48",
        "How many hours a location warrant lasts unless whoever asks says so, from 1 to 168.",
    ),
    key(
        "warrants.fixes",
        Shape::Number,
        "12",
        "6",
        "How many positions a location warrant lets be asked for unless told, from 1 to 24.",
    ),
    key(
        "warrants.minutes",
        Shape::Number,
        "15",
        "30",
        "How many minutes two requests for a position lie apart unless told, from 5 to 1440.",
    ),
    key(
        "warrants.most_hours",
        Shape::Number,
        "168",
        "72",
        "The most hours that anybody may ask a location warrant for, from 1 to 168.",
    ),
    key(
        "warrants.most_fixes",
        Shape::Number,
        "24",
        "12",
        "The most positions that anybody may ask a location warrant for, from 1 to 24.",
    ),
    key(
        "warrants.least_minutes",
        Shape::Number,
        "5",
        "10",
        "The fewest minutes that two requests for a position may lie apart, from 5 to 1440.",
    ),
    key(
        "lending.notice_days",
        Shape::Number,
        "14",
        "21",
        "How many days, from 1 to 60, an erasure waits after the first notice to whoever held the tablet (C5.3.5).",
    ),
    key(
        "lending.order_days",
        Shape::Number,
        "30",
        "45",
        "How many days, from 1 to 90, an erase order lasts; then another is given by hand (M3).",
    ),
    key(
        "lending.reminder_days",
        Shape::List,
        "21, 14, 7, 1",
        "30, 7, 1",
        "How many days before a lent tablet is due back its holder, or the guardians, are reminded of it, from 1 to 90.",
    ),
    key(
        "lost_mode.message",
        Shape::Text,
        "",
        "Tablette perdue. Merci de la rapporter au collège le plus proche.",
        "What a tablet in lost mode shows unless told; when nothing is said, that it is lost, and whose it is.",
    ),
    key(
        "lost_mode.phone",
        Shape::Text,
        "",
        "02 35 00 00 00",
        "The phone number that a tablet in lost mode shows unless told; nothing for none.",
    ),
    key(
        "lost_mode.footnote",
        Shape::Text,
        "",
        "Département de l'Exemple",
        "The text at the bottom of a tablet in lost mode unless told; nothing for none.",
    ),
    key(
        "takeover.enabled",
        Shape::Switch,
        "false",
        "true",
        "Admit tablets of another server that were imported with `ardoise takeover import`.",
    ),
    key(
        "takeover.paths",
        Shape::List,
        "",
        "/mdm/legacy, /mdm/legacy/checkin",
        "The paths of the other server's address at which those tablets go on calling: that of its check-in URL \
         and that of its server URL.",
    ),
    key(
        "apns.endpoint",
        Shape::Text,
        "production",
        "https://api.push.apple.com:2197",
        "Apple's push service: `production`, `sandbox`, or an https address.",
    ),
    key(
        "apns.trust",
        Shape::Text,
        "",
        "/tmp/stand-in.pem",
        "PEM file with the only authorities that vouch for a stand-in of the push service. Not for Apple's.",
    ),
    key(
        "apns.quiet_hours",
        Shape::Text,
        "",
        "22:00-06:30",
        "The part of each day, in Europe/Paris, in which tablets are woken only for what is urgent; nothing for none. \
         What waits is pushed in the ten minutes after it, and a tablet that comes by itself is served at any time.",
    ),
    key(
        "egress.allow",
        Shape::List,
        "",
        "smtp.example.org:587, mail.college.lan:587 private",
        "What this server may speak to besides Apple: `host:port`, ending in ` private` for a name inside \
         your own network.",
    ),
    key(
        "mail.host",
        Shape::Text,
        "",
        "smtp.example.org",
        "The server that takes our mail. It must stand in `egress.allow` with its port. Without it nothing is mailed: letters \
         are printed and handed over.",
    ),
    key("mail.port", Shape::Number, "587", "465", "The port of the mail server, from 1 to 65535."),
    key(
        "mail.tls",
        Shape::Text,
        "starttls",
        "tls",
        "How the connection to the mail server is protected: `starttls`, `tls` from the first byte on, or `none`, only for a \
         server on this machine.",
    ),
    key(
        "mail.trust",
        Shape::Text,
        "",
        "/etc/ardoise/smtp-authority.pem",
        "PEM file with the only authorities that vouch for the mail server; nothing for the public ones.",
    ),
    key(
        "mail.user",
        Shape::Text,
        "",
        "ardoise",
        "The name that the mail server asks for; nothing if it asks for none.",
    ),
    key(
        "mail.password_file",
        Shape::Text,
        "",
        "/etc/ardoise/smtp.password",
        "File with the password for `mail.user`, and nothing else. Not readable by others.",
    ),
    key(
        "mail.from",
        Shape::Text,
        "",
        "Département de l'Exemple <tablettes@example.org>",
        "Whom mail is from.",
    ),
    key(
        "mail.returns_to",
        Shape::Text,
        "",
        "retours@example.org",
        "Where mail comes back that cannot be delivered. What tells one mail from another is added with a `+` before the `@`: \
         the mail server must deliver `retours+…@example.org` as `retours@example.org`.",
    ),
    key(
        "mail.returns_folder",
        Shape::Text,
        "",
        "/var/mail/ardoise",
        "Folder (a Maildir) into which mail for `mail.returns_to` is delivered, read and deleted by this server. Without it a \
         notice that came back goes on counting until somebody says otherwise: name it.",
    ),
    key("log.format", Shape::Text, "text", "json", "How the log is written: `text` or `json`."),
    key(
        "log.filter",
        Shape::Text,
        "info",
        "info,checkin=debug",
        "What the log shows: a level, or levels per room.",
    ),
    key(
        "limits.connections",
        Shape::Number,
        "25000",
        "5000",
        "How many connections each door keeps open at most, from 16 to 1000000.",
    ),
    key(
        "limits.body_bytes",
        Shape::Number,
        "2097152",
        "4194304",
        "The longest body a tablet may send, from 65536 to 16777216 bytes.",
    ),
    key(
        "limits.upload_bytes",
        Shape::Number,
        "67108864",
        "134217728",
        "The longest body a person may send, such as an inventory, from 65536 to 268435456 bytes.",
    ),
    key(
        "limits.app_bytes",
        Shape::Number,
        "1073741824",
        "2147483648",
        "The longest app that is uploaded, from 65536 to 4294967295 bytes.",
    ),
    key(
        "limits.app_uploads",
        Shape::Number,
        "4",
        "2",
        "How many apps are taken in at once by each node, from 1 to 1000.",
    ),
    key(
        "limits.app_upload_seconds",
        Shape::Number,
        "3600",
        "600",
        "How many seconds the upload of an app may take in all, from 1 to 86400.",
    ),
    key(
        "limits.free_megabytes",
        Shape::Number,
        "1024",
        "10240",
        "How much of the shared folder's disk stays free when an app is uploaded, from 0 to 4294967295 megabytes.",
    ),
    key(
        "limits.request_seconds",
        Shape::Number,
        "30",
        "60",
        "How many seconds a request may take to arrive, from 1 to 600.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_variables_are_unique_and_sections_stand_together() {
        let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
        let variables: BTreeSet<_> = KEYS.iter().map(Key::variable).collect();
        assert_eq!((names.len(), variables.len()), (KEYS.len(), KEYS.len()));
        let mut sections: Vec<_> = KEYS.iter().map(Key::section).collect();
        sections.dedup();
        assert_eq!(sections.len(), sections.iter().collect::<BTreeSet<_>>().len(), "{sections:?}");
    }

    #[test]
    fn a_keys_variable_is_its_name_in_capitals() {
        let key = Key::named("tablets.tls.certificate").unwrap();
        assert_eq!(key.variable(), "ARDOISE_TABLETS_TLS_CERTIFICATE");
        assert_eq!(key.section(), "tablets");
    }

    #[test]
    fn a_value_is_written_as_toml() {
        let written = |name: &str, value: &str| Key::named(name).unwrap().written(value);
        assert_eq!(written("tablets.tls.key", "/a/b"), r#"tls.key = "/a/b""#);
        assert_eq!(written("scep.allow_legacy", "true"), "allow_legacy = true");
        assert_eq!(written("egress.allow", "a:1, b:2 private"), r#"allow = ["a:1", "b:2 private"]"#);
        let nasty = "a\"b\\c\nd";
        let read: toml::Table = toml::from_str(&written("log.filter", nasty)).unwrap();
        assert_eq!(read["filter"].as_str(), Some(nasty));
    }
}
