//! What a frontend can ask of a host: one typed command, one typed answer,
//! events while it works. The same in process and over the host's socket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::PathBuf};
use sy_commons::error::{Categorized, ErrorCategory};
use symphony_core_ports::{ArtifactSummary, Policy, RunRecord, Usage};
use symphony_domain::changes::{
    Application, ChangeSet, ChangeSetSummary, Draft, HunkId, ReviewOutcome, UndoOutcome, Verdict,
};

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Plays a melody; answered by [`Answer::Performed`].
    Perform(Perform),
    /// Plays on a run that failed, was cancelled or was interrupted; answered by [`Answer::Performed`].
    Resume {
        /// Its id or the beginning of it.
        run: String,
        /// Other players for single nodes.
        players: BTreeMap<String, String>,
    },
    /// Stops the run that is playing; answered by [`Answer::Done`].
    Cancel,
    /// Lists runs, newest first; answered by [`Answer::Runs`].
    Runs,
    /// Everything about a run; answered by [`Answer::Run`].
    Run {
        /// Its id or the beginning of it; the newest when empty.
        run: String,
    },
    /// Lists change sets, newest first; answered by [`Answer::ChangeSets`].
    ChangeSets,
    /// A change set with its hunks; answered by [`Answer::ChangeSet`].
    ChangeSet {
        /// Its id or the beginning of it; `None`: the newest with pending hunks, else the newest.
        id: Option<String>,
    },
    /// A hunk with a reviewer's own text, nothing decided; answered by [`Answer::Draft`].
    Draft {
        /// The change set's id.
        id: String,
        /// The hunk.
        hunk: HunkId,
        /// The text; `None`: the hunk as it is.
        text: Option<String>,
    },
    /// Decides hunks and writes what is accepted; answered by [`Answer::Reviewed`].
    Review {
        /// The change set's id.
        id: String,
        /// What is decided.
        verdicts: Vec<(HunkId, Verdict)>,
        /// Merge with what changed in the files since.
        rebase: bool,
    },
    /// Takes back what was written last; answered by [`Answer::Undone`].
    Undo {
        /// A change set or application; `None`: the newest still in place.
        what: Option<String>,
    },
    /// Takes back the last undo; answered by [`Answer::Undone`].
    Redo {
        /// A change set or application; `None`: the newest undo.
        what: Option<String>,
    },
    /// What was written to the project, newest first; answered by [`Answer::History`].
    History,
    /// An artifact; answered by [`Answer::Artifact`].
    Artifact {
        /// Its id or the beginning of it, with or without `b3:`.
        id: String,
    },
    /// The players there are; answered by [`Answer::Players`].
    Players,
    /// The melodies there are; answered by [`Answer::Melodies`].
    Melodies,
    /// Checks a melody without playing it; answered by [`Answer::Checked`].
    Check {
        /// A melody's name, or the path of its file.
        melody: String,
    },
    /// Changes a node of a melody's file; answered by [`Answer::MelodySet`].
    SetMelody(SetMelody),
    /// Drives the text engine over a file; answered by [`Answer::Edited`].
    Edit(EditFile),
    /// Who the host is and how its processes are; answered by [`Answer::Status`].
    Status,
}

/// A melody to be played.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Perform {
    /// A melody's name, or the absolute path of its file.
    pub melody: String,
    /// Its inputs.
    pub inputs: BTreeMap<String, Value>,
    /// Players for single nodes: node to `instrument/NAME` (or just NAME).
    pub players: BTreeMap<String, String>,
    /// The Instrument for every node that is left to the Conductor.
    pub model: Option<String>,
    /// Leave results of earlier runs unused.
    pub fresh: bool,
}

/// Operations of the text engine on a file: all of them are done, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditFile {
    /// The file, absolute.
    pub path: PathBuf,
    /// What is done, in order.
    pub operations: Vec<EditOperation>,
    /// Take it back at the end, and write nothing.
    pub dry_run: bool,
}

/// A request of the protocol `xi-editor/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditOperation {
    /// Where it stands among those that were given, from 1.
    pub line: usize,
    /// The method.
    pub method: String,
    /// Its parameters; `buffer` and `view` are filled in.
    pub params: Map<String, Value>,
}

/// Changes of a node of a melody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetMelody {
    /// A melody's name, or the absolute path of its file.
    pub melody: String,
    /// The node.
    pub node: String,
    /// Who plays it, as in the melody.
    pub player: Option<String>,
    /// Values by input port.
    pub with: BTreeMap<String, Value>,
    /// Tries after the first one.
    pub retries: Option<u32>,
    /// The wait before the second try, as in the melody.
    pub backoff: Option<String>,
    /// How long a try may take, as in the melody.
    pub timeout: Option<String>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done, nothing to tell.
    Done,
    /// A melody was played.
    Performed(Performed),
    /// Runs, newest first.
    Runs {
        /// The runs.
        runs: Vec<RunSummary>,
    },
    /// A run.
    Run {
        /// How far it is.
        state: RunState,
        /// Everything recorded of it.
        record: RunRecord,
    },
    /// Change sets, newest first.
    ChangeSets {
        /// The change sets.
        change_sets: Vec<ChangeSetSummary>,
    },
    /// A change set.
    ChangeSet {
        /// The change set.
        change_set: ChangeSet,
    },
    /// A hunk with a reviewer's own text.
    Draft {
        /// The hunk, the text and what accepting it comes to.
        draft: Draft,
    },
    /// A review was written.
    Reviewed {
        /// What was accepted, rejected and written.
        outcome: ReviewOutcome,
    },
    /// Something was taken back.
    Undone {
        /// What.
        outcome: UndoOutcome,
    },
    /// What was written to the project, newest first.
    History {
        /// The applications.
        applications: Vec<Application>,
    },
    /// An artifact.
    Artifact {
        /// What is known of it.
        summary: ArtifactSummary,
        /// Its bytes as text; `None` when they are none.
        text: Option<String>,
    },
    /// The players.
    Players {
        /// Sorted by name.
        players: Vec<PlayerSummary>,
        /// The plugins of the text engine, by name.
        #[serde(default)]
        xi_plugins: Vec<XiPluginSummary>,
        /// Manifests that could not be used, each with the reason.
        problems: Vec<String>,
        /// Who chooses among them.
        policy: Policy,
    },
    /// The melodies.
    Melodies {
        /// Sorted by name.
        melodies: Vec<MelodySummary>,
    },
    /// A melody is sound.
    Checked {
        /// Its name.
        name: String,
        /// How many nodes it has.
        nodes: usize,
    },
    /// A melody was changed, or is so already.
    MelodySet(MelodySet),
    /// A file was edited.
    Edited(Edited),
    /// The host.
    Status(Status),
}

