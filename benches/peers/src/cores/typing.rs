//! From a letter sent until everything that it changed is known.

use super::{LINE, Programs, check, text, write};
use crate::core::{Core, Ours, Place, Upstream};
use crate::error::Error;
use crate::noise::Noise;
use crate::stats::{Samples, number};
use crate::table::{Section, cells};
use std::path::Path;
use std::time::Instant;

/// Letters typed into one process before it is the next one's turn.
const BLOCK: usize = 100;
const SIZES: [(&str, usize); 3] = [("empty", 0), ("10 MB", 10_000_000), ("100 MB", 100_000_000)];
const NAMES: [&str; 3] = ["xi-editor", "xi-editor with lines", "xi-core"];

/// Types into texts of each size, at each place, all programs by turns.
///
/// # Errors
/// As [`super::measure`].
pub fn measure(
    programs: &Programs,
    folder: &Path,
    short: bool,
    noise: &mut Noise,
) -> Result<Section, Error> {
    let blocks = if short { 2 } else { 40 };
    let mut rows = Vec::new();
    for (name, bytes) in SIZES {
        for (place, samples) in size(programs, folder, bytes, blocks)? {
            let mut row = vec![name.to_owned(), place.to_owned()];
            row.extend(samples.iter().map(Samples::tail));
            rows.push(row);
        }
        noise.sample()?;
    }
    let letters = number(f64::from(u32::try_from(blocks * BLOCK).unwrap_or(0)), 0);
    Ok(Section {
        about: format!(
            "A letter typed through a view until everything it changed is told (xi-editor: the \
             answer and both events; xi-core: its `update`), and with all 50 lines on the screen \
             asked for again; p50 / p99 of {letters} letters in µs, by turns, in lines of {BLOCK}; \
             plain text, and what was saved afterwards is checked."
        ),
        head: cells([
            "text",
            "place",
            "xi-editor (ours)",
            "ours and the 50 lines",
            "xi-core (upstream)",
        ]),
        rows,
    })
}

/// One size: for each place, the times of each program.
fn size(
    programs: &Programs,
    folder: &Path,
    bytes: usize,
    blocks: usize,
) -> Result<Vec<(&'static str, Vec<Samples>)>, Error> {
    let (text, lines) = text(bytes);
    let file = folder.join("text.txt");
    write(&file, &text)?;
    let mut cores: [Box<dyn Core>; 3] = [
        Box::new(Ours::start(&programs.ours, false)?),
        Box::new(Ours::start(&programs.ours, true)?),
        Box::new(Upstream::start(&programs.upstream, folder)?),
    ];
    for core in &mut cores {
        core.open((bytes > 0).then_some(&file))?;
    }
    // What is typed at one place moves the others down.
    let grown = blocks + 1;
    let places: &[_] = if bytes == 0 {
        &[("–", Place::Start)]
    } else {
        &[
            ("start", Place::Start),
            ("middle", Place::Line(lines / 2 + grown)),
            ("end", Place::End(lines + 2 * grown)),
        ]
    };
    let mut results = Vec::new();
    for (name, place) in places {
        results.push((*name, type_at(&mut cores, *place, blocks)?));
    }
    let typed = format!("{}\n", "x".repeat(BLOCK)).repeat(grown);
    let middle = lines / 2 * LINE.len();
    let expected = match bytes {
        0 => typed,
        _ => [&typed, &text[..middle], &typed, &text[middle..], &typed].concat(),
    };
    for (core, name) in cores.iter_mut().zip(NAMES) {
        let saved = folder.join(format!("{bytes} {name}.txt"));
        core.save(&saved)?;
        check(&saved, &expected, name, "typing")?;
    }
    Ok(results)
}

/// Types at a place, a line a block; the first block does not count.
fn type_at(
    cores: &mut [Box<dyn Core>],
    place: Place,
    blocks: usize,
) -> Result<Vec<Samples>, Error> {
    let mut samples = vec![Samples::default(); cores.len()];
    for core in cores.iter_mut() {
        core.go(place)?;
    }
    for block in 0..=blocks {
        for (core, samples) in cores.iter_mut().zip(&mut samples) {
            for _ in 0..BLOCK {
                let start = Instant::now();
                core.insert()?;
                if block > 0 {
                    samples.push_micros(start.elapsed());
                }
            }
            core.settle()?;
            core.next_line(place.first_shown() + block + 1)?;
        }
    }
    Ok(samples)
}
