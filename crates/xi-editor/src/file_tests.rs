use super::encoding::UTF8_MARK;
use super::*;
use proptest::prelude::*;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

const ALL: [Encoding; 6] = [
    Encoding::Utf8,
    Encoding::Utf8Bom,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Utf16LeUnmarked,
    Encoding::Utf16BeUnmarked,
];

proptest! {
    #[test]
    fn text_survives_every_encoding(text in "[^\u{0}\u{feff}\u{fffe}]{0,40}") {
        for encoding in ALL {
            let is_unmarked = matches!(encoding, Encoding::Utf16LeUnmarked | Encoding::Utf16BeUnmarked);
            if is_unmarked && (text.is_empty() || text.chars().any(|c| c < '\u{20}')) {
                continue;
            }
            let bytes = encode([text.as_str()].into_iter(), text.len(), encoding).unwrap();
            let decoded = recode(bytes, Some(encoding)).unwrap();
            prop_assert_eq!(decoded, Decoded { text: text.clone(), encoding });
        }
    }

    /// What is accepted is written back byte for byte.
    #[test]
    fn bytes_survive_reading(mark in 0..4_usize, body in proptest::collection::vec(any::<u8>(), 0..20)) {
        let mut bytes = [&b""[..], UTF8_MARK, &[0xff, 0xfe], &[0xfe, 0xff]][mark].to_vec();
        bytes.extend(body);
        if let Ok(decoded) = decode(bytes.clone()) {
            let again = encode([decoded.text.as_str()].into_iter(), 0, decoded.encoding).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }

    /// Every byte of the encodings of one byte a character has a character, and comes back.
    #[test]
    fn single_bytes_survive(body in proptest::collection::vec(prop_oneof![4 => 0x20..0x7f_u8, 1 => 0x80..=0xff_u8], 60..200)) {
        let decoded = decode(body.clone());
        if let Ok(Decoded { text, encoding }) = decoded {
            prop_assert_eq!(text.chars().count() == body.len(), matches!(encoding, Encoding::Latin1 | Encoding::Windows1252) || text.is_ascii());
            let again = encode([text.as_str()].into_iter(), 0, encoding).unwrap();
            prop_assert_eq!(again, body);
        }
    }

    /// A file read in blocks is the file read in one piece.
    #[test]
    fn blocks_do_not_show(mark: bool, part in "[aé日😀\r\n]{1,7}", times in 0..60_000_usize) {
        let mark = if mark { "\u{feff}" } else { "" };
        let text = part.repeat(times);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, format!("{mark}{text}")).unwrap();
        let loaded = read(&path, u64::MAX, None).unwrap();
        prop_assert!(String::from(&loaded.text) == text);
        prop_assert_eq!(loaded.encoding == Encoding::Utf8Bom, !mark.is_empty());
        prop_assert_eq!(&loaded.summary, &loaded.text.summary());
        let whole = blake3::hash(&std::fs::read(&path).unwrap());
        prop_assert_eq!(loaded.fingerprint.digest, whole);
    }
}

#[test]
fn what_is_no_text_is_refused_with_the_place() {
    let cases: [(&[u8], DecodeError); 8] = [
        (b"ab\0c", DecodeError::Binary(2)),
        (b"a\x01\xffc", DecodeError::Binary(1)),
        (b"caf\xe9\x8d", DecodeError::Binary(4)),
        (b"\xff\xfea\0b", DecodeError::NotUtf16(4)),
        (b"\xff\xfe\x00\xd8a\0", DecodeError::NotUtf16(2)),
        (b"\xfe\xff\0a\0\0", DecodeError::Binary(4)),
        (b"\xff\xfe\0\0a\0\0\0", DecodeError::Utf32),
        (b"\xef\xbb\xbfa\xff", DecodeError::NotUtf8(4)),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes.to_vec()), Err(error));
    }
}

#[test]
fn a_rewrite_within_one_tick_of_the_clock_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "one").unwrap();
    let known = read(&path, 100, None).unwrap().fingerprint;
    std::fs::write(&path, "two").unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100, Encoding::Utf8).unwrap(),
        Look::Changed(loaded) if String::from(&loaded.text) == "two"
    ));
}

