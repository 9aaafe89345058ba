//! The configuration as people write it: what is read, which source wins, and what each mistake answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

const MINIMAL: &str = "[tablets]\npublic_url = \"https://mdm.example.org\"\n";

fn sources(file: &str) -> Sources {
    Sources {
        home: PathBuf::from("/srv/ardoise"),
        file: Some((PathBuf::from("ardoise.toml"), file.to_owned())),
        ..Sources::default()
    }
}

fn load(file: &str) -> Result<Config, ConfigError> {
    Config::load(&sources(file))
}

/// The minimal file with more lines below it.
fn load_with(more: &str) -> Result<Config, ConfigError> {
    load(&format!("{MINIMAL}{more}"))
}

#[test]
fn the_smallest_file_names_the_tablets_address() {
    let config = load(MINIMAL).unwrap();
    assert_eq!(config.tablets.listen, "0.0.0.0:8443".parse().unwrap());
    assert_eq!(config.tablets.public_url.as_str(), "https://mdm.example.org/");
    assert_eq!(config.tablets.tls, DoorTls::Auto);
    assert!(config.tablets.trusted_proxies.is_empty());
    assert!(config.people.listen.ip().is_loopback());
    assert_eq!(config.database.url.sqlite_path(), Some(Path::new("/srv/ardoise/ardoise.db")));
    assert_eq!(config.keys_file, Path::new("/srv/ardoise/ardoise.keys"));
    assert!(!config.scep.allow_legacy && !config.takeover_enabled);
    assert_eq!(config.scep.challenge_lifetime, Duration::from_secs(86_400));
    assert_eq!(config.enrolment.minimum_os, None);
    assert_eq!(config.apns.endpoint, outbound::ApnsEndpoint::Production);
    assert_eq!(config.log.format, LogFormat::Text);
}

#[test]
fn every_example_is_a_good_value_and_every_default_too() {
    let together = [
        ("tablets.tls.certificate", "tablets.tls.key=/k"),
        ("tablets.tls.key", "tablets.tls.certificate=/c"),
        ("people.tls.certificate", "people.tls.key=/k"),
        ("people.tls.key", "people.tls.certificate=/c"),
        ("tablets.plain_http", "tablets.trusted_proxies=192.0.2.10"),
        ("apns.trust", "apns.endpoint=https://127.0.0.1:2197"),
        ("apns.trust", "egress.allow=127.0.0.1:2197"),
        ("mail.host", "egress.allow=smtp.example.org:587"),
        ("mail.host", "mail.from=Ardoise <tablettes@example.org>"),
        ("mail.host", "mail.returns_to=retours@example.org"),
    ];
    for key in KEYS {
        for value in [key.example, key.default].into_iter().filter(|value| !value.is_empty()) {
            let mut sources = sources(MINIMAL);
            sources.flags.push(format!("{}={value}", key.name));
            if value == key.example {
                let needed = together.iter().filter(|(name, _other)| *name == key.name);
                sources.flags.extend(needed.map(|(_name, other)| (*other).to_owned()));
            }
            if let Err(error) = Config::load(&sources) {
                panic!("{} = {value}: {error}", key.name);
            }
        }
    }
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let mut sources = sources(&format!("{MINIMAL}listen = \"0.0.0.0:1\"\n"));
    let listen = |sources: &Sources| Config::load(sources).unwrap().tablets.listen.port();
    assert_eq!(listen(&sources), 1);
    sources.environment.push(("ARDOISE_TABLETS_LISTEN".to_owned(), "0.0.0.0:2".to_owned()));
    assert_eq!(listen(&sources), 2);
    sources.flags.push("tablets.listen=0.0.0.0:3".to_owned());
    assert_eq!(listen(&sources), 3);
    sources.flags.push("tablets.listen=0.0.0.0:4".to_owned());
    assert_eq!(listen(&sources), 4);
}

