//! The map as text.

use super::Entry;
use super::terms::Prompt;
use crate::languages::cut;
use crate::read_files::BYTES_PER_TOKEN;

/// Symbols shown of one file at most, by the file's rank.
const SYMBOLS: [(usize, usize); 3] = [(3, 60), (12, 25), (usize::MAX, 10)];
const LINE_CHARS: usize = 140;

pub(crate) struct Outline {
    pub(crate) text: String,
    /// Files by rank, with the names of the symbols that are shown.
    pub(crate) files: Vec<(usize, Vec<String>)>,
}

/// Draws files in their order until the budget is used up.
///
/// A file that does not fit with its symbols is shown with fewer, then with its path alone.
pub(crate) fn draw(prompt: &Prompt, entries: &[Entry], order: &[usize], budget: usize) -> Outline {
    let room = budget.saturating_mul(BYTES_PER_TOKEN);
    let mut outline = Outline {
        text: String::new(),
        files: Vec::new(),
    };
    for (rank, &index) in order.iter().enumerate() {
        let most = SYMBOLS
            .iter()
            .find(|(ranks, _)| rank < *ranks)
            .map_or(0, |(_, most)| *most);
        let fits = [most, most / 3, 0].into_iter().find_map(|most| {
            let (text, shown) = of_file(prompt, &entries[index], most);
            (outline.text.len() + text.len() <= room).then_some((text, shown))
        });
        let Some((text, shown)) = fits else {
            break;
        };
        outline.text.push_str(&text);
        outline.files.push((index, shown));
    }
    outline
}

fn of_file(prompt: &Prompt, entry: &Entry, most: usize) -> (String, Vec<String>) {
    let mut by_fit: Vec<(usize, f64)> = entry
        .symbols
        .iter()
        .map(|symbol| prompt.fit(&symbol.name, &symbol.signature) - symbol.depth as f64 * 0.1)
        .enumerate()
        .collect();
    by_fit.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut shown: Vec<usize> = by_fit
        .into_iter()
        .take(most)
        .map(|(index, _)| index)
        .collect();
    shown.sort_unstable();
    let mut text = format!("{}\n", entry.path);
    let mut names = Vec::new();
    let mut next = 0;
    for index in shown {
        if index > next {
            text.push_str("  ⋮\n");
        }
        next = index + 1;
        let symbol = &entry.symbols[index];
        let indent = "  ".repeat(symbol.depth + 1);
        text.push_str(&format!("{indent}{}\n", cut(&symbol.signature, LINE_CHARS)));
        names.push(symbol.name.clone());
    }
    if most > 0 && next < entry.symbols.len() {
        text.push_str("  ⋮\n");
    }
    (text, names)
}
