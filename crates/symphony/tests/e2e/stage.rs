//! A stage: a project and a home of Symphony's own in a temporary folder, and
//! the real program run on them.

use crate::processes::{self, Process};
use crate::server::Server;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Programs that the built one needs beside it.
const SIBLINGS: [&str; 4] = [
    "xi-editor",
    "symphony-extension-runner",
    "symphony-code-operators",
    "symphony-openai-compatible",
];

/// The repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// The Python with our packages.
pub fn python() -> PathBuf {
    let own = workspace().join(".venv/bin/python");
    match std::env::var_os("SYMPHONY_PYTHON").filter(|path| !path.is_empty()) {
        Some(path) => path.into(),
        None if own.exists() => own,
        None => "python3".into(),
    }
}

fn program() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_symphony"));
    for sibling in SIBLINGS {
        let path = program.with_file_name(sibling);
        assert!(
            path.exists(),
            "{} is missing; `cargo xtask test` builds it",
            path.display()
        );
    }
    program
}

/// A project and a home of Symphony's own.
pub struct Stage {
    dir: tempfile::TempDir,
    /// The project's folder.
    pub project: PathBuf,
    /// `SYMPHONY_HOME`.
    pub home: PathBuf,
    /// More variables.
    pub variables: Vec<(String, String)>,
}

