//! Opening and saving a large file, and the memory that takes.

use super::{Programs, check, text, write};
use crate::core::{Core, Ours, Place, Upstream};
use crate::error::Error;
use crate::noise::Noise;
use crate::stats::Samples;
use crate::table::{Section, cells};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

const BYTES: usize = 100_000_000;
const NAMES: [&str; 2] = ["xi-editor", "xi-core"];
const ROWS: [&str; 6] = [
    "open, until the first lines can be shown, ms",
    "resident then, MB",
    "most until then, MB",
    "save after one letter, ms",
    "save, until it is on the disk, ms",
    "most by then, MB",
];
const MEGA: f64 = 1e6;

/// Opens, edits and saves in a new process each time, the programs by turns.
///
/// # Errors
/// As [`super::measure`].
pub fn measure(
    programs: &Programs,
    folder: &Path,
    short: bool,
    noise: &mut Noise,
) -> Result<Section, Error> {
    let rounds = if short { 1 } else { 9 };
    let (text, _) = text(BYTES);
    let files: [PathBuf; 2] = NAMES.map(|name| folder.join(name).with_extension("txt"));
    let mut samples = vec![vec![Samples::default(); ROWS.len()]; NAMES.len()];
    for file in &files {
        write(file, &text)?;
        sync(file)?;
    }
    for round in 1..=rounds {
        let expected = format!("{}{text}", "x".repeat(round));
        for (i, file) in files.iter().enumerate() {
            let mut core: Box<dyn Core> = match i {
                0 => Box::new(Ours::start(&programs.ours, false)?),
                _ => Box::new(Upstream::start(&programs.upstream, folder)?),
            };
            let figures = once(core.as_mut(), file)?;
            drop(core);
            check(file, &expected, NAMES[i], "saving")?;
            for (samples, figure) in samples[i].iter_mut().zip(figures) {
                samples.push(figure);
            }
        }
        noise.sample()?;
    }
    let rows = ROWS.iter().enumerate().map(|(row, name)| {
        let of = |program: usize| samples[program][row].range(0);
        cells([name, &of(0), &of(1)])
    });
    Ok(Section {
        about: format!(
            "A text of 100 MB (10^6 bytes) in a new process, the file in the page cache: median \
             of {rounds} rounds (least to most), by turns. xi-editor saves with fsync, xi-core \
             without: for the row «on the disk» the client calls fsync after either."
        ),
        head: cells(["what", "xi-editor (ours)", "xi-core (upstream)"]),
        rows: rows.collect(),
    })
}

/// The figures of one process, as [`ROWS`] has them.
fn once(core: &mut dyn Core, file: &Path) -> Result<[f64; 6], Error> {
    let milliseconds = |start: Instant| start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    core.open(Some(file))?;
    let open = milliseconds(start);
    let opened = core.memory()?;
    core.go(Place::Start)?;
    core.insert()?;
    let start = Instant::now();
    core.save(file)?;
    let save = milliseconds(start);
    sync(file)?;
    let durable = milliseconds(start);
    let saved = core.memory()?;
    let mega =
        |bytes: u64| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0 / MEGA;
    Ok([
        open,
        mega(opened.resident),
        mega(opened.peak),
        save,
        durable,
        mega(saved.peak),
    ])
}

fn sync(file: &Path) -> Result<(), Error> {
    File::open(file)
        .and_then(|file| file.sync_all())
        .map_err(|e| Error::file("write", file, e))
}