#[test]
fn a_touched_file_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "one").unwrap();
    let known = read(&path, 100, None).unwrap().fingerprint;
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100, Encoding::Utf8).unwrap(),
        Look::Same(_)
    ));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100, Encoding::Utf8).unwrap(),
        Look::Gone
    ));
}

#[test]
fn neither_directories_nor_large_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        read(dir.path(), 100, None),
        Err(FileError::NotAFile(_))
    ));
    let path = dir.path().join("f");
    std::fs::write(&path, "12345").unwrap();
    assert!(matches!(
        read(&path, 4, None),
        Err(FileError::TooLarge {
            len: 5,
            limit: 4,
            ..
        })
    ));
    assert!(read(&path, 5, None).is_ok());
    assert!(matches!(
        read(&path.join("under"), 5, None),
        Err(FileError::Missing(_))
    ));
}

#[test]
fn encodings_without_mark_are_found_where_they_are_clear() {
    let utf16: Vec<u8> = "plain text\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let swapped: Vec<u8> = utf16
        .chunks(2)
        .flat_map(|pair| [pair[1], pair[0]])
        .collect();
    let cases: [(&[u8], Encoding, &str); 6] = [
        (b"caf\xe9", Encoding::Latin1, "café"),
        (b"10 \x80 \x93x\x94", Encoding::Windows1252, "10 € “x”"),
        (&utf16, Encoding::Utf16LeUnmarked, "plain text\r\n"),
        (&swapped, Encoding::Utf16BeUnmarked, "plain text\r\n"),
        ("é".as_bytes(), Encoding::Utf8, "é"),
        (b"", Encoding::Utf8, ""),
    ];
    for (bytes, encoding, text) in cases {
        let text = text.to_owned();
        assert_eq!(decode(bytes.to_vec()), Ok(Decoded { text, encoding }));
    }
    // Where the bytes leave it open, a file has the encoding that it had.
    let hint = Some(Encoding::Latin1);
    let decoded = recode(b"plain".to_vec(), hint).unwrap();
    assert_eq!(decoded.encoding, Encoding::Latin1);
    let decoded = recode("é".into(), hint).unwrap();
    assert_eq!(
        (decoded.encoding, decoded.text.as_str()),
        (Encoding::Utf8, "é")
    );
}

#[test]
fn a_character_that_an_encoding_lacks_is_named_with_its_place() {
    let refused = |text: &str, encoding| {
        let (a, b) = text.split_at(1);
        let error = encode([a, b].into_iter(), text.len(), encoding).unwrap_err();
        (error.at, error.character)
    };
    assert_eq!(refused("aé€", Encoding::Latin1), (3, '€'));
    assert_eq!(refused("aé\u{80}", Encoding::Latin1), (3, '\u{80}'));
    assert_eq!(refused("a€日", Encoding::Windows1252), (4, '日'));
}

/// What a reader sees of a file that is written meanwhile is whole.
#[test]
fn a_file_that_is_rewritten_while_it_is_read_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let text = |letter: &str| letter.repeat(3_000_000);
    std::fs::write(&path, text("a")).unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for letter in ["b", "c", "d"] {
                std::thread::sleep(std::time::Duration::from_millis(3));
                let mut file = File::create(&path).unwrap();
                file.write_all(text(letter).as_bytes()).unwrap();
            }
            ended.store(true, Ordering::Release);
        });
        while !ended.load(Ordering::Acquire) {
            // Caught between truncation and writing it may be short, never mixed.
            let read = String::from(&read(&path, u64::MAX, None).unwrap().text);
            let first = read.chars().next();
            assert!(read.chars().all(|c| Some(c) == first), "mixed");
        }
    });
    let last = read(&path, u64::MAX, None).unwrap();
    assert_eq!(last.text.len(), 3_000_000);
    assert_eq!(last.text.slice(0, 1), "d");
}
