//! Getting a machine ready: what is there already is left alone.

pub mod python;
pub mod system;

use crate::error::Result;
use crate::workspace::Workspace;

/// Sets up everything that is missing.
///
/// # Errors
/// When something is missing that this command may not or cannot install; the
/// error holds the line to type.
pub fn all(workspace: &Workspace) -> Result<()> {
    system::ensure()?;
    python::ensure(workspace)
}
