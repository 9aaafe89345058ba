//! The client against a small authority over HTTP, which opens what it gets with OpenSSL.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509Req, X509VerifyResult};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::authority::{Authority, Purpose, Validity};
use crate::der::{element, object, oid, sequence, tag, unsigned};
use crate::identity::name;
use crate::signed_message::{self, SignatureStyle, attribute};
use crate::{KeyPool, Trust};

const MODERN: &str = "AES\nSHA-256\nPOSTPKIOperation\nRenewal\n";

/// What the authority does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mischief {
    #[default]
    None,
    Refuse,
    Pend,
    AnotherTransaction,
    AnotherNonce,
    AnotherKey,
    AnotherSigner,
    AnotherRecipient,
    NoCertRep,
    Garbage,
    Failure,
}

/// A request as the authority opened it.
#[derive(Debug, Clone)]
struct Opened {
    method: Method,
    query: HashMap<String, String>,
    message_type: String,
    transaction: String,
    /// Who signed the message.
    signer: X509,
    request: Vec<u8>,
    message: Vec<u8>,
    envelope: Vec<u8>,
}

/// A small authority.
struct Responder {
    authority: Authority,
    /// A registration authority beside it, if there is one.
    registration: Option<Identity>,
    stranger: Identity,
    capabilities: &'static str,
    mischief: Mutex<Mischief>,
    opened: Mutex<Vec<Opened>>,
    names: Mutex<Vec<Option<String>>>,
}

struct Running {
    responder: Arc<Responder>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Responder {
    fn new(capabilities: &'static str) -> Self {
        let [authority, stranger] = authorities().clone();
        Self {
            authority,
            registration: None,
            stranger: stranger.identity().clone(),
            capabilities,
            mischief: Mutex::default(),
            opened: Mutex::default(),
            names: Mutex::default(),
        }
    }

    /// With a registration authority, to whom requests are encrypted.
    fn with_registration_authority(mut self) -> Self {
        let now = Clock::system().now();
        let made = self.authority.identity_for(&[("CN", "RA")], &Purpose::Client, Validity::days(now, 5));
        self.registration = Some(made.unwrap());
        self
    }

    async fn start(self) -> Running {
        let responder = Arc::new(self);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&responder);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _peer)) = listener.accept().await {
                let responder = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&responder), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service),
                );
            }
        });
        Running { responder, address, task }
    }

    /// Who opens requests and signs answers.
    fn operator(&self) -> &Identity {
        self.registration.as_ref().unwrap_or_else(|| self.authority.identity())
    }

    fn operate(&self, method: Method, query: HashMap<String, String>, message: &[u8]) -> Vec<u8> {
        let mischief = *self.mischief.lock().unwrap();
        if mischief == Mischief::Garbage {
            return b"<html>It works!</html>".to_vec();
        }
        let signed = signed_message::open(message, &[], "a request").unwrap();
        let read =
            |identifier| signed_message::signed_attribute(&signed.der, identifier).unwrap().unwrap().to_vec();
        let text = |identifier| String::from_utf8(read(identifier)).unwrap();
        let operator = self.operator();
        let request = CmsContentInfo::from_der(&signed.content)
            .unwrap()
            .decrypt(operator.key(), &operator.certificate().to_owned())
            .unwrap();
        let parsed = X509Req::from_der(&request).unwrap();
        let public = parsed.public_key().unwrap();
        assert!(parsed.verify(&public).unwrap(), "the request proves its key");
        let signer = signed.certificates[0].clone();
        self.opened.lock().unwrap().push(Opened {
            method,
            query,
            message_type: text(oid::SCEP_MESSAGE_TYPE),
            transaction: text(oid::SCEP_TRANSACTION),
            signer: signer.clone(),
            request,
            message: message.to_vec(),
            envelope: signed.content.clone(),
        });

        let other_key = self.stranger.key();
        let certified = |key: &openssl::pkey::PKeyRef<_>| {
            let validity = Validity::days(Clock::system().now(), 5);
            self.authority
                .certify(&[("CN", "as the authority decides")], key, &Purpose::Client, validity)
                .unwrap()
        };
        let certificate = if mischief == Mischief::AnotherKey {
            certified(&PKey::public_key_from_der(&other_key.public_key_to_der().unwrap()).unwrap())
        } else {
            certified(&public)
        };
        let recipient = if mischief == Mischief::AnotherRecipient {
            self.stranger.certificate().to_owned()
        } else {
            signer
        };
        let mut recipients = Stack::new().unwrap();
        recipients.push(recipient).unwrap();
        let envelope = CmsContentInfo::encrypt(
            &recipients,
            &bag(&certificate),
            Cipher::aes_128_cbc(),
            CMSOptions::BINARY,
        )
        .unwrap()
        .to_der()
        .unwrap();

        let printable =
            |identifier, text: &str| attribute(identifier, &element(tag::PRINTABLE_STRING, text.as_bytes()));
        let status = match mischief {
            Mischief::Refuse => "2",
            Mischief::Pend => "3",
            _ => "0",
        };
        let mut nonce = read(oid::SCEP_SENDER_NONCE);
        if mischief == Mischief::AnotherNonce {
            nonce[0] ^= 1;
        }
        let transaction = match mischief {
            Mischief::AnotherTransaction => "ANOTHER".to_owned(),
            _ => text(oid::SCEP_TRANSACTION),
        };
        let attributes = vec![
            printable(oid::SCEP_MESSAGE_TYPE, if mischief == Mischief::NoCertRep { "19" } else { "3" }),
            printable(oid::SCEP_PKI_STATUS, status),
            printable(oid::SCEP_FAIL_INFO, "2"),
            printable(oid::SCEP_TRANSACTION, &transaction),
            attribute(oid::SCEP_RECIPIENT_NONCE, &element(tag::OCTET_STRING, &nonce)),
        ];
        let signer = if mischief == Mischief::AnotherSigner { &self.stranger } else { operator };
        SignatureStyle::default().sign(signer, &envelope, true, attributes).unwrap()
    }
}

