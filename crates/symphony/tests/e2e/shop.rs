//! A small project in four languages with one undocumented item a file.

/// Its files; each has one public item without a comment.
pub const FILES: [(&str, &str); 4] = [
    (
        "src/stock.rs",
        "pub fn restock(shelf: &mut Vec<u32>, amount: u32) {\n    shelf.push(amount);\n}\n",
    ),
    (
        "pricing/tax.py",
        "RATE = 0.19\n\n\ndef gross(net):\n    return net * (1 + RATE)\n",
    ),
    (
        "web/cart.ts",
        "export function total(prices: number[]): number {\n  return prices.reduce((a, b) => a + b, 0);\n}\n",
    ),
    (
        "gateway/limit.go",
        "package gateway\n\nfunc Allow(calls int) bool {\n\treturn calls < 100\n}\n",
    ),
];

/// How many of its items want a comment.
pub const ITEMS: usize = FILES.len();

/// A project of `n` Python files with one undocumented function each.
pub fn many(n: usize) -> Vec<(String, String)> {
    let file = |i: usize| {
        (
            format!("parts/part_{i:02}.py"),
            format!("def part_{i:02}(value):\n    return value + {i}\n"),
        )
    };
    (0..n).map(file).collect()
}

/// The pairs as the stage takes them.
pub fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect()
}
