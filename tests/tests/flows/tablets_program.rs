//! The program `tablets` against the real server: a fleet that moves in, one that enrols, one that lives.

use std::process::{Child, Command, Stdio};

use checkin::{Rate, RateLimits};
use serde_json::{Value, json};
use store::Engine;
use tempfile::TempDir;
use testkit::{Patience, TestServer, inventory_csv, wait_until};

use crate::support::{COLLEGE, on_both_engines, standing};

on_both_engines! {
    a_seeded_fleet_moves_in_and_stands_a_load,
    tablets_that_enrolled_by_link_stand_a_load_of_whole_command_cycles,
    tablets_that_are_asked_to_wait_enrol_all_the_same,
    tablets_that_live_are_woken_by_the_servers_pushes,
}

/// Someone at a terminal, with what an operator of the server would hand over.
struct Person {
    folder: TempDir,
}

impl Person {
    fn of(server: &TestServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("trust.pem"), server.trust_pem().unwrap()).unwrap();
        Self { folder }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(testkit::program("tablets", &["crates/tablets"]).unwrap());
        command
            .args(line.split_whitespace())
            .arg("--json")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Exit code, and the last document that a command prints.
    async fn sees(&self, line: &str) -> (i32, Value) {
        let mut command = self.command(line);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let document = printed.lines().last().map(serde_json::from_str);
        (output.status.code().unwrap(), document.unwrap_or_else(|| panic!("{line}: {told}")).unwrap())
    }

    /// The document of a command that must succeed.
    async fn reads(&self, line: &str) -> Value {
        let (code, document) = self.sees(line).await;
        assert_eq!(code, 0, "{line}: {document}");
        document
    }
}

async fn a_seeded_fleet_moves_in_and_stands_a_load(engine: Engine) {
    let setup = TestServer::setup(engine).flag("takeover.enabled=true").flag("takeover.paths=/former/mdm");
    let server = setup.start().await.unwrap();
    let person = Person::of(&server);
    let url = server.tablets_url().unwrap().join("/former/mdm").unwrap();
    let topic = server.push_service().topic();
    person.reads(&format!("seed fleet --tablets 12 --keys 2 --server-url {url} --topic {topic}")).await;

    server.import_inventory(&person.read("fleet/inventory.csv")).await.unwrap();
    let line = "bench idle fleet --trust trust.pem --requests 36 --warm-up 0 --turn 1 --connections 4";
    let refused = tokio::task::spawn_blocking({
        let mut command = person.command(line);
        move || command.output().unwrap()
    });
    assert_eq!(refused.await.unwrap().status.code(), Some(1), "nobody let them in yet");

    let handover = json!({ "authority_pem": person.read("fleet/authority.pem"), "tablets": person.read("fleet/takeover.csv") });
    let imported =
        server.stepped_up().await.unwrap().post("/api/v1/takeovers", &handover).await.unwrap().ok().unwrap();
    assert_eq!((&imported["tablets"], &imported["new_authority"]), (&12.into(), &true.into()));

    let found = person.reads(line).await;
    assert_eq!((&found["auth"], &found["tls"]), (&"mtls".into(), &"TLSv1.3".into()));
    assert_eq!(
        (&found["requests"], &found["errors"], &found["tablets"]),
        (&36.into(), &0.into(), &12.into())
    );
    assert_eq!(found["connections_opened"], 36, "each turn is another tablet's, with a handshake of its own");
    for serial in ["DMPX00000001", "DMPX00000012"] {
        assert_eq!(standing(&server, serial).await, "enrolled", "{serial}");
    }
    let token_updates = person.reads(&line.replace("idle", "token-update")).await;
    assert_eq!((&token_updates["requests"], &token_updates["errors"]), (&36.into(), &0.into()));
}

