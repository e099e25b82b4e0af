//! Progress as lines that stay: for pipes, logs and screen readers.

use super::{
    Setting,
    board::{Board, node_name},
};
use crate::cli::text::{duration, one_line};
use std::{collections::BTreeMap, time::Duration};
use symphony_domain::run::RunEvent;

/// The least time between two lines about one node that still plays.
const PAUSE: Duration = Duration::from_secs(5);

/// Turns events into lines.
pub struct Plain {
    setting: Setting,
    board: Board,
    told: BTreeMap<String, Duration>,
}

impl Plain {
    /// Nothing was told yet.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            board: Board::default(),
            told: BTreeMap::new(),
        }
    }

    /// The lines to add; `at` is the time since the command began.
    pub fn take(&mut self, event: &RunEvent, at: Duration) -> Vec<String> {
        self.board.take(event, at);
        let style = self.setting.style;
        match event {
            RunEvent::NodeStarted { node, .. } => {
                self.told.insert(node.clone(), at);
                Vec::new()
            }
            RunEvent::NodeFinished { node, .. }
            | RunEvent::NodeSkipped { node, .. }
            | RunEvent::NodeFailed { node, .. } => vec![self.board.line(node, at, false, style)],
            RunEvent::InstanceFinished { node, .. }
            | RunEvent::Progress { node, .. }
            | RunEvent::Text { node, .. } => self.still_playing(node, at).into_iter().collect(),
            other => passing(other, &self.setting),
        }
    }

    fn still_playing(&mut self, node: &str, at: Duration) -> Option<String> {
        let last = self.told.get(node_name(node)).copied().unwrap_or_default();
        let known = self.board.node(node)?;
        if !known.is_playing() || at.saturating_sub(last) < PAUSE {
            return None;
        }
        self.told.insert(node_name(node).to_owned(), at);
        let mut line = self.board.line(node, at, false, self.setting.style);
        for more in [
            Some(&known.label),
            self.setting.mode.verbose.then_some(&known.tail),
        ] {
            if let Some(more) = more.filter(|more| !more.is_empty()) {
                line.push_str("  ");
                line.push_str(&self.setting.style.dim(&one_line(more)));
            }
        }
        Some(line)
    }
}

/// Lines about events that no node's line shows.
pub fn passing(event: &RunEvent, setting: &Setting) -> Vec<String> {
    let style = setting.style;
    match event {
        RunEvent::RunStarted {
            run,
            melody,
            resumed,
            ..
        } => {
            let again = if *resumed { " · played on" } else { "" };
            let title = style.bold(&one_line(melody));
            vec![format!(
                "  {title} · {} · run {}{again}",
                one_line(&setting.project),
                one_line(run)
            )]
        }
        RunEvent::Retried {
            node,
            label,
            attempt,
            error,
            wait_ms,
        } => {
            let wait = duration(Duration::from_millis(*wait_ms));
            let text = format!(
                "try {attempt} of {} failed, again in {wait}: {}",
                place(node, label),
                one_line(error)
            );
            vec![format!("  {} {text}", style.yellow("!"))]
        }
        RunEvent::InstanceFailed { node, label, error } => {
            vec![format!(
                "  {} {} failed: {}",
                style.red("✗"),
                place(node, label),
                one_line(error)
            )]
        }
        _ => Vec::new(),
    }
}

/// `describe[7] (src/cart.py: Cart.total)`.
fn place(node: &str, label: &str) -> String {
    if label.is_empty() {
        one_line(node)
    } else {
        format!("{} ({})", one_line(node), one_line(label))
    }
}
