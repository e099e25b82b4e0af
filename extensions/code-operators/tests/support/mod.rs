//! A host in miniature: starts the real program and speaks the protocol to it.
#![allow(clippy::unwrap_used, dead_code)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    calls: i64,
}

impl Process {
    pub fn start(operator: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_symphony-code-operators"))
            .arg(operator)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
            calls: 0,
        }
    }

    pub fn over(operator: &str, project: &Path) -> Self {
        let mut process = Self::start(operator);
        let params = json!({"protocol": "symphony.extension/1", "project": project});
        process.send(0, "initialize", &params);
        assert_eq!(process.read()["result"]["id"], operator);
        process
    }

    pub fn line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    pub fn send(&mut self, id: i64, method: &str, params: &Value) {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.line(&message.to_string());
    }

    pub fn notify(&mut self, method: &str, params: &Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.line(&message.to_string());
    }

    pub fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"))
    }

    /// The next answer, past the notifications.
    pub fn answer(&mut self) -> Value {
        loop {
            let message = self.read();
            if message.get("method").is_none() {
                return message;
            }
        }
    }

    /// A call's outputs, or its error.
    pub fn call(&mut self, inputs: &Value) -> Result<Value, Value> {
        self.calls += 1;
        let params = json!({"call": format!("c{}", self.calls), "inputs": inputs});
        self.send(self.calls, "invoke", &params);
        let mut answer = self.answer();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"]["outputs"].take()),
        }
    }

    /// Closes the pipe and waits for the end.
    pub fn end(mut self) -> std::process::ExitStatus {
        self.input = None;
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}
