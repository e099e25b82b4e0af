use super::*;
use crate::error::{Categorized, ErrorCategory, SymphonyError};
use crate::logging::LineFormat;
use schema::ModelKind;
use std::path::Path;

struct Setup {
    dir: tempfile::TempDir,
    sources: Sources,
}

/// A user file with `text`, and these variables.
fn setup(text: &str, variables: &[(&str, &str)]) -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let dirs = AppDirs::under(dir.path());
    crate::fs::ensure_dir(dirs.config_dir()).unwrap();
    std::fs::write(dirs.config_file(), text).unwrap();
    let variables = variables
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let sources = Sources::of_variables(&dirs, variables);
    Setup { dir, sources }
}

fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
    let setup = setup(text, variables);
    let loaded = load_from(&setup.sources);
    drop(setup.dir);
    loaded
}

fn message(text: &str, variables: &[(&str, &str)]) -> String {
    let error = load_with(text, variables).unwrap_err();
    assert_eq!(error.category(), ErrorCategory::FixConfiguration);
    SymphonyError::from(error).render()
}

#[test]
fn the_defaults_load_in_both_profiles() {
    let production = load_from(&Sources::default()).unwrap();
    assert!(!production.value.logging.console && production.value.logging.file);
    assert_eq!(production.value.editor.max_file_bytes, 100 * 1024 * 1024);
    assert_eq!(
        production.value.models["local-model"].kind,
        ModelKind::Local
    );
    let test = Sources {
        profile: Some("test".into()),
        ..Sources::default()
    };
    let test = load_from(&test).unwrap();
    assert!(test.value.logging.console && !test.value.logging.file);
    assert_eq!(
        test.origin("logging.level"),
        Some(&Origin::Profile { name: "test" })
    );
    assert_eq!(test.origin("run.retries"), Some(&Origin::Default));
}

#[test]
fn each_layer_goes_over_the_one_before_and_is_named() {
    let loaded = load_with(
        "[logging]\nlevel = \"warn\"\nconsole = true\n\n[run]\n# a comment\nretries = 4\n",
        &[
            ("SYMPHONY_RUN__RETRIES", "9"),
            ("SYMPHONY_ENV", "test"),
            ("OTHER__X", "1"),
        ],
    )
    .unwrap();
    assert_eq!(loaded.value.logging.level, "warn");
    assert_eq!(loaded.value.run.retries, 9);
    assert_eq!(loaded.value.run.node_timeout_s, 60);
    let origin = |key: &str| loaded.origin(key).unwrap().to_string();
    assert!(origin("logging.level").ends_with("config.toml:2"));
    assert!(origin("logging.console").ends_with("config.toml:3"));
    assert_eq!(origin("run.retries"), "environment SYMPHONY_RUN__RETRIES");
    assert_eq!(origin("run.node_timeout_s"), "profile test");
    assert_eq!(origin("run.max_parallel"), "default");
    assert_eq!(loaded.origin("no.such"), None);
}

#[test]
fn the_table_shows_every_key_once() {
    let loaded = load_with("", &[]).unwrap();
    let table = loaded.table();
    assert_eq!(table.lines().count(), loaded.entries.len());
    assert!(table.contains("logging.level"), "{table}");
    assert!(table.contains("models.local-model.model"), "{table}");
    let mut keys: Vec<&str> = loaded.entries.iter().map(|e| e.key.as_str()).collect();
    keys.dedup();
    assert_eq!(keys.len(), loaded.entries.len());
    let json = serde_json::to_value(&loaded.entries).unwrap();
    assert_eq!(json[0]["origin"]["layer"], "default");
}

#[test]
fn a_user_can_name_a_model() {
    let loaded = load_with(
        "conductor.default_model = \"gpt-4.1\"\n[models.\"gpt-4.1\"]\nkind = \"openai-compatible\"\n\
         base_url = \"https://u:pw@api.example/v1\"\nmodel = \"gpt-4.1\"\napi_key_env = \"KEY\"\n\
         context_tokens = 128000\nusd_per_1m_input = 2\n",
        &[("SYMPHONY_MODELS__GPT_4_1__TIMEOUT_S", "7"), ("SYMPHONY_MODELS__LOCAL_MODEL__MAX_PARALLEL", "2")],
    )
    .unwrap();
    let model = &loaded.value.models["gpt-4.1"];
    assert_eq!((model.timeout_s, model.usd_per_1m_input), (7, Some(2.0)));
    assert_eq!(loaded.value.models["local-model"].max_parallel, Some(2));
    assert!(!loaded.table().contains("pw@"), "{}", loaded.table());
    let at = loaded
        .origin("models.\"gpt-4.1\".model")
        .unwrap()
        .to_string();
    assert!(at.ends_with(":5"), "{at}");
}

