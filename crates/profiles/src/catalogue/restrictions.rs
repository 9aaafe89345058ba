//! What a tablet allows its user: the 176 restrictions of iPadOS 27.0, which way each is stricter, what took over
//! from it, and what Android has instead.
//!
//! A key that begins with `allow` is stricter when `false`, any other boolean when `true`, except the few under
//! [`ENTRIES`]' last heading, each with its reason.

use types::RuleId;

use super::entry::{Agent, Entry, Kind, Section, Shape, Stricter, Writing, in_profile};
use super::facts::{
    APPLICATION_ACCESS, EXTERNAL_INTELLIGENCE, INTELLIGENCE, KEYBOARD, SAFARI, SIRI, UPDATE_SETTINGS,
};
use super::texts::words;

const fn restriction(key: &'static str, kind: Kind, stricter: Stricter) -> Entry {
    in_profile(Section::Restrictions, &APPLICATION_ACCESS, key, kind, stricter)
}

/// `false` is stricter.
const fn allow(key: &'static str) -> Entry {
    restriction(key, Kind::Boolean, Stricter::False)
}

/// `true` is stricter.
const fn force(key: &'static str) -> Entry {
    restriction(key, Kind::Boolean, Stricter::True)
}

/// A level of content; lower is stricter.
const fn rating(key: &'static str) -> Entry {
    restriction(key, Kind::Number { smallest: 0, largest: 1000 }, Stricter::Lower)
}

const fn bundle_ids(key: &'static str, stricter: Stricter) -> Entry {
    restriction(key, Kind::Names { of: Shape::BundleId, most: 500 }, stricter)
}

const fn sim_numbers(key: &'static str) -> Entry {
    restriction(key, Kind::Names { of: Shape::SimNumber, most: 4 }, Stricter::BlockList)
}

const APPS: &str =
    "apps are permitted by `[[app]]` and blocked by `[blocked-apps]`, and go to tablets as one list";

/// `safariAcceptCookies` in words, loosest first, and what each wire writes for them.
const COOKIES: &[&str] = &["always", "visited-websites", "current-website", "never"];
const COOKIES_IN_PROFILES: Writing = Writing::Reals(&[2.0, 1.5, 1.0, 0.0]);
const COOKIES_IN_DECLARATIONS: Writing =
    Writing::Words(&["Always", "VisitedWebsites", "CurrentWebsite", "Never"]);

