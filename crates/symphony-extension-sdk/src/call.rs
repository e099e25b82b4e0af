//! A call as the author sees it.

use crate::Failure;
use crate::output::Output;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::extension::{Initialize, Invoke, Log, Progress, TextDelta, method};

/// What the host handed over at the start: project, settings and secrets.
#[derive(Clone, Default)]
pub struct Session {
    project: Option<PathBuf>,
    settings: Map<String, Value>,
    secrets: BTreeMap<String, String>,
}

// Secrets stay out of logs.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("project", &self.project)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Session {
    /// A session over a project, for tests.
    pub fn in_project(project: impl Into<PathBuf>) -> Self {
        Self {
            project: Some(project.into()),
            ..Self::default()
        }
    }

    /// The project's folder.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the user did not grant reading it.
    pub fn project(&self) -> Result<&Path, Failure> {
        self.project
            .as_deref()
            .ok_or_else(|| Failure::Refused("reading the project was not granted".to_owned()))
    }

    /// A setting from the configuration; `None` when it is not set.
    ///
    /// # Errors
    /// [`Failure::Refused`] when its value has another type.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        present(self.settings.get(name))
            .map(|value| {
                T::deserialize(value)
                    .map_err(|e| Failure::Refused(format!("setting `{name}`: {e}")))
            })
            .transpose()
    }

    /// A secret that the manifest declares and the user granted. Never log it.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).map(String::as_str)
    }
}

impl From<Initialize> for Session {
    fn from(from: Initialize) -> Self {
        Self {
            project: from.project,
            settings: from.settings,
            secrets: from.secrets,
        }
    }
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the extension's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Something went wrong, the call goes on.
    Warn,
    /// Something is broken.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One call: its inputs, and the way back to the host while it runs.
pub struct Call {
    invoke: Invoke,
    session: Arc<Session>,
    stop: Arc<AtomicBool>,
    deadline: Option<Instant>,
    output: Arc<Output>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("id", &self.invoke.call)
            .field("inputs", &self.invoke.inputs.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn new(
        invoke: Invoke,
        session: Arc<Session>,
        stop: Arc<AtomicBool>,
        output: Arc<Output>,
    ) -> Self {
        let deadline = invoke
            .timeout_ms
            .and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)));
        Self {
            invoke,
            session,
            stop,
            deadline,
            output,
        }
    }

    /// A call outside of a host, for tests: progress, text and log lines go nowhere.
    pub fn detached<'a>(
        session: Session,
        inputs: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Self {
        let invoke = Invoke {
            call: "detached".to_owned(),
            inputs: inputs
                .into_iter()
                .map(|(port, value)| (port.to_owned(), value))
                .collect(),
            idempotency_key: String::new(),
            timeout_ms: None,
        };
        let output = Arc::new(Output::new(std::io::sink()));
        Self::new(invoke, Arc::new(session), Arc::default(), output)
    }

    /// The call's id, unique among running calls.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.invoke.call
    }

    /// The same for every try of the same piece of work; may be empty.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.invoke.idempotency_key
    }

    /// Project, settings and secrets.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The project's folder.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the user did not grant reading it.
    pub fn project(&self) -> Result<&Path, Failure> {
        self.session.project()
    }

    /// The value of an input port that must be there.
    ///
    /// # Errors
    /// [`Failure::Input`] naming the port, when it is absent or has another type.
    pub fn input<T: DeserializeOwned>(&self, port: &str) -> Result<T, Failure> {
        self.optional(port)?
            .ok_or_else(|| Failure::input(port, "is required"))
    }

    /// The value of an input port; `None` when it is absent or null.
    ///
    /// # Errors
    /// [`Failure::Input`] naming the port, when the value has another type.
    pub fn optional<T: DeserializeOwned>(&self, port: &str) -> Result<Option<T>, Failure> {
        present(self.invoke.inputs.get(port))
            .map(|value| T::deserialize(value).map_err(|e| Failure::input(port, e)))
            .transpose()
    }

    /// The value of an input port, or `default` when it is absent or null.
    ///
    /// # Errors
    /// [`Failure::Input`] naming the port, when the value has another type.
    pub fn input_or<T: DeserializeOwned>(&self, port: &str, default: T) -> Result<T, Failure> {
        Ok(self.optional(port)?.unwrap_or(default))
    }

    /// All inputs by port.
    #[must_use]
    pub fn inputs(&self) -> &Map<String, Value> {
        &self.invoke.inputs
    }

    /// Whether the host has no use for the result any more: it cancelled, or its time-out passed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.check().is_err()
    }

    /// The flag behind `cancel`, to hand to other threads.
    #[must_use]
    pub fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Time left until the host gives up; `None` when it waits without a limit.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Ends the call early when the host has no use for its result any more.
    ///
    /// # Errors
    /// [`Failure::Cancelled`] or [`Failure::Timeout`].
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Acquire) {
            return Err(Failure::Cancelled);
        }
        if self.remaining() == Some(Duration::ZERO) {
            return Err(Failure::Timeout("the host's time-out passed".to_owned()));
        }
        Ok(())
    }

    /// Tells the host how far the call is; `total` where known.
    pub fn progress(&self, done: u64, total: Option<u64>, message: impl Into<String>) {
        let progress = Progress {
            call: self.invoke.call.clone(),
            done,
            total,
            message: message.into(),
        };
        self.output.notify(method::PROGRESS, &progress);
    }

    /// Hands on the next piece of a model's text.
    pub fn text(&self, text: impl Into<String>) {
        let delta = TextDelta {
            call: self.invoke.call.clone(),
            text: text.into(),
        };
        self.output.notify(method::TEXT, &delta);
    }

    /// Writes a line to Symphony's log.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        let log = Log {
            level: level.name().to_owned(),
            message: message.into(),
        };
        self.output.notify(method::LOG, &log);
    }
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}
