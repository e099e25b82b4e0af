//! Recorded editing sessions through our engine and through other crates.

mod rivals;

use crate::error::Error;
use crate::noise::Noise;
use crate::stats::Samples;
use crate::table::Section;
use crate::trace::{self, Trace};
use rivals::{RIVALS, Rival};
use std::path::Path;

const TRACES: [&str; 2] = ["sveltecomponent", "automerge-paper"];

/// Replays every session through every rival, in rounds, so that noise meets all alike.
///
/// # Errors
/// When a session cannot be read, or a rival ends with another text.
pub fn measure(folder: &Path, short: bool, noise: &mut Noise) -> Result<Section, Error> {
    let rounds = if short { 1 } else { 9 };
    let mut head = vec!["µs of the processor an edit".to_owned()];
    let mut columns = Vec::new();
    for name in TRACES {
        let trace = trace::read(&folder.join(format!("{name}.json.gz")))?;
        head.push(format!(
            "{name}, {} edits",
            crate::stats::number(count(&trace), 0)
        ));
        columns.push(replay(name, &trace, rounds)?);
        noise.sample()?;
    }
    head.push("what it keeps".to_owned());
    let rows = RIVALS.iter().enumerate().map(|(i, rival)| {
        let mut row = vec![format!("{} {}", rival.name, version(rival))];
        row.extend(columns.iter().map(|column| column[i].range(2)));
        row.push(rival.keeps.to_owned());
        row
    });
    Ok(Section {
        about: format!(
            "Recorded sessions (josephg/editing-traces) replayed in memory, each patch by itself, \
             exact final text checked: median of {rounds} rounds (least to most), all peers in \
             each round."
        ),
        rows: rows.collect(),
        head,
    })
}

/// Microseconds an edit, for each rival.
fn replay(name: &str, trace: &Trace, rounds: usize) -> Result<Vec<Samples>, Error> {
    let mut samples = vec![Samples::default(); RIVALS.len()];
    for _ in 0..rounds {
        for (rival, samples) in RIVALS.iter().zip(&mut samples) {
            let (time, text) = (rival.replay)(trace).map_err(|problem| Error::Refused {
                peer: rival.name,
                problem: problem.to_string(),
            })?;
            if text != trace.end {
                return Err(Error::WrongText {
                    peer: rival.name,
                    what: format!("the session {name}"),
                });
            }
            samples.push(time.as_secs_f64() * 1e6 / count(trace));
        }
    }
    Ok(samples)
}

fn count(trace: &Trace) -> f64 {
    f64::from(u32::try_from(trace.patches.len()).unwrap_or(u32::MAX))
}

/// The versions that this program was built with, as its lock file has them.
fn version(rival: &Rival) -> String {
    let lock: toml::Table = include_str!("../Cargo.lock").parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let version = |name: &str| -> Option<String> {
        let named = |package: &&toml::Value| package.get("name")?.as_str().map(|n| n == name);
        let package = packages?.iter().find(|p| named(p) == Some(true))?;
        Some(package.get("version")?.as_str()?.to_owned())
    };
    let versions = rival.crates.iter().filter_map(|name| version(name));
    versions.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Patch;

    #[test]
    fn every_rival_ends_with_the_same_text() {
        let patch = |bytes, chars, text: &str| Patch {
            bytes,
            chars,
            text: text.to_owned(),
        };
        let trace = Trace {
            start: "één\n".to_owned(),
            end: "één tweé!\n".to_owned(),
            patches: vec![
                patch(5..5, 3..3, " twee"),
                patch(9..10, 7..8, "é"),
                patch(11..11, 8..8, "?"),
                patch(11..12, 8..9, "!"),
            ],
        };
        let samples = replay("of this test", &trace, 1).map_err(|e| e.to_string());
        assert!(samples.is_ok(), "{samples:?}");
    }

    #[test]
    fn each_version_is_known() {
        for rival in &RIVALS {
            let known = version(rival).split(", ").filter(|v| !v.is_empty()).count();
            assert_eq!(known, rival.crates.len(), "{}", rival.name);
        }
    }
}
