//! Wire types: JSON-RPC 2.0, the messages of xi-editor, the messages of extensions.
//!
//! One message is one line of UTF-8 JSON ([`jsonrpc::Message`]). This crate
//! knows neither sockets nor processes; `symphony-ipc-transport` moves the lines.
//!
//! Positions in text are UTF-8 byte offsets. Revisions are small counters per
//! buffer that start at 0, so they fit a JSON number.

pub mod extension;
pub mod jsonrpc;
pub mod xi;
