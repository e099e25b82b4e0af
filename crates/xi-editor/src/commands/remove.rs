//! Deleting around cursors.

use super::{Caret, Outcome, Scene, insert, motion, pairs};
use symphony_ipc_protocol::xi::{Direction, Unit};

/// Deletes what is selected, or else from the cursor to where a movement leads.
pub(super) fn run(scene: &Scene<'_>, by: Unit, direction: Direction) -> Outcome {
    let range = |caret: &Caret| {
        if !caret.is_empty() {
            return (caret.start(), caret.end());
        }
        let at = caret.head;
        if by == Unit::Grapheme
            && direction == Direction::Backward
            && let Some((before, after)) = pairs::around(scene, at)
        {
            return (at - before, at + after);
        }
        let to = match motion::target(scene, at, by, direction) {
            // At the line's end its line end goes, as editors do it.
            to if to == at && by == Unit::LineEdge => {
                motion::target(scene, at, Unit::Grapheme, direction)
            }
            to => to,
        };
        (at.min(to), at.max(to))
    };
    insert::delete_ranges(scene, scene.carets.iter().map(range).collect())
}
