//! What language servers know of the texts: requests, answers, their state.
//!
//! Positions in requests refer to `revision` (the newest when absent) and are
//! rebased. Every span in an answer is valid in the text of the revision that the
//! answer names, which may not be the newest any more: rebase it, or ask again.

mod answers;
mod edits;
mod requests;
mod servers;

pub use answers::*;
pub use edits::*;
pub use requests::*;
pub use servers::*;
