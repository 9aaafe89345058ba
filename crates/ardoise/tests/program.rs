//! The program as it is typed: exit codes, what is printed where, and what a home folder goes through.
//!
//! Long because each story and each stage of a home folder is typed here once, as people type it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "these are tests"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Someone at a terminal, in a folder of their own, with nothing of ours in the environment.
struct Person {
    folder: TempDir,
}

impl Person {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ardoise"));
        for (name, _value) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ARDOISE_") {
                command.env_remove(name);
            }
        }
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).env_remove("XDG_CONFIG_HOME").stdin(Stdio::null());
        command
    }

    fn types(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command prints, which must succeed.
    fn reads(&self, line: &str) -> Value {
        let output = self.types(line);
        assert!(output.status.success(), "{line}: {}", errors(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// What a command says when it is refused, with its exit code.
    fn is_refused(&self, line: &str) -> (i32, String) {
        let output = self.types(line);
        assert!(!output.status.success(), "{line} was not refused");
        (output.status.code().unwrap(), errors(&output))
    }
}

impl Person {
    /// Uses the invitation in the file `invitation`, signs in with a second factor, and leaves a token in `token`.
    fn comes_in(&self, server: &str) {
        fs::write(self.path("password"), "quatre tortues lisent dehors").unwrap();
        fs::set_permissions(self.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
        let joined =
            self.reads(&format!("join --invitation-file invitation --password-file password {server}"));
        assert_eq!(joined["login"], "admin");
        let begun = self.reads(&format!("login admin --password-file password {server}"));
        assert_eq!((&begun["has_second_factor"], begun.get("session")), (&false.into(), None));
        let proposed = self.reads(&format!("second-factor propose {server}"));
        let secret = proposed["secret"].as_str().unwrap();
        self.keeps("secret", secret);
        let code = shown_code(secret, 0);
        self.reads(&format!("second-factor confirm --secret-file secret --new-code {code} {server}"));
        let given = self.reads(&format!("token create tests --scope operate {server}"));
        self.keeps("token", given["token"].as_str().unwrap());
    }

    /// A file that nobody else reads.
    fn keeps(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The code that an authenticator shows in so many seconds.
fn shown_code(secret: &str, ahead: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret.as_bytes()).build().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    totp.generate(now.as_secs() + ahead).to_string()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A server that runs until it is dropped or stopped.
struct Serving {
    child: Child,
    people_url: String,
}

impl Serving {
    fn start(person: &Person) -> Self {
        let line = "serve --set tablets.listen=127.0.0.1:0 --set people.listen=127.0.0.1:0 \
                    --set people.public_url=https://localhost:0 --set log.format=json";
        let mut child = person.command(line).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines();
        let people_url = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|event| event["message"] == "serving")
            .and_then(|event| event.get("people")?.as_str().map(str::to_owned))
            .expect("the server says where it serves");
        // The pipe is read to its end, so that the server never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, people_url }
    }

    fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn first_day_ends_with_one_line_of_json_and_tells_the_rest_on_standard_error() {
    let person = Person::new();
    let output = person.types("demo first-day --tablets 3 --json");
    assert!(output.status.success(), "{}", errors(&output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.starts_with(r#"{"story":"first-day","ok":true,"checks":"#), "{printed}");
    let verdict: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&verdict["tablets"], &verdict["enrolled"]), (&3.into(), &3.into()));
    // Three questions at enrolment (no list of apps: no DPO has validated that), two of the story; and at least the profile,
    // the declarations and the settings of the base.
    assert!(verdict["acknowledged"].as_u64() >= Some(3 * (3 + 2 + 3)), "{verdict}");
    let told = errors(&output);
    let checks = told.lines().filter(|line| line.contains("expected") && line.contains("seen")).count();
    assert_eq!(verdict["checks"], checks);
}

#[test]
fn stories_on_postgresql_end_as_told_and_leave_nothing_there() {
    let person = Person::new();
    let server = testkit::postgres::server_url().unwrap();
    let databases = || {
        let list = ["--no-psqlrc", "--tuples-only", "--no-align", "--command"];
        let query = "SELECT datname FROM pg_database WHERE datname LIKE 'ardoise_demo_%'";
        let output = Command::new("psql").args(list).arg(query).arg(server).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let output = person.types(&format!("demo first-day --tablets 2 --json --database {server}"));
    assert!(output.status.success(), "{}", errors(&output));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["enrolled"], 2);
    let output = person.types(&format!("demo brake --tablets 60 --json --database {server}"));
    assert!(output.status.success(), "{}", errors(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with(BRAKE_HELD), "{printed}");
    let output = person.types(&format!("demo morning --tablets 60 --json --database {server}"));
    a_morning_like_any(&output, 60);
    let output = person.types(&format!("demo two-keys --tablets 4 --json --database {server}"));
    two_keys_turned(&output, 4);
    let output = person.types(&format!("demo stolen-tablet --json --database {server}"));
    a_stolen_tablet_is_found_and_forgotten(&output);
    assert_eq!(databases().trim(), "");
}

#[test]
fn c3_1_1_two_keys_ends_as_told() {
    two_keys_turned(&Person::new().types("demo two-keys --tablets 5 --json"), 5);
}

#[test]
fn two_keys_waits_for_the_last_wave_though_an_earlier_one_was_everyone() {
    two_keys_turned(&Person::new().types("demo two-keys --tablets 1 --json"), 1);
}

/// The story of two keys was told, with all its checks, of so many tablets.
fn two_keys_turned(output: &Output, tablets: u64) {
    assert!(output.status.success(), "{}", errors(output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(printed.starts_with(r#"{"story":"two-keys","ok":true,"checks":"#), "{printed}");
    let verdict: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&verdict["tablets"], &verdict["delivered"]), (&tablets.into(), &tablets.into()));
    assert_eq!((&verdict["waves"], &verdict["alarms"]), (&3.into(), &1.into()));
    let told = errors(output);
    let checks = told.lines().filter(|line| line.contains("expected") && line.contains("seen")).count();
    assert_eq!(verdict["checks"], checks);
}

/// Every tablet got what waited for it, and nobody was told what they should not be.
fn a_morning_like_any(output: &Output, tablets: u64) {
    assert!(output.status.success(), "{}", errors(output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(printed.starts_with(r#"{"story":"morning","ok":true,"checks":"#), "{printed}");
    let verdict: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&verdict["tablets"], &verdict["errors"]), (&tablets.into(), &0.into()));
    // To ask, and to report; some came twice.
    assert!(verdict["connects"].as_u64().unwrap() >= 2 * tablets, "{printed}");
    assert!(
        verdict["pushes"].as_u64().unwrap() > 0 && verdict["memory_mb"].as_u64().unwrap() > 0,
        "{printed}"
    );
}

#[test]
fn a_morning_gives_every_tablet_what_waits_for_it() {
    a_morning_like_any(&Person::new().types("demo morning --tablets 60 --json"), 60);
}

/// It was located as often as the warrant said, and nothing shows any more where it was.
fn a_stolen_tablet_is_found_and_forgotten(output: &Output) {
    assert!(output.status.success(), "{}", errors(output));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let told = r#"{"story":"stolen-tablet","ok":true,"positions_readable":0,"positions":4,"requests":4,"refused":0,"looks":1,"#;
    assert!(printed.starts_with(told), "{printed}");
    assert!(!format!("{printed}{}", errors(output)).contains("48.85"), "and the story tells nobody, either");
}

#[test]
fn m2_a_stolen_tablet_is_located_under_a_warrant_and_where_it_was_is_forgotten() {
    a_stolen_tablet_is_found_and_forgotten(&Person::new().types("demo stolen-tablet --json"));
}

/// The last line of the brake begins with what it promises.
const BRAKE_HELD: &str = r#"{"story":"brake","ok":true,"rightly":1,"erased":0,"unenrolled":0,"#;

#[test]
fn t_c14_the_brake_holds_after_one_tablet_has_left_rightly() {
    let output = Person::new().types("demo brake --tablets 60 --json");
    assert!(output.status.success(), "{}", errors(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with(BRAKE_HELD), "{printed}");
}

/// The last line of the year of loans begins with what it promises.
const BY_ORDER_ALONE: &str =
    r#"{"story":"loan-year","ok":true,"erased":3,"erased_without_order":0,"proven":4,"#;

#[test]
fn m3_in_a_year_of_loans_no_tablet_is_erased_without_an_order() {
    let output = Person::new().types("demo loan-year --json");
    assert!(output.status.success(), "{}", errors(&output));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with(BY_ORDER_ALONE), "{printed}");
}

#[test]
fn a_story_that_takes_too_long_fails_and_still_ends_with_its_line() {
    let output = Person::new().types("demo first-day --tablets 400 --for 1s --json");
    assert_eq!(output.status.code(), Some(1));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["ok"], false);
    assert!(verdict["problem"].as_str().unwrap().contains("longer than 1 s"), "{verdict}");
}

#[test]
fn a_home_is_made_served_backed_up_and_restored() {
    let person = Person::new();
    let made = person.reads("init --tablets-url https://localhost:18443 --invitation-file invitation --json");
    assert_eq!((&made["new_authority"], &made["invitation"]), (&true.into(), &Value::Null));
    for name in
        ["invitation", "ardoise-home/ardoise.toml", "ardoise-home/ardoise.keys", "ardoise-home/ardoise.db"]
    {
        assert_eq!(mode(&person.path(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&person.path("ardoise-home")), 0o700);

    let serving = Serving::start(&person);
    let server = format!("--server {} --trust ardoise-home/authority.pem --json", serving.people_url);
    person.comes_in(&server);
    let (code, words) =
        person.is_refused(&format!("join --invitation-file invitation --password-file password {server}"));
    assert_eq!((code, words.contains("not valid")), (1, true), "an invitation is used once: {words}");
    let over_api = format!("{server} --token-file token");
    fs::write(person.path("tablets.csv"), "serial,platform,uai\nDMPXK1ABCD12,ipad,0761234A\n").unwrap();
    let imported = person.reads(&format!("inventory import tablets.csv {over_api}"));
    assert_eq!(imported["created"], 1);
    assert_eq!(
        person.reads("backup copy.db --json")["bytes"].as_u64(),
        Some(fs::metadata(person.path("copy.db")).unwrap().len())
    );
    assert_eq!(mode(&person.path("copy.db")), 0o600);
    fs::write(person.path("more.csv"), "serial,platform,uai\nDMPXK1ABCD13,ipad,0761234A\n").unwrap();
    person.reads(&format!("inventory import more.csv {over_api}"));

    for form in ["--csv", "--html"] {
        let (_code, words) = person.is_refused(&format!("loan year {form} --year 1999-2000 {over_api}"));
        assert!(words.contains("not-found") && words.contains("1999-2000"), "{words}");
    }
    let (code, words) = person.is_refused(&format!("tablet show NOSUCHTABLET {over_api}"));
    let problem: Value = serde_json::from_str(&words).unwrap();
    assert_eq!((code, &problem["code"], &problem["status"]), (1, &"not-found".into(), &404.into()));
    assert_eq!(serving.stop(), 0);

    assert_eq!(person.is_refused("restore copy.db").0, 1, "a database that is there is not overwritten");
    for name in ["ardoise.db", "ardoise.db-wal", "ardoise.db-shm"] {
        let _absent = fs::remove_file(person.path("ardoise-home").join(name));
    }
    assert_eq!(person.reads("restore copy.db --json")["void"]["commands"], 0);
    let serving = Serving::start(&person);
    let server = format!("--server {} --trust ardoise-home/authority.pem --json", serving.people_url);
    let (_code, words) = person.is_refused(&format!("inventory list {server} --token-file token"));
    assert!(words.contains("not-authenticated"), "what was open may have been closed since: {words}");
    // The code of a moment ago was used; the next one is accepted already.
    let code = shown_code(&fs::read_to_string(person.path("secret")).unwrap(), 30);
    person.reads(&format!("login admin --password-file password --code {code} {server}"));
    let over_api = server;
    let tablets = person.reads(&format!("inventory list {over_api}"));
    assert_eq!(tablets.as_array().map(Vec::len), Some(1), "what came after the backup is gone: {tablets}");
}

#[test]
fn t_c20_the_log_is_verified_on_the_machine_itself_without_a_server() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let account = person.reads("audit verify --on-this-machine --home ardoise-home --json");
    assert_eq!(account["whole"], true, "{account}");
    assert!(account["entries"].as_u64().unwrap() > 0, "{account}");
    assert_eq!(account["unsealed"], account["entries"], "nothing served yet, so nothing sealed: {account}");
    assert_eq!(account["tail"]["first"], 1, "{account}");
    let line =
        format!("audit verify --on-this-machine --home ardoise-home --json --against 7:{}", "0".repeat(64));
    let output = person.types(&line);
    assert_eq!(output.status.code(), Some(1));
    let account: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(account["findings"][0]["code"], "anchor-missing", "{account}");
    assert!(errors(&output).contains("not whole"), "{}", errors(&output));
    let (code, _words) = person.is_refused("audit verify --on-this-machine --against 7");
    assert_eq!(code, 2);
    // An export that was cut short, and one that is none.
    fs::write(person.path("log.jsonl"), "{\"format\":\"ardoise audit log 1\",\"exported_at\":\"x\"}\n")
        .unwrap();
    let (code, words) = person.is_refused("audit verify --file log.jsonl");
    assert!(code == 1 && words.contains("cut short"), "{words}");
    fs::write(person.path("log.jsonl"), "serial,uai\n").unwrap();
    assert!(person.is_refused("audit verify --file log.jsonl").1.contains("line 1"));
}

#[test]
fn init_may_be_repeated_and_overwrites_nothing() {
    let person = Person::new();
    let first = person.reads("init --tablets-url https://mdm.example.org --json");
    assert!(first["invitation"].as_str().unwrap().starts_with("ardoise_invitation_"));
    let files = ["ardoise.toml", "ardoise.keys", "authority.pem"];
    let read = || files.map(|name| fs::read(person.path("ardoise-home").join(name)).unwrap());
    let before = read();
    let again = person.reads("init --json");
    assert_eq!(
        (&again["new_authority"], &again["invitation"], &again["migrations"]),
        (&false.into(), &Value::Null, &0.into())
    );
    assert!(read() == before);
    let (code, words) = person.is_refused("init --organisation Other");
    assert_eq!((code, words.contains("by hand")), (2, true), "{words}");
}

#[test]
fn c3_1_7_whoever_is_at_the_machine_invites_another_first_account_of_the_departement() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let invite = "account invite second Second --on-this-machine --json";
    let invited = person.reads(invite);
    assert!(invited["invitation"].as_str().unwrap().starts_with("ardoise_invitation_"), "{invited}");
    let (_code, words) = person.is_refused(invite);
    assert!(words.contains("this login is taken"), "{words}");
    let (code, words) = person.is_refused("account invite x X --on-this-machine");
    assert_eq!((code, words.contains("3 to 64 of a-z")), (2, true), "{words}");
}

#[test]
fn t_c6_no_two_homes_share_a_secret() {
    let secrets = || {
        let person = Person::new();
        let made = person.reads("init --tablets-url https://mdm.example.org --json");
        let keys = fs::read_to_string(person.path("ardoise-home/ardoise.keys")).unwrap();
        let key = keys.lines().find(|line| !line.starts_with('#') && line.contains(':')).unwrap();
        let authority = fs::read_to_string(person.path("ardoise-home/authority.pem")).unwrap();
        [
            made["invitation"].as_str().unwrap().to_owned(),
            key.split_once(':').unwrap().1.to_owned(),
            authority,
        ]
    };
    let (one, other) = (secrets(), secrets());
    for (this, that) in one.iter().zip(&other) {
        assert!(this.len() > 40, "{this}");
        assert_ne!(this, that);
    }
}

#[test]
fn init_on_postgresql_serves_with_a_role_that_owns_nothing() {
    let person = Person::new();
    let database = testkit::postgres::TestDatabase::create().unwrap();
    let role = database.serving_role().unwrap();
    let line = format!("init --tablets-url https://mdm.example.org --database {} --json", role.url);

    let (code, words) = person.is_refused(&line);
    assert_eq!((code, words.contains("ardoise migrate")), (1, true), "{words}");
    let output = person.command("init --json").env("ARDOISE_OWNER_URL", database.url()).output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["new_authority"], true);
    let secret = role.url.split_once("serves:").unwrap().1.split_once('@').unwrap().0;
    assert!(!made.to_string().contains(secret), "a password is shown: {made}");
    assert_eq!(Serving::start(&person).stop(), 0);

    let output = person.command("migrate --json").env("ARDOISE_OWNER_URL", &role.url).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the serving role is not the owner");
}

#[test]
fn an_authority_is_rotated_and_both_certificates_are_trusted() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let before = person.reads("authority show --json");
    let after = person.reads("authority rotate --json");
    let states = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (states(&before), states(&after)),
        (vec!["current".into()], vec!["current".into(), "previous".into()])
    );
    assert_eq!(before[0]["sha256"], after[1]["sha256"]);
    let pem = fs::read_to_string(person.path("ardoise-home/authority.pem")).unwrap();
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn what_cannot_be_understood_exits_with_2_and_says_what_to_type() {
    let person = Person::new();
    for (line, words) in [
        ("serve", "ardoise init"),
        ("init", "--tablets-url"),
        ("status", "--server"),
        ("status --server https://localhost:1", "ARDOISE_TOKEN"),
        ("config explain tablets.liste", "ardoise config explain"),
        ("demo first-day --database mysql://x", "postgresql://"),
        ("nonsense", "--help"),
    ] {
        let (code, told) = person.is_refused(line);
        assert_eq!((code, told.contains(words)), (2, true), "{line}: {told}");
    }
}

#[test]
fn a_configuration_with_a_mistake_is_never_written() {
    let person = Person::new();
    let (code, words) = person.is_refused("init --tablets-url http://mdm.example.org");
    assert_eq!((code, words.contains("https://")), (1, true), "{words}");
    assert!(!person.path("ardoise-home").exists());
}

#[test]
fn a_key_is_rotated_step_by_step_and_leaves_only_when_it_seals_nothing() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let rows = |line: &str| -> Vec<(String, String, u64)> {
        let cell = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = person.reads(line);
        let rows = rows.as_array().unwrap();
        rows.iter()
            .map(|row| (cell(row, "key"), cell(row, "place"), row["values"].as_u64().unwrap()))
            .collect()
    };
    let row = |key: &str, place: &str, values| (key.to_owned(), place.to_owned(), values);
    assert_eq!(rows("key list --json"), [row("k1", "current", 1)], "the key of the authority");
    for (line, words) in [("key remove k1", "the key in use"), ("key remove k9", "no key `k9`")] {
        let (code, told) = person.is_refused(line);
        assert_eq!((code, told.contains(words)), (2, true), "{line}: {told}");
    }

    // First below, for servers that share the file; then one on top.
    assert_eq!(rows("key add --below --json"), [row("k1", "current", 1), row("k2", "older", 0)]);
    assert_eq!(rows("key add --json")[..2], [row("k3", "current", 0), row("k1", "older", 1)]);
    let file = person.path("ardoise-home/ardoise.keys");
    assert_eq!(mode(&file), 0o600);
    assert!(
        fs::read_to_string(&file).unwrap().starts_with("# "),
        "what is written about the file stays on top"
    );
    let (code, told) = person.is_refused("key remove k1");
    assert_eq!((code, told.contains("ardoise key reseal")), (1, true), "{told}");

    assert_eq!(rows("key reseal --json")[..2], [row("k3", "current", 1), row("k1", "older", 0)]);
    assert_eq!(rows("key remove k1 --json"), [row("k3", "current", 1), row("k2", "older", 0)]);
    assert_eq!(Serving::start(&person).stop(), 0, "the newer key opens what is sealed");
}

#[test]
fn t_c6_a_key_file_that_was_lost_is_not_replaced_by_another() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let file = person.path("ardoise-home/ardoise.keys");
    let kept = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    for line in ["init", "serve", "key list"] {
        let (code, told) = person.is_refused(line);
        assert_eq!(code, 1, "{line}: {told}");
        assert!(told.contains("ardoise.keys") && !file.exists(), "{line}: {told}");
    }
    assert!(person.is_refused("init").1.contains("put the copy back"));
    fs::write(&file, kept).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    person.reads("init --json");
}

#[test]
fn t_c24_a_database_that_came_back_by_other_means_is_made_safe_in_place() {
    let person = Person::new();
    person.reads("init --tablets-url https://mdm.example.org --json");
    let restored = person.reads("restore --in-place --json");
    assert_eq!((&restored["void"]["commands"], &restored["migrations"]), (&0.into(), &0.into()));
    for line in ["restore", "restore --in-place copy.db"] {
        assert_eq!(person.is_refused(line).0, 2, "{line}");
    }
    fs::write(person.path("copy.db"), "no backup").unwrap();
    fs::remove_file(person.path("ardoise-home/ardoise.db")).unwrap();
    // What the engine may keep beside it goes with it.
    for beside in ["ardoise.db-wal", "ardoise.db-shm"] {
        let gone = fs::remove_file(person.path("ardoise-home").join(beside));
        assert!(gone.is_ok() || gone.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound));
    }
    assert_eq!(person.is_refused("restore copy.db").0, 1);
    let left = fs::read_dir(person.path("ardoise-home")).unwrap();
    let left: Vec<String> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains(".db")), "{left:?}");
}

/// A template of the département's.
fn template(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles").join(name).display().to_string()
}

#[test]
fn the_templates_pass_lint_and_a_college_that_loosens_does_not() {
    let person = Person::new();
    let all: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles"))
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let report = person.reads(&format!("profile lint {} --json", all.join(" ")));
    assert_eq!((&report["ok"], &report["errors"], &report["advice"]), (&true.into(), &0.into(), &0.into()));

    let college = "layer = \"college\"\nuai = \"0761234A\"\ntitle = \"Jean-Moulin\"\npurpose = \"Ajouts.\"\n\
                   [restrictions]\nallowVPNCreation = true\n";
    fs::write(person.path("college.toml"), college).unwrap();
    let output = person.types(&format!("profile lint {} college.toml", template("socle.toml")));
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(told.contains("college.toml:5: error: restrictions: is decided by the département"), "{told}");
    assert!(told.contains("(C3.1.3)"), "{told}");
}

#[test]
fn a_rendered_profile_is_alone_on_standard_output_and_the_rest_is_said_beside_it() {
    let person = Person::new();
    let output = person
        .types(&format!("profile render {} --platform ipados --os 15.0 --unsigned", template("socle.toml")));
    assert!(output.status.success(), "{}", errors(&output));
    let profile = apple::profile::Profile::parse(&output.stdout).unwrap();
    assert_eq!(profile.removal_disallowed, Some(true));
    let said = errors(&output);
    assert!(said.contains("left out: app com.apple.Pages: done by the command InstallApplication"), "{said}");

    let document = person.reads(&format!("profile render {} --os 27.0 --json", template("socle.toml")));
    assert!(document["declarations"].as_array().unwrap().len() > 5);
    assert!(document["profile"].as_str().unwrap().starts_with("<?xml"));
    let agent = person
        .reads(&format!("profile render {} --platform android-agent --os 13 --json", template("socle.toml")));
    assert!(agent["configuration"]["restrictions"].as_str().unwrap().contains("no_factory_reset"));

    for (line, code, words) in [
        ("profile render socle.toml --os 14.8", 2, "15.0 is the oldest"),
        ("profile render socle.toml --os newest", 2, "is not a version"),
        ("profile render socle.toml --platform android-agent --unsupervised", 2, "--platform ipados"),
        ("profile render socle.toml --platform android-agent --unsigned", 2, "--platform ipados"),
        ("profile render no-such.toml", 1, "cannot be read"),
    ] {
        fs::copy(template("socle.toml"), person.path("socle.toml")).unwrap();
        let (found, told) = person.is_refused(line);
        assert_eq!(found, code, "{line}: {told}");
        assert!(told.contains(words), "{line}: {told}");
    }
    let (code, told) = person.is_refused(&format!("profile render {}", template("depot.toml")));
    assert_eq!(code, 1);
    assert!(told.contains("no base is among the layers"), "{told}");
}

#[test]
fn a_rendered_profile_is_signed_into_a_file_and_openssl_gives_the_same_property_list() {
    let person = Person::new();
    let line = format!("profile render {} --platform ipados --os 27.0", template("socle.toml"));
    let output = person.types(&line);
    assert!(output.status.success(), "{}", errors(&output));
    assert!(errors(&output).contains("which no tablet trusts"), "{}", errors(&output));
    fs::write(person.path("socle.mobileconfig"), &output.stdout).unwrap();
    let verified = std::process::Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-noverify", "-binary", "-in"])
        .arg(person.path("socle.mobileconfig"))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", errors(&verified));
    // What is printed is the list and a line's end.
    let unsigned = person.types(&format!("{line} --unsigned")).stdout;
    assert_eq!(unsigned.trim_ascii_end(), verified.stdout.trim_ascii_end());
    apple::profile::Profile::parse(&verified.stdout).unwrap();
}

#[test]
fn a_difference_is_told_in_words_in_either_language() {
    let person = Person::new();
    let line = format!("profile diff {} {}", template("socle.toml"), template("urgence.toml"));
    let english = String::from_utf8(person.types(&line).stdout).unwrap();
    assert!(english.contains("FaceTime: allowed (was forbidden) — looser"), "{english}");
    let french = String::from_utf8(person.types(&format!("{line} --language fr")).stdout).unwrap();
    assert!(french.contains("FaceTime : autorisé (était interdit) — moins strict"), "{french}");
    let same = format!("profile diff {} {}", template("socle.toml"), template("socle.toml"));
    assert_eq!(String::from_utf8(person.types(&same).stdout).unwrap(), "no difference\n");
    assert_eq!(person.reads(&format!("{same} --json"))["changes"], Value::Array(Vec::new()));
}