/// A small authority and a stranger, made once: keys take their time.
fn authorities() -> &'static [Authority; 2] {
    static MADE: OnceLock<[Authority; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        let validity = Validity::days(Clock::system().now(), 10);
        ["A small authority", "A stranger"].map(|name| Authority::new(&[("CN", name)], validity).unwrap())
    })
}

/// The keys of all tablets.
fn keys() -> KeyPool {
    static MADE: OnceLock<KeyPool> = OnceLock::new();
    MADE.get_or_init(|| KeyPool::in_memory(2).unwrap()).clone()
}

/// What the profile says that the certificate shall be for.
fn subject() -> X509Name {
    name(&[("CN", "what the profile says"), ("O", "École")]).unwrap()
}

/// Certificates in a message that nobody signed (RFC 8894 §3.4).
fn bag(certificate: &X509) -> Vec<u8> {
    bag_of(&[certificate])
}

fn bag_of(certificates: &[&X509]) -> Vec<u8> {
    let certificates: Vec<u8> =
        certificates.iter().flat_map(|certificate| certificate.to_der().unwrap()).collect();
    let signed_data = sequence(&[
        unsigned(&[1]),
        element(tag::SET, &[]),
        sequence(&[object(oid::DATA)]),
        element(tag::CONTEXT_0, &certificates),
        element(tag::SET, &[]),
    ]);
    sequence(&[object(oid::SIGNED_DATA), element(tag::CONTEXT_0, &signed_data)])
}

async fn answer(
    responder: Arc<Responder>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let message = query.get("message").cloned();
    let answered = match query.get("operation").map(String::as_str) {
        Some("GetCACaps") => {
            responder.names.lock().unwrap().push(message);
            responder.capabilities.as_bytes().to_vec()
        }
        Some("GetCACert") => match &responder.registration {
            None => responder.authority.identity().certificate_der().unwrap(),
            Some(registration) => bag_of(&[
                &responder.authority.identity().certificate().to_owned(),
                &registration.certificate().to_owned(),
            ]),
        },
        Some("PKIOperation") => {
            let message = match head.method {
                Method::GET => STANDARD.decode(message.unwrap()).unwrap(),
                _ => body.to_vec(),
            };
            responder.operate(head.method, query, &message)
        }
        other => panic!("{other:?}"),
    };
    let mut response = Response::new(Full::new(Bytes::from(answered)));
    if *responder.mischief.lock().unwrap() == Mischief::Failure {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}

/// A tablet's side: its keys, its HTTP client.
struct Client {
    http: HttpClient,
    keys: KeyPool,
}

impl Client {
    fn new() -> Self {
        let trust = Trust::only(&authorities()[0].certificate_pem().unwrap()).unwrap();
        Self { http: HttpClient::new(trust, Clock::system()), keys: keys() }
    }

    fn scep(&mut self, running: &Running, style: ScepStyle) -> ScepClient<'_> {
        let url = format!("http://{}/scep?token=t", running.address).parse().unwrap();
        ScepClient::new(&mut self.http, url, style, Clock::system())
    }

    async fn enrol(&mut self, running: &Running, style: ScepStyle) -> Result<Identity, Error> {
        let (key, subject) = (self.keys.key(0), subject());
        let request = CertificateRequest {
            subject: &subject,
            key: &key,
            challenge: Some("once: +/= é"),
            key_usage: 5,
            wishes: &[],
        };
        self.scep(running, style).enrol(&request, None).await
    }

    async fn renew(
        &mut self,
        running: &Running,
        style: ScepStyle,
        present: &Identity,
        challenge: Option<&str>,
    ) -> Result<Identity, Error> {
        let (key, subject) = (self.keys.key(1), subject());
        let request =
            CertificateRequest { subject: &subject, key: &key, challenge, key_usage: 5, wishes: &[] };
        self.scep(running, style).renew(&request, present, None).await
    }
}

