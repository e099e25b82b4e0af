//! Starts a child process confined, or guards the children of a host.

use std::process::ExitCode;
use symphony_sandbox::{
    args::{Form, parse},
    exec, guard,
};

/// Exit code for wrong arguments.
const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let (code, why) = match parse(std::env::args_os().skip(1)) {
        Ok(Form::Guard) => {
            guard::run(std::io::stdin().lock());
            return ExitCode::SUCCESS;
        }
        Ok(Form::Exec(options)) => match exec::run(options) {
            Ok(never) => match never {},
            Err(error) => (error.exit_code(), error.why),
        },
        Err(why) => (ExitCode::from(USAGE_ERROR), why),
    };
    eprintln!("symphony-extension-runner: {why}");
    code
}
