//! The runner's arguments.

use std::ffi::{OsStr, OsString};

/// What the runner is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Form {
    /// Confine itself, then become a program.
    Exec(Exec),
    /// End registered process groups when the standard input ends.
    Guard,
}

/// How to become a program.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// The host's process id; the program ends with it.
    pub parent: i32,
    /// Upper bounds, as in setrlimit(2).
    pub limits: Limits,
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Upper bounds; `None` leaves the inherited one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Open file descriptors.
    pub nofile: Option<u64>,
    /// Address space in bytes.
    pub address_space: Option<u64>,
    /// Size of a core dump in bytes.
    pub core: Option<u64>,
    /// Size of a written file in bytes.
    pub file_size: Option<u64>,
}

/// The one-line description of the arguments.
pub const USAGE: &str = "symphony-extension-runner exec --parent PID [--nofile N] [--address-space BYTES] [--core BYTES] [--file-size BYTES] -- PROGRAM [ARGUMENT…] | guard";

/// Reads the arguments after the program's name.
///
/// # Errors
/// What is wrong with them, for people.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Form, String> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref().and_then(OsStr::to_str) {
        Some("guard") => match arguments.next() {
            None => Ok(Form::Guard),
            Some(extra) => Err(format!(
                "`guard` takes no argument, not {}",
                extra.display()
            )),
        },
        Some("exec") => parse_exec(arguments).map(Form::Exec),
        _ => Err(format!("usage: {USAGE}")),
    }
}

fn parse_exec(mut arguments: impl Iterator<Item = OsString>) -> Result<Exec, String> {
    let mut exec = Exec::default();
    loop {
        let Some(option) = arguments.next() else {
            return Err("`--` and a program are missing".to_owned());
        };
        if option == "--" {
            break;
        }
        let mut number = || -> Result<u64, String> {
            arguments
                .next()
                .and_then(|value| value.to_str()?.parse().ok())
                .ok_or_else(|| format!("{} needs a number", option.display()))
        };
        match option.to_str() {
            Some("--parent") => {
                exec.parent = i32::try_from(number()?).map_err(|e| format!("--parent: {e}"))?;
            }
            Some("--nofile") => exec.limits.nofile = Some(number()?),
            Some("--address-space") => exec.limits.address_space = Some(number()?),
            Some("--core") => exec.limits.core = Some(number()?),
            Some("--file-size") => exec.limits.file_size = Some(number()?),
            _ => return Err(format!("unknown option {}; {USAGE}", option.display())),
        }
    }
    if exec.parent == 0 {
        return Err("--parent is missing".to_owned());
    }
    exec.program = arguments.next().ok_or("a program is missing")?;
    exec.arguments = arguments.collect();
    Ok(exec)
}

impl Limits {
    /// The options that [`parse`] reads back into these limits.
    pub fn to_options(&self) -> Vec<OsString> {
        let pairs = [
            ("--nofile", self.nofile),
            ("--address-space", self.address_space),
            ("--core", self.core),
            ("--file-size", self.file_size),
        ];
        let given = pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        given
            .flat_map(|(name, value)| [name.into(), value.to_string().into()])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Form, String> {
        parse(words.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_survive_their_writing() {
        let limits = Limits {
            nofile: Some(64),
            address_space: Some(1 << 30),
            core: Some(0),
            file_size: None,
        };
        let mut words: Vec<OsString> = vec!["exec".into(), "--parent".into(), "7".into()];
        words.extend(limits.to_options());
        words.extend(["--".into(), "cat".into(), "--parent".into(), "--".into()]);
        let Ok(Form::Exec(exec)) = parse(words) else {
            panic!("expected exec")
        };
        assert_eq!(exec.limits, limits);
        assert_eq!((exec.parent, exec.program), (7, "cat".into()));
        assert_eq!(exec.arguments, ["--parent", "--"].map(OsString::from));
    }

    #[test]
    fn mistakes_are_named() {
        for (words, part) in [
            ("", "usage"),
            ("guard now", "no argument"),
            ("exec --parent 1 cat", "unknown option cat"),
            ("exec --parent x -- cat", "--parent needs a number"),
            ("exec -- cat", "--parent is missing"),
            ("exec --parent 1 --", "a program is missing"),
            ("exec --parent 1 --nofile", "--nofile needs a number"),
        ] {
            let error = parse_words(words).unwrap_err();
            assert!(error.contains(part), "{words}: {error}");
        }
    }
}
