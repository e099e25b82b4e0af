//! Append-only files of framed records, and reading them back after a crash.
//!
//! ```text
//! file   = header frame*
//! header = magic [8]  version u32  crc u32                    16 bytes
//! frame  = length u32  unsynced u32  crc u32  payload [length]
//! ```
//! Numbers are little-endian. A header's checksum (CRC-32) covers what stands
//! before it. A frame's covers the frame's place in the file (u64), `length`,
//! `unsynced` and the payload, so a frame is one at its own place only.
//!
//! `unsynced` is how many bytes before the frame were not yet synced when it
//! was written. It tells a torn tail from damage: what a crash left half
//! written is the end of a file and may be cut off, while a bad record that a
//! later frame proves to have been synced was acknowledged, and must be
//! reported. [`Frames`] tells the two apart.

use std::ops::Range;

/// Length of a file's header.
pub const HEADER_LEN: usize = 16;
/// What a frame has besides its payload.
pub const FRAME_LEN: usize = 12;
/// The longest payload; a length beyond it is damage.
pub const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

/// Why a file's header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file ends before its header does: it was just being made.
    #[error("the file ends within its header")]
    Torn,
    /// Another kind of file, or damage.
    #[error("not a file of this kind, or its header is damaged")]
    NotOurs,
    /// A newer program wrote it.
    #[error("format {found}, and this program reads up to {known}")]
    Newer {
        /// The file's version.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
}

/// A payload longer than [`MAX_PAYLOAD`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of {0} bytes is too long")]
pub struct TooLong(pub usize);

/// The header of a new file.
#[must_use]
pub fn header(magic: [u8; 8], version: u32) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(&magic);
    bytes[8..12].copy_from_slice(&version.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..12]);
    bytes[12..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The version a file's header states.
///
/// # Errors
/// [`HeaderError`] when the file is not one of `magic` up to version `known`.
pub fn check_header(file: &[u8], magic: [u8; 8], known: u32) -> Result<u32, HeaderError> {
    if file.len() < HEADER_LEN {
        return Err(HeaderError::Torn);
    }
    let found = number(file, 8);
    if header(magic, found) != file[..HEADER_LEN] {
        return Err(HeaderError::NotOurs);
    }
    if found > known {
        return Err(HeaderError::Newer { found, known });
    }
    Ok(found)
}

/// Appends a frame that will stand at `offset` of its file, of whose end
/// `unsynced` bytes are not synced yet.
///
/// # Errors
/// [`TooLong`]; nothing is appended then.
pub fn push_frame(
    out: &mut Vec<u8>,
    offset: u64,
    unsynced: u64,
    payload: &[u8],
) -> Result<(), TooLong> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|_| payload.len() <= MAX_PAYLOAD)
        .ok_or(TooLong(payload.len()))?;
    // Too many to count proves nothing, which is always safe to say.
    let unsynced = u32::try_from(unsynced).unwrap_or(u32::MAX);
    let crc = checksum(offset, length, unsynced, payload);
    out.reserve(FRAME_LEN + payload.len());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&unsynced.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// The whole frames at the start of `frames`, as they stand at `offset` of
/// another file, of whose end `unsynced` bytes are not synced; and how many
/// bytes of `frames` they were. They are taken to be good.
#[must_use]
pub fn moved(frames: &[u8], offset: u64, unsynced: u64) -> (usize, Vec<u8>) {
    let mut out = Vec::with_capacity(frames.len());
    let mut at = 0;
    while frames.len() - at >= FRAME_LEN {
        let end = at + FRAME_LEN + number(frames, at) as usize;
        let Some(payload) = frames.get(at + FRAME_LEN..end) else {
            break;
        };
        let done = out.len() as u64;
        if push_frame(&mut out, offset + done, unsynced + done, payload).is_err() {
            break;
        }
        at = end;
    }
    (at, out)
}

