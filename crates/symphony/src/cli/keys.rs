//! Who is asked: single keys and secrets from a terminal.

use console::{Key, Term};
use std::io;

/// What someone pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// A key that stands for a character.
    Char(char),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D, or the terminal has gone.
    End,
    /// Any other key.
    Other,
}

/// A source of keys.
pub trait Keys {
    /// Waits for the next key.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    fn next(&mut self) -> io::Result<Press>;

    /// Waits for a line that is not shown.
    ///
    /// # Errors
    /// When it cannot be read.
    fn secret(&mut self) -> io::Result<String>;
}

/// The keys of the terminal.
#[derive(Debug)]
pub struct TerminalKeys(Term);

impl TerminalKeys {
    /// The terminal of this process.
    pub fn new() -> Self {
        Self(Term::stderr())
    }
}

impl Default for TerminalKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl Keys for TerminalKeys {
    fn next(&mut self) -> io::Result<Press> {
        Ok(match self.0.read_key_raw() {
            Ok(Key::CtrlC) => Press::Interrupt,
            Ok(Key::Char('\u{4}')) => Press::End,
            Ok(Key::Char(c)) => Press::Char(c),
            Ok(_) => Press::Other,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Press::Interrupt,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotConnected | io::ErrorKind::UnexpectedEof
                ) =>
            {
                Press::End
            }
            Err(error) => return Err(error),
        })
    }

    fn secret(&mut self) -> io::Result<String> {
        if console::user_attended() {
            return self.0.read_secure_line();
        }
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line)
    }
}
