//! The runner with real processes.
#![allow(clippy::unwrap_used, reason = "test code")]

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use symphony_sandbox::proc::start_time;

const RUNNER: &str = env!("CARGO_BIN_EXE_symphony-extension-runner");

fn runner(options: &[&str], program: &[&str]) -> Command {
    let mut command = Command::new(RUNNER);
    command
        .args(["exec", "--parent", &std::process::id().to_string()])
        .args(options)
        .arg("--")
        .args(program);
    command
}

fn output(options: &[&str], program: &[&str]) -> Output {
    runner(options, program).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim()
}

/// Whether a process runs; a zombie does not.
fn runs(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

fn gone_within(pid: i32, limit: Duration) -> bool {
    let started = Instant::now();
    while runs(pid) {
        if started.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
    true
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.trim().to_owned()
}

#[test]
fn the_program_runs_in_its_own_session_with_its_limits() {
    // Fields 1, 5 and 6 of proc(5): process, group, session.
    let script =
        "cut -d' ' -f1,5,6 /proc/$$/stat; ulimit -n; ulimit -c; ulimit -v; ulimit -f; echo $0 $1";
    let options = [
        "--nofile",
        "99",
        "--core",
        "0",
        "--address-space",
        "1073741824",
        "--file-size",
        "512000",
    ];
    let output = output(&options, &["sh", "-c", script, "name", "an argument"]);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    let ids: Vec<&str> = lines[0].split(' ').collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{lines:?}");
    assert_eq!(lines[1..5], ["99", "0", "1048576", "1000"]);
    assert_eq!(lines[5], "name an argument");
    assert!(output.status.success());
}

#[test]
fn open_files_of_the_host_are_not_passed_on() {
    // A shell in between leaves descriptor 7 open, without close-on-exec.
    let script =
        format!("exec 7</dev/null; {RUNNER} exec --parent $$ -- ls /proc/self/fd & wait $!");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    // 0, 1, 2 and the one `ls` reads the folder with.
    assert_eq!(text(&output.stdout).lines().count(), 4, "{output:?}");
}

#[test]
fn a_program_that_cannot_start_is_named_with_its_exit_code() {
    let missing = output(&[], &["/no/such/program"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(text(&missing.stderr).contains("/no/such/program"));
    assert_eq!(output(&[], &["/etc/passwd"]).status.code(), Some(126));
    let usage = Command::new(RUNNER).arg("dance").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(text(&usage.stderr).contains("usage"));
}

#[test]
fn it_starts_nothing_for_another_parent() {
    let output = Command::new(RUNNER)
        .args(["exec", "--parent", "1", "--", "echo", "started"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn the_program_dies_with_its_host() {
    let script = format!("{RUNNER} exec --parent $$ -- sleep 60 & echo $!; wait");
    let mut host = Command::new("sh")
        .args(["-c", &script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid: i32 = first_line(&mut host).parse().unwrap();
    // Wait until the runner has become the program.
    let started = Instant::now();
    while !std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|c| c.trim() == "sleep") {
        assert!(started.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(2));
    }
    host.kill().unwrap();
    host.wait().unwrap();
    assert!(gone_within(pid, Duration::from_secs(2)));
}

fn guard() -> Child {
    Command::new(RUNNER)
        .arg("guard")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A group of two: a shell and what it started.
fn group() -> (Child, i32) {
    let mut child = Command::new("sh")
        .args(["-c", "sleep 60 & echo $!; wait"])
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let grandchild = first_line(&mut child).parse().unwrap();
    (child, grandchild)
}

#[test]
fn the_guard_ends_registered_groups_and_spares_the_others() {
    let (mut taken_back, spared) = group();
    let (mut other, same_number) = group();
    let (mut ended, grandchild) = group();
    let id = |child: &Child| i32::try_from(child.id()).unwrap();
    let mut guard = guard();
    let mut input = guard.stdin.take().unwrap();
    let line = |child: &Child, shift: u64| {
        format!(
            "+{}:{}\n",
            child.id(),
            start_time(id(child)).unwrap() + shift
        )
    };
    let lines = line(&ended, 0)
        + &line(&taken_back, 0)
        + &format!("-{}\n", taken_back.id())
        // The number belongs to a group that started later than the registered one.
        + &line(&other, 1);
    input.write_all(lines.as_bytes()).unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        sleep(Duration::from_millis(30));
        kill(Pid::from_raw(id(&guard)), signal).unwrap();
    }
    sleep(Duration::from_millis(50));
    assert!(guard.try_wait().unwrap().is_none(), "signals do not end it");
    assert!(runs(id(&ended)));
    drop(input);
    assert!(gone_within(id(&ended), Duration::from_secs(2)));
    assert!(gone_within(grandchild, Duration::from_secs(2)));
    assert!(guard.wait().unwrap().success());
    assert!(runs(spared) && runs(same_number));
    for child in [&taken_back, &other] {
        nix::sys::signal::killpg(Pid::from_raw(id(child)), Signal::SIGKILL).unwrap();
    }
    for child in [&mut taken_back, &mut other, &mut ended] {
        child.wait().unwrap();
    }
}

#[test]
fn the_guard_ends_what_a_dead_leader_left() {
    let (mut leader, orphan) = group();
    let mut guard = guard();
    let line = format!(
        "+{}:{}\n",
        leader.id(),
        start_time(i32::try_from(leader.id()).unwrap()).unwrap()
    );
    guard
        .stdin
        .as_mut()
        .unwrap()
        .write_all(line.as_bytes())
        .unwrap();
    leader.kill().unwrap();
    leader.wait().unwrap();
    assert!(runs(orphan));
    assert!(guard.wait().unwrap().success(), "wait closes the input");
    assert!(gone_within(orphan, Duration::from_secs(2)));
}
