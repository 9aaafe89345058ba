//! The description of the API, asked of the running server by a program that is not ours: requests as it promises them,
//! and as it does not. No answer may be a failure of ours, or one that the description does not know.

use std::path::Path;
use std::process::Command;

use store::Engine;
use testkit::TestServer;
use testkit::people::{self, CodeShown};
use types::Clock as _;

/// How often each operation is asked, at most.
const EXAMPLES: &str = "8";
/// How many requests are made at least.
const LEAST: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_c15_no_request_makes_the_api_fail_or_answer_what_it_does_not_describe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let found = Command::new(root.join("scripts/schemathesis.sh")).output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let program = String::from_utf8(found.stdout).unwrap().trim().to_owned();

    let server = TestServer::start(Engine::Sqlite).await.unwrap();
    let store = server.fleet().unwrap().store();
    let account = server.operator().unwrap();
    let session = people::session(store, account, CodeShown::JustNow, server.clock().now()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trust = folder.path().join("authority.pem");
    std::fs::write(&trust, server.trust_pem().unwrap()).unwrap();

    let base = server.people_url().unwrap().as_str().trim_end_matches('/').to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .current_dir(folder.path())
            .args(["run", &format!("{base}/api/v1/openapi.json"), "--url", &base])
            .args(["--header", &format!("Authorization: Bearer {}", session.expose())])
            .arg("--tls-verify")
            .arg(&trust)
            .args(["--phases", "fuzzing", "--max-examples", EXAMPLES, "--seed", "1", "--no-shrink"])
            .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
            .args(["--checks", "response_schema_conformance"])
            // It would sign itself out.
            .args(["--exclude-operation-id", "sign_out"])
            .args(["--continue-on-failure", "--output-truncate", "true"])
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let told = String::from_utf8_lossy(&asked.stdout);
    assert!(asked.status.success(), "{told}\n{}", String::from_utf8_lossy(&asked.stderr));
    let generated = told.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u64>().ok());
    assert!(generated.is_some_and(|generated| generated >= LEAST), "{told}");
}