async fn tablets_that_enrolled_by_link_stand_a_load_of_whole_command_cycles(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let person = Person::of(&server);
    person.write("tablets.csv", &inventory_csv(["DMPX00000001", "DMPX00000002", "DMPX00000003"], COLLEGE));
    server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    let link = server.link_for_batch(COLLEGE, 20).await.unwrap();

    let enrol = format!("enrol school --keys 2 --trust trust.pem --serials tablets.csv --link {link}");
    let (code, document) = person.sees(&enrol).await;
    assert_eq!((code, &document["enrolled"], &document["failed"]), (1, &2.into(), &1.into()), "{document}");
    let failure = &document["failures"][0];
    assert_eq!(
        (&failure["serial"], &failure["kind"]),
        (&"DMPX00000003".into(), &"refused".into()),
        "{document}"
    );
    // Its serial number is imported late; the others are left alone.
    server.import_inventory(&person.read("tablets.csv")).await.unwrap();
    let document = person.reads(&enrol).await;
    let total = |key: &str| document[key].as_u64().unwrap();
    assert_eq!((total("enrolled") + total("resumed"), total("already")), (1, 2), "{document}");

    let token = server.new_token(fleet::Scope::Operate).await.unwrap();
    person.write("token", token.expose());
    let found = person
        .reads(&format!(
            "bench cycle school --trust trust.pem --dialect ardoise --api {} --secret file:token --requests 18 \
             --warm-up 0 --connections 3 --turn 2",
            server.people_url().unwrap()
        ))
        .await;
    assert_eq!(
        (&found["requests"], &found["errors"], &found["dialect"]),
        (&18.into(), &0.into(), &"ardoise".into())
    );
    let mut acknowledged = 0;
    for number in 1..=3 {
        let path = format!("/api/v1/tablets/DMPX0000000{number}/commands?limit=100");
        let commands = server.api().unwrap().get(&path).await.unwrap().ok().unwrap();
        let commands = commands["items"].as_array().unwrap().clone();
        assert!(commands.iter().all(|command| command["pending"] == false), "{commands:?}");
        let ours =
            |command: &&Value| command["queued_by"].as_str().is_some_and(|by| by.starts_with("account:"));
        acknowledged +=
            commands.iter().filter(ours).filter(|command| command["state"] == "acknowledged").count();
    }
    assert_eq!(acknowledged, 18, "each cycle that was counted is in the server's memory");
    let alarms = server.alarm_kinds().await.unwrap();
    assert_eq!(alarms, ["unknown-serial"], "the third tablet came too early, once");
}

async fn tablets_that_are_asked_to_wait_enrol_all_the_same(engine: Engine) {
    // One tablet asks four times before it has an identity: three at once are too many.
    let pace = RateLimits { per_address: Rate::new(4, 4), ..RateLimits::default() };
    let server = TestServer::setup(engine).pace(pace).start().await.unwrap();
    let person = Person::of(&server);
    let inventory = inventory_csv(["DMPX00000001", "DMPX00000002", "DMPX00000003"], COLLEGE);
    person.write("tablets.csv", &inventory);
    server.import_inventory(&inventory).await.unwrap();
    let link = server.link_for_batch(COLLEGE, 20).await.unwrap();
    let line = format!("enrol school --keys 2 --trust trust.pem --serials tablets.csv --link {link}");
    let document = person.reads(&line).await;
    assert_eq!((&document["enrolled"], &document["failed"]), (&3.into(), &0.into()), "{document}");
}

/// A program that lives until it is dropped.
struct Living(Child);

impl Drop for Living {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

async fn tablets_that_live_are_woken_by_the_servers_pushes(engine: Engine) {
    // The program's own push service takes the place of the test kit's.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let push = folder.path().join("push");
    let made = Command::new(testkit::program("tablets", &["crates/tablets"]).unwrap())
        .args(["apns", "--for", "50ms", "--write"])
        .arg(&push)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(made.status.success());
    let server = TestServer::setup(engine)
        .flag(format!("apns.endpoint=https://localhost:{port}"))
        .flag(format!("apns.trust={}", push.join("push-root.pem").display()))
        .flag(format!("egress.allow=localhost:{port} private"))
        .without_push_certificate()
        .start()
        .await
        .unwrap();
    let person = Person::of(&server);
    let file = |name: &str| std::fs::read_to_string(push.join(name)).unwrap();
    let certificate =
        json!({ "certificate_pem": file("push-certificate.pem"), "key_pem": file("push-key.pem") });
    server
        .stepped_up()
        .await
        .unwrap()
        .put("/api/v1/push-certificate", &certificate)
        .await
        .unwrap()
        .ok()
        .unwrap();

    let serials = ["DMPX00000001", "DMPX00000002"];
    person.write("tablets.csv", &inventory_csv(serials, COLLEGE));
    server.import_inventory(&person.read("tablets.csv")).await.unwrap();
    let link = server.link_for_batch(COLLEGE, 20).await.unwrap();
    person
        .reads(&format!("enrol school --keys 2 --trust trust.pem --serials tablets.csv --link {link}"))
        .await;

    let line =
        format!("run school --trust trust.pem --apns 127.0.0.1:{port} --apns-files {}", push.display());
    let _living = Living(person.command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut commands = Vec::new();
    for serial in serials {
        commands.push(server.command(serial, "SecurityInfo", Value::Null).await.unwrap());
    }
    for command in &commands {
        wait_until("a pushed tablet has acknowledged", Patience::default(), || async {
            let shown = server.show_command(command).await?;
            Ok((shown["state"] == "acknowledged").then_some(()))
        })
        .await
        .unwrap();
    }
}
