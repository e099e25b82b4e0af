//! The records of a journal, as bytes.
//!
//! A record is a version byte and a postcard value of [`Record`]. New kinds of
//! records go to the end of the enum; what an older program would misread gets
//! a new version byte. The byte's highest bit says that the next record
//! belongs to the same request: both count, or none.

use super::note::Note;
use crate::engine::{EditOp, GoOp, GroupKey, Op, Root, Standing};
use crate::file::Fingerprint;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use symphony_ipc_protocol::xi::{BufferKey, ChangeKind, Encoding, Replace, RevisionNumber};

/// The first bytes of a journal.
pub(super) const MAGIC: [u8; 8] = *b"symxij\r\n";
/// The newest version of the file that is known here.
pub(super) const FILE_VERSION: u32 = 1;
/// The version of every record.
const RECORD_VERSION: u8 = 1;
/// The next record belongs to the same request.
const MORE: u8 = 0x80;

/// A record that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// A newer program wrote it.
    #[error("a record of version {0}, and {RECORD_VERSION} is known here")]
    Version(u8),
    /// Its bytes are no record.
    #[error("a record is not understood")]
    Codec(#[from] postcard::Error),
    /// The file's encoding is none that is known here.
    #[error("the encoding {0} is not known")]
    Encoding(String),
    /// Its edits do not fit the text.
    #[error("recorded edits do not fit the text")]
    Edits,
    /// It is longer than a record may be.
    #[error(transparent)]
    TooLong(#[from] sy_commons::framed::TooLong),
}

/// One record.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Record<'a> {
    /// The first one: the buffer as it was when the journal began.
    Began(#[serde(borrow)] Began<'a>),
    /// A piece of the base text; together they are as long as [`Began::len`].
    /// Without pieces the base text is the file's.
    Text(#[serde(borrow)] Cow<'a, str>),
    /// [`Op::Edit`].
    Edit(#[serde(borrow)] Edit<'a>),
    /// [`Op::Go`].
    Go(#[serde(borrow)] Go<'a>),
    /// [`Op::Collected`].
    Collected,
    /// Of a journal begun anew: the next edit grows from that undo group.
    Show(u64),
    /// Of a journal begun anew: all groups were there, and this is how they stood.
    Stand(Standing),
    /// What is known of the file changed: it was saved, read again, merged, or is gone.
    Disk(#[serde(borrow)] Disk<'a>),
    /// What stands beside the text.
    Note(Note),
}

/// Edits.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Edit<'a> {
    #[serde(borrow)]
    pub edits: Vec<Piece<'a>>,
    pub author: &'a str,
    pub node: u64,
    pub key: Option<GroupKey>,
    pub state: u64,
    pub time: u64,
}

/// A step to another undo group.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Go<'a> {
    #[serde(borrow)]
    pub edits: Vec<Piece<'a>>,
    pub node: u64,
    pub state: u64,
    pub kind: ChangeKind,
}

/// How a journal begins.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Began<'a> {
    pub key: BufferKey,
    /// When the buffer was opened, in microseconds since 1970: the order of buffers.
    pub opened: u64,
    /// The revision of the base text.
    pub revision: RevisionNumber,
    /// The undo group of the base text.
    pub root: Root,
    /// Length of the base text in bytes.
    pub len: u64,
    /// What was known of the file then.
    #[serde(borrow)]
    pub disk: Disk<'a>,
}

/// What is known of a buffer's file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Disk<'a> {
    /// The path's bytes.
    #[serde(borrow)]
    pub path: Option<Cow<'a, [u8]>>,
    /// What the next save writes; the name on the wire.
    #[serde(borrow)]
    pub encoding: Cow<'a, str>,
    /// The file's.
    #[serde(borrow)]
    pub file_encoding: Cow<'a, str>,
    /// The file's bytes, `None` where no file is known to be.
    pub print: Option<Fingerprint>,
    /// The revision that it holds or held.
    pub revision: Option<RevisionNumber>,
    /// The state of the buffer that it holds.
    pub state: Option<u64>,
    /// The text that it holds.
    #[serde(borrow)]
    pub holds: Holds<'a>,
}

/// The text of a file as last read or written.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Holds<'a> {
    /// The buffer's, at this place of the journal.
    Newest,
    /// What it held before this record.
    Before,
    /// That, with edits.
    Edited(#[serde(borrow)] Vec<Piece<'a>>),
    /// Nothing.
    Nothing,
    /// The buffer's, with edits.
    FromNewest(#[serde(borrow)] Vec<Piece<'a>>),
}

/// A replacement.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Piece<'a> {
    start: u64,
    end: u64,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// Replacements as pieces of a record.
pub(super) fn pieces(edits: &[Replace]) -> Vec<Piece<'_>> {
    fn piece(edit: &Replace) -> Piece<'_> {
        Piece {
            start: edit.start as u64,
            end: edit.end as u64,
            text: Cow::Borrowed(&edit.text),
        }
    }
    edits.iter().map(piece).collect()
}