#[test]
fn every_key_can_be_said_in_the_environment() {
    for key in KEYS {
        let mut sources = sources("");
        sources.environment.push((key.variable(), "what?".to_owned()));
        sources.environment.push(("ARDOISE_TOKEN".to_owned(), "not a setting".to_owned()));
        let given = super::source::gather(&sources, &mut Vec::new()).unwrap();
        assert_eq!(given[key.name].members, ["what?"], "{}", key.name);
        assert_eq!(given[key.name].origin, Origin::Environment { variable: key.variable() });
        assert_eq!(given.len(), 1);
    }
}

#[test]
fn lists_are_arrays_in_the_file_and_separated_by_commas_elsewhere() {
    let file = load_with("trusted_proxies = [\"192.0.2.1\", \"::ffff:192.0.2.2\"]\n").unwrap();
    assert_eq!(
        file.tablets.trusted_proxies,
        ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse::<std::net::IpAddr>().unwrap())
    );
    let mut flags = sources(MINIMAL);
    flags.flags.push("tablets.trusted_proxies=192.0.2.1, 2001:db8::1".to_owned());
    let proxies = Config::load(&flags).unwrap().tablets.trusted_proxies;
    assert_eq!(proxies, ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse::<std::net::IpAddr>().unwrap()));
}

/// Each mistake, and the words its answer must hold.
#[test]
fn a_mistake_is_answered_with_its_place_and_what_to_write() {
    let table: &[(&str, &[&str])] = &[
        // The file itself.
        (
            "listn = \"0.0.0.0:1\"",
            &["`tablets.listn`", "line 3", "no such key", "did you mean `tablets.listen`?"],
        ),
        ("[tabletz]\nlisten = \"x\"", &["`tabletz`", "line 3", "no such key", "config explain"]),
        ("[tls]\n", &["`tls`", "line 3", "no such key"]),
        ("tls = \"x\"", &["`tablets.tls`", "line 3", "no such key"]),
        ("listen = ", &["ardoise.toml line 3", "not TOML"]),
        ("listen = \"0.0.0.0:1\"\nlisten = \"0.0.0.0:2\"", &["line 4", "not TOML", "duplicate"]),
        (
            "listen = 8443",
            &["`tablets.listen`", "line 3", "expected a string, not a TOML integer", "0.0.0.0:443"],
        ),
        ("plain_http = \"true\"", &["expected true or false, not a TOML string", "plain_http = true"]),
        (
            "trusted_proxies = \"192.0.2.1\"",
            &["expected a list of strings", "trusted_proxies = [\"192.0.2.10\"]"],
        ),
        ("trusted_proxies = [1]", &["expected a list of strings"]),
        ("[limits]\nconnections = 0x100", &["expected a whole number"]),
        ("[limits]\nconnections = 2.5", &["expected a whole number, not a TOML float"]),
        // Values.
        (
            "listen = \"mdm.example.org:443\"",
            &["`mdm.example.org:443`", "line 3", "a numeric address and a port"],
        ),
        ("trusted_proxies = [\"192.0.2.1\", \"10.0.0.0/8\"]", &["= `10.0.0.0/8`", "one numeric address"]),
        ("trusted_proxies = [\"0.0.0.0\"]", &["not the address of a machine"]),
        ("trusted_proxies = [\"::ffff:0.0.0.0\"]", &["not the address of a machine"]),
        ("[scep]\nchallenge_hours = 0", &["scep.challenge_hours", "= `0`", "from 1 to 720", "line 4"]),
        ("[scep]\nchallenge_hours = 721", &["from 1 to 720"]),
        ("[scep]\nchallenge_hours = -1", &["from 1 to 720"]),
        ("[limits]\nconnections = 99999999999999999999", &["limits.connections"]),
        ("[enrolment]\nminimum_os = \"iPadOS 17\"", &["17.0 or 17.6.1"]),
        ("[enrolment]\norganisation_name = \"a\\nb\"", &["64 printable characters"]),
        ("[log]\nformat = \"xml\"", &["`text` or `json`"]),
        ("[log]\nfilter = \"checkin=loudest\"", &["log.filter", "info,checkin=debug"]),
        ("[egress]\nallow = [\"*.example.org:443\"]", &["egress.allow", "without wildcard"]),
        (
            "[apns]\nendpoint = \"http://127.0.0.1:1\"",
            &["apns.endpoint", "`production`, `sandbox` or an https"],
        ),
        // Contradictions.
        ("plain_http = true", &["tablets.plain_http", "tablets.trusted_proxies"]),
        (
            "tls.certificate = \"/c\"",
            &["tablets.tls.certificate", "private key is missing", "tablets.tls.key"],
        ),
        ("tls.key = \"/k\"", &["tablets.tls.key", "no certificate"]),
        (
            "plain_http = true\ntrusted_proxies = [\"192.0.2.1\"]\ntls.certificate = \"/c\"\ntls.key = \"/k\"",
            &["tablets.plain_http", "contradicts"],
        ),
        (
            "[people]\nlisten = \"0.0.0.0:80\"\nplain_http = true",
            &["people.plain_http", "in clear", "127.0.0.1"],
        ),
        ("[people]\nlisten = \"0.0.0.0:8443\"", &["people.listen", "tablets' door"]),
        (
            "[apns]\nendpoint = \"https://127.0.0.1:2197\"",
            &["apns.endpoint", "add `127.0.0.1:2197` to `egress.allow`"],
        ),
        ("[apns]\ntrust = \"/t.pem\"", &["apns.trust", "public authorities only"]),
    ];
    for (lines, words) in table {
        let error = load_with(&format!("{lines}\n")).expect_err(lines);
        let message = error.to_string();
        for word in *words {
            assert!(message.contains(word), "{lines}\n  should say: {word}\n  says: {message}");
        }
        assert_eq!(error.problems().len(), 1, "{lines}: {message}");
    }
}

