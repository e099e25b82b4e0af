use super::*;
use proptest::prelude::*;

const ALL: [Encoding; 4] = [
    Encoding::Utf8,
    Encoding::Utf8Bom,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
];

proptest! {
    #[test]
    fn text_survives_every_encoding(text in "[^\u{0}\u{feff}]{0,40}") {
        for encoding in ALL {
            let bytes = encode([text.as_str()].into_iter(), text.len(), encoding);
            prop_assert_eq!(decode(bytes).unwrap(), Decoded { text: text.clone(), encoding });
        }
    }

    /// What is accepted is written back byte for byte.
    #[test]
    fn bytes_survive_reading(mark in 0..4_usize, body in proptest::collection::vec(any::<u8>(), 0..20)) {
        let mut bytes = [&b""[..], UTF8_MARK, &[0xff, 0xfe], &[0xfe, 0xff]][mark].to_vec();
        bytes.extend(body);
        if let Ok(decoded) = decode(bytes.clone()) {
            let again = encode([decoded.text.as_str()].into_iter(), 0, decoded.encoding);
            prop_assert_eq!(again, bytes);
        }
    }
}

#[test]
fn what_is_no_text_is_refused_with_the_place() {
    let cases: [(&[u8], DecodeError); 8] = [
        (b"ab\0c", DecodeError::Binary(2)),
        (b"ab\xffc", DecodeError::NotUtf8(2)),
        (b"caf\xe9", DecodeError::NotUtf8(3)),
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
    let known = read(&path, 100).unwrap().fingerprint;
    std::fs::write(&path, "two").unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100).unwrap(),
        Look::Changed(bytes, _) if bytes == b"two"
    ));
}

#[test]
fn a_touched_file_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, "one").unwrap();
    let known = read(&path, 100).unwrap().fingerprint;
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100).unwrap(),
        Look::Same(_)
    ));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        look(&path, Some(&known), 100).unwrap(),
        Look::Gone
    ));
}

#[test]
fn neither_directories_nor_large_files_are_read() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(read(dir.path(), 100), Err(FileError::NotAFile(_))));
    let path = dir.path().join("f");
    std::fs::write(&path, "12345").unwrap();
    assert!(matches!(
        read(&path, 4),
        Err(FileError::TooLarge {
            len: 5,
            limit: 4,
            ..
        })
    ));
    assert!(read(&path, 5).is_ok());
    assert!(matches!(
        read(&path.join("under"), 5),
        Err(FileError::Missing(_))
    ));
}
