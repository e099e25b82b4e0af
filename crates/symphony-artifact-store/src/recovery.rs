//! Opening: what the index does not cover is read from the segments.

use crate::{
    error::StoreError,
    index::{Entry, Index, Place},
    object::Objects,
    record::Record,
    segment::{Active, FULL, MAGIC, Position, Segments, VERSION},
};
use std::path::PathBuf;
use sy_commons::framed::{Frames, HEADER_LEN, HeaderError, Piece, check_header};

/// Bytes of a segment that had been synced and are no record now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedPlace {
    /// The segment.
    pub path: PathBuf,
    /// The first byte.
    pub offset: u64,
    /// What is wrong.
    pub why: String,
}

/// What opening found.
pub(crate) struct Recovered {
    pub(crate) active: Active,
    pub(crate) damaged: Vec<DamagedPlace>,
}

/// Catches the index up with the segments, and cuts off what a crash left half written.
pub(crate) fn recover(
    index: &Index,
    covered: Position,
    segments: &Segments,
    objects: &Objects,
) -> Result<Recovered, StoreError> {
    let numbers = segments.numbers()?;
    let Some(newest) = numbers.last().copied() else {
        if covered != Position::default() {
            index.clear()?;
        }
        return Ok(Recovered {
            active: segments.create(1)?,
            damaged: Vec::new(),
        });
    };
    let mut from = covered;
    if covered != Position::default() && !reaches(segments, covered) {
        // The index tells of segments that are gone.
        tracing::warn!("the artifact index is ahead of the segments and is built anew");
        index.clear()?;
        from = Position::default();
    }
    let mut damaged = Vec::new();
    let mut end = 0;
    for number in numbers.into_iter().filter(|number| *number >= from.segment) {
        let start = if number == from.segment {
            from.offset
        } else {
            HEADER_LEN as u64
        };
        end = catch_up(index, segments, objects, number, start, &mut damaged)?;
    }
    let active = if end == 0 {
        segments.create(newest)?
    } else if end >= FULL {
        segments.go_on(newest, end)?;
        segments.create(newest + 1)?
    } else {
        segments.go_on(newest, end)?
    };
    // Synced by `go_on`; the earlier ones were when the next was begun.
    if index.waiting() > 0 {
        index.commit(active.position())?;
    }
    Ok(Recovered { active, damaged })
}

fn reaches(segments: &Segments, covered: Position) -> bool {
    std::fs::metadata(segments.path(covered.segment)).is_ok_and(|meta| meta.len() >= covered.offset)
}

/// Reads a segment from `start` on; gives the end of its good part, 0 for none.
fn catch_up(
    index: &Index,
    segments: &Segments,
    objects: &Objects,
    number: u32,
    start: u64,
    damaged: &mut Vec<DamagedPlace>,
) -> Result<u64, StoreError> {
    let path = segments.path(number);
    let length = std::fs::metadata(&path)
        .map_err(|e| StoreError::io(&path, e))?
        .len();
    if length == start {
        return Ok(length);
    }
    let file = std::fs::read(&path).map_err(|e| StoreError::io(&path, e))?;
    match check_header(&file, MAGIC, VERSION) {
        Ok(_) => {}
        Err(HeaderError::Torn) => return Ok(0),
        // Zeros are what a crash leaves of a header that was never synced.
        Err(HeaderError::NotOurs) if file.iter().all(|b| *b == 0) => return Ok(0),
        Err(source) => return Err(StoreError::Header { path, source }),
    }
    let mut note = |offset: usize, why: String| {
        tracing::warn!(segment = %path.display(), offset, why, "a segment is damaged");
        damaged.push(DamagedPlace {
            path: path.clone(),
            offset: offset as u64,
            why,
        });
    };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    for piece in Frames::new(&file, start.max(HEADER_LEN)) {
        match piece {
            Piece::Record { payload } => match Record::decode(&file[payload.clone()]) {
                Ok((record, data)) => {
                    let offset = (payload.start + data.start) as u64;
                    take_over(index, objects, record, number, offset);
                }
                Err(why) => note(payload.start, why.to_string()),
            },
            Piece::Damaged { place } => {
                note(place.start, format!("{} bytes are no record", place.len()));
            }
            Piece::Torn { offset } => {
                tracing::info!(
                    segment = number,
                    bytes = file.len() - offset,
                    "cut off what a crash left half written"
                );
                return Ok(offset as u64);
            }
        }
    }
    Ok(length)
}

fn take_over(index: &Index, objects: &Objects, record: Record, number: u32, offset: u64) {
    let place = if record.in_file {
        if !objects.is_whole(&record.hash, record.stored) {
            // Buffered, and lost by the crash: it is not there.
            index.note(record.hash, None, Position::default());
            return;
        }
        Place::Object { synced: false }
    } else {
        Place::Segment { number, offset }
    };
    let entry = Entry {
        place,
        codec: record.codec,
        size: record.size,
        stored: record.stored,
        info: record.info,
    };
    index.note(record.hash, Some(entry), Position::default());
}
