//! Servers whose usual address is known.

use clap::ValueEnum;

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Ollama on this machine, http://localhost:11434/v1
    Ollama,
    /// llama.cpp's server on this machine, http://localhost:8080/v1
    Llamacpp,
    /// vLLM on this machine, http://localhost:8000/v1
    Vllm,
    /// OpenAI, key from OPENAI_API_KEY
    Openai,
    /// OpenRouter, key from OPENROUTER_API_KEY
    Openrouter,
    /// Any other server that speaks OpenAI's chat protocol; needs --base-url
    OpenaiCompatible,
}

impl Preset {
    /// What the model is called when nothing else is said.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::Llamacpp => "llamacpp",
            Self::Vllm => "vllm",
            Self::Openai => "openai",
            Self::Openrouter => "openrouter",
            Self::OpenaiCompatible => "server",
        }
    }

    /// The server's usual address.
    pub fn base_url(self) -> Option<&'static str> {
        match self {
            Self::Ollama => Some("http://localhost:11434/v1"),
            Self::Llamacpp => Some("http://localhost:8080/v1"),
            Self::Vllm => Some("http://localhost:8000/v1"),
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Openrouter => Some("https://openrouter.ai/api/v1"),
            Self::OpenaiCompatible => None,
        }
    }

    /// The usual variable of the key, where one is needed.
    pub fn key_env(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some("OPENAI_API_KEY"),
            Self::Openrouter => Some("OPENROUTER_API_KEY"),
            Self::Ollama | Self::Llamacpp | Self::Vllm | Self::OpenaiCompatible => None,
        }
    }

    /// Tokens to count on when nothing is said: what the server gives by
    /// default on this machine, what current models hold elsewhere.
    pub fn context_tokens(self) -> u32 {
        match self {
            Self::Ollama | Self::Llamacpp => 8_192,
            Self::Vllm | Self::OpenaiCompatible => 32_768,
            Self::Openai | Self::Openrouter => 128_000,
        }
    }
}
