//! Our `xi-editor`, spoken to as `docs/protocols/xi-editor.md` has it.

use super::{Core, Place, SHOWN};
use crate::error::Error;
use crate::process::{Memory, Process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A view of a text in our `xi-editor`.
pub struct Ours {
    process: Process,
    buffer: Value,
    view: Value,
    file: Option<PathBuf>,
    /// Whether the lines on the screen are asked for with each letter.
    shows: bool,
    /// The request to type a letter, and the one for the lines.
    typing: String,
}

impl Ours {
    /// Starts the program. When it `shows`, typing includes that all lines on
    /// the screen are asked for again.
    ///
    /// # Errors
    /// When it cannot be started or refuses.
    pub fn start(program: &Path, shows: bool) -> Result<Self, Error> {
        let mut process = Process::start("xi-editor", &mut Command::new(program))?;
        let hello = json!({"client": "peers", "protocols": ["xi-editor/1"], "watch": true});
        call(&mut process, "initialize", &hello)?;
        Ok(Self {
            process,
            buffer: Value::Null,
            view: Value::Null,
            file: None,
            shows,
            typing: String::new(),
        })
    }

    fn lines(&self, first: usize) -> Value {
        json!({"view": self.view, "first": first + 1, "count": SHOWN})
    }

    /// Does a command; letters are typed with the lines from `first` on shown after it.
    fn command(&mut self, command: &Value, first: usize) -> Result<(), Error> {
        call(&mut self.process, "command", command)?;
        let typed = json!({"view": self.view, "command": {"name": "insert", "text": "x"}});
        self.typing = request("command", &typed);
        if self.shows {
            self.typing += &request("lines", &self.lines(first));
        }
        call(&mut self.process, "ping", &json!({}))?;
        Ok(())
    }
}

impl Core for Ours {
    fn open(&mut self, path: Option<&Path>) -> Result<(), Error> {
        let what = match path {
            Some(path) => json!({"path": path}),
            None => json!({"text": ""}),
        };
        let buffer = call(&mut self.process, "open", &what)?["buffer"].take();
        let view = call(&mut self.process, "open_view", &json!({"buffer": buffer}))?["view"].take();
        (self.buffer, self.view, self.file) = (buffer, view, path.map(Path::to_owned));
        let lines = self.lines(0);
        call(&mut self.process, "lines", &lines)?;
        Ok(())
    }

    fn go(&mut self, place: Place) -> Result<(), Error> {
        let command = match place {
            Place::Start => json!({"name": "move", "by": "document", "direction": "backward"}),
            Place::Line(line) => json!({"name": "goto_line", "line": line + 1, "column": 1}),
            Place::End(_) => json!({"name": "move", "by": "document"}),
        };
        let command = json!({"view": self.view, "command": command});
        self.command(&command, place.first_shown())
    }

    fn next_line(&mut self, first: usize) -> Result<(), Error> {
        let command = json!({"view": self.view, "command": {"name": "insert_newline"}});
        self.command(&command, first)
    }

    fn insert(&mut self) -> Result<(), Error> {
        self.process.send(&self.typing)?;
        let mut answers = if self.shows { 2 } else { 1 };
        let mut told = false;
        // The event of the selection is the last that follows from a letter.
        while answers > 0 || !told {
            let line = self.process.line()?;
            if line.contains("\"result\"") {
                answers -= 1;
            } else if line.contains("\"selection_changed\"") {
                told = true;
            } else if line.contains("\"error\"") {
                return Err(self.process.unexpected());
            }
        }
        Ok(())
    }

    fn save(&mut self, path: &Path) -> Result<(), Error> {
        let mut save = json!({"buffer": self.buffer});
        if self.file.as_deref() != Some(path) {
            save["path"] = json!(path);
        }
        call(&mut self.process, "save", &save)?;
        self.file = Some(path.to_owned());
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Error> {
        self.process.send(&request("ping", &json!({})))?;
        let line = self.process.line()?;
        if line.contains("\"result\"") {
            return Ok(());
        }
        Err(self.process.unexpected())
    }

    fn memory(&self) -> Result<Memory, Error> {
        self.process.memory()
    }
}

fn request(method: &str, params: &Value) -> String {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    format!("{request}\n")
}

/// Waits for the answer; events before it are passed over.
fn call(process: &mut Process, method: &str, params: &Value) -> Result<Value, Error> {
    process.send(&request(method, params))?;
    let line = process.line_with("\"id\":1,")?;
    let answer: Option<Value> = serde_json::from_str(line).ok();
    match answer.and_then(|mut answer| answer.get_mut("result").map(Value::take)) {
        Some(result) => Ok(result),
        None => Err(process.unexpected()),
    }
}
