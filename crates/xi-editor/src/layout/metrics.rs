//! How wide text is: in columns, or as the client measured it.

use crate::commands::cluster_width;
use crate::engine::Text;
use symphony_ipc_protocol::xi::{CharWidth, Widths};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Widths are added up exactly over so many bytes; beyond, a byte is a narrow cluster.
const EXACT: usize = 64 * 1024;

/// How wide grapheme clusters are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Metrics {
    /// In columns.
    #[default]
    Columns,
    /// In units of the client.
    Measured(Widths),
}

impl Metrics {
    /// Measured widths, sorted for look-up; `None` when ranges of characters overlap.
    pub fn measured(mut widths: Widths) -> Option<Self> {
        widths.chars.sort_by_key(|c| c.first);
        let apart = widths.chars.windows(2).all(|w| w[0].last < w[1].first);
        let real = widths.chars.iter().all(|c| c.first <= c.last);
        (apart && real).then_some(Self::Measured(widths))
    }

    /// Of a cluster that begins so far into its row.
    pub(super) fn cluster(&self, cluster: &str, at: usize, tab_width: usize) -> usize {
        let widths = match self {
            Self::Columns => return cluster_width(cluster, at, tab_width),
            Self::Measured(widths) => widths,
        };
        if cluster == "\t" {
            let stop = tab_width * of_char(widths, ' ').unwrap_or(widths.narrow) as usize;
            return at.checked_rem(stop).map_or(0, |over| stop - over);
        }
        let own = cluster.chars().next().and_then(|c| of_char(widths, c));
        let width = own.unwrap_or_else(|| match cluster.width() {
            0 => 0,
            1 => widths.narrow,
            _ => widths.wide,
        });
        width as usize
    }

    fn narrow(&self) -> usize {
        match self {
            Self::Columns => 1,
            Self::Measured(widths) => widths.narrow as usize,
        }
    }

    /// Of a range that begins where its row does.
    pub(super) fn width(&self, text: &Text, range: (usize, usize), tab_width: usize) -> usize {
        let exact = exact_end(text, range);
        let part = text.slice(range.0, exact);
        let width = part
            .graphemes(true)
            .fold(0, |at, cluster| at + self.cluster(cluster, at, tab_width));
        width + (range.1 - exact) * self.narrow()
    }

    /// The last border in a row's range that is not further than a width.
    pub(super) fn offset(
        &self,
        text: &Text,
        range: (usize, usize),
        width: usize,
        tab_width: usize,
    ) -> usize {
        let exact = exact_end(text, range);
        let part = text.slice(range.0, exact);
        let (mut at, mut reached) = (range.0, 0);
        for cluster in part.graphemes(true) {
            let next = reached + self.cluster(cluster, reached, tab_width);
            if next > width {
                return at;
            }
            reached = next;
            at += cluster.len();
        }
        let more = (width - reached).checked_div(self.narrow()).unwrap_or(0);
        text.snap(at.saturating_add(more).min(range.1)).min(range.1)
    }
}

fn exact_end(text: &Text, range: (usize, usize)) -> usize {
    text.snap(range.1.min(range.0 + EXACT)).min(range.1)
}

fn of_char(widths: &Widths, c: char) -> Option<u32> {
    let after = widths.chars.partition_point(|range| range.first <= c);
    let range: &CharWidth = widths.chars.get(after.checked_sub(1)?)?;
    (c <= range.last).then_some(range.width)
}