#[test]
fn variables_are_read_by_the_type_of_their_key() {
    let loaded = load_with(
        "[extensions.grants]\n\"a.b\" = [\"fs.read\"]\n",
        &[
            ("SYMPHONY_CONDUCTOR__DEFAULT_MODEL", "local-model"),
            ("SYMPHONY_LOGGING__JSON", "yes"),
            ("SYMPHONY_BUDGET__MAX_USD", "1.5"),
            ("SYMPHONY_EXTENSIONS__SEARCH_PATHS", "/a, /b"),
            ("SYMPHONY_EXTENSIONS__GRANTS__A_B", "net"),
            ("SYMPHONY_HOST__SOCKET_DIR", "123"),
        ],
    )
    .unwrap();
    let config = loaded.value;
    assert!(config.logging.json);
    assert!((config.budget.max_usd - 1.5).abs() < 1e-9);
    assert_eq!(
        config.extensions.search_paths,
        [Path::new("/a"), Path::new("/b")]
    );
    assert_eq!(config.extensions.grants["a.b"], ["net"]);
    assert_eq!(config.host.socket_dir.as_deref(), Some(Path::new("123")));
}

#[test]
fn unknown_keys_name_key_file_line_and_the_nearest_known() {
    let text = message("[logging]\nlevle = \"info\"\n", &[]);
    assert!(text.contains("unknown key `logging.levle` in "), "{text}");
    assert!(text.contains("config.toml:2"), "{text}");
    assert!(
        text.contains("help: did you mean `logging.level`?"),
        "{text}"
    );
    let text = message("", &[("SYMPHONY_RUN__RETRYS", "1")]);
    assert!(text.contains("environment SYMPHONY_RUN__RETRYS"), "{text}");
    assert!(text.contains("`run.retries`"), "{text}");
    let text = message("[nonsense]\n", &[]);
    assert!(text.contains("unknown key `nonsense`"), "{text}");
}

#[test]
fn keys_in_files_are_refused_with_the_way_to_do_it_and_not_shown() {
    let text = message("[models.x]\napi_key = \"sk-123456\"\n", &[]);
    assert!(text.contains("api_key_env"), "{text}");
    assert!(!text.contains("sk-123456"), "{text}");
}

#[test]
fn wrong_types_name_the_place() {
    let text = message("[run]\nretries = \"many\"\n", &[]);
    assert!(
        text.contains("`run.retries` in ") && text.contains("config.toml:2"),
        "{text}"
    );
    assert!(text.contains("found string"), "{text}");
    let text = message("logging = 5\n", &[]);
    assert!(
        text.contains("`logging` in ") && text.contains(":1"),
        "{text}"
    );
    for (variable, value) in [
        ("SYMPHONY_RUN__RETRIES", "many"),
        ("SYMPHONY_LOGGING__JSON", "maybe"),
        ("SYMPHONY_BUDGET__MAX_USD", "cheap"),
    ] {
        let text = message("", &[(variable, value)]);
        assert!(text.contains(variable) && text.contains(value), "{text}");
    }
    let text = message("[run]\nretries = -1\n", &[]);
    assert!(text.contains("run.retries"), "{text}");
}

#[test]
fn senseless_values_are_all_told_with_their_place() {
    let text = message(
        "[editor]\nheartbeat_ms = 0\n[budget]\nmax_usd = nan\n[conductor]\ndefault_model = \"none\"\n\
         [logging]\nlevel = \"[=\"\n[models.x]\nkind = \"openai-compatible\"\nmodel = \"\"\n\
         context_tokens = 0\napi_key_env = \"A B\"\nmax_parallel = 0\nusd_per_1m_output = -1.0\n",
        &[],
    );
    for key in [
        "`editor.heartbeat_ms` must lie in",
        "`budget.max_usd` must",
        "`conductor.default_model` names no model",
        "`logging.level` is wrong",
        "`models.x.base_url` is needed",
        "`models.x.model` must not be empty",
        "`models.x.context_tokens` must",
        "`models.x.api_key_env` must",
        "`models.x.max_parallel` must",
        "`models.x.usd_per_1m_output` must",
    ] {
        assert!(text.contains(key), "{key} in {text}");
    }
    assert!(text.contains("config.toml:2)"), "{text}");
}

