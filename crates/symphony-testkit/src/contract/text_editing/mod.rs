//! The contract of [`TextEditingPort`].

mod editing;
mod external;
mod opening;
mod rebasing;
mod saving;
mod watching;

use super::{good, suite};
use async_trait::async_trait;
use editing::*;
use external::*;
use opening::*;
use rebasing::*;
use saving::*;
use std::{path::PathBuf, sync::Arc};
use symphony_core_ports::{BufferId, BufferInfo, OpenBuffer, Revision, TextEdit, TextEditingPort};
use watching::*;

/// What the suite needs: an editor without buffers, and files beside it.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn TextEditingPort>;

    /// Where a file of this name is or would be: absolute, without symbolic links.
    fn path(&self, name: &str) -> PathBuf;

    /// Writes a file as another program would.
    fn write(&self, name: &str, bytes: &[u8]);

    /// Reads a file; `None` when there is none.
    fn read(&self, name: &str) -> Option<Vec<u8>>;

    /// Deletes a file as another program would.
    fn delete(&self, name: &str);

    /// Makes a file not writable for the editor, so that a save fails; `false`
    /// where that cannot be done (the superuser may write everything).
    fn make_read_only(&self, _name: &str) -> bool {
        false
    }

    /// Sets a file's permissions to `rwxr-x---`; `false` where there are none.
    fn make_executable(&self, _name: &str) -> bool {
        false
    }

    /// Whether a file's permissions are `rwxr-x---`.
    fn is_executable(&self, _name: &str) -> bool {
        false
    }

    /// Makes a file that is larger than the editor takes; `false` where that is
    /// not possible.
    fn make_too_large(&self, _name: &str) -> bool {
        false
    }

    /// Kills the process behind the port; `false` where there is none.
    async fn kill(&self) -> bool {
        false
    }
}

suite! {
    "TextEditingPort":
    // opening
    opens_a_file,
    tells_line_ends,
    opening_twice_gives_one_buffer,
    a_missing_file_is_not_found,
    binary_is_not_supported,
    undecodable_is_not_supported,
    too_large_is_not_supported,
    an_empty_file_opens,
    new_text_opens_unsaved,
    new_where_a_file_is_conflicts,
    unknown_buffers_are_not_found,
    // editing
    inserts_and_deletes,
    reads_ranges,
    refuses_bad_positions,
    each_change_is_one_revision,
    random_edits_equal_a_model,
    many_edit_at_once,
    undo_and_redo_step_back_and_forth,
    undo_takes_a_delta_back_as_one,
    undoing_everything_gives_the_first_text,
    an_edit_ends_redo,
    nothing_to_undo_changes_nothing,
    // rebasing
    applies_a_delta,
    rebases_over_what_happened_since,
    a_changed_place_conflicts,
    a_delta_is_all_or_nothing,
    refuses_bad_deltas,
    refuses_a_base_from_the_future,
    an_empty_delta_changes_nothing,
    random_rebases_equal_a_model,
    // saving and closing
    saves_what_was_edited,
    saving_again_writes_nothing,
    keeps_line_ends_mark_and_permissions,
    saves_new_text,
    a_changed_file_is_not_overwritten,
    a_file_that_appeared_is_not_overwritten,
    a_read_only_file_is_refused,
    a_dirty_buffer_is_not_closed,
    discarding_leaves_the_file,
    a_closed_buffer_is_gone,
    removes_a_file,
    does_not_remove_what_is_not_saved,
    // external changes
    an_unchanged_file_is_unchanged,
    a_file_in_no_buffer_is_unchanged,
    a_clean_buffer_is_reloaded,
    separate_changes_are_merged,
    changes_of_one_place_conflict,
    a_deleted_file_keeps_its_text,
    // events and crashes
    events_replay_to_the_text,
    saving_and_closing_are_told,
    a_lagging_subscriber_holds_nothing_up,
    an_unknown_buffer_tells_nothing,
    no_change_is_lost_when_the_process_dies,
}

/// Opens a new file with this text.
async fn open_text(fixture: &impl Fixture, name: &str, text: &str) -> BufferInfo {
    fixture.write(name, text.as_bytes());
    let path = fixture.path(name);
    good(fixture.port().open(OpenBuffer::File(path)).await)
}

async fn text_of(port: &dyn TextEditingPort, buffer: BufferId) -> String {
    good(port.get_content(buffer, None).await).text
}

/// Asserts that a buffer has this text at this revision.
async fn assert_at(port: &dyn TextEditingPort, buffer: BufferId, text: &str, revision: Revision) {
    let content = good(port.get_content(buffer, None).await);
    assert_eq!(content.text, text);
    assert_eq!(content.revision, revision);
}

fn edit(range: std::ops::Range<usize>, text: &str) -> TextEdit {
    let text = text.to_owned();
    TextEdit { range, text }
}

fn digest(text: &str) -> String {
    format!("b3:{}", blake3::hash(text.as_bytes()).to_hex())
}
