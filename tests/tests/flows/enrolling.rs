//! How tablets come in, attacked: automated enrolment by whoever is no device of Apple's or claims another's serial
//! number, systems that are too old, floods, secrets in profiles, and what was prepared for another tablet.

use std::collections::BTreeMap;

use checkin::{Rate, RateLimits};
use hyper::Method;
use plist::{Dictionary, Value};
use store::Engine;
use tablets::{
    AppleDeviceAuthority, Authority, EnrolmentProfile, Error, Identity, Ipad, KeyPool, Outcome, Profile,
    Purpose, Reply, Request, Validity,
};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use types::Clock as _;

use crate::support::{
    COLLEGE, DAY, at, commands_of, enrolment, obey, on_both_engines, report, standing, still_managed,
    stranger,
};

on_both_engines! {
    t_a8_a_tablet_is_given_nothing_that_is_anothers,
    t_a9_only_a_device_of_apples_is_answered_and_an_active_serial_is_not_taken_over,
    t_a9_only_a_tablet_that_can_update_is_told_to_update_first,
    t_a9_a_flood_of_strangers_is_slowed_down_and_enrolled_tablets_are_not,
    t_a10_no_enrolment_profile_holds_a_secret_that_is_used_twice,
}

/// Apple's authority of devices, as the server believes it.
struct Apple {
    authority: AppleDeviceAuthority,
    keys: KeyPool,
}

impl Apple {
    fn believed_by(server: &TestServer) -> Self {
        let authority = AppleDeviceAuthority::new(server.clock().now().as_seconds()).unwrap();
        let pem = authority.intermediate_pem().unwrap();
        let believed = pki::DeviceCertificateAuthorities::for_simulation(pem.as_bytes()).unwrap();
        server.believe_simulated_devices(believed).unwrap();
        Self { authority, keys: server.keys().clone() }
    }

    /// An iPad with the identity that its maker gave it.
    fn ipad(&self, server: &TestServer, serial: &str, system: (&str, &str)) -> Ipad {
        let udid = server.ipad(serial).build().unwrap().udid().to_owned();
        let identity = self.authority.device(&udid, &self.keys).unwrap();
        server.ipad(serial).system(system.0, system.1).device_identity(identity).build().unwrap()
    }
}

const CURRENT: (&str, &str) = ("27.0", "25A340");

fn automated(server: &TestServer) -> String {
    at(server, "/enrol/automated").to_string()
}

/// The status with which an enrolment was refused.
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> u16 {
    match outcome {
        Err(Error::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    }
}

async fn t_a8_a_tablet_is_given_nothing_that_is_anothers(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ours = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ours).await;
    obey(&mut theirs).await;
    theirs.set_bootstrap_token(b"the other tablet's token").await.unwrap();
    let for_them = server.command("DMPX00000002", "RestartDevice", serde_json::Value::Null).await.unwrap();
    let before = enrolment(&server, "DMPX00000002").await;

    let declarations = |endpoint: &str, udid: &str| {
        let mut message = Dictionary::new();
        message.insert("MessageType".into(), "DeclarativeManagement".into());
        message.insert("UDID".into(), udid.into());
        message.insert("Endpoint".into(), endpoint.into());
        message
    };
    for endpoint in [
        "declaration/configuration/fr.ardoise.restrictions.DMPX00000002",
        "declaration/asset/DMPX00000002",
        "declaration/activation/fr.ardoise.activation",
        "declaration/management/fr.ardoise.organisation",
    ] {
        let own = declarations(endpoint, ours.udid());
        assert_eq!(still_managed(&ours.check_in(&own).await.unwrap()), 404, "{endpoint}");
        let as_them = declarations(endpoint, theirs.udid());
        assert_eq!(still_managed(&ours.check_in(&as_them).await.unwrap()), 400, "{endpoint}");
    }
    for endpoint in
        ["declaration/asset/../../DMPX00000002", "declaration/asset", "declaration", "", "tokens/x"]
    {
        let odd = declarations(endpoint, ours.udid());
        let status = still_managed(&ours.check_in(&odd).await.unwrap());
        assert!(matches!(status, 400 | 404), "{endpoint}: {status}");
    }
    for endpoint in ["tokens", "declaration-items", "status"] {
        let as_them = declarations(endpoint, theirs.udid());
        assert_eq!(still_managed(&ours.check_in(&as_them).await.unwrap()), 400, "{endpoint}");
    }
    // Its own set is its own: it names nobody.
    let items = ours.check_in(&declarations("declaration-items", ours.udid())).await.unwrap();
    let items = String::from_utf8(items.body().unwrap().to_vec()).unwrap();
    assert!(!items.contains("DMPX00000002"), "{items}");

    // Tokens and commands of the other: none by its own name, refused under the other's.
    assert_eq!(ours.get_bootstrap_token().await.unwrap(), None);
    let mut as_them = Dictionary::new();
    as_them.insert("MessageType".into(), "GetBootstrapToken".into());
    as_them.insert("UDID".into(), theirs.udid().into());
    assert_eq!(still_managed(&ours.check_in(&as_them).await.unwrap()), 400);
    let as_them = report(theirs.udid(), "Idle", None);
    assert_eq!(still_managed(&ours.report(&as_them).await.unwrap()), 400);
    assert!(obey(&mut ours).await.handled.is_empty(), "the other's command is not for it");

    // The other's link opens for whoever holds it, and enrols the other only.
    let link = server.link_for("DMPX00000002").await.unwrap();
    let profile = ours.fetch_profile(&link).await.unwrap();
    let mut thief = server.ipad("DMPX00000001").build().unwrap();
    thief.identify(&profile, false).await.unwrap();
    assert_eq!(still_managed(&thief.authenticate().await.unwrap()), 400);
    for guess in ["/enrol/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/enrol/DMPX00000002-0000"] {
        assert_eq!(get(&server, guess).await.status, 404, "{guess}");
    }

    assert_eq!(enrolment(&server, "DMPX00000002").await, before);
    assert_eq!(crate::support::state_of(&server, &for_them).await, "queued");
    assert_eq!(theirs.get_bootstrap_token().await.unwrap().unwrap(), b"the other tablet's token");
    assert_eq!(obey(&mut theirs).await.request_types(), ["RestartDevice"]);
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
}

