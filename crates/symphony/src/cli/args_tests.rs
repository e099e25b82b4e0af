use super::*;
use clap::{CommandFactory, Parser};

fn parsed(words: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words.split_whitespace())
}

fn all_commands(command: &clap::Command, path: &str, out: &mut Vec<(String, clap::Command)>) {
    out.push((path.to_owned(), command.clone()));
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        all_commands(sub, &format!("{path} {}", sub.get_name()), out);
    }
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_is_as_it_was_reviewed() {
    let mut commands = Vec::new();
    let mut root = Cli::command().term_width(100);
    root.build();
    all_commands(&root, "symphony", &mut commands);
    let mut text = String::new();
    for (path, mut command) in commands {
        text.push_str(&format!(
            "==== {path} --help\n{}\n",
            command.render_long_help()
        ));
    }
    assert!(!text.contains('\x1b'));
    insta::assert_snapshot!("help", text);
}

/// Every line of an example that begins with `symphony` is one that is understood.
#[test]
fn every_example_of_the_help_parses() {
    let mut commands = Vec::new();
    all_commands(&Cli::command(), "symphony", &mut commands);
    let mut seen = 0;
    for (_, command) in commands {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        for line in help
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("symphony "))
        {
            let line = line
                .split(" > ")
                .next()
                .unwrap()
                .split(" | ")
                .next()
                .unwrap();
            let line = line.split("   ").next().unwrap();
            let words = split(line);
            Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen}");
}

/// The examples of the page of the command line, too.
#[test]
fn every_example_of_the_page_parses() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
    let Ok(page) = std::fs::read_to_string(page) else {
        return;
    };
    let mut names: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    names.retain(|name| name != "help");
    for line in page
        .lines()
        .filter(|line| line.starts_with("symphony ") || line.starts_with("$ symphony "))
    {
        let line = line
            .trim_start_matches("$ ")
            .split(" > ")
            .next()
            .unwrap()
            .split(" | ")
            .next()
            .unwrap();
        let line = line.split("   ").next().unwrap();
        let words = split(line);
        names.retain(|name| !words.contains(name));
        Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    assert!(
        names.is_empty(),
        "docs/command-line.md has no example of {names:?}"
    );
}

/// Words as a shell splits them, as far as examples need it.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.trim().chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn spellings_that_other_programs_rely_on() {
    for line in [
        "symphony perform document --project /copy",
        "symphony perform document --project /copy --json",
        "symphony review",
        "symphony review --accept",
        "symphony undo",
        "symphony --json runs show 7f3a",
        "symphony review --rebase 7f3a",
    ] {
        parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn contradictions_are_refused() {
    for line in [
        "symphony review --accept --reject",
        "symphony review --show --accept",
        "symphony review --list --accept",
        "symphony runs -q -v",
        "symphony perform",
        "symphony perform document --input nothing",
        "symphony perform document --input =3",
        "symphony perform document --limit -1",
        "symphony models add ollama --keyring --key-env K",
        "symphony nonsense",
    ] {
        let error = parsed(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn inputs_are_split_at_the_first_equals_sign() {
    let cli = parsed("symphony perform x --input a=b=c -i d=").unwrap();
    let Verb::Perform(args) = cli.command else {
        panic!()
    };
    assert_eq!(
        args.input,
        [
            ("a".to_owned(), "b=c".to_owned()),
            ("d".to_owned(), String::new())
        ]
    );
}

#[test]
fn an_edit_needs_its_text_and_decides_alone() {
    assert!(parsed("symphony review 7f3a --edit 3 --with -").is_ok());
    assert!(parsed("symphony review --edit 3 --with mine.py --rebase").is_ok());
    for wrong in [
        "--edit 3",
        "--with mine.py",
        "--edit x --with mine.py",
        "--edit 3 --with mine.py --accept",
        "--edit 3 --with mine.py --hunk 4",
    ] {
        assert!(
            parsed(&format!("symphony review {wrong}")).is_err(),
            "{wrong}"
        );
    }
}
