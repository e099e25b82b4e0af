//! The Operator `project-map`: which files and symbols matter for a prompt.
//!
//! Three things make a file's score: how well its path, symbols and words fit the
//! prompt's words (BM25), whether the caller named it, and whether files with a
//! high score refer to what it declares or the other way round (some rounds of a
//! personalised PageRank). Tokens are estimated as four bytes each.

mod graph;
mod outline;
mod terms;

use crate::languages::symbols::{Symbol, symbols};
use crate::project::Project;
use crate::walk::{Source, in_parallel, is_generated, is_test, sources};
use serde_json::json;
use std::collections::HashMap;
use symphony_extension_sdk::{Call, Failure, Outputs};
use terms::Prompt;

const DEFAULT_BUDGET: usize = 4_000;
/// Files that no other reason brings in stay out beyond this rank.
const MAX_FILES: usize = 200;

/// A file as the ranking sees it.
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) language: crate::languages::Language,
    pub(crate) lines: usize,
    pub(crate) test: bool,
    pub(crate) symbols: Vec<Symbol>,
    /// How often each identifier occurs, by identifier.
    pub(crate) words: Vec<(String, u32)>,
    pub(crate) length: usize,
}

/// Runs the Operator: `prompt`, `files` and `budget_tokens` in; `map` and `files` out.
///
/// # Errors
/// [`Failure`] for wrong inputs, an unreadable project, a cancelled call.
pub fn run(call: &Call) -> Result<Outputs, Failure> {
    let prompt: String = call.input("prompt")?;
    let named: Vec<String> = call.input_or("files", Vec::new())?;
    let budget: usize = call.input_or("budget_tokens", DEFAULT_BUDGET)?;
    let project = Project::of(call)?;
    for path in &named {
        project
            .path(path)
            .map_err(|e| Failure::input("files", format!("`{path}`: {e}")))?;
    }
    let (all, _) = sources(call, &project, &[])?;
    call.progress(0, Some(all.len() as u64), "reading source files");
    let entries: Vec<Entry> = in_parallel(call, &all, |source| entry(&project, source))?
        .into_iter()
        .flatten()
        .collect();
    let prompt = Prompt::new(&prompt);
    let fit = terms::file_scores(&prompt, &entries);
    let scores = graph::spread(&entries, &seeds(&fit, &entries, &named));
    let order = ranked(&entries, &scores, &named);
    let chosen = outline::draw(&prompt, &entries, &order, budget);
    let files: Vec<_> = chosen
        .files
        .iter()
        .map(|(index, shown)| {
            let entry = &entries[*index];
            json!({
                "path": entry.path,
                "score": (scores[*index] * 1e6).round() / 1e6,
                "symbols": shown,
                "language": entry.language.name(),
                "lines": entry.lines,
            })
        })
        .collect();
    Outputs::new()
        .with("map", chosen.text)?
        .with("files", files)
}

fn entry(project: &Project, source: &Source) -> Option<Entry> {
    let path = source.path.as_str();
    let text = project.read_checked(path).ok()?.text;
    if is_generated(&text) {
        return None;
    }
    let tree = source.language.parse(&text)?;
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for word in terms::identifiers(&text) {
        *counts.entry(word).or_default() += 1;
    }
    let length = counts.values().map(|count| *count as usize).sum();
    let mut words: Vec<(String, u32)> = counts
        .into_iter()
        .map(|(word, count)| (word.to_owned(), count))
        .collect();
    words.sort_unstable();
    Some(Entry {
        path: path.to_owned(),
        language: source.language,
        lines: text.lines().count(),
        test: is_test(path, source.language),
        symbols: symbols(source.language, &text, &tree),
        words,
        length,
    })
}

/// Where the ranking starts: shares that add up to one.
fn seeds(fit: &[f64], entries: &[Entry], named: &[String]) -> Vec<f64> {
    let best = fit.iter().copied().fold(0.0, f64::max);
    let mut seeds: Vec<f64> = fit
        .iter()
        .zip(entries)
        .map(|(fit, entry)| {
            // The square favours the few files that fit well over the many that fit a little.
            let own = if best > 0.0 {
                (fit / best).powi(2)
            } else {
                0.0
            };
            let own = if entry.test { own * 0.5 } else { own };
            if named.contains(&entry.path) {
                own + 2.0
            } else {
                own
            }
        })
        .collect();
    let sum: f64 = seeds.iter().sum();
    let even = 1.0 / seeds.len().max(1) as f64;
    for seed in &mut seeds {
        *seed = if sum > 0.0 { *seed / sum } else { even };
    }
    seeds
}

/// Files from the best to the worst: named ones first, then by score, then by path.
fn ranked(entries: &[Entry], scores: &[f64], named: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let is_named = |index: &usize| named.contains(&entries[*index].path);
    order.sort_by(|a, b| {
        is_named(b)
            .cmp(&is_named(a))
            .then(scores[*b].total_cmp(&scores[*a]))
            .then(entries[*a].path.cmp(&entries[*b].path))
    });
    order.truncate(MAX_FILES);
    order
}
