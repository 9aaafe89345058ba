//! Our client of mail servers against a real one: what it takes, refuses, and leaves open (T-B9, T-C9).

use std::time::Duration;

use outbound::Egress;
use outbound::mail::{Letter, MailAnswer, MailClient, MailServer as Settings, MailTls, MailTrouble};
use testkit::{MailServer, Protection};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use types::{Instant, MailId, Secret};

fn letter(to: &str) -> Letter {
    let now = Instant::from_millis(1_800_000_000_000);
    Letter {
        id: MailId::new(now),
        token: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        to: to.parse().unwrap(),
        subject: "Tablette prêtée\r\nBcc: voleur@exemple.fr".to_owned(),
        text: "Bonjour <b>Zoé</b>\r\n.\r\nMAIL FROM:<voleur@exemple.fr>\r\n".to_owned(),
        written_at: now,
    }
}

fn settings(host: &str, port: u16, tls: MailTls, trust: Option<&str>) -> Settings {
    Settings {
        host: host.to_owned(),
        port,
        tls,
        trust: trust.map(str::to_owned),
        login: None,
        from: "Département <tablettes@exemple.fr>".parse().unwrap(),
        returns_to: "retours@exemple.fr".parse().unwrap(),
    }
}

fn client(settings: Settings) -> MailClient {
    let egress = Egress::new([
        format!("127.0.0.1:{}", settings.port).parse().unwrap(),
        format!("localhost:{} private", settings.port).parse().unwrap(),
    ]);
    MailClient::new(settings, egress).unwrap()
}

/// A client of a server without protection.
fn plain(server: &MailServer) -> MailClient {
    client(settings("127.0.0.1", server.port(), MailTls::None, None))
}

async fn sent(client: &MailClient, letter: &Letter) -> MailAnswer {
    let mut session = client.connect().await.unwrap();
    match session.offer(letter).await {
        MailAnswer::Taken => session.hand_over(letter).await,
        refused => refused,
    }
}

#[tokio::test]
async fn t_c9_a_letter_arrives_whole_and_nothing_in_it_is_an_order_to_the_server() {
    let server = MailServer::start().await.unwrap();
    assert_eq!(sent(&plain(&server), &letter("a.martin@exemple.fr")).await, MailAnswer::Taken);
    let taken = server.has_taken(1).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].from, "retours+0123456789abcdef0123456789abcdef@exemple.fr");
    assert_eq!(taken[0].to, ["a.martin@exemple.fr"]);
    let message = mail_parser::MessageParser::default().parse(taken[0].text.as_bytes()).unwrap();
    assert!(message.bcc().is_none(), "{}", taken[0].text);
    assert!(message.body_text(0).unwrap().contains("MAIL FROM:<voleur@exemple.fr>"));
}

