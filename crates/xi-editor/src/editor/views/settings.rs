//! How buffers are edited: what the client chose, and what the text says.

use super::super::{Editor, EditorError, OpenBuffer};
use crate::commands::{Language, PLAIN, Settings, detect_indent, language_of};
use serde::{Deserialize, Serialize};
use symphony_ipc_protocol::xi::{BufferKey, Configuration, Configure, Indent, ViewKey};

/// What was chosen for a buffer.
#[derive(Default, Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    indent: Option<Indent>,
    tab_width: Option<u32>,
    language: Option<&'static Language>,
    auto_pairs: Option<bool>,
    /// What the text said when it was asked first.
    found_indent: Option<Indent>,
}

impl Chosen {
    fn settings(&mut self, open: &OpenBuffer) -> Settings {
        let usual = Settings::default();
        let found = *self
            .found_indent
            .get_or_insert_with(|| detect_indent(open.buffer.text()).unwrap_or(usual.indent));
        let name = open.path.as_deref().and_then(|p| p.file_name()?.to_str());
        let by_name = || name.and_then(language_of).unwrap_or(usual.language);
        Settings {
            indent: self.indent.unwrap_or(found),
            tab_width: self.tab_width.map_or(usual.tab_width, |w| w as usize),
            language: self.language.unwrap_or_else(by_name),
            auto_pairs: self.auto_pairs.unwrap_or(usual.auto_pairs),
        }
    }
}

/// [`Chosen`] as a journal keeps it, in JSON.
#[derive(Serialize, Deserialize)]
struct Kept {
    indent: Option<Indent>,
    tab_width: Option<u32>,
    language: Option<String>,
    auto_pairs: Option<bool>,
    found_indent: Option<Indent>,
}

impl Chosen {
    /// As a journal keeps it; `None`: there is nothing to keep.
    pub(super) fn note(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let name = |language: &Language| language.name.to_owned();
        let kept = Kept {
            indent: self.indent,
            tab_width: self.tab_width,
            language: self.language.map(name),
            auto_pairs: self.auto_pairs,
            found_indent: self.found_indent,
        };
        serde_json::to_string(&kept).ok()
    }

    /// What a journal kept.
    pub(super) fn of(json: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(json).ok()?;
        Some(Self {
            indent: kept.indent,
            tab_width: kept.tab_width,
            language: kept.language.as_deref().and_then(language_of),
            auto_pairs: kept.auto_pairs,
            found_indent: kept.found_indent,
        })
    }
}

impl Editor {
    /// Sets how a buffer is edited; without anything to set, says how.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`]; [`EditorError::BadSetting`].
    pub fn configure(&mut self, request: &Configure) -> Result<Configuration, EditorError> {
        self.find(request.buffer)?;
        limits("tab_width", request.tab_width, 32)?;
        if let Some(Indent::Spaces { width }) = request.indent {
            limits("indent.width", Some(width), 16)?;
        }
        self.views.news.chosen(request.buffer);
        let chosen = self.views.chosen.entry(request.buffer).or_default();
        chosen.indent = request.indent.or(chosen.indent);
        chosen.tab_width = request.tab_width.or(chosen.tab_width);
        chosen.auto_pairs = request.auto_pairs.or(chosen.auto_pairs);
        let mut buffers = self.buffers.iter();
        let open = buffers
            .find(|open| open.key == request.buffer)
            .ok_or(EditorError::NoBuffer(request.buffer))?;
        Ok(configuration(&chosen.settings(open)))
    }

    /// Says which of these names the language that a buffer is written in; editing knows fewer
    /// languages than grammars do. Without names, the language is found by the file again.
    ///
    /// # Errors
    /// [`EditorError::NoBuffer`].
    pub(crate) fn choose_language(
        &mut self,
        buffer: BufferKey,
        names: &[String],
    ) -> Result<(), EditorError> {
        self.find(buffer)?;
        let known = names.iter().find_map(|name| language_of(name));
        let language = (!names.is_empty()).then(|| known.unwrap_or(&PLAIN));
        self.views.chosen.entry(buffer).or_default().language = language;
        self.views.news.chosen(buffer);
        Ok(())
    }

    /// How the buffer of a view is edited.
    pub(super) fn settings_of(&mut self, view: ViewKey) -> Result<Settings, EditorError> {
        let key = self.views.find(view)?.buffer;
        let mut buffers = self.buffers.iter();
        let open = buffers
            .find(|open| open.key == key)
            .ok_or(EditorError::NoBuffer(key))?;
        let chosen = self.views.chosen.entry(key).or_default();
        if chosen.found_indent.is_none() {
            self.views.news.chosen(key);
        }
        Ok(chosen.settings(open))
    }
}

fn limits(what: &str, value: Option<u32>, most: u32) -> Result<(), EditorError> {
    match value {
        Some(value) if value == 0 || value > most => Err(EditorError::BadSetting(format!(
            "`{what}` is {value}, it may be 1 to {most}"
        ))),
        _ => Ok(()),
    }
}

fn configuration(settings: &Settings) -> Configuration {
    let language = settings.language;
    let owned = |pair: (&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
    Configuration {
        indent: settings.indent,
        tab_width: u32::try_from(settings.tab_width).unwrap_or(u32::MAX),
        language: language.name.to_owned(),
        line_comment: language.line_comment.map(str::to_owned),
        block_comment: language.block_comment.map(owned),
        auto_pairs: settings.auto_pairs,
    }
}
