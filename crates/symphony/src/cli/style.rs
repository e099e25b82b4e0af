//! Colours, and whether there are any.

use crate::cli::args::ColorWhen;

/// Puts colour on text, or leaves it as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether there is colour.
    pub color: bool,
}

impl Style {
    /// Whether to colour a stream: `auto` asks whether it is a terminal and
    /// what NO_COLOR, CLICOLOR_FORCE and TERM say.
    pub fn choose(
        when: ColorWhen,
        is_terminal: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let forced = || set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0");
        let dumb = || variable("TERM").as_deref() == Some("dumb");
        let color = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto if set("NO_COLOR") => false,
            ColorWhen::Auto => forced() || (is_terminal && !dumb()),
        };
        Self { color }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Headings and names.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What is wrong or removed.
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// What is well or added.
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What wants attention.
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Places and bars.
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// The word before an error.
    pub fn alarm(self, text: &str) -> String {
        self.paint("1;31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(when: ColorWhen, terminal: bool, variables: &[(&str, &str)]) -> bool {
        let find = |name: &str| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Style::choose(when, terminal, find).color
    }

    #[test]
    fn auto_follows_terminal_and_variables() {
        assert!(choose(ColorWhen::Auto, true, &[]));
        assert!(!choose(ColorWhen::Auto, false, &[]));
        assert!(!choose(ColorWhen::Auto, true, &[("NO_COLOR", "1")]));
        assert!(choose(ColorWhen::Auto, true, &[("NO_COLOR", "")]));
        assert!(!choose(ColorWhen::Auto, true, &[("TERM", "dumb")]));
        assert!(choose(ColorWhen::Auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!choose(ColorWhen::Auto, false, &[("CLICOLOR_FORCE", "0")]));
    }

    #[test]
    fn a_flag_beats_variables() {
        assert!(choose(ColorWhen::Always, false, &[("NO_COLOR", "1")]));
        assert!(!choose(ColorWhen::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }

    #[test]
    fn without_colour_text_stays_as_it_is() {
        assert_eq!(Style { color: false }.red("x"), "x");
        assert_eq!(Style { color: true }.red("x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Style { color: true }.red(""), "");
    }
}
