//! Parameters of requests, by the bytes.

use crate::harness::source::Source;
use std::path::PathBuf;
use symphony_ipc_protocol::xi::{
    BufferKey, CharWidth, Command, Configure, Corner, Direction, Encoding, Fold, Indent,
    LetterCase, LineEnding, Lines, Query, ReplaceMatches, Save, Selection, SetMetrics, Side, Take,
    Unfold, Unit, ViewKey, Widths,
};

const UNITS: [Unit; 9] = [
    Unit::Grapheme,
    Unit::Word,
    Unit::Subword,
    Unit::Line,
    Unit::LineEdge,
    Unit::Paragraph,
    Unit::Page,
    Unit::Bracket,
    Unit::Document,
];
const DIRECTIONS: [Direction; 2] = [Direction::Forward, Direction::Backward];
const SIDES: [Side; 2] = [Side::Above, Side::Below];
const CASES: [LetterCase; 3] = [LetterCase::Upper, LetterCase::Lower, LetterCase::Title];

pub fn command(source: &mut Source<'_>) -> Command {
    match source.byte() % 26 {
        0..=3 => Command::Move {
            by: source.one(&UNITS),
            direction: source.one(&DIRECTIONS),
            count: source.one(&[1, 2, 5, 0, u32::MAX]),
            extend: source.flag(),
        },
        4 => Command::GotoLine {
            line: source.one(&[1, 2, 3, 0, usize::MAX]),
            column: source.one(&[1, 2, 3, 0, usize::MAX]),
            extend: source.flag(),
        },
        5 => Command::AddCursor {
            side: source.one(&SIDES),
        },
        6 => Command::AddNextOccurrence,
        7 => Command::SelectAll,
        8 => Command::SelectLine,
        9 => Command::SelectWord,
        10 => Command::SelectColumns {
            anchor: corner(source),
            head: corner(source),
        },
        11 => Command::Collapse,
        12 | 13 => Command::Insert {
            text: source.text(3),
        },
        14 => Command::InsertNewline,
        15 => Command::Indent,
        16 => Command::Outdent,
        17 => Command::ToggleComment,
        18 => Command::MoveLines {
            side: source.one(&SIDES),
        },
        19 => Command::DuplicateLines,
        20 => Command::Delete {
            by: source.one(&UNITS),
            direction: source.one(&DIRECTIONS),
        },
        21 => Command::DeleteLines,
        22 => Command::Transpose,
        23 => Command::Case {
            to: source.one(&CASES),
        },
        24 => Command::JoinLines,
        _ => match source.byte() % 3 {
            0 => Command::Copy,
            1 => Command::Cut,
            _ => Command::Paste {
                texts: (0..source.below(4)).map(|_| source.text(3)).collect(),
            },
        },
    }
}

fn corner(source: &mut Source<'_>) -> Corner {
    Corner {
        line: source.one(&[1, 2, 3, 4, 0, usize::MAX]),
        column: source.one(&[1, 2, 3, 9, 0, usize::MAX]),
    }
}

pub fn selections(text: &str, source: &mut Source<'_>) -> Vec<Selection> {
    let count = source.below(6);
    (0..count)
        .map(|_| Selection {
            anchor: source.offset(text),
            head: source.offset(text),
        })
        .collect()
}

pub fn configure(buffer: BufferKey, source: &mut Source<'_>) -> Configure {
    let indents = [
        None,
        Some(Indent::Tabs),
        Some(Indent::Spaces { width: 2 }),
        Some(Indent::Spaces { width: 0 }),
        Some(Indent::Spaces { width: 16 }),
    ];
    Configure {
        buffer,
        indent: source.one(&indents),
        tab_width: source.one(&[None, Some(1), Some(3), Some(32), Some(0)]),
        auto_pairs: source.one(&[None, Some(true), Some(false)]),
    }
}

pub fn metrics(view: ViewKey, source: &mut Source<'_>) -> SetMetrics {
    let widths = source.flag().then(|| Widths {
        narrow: source.one(&[1, 7, 0, u32::MAX]),
        wide: source.one(&[2, 13, 0, u32::MAX]),
        chars: vec![CharWidth {
            first: source.one(&['a', '日', '\t']),
            last: source.one(&['b', '日', '\u{10ffff}']),
            width: source.one(&[3, 0, u32::MAX]),
        }],
    });
    SetMetrics {
        view,
        wrap: source.one(&[None, Some(1), Some(4), Some(10), Some(0), Some(u32::MAX)]),
        widths,
    }
}

pub fn lines(view: ViewKey, lines: usize, text: &str, source: &mut Source<'_>) -> Lines {
    Lines {
        view,
        first: source.below(lines + 1),
        from: source.flag().then(|| source.offset(text)),
        count: source.below(lines * 2 + 1),
    }
}

pub fn fold(view: ViewKey, lines: usize, source: &mut Source<'_>) -> Fold {
    Fold {
        view,
        first: source.below(lines + 1),
        last: source.below(lines + 1),
    }
}

pub fn unfold(view: ViewKey, lines: usize, source: &mut Source<'_>) -> Unfold {
    Unfold {
        view,
        line: source.flag().then(|| source.below(lines + 1)),
    }
}

fn query(source: &mut Source<'_>) -> Query {
    let queries = [
        "a", "^", "$", "(a)|(b)?", r"\b", r"\s+", "日", ".", "[^a]*", "", "e", r"\r?\n",
    ];
    Query {
        query: source.one(&queries).to_owned(),
        regex: source.flag(),
        ignore_case: source.flag(),
        whole_word: source.flag(),
    }
}

pub fn replace(buffer: BufferKey, source: &mut Source<'_>) -> ReplaceMatches {
    let query = query(source);
    let replacements = ["", "x", "$1", "${1}y$$", "\n", "é"];
    ReplaceMatches {
        buffer,
        query,
        replacement: source.one(&replacements).to_owned(),
        keep_case: source.flag(),
        base: None,
        ranges: None,
        matches: None,
        origin: source.origin(),
    }
}

pub fn encoding(source: &mut Source<'_>) -> Encoding {
    source.one(&[
        Encoding::Utf8,
        Encoding::Utf8Bom,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Utf16LeUnmarked,
        Encoding::Utf16BeUnmarked,
        Encoding::Latin1,
        Encoding::Windows1252,
    ])
}

pub fn line_ending(source: &mut Source<'_>) -> LineEnding {
    source.one(&[LineEnding::Lf, LineEnding::Crlf, LineEnding::Mixed])
}

pub fn take(source: &mut Source<'_>) -> Take {
    source.one(&[Take::Ours, Take::Theirs, Take::Both])
}

pub fn save(buffer: BufferKey, path: PathBuf, source: &mut Source<'_>) -> Save {
    Save {
        buffer,
        path: Some(path),
        overwrite: source.flag(),
        revision: None,
        encoding: source.flag().then(|| encoding(source)),
        line_ending: source.flag().then(|| line_ending(source)),
    }
}