fn checksum(offset: u64, length: u32, unsynced: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&offset.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(&unsynced.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let mut le = [0; 4];
    le.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(le)
}

/// What stands at a place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A good record.
    Record {
        /// Its payload's place.
        payload: Range<usize>,
    },
    /// Bytes that had been synced and are no record now.
    Damaged {
        /// Their place.
        place: Range<usize>,
    },
    /// From here to the end is what a crash left half written: never acknowledged.
    Torn {
        /// Where the good part ends.
        offset: usize,
    },
}

/// Reads the frames of a file.
#[derive(Debug)]
pub struct Frames<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    /// The frames of `file`, which is the whole file, from `offset` on.
    #[must_use]
    pub fn new(file: &'a [u8], offset: usize) -> Self {
        Self { file, at: offset }
    }

    /// The payload of the good frame at `at`, and how many bytes before it were unsynced.
    fn frame(&self, at: usize) -> Option<(Range<usize>, usize)> {
        let start = at.checked_add(FRAME_LEN)?;
        if start > self.file.len() {
            return None;
        }
        let length = number(self.file, at);
        let end = start.checked_add(length as usize)?;
        if length as usize > MAX_PAYLOAD || end > self.file.len() {
            return None;
        }
        let unsynced = number(self.file, at + 4);
        let good = number(self.file, at + 8)
            == checksum(at as u64, length, unsynced, &self.file[start..end]);
        good.then_some((start..end, unsynced as usize))
    }

    /// The first good frame after the bad one at `bad`.
    fn next_good(&self, bad: usize) -> Option<usize> {
        if bad + FRAME_LEN <= self.file.len() {
            // Mostly the payload is bad and the length is right.
            let after = bad + FRAME_LEN + number(self.file, bad) as usize;
            if self.frame(after).is_some() {
                return Some(after);
            }
        }
        (bad + 1..self.file.len()).find(|at| self.frame(*at).is_some())
    }

    /// Whether a frame from `from` on shows that what stands at `bad` had been synced.
    fn proven(&self, bad: usize, from: usize) -> bool {
        let mut at = from;
        loop {
            match self.frame(at) {
                Some((payload, unsynced)) => {
                    if unsynced != u32::MAX as usize && at.saturating_sub(unsynced) > bad {
                        return true;
                    }
                    at = payload.end;
                }
                None => match self.next_good(at) {
                    Some(next) => at = next,
                    None => return false,
                },
            }
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let at = self.at;
        if at >= self.file.len() {
            return None;
        }
        if let Some((payload, _)) = self.frame(at) {
            self.at = payload.end;
            return Some(Piece::Record { payload });
        }
        match self.next_good(at) {
            Some(next) if self.proven(at, next) => {
                self.at = next;
                Some(Piece::Damaged { place: at..next })
            }
            _ => {
                self.at = self.file.len();
                Some(Piece::Torn { offset: at })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAGIC: [u8; 8] = *b"sytest\r\n";

    /// A file of these batches of records, each batch synced, and where each record stands.
    fn file(batches: &[Vec<Vec<u8>>]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut bytes = header(MAGIC, 1).to_vec();
        let mut places = Vec::new();
        for batch in batches {
            let synced = bytes.len();
            for payload in batch {
                let at = bytes.len();
                push_frame(&mut bytes, at as u64, (at - synced) as u64, payload).unwrap();
                places.push(at..bytes.len());
            }
        }
        (bytes, places)
    }

    fn batches() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
        let record = proptest::collection::vec(any::<u8>(), 0..20);
        proptest::collection::vec(proptest::collection::vec(record, 1..4), 1..5)
    }

    fn records(file: &[u8]) -> (Vec<Vec<u8>>, Vec<Piece>) {
        let mut good = Vec::new();
        let mut other = Vec::new();
        for piece in Frames::new(file, HEADER_LEN) {
            match piece {
                Piece::Record { payload } => good.push(file[payload].to_vec()),
                piece => other.push(piece),
            }
        }
        (good, other)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(batches in batches()) {
            let (bytes, _) = file(&batches);
            let (good, other) = records(&bytes);
            prop_assert_eq!(good, batches.concat());
            prop_assert!(other.is_empty());
        }

        #[test]
        fn a_cut_anywhere_keeps_every_whole_record(batches in batches(), cut in any::<prop::sample::Index>()) {
            let (bytes, places) = file(&batches);
            let cut = HEADER_LEN + cut.index(bytes.len() - HEADER_LEN + 1);
            let whole = places.iter().filter(|place| place.end <= cut).count();
            let (good, other) = records(&bytes[..cut]);
            prop_assert_eq!(good.len(), whole);
            let end = places[..whole].last().map_or(HEADER_LEN, |place| place.end);
            let torn = if end == cut { vec![] } else { vec![Piece::Torn { offset: end }] };
            prop_assert_eq!(other, torn);
        }

        #[test]
        fn a_flipped_bit_is_damage_before_the_last_batch_and_a_torn_tail_in_it(
            batches in batches(),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let (mut bytes, places) = file(&batches);
            let at = HEADER_LEN + at.index(bytes.len() - HEADER_LEN);
            bytes[at] ^= 1 << bit;
            let hit = places.iter().position(|place| place.contains(&at)).unwrap();
            let all = batches.concat();
            let last_batch = all.len() - batches[batches.len() - 1].len();
            let (good, other) = records(&bytes);
            if hit < last_batch {
                prop_assert_eq!(other, vec![Piece::Damaged { place: places[hit].clone() }]);
                prop_assert_eq!(good.len(), all.len() - 1);
            } else {
                prop_assert_eq!(other, vec![Piece::Torn { offset: places[hit].start }]);
                prop_assert_eq!(good, all[..hit].to_vec());
            }
        }

        /// Frames moved to another place are the same records there; a part of one is left.
        #[test]
        fn moved_frames_are_good_where_they_stand(batches in batches(), cut in any::<prop::sample::Index>()) {
            let (bytes, places) = file(&batches);
            let body = &bytes[HEADER_LEN..];
            let cut = cut.index(body.len() + 1);
            let mut other = header(MAGIC, 1).to_vec();
            push_frame(&mut other, HEADER_LEN as u64, 0, b"first").unwrap();
            let (used, frames) = moved(&body[..cut], other.len() as u64, 5);
            other.extend_from_slice(&frames);
            let whole = places.iter().filter(|place| place.end <= cut + HEADER_LEN).count();
            prop_assert_eq!(used, places[..whole].last().map_or(0, |place| place.end - HEADER_LEN));
            let mut expected = batches.concat();
            expected.truncate(whole);
            expected.insert(0, b"first".to_vec());
            prop_assert_eq!(records(&other), (expected, vec![]));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check_header(&bytes, MAGIC, 1);
            let _ = Frames::new(&bytes, 0).count();
            let _ = moved(&bytes, 0, 0);
        }
    }

    #[test]
    fn headers_are_told_apart() {
        let good = header(MAGIC, 2);
        assert_eq!(check_header(&good, MAGIC, 3), Ok(2));
        assert_eq!(check_header(&good[..15], MAGIC, 3), Err(HeaderError::Torn));
        assert_eq!(
            check_header(&good, *b"another\n", 3),
            Err(HeaderError::NotOurs)
        );
        let newer = Err(HeaderError::Newer { found: 2, known: 1 });
        assert_eq!(check_header(&good, MAGIC, 1), newer);
        let mut damaged = good;
        damaged[9] ^= 1;
        assert_eq!(check_header(&damaged, MAGIC, 3), Err(HeaderError::NotOurs));
    }

    #[test]
    fn a_frame_is_none_at_another_place() {
        let (bytes, places) = file(&[vec![b"a record".to_vec()]]);
        let mut moved = header(MAGIC, 1).to_vec();
        moved.extend_from_slice(&[0; 3]);
        moved.extend_from_slice(&bytes[places[0].clone()]);
        assert_eq!(records(&moved).0.len(), 0);
    }
}
