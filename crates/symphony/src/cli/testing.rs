//! For tests of the command line: a host that follows a script, keys from a
//! list, output into memory.

use crate::{
    api::{Answer, Command, CommandError},
    cli::{
        context::{Context, Place},
        execute::Execute,
        keys::{Keys, Press},
        style::Style,
        ui::{Mode, Ui},
    },
};
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Mutex},
};
use symphony_domain::{
    changes::{ChangeSet, Decided, DiffKind, DiffLine, FileChange, Hunk},
    run::{EventSink, RunEvent},
};
use tokio_util::sync::CancellationToken;

/// Events, and what follows them.
type Prepared = (Vec<RunEvent>, Result<Answer, CommandError>);

/// A host that gives prepared answers, in order.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Prepared>>,
    asked: Mutex<Vec<Command>>,
}

impl Script {
    /// Gives one answer.
    pub fn answering(answer: Answer) -> Self {
        Self::default().then(Ok(answer))
    }

    /// Gives this answer after the ones before.
    pub fn then(self, answer: Result<Answer, CommandError>) -> Self {
        self.playing(Vec::new(), answer)
    }

    /// Tells events, then gives this answer.
    pub fn playing(self, events: Vec<RunEvent>, answer: Result<Answer, CommandError>) -> Self {
        self.answers.lock().unwrap().push_back((events, answer));
        self
    }

    /// What it was asked.
    pub fn asked(&self) -> Vec<Command> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Execute for Script {
    async fn execute(
        &self,
        command: Command,
        events: EventSink,
        _cancel: &CancellationToken,
    ) -> Result<Answer, CommandError> {
        self.asked.lock().unwrap().push(command);
        let next = self.answers.lock().unwrap().pop_front();
        let (told, answer) = next.expect("the script has an answer left");
        told.into_iter().for_each(|event| events(event));
        answer
    }
}

/// Memory that several writers share.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// What was written.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keys from a list; then Ctrl-D.
pub struct Typed(pub VecDeque<Press>);

impl Keys for Typed {
    fn next(&mut self) -> io::Result<Press> {
        Ok(self.0.pop_front().unwrap_or(Press::End))
    }

    fn secret(&mut self) -> io::Result<String> {
        let typed = self.0.drain(..);
        Ok(typed
            .filter_map(|press| {
                if let Press::Char(c) = press {
                    Some(c)
                } else {
                    None
                }
            })
            .collect())
    }
}

/// A terminal made of memory.
pub struct Bench {
    /// Its output.
    pub ui: Ui,
    /// What was written to standard output.
    pub out: Memory,
    /// What was written to standard error.
    pub err: Memory,
    keys: VecDeque<Press>,
    /// Cancelled as by Ctrl-C.
    pub cancel: CancellationToken,
    /// The editor that is preferred.
    pub editor: Option<String>,
}

impl Bench {
    /// Without colours, nobody to ask.
    pub fn new(mode: Mode) -> Self {
        let (out, err) = (Memory::default(), Memory::default());
        let style = Style { color: false };
        let ui = Ui::new(
            Box::new(out.clone()),
            Box::new(err.clone()),
            style,
            style,
            mode,
        );
        Self {
            ui,
            out,
            err,
            keys: VecDeque::new(),
            cancel: CancellationToken::new(),
            editor: None,
        }
    }

    /// Someone presses these keys.
    pub fn typing(keys: &str) -> Self {
        let mut bench = Self::new(Mode {
            interactive: true,
            terminal: true,
            ..Mode::default()
        });
        bench.keys = keys.chars().map(Press::Char).collect();
        bench
    }

    /// Then this key.
    pub fn then(mut self, press: Press) -> Self {
        self.keys.push_back(press);
        self
    }

    /// What a command needs.
    pub fn context(&mut self) -> Context<'_> {
        let place = Place {
            project: "/home/me/shop".into(),
            here: "/home/me/shop".into(),
            given: None,
        };
        let keys = Context::asking(Typed(std::mem::take(&mut self.keys)));
        Context {
            ui: &mut self.ui,
            place,
            cancel: self.cancel.clone(),
            keys,
            editor: self.editor.clone(),
        }
    }
}

/// A line of a diff from its mark and text.
pub fn line(text: &str) -> DiffLine {
    let (mark, text) = text.split_at(1);
    let kind = match mark {
        "+" => DiffKind::Added,
        "-" => DiffKind::Removed,
        _ => DiffKind::Context,
    };
    DiffLine {
        kind,
        text: text.to_owned(),
        newline: true,
        cut: 0,
    }
}

/// A hunk with a few lines.
pub fn hunk(id: u32, start: usize, item: &str, lines: &[&str]) -> Hunk {
    Hunk {
        id,
        edits: Vec::new(),
        old_start_line: start,
        new_start_line: start + id as usize - 1,
        lines: lines.iter().map(|text| line(text)).collect(),
        item: item.to_owned(),
        why: "it had no comment".to_owned(),
        by: "local-model".to_owned(),
        findings: Vec::new(),
        verdict: Decided::Pending,
        edited: false,
    }
}

/// Four hunks in two files.
pub fn sample() -> ChangeSet {
    let base = Some(symphony_core_ports::ArtifactId::from_blake3([7; 32]));
    let body = |name: &str| {
        let def = format!(" def {name}(self):");
        let doc = format!("+    \"\"\"Gives the {name}.\"\"\"");
        [" ".to_owned(), def, doc, "     return 1".to_owned()]
    };
    let made = |id, start, item: &str, name: &str| {
        let lines = body(name);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        hunk(id, start, item, &lines)
    };
    let cart = vec![
        made(1, 3, "Cart.total", "total"),
        made(2, 9, "Cart.count", "count"),
        made(3, 20, "Cart.tax", "tax"),
    ];
    let files = vec![
        FileChange {
            path: "src/cart.py".to_owned(),
            base: base.clone(),
            hunks: cart,
        },
        FileChange {
            path: "src/shop.py".to_owned(),
            base,
            hunks: vec![made(4, 7, "open", "open")],
        },
    ];
    ChangeSet {
        id: "7f3a90c2".to_owned(),
        title: "Document what is undocumented".to_owned(),
        melody: "document".to_owned(),
        created_ms: 0,
        files,
        findings: Vec::new(),
    }
}
