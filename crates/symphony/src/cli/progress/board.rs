//! What is known of each node, and its line.

use crate::cli::{
    style::Style,
    text::{count, duration, one_line, padded, player_name, usage},
};
use std::{collections::BTreeMap, time::Duration};
use symphony_core_ports::Usage;
use symphony_domain::run::{RunEvent, event::Counts};

/// Columns of a bar.
const BAR: usize = 20;
/// Columns of what a node came to, before its time.
const SUMMARY: usize = 34;
/// Characters kept of what a model writes.
const TAIL: usize = 60;

/// The nodes of a run.
#[derive(Debug, Default)]
pub struct Board {
    nodes: BTreeMap<String, Node>,
    order: Vec<String>,
}

/// What is known of a node.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Its title, for people.
    title: String,
    /// Who plays it.
    player: String,
    /// When it began.
    began: Duration,
    /// Of how many elements, for a fan-out.
    total: Option<u64>,
    done: u64,
    failed: u64,
    /// How far a single piece of work is.
    step: Option<(u64, Option<u64>, String)>,
    /// What the last element done is, for people.
    pub label: String,
    /// The end of what a model writes.
    pub tail: String,
    state: State,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Waiting,
    Playing,
    Done {
        counts: Counts,
        took: Duration,
        usage: Usage,
        sizes: BTreeMap<String, u64>,
    },
    Skipped(String),
    Failed(String),
}

/// `describe` of `describe[7]`.
pub fn node_name(node: &str) -> &str {
    node.split_once('[').map_or(node, |(name, _)| name)
}

impl Board {
    /// Takes an event; `at` is the time since the command began.
    pub fn take(&mut self, event: &RunEvent, at: Duration) {
        match event {
            RunEvent::RunStarted { nodes, .. } => {
                self.order = nodes.iter().map(|(name, _)| name.clone()).collect();
                let node = |(name, title): &(String, String)| {
                    (
                        name.clone(),
                        Node {
                            title: title.clone(),
                            ..Node::default()
                        },
                    )
                };
                self.nodes = nodes.iter().map(node).collect();
            }
            RunEvent::NodeStarted {
                node,
                player,
                total,
                ..
            } => {
                let entry = self.node_mut(node);
                (entry.state, entry.began) = (State::Playing, at);
                (entry.player, entry.total) = (player.clone(), *total);
            }
            RunEvent::InstanceFinished {
                node,
                done,
                total,
                label,
                ..
            } => {
                let entry = self.node_mut(node);
                (entry.done, entry.total) = (*done, Some(*total));
                entry.label.clone_from(label);
            }
            RunEvent::InstanceFailed { node, .. } => self.node_mut(node).failed += 1,
            RunEvent::Progress {
                node,
                done,
                total,
                message,
            } => {
                self.node_mut(node).step = Some((*done, *total, message.clone()));
            }
            RunEvent::Text { node, text } => self.node_mut(node).add_text(text),
            RunEvent::NodeFinished {
                node,
                counts,
                elapsed_ms,
                usage,
                sizes,
                ..
            } => {
                let (counts, usage, sizes) = (*counts, *usage, sizes.clone());
                let took = Duration::from_millis(*elapsed_ms);
                self.node_mut(node).state = State::Done {
                    counts,
                    took,
                    usage,
                    sizes,
                };
            }
            RunEvent::NodeSkipped { node, reason } => {
                self.node_mut(node).state = State::Skipped(reason.clone())
            }
            RunEvent::NodeFailed { node, error } => {
                self.node_mut(node).state = State::Failed(error.clone())
            }
            RunEvent::Retried { .. } | RunEvent::RunFinished { .. } => {}
        }
    }

    /// What is known of a node or of the node of an element.
    pub fn node(&self, node: &str) -> Option<&Node> {
        self.nodes.get(node_name(node))
    }

    fn node_mut(&mut self, node: &str) -> &mut Node {
        let name = node_name(node);
        if !self.nodes.contains_key(name) {
            self.order.push(name.to_owned());
        }
        self.nodes.entry(name.to_owned()).or_default()
    }

    /// Columns of the longest name.
    fn width(&self) -> usize {
        let names = self
            .order
            .iter()
            .map(|name| console::measure_text_width(&one_line(name)));
        names.max().unwrap_or_default().clamp(8, 24)
    }

