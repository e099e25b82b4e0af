use super::*;
use crate::cli::{testing::Bench, ui::Mode};
use std::{
    io::{Read, Write},
    net::TcpListener,
};

fn args(kind: Preset, name: Option<&str>) -> AddModelArgs {
    AddModelArgs {
        kind,
        name: name.map(str::to_owned),
        base_url: None,
        model: Some("qwen3-coder".to_owned()),
        key_env: None,
        keyring: false,
        context_tokens: None,
        usd_per_1m_input: None,
        usd_per_1m_output: None,
        default: false,
    }
}

/// A home of its own. `load` reads the environment of this process, so no test sets one.
fn home() -> (tempfile::TempDir, AppDirs) {
    let folder = tempfile::tempdir().unwrap();
    let dirs = AppDirs::under(folder.path());
    (folder, dirs)
}

async fn does(verb: ModelVerb, dirs: &AppDirs) -> (CliResult, String) {
    let mut bench = Bench::new(Mode::default());
    let result = models(Some(verb), dirs, &mut bench.context()).await;
    (result, bench.out.text())
}

#[tokio::test]
async fn a_model_is_added_chosen_and_removed() {
    let (_home, dirs) = home();
    let (result, text) = does(ModelVerb::Add(args(Preset::Ollama, None)), &dirs).await;
    result.unwrap();
    assert!(
        text.starts_with("✓ ollama: qwen3-coder at http://localhost:11434/v1, written to "),
        "{text}"
    );
    assert!(
        text.contains("symphony perform document --model ollama"),
        "{text}"
    );
    let model = &load(&dirs).unwrap().value.models["ollama"];
    assert_eq!(
        (model.context_tokens, model.api_key_env.as_deref()),
        (8192, None)
    );

    does(
        ModelVerb::Default {
            name: "ollama".to_owned(),
        },
        &dirs,
    )
    .await
    .0
    .unwrap();
    assert_eq!(load(&dirs).unwrap().value.conductor.default_model, "ollama");
    let (_, text) = does(ModelVerb::List, &dirs).await;
    assert!(
        text.contains("✓ ollama") && text.contains("  local-model"),
        "{text}"
    );

    let (result, text) = does(
        ModelVerb::Remove {
            name: "ollama".to_owned(),
        },
        &dirs,
    )
    .await;
    result.unwrap();
    assert_eq!(
        text,
        "ollama is forgotten; local-model is the default again\n"
    );
    let config = load(&dirs).unwrap().value;
    assert_eq!(
        (config.models.len(), config.conductor.default_model.as_str()),
        (1, "local-model")
    );
}

#[tokio::test]
async fn presets_know_their_key() {
    let (_home, dirs) = home();
    let mut own = args(Preset::Openrouter, Some("fast"));
    own.key_env = Some("MY_KEY_THAT_IS_NOT_SET".to_owned());
    own.default = true;
    let (result, text) = does(ModelVerb::Add(own), &dirs).await;
    result.unwrap();
    assert!(
        text.contains("MY_KEY_THAT_IS_NOT_SET, which is not set yet"),
        "{text}"
    );
    does(ModelVerb::Add(args(Preset::Openai, None)), &dirs)
        .await
        .0
        .unwrap();
    let config = load(&dirs).unwrap().value;
    assert_eq!(
        config.models["fast"].api_key_env.as_deref(),
        Some("MY_KEY_THAT_IS_NOT_SET")
    );
    assert_eq!(
        config.models["openai"].api_key_env.as_deref(),
        Some("OPENAI_API_KEY")
    );
    assert_eq!(config.conductor.default_model, "fast");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_written() {
    let (_home, dirs) = home();
    let negative = AddModelArgs {
        usd_per_1m_input: Some(-1.0),
        ..args(Preset::Ollama, None)
    };
    let odd_key = AddModelArgs {
        key_env: Some("A B".to_owned()),
        ..args(Preset::Ollama, None)
    };
    let cases = [
        ModelVerb::Add(args(Preset::OpenaiCompatible, None)),
        ModelVerb::Add(args(Preset::Ollama, Some("local-model"))),
        ModelVerb::Add(args(Preset::Ollama, Some("Bad Name"))),
        ModelVerb::Add(args(Preset::Ollama, Some("-x"))),
        ModelVerb::Add(negative),
        ModelVerb::Add(odd_key),
        ModelVerb::Remove {
            name: "local-model".to_owned(),
        },
        ModelVerb::Default {
            name: "nobody".to_owned(),
        },
    ];
    for verb in cases {
        let shown = format!("{verb:?}");
        let (result, _) = does(verb, &dirs).await;
        assert_eq!(result.unwrap_err().exit_code(), 3, "{shown}");
        assert!(!dirs.config_file().exists(), "{shown}");
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let (_home, dirs) = home();
    does(ModelVerb::Add(args(Preset::Ollama, None)), &dirs)
        .await
        .0
        .unwrap();
    let before = std::fs::read(dirs.config_file()).unwrap();
    let error = does(ModelVerb::Add(args(Preset::Ollama, None)), &dirs)
        .await
        .0
        .unwrap_err();
    assert!(error.to_tell().unwrap().message.contains("already"));
    assert_eq!(std::fs::read(dirs.config_file()).unwrap(), before);
}

/// Answers one request with a list of models; gives its address.
fn server(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /v1/models HTTP/1.1\r\n"));
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
    });
    format!("http://{address}/v1/")
}

async fn adds_from(base_url: String) -> (CliResult, AppDirs, tempfile::TempDir) {
    let (home, dirs) = home();
    let model = AddModelArgs {
        base_url: Some(base_url),
        model: None,
        ..args(Preset::Vllm, None)
    };
    (does(ModelVerb::Add(model), &dirs).await.0, dirs, home)
}

#[tokio::test]
async fn the_only_model_of_a_server_is_found() {
    let (result, dirs, _home) = adds_from(server("{\"data\":[{\"id\":\"llama-3.3\"}]}")).await;
    result.unwrap();
    let model = &load(&dirs).unwrap().value.models["vllm"];
    assert_eq!(model.model, "llama-3.3");
    assert!(!model.base_url.as_deref().unwrap().ends_with('/'));
}

#[tokio::test]
async fn of_several_models_one_must_be_named() {
    let (result, dirs, _home) =
        adds_from(server("{\"data\":[{\"id\":\"a\"},{\"id\":\"b\\u001b\"}]}")).await;
    let told = result.unwrap_err().to_tell().unwrap();
    assert!(told.message.ends_with("has 2 models\na, b^["), "{told:?}");
    assert!(!dirs.config_file().exists());
    assert_eq!(
        adds_from(server("{\"data\":[]}"))
            .await
            .0
            .unwrap_err()
            .exit_code(),
        3
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    for address in [
        "http://127.0.0.1:1/v1".to_owned(),
        server("<html>"),
        "no address".to_owned(),
    ] {
        let told = adds_from(address).await.0.unwrap_err().to_tell().unwrap();
        assert_eq!(told.kind, ErrorKind::Environment);
        assert_eq!(told.causes.len(), 1);
    }
}

#[tokio::test]
async fn an_empty_key_is_refused() {
    let (_home, dirs) = home();
    let model = AddModelArgs {
        keyring: true,
        ..args(Preset::Openai, None)
    };
    assert_eq!(
        does(ModelVerb::Add(model), &dirs)
            .await
            .0
            .unwrap_err()
            .exit_code(),
        3
    );
    assert!(!dirs.config_file().exists());
}
