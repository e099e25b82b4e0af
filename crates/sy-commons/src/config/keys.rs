//! The list of keys: to tell unknown ones, read the environment by type, and
//! hold the documentation to the schema.

/// What a key's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A list of texts; in the environment separated by commas.
    List,
}

/// A key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its path; `*` stands for any name.
    pub path: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it does, for the user.
    pub about: &'static str,
}

const fn key(path: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { path, kind, about }
}

/// Every key, in the order of the [schema](super::schema).
pub const KEYS: &[Key] = &[
    key(
        "logging.level",
        Kind::Text,
        "`error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,symphony_actors=debug`",
    ),
    key("logging.console", Kind::Bool, "write log lines to stderr"),
    key(
        "logging.file",
        Kind::Bool,
        "write log lines to a file, renewed daily",
    ),
    key(
        "logging.json",
        Kind::Bool,
        "write JSON objects instead of text",
    ),
    key(
        "logging.keep_files",
        Kind::Integer,
        "daily log files to keep; 0 keeps all",
    ),
    key(
        "host.socket_dir",
        Kind::Text,
        "folder of the host's sockets; by default the platform's runtime folder",
    ),
    key(
        "run.max_parallel",
        Kind::Integer,
        "pieces of work (nodes, elements of fan-outs) at once, whoever plays; 0 for one a core, calls of models not counted",
    ),
    key(
        "run.node_timeout_s",
        Kind::Integer,
        "seconds a node may take, unless the melody says otherwise",
    ),
    key(
        "run.retries",
        Kind::Integer,
        "times a failed node is tried again, unless the melody says otherwise",
    ),
    key(
        "run.keep_runs_days",
        Kind::Integer,
        "days after which the record of a run that succeeded is removed; 0 for never",
    ),
    key(
        "budget.max_calls",
        Kind::Integer,
        "model calls a run may make; 0 for no limit",
    ),
    key(
        "budget.max_tokens",
        Kind::Integer,
        "tokens a run may use, in and out; 0 for no limit",
    ),
    key(
        "budget.max_usd",
        Kind::Float,
        "US dollars a run may cost; 0 for no limit",
    ),
    key(
        "budget.max_seconds",
        Kind::Integer,
        "seconds a run may take; 0 for no limit",
    ),
    key(
        "editor.startup_timeout_ms",
        Kind::Integer,
        "milliseconds the text engine may take from its start to its first answer",
    ),
    key(
        "editor.heartbeat_ms",
        Kind::Integer,
        "milliseconds between its signs of life",
    ),
    key(
        "editor.max_file_bytes",
        Kind::Integer,
        "the largest file it opens, in bytes",
    ),
    key(
        "editor.plugin_folders",
        Kind::List,
        "folders of plugins in xi's own dialect",
    ),
    key(
        "editor.plugins",
        Kind::List,
        "those of them that are started, by name; they run with your rights",
    ),
    key(
        "conductor.default_model",
        Kind::Text,
        "the model used where none is named; one of `models`",
    ),
    key(
        "models.*.kind",
        Kind::Text,
        "`local` (the bundled small model) or `openai-compatible`",
    ),
    key(
        "models.*.base_url",
        Kind::Text,
        "the server's address, up to `/v1`; needed for `openai-compatible`",
    ),
    key(
        "models.*.model",
        Kind::Text,
        "the model's name on the server",
    ),
    key(
        "models.*.api_key_env",
        Kind::Text,
        "environment variable that holds the key",
    ),
    key(
        "models.*.api_key_keyring",
        Kind::Bool,
        "take the key from the platform's keyring",
    ),
    key(
        "models.*.context_tokens",
        Kind::Integer,
        "tokens the model's context holds",
    ),
    key(
        "models.*.usd_per_1m_input",
        Kind::Float,
        "US dollars for a million tokens in",
    ),
    key(
        "models.*.usd_per_1m_output",
        Kind::Float,
        "US dollars for a million tokens out",
    ),
    key(
        "models.*.max_parallel",
        Kind::Integer,
        "calls to the model at once; no own limit when missing",
    ),
    key(
        "models.*.timeout_s",
        Kind::Integer,
        "seconds a call may take",
    ),
    key(
        "extensions.search_paths",
        Kind::List,
        "folders to look for extensions in, besides the built-in ones",
    ),
    key(
        "extensions.grants.*",
        Kind::List,
        "permissions granted to the extension of that id",
    ),
];

