//! Spreading scores along references between files.

use super::Entry;
use std::collections::HashMap;

/// Names declared in more files than this say nothing about who is meant.
const MAX_DECLARERS: usize = 8;
const ROUNDS: usize = 4;
/// How much of a score comes from other files.
const SPREAD: f64 = 0.25;
/// A file that refers to a good one matters less than one that is referred to.
const BACKWARD: f64 = 0.4;

/// Scores after some rounds in which each file hands a part of its own to those it refers to,
/// and a smaller part to those that refer to it; `seeds` add up to one.
pub(crate) fn spread(entries: &[Entry], seeds: &[f64]) -> Vec<f64> {
    let edges = edges(entries);
    let mut out = vec![0.0; entries.len()];
    for (from, _, weight) in &edges {
        out[*from] += weight;
    }
    let mut scores = seeds.to_vec();
    for _ in 0..ROUNDS {
        let mut next: Vec<f64> = seeds.iter().map(|seed| seed * (1.0 - SPREAD)).collect();
        for (from, to, weight) in &edges {
            next[*to] += SPREAD * scores[*from] * weight / out[*from];
        }
        // A file without references keeps its own.
        for (index, score) in scores.iter().enumerate() {
            if out[index] == 0.0 {
                next[index] += SPREAD * score;
            }
        }
        scores = next;
    }
    scores
}

fn edges(entries: &[Entry]) -> Vec<(usize, usize, f64)> {
    let mut declarers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        for symbol in entry.symbols.iter().filter(|symbol| symbol.name.len() > 2) {
            let files = declarers.entry(&symbol.name).or_default();
            if files.last() != Some(&index) {
                files.push(index);
            }
        }
    }
    // A name that many files use says little about any of them.
    let mut users: HashMap<&str, u32> = HashMap::new();
    for (word, _) in entries.iter().flat_map(|entry| &entry.words) {
        if declarers.contains_key(word.as_str()) {
            *users.entry(word).or_default() += 1;
        }
    }
    let total = entries.len() as f64;
    let rarity = |word: &str| {
        let users = users.get(word).copied().unwrap_or(1);
        (1.0 + total / f64::from(users)).ln()
    };
    let mut edges = Vec::new();
    for (from, entry) in entries.iter().enumerate() {
        let mut weights: HashMap<usize, f64> = HashMap::new();
        for (word, count) in &entry.words {
            let Some(files) = declarers.get(word.as_str()) else {
                continue;
            };
            // What a file declares itself, it means itself.
            if files.len() > MAX_DECLARERS || files.contains(&from) {
                continue;
            }
            for to in files {
                *weights.entry(*to).or_default() +=
                    f64::from(*count).sqrt() * rarity(word) / files.len() as f64;
            }
        }
        for (to, weight) in weights {
            edges.push((from, to, weight));
            edges.push((to, from, weight * BACKWARD));
        }
    }
    // A hash map's order must not show in sums of floating-point numbers.
    edges.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    edges
}
