//! `tablets apns`: says where it is, leaves what a server needs, and finds it again.

use std::fs;

use openssl::nid::Nid;
use openssl::x509::X509;

use crate::person::{Going, Person};

fn read(person: &Person, name: &str) -> Vec<u8> {
    fs::read(person.path("push").join(name)).unwrap()
}

#[test]
fn it_says_where_it_listens_and_what_to_trust_and_ends_with_a_tally() {
    let person = Person::new();
    let mut going = Going::start(&person, "apns --write push --topic com.apple.mgmt.External.a");
    let listening = going.next();
    let address: std::net::SocketAddr = listening["address"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback() && address.port() != 0);
    assert_eq!(listening["url"], format!("https://localhost:{}", address.port()));
    drop(std::net::TcpStream::connect(address).unwrap());
    let tally = going.stop();
    assert_eq!((&tally["accepted"], &tally["refused"]), (&0.into(), &0.into()));

    let certificate = X509::from_pem(&read(&person, "push-certificate.pem")).unwrap();
    let topic = certificate.subject_name().entries_by_nid(Nid::USERID).next().unwrap();
    assert_eq!(topic.data().as_slice(), b"com.apple.mgmt.External.a");
    let root = X509::from_pem(&read(&person, "push-root.pem")).unwrap();
    assert!(certificate.verify(&root.public_key().unwrap()).unwrap());
    let key = openssl::pkey::PKey::private_key_from_pem(&read(&person, "push-key.pem")).unwrap();
    assert!(certificate.public_key().unwrap().public_eq(&key));
}

#[test]
fn started_again_it_uses_the_same_files() {
    let person = Person::new();
    let files = ["push-root.pem", "push-certificate.pem", "push-key.pem"];
    person.reads("apns --write push --for 100ms");
    let before = files.map(|name| read(&person, name));
    person.reads("apns --write push --for 100ms");
    assert!(files.map(|name| read(&person, name)) == before);
    person.reads("apns --write push --for 100ms --topic com.apple.mgmt.External.b");
    assert!(read(&person, "push-root.pem") == before[0], "whom to trust stays");
    assert!(read(&person, "push-certificate.pem") != before[1], "another topic is another certificate");
}
