//! Where a row ends: at the last opportunity of UAX #14 that fits.

use super::Metrics;
use crate::engine::Text;
use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

/// So many bytes are looked at first; most rows need no more.
const FIRST_LOOK: usize = 1_024;

/// Where a row ends that begins where the range does and ends where it does at the latest.
pub(super) fn break_row(
    text: &Text,
    range: (usize, usize),
    width: usize,
    metrics: &Metrics,
    tab_width: usize,
) -> usize {
    let (start, limit) = range;
    let mut look = FIRST_LOOK;
    loop {
        let end = text.snap((start + look).min(limit)).min(limit);
        let part = text.slice(start, end);
        if let Some(fits) = overflow(&part, width, metrics, tab_width) {
            return start + opportunity(text, start, &part, fits, end == limit);
        }
        if end == limit {
            return limit;
        }
        look *= 4;
    }
}

/// How many bytes fit, at least one cluster; `None` when all do.
fn overflow(part: &str, width: usize, metrics: &Metrics, tab_width: usize) -> Option<usize> {
    let mut reached = 0;
    for (at, cluster) in part.grapheme_indices(true) {
        reached += metrics.cluster(cluster, reached, tab_width);
        if reached > width && at > 0 {
            return Some(at);
        }
    }
    None
}

/// The last opportunity to break that leaves no more than what fits; spaces may
/// stand over. Where there is none, what fits.
fn opportunity(text: &Text, start: usize, part: &str, fits: usize, whole: bool) -> usize {
    let spaces = part[fits..].len() - part[fits..].trim_start_matches(' ').len();
    let most = fits + spaces;
    let breaks = linebreaks(part).map(|(at, _)| at);
    let last = breaks
        .take_while(|at| *at <= most)
        .filter(|at| *at < part.len() || whole)
        .filter(|at| text.is_cluster_border(start + at))
        .last();
    last.unwrap_or(fits)
}