async fn get(server: &TestServer, path: &str) -> Reply {
    let url = at(server, "/").join(path).unwrap();
    stranger(server).send(&Request::new(Method::GET, url, Vec::new()), None).await.unwrap()
}

async fn t_a9_only_a_device_of_apples_is_answered_and_an_active_serial_is_not_taken_over(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let apple = Apple::believed_by(&server);
    let url = automated(&server);
    let mut active = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut active).await;
    server.import_inventory(&inventory_csv(["DMPX00000002"], COLLEGE)).await.unwrap();
    let before = enrolment(&server, "DMPX00000001").await;
    let now = server.clock().now().as_seconds();

    // Signers that Apple's authority of devices does not vouch for, for a free serial number and for an active one.
    let namesake = AppleDeviceAuthority::new(now).unwrap();
    let root = Authority::new(&[("CN", "Simulated iPhone Device CA")], Validity::days(now, 30)).unwrap();
    let long_ago = Validity { from: now - 900 * 86_400, until: now - 1 };
    for serial in ["DMPX00000001", "DMPX00000002"] {
        let udid = server.ipad(serial).build().unwrap().udid().to_owned();
        let key = server.keys().key(0);
        let genuine = apple.authority.device(&udid, &apple.keys).unwrap();
        let subject = genuine.certificate().subject_name();
        let signers: [(&str, Identity); 4] = [
            ("an authority that calls itself Apple's", namesake.device(&udid, &apple.keys).unwrap()),
            ("itself", Identity::self_signed(subject, key, now).unwrap()),
            ("our own authority", active.identity().unwrap().clone()),
            ("any authority", root.identity_for(&[("CN", &udid)], &Purpose::Client, long_ago).unwrap()),
        ];
        for (who, signer) in signers {
            let mut ipad = server.ipad(serial).device_identity(signer).build().unwrap();
            assert_eq!(refused(ipad.request_profile(&url).await), 400, "{serial}, vouched for by {who}");
        }
        let mut nobody = server.ipad(serial).build().unwrap();
        let plain = b"<plist><dict><key>SERIAL</key><string>DMPX00000001</string></dict></plist>".to_vec();
        assert_eq!(refused(nobody.send_machine_info(&url, plain).await), 400, "{serial}: not signed at all");
    }
    assert_eq!(enrolment(&server, "DMPX00000001").await, before);
    assert_eq!(standing(&server, "DMPX00000002").await, "not-enrolled");

    // Nor does a device of Apple's get in under a number that nobody lends.
    let mut unknown = apple.ipad(&server, "DMPX00000009", CURRENT);
    assert_eq!(refused(unknown.request_profile(&url).await), 400);

    // An active serial number is enrolled again by automated proof, with an alarm, or by a link of its own, and by
    // nothing else. As long as the newcomer has not said Authenticate, the tablet is served.
    let batch = server.link_for_batch(COLLEGE, 5).await.unwrap();
    let mut by_batch = server.ipad("DMPX00000001").build().unwrap();
    assert_eq!(refused(by_batch.enrol_by_link(&batch).await), 400);
    assert!(!server.alarm_kinds().await.unwrap().contains(&"re-enrolment".to_owned()));
    let mut again = apple.ipad(&server, "DMPX00000001", CURRENT);
    let profile = again.request_profile(&url).await.unwrap();
    assert!(server.alarm_kinds().await.unwrap().contains(&"re-enrolment".to_owned()));
    again.identify(&profile, true).await.unwrap();
    assert!(obey(&mut active).await.handled.is_empty());
    assert_eq!(enrolment(&server, "DMPX00000001").await, before);
    assert!(again.authenticate().await.unwrap().is_accepted());
    assert!(again.token_update().await.unwrap().is_accepted());
    assert_eq!(enrolment(&server, "DMPX00000001").await["kind"], "automated");
    let idle = report(active.udid(), "Idle", None);
    assert_eq!(still_managed(&active.report(&idle).await.unwrap()), 400, "superseded, not unenrolled");
    active.enrol_by_link(&server.link_for("DMPX00000001").await.unwrap()).await.unwrap();
    assert_eq!(enrolment(&server, "DMPX00000001").await["kind"], "link");
}

