//! `review`: look at a change set, accept or reject its hunks.

mod edit;
mod editor;
mod interactive;
mod select;

use crate::{
    api::{Answer, Command, CommandError, ErrorKind},
    cli::{
        args::ReviewArgs,
        context::Context,
        diff,
        errors::{CliError, CliResult, unexpected},
        execute::{Execute, no_events},
        keys::Press,
        text::{count, moment_ms, one_line, table},
    },
};
use edit::Told;
use interactive::{HELP, Next, Walk};
use select::Selection;
use std::{collections::BTreeSet, time::SystemTime};
use symphony_domain::changes::{
    ChangeSet, ChangeSetSummary, Decided, Hunk, HunkId, ReviewOutcome, Verdict,
};

/// Reviews a change set.
///
/// # Errors
/// When there is none, something chosen is not in it, or it cannot be written.
pub async fn review(args: ReviewArgs, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    if args.list {
        return list(args.all, host, context).await;
    }
    if let (Some(hunk), Some(from)) = (args.edit, &args.with) {
        let text = edit::given(from, context).await?;
        let set = fetch(args.change_set.clone(), host, context).await?;
        let verdicts = vec![(hunk, Verdict::Edit { text })];
        return write(&set, verdicts, args.rebase, host, context).await;
    }
    let selection = Selection::parse(&args.hunk, &args.file)?;
    let set = fetch(args.change_set.clone(), host, context).await?;
    let chosen = selection.of(&set)?;
    if args.show {
        return show(&set, &chosen, context);
    }
    let decides = |hunk: &Hunk| {
        let open = match hunk.verdict {
            Decided::Pending => true,
            Decided::Rejected => args.all || !selection.is_empty(),
            Decided::Accepted => false,
        };
        open && chosen.contains(&hunk.id)
    };
    let verdict = match (args.accept, args.reject) {
        (true, _) => Some(Verdict::Accept),
        (_, true) => Some(Verdict::Reject),
        _ => None,
    };
    if let Some(verdict) = verdict {
        let hunks = set.hunks().filter(|hunk| decides(hunk));
        let verdicts = hunks.map(|hunk| (hunk.id, verdict.clone())).collect();
        return write(&set, verdicts, args.rebase, host, context).await;
    }
    if !context.ui.mode.interactive {
        return show_and_say_how(&set, &chosen, context);
    }
    if !set.hunks().any(decides) {
        return nothing_to_decide(&set, context);
    }
    let Some(verdicts) = ask(&set, decides, host, context).await? else {
        let error = CommandError::new(
            ErrorKind::Cancelled,
            "the review was stopped; nothing was decided",
        );
        return Err(error.into());
    };
    write(&set, verdicts, args.rebase, host, context).await
}

async fn fetch(
    id: Option<String>,
    host: &dyn Execute,
    context: &Context<'_>,
) -> CliResult<ChangeSet> {
    match host
        .execute(Command::ChangeSet { id }, no_events(), &context.cancel)
        .await?
    {
        Answer::ChangeSet { change_set } => Ok(change_set),
        _ => Err(unexpected("a change set")),
    }
}

