//! What is done with arbitrary bytes, and what must hold then.
//!
//! Each target is a function of bytes that panics when something does not hold.
//! `fuzz/` looks for such bytes; the test `corpus` replays those that were kept.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod edits;
mod protocol;
mod requests;
mod search;
mod source;

use symphony_ipc_protocol::xi::Replace;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("protocol", protocol::run),
    ("requests", requests::run),
    ("edits", edits::run),
    ("search", search::run),
];

/// A text after sorted edits of it.
pub fn replaced(text: &str, edits: &[Replace]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.start]);
        out.push_str(&edit.text);
        at = edit.end;
    }
    out + &text[at..]
}
