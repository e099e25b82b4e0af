//! What a chat gives back, and how JSON is got from servers of different talents.

use crate::support::{Instrument, Server};
use serde_json::{Value, json};

fn ok(answer: &Value) -> &Value {
    assert!(answer.get("result").is_some(), "{answer}");
    &answer["result"]
}

#[test]
fn text_is_streamed_and_counted() {
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 3 });
    let server = Server::rules(json!([{ "chunks": ["Grüß", " ", "dich"], "usage": usage }]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    let answer = instrument.ask("hi");
    let result = ok(&answer);
    assert_eq!(result["outputs"], json!({ "text": "Grüß dich" }));
    assert_eq!(instrument.streamed, "Grüß dich");
    assert_eq!(
        result["usage"],
        json!({ "model_calls": 1, "input_tokens": 7, "output_tokens": 3 })
    );
    let body = &server.requests()[0]["body"];
    assert_eq!(body["model"], "tiny");
    assert!(body.get("response_format").is_none());
}

#[test]
fn tokens_that_the_server_does_not_count_are_estimated_and_said_so() {
    let server = Server::rules(json!([{ "reply": "12345678", "usage": false }]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    let answer = instrument.ask("1234");
    let usage = &ok(&answer)["usage"];
    assert_eq!(
        (&usage["input_tokens"], &usage["output_tokens"]),
        (&json!(1), &json!(2))
    );
    assert!(
        instrument
            .logged
            .iter()
            .any(|line| line.contains("estimated"))
    );
}

#[test]
fn a_server_that_does_not_stream_is_read_too() {
    let server = Server::rules(json!([{ "reply": "hello there, you", "whole": true }]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    let answer = instrument.ask("hi");
    assert_eq!(ok(&answer)["outputs"]["text"], "hello there, you");
    assert_eq!(instrument.streamed, "hello there, you");
}

#[test]
fn a_schema_is_sent_and_its_reply_parsed() {
    let server = Server::rules(json!([{ "json": { "summary": "Adds." } }]));
    let answer = Instrument::on(&server.url(), json!({}), "").ask_json("hi");
    assert_eq!(
        ok(&answer)["outputs"]["reply"],
        json!({ "summary": "Adds." })
    );
    let body = &server.requests()[0]["body"];
    let format = &body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["schema"], crate::support::summary());
    assert_eq!(format["json_schema"]["strict"], true);
    assert_eq!(
        (&body["temperature"], &body["max_tokens"]),
        (&json!(0.0), &json!(50))
    );
}

#[test]
fn servers_without_response_format_are_asked_in_words_and_remembered() {
    let refuses =
        |format: &str| json!({ "format": format, "status": 400, "body": "unknown field" });
    let server = Server::rules(json!([
        refuses("json_schema"), refuses("json_object"),
        { "reply": "Sure:\n```json\n{\"summary\": \"Adds.\"}\n```" }
    ]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    for _ in 0..2 {
        let answer = instrument.ask_json("hi");
        let result = ok(&answer);
        assert_eq!(result["outputs"]["reply"], json!({ "summary": "Adds." }));
        assert_eq!(result["usage"]["model_calls"], 1);
    }
    // Three to find out, then one.
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    let system = requests[3]["body"]["messages"][0]["content"]
        .as_str()
        .unwrap();
    assert!(system.contains("JSON Schema"), "{system}");
}

#[test]
fn a_reply_that_does_not_fit_is_repaired_once() {
    for bad in [
        "I cannot do that",
        "{\"summary\": 3}",
        "{\"summary\": \"cut",
    ] {
        let server = Server::rules(json!([
            { "request": 1, "reply": bad },
            { "match": "cannot be used", "json": { "summary": "Adds." } }
        ]));
        let answer = Instrument::on(&server.url(), json!({}), "").ask_json("hi");
        let result = ok(&answer);
        assert_eq!(result["outputs"]["reply"]["summary"], "Adds.");
        assert_eq!(result["usage"]["model_calls"], 2);
        let messages = server.requests()[1]["body"]["messages"].clone();
        assert_eq!(messages[1], json!({ "role": "assistant", "content": bad }));
    }
    let server = Server::rules(json!([{ "reply": "never JSON" }]));
    let answer = Instrument::on(&server.url(), json!({}), "").ask_json("hi");
    assert_eq!(answer["error"]["code"], -32008);
    assert_eq!(answer["error"]["data"]["retryable"], true);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_only_model_of_a_server_needs_no_name() {
    let server = Server::rules(json!([{ "reply": "x" }]));
    let mut instrument = Instrument::start();
    let answer = instrument.initialize(&json!({ "base_url": server.url() }), "");
    let model = ok(&answer)["model"].as_str().unwrap();
    assert!(model.starts_with("tiny at http://127.0.0.1:"), "{model}");
    ok(&instrument.ask("hi"));
    assert_eq!(server.requests()[0]["body"]["model"], "tiny");
}

#[test]
fn calls_run_beside_each_other() {
    let server = Server::rules(json!([{ "reply": "done", "delay_ms": 400 }]));
    let mut instrument = Instrument::on(&server.url(), json!({ "max_parallel": 4 }), "");
    let start = std::time::Instant::now();
    let inputs = json!({ "messages": [{ "role": "user", "content": "x" }] });
    let ids: Vec<_> = (0..4).map(|_| instrument.invoke(inputs.clone())).collect();
    for id in ids {
        ok(&instrument.answer(id));
    }
    assert!(start.elapsed().as_millis() < 1500);
}

#[test]
fn inputs_that_are_wrong_are_named() {
    let server = Server::rules(json!([{ "reply": "x" }]));
    let mut instrument = Instrument::on(&server.url(), json!({}), "");
    for inputs in [
        json!({}),
        json!({ "messages": [] }),
        json!({ "messages": "hi" }),
    ] {
        let id = instrument.invoke(inputs);
        let answer = instrument.answer(id);
        assert_eq!(answer["error"]["code"], -32602);
        assert!(
            answer["error"]["message"]
                .as_str()
                .unwrap()
                .contains("messages")
        );
    }
    assert!(server.requests().is_empty());
}
