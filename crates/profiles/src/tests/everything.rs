//! Layers with some of everything, so that every key that can be written is.

use super::layers::base_text;
use crate::{Layer, parse};

/// A base with some of everything, so that every key that can be written is.
pub(super) fn everything() -> Vec<Layer> {
    let more = r#"
[apps]
permitted = "listed"
[[app]]
bundle = "com.apple.Pages"
name = "Pages"
store = "361309726"
updates = "held"
[[app]]
bundle = "com.apple.camera"
name = "Appareil photo"
install = "present"
[blocked-apps]
bundles = ["com.example.chat"]
packages = ["com.example.chat"]
[[web-clip]]
label = "ENT"
url = "https://ent.example.fr/"
full-screen = true
[[wifi]]
ssid = "Collège"
security = "wpa3"
password = "mot de passe"
fixed-address = true
[wifi.proxy]
server = "proxy.example.fr"
port = 3128
[[wifi]]
ssid = "Invités"
security = "open"
auto-join = false
[[wifi]]
ssid = "Script"
security = "wpa2"
password = "mot de passe"
hidden = true
[wifi.proxy]
pac = "https://proxy.example.fr/proxy.pac"
[[wifi]]
ssid = "Radius"
security = "wpa2"
password = "s"
[wifi.eap]
method = "ttls-mschapv2"
user = "tablettes"
outer-identity = "anonyme"
servers = ["radius.example.fr"]
authorities = ["radius"]
[[certificate]]
name = "radius"
pem = """
@PEM@"""
[[printer]]
host = "imprimante.example.fr"
queue = "ipp/print"
port = 631
tls = true
[dns]
url = "https://dns.example.fr/dns-query"
addresses = ["192.0.2.1"]
failover = true
keeps-log = true
only-on = ["Collège"]
[home-screen]
dock = ["com.apple.camera"]
pages = [["com.apple.Pages", { web-clip = "https://ent.example.fr/" }, { folder = "Outils", icons = ["com.apple.camera"] }]]
[[notification]]
bundle = "com.apple.Pages"
enabled = true
notification-center = true
lock-screen = false
alert = 1
badges = true
sounds = false
critical = false
grouping = 1
preview = 2
[single-app]
bundle = "com.apple.Pages"
[single-app.options]
DisableAutoLock = true
EnableVoiceControl = true
[single-app.user-options]
VoiceOver = true
[os-update]
version = "27.1"
build = "24B5"
deadline = "2026-12-01"
details = "https://example.fr/maj"
[safari]
home-page = "https://ent.example.fr/"
[[bookmark]]
title = "ENT"
url = "https://ent.example.fr/"
[[safari-extension]]
id = "*"
state = "always-off"
[software-update]
Notifications = false
RecommendedCadence = "Newest"
Download = "AlwaysOn"
[android]
gps = true
[siri]
ForceReduceSensitiveContent = true
[intelligence]
AllowNaturalLanguageEditing = false
"#;
    let filter = "[filter]\nautomatic = true\npermitted = [\"https://open.example/\"]\n\
                  denied = [\"https://shut.example/\"]\n[filter.only]\n\"Une page\" = \"https://only.example/\"\n\
                  [filter.plugin]\nname = \"Filtre\"\nbundle = \"com.example.filter\"\nserver = \"filter.example\"\n\
                  organisation = \"Département\"\nbrowsers = true\nsockets = \"com.example.filter.data\"\n\
                  keeps-log = false\n[filter.plugin.configuration]\nlevel = \"11-15\"\n";
    let more = more.replace("@PEM@", AUTHORITY);
    let text = base_text(&more).replace("[filter]\nautomatic = true\n", filter);
    let text = text.replace(
        "[passcode]\n",
        "allowedExternalIntelligenceWorkspaceIDs = [\"w\"]\nsafariAcceptCookies = \"current-website\"\n\
         safariForceFraudWarning = true\nratingRegion = \"fr\"\n\
         enforcedSoftwareUpdateDelay = 30\nallowMailSummary = false\n[passcode]\nallowSimple = false\n",
    );
    let school = parse(
        "au-college.toml",
        "layer = \"mode\"\nmode = \"in-school\"\ntitle = \"École\"\npurpose = \"x\"\n\
         [proxy]\npac = \"https://proxy.example.fr/proxy.pac\"\nfallback = true\ncaptive-login = true\n",
    );
    vec![parse("tout.toml", &text).unwrap_or_else(|problems| panic!("{problems:#?}")), school.unwrap()]
}

/// A self-signed authority made for this test; its key is nowhere.
const AUTHORITY: &str = include_str!("authority.pem");