/// A key's path, segment by segment.
pub(super) type Path = Vec<String>;

impl Key {
    /// The environment variable that sets it; `*` becomes `<NAME>`.
    #[must_use]
    pub fn variable(&self) -> String {
        let parts: Vec<String> = self
            .path
            .split('.')
            .map(|part| {
                if part == "*" {
                    "<NAME>".to_owned()
                } else {
                    part.to_uppercase()
                }
            })
            .collect();
        format!("{}{}", super::PREFIX, parts.join("__"))
    }

    fn matches(&self, path: &[String]) -> bool {
        self.path.split('.').count() == path.len() && self.begins_with(path)
    }

    /// Whether the key is `path` or lies below it.
    fn begins_with(&self, path: &[String]) -> bool {
        let mut parts = self.path.split('.');
        path.iter().all(|segment| {
            parts
                .next()
                .is_some_and(|part| part == "*" || part == segment)
        })
    }
}

/// The key at `path`.
pub(super) fn find(path: &[String]) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.matches(path))
}

/// Whether `path` is a key or a table above keys.
pub(super) fn is_known(path: &[String]) -> bool {
    KEYS.iter().any(|key| key.begins_with(path))
}

/// A path as it is written in TOML.
pub(super) fn dotted<S: AsRef<str>>(path: &[S]) -> String {
    let quoted: Vec<String> = path
        .iter()
        .map(|segment| {
            let segment = segment.as_ref();
            let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if !segment.is_empty() && segment.chars().all(bare) {
                segment.to_owned()
            } else {
                format!("{segment:?}")
            }
        })
        .collect();
    quoted.join(".")
}

/// The known key most like an unknown one, if any is like it at all.
pub(super) fn nearest(path: &[String]) -> Option<String> {
    let wanted = dotted(path);
    let last = path.last()?;
    let mut best: Option<(usize, String)> = None;
    for key in KEYS {
        let parts: Path = key
            .path
            .split('.')
            .enumerate()
            .map(|(at, part)| match path.get(at) {
                Some(name) if part == "*" => name.clone(),
                _ => part.to_owned(),
            })
            .collect();
        let candidate = dotted(&parts);
        // The right name in the wrong section is a near miss as well.
        let misplaced = parts.last() == Some(last) && !key.path.ends_with('*');
        let distance = if misplaced {
            1
        } else {
            edit_distance(&wanted, &candidate)
        };
        if best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    let limit = (wanted.chars().count() / 3).max(2);
    best.filter(|(distance, _)| *distance <= limit)
        .map(|(_, key)| key)
}

/// Levenshtein's distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn finds_keys_with_names_in_them() {
        assert_eq!(find(&path("logging.level")).unwrap().kind, Kind::Text);
        assert_eq!(
            find(&path("models.any.timeout_s")).unwrap().path,
            "models.*.timeout_s"
        );
        assert!(find(&path("models.any")).is_none() && is_known(&path("models.any")));
        assert!(!is_known(&path("logging.level.x")) && !is_known(&path("nothing")));
    }

    #[test]
    fn names_the_nearest_key() {
        let near = |text: &str| nearest(&path(text)).unwrap_or_default();
        assert_eq!(near("loging.level"), "logging.level");
        assert_eq!(near("run.retrys"), "run.retries");
        assert_eq!(
            near("models.gpt.contxt_tokens"),
            "models.gpt.context_tokens"
        );
        assert_eq!(near("level"), "logging.level");
        assert_eq!(near("logging.level.deep"), "logging.level");
        assert_eq!(near("zzzzzzzz"), "");
    }

    #[test]
    fn distances() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn variables_and_quoting() {
        assert_eq!(KEYS[0].variable(), "SYMPHONY_LOGGING__LEVEL");
        let timeout = find(&path("models.x.timeout_s")).unwrap();
        assert_eq!(timeout.variable(), "SYMPHONY_MODELS__<NAME>__TIMEOUT_S");
        assert_eq!(
            dotted(&["models", "gpt-4.1", "kind"]),
            "models.\"gpt-4.1\".kind"
        );
    }
}
