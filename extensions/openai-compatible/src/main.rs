//! The Instrument for any server that speaks OpenAI's chat completions: Ollama,
//! llama.cpp, vLLM, OpenAI, OpenRouter and others.
//!
//! Settings: `base_url` (with its `/v1`), `model`, `timeout_s`,
//! `connect_timeout_s`, `first_byte_timeout_s`, `idle_timeout_s`,
//! `max_parallel`, `headers`. Secret: `api-key`.

mod dialect;
mod http;
mod instrument;
mod json_reply;
mod schema;
mod settings;
mod sse;
mod stream;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    match symphony_extension_sdk::serve(instrument::OpenAiCompatible::default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("openai-compatible: {error}");
            ExitCode::FAILURE
        }
    }
}
