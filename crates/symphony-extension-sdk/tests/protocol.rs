//! The SDK as a host sees it: lines in, lines out.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use symphony_extension_sdk::{About, Call, Failure, Outputs, ServeError, function, serve_on};

struct Host {
    input: Option<PipeWriter>,
    output: BufReader<PipeReader>,
    server: JoinHandle<Result<(), ServeError>>,
}

fn work(call: &Call) -> Result<Outputs, Failure> {
    match call.input::<String>("do")?.as_str() {
        "echo" => Outputs::new().with("said", call.input::<Vec<u8>>("what")?),
        "panic" => panic!("by request"),
        "wait" => {
            call.progress(0, Some(1), "waiting");
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(20) {
                call.check()?;
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(Failure::Internal("nobody cancelled".into()))
        }
        "ignore-cancel" => {
            while !call.is_cancelled() {
                std::thread::sleep(Duration::from_millis(2));
            }
            Outputs::new().with("said", "too late")
        }
        "talk" => {
            call.text("one ");
            call.text("two");
            Outputs::new().with("text", "one two")
        }
        "busy" => Err(Failure::Busy {
            message: "later".into(),
            retry_after_ms: Some(7),
        }),
        "project" => Outputs::new().with("project", call.project()?),
        other => Err(Failure::input("do", format!("cannot {other}"))),
    }
}

impl Host {
    fn start() -> Self {
        let (input_end, input) = pipe().unwrap();
        let (output, output_end) = pipe().unwrap();
        let extension = function(About::new("test", "1.2.3").max_parallel(2), work);
        let server =
            std::thread::spawn(move || serve_on(extension, BufReader::new(input_end), output_end));
        Self {
            input: Some(input),
            output: BufReader::new(output),
            server,
        }
    }

    fn initialized() -> Self {
        let mut host = Self::start();
        let params = json!({"protocol": "symphony.extension/1"});
        let answer = host.request(0, "initialize", params);
        assert_eq!(answer["result"]["id"], "test");
        host
    }

    fn line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
    }

    fn send(&mut self, id: i64, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.line(&message.to_string());
    }

    fn invoke(&mut self, id: i64, inputs: Value) {
        self.send(
            id,
            "invoke",
            json!({"call": format!("c{id}"), "inputs": inputs}),
        );
    }

    fn cancel(&mut self, id: i64) {
        let params = json!({"call": format!("c{id}")});
        self.line(&json!({"jsonrpc": "2.0", "method": "cancel", "params": params}).to_string());
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"))
    }

    fn request(&mut self, id: i64, method: &str, params: Value) -> Value {
        self.send(id, method, params);
        let answer = self.read();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }
}

#[test]
fn greets_with_id_version_and_threads() {
    let mut host = Host::start();
    let answer = host.request(1, "initialize", json!({"protocol": "symphony.extension/1"}));
    let expected = json!({"protocol": "symphony.extension/1", "id": "test", "version": "1.2.3", "max_parallel": 2});
    assert_eq!(answer["result"], expected);
    let again = host.request(2, "initialize", json!({"protocol": "symphony.extension/1"}));
    assert_eq!(again["error"]["code"], -32600);
}

#[test]
fn refuses_another_protocol_and_calls_before_the_greeting() {
    let mut host = Host::start();
    let answer = host.request(1, "initialize", json!({"protocol": "symphony.extension/9"}));
    assert_eq!(answer["error"]["code"], -32004);
    let answer = host.request(2, "invoke", json!({"call": "c", "inputs": {}}));
    assert_eq!(answer["error"]["code"], -32600);
    let answer = host.request(3, "ping", json!({}));
    assert_eq!(answer["result"], json!({}));
}

#[test]
fn answers_a_call_with_its_outputs() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "echo", "what": [1, 2]}));
    let answer = host.read();
    assert_eq!(answer["result"]["outputs"], json!({"said": [1, 2]}));
    assert_eq!(answer["result"]["usage"]["model_calls"], 0);
}

