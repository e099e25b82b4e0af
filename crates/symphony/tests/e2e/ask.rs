//! `ask` over several files: plan, edit, repair, review, undo.

use crate::server::Server;
use crate::stage::Stage;
use serde_json::{Value, json};

const FILES: [(&str, &str); 3] = [
    (
        "shop/cart.py",
        "def total(prices):\n    return sum(prices)\n\n\ndef count(prices):\n    return len(prices)\n",
    ),
    (
        "shop/order.py",
        "from shop.cart import total\n\n\ndef place(prices):\n    return total(prices)\n",
    ),
    (
        "web/cart.ts",
        "export const total = (prices: number[]) => prices.reduce((a, b) => a + b, 0);\n",
    ),
];

fn edit(path: &str, search: &str, replace: &str) -> Value {
    json!({ "path": path, "search": search, "replace": replace, "why": "rounding" })
}

/// Plans, edits with one that finds no place, and mends that one when asked.
fn server() -> Server {
    let plan = json!({
        "summary": "Round totals to cents",
        "files": ["shop/cart.py", "shop/order.py", "web/cart.ts", "shop/money.py"],
        "steps": ["Add a rounding function.", "Use it for totals."]
    });
    let edits = json!({ "edits": [
        edit("shop/money.py", "", "def cents(value):\n    return round(value, 2)\n"),
        edit("shop/cart.py", "    return sum(prices)\n", "    return cents(sum(prices))\n"),
        edit("shop/order.py", "    return totl(prices) # the old one", "    return cents(total(prices))"),
        edit("web/cart.ts", "reduce((a, b) => a + b, 0)", "reduce((a, b) => a + b, 0.0)"),
    ]});
    let mended = json!({ "edits": [edit("shop/order.py", "    return total(prices)", "    return cents(total(prices))")] });
    Server::with(json!([
        { "match": "<overview>", "json": plan },
        { "match": "<plan>", "json": edits },
        { "match": "<edits>", "json": mended },
    ]))
}

/// The hunk of a file.
fn hunk(set: &Value, path: &str) -> String {
    let files = set["change_set"]["files"].as_array().unwrap();
    let file = files
        .iter()
        .find(|file| file["path"] == path)
        .unwrap_or_else(|| panic!("{path} is not in {set}"));
    file["hunks"][0]["id"].to_string()
}

#[test]
fn e2e_asks_for_a_change_over_three_files_and_a_new_one() {
    let server = server();
    let stage = Stage::playing(&server, &FILES);
    let before = stage.tree();

    let result = stage.must(&["ask", "Round totals to cents", "--file", "shop/cart.py"]);
    assert_eq!(
        server.calls(),
        3,
        "plan, edit, repair: {:?}",
        server.questions()
    );
    assert_eq!(result["change_set"]["files"], 4, "{result}");
    assert_eq!(result["change_set"]["title"], "Round totals to cents");
    assert_eq!(stage.tree(), before);
    let repair = server.questions().pop().unwrap();
    assert!(
        repair.contains("totl(prices)") && repair.contains("    return total(prices)"),
        "{repair}"
    );

    let set = stage.must(&["review", "--show"]);
    stage.must(&["review", "--reject", "--hunk", &hunk(&set, "web/cart.ts")]);
    let outcome = stage.must(&["review", "--accept"]);
    assert_eq!(
        (
            &outcome["outcome"]["accepted"],
            &outcome["outcome"]["pending"]
        ),
        (&3.into(), &0.into()),
        "{outcome}"
    );
    assert!(
        stage
            .read("shop/cart.py")
            .contains("return cents(sum(prices))")
    );
    assert!(
        stage
            .read("shop/order.py")
            .contains("return cents(total(prices))")
    );
    assert_eq!(
        stage.read("shop/money.py"),
        "def cents(value):\n    return round(value, 2)\n"
    );
    assert_eq!(stage.read("web/cart.ts"), FILES[2].1, "rejected");

    stage.must(&["undo"]);
    assert_eq!(stage.tree(), before, "the new file is gone, too");
    stage.must(&["undo", "--redo"]);
    assert!(stage.read("shop/money.py").contains("round"));
    stage.assert_nothing_left();
}

#[test]
fn e2e_edits_that_break_a_file_or_leave_the_project_are_refused() {
    let plan = json!({ "summary": "Change", "files": ["shop/cart.py"], "steps": [] });
    let edits = json!({ "edits": [
        edit("shop/cart.py", "    return len(prices)", "    return len(prices"),
        edit("../outside.py", "", "print('out')\n"),
        edit(".git/hooks/pre-commit", "", "#!/bin/sh\n"),
        edit("shop/order.py", "place(prices)", "place(goods)"),
    ]});
    let server = Server::with(json!([
        { "match": "<overview>", "json": plan },
        { "match": "<plan>", "json": edits },
        { "match": "<edits>", "json": { "edits": [] } },
    ]));
    let stage = Stage::playing(&server, &FILES);
    let result = stage.must(&["ask", "Change something"]);
    assert_eq!(
        result["change_set"]["files"], 1,
        "only the sound edit is staged: {result}"
    );
    let findings = result["findings"].to_string();
    for path in ["shop/cart.py", "../outside.py", ".git/hooks/pre-commit"] {
        assert!(findings.contains(path), "{path} is not told: {findings}");
    }
    stage.must(&["review", "--accept"]);
    assert_eq!(stage.read("shop/cart.py"), FILES[0].1);
    assert!(!stage.project.join("../outside.py").exists());
    assert!(!stage.project.join(".git").exists());
}

#[test]
fn e2e_ask_needs_words_and_files_of_the_project() {
    let server = Server::describing();
    let stage = Stage::playing(&server, &FILES);
    stage.fails(&["ask", "  "], 3);
    stage
        .fails(&["ask", "Change", "--file", "../../etc/passwd"], 3)
        .names(&["etc/passwd"]);
    assert_eq!(server.calls(), 0);
}
