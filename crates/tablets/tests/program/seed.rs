//! `tablets seed`.

use std::collections::BTreeSet;
use std::fs;

use openssl::x509::X509;
use openssl::x509::X509VerifyResult;
use tablets::{Home, Stage};

use crate::person::{Person, TOPIC};

const URL: &str = "https://mdm.example.org/mdm";

fn lines(person: &Person, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(person.path(name)).unwrap();
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_fleet_is_made_with_all_that_a_server_must_be_told() {
    let person = Person::new();
    let seeded = person.seeds(20, URL);
    assert_eq!((&seeded["tablets"], &seeded["made"], &seeded["kept"]), (&20.into(), &20.into(), &0.into()));

    let authority = X509::from_pem(&fs::read(person.path("fleet/authority.pem")).unwrap()).unwrap();
    let home = Home::open(person.path("fleet")).unwrap();
    let inventory = lines(&person, "fleet/inventory.csv");
    let takeover = lines(&person, "fleet/takeover.csv");
    assert_eq!(inventory[0].join(","), "serial,asset_tag,model,platform,uai");
    assert_eq!(
        takeover[0].join(","),
        "udid,serial,topic,push_token,push_magic,unlock_token,certificate_sha256"
    );
    let serials = home.serials().unwrap();
    assert_eq!((serials.len(), inventory.len(), takeover.len()), (20, 21, 21));

    let mut hashes = BTreeSet::new();
    for (place, serial) in serials.iter().enumerate() {
        let (state, identity) = home.load(serial).unwrap();
        let (enrolment, identity) = (state.enrolment.unwrap(), identity.unwrap());
        assert_eq!((enrolment.stage, enrolment.mdm.topic.as_str()), (Stage::Enrolled, TOPIC));
        assert_eq!((enrolment.mdm.server_url.as_str(), enrolment.mdm.check_in_url.as_str()), (URL, URL));
        assert_eq!(authority.issued(identity.certificate()), X509VerifyResult::OK);
        assert!(identity.certificate().verify(&authority.public_key().unwrap()).unwrap());
        let base64 = |hexadecimal: &str| {
            openssl::base64::encode_block(&hex::decode(hexadecimal).unwrap()).replace('\n', "")
        };
        let expected = [
            state.hardware.udid,
            serial.clone(),
            TOPIC.to_owned(),
            base64(&enrolment.push_token),
            enrolment.push_magic,
            base64(&enrolment.unlock_token),
            identity.fingerprint(),
        ];
        assert_eq!(takeover[place + 1], expected);
        let [listed, tag, _model, platform, uai] = inventory[place + 1].as_slice() else {
            panic!("five columns")
        };
        assert_eq!([listed, tag, platform, uai], [serial, "", "ipad", "0761234A"]);
        hashes.insert(identity.fingerprint());
    }
    assert_eq!(hashes.len(), 20, "every certificate is another one");
}

#[test]
fn seeding_again_keeps_what_is_there_and_adds_what_is_new() {
    let person = Person::new();
    person.seeds(3, URL);
    let read = |name: &str| fs::read(person.path("fleet").join(name)).unwrap();
    let files = ["authority.pem", "DMPX00000001/state.json", "DMPX00000001/identity.pem"];
    let before = files.map(read);
    let seeded = person.seeds(5, URL);
    assert_eq!((&seeded["made"], &seeded["kept"]), (&2.into(), &3.into()));
    assert!(files.map(read) == before);
    assert_eq!(lines(&person, "fleet/takeover.csv").len(), 6, "the lists name all of them");
}

#[test]
fn an_authority_that_is_given_issues_and_one_that_is_not_there_is_not_made() {
    let person = Person::new();
    person.seeds(1, URL);
    let line = format!(
        "seed other --tablets 1 --keys 1 --server-url {URL} --topic {TOPIC} --check-in-url {URL}/checkin --sign-message"
    );
    person.reads(&format!("{line} --authority fleet/.authority"));
    assert_eq!(
        fs::read(person.path("fleet/authority.pem")).unwrap(),
        fs::read(person.path("other/authority.pem")).unwrap()
    );
    let (state, _identity) = Home::open(person.path("other")).unwrap().load("DMPX00000001").unwrap();
    let mdm = state.enrolment.unwrap().mdm;
    assert_eq!((mdm.check_in_url.path(), mdm.sign_message), ("/mdm/checkin", true));

    let (code, _nothing, told) = person.sees(&format!("{line} --authority elsewhere"));
    assert_eq!((code, told.contains("elsewhere/authority.pem")), (1, true), "{told}");
    fs::write(
        person.path("fleet/.authority/authority-key.pem"),
        fs::read(person.path("other/.keys/key-000.pem")).unwrap(),
    )
    .unwrap();
    let (code, _nothing, told) = person.sees(&format!("{line} --first 7 --authority fleet/.authority"));
    assert_eq!((code, told.contains("is not the key of")), (1, true), "{told}");
}

#[test]
fn what_cannot_be_understood_exits_with_2_and_says_why() {
    let person = Person::new();
    for (line, words) in [
        (format!("seed fleet --tablets 0 --server-url {URL} --topic {TOPIC}"), "--tablets"),
        (format!("seed fleet --tablets 1 --server-url ftp://x --topic {TOPIC}"), "https://"),
        (format!("seed fleet --tablets 1 --serial-prefix T-1 --server-url {URL} --topic {TOPIC}"), "letters"),
        (format!("seed fleet --tablets 1 --server-url {URL} --topic com.example"), "com.apple.mgmt."),
        ("nonsense".to_owned(), "--help"),
    ] {
        let (code, _nothing, told) = person.sees(&line);
        assert_eq!((code, told.contains(words)), (2, true), "{line}: {told}");
    }
}
