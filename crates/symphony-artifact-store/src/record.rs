//! The bytes of a record, and compression.

use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::BTreeMap, io, ops::Range};
use symphony_core_ports::{ArtifactId, ArtifactInfo};

/// Leads every record.
const VERSION: u8 = 1;
/// A record's part of fixed length.
const FIXED: usize = 3 + 32 + 8 + 8 + 4;
/// Compressing less than this cannot pay.
const COMPRESS_FROM: usize = 64;
/// The library's own default: fast, and most of the gain.
const LEVEL: i32 = 3;

/// A hash as it stands in files and in the index.
pub(crate) type Hash = [u8; 32];

/// How stored bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Codec {
    Plain = 0,
    Zstd = 1,
}

impl Codec {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Plain),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What is known of an artifact besides its bytes: the format on disk, apart from the port's type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Info {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl From<ArtifactInfo> for Info {
    fn from(info: ArtifactInfo) -> Self {
        Self {
            media_type: info.media_type,
            title: info.title,
            labels: info.labels,
        }
    }
}

impl From<Info> for ArtifactInfo {
    fn from(info: Info) -> Self {
        Self {
            media_type: info.media_type,
            title: info.title,
            labels: info.labels,
        }
    }
}

/// An artifact's entry in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) hash: Hash,
    pub(crate) codec: Codec,
    /// Length of the artifact.
    pub(crate) size: u64,
    /// Length of what is stored of it.
    pub(crate) stored: u64,
    /// Whether what is stored has a file of its own instead of standing in the record.
    pub(crate) in_file: bool,
    pub(crate) info: Info,
}

/// A record that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("a record of version {0}, and this program reads version {VERSION}")]
    Version(u8),
    #[error("not the bytes of a record")]
    Malformed,
}

impl Record {
    /// The record's payload, up to where the stored bytes begin.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let info = serde_json::to_vec(&self.info).unwrap_or_default();
        let mut bytes = Vec::with_capacity(FIXED + info.len());
        bytes.extend_from_slice(&[VERSION, self.codec as u8, u8::from(self.in_file)]);
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.stored.to_le_bytes());
        let length = u32::try_from(info.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&info);
        bytes
    }

    /// A record, and where in its payload the stored bytes stand.
    pub(crate) fn decode(payload: &[u8]) -> Result<(Self, Range<usize>), RecordError> {
        match payload.first() {
            Some(&VERSION) => {}
            Some(version) => return Err(RecordError::Version(*version)),
            None => return Err(RecordError::Malformed),
        }
        Self::parse(payload).ok_or(RecordError::Malformed)
    }

    fn parse(payload: &[u8]) -> Option<(Self, Range<usize>)> {
        let codec = Codec::from_byte(*payload.get(1)?)?;
        let in_file = match payload.get(2)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let hash = payload.get(3..35)?.try_into().ok()?;
        let size = u64::from_le_bytes(payload.get(35..43)?.try_into().ok()?);
        let stored = u64::from_le_bytes(payload.get(43..51)?.try_into().ok()?);
        let length = u32::from_le_bytes(payload.get(51..FIXED)?.try_into().ok()?);
        let info_end = FIXED.checked_add(usize::try_from(length).ok()?)?;
        let info = serde_json::from_slice(payload.get(FIXED..info_end)?).ok()?;
        let data = info_end..payload.len();
        let inline = if in_file { 0 } else { stored };
        if data.len() as u64 != inline {
            return None;
        }
        let record = Self {
            hash,
            codec,
            size,
            stored,
            in_file,
            info,
        };
        Some((record, data))
    }
}

/// The hash an id names.
pub(crate) fn hash_of(id: &ArtifactId) -> Option<Hash> {
    let hex = id.as_str().strip_prefix("b3:")?;
    let hash = blake3::Hash::from_hex(hex).ok()?;
    Some(*hash.as_bytes())
}

thread_local! {
    // A context is some hundred kilobytes: made once a thread, not once a call.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Bytes as they are to be stored: compressed where that saves a sixteenth.
pub(crate) fn pack(bytes: Vec<u8>) -> (Codec, Vec<u8>) {
    if bytes.len() < COMPRESS_FROM {
        return (Codec::Plain, bytes);
    }
    let packed = COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        slot.as_mut()?.compress(&bytes).ok()
    });
    match packed {
        Some(packed) if packed.len() < bytes.len() - bytes.len() / 16 => (Codec::Zstd, packed),
        _ => (Codec::Plain, bytes),
    }
}

/// The artifact's bytes.
pub(crate) fn unpack(codec: Codec, stored: Vec<u8>, size: u64) -> io::Result<Vec<u8>> {
    let too_long = |_| io::Error::from(io::ErrorKind::OutOfMemory);
    let size = usize::try_from(size).map_err(too_long)?;
    match codec {
        Codec::Plain => Ok(stored),
        Codec::Zstd => zstd::bulk::decompress(&stored, size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(stored: u64, in_file: bool) -> Record {
        Record {
            hash: [3; 32],
            codec: Codec::Zstd,
            size: 99,
            stored,
            in_file,
            info: Info {
                title: "output of describe[7]".to_owned(),
                ..Info::default()
            },
        }
    }

    proptest! {
        #[test]
        fn packing_is_undone(bytes in proptest::collection::vec(0..8_u8, 0..4_000)) {
            let (codec, stored) = pack(bytes.clone());
            prop_assert!(stored.len() <= bytes.len());
            prop_assert_eq!(unpack(codec, stored, bytes.len() as u64).unwrap(), bytes);
        }

        #[test]
        fn records_survive(data in proptest::collection::vec(any::<u8>(), 0..50)) {
            let record = record(data.len() as u64, false);
            let mut payload = record.encode();
            payload.extend_from_slice(&data);
            let (read, place) = Record::decode(&payload).unwrap();
            prop_assert_eq!(read, record);
            prop_assert_eq!(&payload[place], &data);
        }

        #[test]
        fn any_bytes_are_read_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = Record::decode(&bytes);
            if let Some(first) = bytes.first_mut() { *first = VERSION }
            let _ = Record::decode(&bytes);
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert_eq!(Record::decode(&[2, 0]), Err(RecordError::Version(2)));
        assert_eq!(Record::decode(&[]), Err(RecordError::Malformed));
        let short = record(5, false).encode();
        assert_eq!(Record::decode(&short), Err(RecordError::Malformed));
        assert!(Record::decode(&record(5, true).encode()).is_ok());
    }

    #[test]
    fn the_format_stays() {
        let bytes = record(5, true).encode();
        assert_eq!(bytes[..3], [1, 1, 1]);
        assert_eq!(
            bytes[35..55],
            [99, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 61, 0, 0, 0]
        );
        let info = r#"{"media_type":"","title":"output of describe[7]","labels":{}}"#;
        assert_eq!(String::from_utf8_lossy(&bytes[55..]), info);
    }
}