/// Asks about each hunk; `None` when the review was dropped.
async fn ask(
    set: &ChangeSet,
    chosen: impl Fn(&Hunk) -> bool,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult<Option<Vec<(HunkId, Verdict)>>> {
    let style = context.ui.style;
    let mut walk = Walk::new(set, chosen);
    let title = format!(
        "{} · change set {}",
        style.bold(&one_line(&set.title)),
        one_line(&set.id)
    );
    context.ui.line(&title)?;
    context.ui.lines(walk.show(style))?;
    loop {
        context.ui.raw(&format!("{} ", walk.question(style)))?;
        context.ui.flush()?;
        let press = context.key().await?;
        let shown = match press {
            Press::Char(key) if !key.is_control() => key.to_string(),
            _ => String::new(),
        };
        context.ui.line(&shown)?;
        match walk.press(press) {
            Next::Hunk => context.ui.lines(walk.show(style))?,
            Next::Edit => match edit::edit(&mut walk, set, host, context).await? {
                Told::Hunk(told) => {
                    context.ui.lines(walk.show(style))?;
                    context.ui.lines(told)?;
                }
                Told::Nothing(why) => context.ui.line(&why)?,
                Told::Stopped => return Ok(None),
            },
            Next::Help => context.ui.lines(HELP.map(|line| style.cyan(line)))?,
            Next::AtStart => context.ui.line("This is the first hunk.")?,
            Next::End => return Ok(Some(walk.verdicts())),
            Next::Dropped => return Ok(None),
        }
    }
}

async fn write(
    set: &ChangeSet,
    verdicts: Vec<(HunkId, Verdict)>,
    rebase: bool,
    host: &dyn Execute,
    context: &mut Context<'_>,
) -> CliResult {
    if verdicts.is_empty() {
        return nothing_to_decide(set, context);
    }
    let command = Command::Review {
        id: set.id.clone(),
        verdicts,
        rebase,
    };
    let answer = host.execute(command, no_events(), &context.cancel).await;
    let answer = answer.map_err(|error| with_rebase_help(error, set, context))?;
    let Answer::Reviewed { outcome } = answer else {
        return Err(unexpected("what the review did"));
    };
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::Reviewed { outcome })?);
    }
    let line = told(&outcome, context);
    Ok(context.ui.line(&line)?)
}

fn with_rebase_help(mut error: CommandError, set: &ChangeSet, context: &Context<'_>) -> CliError {
    if error.kind == ErrorKind::Conflict && error.help.is_none() {
        error.help = Some(context.place.hint(&format!("review --rebase {}", set.id)));
    }
    error.into()
}

/// `accepted 19, rejected 2, written to 11 files; undo with symphony undo`.
fn told(outcome: &ReviewOutcome, context: &Context<'_>) -> String {
    let edited = match outcome.edited {
        0 => String::new(),
        edited => format!(" ({edited} edited)"),
    };
    let mut parts = vec![
        format!("accepted {}{edited}", outcome.accepted),
        format!("rejected {}", outcome.rejected),
    ];
    if outcome.pending > 0 {
        parts.push(format!("{} left to decide", outcome.pending));
    }
    if !outcome.files.is_empty() {
        let mut written = format!("written to {}", count(outcome.files.len(), "file"));
        if !outcome.merged.is_empty() {
            written.push_str(&format!(
                " ({} merged with other changes)",
                outcome.merged.len()
            ));
        }
        parts.push(written);
    }
    let mut line = parts.join(", ");
    line.push_str(&match outcome.application {
        Some(_) => format!("; undo with {}", context.place.hint("undo")),
        None => "; nothing was written".to_owned(),
    });
    line
}

fn nothing_to_decide(set: &ChangeSet, context: &mut Context<'_>) -> CliResult {
    if context.ui.mode.json {
        return Ok(context.ui.result(&nothing_done(set))?);
    }
    let pending = set.count(Decided::Pending);
    let text = if pending > 0 {
        format!("nothing decided, {pending} left to decide; nothing was written")
    } else {
        let (accepted, rejected) = (set.count(Decided::Accepted), set.count(Decided::Rejected));
        format!(
            "change set {} is decided: {accepted} accepted, {rejected} rejected; nothing was written",
            one_line(&set.id)
        )
    };
    Ok(context.ui.line(&text)?)
}

fn nothing_done(set: &ChangeSet) -> Answer {
    let outcome = ReviewOutcome {
        change_set: set.id.clone(),
        accepted: 0,
        edited: 0,
        rejected: 0,
        postponed: 0,
        pending: set.count(Decided::Pending),
        files: Vec::new(),
        merged: Vec::new(),
        application: None,
    };
    Answer::Reviewed { outcome }
}

