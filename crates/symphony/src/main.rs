//! The program `symphony`.

use std::process::ExitCode;

fn main() -> ExitCode {
    symphony::cli::main()
}
