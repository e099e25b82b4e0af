//! What editing needs to know of languages: comments and pairs, as data.

/// A language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// Its name.
    pub name: &'static str,
    /// File extensions, or whole names of files.
    pub extensions: &'static [&'static str],
    /// What begins a comment that ends with its line.
    pub line_comment: Option<&'static str>,
    /// What begins and ends other comments.
    pub block_comment: Option<(&'static str, &'static str)>,
    /// What is closed as it is typed.
    pub pairs: &'static [(char, char)],
}

const BRACKETS: &[(char, char)] = &[('(', ')'), ('[', ']'), ('{', '}')];
const CODE: &[(char, char)] = &[('(', ')'), ('[', ']'), ('{', '}'), ('"', '"'), ('\'', '\'')];
const TICKS: &[(char, char)] = &[
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
];
/// A single quote is often no quote: lifetimes, prose.
const DOUBLE: &[(char, char)] = &[('(', ')'), ('[', ']'), ('{', '}'), ('"', '"')];
const C_BLOCK: Option<(&str, &str)> = Some(("/*", "*/"));
const XML_BLOCK: Option<(&str, &str)> = Some(("<!--", "-->"));

const fn language(
    name: &'static str,
    extensions: &'static [&'static str],
    line_comment: Option<&'static str>,
    block_comment: Option<(&'static str, &'static str)>,
    pairs: &'static [(char, char)],
) -> Language {
    Language {
        name,
        extensions,
        line_comment,
        block_comment,
        pairs,
    }
}

/// No language that is known.
pub static PLAIN: Language = language("text", &["txt"], None, None, BRACKETS);

static LANGUAGES: &[Language] = &[
    language("rust", &["rs"], Some("//"), C_BLOCK, DOUBLE),
    language("c", &["c", "h"], Some("//"), C_BLOCK, CODE),
    language(
        "cpp",
        &["cpp", "cc", "cxx", "hpp", "hh", "hxx"],
        Some("//"),
        C_BLOCK,
        CODE,
    ),
    language("csharp", &["cs"], Some("//"), C_BLOCK, CODE),
    language("java", &["java"], Some("//"), C_BLOCK, CODE),
    language("kotlin", &["kt", "kts"], Some("//"), C_BLOCK, CODE),
    language("swift", &["swift"], Some("//"), C_BLOCK, DOUBLE),
    language("go", &["go"], Some("//"), C_BLOCK, TICKS),
    language("zig", &["zig"], Some("//"), None, CODE),
    language(
        "javascript",
        &["js", "mjs", "cjs", "jsx"],
        Some("//"),
        C_BLOCK,
        TICKS,
    ),
    language(
        "typescript",
        &["ts", "mts", "cts", "tsx"],
        Some("//"),
        C_BLOCK,
        TICKS,
    ),
    language("css", &["css"], None, C_BLOCK, CODE),
    language("scss", &["scss", "less"], Some("//"), C_BLOCK, CODE),
    language("json", &["json", "jsonl"], None, None, DOUBLE),
    language("jsonc", &["jsonc", "json5"], Some("//"), C_BLOCK, DOUBLE),
    language("python", &["py", "pyi", "pyw"], Some("#"), None, CODE),
    language(
        "ruby",
        &["rb", "Rakefile", "Gemfile"],
        Some("#"),
        None,
        CODE,
    ),
    language("perl", &["pl", "pm"], Some("#"), None, CODE),
    language("php", &["php"], Some("//"), C_BLOCK, CODE),
    language(
        "shell",
        &["sh", "bash", "zsh", "fish", ".bashrc", ".profile"],
        Some("#"),
        None,
        TICKS,
    ),
    language("powershell", &["ps1"], Some("#"), Some(("<#", "#>")), CODE),
    language("toml", &["toml", "Cargo.lock"], Some("#"), None, CODE),
    language("yaml", &["yaml", "yml"], Some("#"), None, CODE),
    language("ini", &["ini", "cfg", "conf"], Some(";"), None, BRACKETS),
    language(
        "make",
        &["mk", "Makefile", "makefile"],
        Some("#"),
        None,
        CODE,
    ),
    language("cmake", &["cmake", "CMakeLists.txt"], Some("#"), None, CODE),
    language(
        "dockerfile",
        &["Dockerfile", "dockerfile"],
        Some("#"),
        None,
        CODE,
    ),
    language("nix", &["nix"], Some("#"), C_BLOCK, DOUBLE),
    language("r", &["r", "R"], Some("#"), None, TICKS),
    language("julia", &["jl"], Some("#"), Some(("#=", "=#")), DOUBLE),
    language("elixir", &["ex", "exs"], Some("#"), None, CODE),
    language("erlang", &["erl", "hrl"], Some("%"), None, CODE),
    language("lua", &["lua"], Some("--"), Some(("--[[", "]]")), CODE),
    language("sql", &["sql"], Some("--"), C_BLOCK, CODE),
    language("haskell", &["hs"], Some("--"), Some(("{-", "-}")), DOUBLE),
    language("ocaml", &["ml", "mli"], None, Some(("(*", "*)")), DOUBLE),
    language(
        "lisp",
        &["lisp", "el", "scm", "clj"],
        Some(";"),
        None,
        DOUBLE,
    ),
    language("latex", &["tex", "sty"], Some("%"), None, BRACKETS),
    language(
        "html",
        &["html", "htm", "vue", "svelte"],
        None,
        XML_BLOCK,
        CODE,
    ),
    language("xml", &["xml", "svg", "xsd"], None, XML_BLOCK, CODE),
    language("markdown", &["md", "markdown"], None, XML_BLOCK, BRACKETS),
];

/// The language of a name, a file extension or a file's name.
pub fn language_of(name: &str) -> Option<&'static Language> {
    let all = || LANGUAGES.iter().chain([&PLAIN]);
    let by_name = || all().find(|l| l.name.eq_ignore_ascii_case(name));
    let of_file = |part: &str| all().find(|l| l.extensions.contains(&part));
    by_name()
        .or_else(|| of_file(name))
        .or_else(|| of_file(name.rsplit_once('.')?.1))
}
