use super::*;

const MINE: &str = "# my settings\n[run]\nretries = 5 # often\n\n[conductor]\ndefault_model = \"lab\" # mine\n\n\
    [models.lab] # in the basement\nkind = \"openai-compatible\"\nbase_url = \"http://lab:1/v1\"\nmodel = \"m\"\n\
    context_tokens = 9\n";

fn entry() -> Entry {
    Entry {
        base_url: "http://localhost:11434/v1".to_owned(),
        model: "qwen\"3".to_owned(),
        key_env: Some("KEY".to_owned()),
        keyring: false,
        context_tokens: 8192,
        usd_per_1m_input: Some(0.5),
        usd_per_1m_output: None,
    }
}

fn file(text: Option<&str>) -> (tempfile::TempDir, File) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config").join("config.toml");
    if let Some(text) = text {
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let file = File::open(path).unwrap();
    (folder, file)
}

#[test]
fn everything_else_in_the_file_stays() {
    let (_folder, mut file) = file(Some(MINE));
    file.add("ollama", &entry());
    file.write(|| Ok(())).unwrap();
    let text = read_text(file.path()).unwrap();
    assert!(text.starts_with(MINE), "{text}");
    let added = &text[MINE.len()..];
    assert_eq!(
        added,
        "\n[models.ollama]\nkind = \"openai-compatible\"\nbase_url = \"http://localhost:11434/v1\"\n\
         model = 'qwen\"3'\napi_key_env = \"KEY\"\ncontext_tokens = 8192\nusd_per_1m_input = 0.5\n"
    );
}

#[test]
fn a_file_that_is_not_there_is_made_with_its_folder() {
    let (_folder, mut file) = file(None);
    file.add("ollama", &entry());
    file.set_default("ollama");
    file.write(|| Ok(())).unwrap();
    let text = read_text(file.path()).unwrap();
    assert!(text.starts_with("[models.ollama]\n"), "{text}");
    assert!(
        text.ends_with("\n[conductor]\ndefault_model = \"ollama\"\n"),
        "{text}"
    );
}

#[test]
fn what_would_not_load_is_put_back() {
    for before in [Some(MINE), None] {
        let (_folder, mut file) = file(before);
        file.add("ollama", &entry());
        let path = file.path().to_owned();
        let refused = file.write(|| {
            assert!(read_text(&path).unwrap().contains("ollama"));
            Err(input("it would not load", "mend it"))
        });
        assert!(refused.is_err());
        assert_eq!(read_text(file.path()).ok().as_deref(), before);
    }
}

#[test]
fn what_someone_else_wrote_meanwhile_is_not_overwritten() {
    let (_folder, mut file) = file(Some(MINE));
    file.add("ollama", &entry());
    std::fs::write(file.path(), "run.retries = 1\n").unwrap();
    assert_eq!(file.write(|| Ok(())).unwrap_err().exit_code(), 4);
    assert_eq!(read_text(file.path()).unwrap(), "run.retries = 1\n");
}

#[test]
fn removing_takes_the_default_with_it() {
    let (_folder, mut file) = file(Some(MINE));
    assert_eq!(file.models(), ["lab"]);
    assert!(file.remove("lab"));
    file.write(|| Ok(())).unwrap();
    let text = read_text(file.path()).unwrap();
    assert!(
        !text.contains("lab") && text.contains("retries = 5 # often"),
        "{text}"
    );
    assert!(!file.remove("lab"));
}

#[test]
fn the_default_keeps_its_comment() {
    let (_folder, mut file) = file(Some(MINE));
    file.set_default("other");
    file.write(|| Ok(())).unwrap();
    assert_eq!(
        read_text(file.path()).unwrap(),
        MINE.replace("\"lab\" # mine", "\"other\" # mine")
    );
}

#[test]
fn inline_and_dotted_tables_are_understood() {
    let (_folder, mut file) = file(Some(
        "models = { lab = { kind = \"local\" } }\nconductor.default_model = \"lab\"\n",
    ));
    assert!(file.has_model("lab"));
    file.add("ollama", &entry());
    file.set_default("ollama");
    file.write(|| Ok(())).unwrap();
    let text = read_text(file.path()).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(
        table["models"]["ollama"]["context_tokens"].as_integer(),
        Some(8192)
    );
    assert_eq!(table["conductor"]["default_model"].as_str(), Some("ollama"));
}

#[test]
fn what_is_no_configuration_is_left_alone() {
    for text in ["= broken", "models = 3", "conductor = []"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let error = File::open(path.clone()).err().unwrap();
        assert_eq!(error.exit_code(), 3);
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}