    /// The line of a node; `bars` where they can be shown.
    pub fn line(&self, node: &str, at: Duration, bars: bool, style: Style) -> String {
        let name = node_name(node);
        let known = Node::default();
        let entry = self.nodes.get(name).unwrap_or(&known);
        let name = padded(&one_line(name), self.width());
        let (mark, text, took, who) = match &entry.state {
            State::Waiting => (style.dim("·"), String::new(), None, String::new()),
            State::Playing => {
                let mark = if bars {
                    style.cyan("▸")
                } else {
                    style.dim("…")
                };
                (
                    mark,
                    entry.playing(),
                    Some(at.saturating_sub(entry.began)),
                    String::new(),
                )
            }
            State::Done {
                counts,
                took,
                usage,
                sizes,
            } => {
                let mark = if counts.failed == 0 {
                    style.green("✓")
                } else {
                    style.yellow("!")
                };
                let who = by(&entry.player, usage);
                (mark, entry.summary(counts, sizes), Some(*took), who)
            }
            State::Skipped(reason) => {
                let text = format!("left out: {}", one_line(reason));
                (style.dim("–"), text, None, String::new())
            }
            State::Failed(error) => (style.red("✗"), one_line(error), None, String::new()),
        };
        let (bar, room) = match (bars, entry.fraction()) {
            (true, Some(fraction)) => (format!("{}  ", drawn(fraction, style)), SUMMARY + 1 - BAR),
            _ => (format!("{mark}  "), SUMMARY),
        };
        let took = took.map(duration).unwrap_or_default();
        let line = format!(
            "  {name}  {bar}{}  {}  {}",
            padded(&text, room),
            padded(&took, 8),
            style.dim(&who)
        );
        line.trim_end().to_owned()
    }
}

/// Who played, and what it cost.
fn by(player: &str, used: &Usage) -> String {
    let cost = usage(used);
    if cost.is_empty() {
        return String::new();
    }
    format!("{} · {cost}", player_name(player))
}

fn drawn(fraction: f64, style: Style) -> String {
    let full = ((fraction * BAR as f64) as usize).min(BAR);
    let (done, rest) = ("━".repeat(full), "━".repeat(BAR - full));
    if style.color {
        return format!("{}{}", style.cyan(&done), style.dim(&rest));
    }
    format!("{done}{}", " ".repeat(BAR - full))
}

impl Node {
    /// Whether it plays now.
    pub fn is_playing(&self) -> bool {
        matches!(self.state, State::Playing)
    }

    /// Whether it has ended, however.
    pub fn has_ended(&self) -> bool {
        !matches!(self.state, State::Playing | State::Waiting)
    }

    fn add_text(&mut self, text: &str) {
        self.tail.push_str(text);
        let length = self.tail.chars().count();
        if length > TAIL {
            self.tail = self.tail.chars().skip(length - TAIL).collect();
        }
    }

    /// How far a fan-out is, 0 to 1.
    fn fraction(&self) -> Option<f64> {
        let total = self.total?;
        match self.state {
            State::Done { .. } => Some(1.0),
            State::Playing if total > 0 => Some(self.done as f64 / total as f64),
            _ => None,
        }
    }

    fn playing(&self) -> String {
        match (&self.step, self.total) {
            (_, Some(total)) if self.failed > 0 => {
                format!("{}/{total}, {} failed", self.done, self.failed)
            }
            (_, Some(total)) => format!("{}/{total}", self.done),
            (Some((done, Some(total), message)), None) => {
                one_line(&format!("{done}/{total} {message}"))
            }
            (Some((_, None, message)), None) => one_line(message),
            (None, None) => one_line(&self.title),
        }
    }

    fn summary(&self, counts: &Counts, sizes: &BTreeMap<String, u64>) -> String {
        let total = counts.total();
        let mut parts = Vec::new();
        let is_fan_out = self.total.is_some();
        if is_fan_out {
            parts.push(format!("{}/{total}", total - counts.failed));
        } else {
            parts.extend(sized(sizes));
        }
        let mut origin = |number: u64, what: &str| match number {
            0 => {}
            number if number == total && is_fan_out => {
                let first = parts.pop().unwrap_or_default();
                parts.push(format!("{first} {what}"));
            }
            _ if !is_fan_out => parts.push(what.to_owned()),
            number => parts.push(format!("{number} {what}")),
        };
        origin(counts.cached, "from cache");
        origin(counts.recorded, "kept from before");
        if counts.failed > 0 {
            parts.push(format!("{} failed", counts.failed));
        }
        if parts.is_empty() {
            parts.push(one_line(&self.title));
        }
        parts.join(", ")
    }
}

/// Lists whose being empty is nothing to tell.
const ILL: [&str; 6] = [
    "failed", "missed", "problems", "refused", "rejected", "skipped",
];

/// `23 items, 14 files`: the lists that a node gave, empty ones only when all are.
fn sized(sizes: &BTreeMap<String, u64>) -> Vec<String> {
    let all_empty = sizes.values().all(|size| *size == 0);
    let is_told = |port: &str, size: u64| size > 0 || (all_empty && !ILL.contains(&port));
    let lists = sizes.iter().filter(|(port, size)| is_told(port, **size));
    let text = |(port, size): (&String, &u64)| {
        let port = one_line(&port.replace('_', " "));
        match port.strip_suffix('s') {
            Some(one) if !port.ends_with("ss") => count(*size as usize, one),
            _ => format!("{size} {port}"),
        }
    };
    lists.map(text).collect()
}
