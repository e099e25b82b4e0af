//! What is done at random.

use super::state::Keys;
use serde_json::{Value, json};

/// Numbers that look random, from a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.index(list.len())].clone()
    }
}

/// A request, by the numbers of its buffer or view.
#[derive(Debug, Clone)]
pub enum Act {
    Buffer(usize, &'static str, Value),
    View(usize, &'static str, Value),
}

impl Act {
    /// `newest` are the newest undo groups of the buffers.
    pub fn random(random: &mut Random, newest: &[u64]) -> Self {
        let buffer = random.index(newest.len());
        let view = buffer * 2 + random.index(2);
        let command = |name: Value, group: u64| {
            let params = json!({"command": name, "author": "ada", "group": group});
            Self::View(view, "command", params)
        };
        // Typing joins groups by time, which differs here and there: groups are named.
        let group = random.below(1 << 40);
        let words = ["é", "word ", "\n", "日本", "a longer piece of text\n", "{"];
        let units = [
            "grapheme",
            "word",
            "line",
            "line_edge",
            "paragraph",
            "document",
        ];
        let directions = ["forward", "backward"];
        match random.below(100) {
            0..8 => Self::Buffer(buffer, "undo", json!({})),
            8..13 => Self::Buffer(buffer, "redo", json!({})),
            13..17 => {
                let node = newest[buffer].saturating_sub(random.below(12)) + random.below(4);
                Self::Buffer(buffer, "undo_to", json!({"node": node}))
            }
            17..19 if buffer > 0 => Self::Buffer(buffer, "save", json!({})),
            19..20 => {
                let encoding = random.of(&["utf8", "utf8-bom", "utf16-le"]);
                Self::Buffer(buffer, "set_encoding", json!({"encoding": encoding}))
            }
            20..22 => {
                let width = 1 + random.below(8);
                let indent = json!({"kind": "spaces", "width": width});
                Self::Buffer(buffer, "configure", json!({"indent": indent}))
            }
            22..25 => {
                let first = 1 + random.below(6);
                let lines = json!({"first": first, "last": first + random.below(4)});
                Self::View(view, "fold", lines)
            }
            25..26 => Self::View(view, "unfold", json!({})),
            26..28 => {
                let wrap = 20 + random.below(60);
                Self::View(view, "set_metrics", json!({"wrap": wrap}))
            }
            28..36 => {
                let text = random.of(&words);
                let params = json!({"at": 0, "text": text, "author": "grace"});
                Self::Buffer(buffer, "insert", params)
            }
            36..56 => {
                let (by, direction) = (random.of(&units), random.of(&directions));
                let extend = random.below(3) == 0;
                let name = json!({"name": "move", "by": by, "direction": direction, "count": 1 + random.below(3), "extend": extend});
                command(name, group)
            }
            56..59 => command(
                json!({"name": "add_cursor", "side": random.of(&["above", "below"])}),
                group,
            ),
            59..63 => command(json!({"name": "collapse"}), group),
            63..65 => command(
                json!({"name": random.of(&["select_word", "select_line", "indent", "duplicate_lines", "toggle_comment"])}),
                group,
            ),
            65..66 => command(json!({"name": "insert_newline"}), group),
            66..78 => {
                let (by, direction) = (random.of(&units[..3]), random.of(&directions));
                let name = json!({"name": "delete", "by": by, "direction": direction});
                command(name, group)
            }
            78..79 => command(json!({"name": "delete_lines"}), group),
            n => {
                // Some join the group before.
                let group = if n < 90 { group } else { buffer as u64 };
                command(json!({"name": "insert", "text": random.of(&words)}), group)
            }
        }
    }

    /// The request, with the keys of one of both editors.
    pub fn request(&self, keys: &Keys) -> (&'static str, Value) {
        let with = |name: &str, key: &Value, params: &Value| {
            let mut params = params.clone();
            params[name] = key.clone();
            params
        };
        match self {
            Self::Buffer(n, method, params) => (method, with("buffer", &keys.buffers[*n], params)),
            Self::View(n, method, params) => (method, with("view", &keys.views[*n], params)),
        }
    }
}