async fn t_a9_only_a_tablet_that_can_update_is_told_to_update_first(engine: Engine) {
    let server = TestServer::setup(engine).flag("enrolment.minimum_os=26.1").start().await.unwrap();
    let apple = Apple::believed_by(&server);
    let url = automated(&server);
    let serials = ["DMPX00000001", "DMPX00000002", "DMPX00000003", "DMPX00000004"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();

    let mut can = apple.ipad(&server, serials[0], ("18.1", "22B83"));
    match can.enrol_by_machine_info(&url).await {
        Err(Error::SoftwareUpdateRequired { os_version, .. }) => assert_eq!(os_version, "26.1"),
        other => panic!("{other:?}"),
    }
    let machine_info = can.machine_info().unwrap();
    let request = Request::new(Method::POST, at(&server, "/enrol/automated"), machine_info);
    let told = stranger(&server).send(&request, None).await.unwrap();
    assert_eq!((told.status, told.content_type()), (403, "application/json"));
    let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(told["code"], "com.apple.softwareupdate.required");
    assert_eq!(told["details"]["OSVersion"], "26.1");
    assert_eq!(standing(&server, serials[0]).await, "not-enrolled");
    can.update_system("26.1", "23B85");
    can.enrol_by_machine_info(&url).await.unwrap();

    // One that cannot is let in as it is: before iPadOS 17 it cannot be asked, and one may say that it cannot.
    let mut old = apple.ipad(&server, serials[1], ("16.7.10", "20H350"));
    old.enrol_by_machine_info(&url).await.unwrap();
    let cannot = apple.ipad(&server, serials[2], ("18.1", "22B83"));
    let mut info = Dictionary::new();
    for (key, value) in [
        ("UDID", cannot.udid()),
        ("SERIAL", cannot.serial()),
        ("PRODUCT", "iPad13,18"),
        ("VERSION", "22B83"),
        ("OS_VERSION", "18.1"),
        ("LANGUAGE", "fr"),
    ] {
        info.insert(key.into(), value.into());
    }
    let signer = apple.authority.device(cannot.udid(), &apple.keys).unwrap();
    for says in [None, Some(false)] {
        if let Some(says) = says {
            info.insert("MDM_CAN_REQUEST_SOFTWARE_UPDATE".into(), says.into());
        }
        let message = cannot.sign_machine_info(&info, &signer).unwrap();
        let mut sender = server.ipad(serials[2]).build().unwrap();
        sender.send_machine_info(&url, message).await.unwrap();
    }
    // A number that is unknown hears nothing of versions but that it is refused, and a link asks for none.
    let mut by_link = server.ipad(serials[3]).system("18.1", "22B83").build().unwrap();
    by_link.enrol_by_link(&server.link_for(serials[3]).await.unwrap()).await.unwrap();
    assert_eq!(standing(&server, serials[3]).await, "enrolled");
}

async fn t_a9_a_flood_of_strangers_is_slowed_down_and_enrolled_tablets_are_not(engine: Engine) {
    let pace = RateLimits { per_address: Rate::new(1, 12), ..RateLimits::default() };
    let server = TestServer::setup(engine).pace(pace).start().await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let flood = ["/enrol/automated", "/enrol/AAAAAAAAAAAAAAAAAAAAAAAA", "/scep?operation=GetCACaps"];
    let mut slowed = 0;
    for path in flood.iter().cycle().take(45) {
        let answer = get(&server, path).await;
        if answer.status == 429 {
            slowed += 1;
            let wait = answer.headers.get("retry-after").unwrap().to_str().unwrap();
            assert_eq!(wait, "1", "{path}");
        }
        assert!(!matches!(answer.status, 401 | 403), "{path}");
    }
    assert!(slowed >= 15, "{slowed} of 45 were slowed down");
    for _ in 0..40 {
        assert!(obey(&mut ipad).await.handled.is_empty());
    }
}

/// The leaves of a profile by their places, as text.
fn leaves(profile: &[u8]) -> BTreeMap<String, String> {
    fn walk(place: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
        match value {
            Value::Dictionary(dictionary) => {
                for (key, value) in dictionary {
                    walk(&format!("{place}/{key}"), value, leaves);
                }
            }
            Value::Array(array) => {
                for (number, value) in array.iter().enumerate() {
                    walk(&format!("{place}/{number}"), value, leaves);
                }
            }
            leaf => drop(leaves.insert(place.to_owned(), format!("{leaf:?}"))),
        }
    }
    let mut leaves = BTreeMap::new();
    walk("", &Value::Dictionary(Profile::open(profile).unwrap().contents), &mut leaves);
    leaves
}

async fn t_a10_no_enrolment_profile_holds_a_secret_that_is_used_twice(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let apple = Apple::believed_by(&server);
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let link = server.link_for("DMPX00000001").await.unwrap();
    let batch = server.link_for_batch(COLLEGE, 9).await.unwrap();
    let mut renewing = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut renewing).await;
    let token = server.new_token(fleet::Scope::Operate).await.unwrap();
    let key_file = std::fs::read_to_string(server.home().join("ardoise.keys")).unwrap();
    let key = key_file.lines().find_map(|line| line.split_once(':')).unwrap().1.trim().to_owned();
    let (_certificate, push_key) = server.push_service().certificate();
    let last = |link: &str| link.rsplit('/').next().unwrap().to_owned();
    let secrets = [last(&link), last(&batch), token.expose().clone(), key, push_key.to_owned()];

    let machine_info = apple.ipad(&server, "DMPX00000001", CURRENT).machine_info().unwrap();
    let mut profiles: Vec<(&str, Vec<u8>)> = Vec::new();
    for _twice in 0..2 {
        profiles.push(("link", get(&server, &link).await.body.to_vec()));
        profiles.push(("batch", get(&server, &batch).await.body.to_vec()));
        let automated = at(&server, "/enrol/automated");
        let request = Request::new(Method::POST, automated, machine_info.clone());
        let given = stranger(&server).send(&request, None).await.unwrap();
        profiles.push(("automated", given.body.to_vec()));
    }
    server.advance(DAY * 306);
    wait_until("the calendar asked for a renewal", Patience::default(), async || {
        Ok((commands_of(&server, "DMPX00000002", "InstallProfile").await > 0).then_some(()))
    })
    .await
    .unwrap();
    for _twice in 0..2 {
        let idle = report(renewing.udid(), "Idle", None);
        let Outcome::Accepted(command) = renewing.report(&idle).await.unwrap() else { panic!("not served") };
        let command = Value::from_reader_xml(command.as_slice()).unwrap().into_dictionary().unwrap();
        let payload = command["Command"].as_dictionary().unwrap()["Payload"].as_data().unwrap().to_vec();
        profiles.push(("renewal", payload));
    }

    let mut challenges: Vec<String> = Vec::new();
    for (way, profile) in &profiles {
        // Nothing of what the server holds, in the signed message as it is sent and in what it carries.
        let inside = leaves(profile);
        for secret in &secrets {
            assert!(!String::from_utf8_lossy(profile).contains(secret), "{way}: {secret}");
            assert!(!inside.values().any(|leaf| leaf.contains(secret)), "{way}: {secret}");
        }
        assert!(!String::from_utf8_lossy(profile).contains("PRIVATE"), "{way}");
        challenges.push(EnrolmentProfile::open(profile).unwrap().scep.challenge.unwrap());
    }
    let distinct: std::collections::BTreeSet<&String> = challenges.iter().collect();
    assert_eq!(distinct.len(), profiles.len(), "each profile has a challenge of its own");
    assert!(challenges.iter().all(|challenge| challenge.len() >= 43), "256 bits");

    // Two of one way, and two of any, differ in nothing but the challenge, its enrolment, and names that say nothing.
    let (_way, first) = &profiles[0];
    let first = leaves(first);
    for (way, profile) in &profiles {
        let other = leaves(profile);
        assert!(first.keys().eq(other.keys()), "{way}: {:?}", other.keys());
        for (place, leaf) in first.iter().filter(|(place, leaf)| other[*place] != **leaf) {
            let may_differ = ["/Challenge", "/PayloadUUID", "/IdentityCertificateUUID", "/Subject/0/0/1"];
            assert!(may_differ.iter().any(|end| place.ends_with(end)), "{way}: {place} is {leaf}");
        }
    }
    // And what may be secret by its name is there once: the challenge.
    let named: Vec<&String> = first
        .keys()
        .filter(|place| {
            let place = place.to_lowercase();
            ["password", "secret", "token", "challenge", "username"].iter().any(|word| place.contains(word))
        })
        .collect();
    assert_eq!(named.len(), 1, "{named:?}");
}