pub(super) static ENTRIES: &[Entry] = &[
    // The tablet itself.
    allow("allowEraseContentAndSettings").android(&["no_factory_reset"]),
    allow("allowUIConfigurationProfileInstallation").android(&["no_config_credentials"]),
    allow("allowHostPairing").android(&["no_debugging_features", "no_usb_file_transfer"]),
    allow("allowUnpairedExternalBootToRecovery"),
    allow("allowAccountModification").android(&["no_modify_accounts"]),
    allow("allowPasscodeModification"),
    allow("allowFingerprintForUnlock"),
    allow("allowFingerprintModification"),
    allow("allowAutoUnlock"),
    allow("allowDeviceNameModification"),
    allow("allowWallpaperModification").android(&["no_set_wallpaper"]),
    allow("allowEnablingRestrictions"),
    allow("allowNotificationsModification"),
    allow("allowDefaultBrowserModification").android(&["disallow_config_default_apps"]),
    allow("allowDefaultCallingAppModification"),
    allow("allowDefaultMessagingAppModification"),
    allow("allowAutoDim"),
    allow("allowProximitySetupToNewDevice"),
    allow("allowDiagnosticSubmission"),
    allow("allowDiagnosticSubmissionModification"),
    allow("allowFilesUSBDriveAccess").android(&["no_physical_media"]),
    allow("allowFilesNetworkDriveAccess"),
    force("forceAutomaticDateAndTime").android(&["no_config_date_time"]),
    force("forceEncryptedBackup"),
    force("forceWatchWristDetection"),
    // Updates.
    force("forceDelayedSoftwareUpdates")
        .never("`enforcedSoftwareUpdateDelay` writes it where a delay needs it"),
    restriction("enforcedSoftwareUpdateDelay", Kind::Number { smallest: 1, largest: 90 }, Stricter::Higher)
        .also(&UPDATE_SETTINGS, "Deferrals.CombinedPeriodInDays"),
    allow("allowRapidSecurityResponseRemoval").also(&UPDATE_SETTINGS, "RapidSecurityResponse.EnableRollback"),
    // Networks and what is near.
    allow("allowVPNCreation").android(&["no_config_vpn"]),
    allow("allowCloudPrivateRelay"),
    allow("allowBluetoothModification").android(&["no_config_bluetooth"]),
    allow("allowPersonalHotspotModification").android(&["no_config_tethering"]),
    allow("allowAppCellularDataModification"),
    allow("allowCellularPlanModification").android(&["no_config_mobile_networks"]),
    allow("allowESIMModification"),
    allow("allowESIMOutgoingTransfers"),
    allow("allowGlobalBackgroundFetchWhenRoaming"),
    allow("allowSatelliteConnection"),
    allow("allowNFC").android(&["no_near_field_communication_radio"]),
    allow("allowAirDrop").android(&["no_bluetooth_sharing"]),
    allow("allowAirPrint").android(&["no_printing"]),
    allow("allowAirPrintCredentialsStorage"),
    allow("allowAirPrintiBeaconDiscovery"),
    allow("allowActivityContinuation"),
    allow("allowiPhoneMirroring"),
    allow("allowiPhoneWidgetsOnMac"),
    allow("allowUntrustedTLSPrompt"),
    force("forceAirDropUnmanaged"),
    force("forceAirPlayOutgoingRequestsPairingPassword"),
    force("forceAirPrintTrustedTLSRequirement"),
    force("forcePreserveESIMOnErase"),
    force("forceWiFiPowerOn").agent(Agent::Switch("wifi")),
    force("forceWiFiToAllowedNetworksOnly").android(&["no_config_wifi"]),
    force("forceWiFiWhitelisting").never(
        "iPadOS 14.5 replaced it, and 15 is the oldest we manage; write `forceWiFiToAllowedNetworksOnly`",
    ),
    sim_numbers("deniedICCIDsForiMessageFaceTime"),
    sim_numbers("deniedICCIDsForRCS"),
    // Apps.
    allow("allowAppInstallation").android(&["no_install_apps"]),
    allow("allowUIAppInstallation"),
    allow("allowMarketplaceAppInstallation"),
    allow("allowWebDistributionAppInstallation"),
    allow("allowEnterpriseAppTrust").android(&["no_install_unknown_sources_globally"]),
    allow("allowAutomaticAppDownloads"),
    allow("allowInAppPurchases"),
    allow("allowAppClips"),
    allow("allowAppRemoval").android(&["no_uninstall_apps"]),
    allow("allowSystemAppRemoval"),
    allow("allowAppsToBeHidden"),
    allow("allowAppsToBeLocked"),
    force("forceITunesStorePasswordEntry"),
    bundle_ids("autonomousSingleAppModePermittedAppIDs", Stricter::AllowList),
    bundle_ids("allowListedAppBundleIDs", Stricter::AllowList).never(APPS),
    bundle_ids("whitelistedAppBundleIDs", Stricter::AllowList).never(APPS),
    bundle_ids("blockedAppBundleIDs", Stricter::BlockList).never(APPS),
    bundle_ids("blacklistedAppBundleIDs", Stricter::BlockList).never(APPS),
    // What comes with the tablet.
    allow("allowCamera").agent(Agent::Nothing(words(
        "Android closes `no_camera` to device owners",
        "Android réserve `no_camera` à d’autres que l’administrateur",
    ))),
    bundle_ids("allowedCameraRestrictionBundleIDs", Stricter::ExceptionsTo("allowCamera")),
    allow("allowVideoConferencing"),
    allow("allowVideoConferencingRemoteControl"),
    allow("allowChat").android(&["no_sms"]),
    allow("allowRCSMessaging"),
    allow("allowCallRecording"),
    allow("allowLiveVoicemail"),
    allow("allowVoiceDialing"),
    allow("allowFindMyDevice"),
    allow("allowFindMyFriends"),
    allow("allowFindMyFriendsModification"),
    allow("allowNews"),
    allow("allowPodcasts"),
    allow("allowMusicService"),
    allow("allowRadioService"),
    allow("allowiTunes"),
    allow("allowBookstore"),
    allow("allowGameCenter"),
    allow("allowAddingGameCenterFriends"),
    allow("allowMultiplayerGaming"),
    allow("allowPairedWatch")
        .never_by(RuleId::M3, "`false` unpairs a watch and erases it, and no iPad pairs one"),
    allow("allowSharedDeviceTemporarySession")
        .never_by(RuleId::C5_3_1, "it is for Shared iPads, and a tablet is lent to one person"),
    // What is shown.
    allow("allowScreenShot").agent(Agent::Switch("disableScreenshots")),
    allow("allowRemoteScreenObservation"),
    allow("allowLockScreenControlCenter"),
    allow("allowLockScreenNotificationsView"),
    allow("allowLockScreenTodayView"),
    allow("allowPassbookWhileLocked"),
    allow("allowExplicitContent"),
    allow("allowBookstoreErotica"),
    allow("allowSpotlightInternetResults"),
    allow("allowApplePersonalizedAdvertising"),
    force("forceLimitAdTracking"),
    rating("ratingApps"),
    bundle_ids("ratingAppsExemptedBundleIDs", Stricter::ExceptionsTo("ratingApps")),
    rating("ratingMovies"),
    rating("ratingTVShows"),
    restriction(
        "ratingRegion",
        Kind::Choice(&["us", "au", "ca", "de", "fr", "ie", "jp", "nz", "gb"]),
        Stricter::Unordered,
    ),
    // Safari.
    allow("allowSafari"),
    allow("allowSafariHistoryClearing").also(&SAFARI, "AllowHistoryClearing"),
    allow("allowSafariPrivateBrowsing").also(&SAFARI, "AllowPrivateBrowsing"),
    allow("allowSafariSummary").also(&INTELLIGENCE, "Apps.Safari.AllowSummary"),
    allow("safariAllowAutoFill"),
    allow("safariAllowJavaScript").also(&SAFARI, "AllowJavaScript"),
    allow("safariAllowPopups").also(&SAFARI, "AllowPopups"),
    force("safariForceFraudWarning").also_written(&SAFARI, "AllowDisablingFraudWarning", Writing::Negated),
    restriction("safariAcceptCookies", Kind::Choice(COOKIES), Stricter::OrderedList)
        .written(COOKIES_IN_PROFILES)
        .also_written(&SAFARI, "AcceptCookies", COOKIES_IN_DECLARATIONS),
    // Passwords.
    allow("allowPasswordAutoFill").android(&["no_autofill"]),
    allow("allowPasswordProximityRequests"),
    allow("allowPasswordSharing"),
    force("forceAuthenticationBeforeAutoFill"),
    // iCloud, backups and managed data.
    allow("allowCloudBackup"),
    allow("allowCloudDocumentSync"),
    allow("allowCloudKeychainSync"),
    allow("allowCloudPhotoLibrary"),
    allow("allowPhotoStream"),
    allow("allowSharedStream"),
    allow("allowEnterpriseBookBackup"),
    allow("allowEnterpriseBookMetadataSync"),
    allow("allowManagedAppsCloudSync"),
    allow("allowManagedToWriteUnmanagedContacts"),
    allow("allowUnmanagedToReadManagedContacts"),
    allow("allowOpenFromManagedToUnmanaged"),
    allow("allowOpenFromUnmanagedToManaged"),
    force("requireManagedPasteboard"),
    // The Classroom app.
    force("forceClassroomAutomaticallyJoinClasses"),
    force("forceClassroomRequestPermissionToLeaveClasses"),
    force("forceClassroomUnpromptedAppAndDeviceLock"),
    force("forceClassroomUnpromptedScreenObservation"),
    // Siri, the keyboard, Apple Intelligence.
    allow("allowAssistant").also(&SIRI, "Enabled"),
    allow("allowAssistantUserGeneratedContent").also(&SIRI, "AllowUserGeneratedContent"),
    allow("allowAssistantWhileLocked").also(&SIRI, "AllowWhileLocked"),
    allow("allowSiriAI").also(&SIRI, "AllowSiriAI"),
    force("forceAssistantProfanityFilter").also(&SIRI, "ForceProfanityFilter"),
    allow("allowAutoCorrection").also(&KEYBOARD, "AllowAutoCorrection"),
    allow("allowContinuousPathKeyboard").also(&KEYBOARD, "AllowSlideToType"),
    allow("allowDefinitionLookup").also(&KEYBOARD, "AllowDefinitionLookup"),
    allow("allowDictation").also(&KEYBOARD, "AllowDictation"),
    allow("allowKeyboardShortcuts").also(&KEYBOARD, "AllowTextReplacement"),
    allow("allowPredictiveKeyboard").also(&KEYBOARD, "AllowPredictiveText"),
    allow("allowSpellCheck").also(&KEYBOARD, "AllowSpellCheck"),
    force("forceOnDeviceOnlyDictation").also(&INTELLIGENCE, "ForceOnDeviceOnlyDictation"),
    force("forceOnDeviceOnlyTranslation").also(&INTELLIGENCE, "ForceOnDeviceOnlyTranslation"),
    allow("allowAppleIntelligenceReport").also(&INTELLIGENCE, "AllowAppleIntelligenceReport"),
    allow("allowGenmoji").also(&INTELLIGENCE, "AllowGenmoji"),
    allow("allowImagePlayground").also(&INTELLIGENCE, "AllowImagePlayground"),
    allow("allowImageWand").also(&INTELLIGENCE, "AllowImageWand"),
    allow("allowPersonalizedHandwritingResults").also(&INTELLIGENCE, "AllowPersonalizedHandwritingResults"),
    allow("allowVisualIntelligenceSummary").also(&INTELLIGENCE, "AllowVisualIntelligenceSummary"),
    allow("allowWritingTools").also(&INTELLIGENCE, "AllowWritingTools"),
    allow("allowMailSmartReplies").also(&INTELLIGENCE, "Apps.Mail.AllowSmartReplies"),
    allow("allowMailSummary").also(&INTELLIGENCE, "Apps.Mail.AllowSummary"),
    allow("allowNotesTranscription").also(&INTELLIGENCE, "Apps.Notes.AllowTranscription"),
    allow("allowNotesTranscriptionSummary").also(&INTELLIGENCE, "Apps.Notes.AllowTranscriptionSummary"),
    allow("allowExternalIntelligenceIntegrations").also(&EXTERNAL_INTELLIGENCE, "Enabled"),
    allow("allowExternalIntelligenceIntegrationsSignIn").also(&EXTERNAL_INTELLIGENCE, "AllowSignIn"),
    restriction(
        "allowedExternalIntelligenceWorkspaceIDs",
        Kind::Names { of: Shape::Word, most: 1 },
        Stricter::AllowList,
    )
    .also(&EXTERNAL_INTELLIGENCE, "AllowedWorkspaceIDs"),
    // Protections: to turn one off allows the user nothing, and leaves them less safe.
    //
    // Accessories wait until the tablet is unlocked.
    force("allowUSBRestrictedMode"),
    // Lists of trusted and distrusted authorities stay current.
    force("allowOTAPKIUpdates"),
    // Senders of mail do not learn when and where it is read.
    force("allowMailPrivacyProtection"),
    // Urgent security fixes install themselves.
    force("allowRapidSecurityResponseInstallation").also(&UPDATE_SETTINGS, "RapidSecurityResponse.Enable"),
];