impl Running {
    fn last(&self) -> Opened {
        self.responder.opened.lock().unwrap().last().unwrap().clone()
    }

    fn does(&self, mischief: Mischief) {
        *self.responder.mischief.lock().unwrap() = mischief;
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_first_certificate_is_for_the_key_and_asked_for_as_the_profile_says() {
    let running = Responder::new(MODERN).start().await;
    let mut client = Client::new();
    let identity = client.enrol(&running, ScepStyle::default()).await.unwrap();
    assert!(identity.certificate().public_key().unwrap().public_eq(&client.keys.key(0)));
    assert!(identity.key().public_eq(&client.keys.key(0)));
    let authority = running.responder.authority.identity().certificate();
    assert_eq!(authority.issued(identity.certificate()), X509VerifyResult::OK);

    let opened = running.last();
    assert_eq!((opened.message_type.as_str(), opened.method), ("19", Method::POST));
    assert_eq!(opened.query.get("token").map(String::as_str), Some("t"), "the address keeps its own query");
    let request = X509Req::from_der(&opened.request).unwrap();
    assert_eq!(request.subject_name().to_der().unwrap(), subject().to_der().unwrap());
    assert!(holds(&opened.request, "once: +/= é".as_bytes()), "the challenge is in the request");
    assert!(!holds(&opened.message, "once: +/= é".as_bytes()), "and nowhere in the clear");
    let extensions = request.extensions().unwrap();
    assert_eq!(extensions.len(), 1, "the key usage is asked for");
    // RFC 8894 §2.2: a first request is signed by a certificate of its own key and subject.
    assert!(opened.signer.public_key().unwrap().public_eq(&client.keys.key(0)));
    assert_eq!(opened.signer.subject_name().to_der().unwrap(), subject().to_der().unwrap());
    let digest =
        openssl::hash::hash(MessageDigest::sha1(), &client.keys.key(0).public_key_to_der().unwrap()).unwrap();
    assert_eq!(opened.transaction, hex::encode_upper(digest));
}

#[tokio::test]
async fn the_best_that_the_server_offers_is_used_unless_told() {
    const AES_128: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2];
    const AES_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];
    const DES_3: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
    let told = ScepStyle {
        digest: Some(Digest::Sha512),
        cipher: Some(EnvelopeCipher::Aes256),
        parameters: Parameters::Absent,
        ..ScepStyle::default()
    };
    for (capabilities, style, method, digest, cipher) in [
        (MODERN, ScepStyle::default(), Method::POST, oid::SHA256, AES_128),
        ("SCEPStandard\r\n", ScepStyle::default(), Method::POST, oid::SHA256, AES_128),
        ("aes\nsha-256", ScepStyle::default(), Method::GET, oid::SHA256, AES_128),
        ("DES3\nPOSTPKIOperation", ScepStyle::default(), Method::POST, oid::SHA1, DES_3),
        ("AES\nSHA-512", ScepStyle::default(), Method::GET, oid::SHA512, AES_128),
        (MODERN, told, Method::POST, oid::SHA512, AES_256),
        (MODERN, ScepStyle { via: Via::Get, ..ScepStyle::default() }, Method::GET, oid::SHA256, AES_128),
        (
            "AES\nSHA-256",
            ScepStyle { via: Via::Post, ..ScepStyle::default() },
            Method::POST,
            oid::SHA256,
            AES_128,
        ),
    ] {
        let running = Responder::new(capabilities).start().await;
        Client::new().enrol(&running, style).await.unwrap();
        let opened = running.last();
        assert_eq!(opened.method, method, "{capabilities:?} {style:?}");
        assert!(holds(&opened.message, &object(digest)), "{capabilities:?} {style:?}: another digest");
        assert!(holds(&opened.envelope, &object(cipher)), "{capabilities:?} {style:?}: another cipher");
    }
}

#[tokio::test]
async fn a_message_may_stand_in_the_query_of_a_post_as_well() {
    let running = Responder::new(MODERN).start().await;
    let style = ScepStyle { via: Via::PostAndRepeat, ..ScepStyle::default() };
    Client::new().enrol(&running, style).await.unwrap();
    assert_eq!(running.last().method, Method::POST);
    assert!(running.last().query.contains_key("message"));
}