/// A melody was played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Performed {
    /// The run.
    pub run: String,
    /// The melody's name.
    pub melody: String,
    /// The melody's outputs by name, without change sets.
    pub outputs: Map<String, Value>,
    /// What it consumed.
    pub usage: Usage,
    /// Milliseconds it took.
    pub elapsed_ms: u64,
    /// The change set that waits for review, if there is one.
    pub change_set: Option<ChangeSetSummary>,
    /// What verifiers said of what they left out.
    pub findings: Vec<String>,
    /// Instruments that played, by name.
    pub instruments: Vec<String>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It is playing now.
    Playing,
    /// All nodes are done.
    Succeeded,
    /// A node failed; it can be resumed.
    Failed,
    /// It was stopped; it can be resumed.
    Cancelled,
    /// Symphony ended in the middle of it; it can be resumed.
    Interrupted,
}

/// A run in a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// The melody's name.
    pub melody: String,
    /// How far it is.
    pub state: RunState,
    /// When it began.
    pub started: std::time::SystemTime,
    /// Pieces of work that are done.
    pub done: usize,
    /// What it consumed.
    pub usage: Usage,
    /// Why it failed.
    pub error: Option<String>,
}

/// A player in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlayerSummary {
    /// How melodies name it.
    pub player: String,
    /// Its version.
    pub version: String,
    /// One sentence for people.
    pub description: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// What it asked for and was granted.
    pub granted: Vec<String>,
    /// What it asked for and was not granted: it does not play.
    pub missing: Vec<String>,
}

/// A plugin of the text engine in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct XiPluginSummary {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `stopped`, `running`, `crashed` or `disabled`.
    pub state: String,
    /// Titles of the commands that it offers.
    pub commands: Vec<String>,
    /// The languages that it knows.
    pub languages: Vec<String>,
}

/// A melody in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MelodySummary {
    /// Its name.
    pub name: String,
    /// One or two sentences for people.
    pub description: String,
    /// Its inputs: name and type.
    pub inputs: Vec<(String, String)>,
    /// Its file.
    pub path: String,
    /// The file of the same name that came with Symphony and is not used, as this is the user's.
    #[serde(default)]
    pub replaces: Option<String>,
    /// What is wrong with it, if anything.
    pub problem: Option<String>,
}

/// A file that was edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// The file, as in the project.
    pub path: String,
    /// Whether it was written.
    pub saved: bool,
    /// What changed, as a unified diff; empty when nothing did.
    pub diff: String,
    /// What the text engine answered to each operation.
    pub answers: Vec<Value>,
}

/// A melody that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MelodySet {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// The file that came with Symphony, where the user's own was made of it just now.
    pub copied_from: Option<String>,
    /// What changed, as a unified diff; empty when it was so already: nothing is written then.
    pub diff: String,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The project's folder.
    pub project: String,
    /// Where the project's state is kept.
    pub state: String,
    /// The host's process id.
    pub pid: u32,
    /// The run that is playing.
    pub playing: Option<String>,
    /// Who chooses.
    pub policy: Policy,
    /// Child processes: name, process id, health.
    pub processes: Vec<(String, Option<u32>, String)>,
}

/// Why a command was not done. Crosses the socket as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    /// What it means for the caller, and the exit code.
    pub kind: ErrorKind,
    /// What is wrong and where; may have several lines.
    pub message: String,
    /// Why, each the cause of the one before.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What to do.
    #[serde(default)]
    pub help: Option<String>,
}

/// What an error means for the caller; its number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// It did not work out.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A project, melody, file, configuration or value is wrong.
    Input = 3,
    /// Something else happened meanwhile: files changed, another run plays.
    Conflict = 4,
    /// Something is missing or refused by the machine: a program, a model, disk space, a permission.
    Environment = 5,
    /// A run failed and can be resumed.
    RunFailed = 6,
    /// It was stopped.
    Cancelled = 130,
}

impl ErrorKind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        self as u8
    }
}

impl CommandError {
    /// An error without causes.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            help: None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// From an error that knows its category.
    pub fn from_categorized(error: &dyn Categorized) -> Self {
        let kind = match error.category() {
            ErrorCategory::FixInput | ErrorCategory::FixConfiguration => ErrorKind::Input,
            ErrorCategory::FixEnvironment | ErrorCategory::Denied => ErrorKind::Environment,
            ErrorCategory::Cancelled => ErrorKind::Cancelled,
            _ => ErrorKind::Failed,
        };
        let mut causes: Vec<String> = Vec::new();
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) && causes.last() != Some(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        if let Some(trimmed) = message.strip_suffix('\n') {
            message = trimmed.to_owned();
        }
        Self {
            kind,
            message,
            causes,
            help: error.help(),
        }
    }
}

impl<E: Categorized> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self::from_categorized(&error)
    }
}
