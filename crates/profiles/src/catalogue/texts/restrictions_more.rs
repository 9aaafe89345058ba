//! Labels and help: what comes with the tablet, what is shown, the web, clouds, the classroom, Siri and its like.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    (
        "allowCamera",
        [
            "Appareil photo",
            "Interdit, la tablette ne prend ni photo ni vidéo.",
            "Camera",
            "When forbidden, the tablet takes neither photographs nor films.",
        ],
    ),
    (
        "allowVideoConferencing",
        [
            "FaceTime",
            "Interdit, l’app FaceTime disparaît.",
            "FaceTime",
            "When forbidden, the FaceTime app is gone.",
        ],
    ),
    (
        "allowChat",
        [
            "Messages",
            "Interdit, les élèves ne peuvent pas échanger de messages par iMessage.",
            "Messages",
            "When forbidden, pupils cannot exchange messages by iMessage.",
        ],
    ),
    (
        "allowFindMyDevice",
        [
            "Localiser mon appareil",
            "Interdit, l’utilisateur ne suit pas la tablette dans l’app Localiser.",
            "Find My device",
            "When forbidden, the user does not follow the tablet in the Find My app.",
        ],
    ),
    (
        "allowFindMyFriends",
        [
            "Localiser mes amis",
            "Interdit, les élèves ne partagent pas leur position entre eux.",
            "Find My friends",
            "When forbidden, pupils do not share their position with each other.",
        ],
    ),
    (
        "allowMusicService",
        [
            "Apple Music",
            "Interdit, l’app Musique ne propose que ce qui est déjà sur la tablette.",
            "Apple Music",
            "When forbidden, the Music app offers only what is on the tablet already.",
        ],
    ),
    (
        "allowiTunes",
        [
            "iTunes Store",
            "Interdit, l’app disparaît, et rien ne peut y être acheté.",
            "iTunes Store",
            "When forbidden, the app is gone, and nothing can be bought there.",
        ],
    ),
    (
        "allowGameCenter",
        [
            "Game Center",
            "Interdit, la tablette n’a ni classements ni parties avec des inconnus.",
            "Game Center",
            "When forbidden, the tablet has no rankings and no games with strangers.",
        ],
    ),
    (
        "allowMultiplayerGaming",
        [
            "Jeux à plusieurs en ligne",
            "Interdit, Game Center ne met pas l’élève en relation avec d’autres joueurs.",
            "Games with others online",
            "When forbidden, Game Center does not bring the pupil together with other players.",
        ],
    ),
    (
        "allowScreenShot",
        [
            "Captures d’écran",
            "Interdit, l’écran ne peut être ni photographié ni filmé, et l’app En classe ne peut pas l’observer.",
            "Screenshots",
            "When forbidden, the screen can be neither captured nor recorded, and the Classroom app cannot see it.",
        ],
    ),
    (
        "allowLockScreenNotificationsView",
        [
            "Notifications sur l’écran verrouillé",
            "Interdit, l’historique des notifications ne se lit pas sans déverrouiller la tablette.",
            "Notifications on the lock screen",
            "When forbidden, past notifications cannot be read without unlocking the tablet.",
        ],
    ),
    (
        "allowLockScreenControlCenter",
        [
            "Centre de contrôle sur l’écran verrouillé",
            "Interdit, personne ne peut couper le Wi-Fi d’une tablette verrouillée.",
            "Control Center on the lock screen",
            "When forbidden, nobody can turn off the Wi-Fi of a locked tablet.",
        ],
    ),
    (
        "allowExplicitContent",
        [
            "Musiques et vidéos explicites",
            "Interdit, les contenus que leur éditeur signale comme explicites sont cachés.",
            "Explicit music and films",
            "When forbidden, content that its publisher marks as explicit is hidden.",
        ],
    ),
    (
        "allowBookstoreErotica",
        [
            "Livres érotiques",
            "Interdit, les livres signalés comme érotiques ne peuvent pas être téléchargés.",
            "Erotic books",
            "When forbidden, books marked as erotic cannot be downloaded.",
        ],
    ),
    (
        "allowSpotlightInternetResults",
        [
            "Suggestions de recherche venues d’internet",
            "Interdit, la recherche de la tablette ne montre que ce qui s’y trouve.",
            "Search suggestions from the internet",
            "When forbidden, searching on the tablet shows only what is on it.",
        ],
    ),
    (
        "allowApplePersonalizedAdvertising",
        [
            "Publicité personnalisée d’Apple",
            "Interdit, Apple ne choisit pas ses publicités d’après l’usage de la tablette.",
            "Apple’s personalised advertising",
            "When forbidden, Apple does not choose advertisements by how the tablet is used.",
        ],
    ),
    (
        "forceLimitAdTracking",
        [
            "Suivi publicitaire limité",
            "Exigé, les apps ne peuvent pas demander à suivre l’élève d’une app à l’autre.",
            "Limited advertising tracking",
            "When demanded, apps cannot ask to follow a pupil from one app to another.",
        ],
    ),
    (
        "ratingApps",
        [
            "Classification la plus haute des apps",
            "Les apps réservées à des élèves plus âgés ne s’ouvrent pas (100 : 4+, 200 : 9+, 300 : 12+, 600 : 17+).",
            "Highest rating of apps",
            "Apps meant for older pupils do not open (100: 4+, 200: 9+, 300: 12+, 600: 17+).",
        ],
    ),
    (
        "ratingMovies",
        [
            "Classification la plus haute des films",
            "Les films réservés à un public plus âgé ne sont pas proposés.",
            "Highest rating of films",
            "Films meant for an older audience are not offered.",
        ],
    ),
    (
        "ratingTVShows",
        [
            "Classification la plus haute des émissions",
            "Les émissions réservées à un public plus âgé ne sont pas proposées.",
            "Highest rating of television programmes",
            "Programmes meant for an older audience are not offered.",
        ],
    ),
    (
        "allowSafari",
        [
            "Safari",
            "Interdit, le navigateur disparaît ; les apps peuvent encore aller sur internet.",
            "Safari",
            "When forbidden, the browser is gone; apps can still reach the internet.",
        ],
    ),
    (
        "allowSafariPrivateBrowsing",
        [
            "Navigation privée",
            "Interdit, Safari garde toujours son historique sur la tablette.",
            "Private browsing",
            "When forbidden, Safari always keeps its history on the tablet.",
        ],
    ),
    (
        "safariForceFraudWarning",
        [
            "Alerte de Safari contre les sites frauduleux",
            "Exigé, Safari avertit toujours avant d’ouvrir un site connu pour tromper ses visiteurs.",
            "Safari’s warning of fraudulent sites",
            "When demanded, Safari always warns before opening a site known to deceive its visitors.",
        ],
    ),
    (
        "safariAllowPopups",
        [
            "Fenêtres surgissantes dans Safari",
            "Interdit, un site ne peut pas ouvrir de fenêtres sans que l’élève le demande.",
            "Pop-ups in Safari",
            "When forbidden, a site cannot open windows that the pupil did not ask for.",
        ],
    ),
    (
        "safariAcceptCookies",
        [
            "Cookies acceptés par Safari",
            "De tous les sites, de ceux que l’élève visite, du site affiché seulement, ou d’aucun.",
            "Cookies that Safari accepts",
            "From all sites, from those the pupil visits, from the one on screen only, or from none.",
        ],
    ),
    (
        "allowPasswordSharing",
        [
            "Partager des mots de passe",
            "Interdit, un mot de passe ne part pas par AirDrop vers un autre appareil.",
            "Sharing passwords",
            "When forbidden, a password does not leave by AirDrop for another device.",
        ],
    ),
    (
        "allowCloudBackup",
        [
            "Sauvegarde iCloud",
            "Interdit, le contenu de la tablette n’est pas sauvegardé chez Apple.",
            "iCloud backup",
            "When forbidden, what the tablet holds is not backed up at Apple’s.",
        ],
    ),
    (
        "allowCloudKeychainSync",
        [
            "Trousseau iCloud",
            "Interdit, les mots de passe de la tablette ne sont pas copiés sur d’autres appareils.",
            "iCloud keychain",
            "When forbidden, the tablet’s passwords are not copied to other devices.",
        ],
    ),
    (
        "allowCloudPhotoLibrary",
        [
            "Photos iCloud",
            "Interdit, les photos restent sur la tablette ; celles qui n’existent que chez Apple n’y sont plus visibles.",
            "iCloud Photos",
            "When forbidden, photographs stay on the tablet; those that exist only at Apple’s are no longer seen on it.",
        ],
    ),
    (
        "allowOpenFromManagedToUnmanaged",
        [
            "Ouvrir un document du collège dans une app personnelle",
            "Interdit, un document d’une app du collège ne s’ouvre que dans une app du collège.",
            "Opening a document of the collège in a private app",
            "When forbidden, a document of an app of the collège opens only in an app of the collège.",
        ],
    ),
    (
        "requireManagedPasteboard",
        [
            "Copier-coller soumis aux mêmes règles que les documents",
            "Exigé, un texte d’une app du collège ne se colle pas dans une app personnelle.",
            "Copying by the same rules as documents",
            "When demanded, text of an app of the collège cannot be pasted into a private app.",
        ],
    ),
    (
        "forceClassroomRequestPermissionToLeaveClasses",
        [
            "Demander avant de quitter un cours dans En classe",
            "Exigé, l’élève demande à l’enseignant avant de quitter le cours.",
            "Asking before leaving a class in Classroom",
            "When demanded, a pupil asks the teacher before leaving the class.",
        ],
    ),
    (
        "forceClassroomAutomaticallyJoinClasses",
        [
            "Rejoindre les cours d’En classe sans le demander",
            "Exigé, la tablette accepte les demandes de l’enseignant sans interroger l’élève.",
            "Joining classes in Classroom without asking",
            "When demanded, the tablet accepts the teacher’s requests without asking the pupil.",
        ],
    ),
    (
        "allowAssistant",
        [
            "Siri",
            "Interdit, l’assistant vocal est désactivé.",
            "Siri",
            "When forbidden, the voice assistant is off.",
        ],
    ),
    (
        "allowAssistantWhileLocked",
        [
            "Siri sur l’écran verrouillé",
            "Interdit, l’assistant ne répond pas tant que la tablette est verrouillée.",
            "Siri on the lock screen",
            "When forbidden, the assistant does not answer while the tablet is locked.",
        ],
    ),
    (
        "allowAssistantUserGeneratedContent",
        [
            "Réponses de Siri tirées de contenus d’internautes",
            "Interdit, Siri ne répond pas à partir de textes que personne n’a relus.",
            "Answers of Siri from what users wrote",
            "When forbidden, Siri does not answer from texts that nobody checked.",
        ],
    ),
    (
        "allowDictation",
        [
            "Dictée",
            "Interdit, le texte ne peut pas être dicté.",
            "Dictation",
            "When forbidden, text cannot be dictated.",
        ],
    ),
    (
        "forceOnDeviceOnlyDictation",
        [
            "Dictée sans envoi à Apple",
            "Exigé, la voix de l’élève n’est pas envoyée à Apple pour être transcrite.",
            "Dictation without sending to Apple",
            "When demanded, a pupil’s voice is not sent to Apple to be written down.",
        ],
    ),
    (
        "allowPredictiveKeyboard",
        [
            "Suggestions du clavier",
            "Interdit, le clavier ne propose pas de mots : utile pour une dictée ou un examen.",
            "Suggestions of the keyboard",
            "When forbidden, the keyboard suggests no words: for a dictation or an examination.",
        ],
    ),
    (
        "allowAutoCorrection",
        [
            "Correction automatique",
            "Interdit, les fautes ne sont pas corrigées pendant la frappe.",
            "Automatic correction",
            "When forbidden, mistakes are not corrected while typing.",
        ],
    ),
    (
        "allowSpellCheck",
        [
            "Vérification de l’orthographe",
            "Interdit, les fautes ne sont pas soulignées.",
            "Spelling check",
            "When forbidden, mistakes are not underlined.",
        ],
    ),
    (
        "allowDefinitionLookup",
        [
            "Chercher une définition",
            "Interdit, la tablette ne donne pas la définition d’un mot.",
            "Looking a word up",
            "When forbidden, the tablet does not give the definition of a word.",
        ],
    ),
    (
        "allowWritingTools",
        [
            "Outils d’écriture d’Apple Intelligence",
            "Interdit, la tablette ne rédige, ne résume et ne réécrit pas de texte à la place de l’élève.",
            "Apple Intelligence’s writing tools",
            "When forbidden, the tablet does not write, sum up or rewrite text in the pupil’s place.",
        ],
    ),
    (
        "allowImagePlayground",
        [
            "Créer des images par Apple Intelligence",
            "Interdit, la tablette n’invente pas d’images à partir d’une description.",
            "Making pictures with Apple Intelligence",
            "When forbidden, the tablet does not make up pictures from a description.",
        ],
    ),
    (
        "allowExternalIntelligenceIntegrations",
        [
            "Assistants d’autres sociétés, tels que ChatGPT",
            "Interdit, Siri ne transmet aucune question à un service qui n’est pas celui d’Apple.",
            "Assistants of other companies, such as ChatGPT",
            "When forbidden, Siri passes no question on to a service that is not Apple’s.",
        ],
    ),
];
