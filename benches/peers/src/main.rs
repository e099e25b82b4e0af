//! Measures Symphony's text engine beside its peers, in one run on one machine.
//!
//! `cargo xtask peers` builds everything and runs this. Two comparisons: recorded
//! editing sessions through our engine and other crates (`replay`), and our
//! `xi-editor` beside upstream's `xi-core`, each as a process over its pipes
//! (`cores`). A reference measurement between them tells the machine's noise.

mod core;
mod cores;
mod cpu;
mod error;
mod noise;
mod process;
mod record;
mod replay;
mod stats;
mod table;
mod trace;

use clap::Parser;
use error::Error;
use noise::Noise;
use std::path::PathBuf;
use std::process::ExitCode;
use table::Section;

/// Measures Symphony's text engine beside its peers.
#[derive(Debug, Parser)]
struct Args {
    /// Our `xi-editor`, built with the release profile
    #[arg(long, value_name = "PATH")]
    xi_editor: PathBuf,
    /// Upstream's core, the `xi-core` binary of the xi-editor project
    #[arg(long, value_name = "PATH", env = "XI_UPSTREAM_CORE")]
    xi_core: Option<PathBuf>,
    /// The folder that holds `editing-traces`
    #[arg(long, value_name = "FOLDER", env = "SYMPHONY_DATA")]
    data: Option<PathBuf>,
    /// Put the tables into this file, in place of those of the last run
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Fewer repetitions: shows that it runs, not what it measures
    #[arg(long)]
    short: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                eprintln!("  caused by: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Error> {
    let mut noise = Noise::default();
    let mut sections = Vec::new();
    noise.sample()?;
    match trace::folder(args.data.as_deref()) {
        Some(folder) => sections.push(replay::measure(&folder, args.short, &mut noise)?),
        None => eprintln!("skipped: no recorded sessions; name their folder by SYMPHONY_DATA"),
    }
    match &args.xi_core {
        Some(upstream) => {
            let cores = cores::Programs {
                ours: args.xi_editor.clone(),
                upstream: upstream.clone(),
            };
            sections.extend(cores::measure(&cores, args.short, &mut noise)?);
        }
        None => eprintln!(
            "skipped: no upstream core; it is the `xi-core` binary of the xi-editor project, \
             built in release: give its path by --xi-core or XI_UPSTREAM_CORE"
        ),
    }
    sections.push(noise.section()?);
    let text: String = sections.iter().map(Section::markdown).collect();
    println!("{text}");
    match &args.record {
        Some(file) => record::put(file, &text),
        None => Ok(()),
    }
}
