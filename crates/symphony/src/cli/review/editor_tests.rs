use super::*;
use proptest::prelude::*;
use tempfile::TempDir;

/// A script that is run with the file as its first argument.
struct Editor(TempDir);

impl Editor {
    fn doing(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("my editor.sh"), script).unwrap();
        Self(folder)
    }

    fn command(&self) -> String {
        format!("sh '{}'", self.0.path().join("my editor.sh").display())
    }

    async fn edit(&self, text: &str) -> Result<Saved, EditorError> {
        sheet(text)
            .edit(Some(&self.command()), &CancellationToken::new())
            .await
    }
}

fn sheet(text: &str) -> Sheet<'_> {
    Sheet {
        name: "hunk-1.py",
        head: &[],
        text,
    }
}

fn saved(text: &str) -> Saved {
    Saved::Text(text.to_owned())
}

#[tokio::test]
async fn what_was_saved_comes_back_without_the_head() {
    let head = ["hunk 1 of a.py".to_owned()];
    let sheet = Sheet {
        head: &head,
        ..sheet("one\ntwo\n")
    };
    let editor =
        Editor::doing("grep -q '^#symphony: hunk 1 of a.py$' \"$1\" && sed -i s/two/2/ \"$1\"");
    let (command, token) = (editor.command(), CancellationToken::new());
    let edited = sheet.edit(Some(&command), &token).await;
    assert_eq!(edited.unwrap(), saved("one\n2\n"));
}

#[tokio::test]
async fn the_command_is_split_as_a_shell_does_it() {
    let editor = Editor::doing("[ \"$1 $2\" = '--wait a b' ] && echo x >> \"$3\"");
    let command = format!("{} --wait 'a b'", editor.command());
    let token = CancellationToken::new();
    let edited = sheet("").edit(Some(&command), &token).await;
    assert_eq!(edited.unwrap(), saved("x\n"));
}

#[tokio::test]
async fn an_editor_may_replace_the_file() {
    let editor = Editor::doing(
        "echo y > \"$1.new\" && mv \"$1.new\" \"$1\"; case \"$1\" in *.py) ;; *) exit 1;; esac",
    );
    assert_eq!(editor.edit("x\n").await.unwrap(), saved("y\n"));
}

#[tokio::test]
async fn nothing_changed_and_nothing_left_are_told_apart() {
    let same = Editor::doing("true");
    assert_eq!(same.edit("x\n").await.unwrap(), Saved::Same);
    let ends_lines = Editor::doing("echo >> \"$1\"");
    assert_eq!(ends_lines.edit("x").await.unwrap(), Saved::Same);
    for script in [": > \"$1\"", "sed -i /x/d \"$1\"", "echo > \"$1\""] {
        let emptied = Editor::doing(script).edit("x\n").await;
        assert_eq!(emptied.unwrap(), Saved::Nothing, "{script}");
    }
}

#[tokio::test]
async fn a_line_of_the_text_that_looks_like_the_head_stays() {
    let text = "#symphony: mine\n##symphony: mine, too\n";
    assert_eq!(Editor::doing("true").edit(text).await.unwrap(), Saved::Same);
    let more = Editor::doing("echo more >> \"$1\"");
    assert_eq!(
        more.edit(text).await.unwrap(),
        saved(&format!("{text}more\n"))
    );
}

#[tokio::test]
async fn what_goes_wrong_is_named() {
    let token = CancellationToken::new();
    let told = async |command: Option<&str>| {
        let error = sheet("x\n").edit(command, &token).await.unwrap_err();
        error.to_string()
    };
    assert!(told(None).await.contains("set VISUAL or EDITOR"));
    assert!(told(Some("vi 'a")).await.contains("`vi 'a` is no command"));
    let missing = told(Some("/no/such/editor --wait")).await;
    assert!(
        missing.contains("`/no/such/editor --wait` cannot be started"),
        "{missing}"
    );
    let failing = Editor::doing("echo y > \"$1\"; exit 3");
    let failed = failing.edit("x\n").await.unwrap_err().to_string();
    assert!(failed.contains("exit status: 3"), "{failed}");
    let binary = Editor::doing("printf '\\377' > \"$1\"").edit("x\n").await;
    assert!(binary.unwrap_err().to_string().contains("it is not UTF-8"));
    let removed = Editor::doing("rm \"$1\"").edit("x\n").await;
    assert!(matches!(removed, Err(EditorError::File(_))));
}

#[tokio::test]
async fn an_editor_ends_with_the_command() {
    let token = CancellationToken::new();
    let editor = Editor::doing("echo $$ > \"$0.pid\"; exec sleep 60");
    let command = editor.command();
    let text = sheet("x\n");
    let pid = editor.0.path().join("my editor.sh.pid");
    let (edited, ()) = tokio::join!(text.edit(Some(&command), &token), async {
        while !std::fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        token.cancel();
    });
    assert_eq!(edited.unwrap(), Saved::Stopped);
    let pid = std::fs::read_to_string(&pid).unwrap();
    let is_there = || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.is_ok_and(|state| !state.contains(") Z "))
    };
    for _ in 0..400 {
        if !is_there() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the editor is still there");
}

#[test]
fn endings_are_plain_ones() {
    assert_eq!(ending("src/a.py"), ".py");
    for none in ["Makefile", ".gitignore", "a.b c", "a.x'y", "a.", "a.éa"] {
        assert_eq!(ending(none), "", "{none}");
    }
}

#[test]
fn texts_are_read_up_to_a_limit() {
    assert_eq!(read(&b"\xc3\xa9\n"[..]).unwrap(), "é\n");
    assert!(
        read(std::io::repeat(b'x'))
            .unwrap_err()
            .to_string()
            .contains("16 MiB")
    );
}

proptest! {
    /// Whatever the text holds, the head goes and the text stays.
    #[test]
    fn what_is_written_is_taken_back(text in "(#{0,3}(symphony:)?[ab\r]{0,2}\n?){0,5}", more in "[a-z]{1,3}\n") {
        let head = ["told".to_owned()];
        let sheet = Sheet { head: &head, ..sheet(&text) };
        let mark = sheet.mark();
        let written = sheet.written(&mark);
        prop_assert_eq!(sheet.taken(&written, &mark), Saved::Same);
        prop_assert!(written.ends_with(&text) && written.starts_with("#"));
        if text.is_empty() || text.ends_with('\n') {
            let longer = format!("{written}{more}");
            prop_assert_eq!(sheet.taken(&longer, &mark), saved(&format!("{text}{more}")));
        }
    }
}
