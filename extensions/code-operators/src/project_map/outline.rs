//! The map as text.

use super::Entry;
use super::terms::Prompt;
use crate::languages::cut;
use crate::read_files::BYTES_PER_TOKEN;

/// What one file may take at most, by its rank: a share of the budget, and symbols that
/// do not fit the prompt.
const SHARES: [(usize, usize, usize); 3] = [(3, 4, 20), (10, 10, 6), (usize::MAX, 20, 2)];
const MOST_SYMBOLS: usize = 60;
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
        let (share, others) = SHARES
            .iter()
            .find(|(ranks, _, _)| rank < *ranks)
            .map_or((1, 0), |(_, share, others)| (room / share, *others));
        let symbols = by_fit(prompt, &entries[index], others);
        let fits = (0..5).find_map(|halved| {
            let most = if halved == 4 {
                0
            } else {
                MOST_SYMBOLS >> (2 * halved)
            };
            let (text, shown) = of_file(&entries[index], &symbols[..most.min(symbols.len())]);
            let fits =
                outline.text.len() + text.len() <= room && (most == 0 || text.len() <= share);
            fits.then_some((text, shown))
        });
        let Some((text, shown)) = fits else {
            break;
        };
        outline.text.push_str(&text);
        outline.files.push((index, shown));
    }
    outline
}

/// The symbols to show: those that fit the prompt, the best first, then some others.
fn by_fit(prompt: &Prompt, entry: &Entry, others: usize) -> Vec<usize> {
    let mut by_fit: Vec<(usize, f64)> = entry
        .symbols
        .iter()
        .map(|symbol| prompt.fit(&symbol.name, &symbol.signature))
        .enumerate()
        .collect();
    by_fit.sort_by(|a, b| {
        let depth = |index: usize| entry.symbols[index].depth;
        b.1.total_cmp(&a.1)
            .then(depth(a.0).cmp(&depth(b.0)))
            .then(a.0.cmp(&b.0))
    });
    let fitting = by_fit.iter().filter(|(_, fit)| *fit > 0.0).count();
    by_fit.truncate(fitting + others);
    by_fit.into_iter().map(|(index, _)| index).collect()
}

fn of_file(entry: &Entry, symbols: &[usize]) -> (String, Vec<String>) {
    let mut shown = symbols.to_vec();
    shown.sort_unstable();
    let mut text = format!("{}\n", entry.path);
    let mut names: Vec<String> = Vec::new();
    let mut next = 0;
    for index in shown {
        if index > next {
            text.push_str("  ⋮\n");
        }
        next = index + 1;
        let symbol = &entry.symbols[index];
        let indent = "  ".repeat(symbol.depth + 1);
        text.push_str(&format!("{indent}{}\n", cut(&symbol.signature, LINE_CHARS)));
        if !names.contains(&symbol.name) {
            names.push(symbol.name.clone());
        }
    }
    if next > 0 && next < entry.symbols.len() {
        text.push_str("  ⋮\n");
    }
    (text, names)
}
