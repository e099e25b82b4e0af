//! The encodings: which one bytes are in, and text to and from them.
//!
//! What decodes is written back byte for byte in the encoding that was found.

use symphony_ipc_protocol::xi::Encoding;

/// Why bytes are no text. Offsets count bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A NUL, or more control characters than a text has: the file is binary.
    #[error("binary (no text at byte {0})")]
    Binary(usize),
    /// The mark says UTF-8, and this is none.
    #[error("not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// The mark says UTF-16, and this is none.
    #[error("not UTF-16, which its mark announces (byte {0})")]
    NotUtf16(usize),
    /// The mark says UTF-32, which is not supported.
    #[error("UTF-32, which is not supported (mark at byte 0)")]
    Utf32,
    /// A file of this size is read by ranges, for which it must be UTF-8.
    #[error("not UTF-8 (byte {0}), which files of this size must be")]
    TooLargeForOthers(usize),
}

impl DecodeError {
    /// The first byte of the file that does not fit.
    pub fn offset(&self) -> usize {
        match self {
            Self::Binary(at)
            | Self::NotUtf8(at)
            | Self::NotUtf16(at)
            | Self::TooLargeForOthers(at) => *at,
            Self::Utf32 => 0,
        }
    }
}

/// A character that an encoding does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} has no `{}` (at {at}): save as UTF-8", name(*.encoding), .character.escape_debug())]
pub struct EncodeError {
    /// Where it stands in the text, in bytes.
    pub at: usize,
    /// The character.
    pub character: char,
    /// The encoding.
    pub encoding: Encoding,
}

/// The usual name.
fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => "UTF-8",
        Encoding::Utf16Le
        | Encoding::Utf16Be
        | Encoding::Utf16LeUnmarked
        | Encoding::Utf16BeUnmarked => "UTF-16",
        Encoding::Latin1 => "Latin-1",
        Encoding::Windows1252 => "Windows-1252",
    }
}

/// A file's text and how its bytes encode it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text without mark.
    pub text: String,
    /// The encoding and mark.
    pub encoding: Encoding,
}

pub(super) const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const LE_MARK: &[u8] = &[0xff, 0xfe];
const BE_MARK: &[u8] = &[0xfe, 0xff];
/// So many bytes tell whether a file without mark is UTF-16.
const SAMPLE: usize = 8 * 1024;

/// What Windows-1252 has from 0x80 to 0x9f; the five that it leaves open stand for themselves.
const UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Reads bytes as text in the encoding that they are in.
///
/// # Errors
/// [`DecodeError`] with the reason and the offset.
pub fn decode(bytes: Vec<u8>) -> Result<Decoded, DecodeError> {
    recode(bytes, None)
}

/// [`decode`] for a file that had an encoding before: where the bytes leave it
/// open, it has it still.
///
/// # Errors
/// [`DecodeError`] with the reason and the offset.
pub fn recode(bytes: Vec<u8>, hint: Option<Encoding>) -> Result<Decoded, DecodeError> {
    let utf32 = bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]);
    if utf32 {
        return Err(DecodeError::Utf32);
    }
    if let Some(rest) = bytes.strip_prefix(LE_MARK) {
        return decode_utf16(rest, 2, Encoding::Utf16Le);
    }
    if let Some(rest) = bytes.strip_prefix(BE_MARK) {
        return decode_utf16(rest, 2, Encoding::Utf16Be);
    }
    if bytes.starts_with(UTF8_MARK) {
        return decode_marked_utf8(bytes);
    }
    let unmarked = match hint {
        Some(Encoding::Utf16LeUnmarked | Encoding::Utf16BeUnmarked) => hint,
        _ => unmarked_utf16(&bytes),
    };
    if let Some(encoding) = unmarked
        && let Ok(decoded) = decode_utf16(&bytes, 0, encoding)
        && !decoded.text.chars().any(is_control)
    {
        return Ok(decoded);
    }
    if let Some(at) = memchr::memchr(0, &bytes) {
        return Err(DecodeError::Binary(at));
    }
    let legacy = hint.filter(|h| matches!(h, Encoding::Latin1 | Encoding::Windows1252));
    match String::from_utf8(bytes) {
        Ok(text) => {
            let encoding = legacy.filter(|_| text.is_ascii());
            Ok(Decoded {
                text,
                encoding: encoding.unwrap_or(Encoding::Utf8),
            })
        }
        Err(error) => decode_legacy(error.as_bytes(), legacy),
    }
}

fn decode_marked_utf8(bytes: Vec<u8>) -> Result<Decoded, DecodeError> {
    if let Some(at) = memchr::memchr(0, &bytes) {
        return Err(DecodeError::Binary(at));
    }
    let mut text =
        String::from_utf8(bytes).map_err(|e| DecodeError::NotUtf8(e.utf8_error().valid_up_to()))?;
    text.drain(..UTF8_MARK.len());
    Ok(Decoded {
        text,
        encoding: Encoding::Utf8Bom,
    })
}