fn show(set: &ChangeSet, chosen: &BTreeSet<HunkId>, context: &mut Context<'_>) -> CliResult {
    if context.ui.mode.json {
        let mut change_set = set.clone();
        for file in &mut change_set.files {
            file.hunks.retain(|hunk| chosen.contains(&hunk.id));
        }
        change_set.files.retain(|file| !file.hunks.is_empty());
        return Ok(context.ui.result(&Answer::ChangeSet { change_set })?);
    }
    let lines = diff::change_set(set, |hunk| chosen.contains(&hunk.id), context.ui.style);
    Ok(context.ui.lines(lines)?)
}

/// Without someone to ask: what there is, and which flags decide.
fn show_and_say_how(
    set: &ChangeSet,
    chosen: &BTreeSet<HunkId>,
    context: &mut Context<'_>,
) -> CliResult {
    if context.ui.mode.json {
        return show(set, chosen, context);
    }
    let total = set.hunks().count();
    let title = format!(
        "{} · change set {}: {}",
        one_line(&set.title),
        one_line(&set.id),
        count(total, "hunk")
    );
    context.ui.line(&title)?;
    let mut rows = Vec::new();
    for file in &set.files {
        for hunk in file.hunks.iter().filter(|hunk| chosen.contains(&hunk.id)) {
            let verdict = match hunk.verdict {
                Decided::Pending => "",
                Decided::Accepted if hunk.edited => "accepted, edited",
                Decided::Accepted => "accepted",
                Decided::Rejected => "rejected",
            };
            let place = format!("{}:{}", one_line(&file.path), hunk.old_start_line);
            rows.push(vec![
                format!("  {}", hunk.id),
                place,
                one_line(&hunk.item),
                verdict.to_owned(),
            ]);
        }
    }
    context.ui.lines(table(&rows))?;
    let id = &set.id;
    context
        .ui
        .note("This is no terminal, so nobody was asked. Decide with flags:");
    let hints = [
        (format!("review {id} --show"), "the diff"),
        (
            format!("review {id} --accept"),
            "take all that is not decided",
        ),
        (
            format!("review {id} --accept --hunk 1,4-7"),
            "take some; --file PATH, --reject alike",
        ),
        (
            format!("review {id} --edit 2 --with FILE"),
            "take one with your own text",
        ),
    ];
    let rows: Vec<_> = hints
        .map(|(c, what)| vec![format!("  {}", context.place.hint(&c)), what.to_owned()])
        .into();
    for line in table(&rows) {
        context.ui.note(&line);
    }
    Ok(())
}

async fn list(all: bool, host: &dyn Execute, context: &mut Context<'_>) -> CliResult {
    let answer = host
        .execute(Command::ChangeSets, no_events(), &context.cancel)
        .await?;
    let Answer::ChangeSets { mut change_sets } = answer else {
        return Err(unexpected("the change sets"));
    };
    let decided = change_sets.iter().filter(|set| set.pending == 0).count();
    if !all {
        change_sets.retain(|set| set.pending > 0);
    }
    if context.ui.mode.json {
        return Ok(context.ui.result(&Answer::ChangeSets { change_sets })?);
    }
    let now = SystemTime::now();
    let rows: Vec<_> = change_sets.iter().map(|set| row(set, now)).collect();
    context.ui.lines(table(&rows))?;
    if rows.is_empty() {
        context.ui.line("No change set waits for review.")?;
    }
    if !all && decided > 0 {
        context.ui.note(&format!(
            "{} decided; --all lists them too",
            count(decided, "change set")
        ));
    }
    Ok(())
}

fn row(set: &ChangeSetSummary, now: SystemTime) -> Vec<String> {
    let mut state = format!(
        "{} of {} to decide",
        set.pending,
        set.pending + set.accepted + set.rejected
    );
    if set.in_place {
        state.push_str(", some in the project");
    }
    vec![
        one_line(&set.id),
        one_line(&set.melody),
        one_line(&set.title),
        count(set.files, "file"),
        state,
        moment_ms(set.created_ms, now),
    ]
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