#[tokio::test]
async fn a_refused_addressee_is_one_mails_matter_and_the_next_goes_over_the_same_connection() {
    let mut server = MailServer::start().await.unwrap();
    let words = [("a@exemple.fr", "550 5.1.1 a@exemple.fr is unknown"), ("b@exemple.fr", "451 later")];
    server.tell(&words, 0, 0).await.unwrap();
    let mut session = plain(&server).connect().await.unwrap();
    assert_eq!(session.offer(&letter("a@exemple.fr")).await, MailAnswer::Never(550));
    let later = session.offer(&letter("b@exemple.fr")).await;
    assert_eq!(later, MailAnswer::NotNow(MailTrouble::Later(451)));
    assert!(!format!("{later:?}").contains("exemple"), "no word of the server is repeated");
    assert!(session.is_open());
    assert_eq!(session.offer(&letter("c@exemple.fr")).await, MailAnswer::Taken);
    assert_eq!(session.hand_over(&letter("c@exemple.fr")).await, MailAnswer::Taken);
    assert_eq!(server.has_taken(1).await.unwrap()[0].to, ["c@exemple.fr"]);
    session.quit().await;
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_open_only_what_was_handed_over() {
    let mut server = MailServer::start().await.unwrap();
    server.tell(&[], 1, 0).await.unwrap();
    assert_eq!(sent(&plain(&server), &letter("a@exemple.fr")).await, MailAnswer::Unknown);
    server.tell(&[], 0, 1).await.unwrap();
    let before = sent(&plain(&server), &letter("a@exemple.fr")).await;
    assert!(matches!(before, MailAnswer::NotNow(MailTrouble::Unreachable(_))), "{before:?}");
    assert_eq!(server.mailed().len(), 1);
}

#[tokio::test]
async fn starttls_and_tls_protect_the_connection_and_an_unknown_authority_is_refused() {
    for (protection, tls) in [(Protection::StartTls, MailTls::StartTls), (Protection::Tls, MailTls::Tls)] {
        let server = MailServer::start_as(protection, false).await.unwrap();
        let known = client(settings("localhost", server.port(), tls, server.authority()));
        assert_eq!(sent(&known, &letter("a@exemple.fr")).await, MailAnswer::Taken, "{tls:?}");
        let strange = client(settings("localhost", server.port(), tls, None));
        assert!(matches!(strange.connect().await, Err(MailTrouble::Tls(_))), "{tls:?}");
        // Its certificate is for another name.
        let named = client(settings("127.0.0.1", server.port(), tls, server.authority()));
        assert!(matches!(named.connect().await, Err(MailTrouble::Tls(_))), "{tls:?}");
        assert_eq!(server.mailed().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_knows_no_starttls_gets_neither_mail_nor_password() {
    let server = MailServer::start().await.unwrap();
    let mut wanted = settings("localhost", server.port(), MailTls::StartTls, None);
    wanted.login = Some(("ardoise".to_owned(), Secret::new("sesame".to_owned())));
    assert!(matches!(client(wanted).connect().await, Err(MailTrouble::Tls(_))));
    assert_eq!(server.mailed().len(), 0);
}

#[tokio::test]
async fn a_login_is_asked_for_and_a_wrong_password_refuses_us_and_no_addressee() {
    let server = MailServer::start_as(Protection::StartTls, true).await.unwrap();
    let with = |password: &str| {
        let mut wanted = settings("localhost", server.port(), MailTls::StartTls, server.authority());
        wanted.login = Some(("ardoise".to_owned(), Secret::new(password.to_owned())));
        client(wanted)
    };
    assert_eq!(sent(&with("sesame"), &letter("a@exemple.fr")).await, MailAnswer::Taken);
    let refused = with("ouvre-toi").connect().await.unwrap_err();
    assert_eq!(refused, MailTrouble::RefusesUs(535));
    assert!(refused.to_string().contains("mail.password_file"), "{refused}");
    let anonymous = client(settings("localhost", server.port(), MailTls::StartTls, server.authority()));
    let answer = sent(&anonymous, &letter("a@exemple.fr")).await;
    assert_eq!(answer, MailAnswer::NotNow(MailTrouble::RefusesUs(530)));
}

#[tokio::test]
async fn t_b9_a_mail_server_that_is_not_listed_is_not_spoken_to() {
    let server = MailServer::start().await.unwrap();
    let elsewhere = Egress::new(["127.0.0.1:1".parse().unwrap()]);
    let wanted = settings("127.0.0.1", server.port(), MailTls::None, None);
    let client = MailClient::new(wanted, elsewhere).unwrap();
    assert!(matches!(client.connect().await, Err(MailTrouble::Egress(_))));
    // A listed name that resolves into a private network is not, either, unless that is said.
    let public = Egress::new([format!("localhost:{}", server.port()).parse().unwrap()]);
    let wanted = settings("localhost", server.port(), MailTls::None, None);
    let client = MailClient::new(wanted, public).unwrap();
    assert!(matches!(client.connect().await, Err(MailTrouble::Egress(_))));
}

/// A stranger on the wire puts an answer behind the server's last plain line, to have it believed after TLS.
#[tokio::test]
async fn what_stands_behind_the_last_plain_line_is_not_believed_after_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stranger = tokio::spawn(async move {
        let (mut stream, _peer) = listener.accept().await.unwrap();
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mx\r\n").await.unwrap();
        lines.next_line().await.unwrap();
        write.write_all(b"250-mx\r\n250 STARTTLS\r\n").await.unwrap();
        lines.next_line().await.unwrap();
        write.write_all(b"220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n235 ok\r\n").await.unwrap();
        // Whatever comes next is the beginning of TLS, or nothing.
        let mut rest = Vec::new();
        let _cut = tokio::io::AsyncReadExt::read_to_end(&mut lines.into_inner(), &mut rest).await;
        rest
    });
    let mut wanted = settings("localhost", port, MailTls::StartTls, None);
    wanted.login = Some(("ardoise".to_owned(), Secret::new("sesame".to_owned())));
    assert!(matches!(client(wanted).connect().await, Err(MailTrouble::Tls(_))));
    let heard = tokio::time::timeout(Duration::from_secs(10), stranger).await.unwrap().unwrap();
    assert_eq!(heard.first(), Some(&0x16), "it hears a TLS handshake");
    assert!(!heard.windows(6).any(|part| part == b"sesame"));
}
