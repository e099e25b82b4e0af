//! Safe files: reading with limits and typed refusals, atomic durable writing,
//! path validation, and the platform's folders.
//!
//! Every error is an [`FsError`]: which path, which operation, why.

mod dirs;
mod error;
mod path;
mod read;
mod write;

pub use dirs::{AppDirs, HOME_VARIABLE};
pub use error::{FsError, FsOp, FsReason};
pub use path::{resolve_within, validate_relative};
pub use read::{
    DEFAULT_BYTES_LIMIT, DEFAULT_TEXT_LIMIT, read_bytes, read_bytes_limited, read_text,
    read_text_limited,
};
pub use write::{
    ensure_dir, ensure_private_dir, exists, sync_dir, write_atomic, write_atomic_with,
};