#[test]
fn broken_toml_names_line_and_column() {
    let text = message("[run]\nretries = = 3\n", &[]);
    assert!(text.contains("config.toml:2:11"), "{text}");
}

#[test]
fn an_unknown_profile_is_refused() {
    let text = message("", &[("SYMPHONY_ENV", "staging")]);
    assert!(
        text.contains("`staging`") && text.contains("`test`"),
        "{text}"
    );
}

#[test]
fn a_named_file_must_be_there_and_a_default_one_need_not() {
    let dir = tempfile::tempdir().unwrap();
    let dirs = AppDirs::under(dir.path());
    load_from(&Sources::of_variables(&dirs, [])).unwrap();
    let missing = dir.path().join("mine.toml");
    let named = [(FILE_VARIABLE.to_owned(), missing.display().to_string())];
    let sources = Sources::of_variables(&dirs, named);
    assert!(matches!(load_from(&sources), Err(ConfigError::File(e)) if e.is_not_found()));
    std::fs::write(&missing, "run.retries = 8").unwrap();
    assert_eq!(load_from(&sources).unwrap().value.run.retries, 8);
    std::fs::write(&missing, b"\xff\xfe").unwrap();
    assert!(matches!(load_from(&sources), Err(ConfigError::File(_))));
}

#[test]
fn logging_follows_the_configuration() {
    let loaded = load_with(
        "[logging]\njson = true\nconsole = true\nkeep_files = 2\n",
        &[],
    )
    .unwrap();
    let logging = loaded.value.logging.to_logging("/logs", "symphony");
    assert_eq!(logging.console, Some(LineFormat::Json));
    let file = logging.file.unwrap();
    assert_eq!((file.keep_files, file.format), (2, LineFormat::Json));
    assert_eq!(file.dir, Path::new("/logs"));
}

/// A configuration with every optional key set.
const FULL: &str = "[host]\nsocket_dir = \"/s\"\n[extensions.grants]\nx = [\"p\"]\n\
    [models.x]\nkind = \"openai-compatible\"\nbase_url = \"http://h/v1\"\nmodel = \"m\"\n\
    api_key_env = \"K\"\napi_key_keyring = true\ncontext_tokens = 1\nusd_per_1m_input = 1.0\n\
    usd_per_1m_output = 1.0\nmax_parallel = 1\ntimeout_s = 1\n";

/// The paths of everything in `value` that is not a table, names as `*`.
fn leaves(value: &serde_json::Value, path: &str, out: &mut Vec<String>) {
    let Some(table) = value.as_object() else {
        out.push(path.to_owned());
        return;
    };
    for (name, inner) in table {
        let name = if matches!(path, "models" | "extensions.grants") {
            "*"
        } else {
            name
        };
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        leaves(inner, &path, out);
    }
}

#[test]
fn the_list_of_keys_is_the_schema() {
    let config = load_with(FULL, &[]).unwrap().value;
    let mut schema = Vec::new();
    leaves(&serde_json::to_value(&config).unwrap(), "", &mut schema);
    schema.sort();
    schema.dedup();
    let mut listed: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    listed.sort_unstable();
    assert_eq!(schema, listed);
}

/// The row of the user page for a key.
fn row(key: &Key, defaults: &Loaded<Config>) -> String {
    let name = key.path.replace("models.*", "models.local-model");
    let default = defaults.entries.iter().find(|entry| entry.key == name);
    let default = default.map_or_else(String::new, |entry| format!("`{}`", entry.value));
    let path = key.path.replace('*', "<name>");
    format!(
        "| `{path}` | {default} | `{}` | {} |",
        key.variable(),
        key.about
    )
}

#[test]
fn the_user_page_has_a_row_for_every_key() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap_or_default();
    let layers = [Layer::embedded(DEFAULT, Origin::Default).unwrap()];
    let defaults = Loaded {
        value: load_from(&Sources::default()).unwrap().value,
        entries: loaded::entries(&layers),
    };
    let rows: Vec<String> = KEYS.iter().map(|key| row(key, &defaults)).collect();
    let missing: Vec<&String> = rows
        .iter()
        .filter(|row| !page.lines().any(|line| line == row.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/configuration.md lacks these rows: {missing:#?}"
    );
}
