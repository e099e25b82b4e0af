use super::*;
use proptest::prelude::*;

#[test]
fn what_a_terminal_would_obey_is_shown() {
    assert_eq!(visible("a\x1b[31mb\x07\x7f"), "a^[[31mb^G^?");
    assert_eq!(visible("\u{9b}31m"), "<U+009B>31m");
    assert_eq!(visible("user\u{202e}txt.exe"), "user<U+202E>txt.exe");
    assert_eq!(visible("zero\u{200b}width"), "zero<U+200B>width");
    assert_eq!(visible("a\r"), "a^M");
    assert_eq!(
        visible("tab\tstays, ünïcode 漢字 stays"),
        "tab\tstays, ünïcode 漢字 stays"
    );
    assert_eq!(visible_lines("a\n\x1bb"), "a\n^[b");
    assert_eq!(one_line("a\n  b\tc\x1b"), "a b c^[");
}

proptest! {
    #[test]
    fn nothing_unsafe_is_left(text in "\\PC*|[\\x00-\\x1f\\x7f\\u{80}-\\u{9f}\\u{200b}-\\u{202e}a-z]*") {
        let shown = visible(&text);
        prop_assert!(!shown.chars().any(|c| is_unsafe(c) && c != '\t'), "{shown:?}");
        let plain = text.chars().all(|c| !is_unsafe(c) || c == '\t');
        prop_assert_eq!(plain, shown == text);
    }

    #[test]
    fn thousands_keep_the_number(number: u64) {
        let text = thousands(number);
        prop_assert_eq!(text.replace(',', "").parse::<u64>().unwrap(), number);
        prop_assert!(text.split(',').skip(1).all(|group| group.len() == 3));
    }
}

#[test]
fn numbers_for_people() {
    assert_eq!(
        [
            thousands(0),
            thousands(999),
            thousands(1412),
            thousands(1_000_000)
        ],
        ["0", "999", "1,412", "1,000,000"]
    );
    assert_eq!(
        [count(1, "hunk"), count(0, "hunk"), count(2000, "hunk")],
        ["1 hunk", "0 hunks", "2,000 hunks"]
    );
    assert_eq!(
        [usd(0.0), usd(0.004), usd(1.5)],
        ["0.00 USD", "0.0040 USD", "1.50 USD"]
    );
    assert_eq!(
        [bytes(1), bytes(1023), bytes(1536), bytes(5 << 30)],
        ["1 byte", "1,023 bytes", "1.5 KiB", "5.0 GiB"]
    );
    let used = Usage {
        model_calls: 2,
        input_tokens: 1400,
        output_tokens: 12,
        usd: 0.0,
    };
    assert_eq!(usage(&used), "1,412 tokens · 0.00 USD");
    assert_eq!(usage(&Usage::default()), "");
}

#[test]
fn times_for_people() {
    let of = |ms| duration(Duration::from_millis(ms));
    assert_eq!(
        [of(0), of(3), of(120), of(17_200)],
        ["0.0 s", "0.1 s", "0.2 s", "17.2 s"]
    );
    assert_eq!(
        [of(59_900), of(59_999), of(94_000), of(7_500_000)],
        ["59.9 s", "0 min 59 s", "1 min 34 s", "2 h 05 min"]
    );
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let ago = |seconds| moment(now - Duration::from_secs(seconds), now);
    assert_eq!(
        [ago(5), ago(200), ago(7300)],
        ["just now", "3 min ago", "2 h ago"]
    );
    assert_eq!(ago(200_000), "2027-01-13 00:26 UTC");
    assert_eq!(moment(now + Duration::from_secs(9), now), "just now");
}

#[test]
fn tables_line_up_by_columns_of_the_terminal() {
    let row = |a: &str, b: &str, c: &str| vec![a.to_owned(), b.to_owned(), c.to_owned()];
    let rows = [row("a", "\x1b[31mred\x1b[0m", "x"), row("漢字", "b", "")];
    assert_eq!(table(&rows), ["a     \x1b[31mred\x1b[0m  x", "漢字  b"]);
}