#[test]
fn a_public_address_is_https_and_nothing_after_the_port() {
    for (url, word) in [
        ("http://mdm.example.org", "https://"),
        ("http://localhost", "https://"),
        ("ftp://mdm.example.org", "https://"),
        ("mdm.example.org", "not a web address"),
        ("https://mdm.example.org/mdm", "without a path"),
        ("https://mdm.example.org/?x=1", "without a path"),
        ("https://user:pw@mdm.example.org", "no user name"),
        ("https://", "not a web address"),
    ] {
        let message = load(&format!("[tablets]\npublic_url = \"{url}\"\n")).unwrap_err().to_string();
        assert!(message.contains(word), "{url}: {message}");
    }
    assert!(load("[tablets]\npublic_url = \"https://[::1]:8443\"\n").is_ok());
}

#[test]
fn people_may_use_plain_http_on_this_machine_only() {
    let local = "[people]\nlisten = \"127.0.0.1:9080\"\nplain_http = true\npublic_url = ";
    let config = load_with(&format!("{local}\"http://localhost:9080\"\n")).unwrap();
    assert_eq!(config.people.tls, DoorTls::PlainHttp);
    assert!(load_with(&format!("{local}\"https://ardoise.example.org\"\n")).is_ok());
    assert!(load_with(&format!("{local}\"http://ardoise.example.org\"\n")).is_err());
}