#[test]
fn a_wrong_input_names_its_port() {
    let mut host = Host::initialized();
    for (inputs, port, part) in [
        (json!({}), "do", "required"),
        (json!({"do": null}), "do", "required"),
        (json!({"do": 3}), "do", "string"),
        (json!({"do": "echo", "what": ["x"]}), "what", "u8"),
        (json!({"do": "dance"}), "do", "cannot dance"),
    ] {
        host.invoke(1, inputs);
        let error = host.read()["error"].clone();
        assert_eq!(error["code"], -32602);
        assert_eq!(error["data"]["port"], port);
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
}

#[test]
fn a_panic_is_an_error_and_the_extension_lives() {
    let mut host = Host::initialized();
    for id in 1..5 {
        host.invoke(id, json!({"do": "panic"}));
        let error = host.read()["error"].clone();
        assert_eq!(error["code"], -32603);
        assert!(error["message"].as_str().unwrap().contains("by request"));
    }
    host.invoke(9, json!({"do": "echo", "what": []}));
    assert_eq!(host.read()["id"], 9);
}

#[test]
fn ping_is_answered_while_calls_run_and_cancel_ends_them() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "wait"}));
    assert_eq!(host.read()["params"]["message"], "waiting");
    host.invoke(2, json!({"do": "ignore-cancel"}));
    // The pool has two threads, so this one waits, and can be cancelled while it does.
    host.invoke(3, json!({"do": "echo", "what": []}));
    let answer = host.request(4, "ping", json!({}));
    assert_eq!(answer["result"], json!({}));
    host.cancel(99);
    for id in [3, 2, 1] {
        host.cancel(id);
    }
    let mut ids: Vec<i64> = (0..3)
        .map(|_| {
            let answer = host.read();
            assert_eq!(answer["error"]["code"], -32800, "{answer}");
            answer["id"].as_i64().unwrap()
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn the_hosts_time_out_ends_a_call() {
    let mut host = Host::initialized();
    let params = json!({"call": "c", "inputs": {"do": "wait"}, "timeout_ms": 20});
    host.send(1, "invoke", params);
    host.read();
    assert_eq!(host.read()["error"]["code"], -32006);
}

#[test]
fn text_comes_before_the_answer() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "talk"}));
    for text in ["one ", "two"] {
        let message = host.read();
        assert_eq!(message["method"], "text");
        assert_eq!(message["params"], json!({"call": "c1", "text": text}));
    }
    assert_eq!(host.read()["result"]["outputs"]["text"], "one two");
}

#[test]
fn failures_carry_what_the_host_needs() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "busy"}));
    let error = host.read()["error"].clone();
    assert_eq!(error["code"], -32007);
    assert_eq!(error["data"]["retry_after_ms"], 7);
    host.invoke(2, json!({"do": "project"}));
    assert_eq!(host.read()["error"]["code"], -32003);
}

#[test]
fn too_many_waiting_calls_and_double_ids_are_refused() {
    let mut host = Host::initialized();
    for id in 1..=2 {
        host.invoke(id, json!({"do": "wait"}));
        assert_eq!(host.read()["method"], "progress");
    }
    host.invoke(2, json!({"do": "wait"}));
    assert_eq!(host.read()["error"]["code"], -32602);
    for id in 3..=67 {
        host.invoke(id, json!({"do": "wait"}));
    }
    let answer = host.read();
    assert_eq!(answer["error"]["code"], -32007);
    assert_eq!(answer["id"], 67);
}

#[test]
fn a_bad_line_is_answered_and_the_extension_lives() {
    let mut host = Host::initialized();
    for (line, code) in [
        ("what?", -32700),
        ("", -32600),
        ("[]", -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"dance"}"#, -32601),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"invoke","params":{"call":4}}"#,
            -32602,
        ),
    ] {
        host.line(line);
        assert_eq!(host.read()["error"]["code"], code, "{line}");
    }
    // Neither of these has an answer.
    host.line(r#"{"jsonrpc":"2.0","method":"dance"}"#);
    host.line(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(host.request(5, "ping", json!({}))["result"], json!({}));
}

#[test]
fn shutdown_cancels_answers_and_ends() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "wait"}));
    host.read();
    host.send(2, "shutdown", json!({}));
    assert_eq!(host.read()["error"]["code"], -32800);
    assert_eq!(host.read()["result"], json!({}));
    host.server.join().unwrap().unwrap();
}

#[test]
fn the_end_of_the_input_ends_it() {
    let mut host = Host::initialized();
    host.invoke(1, json!({"do": "wait"}));
    host.read();
    host.input = None;
    host.server.join().unwrap().unwrap();
}

#[test]
fn a_host_that_is_gone_ends_it() {
    let mut host = Host::initialized();
    let (reader, _writer) = pipe().unwrap();
    host.output = BufReader::new(reader);
    host.send(1, "ping", json!({}));
    assert!(matches!(
        host.server.join().unwrap(),
        Err(ServeError::Write(_))
    ));
}