#[tokio::test]
async fn a_registration_authority_is_the_one_that_is_written_to() {
    let running = Responder::new(MODERN).with_registration_authority().start().await;
    // The responder opens with the registration authority's key only.
    let identity = Client::new().enrol(&running, ScepStyle::default()).await.unwrap();
    let issuer = running.responder.authority.identity().certificate();
    assert_eq!(issuer.issued(identity.certificate()), X509VerifyResult::OK);
}

#[tokio::test]
async fn an_authority_is_known_by_its_fingerprint_or_gets_no_challenge() {
    let running = Responder::new(MODERN).start().await;
    let mut client = Client::new();
    let certificate = running.responder.authority.identity().certificate().to_owned();
    for digest in
        [MessageDigest::md5(), MessageDigest::sha1(), MessageDigest::sha256(), MessageDigest::sha512()]
    {
        let fingerprint = certificate.digest(digest).unwrap();
        let mut scep = client.scep(&running, ScepStyle::default());
        assert_eq!(scep.authority_certificates(Some(&fingerprint)).await.unwrap().len(), 1);
    }
    let (key, subject) = (client.keys.key(0), subject());
    let request = CertificateRequest {
        subject: &subject,
        key: &key,
        challenge: Some("secret"),
        key_usage: 5,
        wishes: &[],
    };
    let mut scep = client.scep(&running, ScepStyle::default());
    let error = scep.enrol(&request, Some(&[7; 32])).await.unwrap_err().to_string();
    assert!(error.contains("fingerprint"), "{error}");
    assert!(running.responder.opened.lock().unwrap().is_empty(), "nothing was sent to a stranger");
}

#[tokio::test]
async fn the_authority_is_asked_for_by_its_name() {
    let running = Responder::new(MODERN).start().await;
    let mut client = Client::new();
    let capabilities = client
        .scep(&running, ScepStyle::default())
        .authority_name(Some("A & B".into()))
        .capabilities()
        .await
        .unwrap();
    assert!(capabilities.has("postpkioperation") && !capabilities.has("DES3"));
    client.scep(&running, ScepStyle::default()).capabilities().await.unwrap();
    assert_eq!(*running.responder.names.lock().unwrap(), [Some("A & B".to_owned()), None]);
}

#[tokio::test]
async fn an_answer_that_is_not_the_authoritys_to_this_request_is_refused() {
    let running = Responder::new(MODERN).start().await;
    let mut client = Client::new();
    for (mischief, words) in [
        (Mischief::AnotherSigner, "the authority did not sign it"),
        (Mischief::AnotherTransaction, "another transaction"),
        (Mischief::AnotherNonce, "nonce"),
        (Mischief::AnotherKey, "for another key"),
        (Mischief::AnotherRecipient, "not for us"),
        (Mischief::NoCertRep, "not CertRep"),
        (Mischief::Garbage, "not CMS"),
        (Mischief::Refuse, "failInfo 2"),
        (Mischief::Pend, "pending"),
        (Mischief::Failure, "refused with 500"),
    ] {
        running.does(mischief);
        let error = client.enrol(&running, ScepStyle::default()).await.unwrap_err().to_string();
        assert!(error.contains(words), "{mischief:?}: {error}");
    }
    running.does(Mischief::None);
    client.enrol(&running, ScepStyle::default()).await.unwrap();
}

#[tokio::test]
async fn a_renewal_is_signed_by_the_present_certificate_where_that_is_offered() {
    let running = Responder::new(MODERN).start().await;
    let mut client = Client::new();
    let present = client.enrol(&running, ScepStyle::default()).await.unwrap();
    let next = client.renew(&running, ScepStyle::default(), &present, None).await.unwrap();
    assert!(next.certificate().public_key().unwrap().public_eq(&client.keys.key(1)), "a new key");
    let opened = running.last();
    assert_eq!(opened.message_type, "17");
    assert_eq!(opened.signer.to_der().unwrap(), present.certificate_der().unwrap());

    client.renew(&running, ScepStyle::default(), &present, Some("again")).await.unwrap();
    assert_eq!(running.last().message_type, "19", "a challenge makes it a first request");
    let style = ScepStyle { renewal: RenewalStyle::RenewalReq, ..ScepStyle::default() };
    client.renew(&running, style, &present, Some("again")).await.unwrap();
    assert_eq!(running.last().message_type, "17", "unless told");

    let old = Responder::new("AES\nSHA-256\nPOSTPKIOperation").start().await;
    client.renew(&old, ScepStyle::default(), &present, None).await.unwrap();
    assert_eq!(old.last().message_type, "19", "a server that does not renew gets a first request");
}
