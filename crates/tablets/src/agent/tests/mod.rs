//! A simulated agent does what the published one does, and refuses what that one chokes on.

mod choking;
mod talking;

use serde_json::{Value, json};

use super::*;

/// Ten in the morning.
const MORNING: i64 = 1_795_500_000_000;
const SERIAL: &str = "R52T40ABCDE";
const BASE: &str = "https://mdm.ecole.example";

fn code() -> Value {
    json!({
        "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME":
            "com.hmdm.launcher/com.hmdm.launcher.AdminReceiver",
        "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION": "https://mdm.ecole.example/hmdm.apk",
        "android.app.extra.PROVISIONING_DEVICE_ADMIN_SIGNATURE_CHECKSUM":
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        "android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE": {
            "com.hmdm.BASE_URL": BASE,
            "com.hmdm.SERVER_PROJECT": "e-1",
            "com.hmdm.DEVICE_ID_USE": "serial",
            "com.hmdm.CONFIG": "12",
            "com.hmdm.GROUP": "3,4",
        },
    })
}

fn scanned() -> Agent {
    let mut agent = Agent::new(AgentHardware::tablet(SERIAL));
    agent.scan(&code().to_string(), MORNING).unwrap();
    agent
}

/// A configuration that the agent takes, with some fields changed.
fn config(changes: &Value) -> Value {
    let mut data = json!({
        "password": "C3FCD3D76192E4007DFB496CCA67E13B", "pushOptions": "polling", "restrictions": "no_factory_reset",
        "applications": [], "applicationSettings": [], "files": [], "actions": [],
    });
    for (key, value) in changes.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

fn ok(data: &Value) -> AgentReply {
    AgentReply::http(200, json!({"status": "OK", "message": null, "data": data}).to_string().as_bytes())
}

fn next(agent: &mut Agent, now: i64) -> Option<AgentRequest> {
    match agent.next(Lane::Main, now) {
        Next::Send(request) => Some(*request),
        Next::Wait { .. } | Next::Off => None,
    }
}

/// Answers until the main lane waits; gives method and path of each request.
fn run(agent: &mut Agent, now: i64, mut answer: impl FnMut(&AgentRequest) -> AgentReply) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(request) = next(agent, now) {
        assert!(sent.len() < 100, "the agent never waits: {sent:#?}");
        let path = request.url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).unwrap().1;
        sent.push(format!("{} {path}", request.method));
        agent.answered(Lane::Main, &answer(&request), now);
    }
    sent
}

/// A server that gives everybody the same configuration, and takes everything else.
fn server(data: Value) -> impl FnMut(&AgentRequest) -> AgentReply {
    move |request| {
        if request.url.contains("/configuration/") { ok(&data) } else { ok(&json!([])) }
    }
}

fn set_up(changes: &Value) -> Agent {
    let mut agent = scanned();
    run(&mut agent, MORNING, server(config(changes)));
    agent.take_did();
    agent
}
