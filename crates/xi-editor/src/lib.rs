//! The text engine: every buffer lives here.
//!
//! [`engine`] holds texts, revisions and undo; [`mod@file`] reads and writes files;
//! [`commands`] says what editing commands do, [`layout`] how lines are shown;
//! [`editor`] is the open buffers and the operations of the protocol;
//! `journal` keeps unsaved text safe;
//! [`companion`] is what runs beside ([`watch`], [`search`], highlighting, [`languages`],
//! [`plugins`]), [`child`] its processes; [`server`] speaks JSON-RPC over two streams. The binary joins them.

pub mod child;
pub mod commands;
pub mod companion;
pub mod editor;
pub mod engine;
pub mod file;
mod journal;
pub mod languages;
pub mod layout;
pub mod merge;
pub mod plugins;
pub mod search;
pub mod server;
mod syntax;
pub mod watch;

pub use syntax::acknowledgements;
