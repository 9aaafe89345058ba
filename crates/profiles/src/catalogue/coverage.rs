//! What became of every key that is published: an entry carries it, a part of a layer writes it, or it is left out,
//! with the reason. A test holds this to the table of facts, so that nothing is left out by oversight.

use super::entries;
use super::entry::Entry;
use super::fact::{Fact, FactKind, Holder};
use super::facts::{
    AIRPRINT, APP_LOCK, APP_MANAGED, APP_SETTINGS, APPLICATION_ACCESS, DNS_DECLARED, DNS_SETTINGS,
    FILTER_PLUGIN, GLOBAL_PROXY, HOME_SCREEN, INTELLIGENCE, LEGACY, NOTIFICATIONS, PEM_CERTIFICATE,
    PKCS1_CERTIFICATE, PKCS12_IDENTITY, ROOT_CERTIFICATE, SAFARI, SAFARI_BOOKMARKS, SAFARI_EXTENSIONS,
    SUBSCRIPTIONS, UPDATE_ENFORCEMENT, UPDATE_SETTINGS, WEB_CLIP, WEB_CONTENT_FILTER, WIFI,
};

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// An entry carries it, or says why it never may be set.
    Entry(&'static Entry),
    /// This part of a layer writes it, such as `[[wifi]] ssid`.
    Part(&'static str),
    /// It only holds keys that are covered.
    Container,
    /// It is left out, and why.
    Left(&'static str),
}

/// What became of a key of a holder; `None` if nobody decided, which a test refuses.
#[must_use]
pub fn coverage(holder: &'static Holder, fact: &'static Fact) -> Option<Coverage> {
    carried(holder, fact.key).or_else(|| {
        // The nearest decision counts: one on the key itself, or on a key above it.
        let mut path = fact.key;
        loop {
            if let Some(decided) = decided(holder, path) {
                return Some(decided);
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => break,
            }
        }
        contains(holder, fact).then_some(Coverage::Container)
    })
}

/// An entry whose wire is this key, or the key above it: the items of a list are the list's.
fn carried(holder: &Holder, key: &str) -> Option<Coverage> {
    let above = key.rsplit_once('.').map(|(above, _)| above);
    let carries = |path: &str| {
        entries().find(|entry| entry.wires().any(|wire| wire.holder == holder && wire.fact.key == path))
    };
    let list = |path: &&str| holder.keys.iter().any(|fact| fact.key == *path && fact.kind == FactKind::Array);
    carries(key).or_else(|| above.filter(list).and_then(carries)).map(Coverage::Entry)
}

fn decided(holder: &Holder, path: &str) -> Option<Coverage> {
    let part = PARTS.iter().filter(|(of, _)| *of == holder).flat_map(|(_, parts)| *parts);
    let left = LEFT.iter().filter(|(of, _)| *of == holder).flat_map(|(_, keys)| *keys);
    part.filter(|(key, _)| *key == path)
        .map(|(_, part)| Coverage::Part(part))
        .chain(left.filter(|(key, _)| *key == path).map(|(_, why)| Coverage::Left(why)))
        .next()
}

fn contains(holder: &'static Holder, fact: &Fact) -> bool {
    let holds = matches!(fact.kind, FactKind::Array | FactKind::Dictionary);
    holds
        && holder.keys.iter().any(|below| {
            below.key.strip_prefix(fact.key).is_some_and(|rest| rest.starts_with('.'))
                && (carried(holder, below.key).is_some() || decided(holder, below.key).is_some())
        })
}

type Decisions = &'static [(&'static Holder, &'static [(&'static str, &'static str)])];

/// Keys that a part of a layer writes, with all below them.
pub(super) static PARTS: Decisions = &[
    (
        &WIFI,
        &[
            ("SSID_STR", "[[wifi]] ssid"),
            ("HIDDEN_NETWORK", "[[wifi]] hidden"),
            ("AutoJoin", "[[wifi]] auto-join"),
            ("EncryptionType", "[[wifi]] security"),
            ("Password", "[[wifi]] password"),
            ("ProxyType", "[[wifi]] proxy, pac"),
            ("ProxyServer", "[[wifi]] proxy"),
            ("ProxyServerPort", "[[wifi]] proxy"),
            ("ProxyPACURL", "[[wifi]] pac"),
            ("ProxyPACFallbackAllowed", "[[wifi]] pac"),
            ("DisableAssociationMACRandomization", "[[wifi]] fixed-address"),
            ("EAPClientConfiguration.AcceptEAPTypes", "[[wifi]] eap"),
            ("EAPClientConfiguration.UserName", "[[wifi]] user"),
            ("EAPClientConfiguration.UserPassword", "[[wifi]] password"),
            ("EAPClientConfiguration.OuterIdentity", "[[wifi]] outer-identity"),
            ("EAPClientConfiguration.TTLSInnerAuthentication", "[[wifi]] eap"),
            ("EAPClientConfiguration.TLSMinimumVersion", "[[wifi]] eap"),
            ("EAPClientConfiguration.TLSTrustedServerNames", "[[wifi]] servers"),
            ("EAPClientConfiguration.PayloadCertificateAnchorUUID", "[[wifi]] authorities"),
        ],
    ),
    (
        &ROOT_CERTIFICATE,
        &[("PayloadContent", "[[certificate]] pem"), ("PayloadCertificateFileName", "[[certificate]] name")],
    ),
    (
        &WEB_CONTENT_FILTER,
        &[
            ("FilterType", "[filter] or [filter.plugin]"),
            ("AutoFilterEnabled", "[filter] automatic"),
            ("PermittedURLs", "[filter] permitted"),
            ("DenyListURLs", "[filter] denied"),
            ("HideDenyListURLs", "[filter] denied"),
            ("AllowListBookmarks", "[filter] only"),
            ("UserDefinedName", "[filter.plugin] name"),
            ("PluginBundleID", "[filter.plugin] bundle"),
            ("ServerAddress", "[filter.plugin] server"),
            ("Organization", "[filter.plugin] organisation"),
            ("FilterBrowsers", "[filter.plugin] browsers"),
            ("FilterSockets", "[filter.plugin] sockets"),
            ("FilterDataProviderBundleIdentifier", "[filter.plugin] sockets"),
            ("VendorConfig", "[filter.plugin] configuration"),
        ],
    ),
    (
        &FILTER_PLUGIN,
        &[
            ("VisibleName", "[filter.plugin] name"),
            ("PluginBundleID", "[filter.plugin] bundle"),
            ("ServerAddress", "[filter.plugin] server"),
            ("Organization", "[filter.plugin] organisation"),
            ("VendorConfig", "[filter.plugin] configuration"),
            ("Filter.Browsers.Enabled", "[filter.plugin] browsers"),
            ("Filter.Sockets.Enabled", "[filter.plugin] sockets"),
            ("Filter.Sockets.ProviderComposedIdentifier", "[filter.plugin] sockets"),
        ],
    ),
    (
        &GLOBAL_PROXY,
        &[
            ("ProxyType", "[proxy] server or pac"),
            ("ProxyServer", "[proxy] server"),
            ("ProxyServerPort", "[proxy] port"),
            ("ProxyPACURL", "[proxy] pac"),
            ("ProxyPACFallbackAllowed", "[proxy] fallback"),
            ("ProxyCaptiveLoginAllowed", "[proxy] captive-login"),
        ],
    ),
    (
        &DNS_SETTINGS,
        &[
            ("DNSSettings.DNSProtocol", "[dns] url or server"),
            ("DNSSettings.ServerURL", "[dns] url"),
            ("DNSSettings.ServerName", "[dns] server"),
            ("DNSSettings.ServerAddresses", "[dns] addresses"),
            ("DNSSettings.AllowFailover", "[dns] failover"),
            ("OnDemandRules", "[dns] only-on"),
            ("ProhibitDisablement", "[dns]"),
        ],
    ),
    (
        &DNS_DECLARED,
        &[
            ("VisibleName", "[dns]"),
            ("DNSSettings.DNSProtocol", "[dns] url or server"),
            ("DNSSettings.ServerURL", "[dns] url"),
            ("DNSSettings.ServerName", "[dns] server"),
            ("DNSSettings.ServerAddresses", "[dns] addresses"),
            ("DNSSettings.AllowFailover", "[dns] failover"),
            ("OnDemandRules", "[dns] only-on"),
            ("ProhibitDisablement", "[dns]"),
        ],
    ),
    (&HOME_SCREEN, &[("Dock", "[home-screen] dock"), ("Pages", "[home-screen] pages")]),
    (&NOTIFICATIONS, &[("NotificationSettings", "[[notification]]")]),
    (
        &WEB_CLIP,
        &[
            ("URL", "[[web-clip]] url"),
            ("Label", "[[web-clip]] label"),
            ("FullScreen", "[[web-clip]] full-screen"),
            ("IsRemovable", "[[web-clip]] removable"),
        ],
    ),
    (
        &APP_LOCK,
        &[
            ("App.Identifier", "[single-app] bundle"),
            ("App.Options", "[single-app] options"),
            ("App.UserEnabledOptions", "[single-app] user-options"),
        ],
    ),
    (&AIRPRINT, &[("AirPrint", "[[printer]]")]),
    (
        &APP_MANAGED,
        &[
            ("AppStoreID", "[[app]] store"),
            ("InstallBehavior.Install", "[[app]] install"),
            ("InstallBehavior.License", "[[app]] store"),
            ("UpdateBehavior", "[[app]] updates"),
            ("IncludeInBackup", "[[app]] backup"),
        ],
    ),
    (
        &APP_SETTINGS,
        &[
            ("Allowed.AllowedApps", "[[app]], with [apps] permitted"),
            ("Allowed.DeniedApps", "[blocked-apps]"),
        ],
    ),
    (
        &UPDATE_ENFORCEMENT,
        &[
            ("TargetOSVersion", "[os-update] version"),
            ("TargetBuildVersion", "[os-update] build"),
            ("TargetLocalDateTime", "[os-update] deadline"),
            ("DetailsURL", "[os-update] details"),
        ],
    ),
    (
        &SAFARI,
        &[
            ("NewTabStartPage.PageType", "[safari] home-page"),
            ("NewTabStartPage.HomepageURL", "[safari] home-page"),
        ],
    ),
    (&SAFARI_BOOKMARKS, &[("ManagedBookmarks", "[[bookmark]]")]),
    (&SAFARI_EXTENSIONS, &[("ManagedExtensions", "[[safari-extension]]")]),
];

const PASSPOINT: &str = "networks of operators (Passpoint): no collège has one";
const SECRET: &str = "a password for one device or person does not belong in a layer that many share";
const IDENTITY: &str = "identities are one tablet's and come with the enrolment, not with a layer";
const PER_APP: &str = "it ties single apps to a network; schools filter the whole tablet";
const ASSETS: &str = "it refers to an asset, and this server offers none yet";
const RETIRED: &str = "replaced before iPadOS 15, the oldest that is managed";
const PICTURES: &str = "pictures are uploads, which no layer holds yet";
const UPLOADS: &str = "apps of one's own are uploads, which no layer holds yet";
const CONSENT: &str =
    "it grants an app access to camera, microphone or position before the user was asked (C3.1.6)";

/// Keys that are left out, with all below them.
pub(super) static LEFT: Decisions = &[
    (&APPLICATION_ACCESS, &[]),
    (
        &WIFI,
        &[
            ("ProxyUsername", SECRET),
            ("ProxyPassword", SECRET),
            ("PayloadCertificateUUID", IDENTITY),
            ("TLSCertificateRequired", IDENTITY),
            ("EAPClientConfiguration.TLSTrustedCertificates", "authorities are named, not repeated"),
            ("EAPClientConfiguration.TLSAllowTrustExceptions", RETIRED),
            ("EAPClientConfiguration.TLSCertificateIsRequired", IDENTITY),
            ("EAPClientConfiguration.TLSMaximumVersion", "the tablet's newest is right"),
            ("EAPClientConfiguration.EAPFASTUsePAC", "EAP-FAST is not offered: PEAP, TTLS"),
            ("EAPClientConfiguration.EAPFASTProvisionPAC", "EAP-FAST is not offered: PEAP, TTLS"),
            ("EAPClientConfiguration.EAPFASTProvisionPACAnonymously", "EAP-FAST is not offered: PEAP, TTLS"),
            ("EAPClientConfiguration.EAPSIMNumberOfRANDs", "networks of operators (EAP-SIM)"),
            ("EAPClientConfiguration.SystemModeCredentialsSource", "for Macs"),
            ("EAPClientConfiguration.SystemModeUseOpenDirectoryCredentials", "for Macs"),
            ("EAPClientConfiguration.OneTimeUserPassword", "a tablet joins by itself, without asking"),
            ("DisplayedOperatorName", PASSPOINT),
            ("DomainName", PASSPOINT),
            ("RoamingConsortiumOIs", PASSPOINT),
            ("ServiceProviderRoamingEnabled", PASSPOINT),
            ("IsHotspot", PASSPOINT),
            ("HESSID", PASSPOINT),
            ("NAIRealmNames", PASSPOINT),
            ("MCCAndMNCs", PASSPOINT),
            (
                "CaptiveBypass",
                "a portal that is not shown leaves the tablet without network and without a word",
            ),
            ("QoSMarkingPolicy", "the priority of apps on the network is the network's affair"),
            ("EnableIPv6", "it would only break networks"),
        ],
    ),
    (
        &PEM_CERTIFICATE,
        &[
            ("PayloadContent", "`com.apple.security.root` carries the same certificate"),
            ("PayloadCertificateFileName", "`com.apple.security.root` carries the same certificate"),
        ],
    ),
    (
        &PKCS1_CERTIFICATE,
        &[
            ("PayloadContent", "`com.apple.security.root` carries the same certificate"),
            ("PayloadCertificateFileName", "`com.apple.security.root` carries the same certificate"),
        ],
    ),
    (
        &PKCS12_IDENTITY,
        &[("PayloadContent", IDENTITY), ("PayloadCertificateFileName", IDENTITY), ("Password", IDENTITY)],
    ),
    (
        &WEB_CONTENT_FILTER,
        &[
            ("BlacklistedURLs", RETIRED),
            ("WhitelistedBookmarks", RETIRED),
            ("UserName", SECRET),
            ("Password", SECRET),
            ("PayloadCertificateUUID", IDENTITY),
            ("ContentFilterUUID", PER_APP),
            (
                "SafariHistoryRetentionEnabled",
                "`allowSafariHistoryClearing` and `allowSafariPrivateBrowsing` say it one by one",
            ),
            ("FilterURLs", "filters that look addresses up in private need an app of the maker's own"),
            (
                "URLFilterParameters",
                "filters that look addresses up in private need an app of the maker's own",
            ),
        ],
    ),
    (
        &FILTER_PLUGIN,
        &[
            ("ContentFilterUUID", PER_APP),
            ("Authentication", ASSETS),
            ("Filter.URLs", "filters that look addresses up in private need an app of the maker's own"),
        ],
    ),
    (&GLOBAL_PROXY, &[("ProxyUsername", SECRET), ("ProxyPassword", SECRET)]),
    (
        &DNS_SETTINGS,
        &[
            ("DNSSettings.SupplementalMatchDomains", "a filter that sees some domains only is none"),
            ("DNSSettings.PayloadCertificateUUID", IDENTITY),
        ],
    ),
    (
        &DNS_DECLARED,
        &[
            ("DNSSettings.SupplementalMatchDomains", "a filter that sees some domains only is none"),
            ("DNSSettings.IdentityAssetReference", IDENTITY),
        ],
    ),
    (
        &WEB_CLIP,
        &[
            ("Icon", PICTURES),
            ("Precomposed", PICTURES),
            ("IgnoreManifestScope", "a web clip stays within its site"),
            ("TargetApplicationBundleIdentifier", "a web clip opens in Safari, which is filtered"),
        ],
    ),
    (
        &APP_MANAGED,
        &[
            ("BundleID", UPLOADS),
            ("ManifestURL", UPLOADS),
            ("InstallBehavior.Version", "the store's current version is right"),
            ("InstallBehavior.AllowDownloadsOverCellular", "the tablets have no mobile data"),
            ("Attributes", PER_APP),
            ("AppConfig", ASSETS),
            ("ExtensionConfigs", ASSETS),
            ("LegacyAppConfigAssetReference", ASSETS),
        ],
    ),
    (&APP_SETTINGS, &[("Privacy", CONSENT)]),
    (
        &UPDATE_SETTINGS,
        &[
            (
                "Beta.OfferPrograms",
                "beta programmes need a token of Apple's account, which is not connected yet",
            ),
            (
                "Beta.RequireProgram",
                "beta programmes need a token of Apple's account, which is not connected yet",
            ),
        ],
    ),
    (
        &SAFARI,
        &[
            ("AllowSummary", "`allowSafariSummary` says it, and goes out as intelligence.settings"),
            ("NewTabStartPage.ExtensionIdentifier", "a page of an extension: a school shows its own"),
            ("Privacy", CONSENT),
        ],
    ),
    (&INTELLIGENCE, &[("AllowVisualIntelligence", "its type is not known to us yet")]),
    (
        &LEGACY,
        &[
            ("ProfileURL", "it installs a profile that nobody here has looked into (M3)"),
            ("ProfileAssetReference", ASSETS),
        ],
    ),
    (
        &SUBSCRIPTIONS,
        &[("StatusItems", "what tablets report is the server's need, not a choice of a layer (C3.1.6)")],
    ),
];

const ACCOUNT: &str = "an account is one person's";
const NETWORK: &str = "it takes the tablet's traffic through a server, which C3.1.5 forbids at home";
const PER_TABLET: &str = "it differs from one tablet to the next and is written when it is sent";
const NO_SIM: &str = "the tablets have no mobile data";
const SIGN_ON: &str = "no sign-on service is named by the programme";
const SHARED: &str = "it is for Shared iPads, and a tablet is lent to one person (C5.3.1)";
const ENROLMENT: &str = "it belongs to the enrolment";
const FRAME: &str = "every profile has it; it is written when a profile is rendered";

/// Payloads, declarations and settings of iPads that the catalogue does not describe, and why.
pub static NOT_DESCRIBED: &[(&str, &str)] = &[
    ("CommonPayloadKeys", FRAME),
    ("TopLevel", FRAME),
    ("com.apple.SetupAssistant.managed", "which panes the set-up shows belongs to the automated enrolment"),
    ("com.apple.airplay", "screens are chosen in class"),
    ("com.apple.apn.managed", NO_SIM),
    ("com.apple.caldav.account", ACCOUNT),
    ("com.apple.carddav.account", ACCOUNT),
    ("com.apple.cellular", NO_SIM),
    ("com.apple.cellularprivatenetwork.managed", NO_SIM),
    ("com.apple.declarations", "declarations reach managed tablets by themselves"),
    ("com.apple.dnsProxy.managed", NETWORK),
    ("com.apple.domains", "which documents count as managed waits for managed accounts"),
    ("com.apple.eas.account", "an Exchange server can erase a tablet without an order (M3)"),
    ("com.apple.education", "classes come from the roster, not from a layer"),
    ("com.apple.extensiblesso", SIGN_ON),
    ("com.apple.font", PICTURES),
    ("com.apple.globalethernet.managed", "the tablets have no cable"),
    ("com.apple.google-oauth", ACCOUNT),
    ("com.apple.ldap.account", ACCOUNT),
    ("com.apple.mail.managed", ACCOUNT),
    ("com.apple.mdm", ENROLMENT),
    ("com.apple.networkusagerules", NO_SIM),
    ("com.apple.osxserver.account", "iOS 12 retired it"),
    (
        "com.apple.profileRemovalPassword",
        "the user never removes a profile (C5.3.2): there is no password to give",
    ),
    ("com.apple.relay.managed", NETWORK),
    ("com.apple.security.acme", ENROLMENT),
    ("com.apple.security.certificaterevocation", "Apple's own lists are right for a school"),
    ("com.apple.security.certificatetransparency", "it weakens a check that a school needs"),
    ("com.apple.security.scep", ENROLMENT),
    ("com.apple.shareddeviceconfiguration", "the text on the lock screen names one tablet"),
    ("com.apple.sso", SIGN_ON),
    ("com.apple.subscribedcalendar.account", ACCOUNT),
    ("com.apple.tvremote", "no television is lent"),
    ("com.apple.vpn.managed", NETWORK),
    ("com.apple.vpn.managed.applayer", NETWORK),
    ("com.apple.configuration.accessibility.settings", "its user's needs decide, not a layer"),
    ("com.apple.configuration.account.caldav", ACCOUNT),
    ("com.apple.configuration.account.carddav", ACCOUNT),
    (
        "com.apple.configuration.account.exchange",
        "an Exchange server can erase a tablet without an order (M3)",
    ),
    ("com.apple.configuration.account.google", ACCOUNT),
    ("com.apple.configuration.account.ldap", ACCOUNT),
    ("com.apple.configuration.account.mail", ACCOUNT),
    ("com.apple.configuration.account.subscribed-calendar", ACCOUNT),
    ("com.apple.configuration.audio-accessory.settings", "headphones are their user's"),
    ("com.apple.configuration.extensible-sso", SIGN_ON),
    (
        "com.apple.configuration.legacy.interactive",
        "it offers a profile that nobody here has looked into (M3)",
    ),
    ("com.apple.configuration.management.test", "it tests a server and sets nothing"),
    ("com.apple.configuration.math.settings", "the calculator's modes are chosen by teachers in class"),
    ("com.apple.configuration.network.dns-proxy", NETWORK),
    ("com.apple.configuration.network.relay", NETWORK),
    ("com.apple.configuration.network.vpn.always-on", NETWORK),
    ("com.apple.configuration.network.vpn.ikev2", NETWORK),
    ("com.apple.configuration.network.vpn.ipsec", NETWORK),
    ("com.apple.configuration.network.vpn.vpn-plugin", NETWORK),
    ("com.apple.configuration.security.certificate", "`com.apple.security.root` works on every version"),
    ("com.apple.configuration.security.identity", IDENTITY),
    ("com.apple.configuration.security.passkey.attestation", SIGN_ON),
    ("com.apple.configuration.watch.enrollment", "no watch is lent"),
    ("AccessibilitySettings", "its user's needs decide, not a layer"),
    ("AppAnalytics", SHARED),
    ("ApplicationAttributes", PER_APP),
    ("ApplicationConfiguration", "it goes with an app's installation by command"),
    ("Bluetooth", "whether it is on is its user's affair"),
    ("DataRoaming", NO_SIM),
    ("DefaultApplications", SHARED),
    ("DeviceName", PER_TABLET),
    ("DiagnosticSubmission", SHARED),
    ("MaximumResidentUsers", SHARED),
    ("OrganizationInfo", PER_TABLET),
    ("PasscodeLockGracePeriod", SHARED),
    ("PersonalHotspot", NO_SIM),
    ("SharedDeviceConfiguration", SHARED),
    ("SoftwareUpdateSettings", "iPadOS 27.0 removed it; `software-update.RecommendedCadence` says it"),
    ("VoiceRoaming", NO_SIM),
    ("Wallpaper", PICTURES),
];
