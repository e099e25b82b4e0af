//! The text engine: one buffer's text, its revisions and its undo.
//!
//! This module is the only place that names the rope and the CRDT. Callers see
//! [`Buffer`], [`Text`] and the protocol's [`Replace`](symphony_ipc_protocol::xi::Replace).
//!
//! Edits come against any held revision. They are rebased here, over the
//! composed change since their base (`changes`), and enter the CRDT at its
//! head; the CRDT holds undo (`history`). So a base may be older than the
//! CRDT's last garbage collection, and an overlap is seen, not merged silently.

mod buffer;
mod changes;
mod history;
mod ops;
mod reading;
mod text;
mod tree;

pub use buffer::{Buffer, EditError, HELD_REVISIONS};
pub use changes::{Change, Changes, Rebased};
pub use history::{GroupKey, Run};
pub use ops::{Branch, EditOp, GoOp, Op, Root, Standing};
pub use text::{Summary, Text, TextBuilder};
