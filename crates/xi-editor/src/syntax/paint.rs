//! From scopes to the spans and tables of an answer.

use std::collections::HashMap;
use symphony_ipc_protocol::xi::{Highlighted, SyntaxStyle, Theme as ThemeInfo};
use syntect::highlighting::{Color, FontStyle, Highlighter, Style, Theme};
use syntect::parsing::Scope;
use two_face::theme::LazyThemeSet;

/// Themes for terminals: their colours are numbers of the terminal's own.
const TERMINAL_THEMES: [&str; 3] = ["ansi", "base16", "base16-256"];

/// All themes.
pub(super) struct Themes(LazyThemeSet);

impl Themes {
    pub(super) fn load() -> Self {
        Self(LazyThemeSet::from(two_face::theme::extra()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Theme> {
        if TERMINAL_THEMES.contains(&name) {
            return None;
        }
        self.0.get(name)
    }

    pub(super) fn list(&self) -> Vec<ThemeInfo> {
        let mut list: Vec<_> = self
            .0
            .theme_names()
            .filter_map(|name| Some((name, self.get(name)?)))
            .map(|(name, theme)| ThemeInfo {
                name: name.to_owned(),
                dark: Highlighter::new(theme).get_default().background.is_dark(),
            })
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }
}

trait Shade {
    fn is_dark(&self) -> bool;
    fn code(&self) -> String;
}

impl Shade for Color {
    /// By the weights that the eye gives red, green and blue.
    fn is_dark(&self) -> bool {
        let [r, g, b] = [self.r, self.g, self.b].map(u32::from);
        299 * r + 587 * g + 114 * b < 128_000
    }

    fn code(&self) -> String {
        let Self { r, g, b, a } = self;
        if *a == 0xff {
            format!("#{r:02x}{g:02x}{b:02x}")
        } else {
            format!("#{r:02x}{g:02x}{b:02x}{a:02x}")
        }
    }
}

/// Makes the spans and the table of one answer.
pub(super) struct Painter<'t> {
    theme: Option<(Highlighter<'t>, Style)>,
    /// What each stack of scopes is in the table; `None` for what needs no span.
    known: HashMap<Vec<Scope>, Option<usize>>,
    scopes: Table<String>,
    styles: Table<SyntaxStyle>,
    spans: Vec<usize>,
    /// Bytes since the last span.
    skipped: usize,
    /// Whether the last span may grow.
    growing: bool,
}

impl<'t> Painter<'t> {
    /// With a theme for styles, without for scopes.
    pub(super) fn new(theme: Option<&'t Theme>) -> Self {
        Self {
            theme: theme.map(|theme| {
                let highlighter = Highlighter::new(theme);
                let default = highlighter.get_default();
                (highlighter, default)
            }),
            known: HashMap::new(),
            scopes: Table::default(),
            styles: Table::default(),
            spans: Vec::new(),
            skipped: 0,
            growing: false,
        }
    }

    /// So many bytes have these scopes.
    pub(super) fn piece(&mut self, len: usize, scopes: &[Scope]) {
        let index = match self.known.get(scopes) {
            Some(index) => *index,
            None => {
                let index = self.index(scopes);
                self.known.insert(scopes.to_vec(), index);
                index
            }
        };
        match (index, self.spans.as_mut_slice()) {
            (None, _) => self.skip(len),
            (Some(index), [.., grown, last]) if self.growing && *last == index => *grown += len,
            (Some(index), _) => {
                self.spans.extend([self.skipped, len, index]);
                self.skipped = 0;
                self.growing = true;
            }
        }
    }

    /// So many bytes look like nothing, or a line ends in them.
    pub(super) fn skip(&mut self, len: usize) {
        self.skipped += len;
        self.growing = false;
    }

    fn index(&mut self, scopes: &[Scope]) -> Option<usize> {
        let Some((highlighter, default)) = &self.theme else {
            let names = semantic(scopes);
            return (!names.is_empty()).then(|| self.scopes.index(names));
        };
        let style = highlighter.style_for_stack(scopes);
        (style != *default).then(|| self.styles.index(wire(style, Some(default.background))))
    }

    /// Puts spans and tables into an answer.
    pub(super) fn finish(self, answer: &mut Highlighted) {
        answer.scopes = self.scopes.list;
        answer.styles = self.styles.list;
        answer.spans = self.spans;
        answer.default_style = self.theme.map(|(_, default)| wire(default, None));
    }
}

/// The scopes that say something, from the outermost to the innermost: not the
/// language's own, and no `meta`.
fn semantic(scopes: &[Scope]) -> String {
    let inner = scopes.get(1..).unwrap_or_default();
    let names = inner.iter().map(|scope| scope.build_string());
    let names: Vec<_> = names.filter(|name| !name.starts_with("meta.")).collect();
    names.join(" ")
}

fn wire(style: Style, default_background: Option<Color>) -> SyntaxStyle {
    let has = |font| style.font_style.contains(font);
    SyntaxStyle {
        fg: style.foreground.code(),
        bg: (default_background != Some(style.background)).then(|| style.background.code()),
        bold: has(FontStyle::BOLD),
        italic: has(FontStyle::ITALIC),
        underline: has(FontStyle::UNDERLINE),
    }
}

/// Different values, by number.
struct Table<T> {
    list: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Table<T> {
    fn index(&mut self, value: T) -> usize {
        let list = &mut self.list;
        *self.places.entry(value).or_insert_with_key(|value| {
            list.push(value.clone());
            list.len() - 1
        })
    }
}
