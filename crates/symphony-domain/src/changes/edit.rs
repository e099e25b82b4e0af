//! A reviewer's own text in the place of a hunk's.

use super::{
    ChangeSets,
    error::ChangeError,
    hunks::Replaced,
    proposed::{MAX_FILE_BYTES, begins_with_mark},
    store::Loaded,
    types::{Decided, Draft, DraftMeaning, FileChange, Hunk, HunkId},
};

impl ChangeSets {
    /// A hunk as it would be with this text, or as it is without one. Decides
    /// nothing and touches no file.
    ///
    /// # Errors
    /// `Selection` when there is no such hunk, it is written already, or the
    /// text cannot be taken; `NotFound`, `Ambiguous`, `Store`, `Damaged`.
    pub async fn draft(
        &self,
        id: &str,
        hunk: HunkId,
        text: Option<&str>,
    ) -> Result<Draft, ChangeError> {
        let record = self.store.find_set(id).await?;
        let set = self.store.load(record).await?;
        if let Some(text) = text {
            return self.drafted(&set, hunk, text).await;
        }
        let (file, hunk) = find(&set, hunk)?;
        let base = self.store.base(file).await?.unwrap_or_default();
        let meaning = match hunk.edited {
            true => DraftMeaning::Edited,
            false => DraftMeaning::Proposed,
        };
        let mut hunk = hunk.clone();
        hunk.verdict = set.record.verdict(hunk.id);
        Ok(Draft {
            text: Replaced::of(&base, &hunk).new,
            hunk,
            meaning,
        })
    }

    /// A hunk that is not written yet with a reviewer's text.
    pub(super) async fn drafted(
        &self,
        set: &Loaded,
        id: HunkId,
        text: &str,
    ) -> Result<Draft, ChangeError> {
        let (file, hunk) = find(set, id)?;
        let refused = |why: &str| refused(set, id, why);
        if set.record.verdict(id) == Decided::Accepted {
            return Err(refused("is written already: undo takes it back"));
        }
        let base = self.store.base(file).await?;
        let mut draft = draft(base.as_deref(), hunk, text).map_err(refused)?;
        draft.hunk.verdict = set.record.verdict(id);
        Ok(draft)
    }
}

fn find(set: &Loaded, id: HunkId) -> Result<(&FileChange, &Hunk), ChangeError> {
    let files = set.plan.files.iter();
    let mut hunks = files.flat_map(|file| file.hunks.iter().map(move |hunk| (file, hunk)));
    let last = set.record.hunks;
    hunks
        .find(|(_, hunk)| hunk.id == id)
        .ok_or_else(|| refused(set, id, &format!("does not exist: there are 1 to {last}")))
}

fn refused(set: &Loaded, hunk: HunkId, why: &str) -> ChangeError {
    ChangeError::Selection {
        id: set.record.id.clone(),
        hunk,
        why: why.to_owned(),
    }
}

/// Puts a text that was a [`Draft`]'s in the place of a hunk's.
pub(super) fn put(base: &str, hunk: &mut Hunk, text: &str) {
    Replaced::of(base, hunk).replace(hunk, text);
    hunk.edited = true;
}

/// Counts the lines of a file's hunks anew.
pub(super) fn renumber(file: &mut FileChange) {
    let mut grown = 0isize;
    for hunk in &mut file.hunks {
        hunk.new_start_line = hunk.old_start_line.saturating_add_signed(grown);
        grown += hunk.grows();
    }
}

fn draft(base: Option<&str>, hunk: &Hunk, given: &str) -> Result<Draft, &'static str> {
    let text = base.unwrap_or_default();
    let replaced = Replaced::of(text, hunk);
    let fitted = fitted(text, &replaced, given);
    let known = |text: &str| match text {
        // Without the file there is nothing that it could be equal to.
        _ if base.is_some() && text == replaced.old() => Some(DraftMeaning::Unchanged),
        _ if text == replaced.new => Some(DraftMeaning::Proposed),
        _ => None,
    };
    // As it was given first: a hunk may change nothing but how a line ends.
    let meaning = known(given).or_else(|| known(&fitted));
    let meaning = meaning.unwrap_or(DraftMeaning::Edited);
    if meaning == DraftMeaning::Edited {
        check(text, &replaced, &fitted)?;
    }
    let text = match meaning {
        DraftMeaning::Proposed => replaced.new.clone(),
        DraftMeaning::Unchanged => replaced.old().to_owned(),
        DraftMeaning::Edited => fitted,
    };
    let mut hunk = hunk.clone();
    if meaning != DraftMeaning::Proposed {
        replaced.replace(&mut hunk, &text);
        hunk.edited = true;
    }
    Ok(Draft {
        hunk,
        text,
        meaning,
    })
}

/// What a proposal may not hold, a reviewer's text may not either: the file
/// could not be read again as it was written.
fn check(base: &str, replaced: &Replaced<'_>, text: &str) -> Result<(), &'static str> {
    if text.contains('\0') {
        return Err("cannot be edited so: the text holds a NUL, which makes a file binary");
    }
    if replaced.start() == 0 && begins_with_mark(text, replaced.rest()) {
        return Err("cannot be edited so: the file would begin with an encoding mark");
    }
    if base.len() - replaced.old().len() + text.len() > MAX_FILE_BYTES {
        return Err("cannot be edited so: the file would have more than 16 MiB");
    }
    Ok(())
}

/// The text with the line ends of its place.
///
/// An editor may write all lines with its own kind of end, and mostly ends the
/// last one, whether the file does or not.
fn fitted(base: &str, replaced: &Replaced<'_>, given: &str) -> String {
    let ends = match Ends::of(base) {
        Ends::None | Ends::Mixed => Ends::of(&replaced.new),
        uniform => uniform,
    };
    let mut text = match ends {
        Ends::Lf => given.replace("\r\n", "\n"),
        Ends::CrLf => given.replace("\r\n", "\n").replace('\n', "\r\n"),
        Ends::None | Ends::Mixed => given.to_owned(),
    };
    let is_ended = |text: &str| text.is_empty() || text.ends_with('\n');
    let is_ended_here = match replaced.is_last() {
        false => true,
        true if replaced.new.is_empty() => is_ended(base),
        true => is_ended(&replaced.new),
    };
    match (is_ended(&text), is_ended_here) {
        (false, true) if ends == Ends::CrLf => text.push_str("\r\n"),
        (false, true) => text.push('\n'),
        (true, false) => {
            let bare = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
            text.truncate(bare.map_or(0, str::len));
        }
        _ => {}
    }
    text
}

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    None,
    Lf,
    CrLf,
    Mixed,
}

impl Ends {
    fn of(text: &str) -> Self {
        let (all, returns) = (text.matches('\n').count(), text.matches("\r\n").count());
        match (all, all - returns) {
            (0, _) => Self::None,
            (_, 0) => Self::CrLf,
            _ if returns == 0 => Self::Lf,
            _ => Self::Mixed,
        }
    }
}
