//! What is wrong with a melody, said so that it can be mended.

use super::locate::line_at;
use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, naming the node and the port.
    pub message: String,
    /// Where, from 1.
    pub line: Option<usize>,
    /// What to do; may be empty.
    pub help: String,
}

impl Problem {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| line_at(text, span.start));
        Self {
            message: error.message().trim().to_owned(),
            line,
            help: String::new(),
        }
    }
}

/// All that is wrong with a melody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The melody's file.
    pub origin: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl Problems {
    pub(super) fn one(origin: &str, problem: Problem) -> Self {
        Self {
            origin: origin.to_owned(),
            problems: vec![problem],
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", problem.message)?;
            match problem.line {
                Some(line) => write!(f, "\n  {}:{line}", self.origin)?,
                None => write!(f, "\n  {}", self.origin)?,
            }
            if !problem.help.is_empty() {
                write!(f, "\n  help: {}", problem.help)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Names the known word that is most like `wanted`, else all of them.
pub fn nearest(wanted: &str, known: &[&str]) -> String {
    let similarity =
        |word: &str| (similar::TextDiff::from_chars(wanted, word).ratio() * 1000.0) as u32;
    match known.iter().copied().max_by_key(|word| similarity(word)) {
        None => "there are none".to_owned(),
        Some(word) if similarity(word) >= 600 => format!("did you mean `{word}`?"),
        Some(_) => format!("there are: {}", known.join(", ")),
    }
}
