//! Labels and help: the tablet, its networks, its apps.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    (
        "allowEraseContentAndSettings",
        [
            "Effacer la tablette depuis les réglages",
            "Interdit, l’élève ne peut pas effacer lui-même la tablette pour se défaire de sa configuration.",
            "Erasing the tablet from its settings",
            "When forbidden, a pupil cannot erase the tablet to get rid of its configuration.",
        ],
    ),
    (
        "allowUIConfigurationProfileInstallation",
        [
            "Installer des profils et des certificats",
            "Interdit, personne ne peut ajouter à la main un profil ou un certificat qui contournerait le filtrage.",
            "Installing profiles and certificates by hand",
            "When forbidden, nobody can add a profile or a certificate that would get round the filter.",
        ],
    ),
    (
        "allowHostPairing",
        [
            "Jumeler la tablette avec un ordinateur",
            "Interdit, un ordinateur personnel ne peut ni sauvegarder la tablette, ni la restaurer, ni en copier le \
             contenu.",
            "Pairing with a computer",
            "When forbidden, a private computer can neither back the tablet up, nor restore it, nor copy what it holds.",
        ],
    ),
    (
        "allowUnpairedExternalBootToRecovery",
        [
            "Démarrer en mode de secours depuis un appareil inconnu",
            "Interdit, un appareil que la tablette ne connaît pas ne peut pas la faire démarrer pour la réinstaller.",
            "Starting in recovery from an unknown device",
            "When forbidden, a device that the tablet does not know cannot start it in recovery to reinstall it.",
        ],
    ),
    (
        "allowAccountModification",
        [
            "Ajouter, modifier ou retirer des comptes",
            "Interdit, les comptes (Apple, messagerie, calendriers) restent tels que le département les a posés.",
            "Adding, changing or removing accounts",
            "When forbidden, accounts (Apple, mail, calendars) stay as the département set them up.",
        ],
    ),
    (
        "allowPasscodeModification",
        [
            "Changer le code d’accès",
            "Interdit, l’utilisateur ne peut ni poser, ni changer, ni retirer le code de la tablette.",
            "Changing the access code",
            "When forbidden, the user can neither set, change nor remove the tablet’s access code.",
        ],
    ),
    (
        "allowFingerprintForUnlock",
        [
            "Déverrouiller avec Touch ID ou Face ID",
            "Interdit, seul le code d’accès déverrouille la tablette.",
            "Unlocking with Touch ID or Face ID",
            "When forbidden, only the access code unlocks the tablet.",
        ],
    ),
    (
        "allowDeviceNameModification",
        [
            "Changer le nom de la tablette",
            "Interdit, la tablette garde le nom sous lequel le collège la reconnaît.",
            "Changing the tablet’s name",
            "When forbidden, the tablet keeps the name by which the collège knows it.",
        ],
    ),
    (
        "allowWallpaperModification",
        [
            "Changer le fond d’écran",
            "Interdit, le fond d’écran choisi par le collège reste en place.",
            "Changing the wallpaper",
            "When forbidden, the wallpaper that the collège chose stays.",
        ],
    ),
    (
        "allowEnablingRestrictions",
        [
            "Régler Temps d’écran",
            "Interdit, Temps d’écran est désactivé : les familles ne peuvent plus y fixer leurs propres limites.",
            "Setting Screen Time",
            "When forbidden, Screen Time is off: families can no longer set limits of their own with it.",
        ],
    ),
    (
        "allowNotificationsModification",
        [
            "Modifier les réglages de notifications",
            "Interdit, les notifications restent réglées comme le profil le dit.",
            "Changing notification settings",
            "When forbidden, notifications stay as the profile sets them.",
        ],
    ),
    (
        "allowDefaultBrowserModification",
        [
            "Choisir un autre navigateur par défaut",
            "Interdit, les liens s’ouvrent dans le navigateur prévu, qui est filtré.",
            "Choosing another default browser",
            "When forbidden, links open in the intended browser, which is filtered.",
        ],
    ),
    (
        "allowProximitySetupToNewDevice",
        [
            "Configurer un appareil voisin à partir de la tablette",
            "Interdit, la tablette ne propose pas de transmettre ses réglages à un autre appareil.",
            "Setting up a nearby device from the tablet",
            "When forbidden, the tablet does not offer to pass its settings on to another device.",
        ],
    ),
    (
        "allowDiagnosticSubmission",
        [
            "Envoyer des diagnostics à Apple",
            "Interdit, la tablette n’envoie pas de rapports d’utilisation ou de panne à Apple.",
            "Sending diagnostics to Apple",
            "When forbidden, the tablet sends Apple no reports on use or crashes.",
        ],
    ),
    (
        "allowFilesUSBDriveAccess",
        [
            "Lire des clés et disques USB",
            "Interdit, aucun fichier n’entre ni ne sort par une clé USB branchée à la tablette.",
            "Reading USB keys and disks",
            "When forbidden, no file comes or goes by a USB key plugged into the tablet.",
        ],
    ),
    (
        "forceAutomaticDateAndTime",
        [
            "Date et heure automatiques",
            "Exigé, l’élève ne peut pas changer la date pour échapper à une règle qui dépend du calendrier.",
            "Automatic date and time",
            "When demanded, a pupil cannot change the date to escape a rule that follows the calendar.",
        ],
    ),
    (
        "forceEncryptedBackup",
        [
            "Chiffrer les sauvegardes sur ordinateur",
            "Exigé, une sauvegarde faite sur un ordinateur ne peut être lue sans mot de passe.",
            "Encrypting backups on computers",
            "When demanded, a backup made on a computer cannot be read without a password.",
        ],
    ),
    (
        "enforcedSoftwareUpdateDelay",
        [
            "Délai avant de proposer une mise à jour (jours)",
            "Nombre de jours pendant lesquels une nouvelle version n’est pas proposée, le temps de l’essayer.",
            "Delay before an update is offered (days)",
            "For how many days a new version is not offered, so that it can be tried first.",
        ],
    ),
    (
        "allowRapidSecurityResponseInstallation",
        [
            "Correctifs de sécurité urgents",
            "Exigé, les correctifs urgents d’Apple s’installent sans attendre la mise à jour suivante.",
            "Urgent security fixes",
            "When demanded, Apple’s urgent fixes install themselves without waiting for the next update.",
        ],
    ),
    (
        "allowRapidSecurityResponseRemoval",
        [
            "Retirer un correctif de sécurité",
            "Interdit, l’utilisateur ne peut pas revenir en arrière après un correctif urgent.",
            "Removing a security fix",
            "When forbidden, the user cannot go back after an urgent fix.",
        ],
    ),
    (
        "allowVPNCreation",
        [
            "Ajouter un VPN",
            "Interdit, l’élève ne peut pas installer de VPN, qui ferait sortir son trafic du filtrage.",
            "Adding a VPN",
            "When forbidden, a pupil cannot add a VPN, which would take their traffic out of the filter.",
        ],
    ),
    (
        "allowCloudPrivateRelay",
        [
            "Relais privé iCloud",
            "Interdit, le trafic ne passe pas par le relais d’Apple, qui échappe au filtrage.",
            "iCloud Private Relay",
            "When forbidden, traffic does not go through Apple’s relay, which escapes the filter.",
        ],
    ),
    (
        "allowBluetoothModification",
        [
            "Modifier les réglages Bluetooth",
            "Interdit, le Bluetooth reste comme il est : casques et claviers ne peuvent plus être appairés.",
            "Changing Bluetooth settings",
            "When forbidden, Bluetooth stays as it is: headphones and keyboards can no longer be paired.",
        ],
    ),
    (
        "allowPersonalHotspotModification",
        [
            "Régler le partage de connexion",
            "Interdit, la tablette ne peut pas partager sa connexion avec d’autres appareils.",
            "Setting the personal hotspot",
            "When forbidden, the tablet cannot share its connection with other devices.",
        ],
    ),
    (
        "allowAirDrop",
        [
            "AirDrop",
            "Interdit, les élèves ne peuvent pas s’envoyer d’images ou de fichiers d’une tablette à l’autre.",
            "AirDrop",
            "When forbidden, pupils cannot send pictures or files from one tablet to another.",
        ],
    ),
    (
        "allowAirPrint",
        [
            "Imprimer",
            "Interdit, la tablette n’imprime pas.",
            "Printing",
            "When forbidden, the tablet does not print.",
        ],
    ),
    (
        "allowActivityContinuation",
        [
            "Handoff",
            "Interdit, une activité commencée sur la tablette ne se poursuit pas sur un appareil personnel.",
            "Handoff",
            "When forbidden, what is begun on the tablet does not go on on a private device.",
        ],
    ),
    (
        "allowUntrustedTLSPrompt",
        [
            "Passer outre un certificat douteux",
            "Interdit, un site dont le certificat n’est pas sûr est refusé sans poser la question.",
            "Accepting a doubtful certificate",
            "When forbidden, a site whose certificate is not trusted is refused without asking.",
        ],
    ),
    (
        "allowUSBRestrictedMode",
        [
            "Attendre le déverrouillage avant de parler à un accessoire USB",
            "Exigé, un accessoire branché à une tablette verrouillée n’obtient rien d’elle.",
            "Waiting for the unlock before speaking to USB accessories",
            "When demanded, an accessory plugged into a locked tablet gets nothing out of it.",
        ],
    ),
    (
        "forceAirDropUnmanaged",
        [
            "AirDrop fermé aux documents gérés",
            "Exigé, un document d’une app du collège ne part pas par AirDrop.",
            "AirDrop closed to managed documents",
            "When demanded, a document of an app of the collège does not leave by AirDrop.",
        ],
    ),
    (
        "forceWiFiPowerOn",
        [
            "Wi-Fi toujours allumé",
            "Exigé, le Wi-Fi ne peut pas être coupé : la tablette reste joignable.",
            "Wi-Fi always on",
            "When demanded, Wi-Fi cannot be turned off: the tablet stays within reach.",
        ],
    ),
    (
        "forceWiFiToAllowedNetworksOnly",
        [
            "Seulement les réseaux Wi-Fi du profil",
            "Exigé, la tablette ne rejoint que les réseaux prévus, et donc aucun à la maison.",
            "Only the Wi-Fi networks of the profile",
            "When demanded, the tablet joins only the networks it was given, and so none at home.",
        ],
    ),
    (
        "allowAppInstallation",
        [
            "Installer des apps",
            "Interdit, l’App Store disparaît ; le département et le collège installent les apps à distance.",
            "Installing apps",
            "When forbidden, the App Store is gone; the département and the collège install apps from afar.",
        ],
    ),
    (
        "allowUIAppInstallation",
        [
            "Installer des apps depuis l’App Store",
            "Interdit, l’App Store disparaît de l’écran ; les apps fournies à distance se mettent toujours à jour.",
            "Installing apps from the App Store",
            "When forbidden, the App Store is not shown; apps given from afar still update themselves.",
        ],
    ),
    (
        "allowMarketplaceAppInstallation",
        [
            "Installer des apps depuis d’autres boutiques",
            "Interdit, aucune autre boutique que celle d’Apple ne peut installer d’app.",
            "Installing apps from other shops",
            "When forbidden, no shop but Apple’s can install an app.",
        ],
    ),
    (
        "allowWebDistributionAppInstallation",
        [
            "Installer des apps depuis un site web",
            "Interdit, un site ne peut pas installer d’app sur la tablette.",
            "Installing apps from a web site",
            "When forbidden, a web site cannot install an app on the tablet.",
        ],
    ),
    (
        "allowEnterpriseAppTrust",
        [
            "Faire confiance à un développeur inconnu",
            "Interdit, l’utilisateur ne peut pas autoriser une app qui ne vient d’aucune boutique.",
            "Trusting an unknown developer",
            "When forbidden, the user cannot allow an app that comes from no shop.",
        ],
    ),
    (
        "allowInAppPurchases",
        [
            "Achats dans les apps",
            "Interdit, aucun achat ne peut être fait depuis une app.",
            "Purchases in apps",
            "When forbidden, nothing can be bought from within an app.",
        ],
    ),
    (
        "allowAppClips",
        [
            "Extraits d’apps",
            "Interdit, la tablette n’ouvre pas de morceaux d’apps à partir d’un lien ou d’un code.",
            "App clips",
            "When forbidden, the tablet opens no pieces of apps from a link or a code.",
        ],
    ),
    (
        "allowAppRemoval",
        [
            "Supprimer des apps",
            "Interdit, les apps fournies restent sur la tablette avec leurs documents.",
            "Deleting apps",
            "When forbidden, the apps that were given stay on the tablet with their documents.",
        ],
    ),
    (
        "allowSystemAppRemoval",
        [
            "Supprimer les apps d’origine",
            "Interdit, les apps livrées avec la tablette restent en place.",
            "Deleting the apps that came with the tablet",
            "When forbidden, the apps that came with the tablet stay.",
        ],
    ),
    (
        "allowAppsToBeHidden",
        [
            "Masquer des apps",
            "Interdit, une app installée reste visible d’un adulte qui regarde la tablette.",
            "Hiding apps",
            "When forbidden, an installed app can be seen by an adult who looks at the tablet.",
        ],
    ),
];
