//! How steady the machine was: the same work again and again, between the measurements.

use crate::cpu::Stopwatch;
use crate::error::Error;
use crate::process::Process;
use crate::stats::{Samples, number};
use crate::table::{Section, cells};
use std::process::Command;
use std::time::Instant;

const CPU_ROUNDS: usize = 5;
const PIPE_ROUNDS: usize = 500;

/// Reference measurements of a run.
#[derive(Debug, Default)]
pub struct Noise {
    /// A fixed computation, milliseconds.
    cpu: Samples,
    /// The same in the processor's time, milliseconds.
    busy: Samples,
    /// Median of a line's way through `cat` and back, a sample each, microseconds.
    pipe: Samples,
    /// All of those ways, microseconds.
    ways: Samples,
    /// Processes that wanted to run, averaged over a minute.
    load: Samples,
}

impl Noise {
    /// Measures the references once more.
    ///
    /// # Errors
    /// When `cat` cannot be run.
    pub fn sample(&mut self) -> Result<(), Error> {
        for _ in 0..CPU_ROUNDS {
            let (start, busy) = (Instant::now(), Stopwatch::start());
            std::hint::black_box(compute());
            self.busy.push(busy.elapsed().as_secs_f64() * 1e3);
            self.cpu.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let mut cat = Process::start("cat", &mut Command::new("cat"))?;
        let mut times = Samples::default();
        for _ in 0..PIPE_ROUNDS {
            let start = Instant::now();
            cat.send("a line of some forty letters, there and back\n")?;
            cat.line()?;
            let time = start.elapsed();
            times.push_micros(time);
            self.ways.push_micros(time);
        }
        self.pipe.push(times.median());
        if let Some(load) = load() {
            self.load.push(load);
        }
        Ok(())
    }

    /// The table of all samples, after a last one.
    ///
    /// # Errors
    /// As [`Noise::sample`].
    pub fn section(&mut self) -> Result<Section, Error> {
        self.sample()?;
        let spread = |samples: &Samples| {
            let apart = samples.at(1_000) / samples.at(0).max(f64::MIN_POSITIVE) - 1.0;
            format!("{} %", number(apart * 100.0, 0))
        };
        Ok(Section {
            about: "The machine meanwhile: the same work repeated before, between and after \
                    the measurements above, median (least to most)."
                .to_owned(),
            head: cells(["reference", "measured", "most over least"]),
            rows: vec![
                cells([
                    "a fixed computation, ms by the clock",
                    &self.cpu.range(2),
                    &spread(&self.cpu),
                ]),
                cells([
                    "the same, ms of the processor",
                    &self.busy.range(2),
                    &spread(&self.busy),
                ]),
                cells([
                    "a line through `cat` and back, median of 500, µs",
                    &self.pipe.range(1),
                    &spread(&self.pipe),
                ]),
                cells(["the same, p50 / p99 of all, µs", &self.ways.tail(), ""]),
                cells(["load (one minute)", &self.load.range(1), ""]),
            ],
        })
    }
}

/// Some ten milliseconds of work in the processor and its caches.
fn compute() -> u64 {
    let mut cells = vec![0_u64; 64 * 1024];
    let mut state = 1_u64;
    for _ in 0..4_000_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = usize::try_from(state >> 48).unwrap_or(0);
        cells[at] = cells[at].wrapping_add(state);
    }
    cells.iter().fold(state, |sum, cell| sum ^ cell)
}

fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