impl Stage {
    /// A stage with these files in the project.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("symphony-e2e-")
            .tempdir()
            .unwrap();
        let (project, home) = (dir.path().join("project"), dir.path().join("home"));
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir_all(home.join("config")).unwrap();
        let stage = Self {
            dir,
            project,
            home,
            variables: Vec::new(),
        };
        for (path, text) in files {
            stage.write(path, text);
        }
        stage
    }

    /// The same, with a server as its default model, two calls at once.
    pub fn playing(server: &Server, files: &[(&str, &str)]) -> Self {
        let stage = Self::with(files);
        stage.configure(server.port(), "max_parallel = 2", "");
        stage
    }

    /// Writes the configuration: a model at a port with more settings, and more tables.
    pub fn configure(&self, port: u16, model: &str, more: &str) {
        let text = format!(
            "[conductor]\ndefault_model = \"scripted\"\n\n[models.scripted]\nkind = \"openai-compatible\"\n\
             base_url = \"http://127.0.0.1:{port}/v1\"\nmodel = \"scripted\"\ncontext_tokens = 8192\n{model}\n{more}"
        );
        std::fs::write(self.home.join("config/config.toml"), text).unwrap();
    }

    /// A folder beside the project.
    pub fn beside(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file of the project.
    pub fn read(&self, path: &str) -> String {
        let path = self.project.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// All files of the project with their bytes.
    pub fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.project.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path
                        .strip_prefix(&self.project)
                        .unwrap()
                        .display()
                        .to_string();
                    files.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    fn prepared(&self, mut command: Command, args: &[&str]) -> Command {
        command.args(args).arg("--json");
        self.placed(command)
    }

    fn placed(&self, mut command: Command) -> Command {
        command
            .arg("--project")
            .arg(&self.project)
            .env("SYMPHONY_HOME", &self.home)
            .env("SYMPHONY_SHARE", workspace())
            .env("SYMPHONY_PYTHON", python())
            .env_remove("SYMPHONY_CONFIG")
            .env_remove("SYMPHONY_ENV")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the program with `--json` on the project.
    pub fn start(&self, args: &[&str]) -> Running {
        self.start_program(&program(), args)
    }

    /// The same with a program that lies elsewhere.
    pub fn start_program(&self, program: &Path, args: &[&str]) -> Running {
        Running::start(self.prepared(Command::new(program), args))
    }

    /// Starts it after a shell has done `setup` in a mount namespace of its own, and does `after`
    /// there when it has ended.
    pub fn start_mounted(&self, setup: &str, args: &[&str], after: &str) -> Running {
        let mut command = Command::new("unshare");
        let script = format!("set -e\n{setup}\nset +e\n\"$@\"\ncode=$?\n{after}\nexit $code");
        command
            .args(["--mount", "sh", "-c", &script, "sh"])
            .arg(program());
        Running::start(self.prepared(command, args))
    }

    /// Runs it on a terminal, where someone waits for a text and then presses
    /// keys, for each of the steps.
    pub fn at_terminal(&self, args: &[&str], steps: &[(&str, &str)]) -> Done {
        let mut command = Command::new(python());
        let steps = serde_json::to_string(steps).unwrap();
        command.args(["-c", include_str!("terminal.py"), &steps]);
        command.arg(program()).args(args);
        Running::start(self.placed(command)).wait()
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Done {
        self.start(args).wait()
    }

    /// Runs it and expects success; its result.
    pub fn must(&self, args: &[&str]) -> Value {
        self.run(args).result()
    }

    /// Runs it and expects an error of this exit code.
    pub fn fails(&self, args: &[&str], code: i32) -> Failure {
        self.run(args).failure(code)
    }

    /// Performs `document` and gives back the change set's id.
    pub fn document(&self) -> String {
        let result = self.must(&["perform", "document"]);
        result["change_set"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no change set in {result}"))
            .to_owned()
    }

    /// The state of the newest run.
    pub fn newest_run(&self) -> (String, String) {
        let runs = self.must(&["runs"]);
        let text = |key: &str| runs["runs"][0][key].as_str().unwrap_or_default().to_owned();
        (text("id"), text("state"))
    }

    /// Asserts that no process of this stage is left, waiting a little for the last to end.
    pub fn assert_nothing_left(&self) {
        processes::assert_ended(
            |process| process.mentions(self.dir.path()),
            "a process is left",
        );
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A failed test must not leave what it started.
        for process in processes::all()
            .into_iter()
            .filter(|process| process.mentions(self.dir.path()))
        {
            process.kill();
        }
    }
}

/// The program while it runs.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    started: Instant,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self {
            child,
            stdout: Some(reader(out)),
            stderr: Some(reader(err)),
            started: Instant::now(),
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its children and theirs.
    pub fn descendants(&self) -> Vec<Process> {
        processes::descendants(self.id())
    }

    /// Waits for a child whose command line has this in it.
    pub fn wait_for_child(&mut self, name: &str) -> Option<Process> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(found) = self
                .descendants()
                .into_iter()
                .find(|process| process.command.contains(name))
            {
                return Some(found);
            }
            if self.has_ended() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        processes::signal(self.id(), signal);
    }

    /// Kills it (signal 9) and asserts that all its children end.
    pub fn kill(mut self) {
        let family = self.descendants();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let left = |process: &Process| family.iter().any(|known| known.is(process));
        processes::assert_ended(left, "a child outlived the killed program");
    }

    fn status(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if self.started.elapsed() > PATIENCE {
                let family = self.descendants();
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                let (out, err) = self.output();
                panic!(
                    "it did not end within {PATIENCE:?}; its children: {family:?}\n{out}\n{err}"
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn output(&mut self) -> (String, String) {
        let text = |handle: Option<JoinHandle<String>>| handle.unwrap().join().unwrap();
        (text(self.stdout.take()), text(self.stderr.take()))
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Done {
        let status = self.status();
        let elapsed = self.started.elapsed();
        let (stdout, stderr) = self.output();
        Done {
            code: status.code(),
            stdout,
            stderr,
            elapsed,
        }
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// What came of a command.
#[derive(Debug)]
pub struct Done {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it told people.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl Done {
    /// The lines of JSON.
    pub fn lines(&self) -> Vec<Value> {
        let read = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("`{line}` is no JSON ({error}) in {self:?}"))
        };
        self.stdout.lines().map(read).collect()
    }

    fn last(&self) -> Value {
        self.lines()
            .pop()
            .unwrap_or_else(|| panic!("nothing was printed: {self:?}"))
    }

    /// The result of a success.
    #[track_caller]
    pub fn result(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        let last = self.last();
        assert!(
            last.get("result").is_some(),
            "the last line is no result: {last}"
        );
        last["result"].clone()
    }

    /// The error of a failure; it says what to do or why, and no panic was seen.
    #[track_caller]
    pub fn failure(&self, code: i32) -> Failure {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let last = self.last();
        let error = &last["error"];
        assert_eq!(error["exit_code"], code, "{last}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "an error without words: {last}");
        Failure {
            text: error.to_string(),
            elapsed: self.elapsed,
        }
    }
}

/// An error of a command.
#[derive(Debug)]
pub struct Failure {
    /// Its message, causes and help, as JSON.
    pub text: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl Failure {
    /// Asserts that it names these.
    #[track_caller]
    pub fn names(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(
                self.text.contains(part),
                "`{part}` is not named by {}",
                self.text
            );
        }
        self
    }

    /// Asserts that it came within this time.
    #[track_caller]
    pub fn within(&self, seconds: u64) -> &Self {
        assert!(
            self.elapsed < Duration::from_secs(seconds),
            "it took {:?}: {}",
            self.elapsed,
            self.text
        );
        self
    }
}

/// The run's id in an error or a printed line.
pub fn run_of(done: &Done) -> String {
    let lines = done.lines();
    let started = lines.iter().find(|line| line["event"] == "run_started");
    started
        .and_then(|line| line["run"].as_str())
        .unwrap_or_else(|| panic!("no run began: {done:?}"))
        .to_owned()
}