#[test]
fn m3_no_configuration_moves_the_floor_and_the_ceiling_of_an_erasures_wait() {
    let day = types::Duration::from_secs(86_400);
    assert_eq!(load(MINIMAL).unwrap().erasures, fleet::EraseTerms::default());
    let of = |notice: u32, order: u32| {
        load_with(&format!("[lending]\nnotice_days = {notice}\norder_days = {order}\n"))
    };
    for (notice, order) in [(1, 1), (21, 45), (60, 90)] {
        assert_eq!(of(notice, order).unwrap().erasures.notice(), day * notice);
    }
    for (notice, order) in [(0, 30), (61, 30), (14, 0), (14, 91)] {
        assert!(of(notice, order).is_err(), "{notice} {order}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let error =
        load("[tablets]\nlisten = \"x\"\n[scep]\nchallenge_hours = 0\n[nothing]\na = 1\n").unwrap_err();
    let subjects: Vec<_> = error.problems().iter().map(|problem| problem.subject.as_str()).collect();
    assert_eq!(subjects, ["nothing", "tablets.listen", "tablets.public_url", "scep.challenge_hours"]);
    assert!(error.to_string().contains("4 mistakes"), "{error}");
}

#[test]
fn a_misspelt_variable_or_flag_is_not_passed_over() {
    let mut misspelt = sources(MINIMAL);
    misspelt.environment.push(("ARDOISE_TABLETS_LISTN".to_owned(), "0.0.0.0:1".to_owned()));
    misspelt.flags.extend(["tablets.lisen=1".to_owned(), "tablets.listen".to_owned()]);
    let message = Config::load(&misspelt).unwrap_err().to_string();
    for word in
        ["3 mistakes", "ARDOISE_TABLETS_LISTEN`?", "did you mean `tablets.listen`?", "there is no value"]
    {
        assert!(message.contains(word), "{message}");
    }
    let mut others = sources(MINIMAL);
    others.environment.extend(
        [("ARDOISE_TOKEN", "x"), ("ARDOISE_TEST_POSTGRESQL", "x"), ("PATH", "/bin"), ("TABLETS_LISTEN", "x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert!(Config::load(&others).is_ok());
}

#[test]
fn t_c6_a_database_that_others_can_reach_is_not_opened_by_a_default_password() {
    for url in [
        "postgresql://ardoise:changeme@db.example.org/ardoise",
        "postgresql://ardoise:Postgres@10.0.0.7:5432/ardoise",
        "postgresql://ardoise@db.example.org/ardoise?password=secret",
    ] {
        let message = load_with(&format!("[database]\nurl = \"{url}\"\n")).unwrap_err().to_string();
        assert!(message.contains("everybody tries first"), "{message}");
        assert!(!message.contains(url), "{message}");
    }
    for url in [
        "postgresql://ardoise:bai4Aeg2ahsh@db.example.org/ardoise",
        "postgresql://postgres:postgres@127.0.0.1:5432/test",
        "postgresql:///ardoise?host=/run/postgresql",
    ] {
        assert!(load_with(&format!("[database]\nurl = \"{url}\"\n")).is_ok(), "{url}");
    }
}

#[test]
fn t_c11_a_password_in_the_database_address_is_never_shown() {
    let config = load_with("[database]\nurl = \"postgresql://a:planted-secret@db/x\"\n").unwrap();
    let shown = format!("{config:?} {:?}", config.settings());
    assert!(!shown.contains("planted-secret") && shown.contains("[hidden]"), "{shown}");
    let mut said = sources(MINIMAL);
    said.flags = vec![
        "database.url=mysql://a:planted-secret@db/x".to_owned(),
        "database.url postgresql://a:planted-secret@db/x".to_owned(),
        "databse.url=postgresql://a:planted-secret@db/x".to_owned(),
    ];
    said.environment = vec![("ARDOISE_DATABASE_URI".to_owned(), "planted-secret".to_owned())];
    let shown = format!("{said:?} {}", Config::load(&said).unwrap_err());
    assert!(shown.contains("4 mistakes") && !shown.contains("planted-secret"), "{shown}");
    let message = load_with("[database]\nurl = \"mysql://a:planted-secret@db/x\"\n").unwrap_err().to_string();
    assert!(message.contains("database.url") && !message.contains("planted-secret"), "{message}");
}

#[test]
fn a_stand_in_is_reached_only_when_it_is_listed() {
    let stand_in = "[apns]\nendpoint = \"https://127.0.0.1:2197\"\ntrust = \"stand-in.pem\"\n";
    let config = load_with(&format!("{stand_in}[egress]\nallow = [\"127.0.0.1:2197\"]\n")).unwrap();
    assert_eq!(config.apns.trust.as_deref(), Some(Path::new("/srv/ardoise/stand-in.pem")));
    let egress = config.egress();
    assert!(egress.admit(&"https://127.0.0.1:2197/".parse().unwrap()).is_ok());
    assert!(egress.admit(&"https://api.push.apple.com/".parse().unwrap()).is_ok());
    assert!(egress.admit(&"https://127.0.0.1:2198/".parse().unwrap()).is_err());
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let mut said = sources(MINIMAL);
    said.flags.push("log.format=json".to_owned());
    let config = Config::load(&said).unwrap();
    let shown: Vec<_> =
        config.settings().iter().map(|s| format!("{} {} {}", s.key.name, s.value, s.origin)).collect();
    assert_eq!(shown.len(), KEYS.len());
    for line in [
        "tablets.public_url https://mdm.example.org ardoise.toml line 2",
        "log.format json --set",
        "log.filter info default",
        "database.url sqlite:ardoise.db default",
    ] {
        assert!(shown.iter().any(|shown| shown == line), "{line} not in {shown:#?}");
    }
}

#[test]
fn the_file_of_init_is_read_back_with_its_values() {
    let text = template(&[
        ("tablets.public_url", "https://mdm.example.org"),
        ("enrolment.organisation_name", "Département « Exemple » \"76\""),
        ("tablets.trusted_proxies", "192.0.2.1, 192.0.2.2"),
        ("scep.challenge_hours", "48"),
    ]);
    let config = load(&text).unwrap();
    assert_eq!(config.enrolment.organisation_name, "Département « Exemple » \"76\"");
    assert_eq!(config.tablets.trusted_proxies.len(), 2);
    assert_eq!(config.scep.challenge_lifetime, Duration::from_secs(48 * 3_600));
    for key in KEYS {
        assert!(text.contains(key.written("").split(" =").next().unwrap()), "{} is missing", key.name);
    }
}

#[test]
fn the_commented_lines_of_the_file_of_init_are_good_toml_too() {
    let uncommented: String = template(&[])
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(toml::from_str::<toml::Table>(&uncommented).is_ok(), "{uncommented}");
    // All examples at once contradict each other; none may be unknown or of a wrong shape.
    let message = load(&uncommented).unwrap_err().to_string();
    assert!(!message.contains("no such key") && !message.contains("TOML"), "{message}");
}

#[test]
fn a_home_folder_without_a_file_has_defaults_and_flags() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["tablets.public_url=https://127.0.0.1:8443".to_owned()];
    let config = Config::load(&Sources::read(home.path(), [], flags).unwrap()).unwrap();
    assert_eq!(config.home, home.path());
    std::fs::write(home.path().join(FILE_NAME), [0xff, 0xfe]).unwrap();
    let message = Sources::read(home.path(), [], []).unwrap_err().to_string();
    assert!(message.contains("UTF-8"), "{message}");
}

proptest::proptest! {
    #[test]
    fn no_text_brings_the_reader_down(
        section in "(tablets|limits|egress|log|x)?",
        lines in proptest::collection::vec("([a-z_.\"\\[\\]]{0,12} ?= ?)?[ -~é]{0,20}", 0..4),
        flag in "[a-z._=]{0,20}.{0,10}",
    ) {
        let mut any = sources(&format!("[{section}]\n{}\n", lines.join("\n")));
        any.flags.push(flag);
        if let Err(error) = Config::load(&any) {
            proptest::prop_assert!(!error.problems().is_empty());
            proptest::prop_assert!(error.problems().iter().all(|problem| !problem.next.is_empty()));
        }
    }
}
