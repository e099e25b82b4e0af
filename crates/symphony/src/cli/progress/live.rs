//! Progress that is drawn in place, for terminals.

use super::{
    Setting,
    board::{Board, node_name},
    plain::passing,
};
use crate::cli::text::one_line;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};
use symphony_domain::run::RunEvent;

/// Drawn at most this often a second.
const FRAMES: u8 = 12;

/// Draws events in place.
pub struct Live {
    setting: Setting,
    board: Board,
    screen: MultiProgress,
    rows: BTreeMap<String, ProgressBar>,
}

impl Live {
    /// An empty view on standard error.
    pub fn new(setting: Setting) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES));
        Self {
            setting,
            board: Board::default(),
            screen,
            rows: BTreeMap::new(),
        }
    }

    /// Takes an event; `at` is the time since the command began.
    pub fn take(&mut self, event: &RunEvent, at: Duration) {
        self.board.take(event, at);
        match event {
            RunEvent::NodeStarted { node, .. } => self.redraw(node, at),
            RunEvent::NodeFinished { node, .. }
            | RunEvent::NodeSkipped { node, .. }
            | RunEvent::NodeFailed { node, .. } => self.settle(node, at),
            RunEvent::InstanceFinished { node, .. }
            | RunEvent::Progress { node, .. }
            | RunEvent::Text { node, .. } => self.redraw(node, at),
            other => {
                for line in passing(other, &self.setting) {
                    self.keep(&line);
                }
            }
        }
    }

    /// Moves the clocks on.
    pub fn tick(&mut self, at: Duration) {
        let nodes: Vec<String> = self.rows.keys().cloned().collect();
        for node in nodes {
            self.redraw(&node, at);
        }
    }

    fn redraw(&mut self, node: &str, at: Duration) {
        let name = node_name(node);
        let Some(known) = self.board.node(name) else {
            return;
        };
        if known.has_ended() {
            return;
        }
        let mut line = self.board.line(name, at, true, self.setting.style);
        if !known.label.is_empty() {
            line.push_str("   ");
            line.push_str(&self.setting.style.dim(&one_line(&known.label)));
        }
        let screen = &self.screen;
        let row = self.rows.entry(name.to_owned()).or_insert_with(|| {
            let row = screen.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                row.set_style(style);
            }
            row
        });
        row.set_message(line);
        row.tick();
    }

    /// The node's line moves up to those that stay.
    fn settle(&mut self, node: &str, at: Duration) {
        if let Some(row) = self.rows.remove(node_name(node)) {
            row.finish_and_clear();
            self.screen.remove(&row);
        }
        self.keep(&self.board.line(node, at, true, self.setting.style));
    }

    /// A line that stays, above those that are drawn anew.
    fn keep(&self, line: &str) {
        self.screen.suspend(|| {
            // A terminal that is gone shows nothing; the run goes on.
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Leaves the terminal as a plain one.
    pub fn end(self) {
        for row in self.rows.values() {
            row.finish_and_clear();
        }
        let _ = self.screen.clear();
    }
}
