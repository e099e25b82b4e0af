//! `symphony-code-operators <operator>`: serves one Operator over standard input and output.

use std::process::ExitCode;
use symphony_code_operators::OPERATORS;
use symphony_extension_sdk::{About, function, serve};

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let known = OPERATORS.iter().find(|(known, _)| *known == name);
    let (Some((name, operator)), None) = (known, arguments.next()) else {
        let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        eprintln!("error: unknown operator `{name}`");
        eprintln!("usage: symphony-code-operators <{}>", names.join("|"));
        return ExitCode::from(USAGE);
    };
    let about = About::new(*name, env!("CARGO_PKG_VERSION")).max_parallel(4);
    match serve(function(about, *operator)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