/// Pieces of a record as replacements.
pub(super) fn replaces(pieces: &[Piece<'_>]) -> Vec<Replace> {
    let replace = |piece: &Piece<'_>| Replace {
        start: usize::try_from(piece.start).unwrap_or(usize::MAX),
        end: usize::try_from(piece.end).unwrap_or(usize::MAX),
        text: piece.text.clone().into_owned(),
    };
    pieces.iter().map(replace).collect()
}

impl<'a> Record<'a> {
    /// The record of what happened.
    pub(super) fn of(op: &'a Op) -> Self {
        match op {
            Op::Edit(op) => Self::Edit(Edit {
                edits: pieces(&op.edits),
                author: &op.author,
                node: op.node,
                key: op.key.clone(),
                state: op.state,
                time: op.time,
            }),
            Op::Go(op) => Self::Go(Go {
                edits: pieces(&op.edits),
                node: op.node,
                state: op.state,
                kind: op.kind,
            }),
            Op::Collected => Self::Collected,
        }
    }

    /// What happened, where the record keeps that.
    pub(super) fn op(&self) -> Option<Op> {
        Some(match self {
            Self::Edit(edit) => Op::Edit(EditOp {
                edits: replaces(&edit.edits),
                author: edit.author.to_owned(),
                node: edit.node,
                key: edit.key.clone(),
                state: edit.state,
                time: edit.time,
            }),
            Self::Go(go) => Op::Go(GoOp {
                edits: replaces(&go.edits),
                node: go.node,
                state: go.state,
                kind: go.kind,
            }),
            Self::Collected => Op::Collected,
            _ => return None,
        })
    }

    /// The record's bytes in the place of what `bytes` held; `more`: the next
    /// one belongs to the same request.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>, more: bool) -> Result<(), RecordError> {
        bytes.clear();
        bytes.push(RECORD_VERSION | if more { MORE } else { 0 });
        *bytes = postcard::to_extend(self, std::mem::take(bytes))?;
        Ok(())
    }

    /// Reads a record; whether the next one belongs to the same request.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<(Self, bool), RecordError> {
        let Some((first, rest)) = bytes.split_first() else {
            return Err(RecordError::Codec(
                postcard::Error::DeserializeUnexpectedEnd,
            ));
        };
        match first & !MORE {
            RECORD_VERSION => Ok((postcard::from_bytes(rest)?, first & MORE != 0)),
            version => Err(RecordError::Version(version)),
        }
    }
}

/// A path's bytes.
pub(super) fn path_bytes(path: &Path) -> Cow<'_, [u8]> {
    Cow::Borrowed(path.as_os_str().as_bytes())
}

/// The path of these bytes.
pub(super) fn path_of(bytes: &[u8]) -> Arc<Path> {
    Arc::from(Path::new(OsStr::from_bytes(bytes)))
}

