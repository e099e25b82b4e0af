use super::*;
use crate::cli::testing::sample;
use Verdict::{Accept, Reject};
use proptest::prelude::*;

fn pressed(keys: &str) -> (Vec<Next>, Vec<(HunkId, Verdict)>) {
    let set = sample();
    let mut walk = Walk::new(&set, |_| true);
    let nexts = keys
        .chars()
        .map(|key| walk.press(Press::Char(key)))
        .collect();
    (nexts, walk.verdicts())
}

#[test]
fn one_hunk_after_the_other() {
    let (nexts, verdicts) = pressed("ynyn");
    assert_eq!(nexts, [Next::Hunk, Next::Hunk, Next::Hunk, Next::End]);
    assert_eq!(
        verdicts,
        [(1, Accept), (2, Reject), (3, Accept), (4, Reject)]
    );
}

#[test]
fn a_and_d_decide_the_rest_of_the_file_only() {
    assert_eq!(pressed("na").1, [(1, Reject), (2, Accept), (3, Accept)]);
    assert_eq!(
        pressed("dy").1,
        [(1, Reject), (2, Reject), (3, Reject), (4, Accept)]
    );
    assert_eq!(pressed("aa").0, [Next::Hunk, Next::End]);
}

#[test]
fn u_takes_the_last_key_back() {
    assert_eq!(pressed("yun").1, [(1, Reject)]);
    assert_eq!(pressed("auyn").1, [(1, Accept), (2, Reject)]);
    assert_eq!(pressed("jjuuy").1, [(1, Accept)]);
    assert_eq!(pressed("u").0, [Next::AtStart]);
}

#[test]
fn q_and_the_end_of_input_keep_what_was_decided_and_an_interrupt_does_not() {
    let set = sample();
    let mut walk = Walk::new(&set, |_| true);
    walk.press(Press::Char('y'));
    assert_eq!(walk.press(Press::Char('q')), Next::End);
    assert_eq!(walk.press(Press::End), Next::End);
    assert_eq!(walk.press(Press::Interrupt), Next::Dropped);
    assert_eq!(walk.verdicts(), [(1, Accept)]);
}

#[test]
fn other_keys_show_the_help_and_decide_nothing() {
    let set = sample();
    let mut walk = Walk::new(&set, |_| true);
    for press in [
        Press::Char('?'),
        Press::Char('x'),
        Press::Char('é'),
        Press::Other,
    ] {
        assert_eq!(walk.press(press), Next::Help);
    }
    assert!(walk.verdicts().is_empty());
    assert!(HELP.iter().all(|line| line.as_bytes()[1] == b' '));
}

#[test]
fn it_asks_about_chosen_hunks_alone() {
    let set = sample();
    let mut walk = Walk::new(&set, |hunk| hunk.id != 2);
    assert_eq!(
        walk.question(Style::default()),
        "(1/3) Accept this hunk [y,n,e,a,d,j,u,q,?]?"
    );
    walk.press(Press::Char('a'));
    assert_eq!(walk.verdicts(), [(1, Accept), (3, Accept)]);
    assert!(
        walk.show(Style::default())
            .iter()
            .any(|line| line.contains("src/shop.py"))
    );
}

proptest! {
    #[test]
    fn stepping_back_all_the_way_decides_nothing(keys in "[ynadj?x]{0,6}") {
        let set = sample();
        let mut walk = Walk::new(&set, |_| true);
        for key in keys.chars() {
            if walk.is_over() {
                break;
            }
            walk.press(Press::Char(key));
        }
        while walk.press(Press::Char('u')) != Next::AtStart {}
        prop_assert!(walk.verdicts().is_empty());
        prop_assert!(!walk.is_over());
    }
}