/// Which UTF-16 bytes without mark are, where most of the sample is Latin
/// script: one byte of each pair is 0 often, the other never.
fn unmarked_utf16(bytes: &[u8]) -> Option<Encoding> {
    if !bytes.len().is_multiple_of(2) || bytes.len() < 8 {
        return None;
    }
    let (pairs, _) = bytes[..bytes.len().min(SAMPLE)].as_chunks::<2>();
    let zeros = |which: usize| pairs.iter().filter(|pair| pair[which] == 0).count();
    match (zeros(0), zeros(1)) {
        (0, high) if high * 2 >= pairs.len() => Some(Encoding::Utf16LeUnmarked),
        (high, 0) if high * 2 >= pairs.len() => Some(Encoding::Utf16BeUnmarked),
        _ => None,
    }
}

/// Whether text files do not have this control character.
fn is_control(c: char) -> bool {
    c < ' ' && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}')
}

fn decode_utf16(bytes: &[u8], mark: usize, encoding: Encoding) -> Result<Decoded, DecodeError> {
    let unit = match encoding {
        Encoding::Utf16Be | Encoding::Utf16BeUnmarked => u16::from_be_bytes,
        _ => u16::from_le_bytes,
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut at = mark;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match decoded {
            Ok('\0') => return Err(DecodeError::Binary(at)),
            Ok(c) => {
                text.push(c);
                at += 2 * c.len_utf16();
            }
            Err(_) => return Err(DecodeError::NotUtf16(at)),
        }
    }
    if rest.is_empty() {
        Ok(Decoded { text, encoding })
    } else {
        Err(DecodeError::NotUtf16(at))
    }
}

/// One byte a character: what is left when it is neither UTF-8 nor binary.
fn decode_legacy(bytes: &[u8], hint: Option<Encoding>) -> Result<Decoded, DecodeError> {
    let is_odd =
        |b: u8| is_control(char::from(b)) || matches!(b, 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    let odd = bytes.iter().filter(|b| is_odd(**b)).count();
    if odd * 50 > bytes.len() {
        let first = bytes.iter().position(|b| is_odd(*b));
        return Err(DecodeError::Binary(first.unwrap_or(0)));
    }
    let plain = !bytes.iter().any(|b| (0x80..0xa0).contains(b));
    let encoding = match hint {
        Some(Encoding::Windows1252) => Encoding::Windows1252,
        _ if plain => Encoding::Latin1,
        _ => Encoding::Windows1252,
    };
    let character = |b: &u8| match *b {
        b @ 0x80..0xa0 => UPPER[usize::from(b - 0x80)],
        b => char::from(b),
    };
    Ok(Decoded {
        text: bytes.iter().map(character).collect(),
        encoding,
    })
}

/// The byte of a character in an encoding of one byte a character.
fn legacy_byte(c: char, encoding: Encoding) -> Option<u8> {
    match c {
        '\0'..='\x7f' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        _ if encoding == Encoding::Windows1252 => {
            let place = UPPER.iter().position(|upper| *upper == c)?;
            u8::try_from(place + 0x80).ok()
        }
        _ => None,
    }
}

/// The bytes of a text given in pieces, with the mark of its encoding.
///
/// # Errors
/// [`EncodeError`] for the first character that the encoding does not have.
pub fn encode<'a>(
    chunks: impl Iterator<Item = &'a str>,
    len: usize,
    encoding: Encoding,
) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::with_capacity(len + UTF8_MARK.len());
    match encoding {
        Encoding::Utf8Bom => bytes.extend_from_slice(UTF8_MARK),
        Encoding::Utf16Le => bytes.extend_from_slice(LE_MARK),
        Encoding::Utf16Be => bytes.extend_from_slice(BE_MARK),
        _ => {}
    }
    let mut at = 0;
    for chunk in chunks {
        match encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => bytes.extend_from_slice(chunk.as_bytes()),
            Encoding::Utf16Le | Encoding::Utf16LeUnmarked => {
                bytes.extend(chunk.encode_utf16().flat_map(u16::to_le_bytes));
            }
            Encoding::Utf16Be | Encoding::Utf16BeUnmarked => {
                bytes.extend(chunk.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Encoding::Latin1 | Encoding::Windows1252 => {
                for (offset, character) in chunk.char_indices() {
                    let byte = legacy_byte(character, encoding).ok_or(EncodeError {
                        at: at + offset,
                        character,
                        encoding,
                    })?;
                    bytes.push(byte);
                }
            }
        }
        at += chunk.len();
    }
    Ok(bytes)
}
