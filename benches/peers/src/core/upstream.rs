//! Upstream's `xi-core`, spoken to as its front-end protocol has it.

use super::{Core, Place, SHOWN};
use crate::error::Error;
use crate::process::{Memory, Process};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What an update begins with or holds.
const UPDATE: &str = "\"method\":\"update\"";

/// A view in upstream's core.
pub struct Upstream {
    process: Process,
    view: Value,
    /// The notification that types a letter.
    typing: String,
}

impl Upstream {
    /// Starts the program; its log goes to a folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, logs: &Path) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.env("XI_LOG_DIR", logs);
        let mut process = Process::start("xi-core", &mut command)?;
        // Without a folder of settings there are no plugins: plain text.
        process.send(&notification("client_started", &json!({})))?;
        Ok(Self {
            process,
            view: Value::Null,
            typing: String::new(),
        })
    }

    fn edit(&self, method: &str, params: &Value) -> String {
        let edit = json!({"view_id": self.view, "method": method, "params": params});
        notification("edit", &edit)
    }

    /// Does an edit and shows the lines from `first` on.
    fn show(&mut self, edit: &str, first: usize) -> Result<(), Error> {
        let shown = self.edit("scroll", &json!([first, first + SHOWN]));
        self.process.send(&format!("{edit}{shown}"))?;
        self.barrier()?;
        Ok(())
    }

    /// Asks for something and waits for the answer; how many updates came before it.
    fn barrier(&mut self) -> Result<usize, Error> {
        let asked = json!({"id": 1, "method": "get_config", "params": {"view_id": self.view}});
        self.process.send(&format!("{asked}\n"))?;
        let mut updates = 0;
        loop {
            let line = self.process.line()?;
            if line.contains(UPDATE) {
                updates += 1;
            } else if line.contains("\"id\":1") {
                return Ok(updates);
            }
        }
    }
}

impl Core for Upstream {
    fn open(&mut self, path: Option<&Path>) -> Result<(), Error> {
        let params = path.map_or_else(|| json!({}), |path| json!({"file_path": path}));
        let opening = json!({"id": 0, "method": "new_view", "params": params});
        self.process.send(&format!("{opening}\n"))?;
        let line = self.process.line_with("\"id\":0")?;
        let answer: Option<Value> = serde_json::from_str(line).ok();
        self.view = match answer.and_then(|mut a| a.get_mut("result").map(Value::take)) {
            Some(view) => view,
            None => return Err(self.process.unexpected()),
        };
        self.process.line_with(UPDATE)?;
        self.typing = self.edit("insert", &json!({"chars": "x"}));
        Ok(())
    }

    fn go(&mut self, place: Place) -> Result<(), Error> {
        let moving = match place {
            Place::Start => self.edit("move_to_beginning_of_document", &json!([])),
            Place::Line(line) => self.edit("goto_line", &json!({"line": line})),
            Place::End(_) => self.edit("move_to_end_of_document", &json!([])),
        };
        self.show(&moving, place.first_shown())
    }

    fn next_line(&mut self, first: usize) -> Result<(), Error> {
        let line = self.edit("insert_newline", &json!([]));
        self.show(&line, first)
    }

    fn insert(&mut self) -> Result<(), Error> {
        self.process.send(&self.typing)?;
        self.process.line_with(UPDATE)?;
        Ok(())
    }

    fn save(&mut self, path: &Path) -> Result<(), Error> {
        let save = json!({"view_id": self.view, "file_path": path});
        self.process.send(&notification("save", &save))?;
        // It does not answer: what is asked next is answered when it is done.
        self.barrier()?;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Error> {
        match self.barrier()? {
            0 => Ok(()),
            more => Err(Error::Said {
                program: self.process.name().to_owned(),
                line: format!("{more} updates more than letters were typed"),
            }),
        }
    }

    fn memory(&self) -> Result<Memory, Error> {
        self.process.memory()
    }
}

fn notification(method: &str, params: &Value) -> String {
    let line = json!({"method": method, "params": params});
    format!("{line}\n")
}
