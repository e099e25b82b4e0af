//! Figures from repeated measurements.

use std::time::Duration;

/// Repeated measurements of one thing, in one unit.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a measurement.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a time, in microseconds.
    pub fn push_micros(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e6);
    }

    /// The value below which so many thousandths of the measurements lie; 0 without any.
    pub fn at(&self, thousandths: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(last * thousandths / 1_000)
            .copied()
            .unwrap_or(0.0)
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        self.at(500)
    }

    /// `median (least to most)` with so many decimals.
    pub fn range(&self, decimals: usize) -> String {
        let [low, middle, high] = [0, 500, 1_000].map(|p| number(self.at(p), decimals));
        format!("{middle} ({low} to {high})")
    }

    /// `p50 / p99` with one decimal.
    pub fn tail(&self) -> String {
        format!("{} / {}", number(self.median(), 1), number(self.at(990), 1))
    }
}

/// A number with so many decimals, thousands set apart.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (text.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements() {
        let mut samples = Samples::default();
        for value in [5.0, 1.0, 3.0, 2.0, 4.0] {
            samples.push(value);
        }
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.at(1_000), 5.0);
        assert_eq!(samples.range(0), "3 (1 to 5)");
        assert_eq!(Samples::default().median(), 0.0);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(number(0.25, 2), "0.25");
        assert_eq!(number(123.0, 0), "123");
        assert_eq!(number(1_234_567.89, 1), "1,234,567.9");
    }
}
