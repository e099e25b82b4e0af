//! Progress of a run: events come in at any rate, a thread of its own shows them.

mod board;
mod live;
mod plain;

use crate::cli::{style::Style, ui::Mode};
use live::Live;
use plain::Plain;
use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use symphony_domain::run::{EventSink, RunEvent};

/// How many events may wait to be shown before those are dropped that only
/// tell how far something is. The others are as many as the run has pieces.
const MAX_WAITING: usize = 4096;

/// How often a live view is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// What progress needs to know.
#[derive(Debug, Clone)]
pub struct Setting {
    /// How much is said.
    pub mode: Mode,
    /// Colours of the progress.
    pub style: Style,
    /// The project's name.
    pub project: String,
}

/// Shows the progress of one command.
pub struct Progress {
    sender: Sender<Message>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<Seen>>,
}

/// What was seen of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its id, once it began.
    pub run: Option<String>,
}

enum Message {
    Event(Box<RunEvent>),
    End,
}

impl Progress {
    /// Starts to show events.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(setting: Setting) -> io::Result<Self> {
        let (sender, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let shown = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("symphony-progress".to_owned())
            .spawn(move || show(&receiver, &shown, View::new(setting)))?;
        Ok(Self {
            sender,
            waiting,
            thread: Some(thread),
        })
    }

    /// Takes the run's events.
    pub fn sink(&self) -> EventSink {
        let (sender, waiting) = (self.sender.clone(), Arc::clone(&self.waiting));
        Arc::new(move |event| {
            let passing = matches!(event, RunEvent::Text { .. } | RunEvent::Progress { .. });
            if passing && waiting.load(Ordering::Relaxed) >= MAX_WAITING {
                return;
            }
            waiting.fetch_add(1, Ordering::Relaxed);
            // After the end of the command nobody listens any more.
            let _ = sender.send(Message::Event(Box::new(event)));
        })
    }

    /// Shows what is left, and ends.
    pub fn end(mut self) -> Seen {
        let _ = self.sender.send(Message::End);
        let thread = self.thread.take();
        thread
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    }
}

/// A way of showing events.
enum View {
    Silent,
    Json,
    Plain(Plain),
    Live(Box<Live>),
}

impl View {
    fn new(setting: Setting) -> Self {
        match setting.mode {
            Mode { json: true, .. } => Self::Json,
            Mode { quiet: true, .. } => Self::Silent,
            Mode { live: true, .. } => Self::Live(Box::new(Live::new(setting))),
            _ => Self::Plain(Plain::new(setting)),
        }
    }

    fn take(&mut self, event: &RunEvent, at: Duration) {
        match self {
            Self::Silent => {}
            Self::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    // Whoever read it may have gone; the run goes on.
                    let _ = writeln!(io::stdout(), "{line}");
                }
            }
            Self::Plain(plain) => {
                for line in plain.take(event, at) {
                    let _ = writeln!(io::stderr(), "{line}");
                }
            }
            Self::Live(live) => live.take(event, at),
        }
    }

    fn end(self) {
        if let Self::Live(live) = self {
            live.end();
        }
    }
}

fn show(receiver: &Receiver<Message>, waiting: &AtomicUsize, mut view: View) -> Seen {
    let began = Instant::now();
    let mut seen = Seen::default();
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(Message::Event(event)) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                if let RunEvent::RunStarted { run, .. } = event.as_ref() {
                    seen.run = Some(run.clone());
                }
                view.take(&event, began.elapsed());
            }
            Err(RecvTimeoutError::Timeout) => {
                if let View::Live(live) = &mut view {
                    live.tick(began.elapsed());
                }
            }
            Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    view.end();
    seen
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
