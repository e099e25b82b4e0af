//! What is known of a buffer's file, as a journal keeps it.

use super::record::{self, Disk, Holds, RecordError, path_bytes, pieces};
use crate::engine::Text;
use crate::file::Fingerprint;
use crate::merge;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use symphony_ipc_protocol::xi::{Encoding, Replace, RevisionNumber};

/// What is known of a buffer's file.
#[derive(Debug, Clone)]
pub(crate) struct OnDisk {
    /// Where it is, absolute and resolved.
    pub path: Option<Arc<Path>>,
    /// What the next save writes.
    pub encoding: Encoding,
    /// How its bytes encode the text.
    pub file_encoding: Encoding,
    /// The text last read or written.
    pub text: Text,
    /// The state of the buffer that it holds, if it holds one.
    pub state: Option<u64>,
    /// The revision that it holds or held.
    pub revision: Option<RevisionNumber>,
    /// Its bytes; `None` where no file is known to be.
    pub print: Option<Fingerprint>,
}

impl OnDisk {
    /// Whether anything but the text differs; the text does not without the rest.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.path == other.path
            && self.encoding == other.encoding
            && self.file_encoding == other.file_encoding
            && self.state == other.state
            && self.revision == other.revision
            && self.print == other.print
    }

    /// As a record.
    pub(super) fn record<'a>(&'a self, holds: Holds<'a>) -> Disk<'a> {
        Disk {
            path: self.path.as_deref().map(path_bytes),
            encoding: Cow::Owned(record::encoding_name(self.encoding)),
            file_encoding: Cow::Owned(record::encoding_name(self.file_encoding)),
            print: self.print.clone(),
            revision: self.revision,
            state: self.state,
            holds,
        }
    }

    /// How to record the text when the buffer has `newest`, in `state`.
    pub(super) fn beside<'a>(
        &self,
        newest: &Text,
        state: u64,
        edits: &'a mut Vec<Replace>,
    ) -> Holds<'a> {
        if self.state == Some(state) {
            Holds::Newest
        } else if self.print.is_none() && self.text.is_empty() {
            Holds::Nothing
        } else {
            *edits = merge::line_edits(&String::from(newest), &String::from(&self.text));
            Holds::FromNewest(pieces(edits))
        }
    }

    /// How to record the text: it came after `before`, and the buffer is in `state`.
    pub(super) fn after<'a>(
        &self,
        before: &Self,
        state: u64,
        edits: &'a mut Vec<Replace>,
    ) -> Holds<'a> {
        let same_bytes = match (&self.print, &before.print) {
            (Some(now), Some(then)) => now.same_bytes(then),
            (now, _) => now.is_none(),
        };
        if self.state == Some(state) {
            Holds::Newest
        } else if same_bytes {
            Holds::Before
        } else {
            *edits = merge::line_edits(&String::from(&before.text), &String::from(&self.text));
            Holds::Edited(pieces(edits))
        }
    }

    /// What was recorded when the buffer had `newest`, and the file held `before`.
    pub(super) fn recorded(
        disk: &Disk<'_>,
        newest: &Text,
        before: &Text,
    ) -> Result<Self, RecordError> {
        let edited = |text: &Text, edits: &[record::Piece<'_>]| {
            let edited = text.edited(&record::replaces(edits));
            edited.map_err(|_| RecordError::Edits)
        };
        let text = match &disk.holds {
            Holds::Newest => newest.clone(),
            Holds::Before => before.clone(),
            Holds::Nothing => Text::default(),
            Holds::Edited(edits) => edited(before, edits)?,
            Holds::FromNewest(edits) => edited(newest, edits)?,
        };
        Ok(Self {
            path: disk.path.as_deref().map(record::path_of),
            encoding: record::encoding_of(&disk.encoding)?,
            file_encoding: record::encoding_of(&disk.file_encoding)?,
            text,
            state: disk.state,
            revision: disk.revision,
            print: disk.print.clone(),
        })
    }
}
