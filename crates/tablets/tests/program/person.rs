//! Someone at a terminal, in a folder of their own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The topic of all tablets.
pub(crate) const TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-000000000001";

/// Someone at a terminal.
pub(crate) struct Person {
    folder: TempDir,
}

impl Person {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tablets"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn types(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// What a command prints with `--json`, which must succeed: its last line.
    pub(crate) fn reads(&self, line: &str) -> Value {
        let (code, document, told) = self.sees(line);
        assert_eq!(code, 0, "{line}: {told}\n{document}");
        document
    }

    /// Exit code, last document, and what was said on standard error.
    pub(crate) fn sees(&self, line: &str) -> (i32, Value, String) {
        let output = self.types(&format!("{line} --json"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let document = printed.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
        (output.status.code().unwrap(), document, told)
    }

    /// A fleet of two keys in the folder `fleet`, whose server is at `url`.
    pub(crate) fn seeds(&self, tablets: usize, url: &str) -> Value {
        self.reads(&format!("seed fleet --tablets {tablets} --keys 2 --server-url {url} --topic {TOPIC}"))
    }
}

/// A command that goes on until it is told to stop.
pub(crate) struct Going {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Going {
    pub(crate) fn start(person: &Person, line: &str) -> Self {
        let mut child = person
            .command(&format!("{line} --json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next document it prints.
    pub(crate) fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().expect("it prints a line").unwrap()).unwrap()
    }

    /// Tells it to stop, and gives the last document it prints.
    pub(crate) fn stop(mut self) -> Value {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let last = self.lines.by_ref().map_while(Result::ok).last().expect("it prints a tally");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        serde_json::from_str(&last).unwrap()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}