/// The name of an encoding on the wire.
pub(super) fn encoding_name(encoding: Encoding) -> String {
    match serde_json::to_value(encoding) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The encoding of that name.
pub(super) fn encoding_of(name: &str) -> Result<Encoding, RecordError> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|_| RecordError::Encoding(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Run;
    use proptest::prelude::*;

    fn edits() -> impl Strategy<Value = Vec<Replace>> {
        let edit = (0..1_000_000_usize, 0..50_usize, "[aé\n]{0,20}");
        let edit = edit.prop_map(|(start, len, text)| Replace {
            start,
            end: start + len,
            text,
        });
        proptest::collection::vec(edit, 0..4)
    }

    fn keys() -> impl Strategy<Value = Option<GroupKey>> {
        let client = ("[a-z]{0,5}", any::<u64>());
        let run = ("[a-z]{0,5}", any::<(u128, u64, bool)>());
        prop_oneof![
            Just(None),
            Just(Some(GroupKey::Newest)),
            client.prop_map(|(author, group)| Some(GroupKey::Client { author, group })),
            run.prop_map(|(author, (view, moves, deletes))| {
                let run = Run {
                    view,
                    moves,
                    deletes,
                };
                Some(GroupKey::Run { author, run })
            }),
        ]
    }

    fn ops() -> impl Strategy<Value = Op> {
        let kinds = prop_oneof![
            Just(ChangeKind::Undo),
            Just(ChangeKind::Redo),
            Just(ChangeKind::UndoTo)
        ];
        prop_oneof![
            (edits(), "[a-z]{0,5}", keys(), any::<(u64, u64, u64)>()).prop_map(
                |(edits, author, key, (node, state, time))| Op::Edit(EditOp {
                    edits,
                    author,
                    node,
                    key,
                    state,
                    time,
                })
            ),
            (edits(), any::<(u64, u64)>(), kinds).prop_map(|(edits, (node, state), kind)| Op::Go(
                GoOp {
                    edits,
                    node,
                    state,
                    kind,
                }
            )),
            Just(Op::Collected),
        ]
    }

    proptest! {
        #[test]
        fn a_change_is_read_as_it_was_written(op in ops(), more in any::<bool>()) {
            let mut bytes = vec![7];
            Record::of(&op).encode(&mut bytes, more).unwrap();
            let (record, followed) = Record::decode(&bytes).unwrap();
            prop_assert_eq!(record.op(), Some(op));
            prop_assert_eq!(followed, more);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Record::decode(&bytes);
        }
    }

    /// Files of one version stay readable: these are the bytes of version 1.
    #[test]
    fn the_bytes_of_version_1_stand() {
        let op = Op::Edit(EditOp {
            edits: vec![Replace {
                start: 3,
                end: 300,
                text: "né".to_owned(),
            }],
            author: "user".to_owned(),
            node: 5,
            key: Some(GroupKey::Client {
                author: "user".to_owned(),
                group: 7,
            }),
            state: 300,
            time: 1,
        });
        let mut bytes = Vec::new();
        Record::of(&op).encode(&mut bytes, false).unwrap();
        let expected =
            b"\x01\x02\x01\x03\xac\x02\x03n\xc3\xa9\x04user\x05\x01\x00\x04user\x07\xac\x02\x01";
        assert_eq!(bytes, expected);
        assert!(matches!(
            Record::decode(&[2, 2, 0]),
            Err(RecordError::Version(2))
        ));
    }

    #[test]
    fn encodings_keep_their_names() {
        for encoding in [Encoding::Utf8, Encoding::Utf8Bom, Encoding::Utf16Be] {
            assert_eq!(encoding_of(&encoding_name(encoding)).unwrap(), encoding);
        }
        assert_eq!(encoding_name(Encoding::Utf16Le), "utf16-le");
    }
}
